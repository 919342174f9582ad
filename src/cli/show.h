/* What stack commands print: how a deployment goes, a table of outputs, a change set.
 *
 * On a terminal one table with a line for each resource is drawn again in its place; elsewhere each event is a
 * line. Text of the server is printed without control characters.
 *
 * Layer: cli. Thread: the command line's own. */
#ifndef WEIR_CLI_SHOW_H
#define WEIR_CLI_SHOW_H

#include <stdio.h>

#include "cli/stack.h"

enum { SHOW_ROWS_MAX = 1000 };

struct show_row {
    struct str logical, type, status, reason;
};

/* Resources of a stack while something is done to it. Lifetime: its owner's, texts in the arena. */
struct show {
    struct arena *arena;
    FILE *out;
    bool terminal, colours;
    size_t width, height; /* of the terminal, in characters */
    struct str stack_id;
    struct show_row *rows; /* [SHOW_ROWS_MAX], in order of first events */
    size_t n;
    size_t drawn; /* lines of the table that stand above the cursor */
    /* What is learned by the way: */
    struct str status;       /* the stack's last one */
    struct show_row fault;   /* the first that failed by itself; logical absent: none */
    bool going_back;         /* a rollback began */
    struct buf undone, left; /* names after that: put back or removed, and not */
};

/* `out` and its kind. ERR_NOMEM. */
enum err show_init(struct show *s, struct arena *a, FILE *out, struct str stack_id) WARN_UNUSED;
/* Takes an event and prints it, or remembers it for show_draw. ERR_NOMEM; ERR_LIMIT is none: rows beyond
 * SHOW_ROWS_MAX are not in the table. */
enum err show_event(struct show *s, const struct stack_event *e) WARN_UNUSED;
/* Draws the table anew. Nothing but on a terminal. */
void show_draw(struct show *s);
/* On failure: which resource, why, and what was done about it. */
void show_failure(struct show *s, struct str stack_name);

/* Outputs as a table, or as NAME=VALUE lines for a shell (ApiUrl is API_URL). Addresses of API Gateway that
 * lead to AWS are written as those of the Weir at `url`; absent: they are AWS's own. ERR_NOMEM. */
enum err show_outputs(struct arena *a, FILE *out, const struct stack *stack, struct str url,
                      bool for_shell) WARN_UNUSED;
/* An output's value as it is shown. ERR_NOMEM. */
enum err show_address(struct arena *a, struct str value, struct str url,
                      struct str *ret_value) WARN_UNUSED;

/* A page of changes by resource and property. *counts: how many there are to add, change, replace, remove. */
struct show_counts {
    size_t add, change, replace, remove;
};
void show_changes(FILE *out, const struct xml *changes, struct show_counts *counts);
/* "2 to add, 1 to change (of which 1 replaced), 0 to remove" */
void show_counted(FILE *out, const struct show_counts *counts);

/* Text without what moves a terminal's cursor. */
void show_text(FILE *out, struct str text);

#endif
