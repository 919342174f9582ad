/* Stacks and change sets by CloudFormation's API (query protocol, version 2010-05-15).
 *
 * Every call: ERR_FAILED when the service refuses, ERR_CLOSED and others of aws_send when it cannot be asked;
 * aws->why then is a sentence for the user. Results live in the call's arena.
 *
 * Layer: cli. Thread: blocking. */
#ifndef WEIR_CLI_STACK_H
#define WEIR_CLI_STACK_H

#include "cli/aws.h"

enum {
    STACK_TEMPLATE_BODY_MAX = 51200, /* longer ones must lie in a bucket */
    STACK_PAGES_MAX = 200,
    STACK_EVENTS_MAX = 20 * 1000, /* taken at once */
};

struct stack {
    struct str name, id, status, reason, description, time; /* of the last change, ISO 8601 */
    const struct xml *outputs, *parameters;                 /* lists of <member>, or NULL */
};

/* ERR_NOT_FOUND: there is none of that name or id. */
enum err stack_get(struct aws *aws, struct arena *a, struct str name,
                   struct stack *ret) WARN_UNUSED;
/* All that are there, or the one by name; ERR_NOT_FOUND as above. */
enum err stack_each(struct aws *aws, struct arena *a, struct str name,
                    void (*each)(void *arg, const struct stack *stack), void *arg) WARN_UNUSED;
/* Whether something is being done to it. REVIEW_IN_PROGRESS, a stack that has but change sets, is not. */
bool stack_is_busy(struct str status);
/* Deletion began, or there is none of that name any more. */
enum err stack_delete(struct aws *aws, struct arena *a, struct str name) WARN_UNUSED;

/* Its resources that are there, by type and physical id. */
enum err stack_resources(struct aws *aws, struct arena *a, struct str name,
                         enum err (*each)(void *arg, struct str type, struct str physical),
                         void *arg) WARN_UNUSED;

/* --- events --------------------------------------------------------------------------------------- */

struct stack_event {
    struct str id, logical, physical, type, status, reason;
};

/* Those that came after the event `after` (empty: all there are), oldest first. ERR_NOT_FOUND: there is no
 * such stack. ERR_LIMIT. */
enum err stack_events(struct aws *aws, struct arena *a, struct str stack, struct str after,
                      struct stack_event **ret_v, size_t *ret_n) WARN_UNUSED;
/* The id of the newest, copied into aws->arena; empty: none, or no such stack. */
enum err stack_last_event(struct aws *aws, struct arena *a, struct str stack,
                          struct str *ret_id) WARN_UNUSED;

/* --- change sets ----------------------------------------------------------------------------------- */

struct stack_value {
    struct str key, value; /* value absent: as it was before */
};

struct stack_change {
    struct str stack, set; /* names */
    bool creates;          /* the stack, which is not there yet */
    struct str body, url;  /* of the template: one of them */
    const struct stack_value *parameters;
    size_t n_parameters;
    const struct str *capabilities;
    size_t n_capabilities;
};

/* Makes it, in place of one of that name. It is then on its way: ask for it. */
enum err stack_change_make(struct aws *aws, struct arena *a,
                           const struct stack_change *change) WARN_UNUSED;

enum stack_change_state {
    STACK_CHANGE_COMING,
    STACK_CHANGE_READY,
    STACK_CHANGE_EMPTY,  /* the stack is what the template says */
    STACK_CHANGE_FAILED, /* *ret_reason says why */
};
/* A page of it: `changes` (list of <member>) and `token` of the next page, absent: that was all. */
struct stack_change_page {
    enum stack_change_state state;
    struct str reason, stack_id, token;
    const struct xml *changes;
};
enum err stack_change_get(struct aws *aws, struct arena *a, struct str stack, struct str set,
                          struct str token, struct stack_change_page *ret_page) WARN_UNUSED;
enum err stack_change_run(struct aws *aws, struct arena *a, struct str stack,
                          struct str set) WARN_UNUSED;
/* That it is not there is fine. */
enum err stack_change_drop(struct aws *aws, struct arena *a, struct str stack,
                           struct str set) WARN_UNUSED;

#endif
