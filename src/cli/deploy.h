/* weir deploy, diff, destroy, stacks.
 *
 *   template --package--> text, things in the bucket --change set--> nothing to do | made --run--> followed
 *
 * What is going on when the command begins (it was killed before, or somebody else is at it) is waited for;
 * what a failed first attempt left is removed. Exit codes: 0 done (or nothing to do), 1 failed, 2 not
 * understood, 130 interrupted; the stack goes on then.
 *
 * Layer: cli. Thread: the command line's own. */
#ifndef WEIR_CLI_DEPLOY_H
#define WEIR_CLI_DEPLOY_H

#include "cli/aws.h"
#include "cli/options.h"

struct deploy_options {
    struct aws_where where;
    const char
        *path; /* of the template or its folder; for destroy also a stack's name; NULL: none */
    const char *stack; /* its name; NULL: by the path */
    const char *bucket;
    const char *capabilities;      /* by commas, or "none" */
    struct option_list parameters; /* KEY=VALUE */
    bool for_shell, yes, empty, exit_code;
};

enum { DEPLOY_FAILED = 1, DEPLOY_USAGE = 2, DEPLOY_INTERRUPTED = 130 };

int deploy(const struct deploy_options *options);
int deploy_diff(const struct deploy_options *options);
int deploy_destroy(const struct deploy_options *options);
int deploy_list(const struct deploy_options *options);

/* The name of a stack by its template: of the file, or where that is called template, of its folder; what a
 * name cannot have becomes '-'. ERR_INVALID: nothing is left of it. */
enum err deploy_name(struct arena *a, const char *template_path, struct str *ret_name) WARN_UNUSED;
/* template.yaml, .yml or .json of a folder; a file is itself. ERR_NOT_FOUND. */
enum err deploy_template(struct arena *a, const char *path, const char **ret_path) WARN_UNUSED;

#endif
