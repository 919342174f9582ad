/* Between the files of deploy.h's commands. Layer: cli. */
#ifndef WEIR_CLI_DEPLOY_INT_H
#define WEIR_CLI_DEPLOY_INT_H

#include "cli/deploy.h"
#include "cli/follow.h"
#include "cli/upload.h"

enum { DEPLOY_ARENA_BYTES = 1536 * 1024 * 1024, DEPLOY_CAPABILITIES_MAX = 8 };

struct deployment {
    const struct deploy_options *options;
    struct arena arena; /* of the whole command */
    struct aws aws;
    FILE *out;       /* how it goes */
    struct str name; /* of the stack */
    const char *template;
    struct package package;
    struct upload upload;
    struct stack stack; /* as it was when looked at last; id absent: there is none */
    struct str last_event;
};

/* Says it on standard error, with "weir: " before; gives DEPLOY_FAILED. */
int deploy_complain(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* For an error of aws_send and what builds on it. */
int deploy_explain(const struct deployment *d, enum err err);

/* Credentials, addresses. An exit code, as the rest: 0 is none. The caller ends it with deploy_close. */
int deploy_open(struct deployment *d, const struct deploy_options *options);
void deploy_close(struct deployment *d);
/* Looks at the stack, and waits while something is done to it. */
int deploy_settle(struct deployment *d);
/* Follows what was begun after `last_event`; *ret_show tells how it ended. Says so when it cannot. */
int deploy_follow(struct deployment *d, struct str stack_id, struct show *ret_show);
/* The template and the stack's name by the command's words, without asking anybody. */
int deploy_choose(struct deployment *d);
/* Reads the template, checks the parameters, packages. */
int deploy_prepare(struct deployment *d);
/* Whether there is nothing of the stack yet, or change sets only. */
bool deploy_is_new(const struct deployment *d);
/* Makes the change set `set` and waits for it. */
int deploy_make_set(struct deployment *d, struct str set, struct stack_change_page *ret_page);
/* Takes away the change set, and the stack, if there is nothing of it but the set. */
int deploy_drop_set(struct deployment *d, struct str set);
/* Deletes the stack and follows. */
int deploy_remove(struct deployment *d);

#endif
