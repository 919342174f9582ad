/* Command-line options from one table per command: parsing, help text and the reference page come
 * from the same rows.
 *
 * Layer: cli. Thread: start-up only. */
#ifndef WEIR_CLI_OPTIONS_H
#define WEIR_CLI_OPTIONS_H

#include <stdio.h>

#include "base/str.h"

enum option_kind {
    OPTION_FLAG, /* bool; no value */
    OPTION_TEXT, /* const char * */
    OPTION_INT,  /* int64_t within min..max */
    OPTION_LIST, /* struct option_list; may be given several times */
    OPTION_WORD, /* const char **, NULL before: the one word that stands without a name */
};

enum { OPTION_LIST_MAX = 200 }; /* a template's parameters */

struct option_list {
    const char *v[OPTION_LIST_MAX];
    size_t n;
};

struct option {
    const char *name; /* "--listen" */
    enum option_kind kind;
    void *value;      /* bool *, const char **, int64_t *... by kind; holds the default before */
    const char *arg;  /* placeholder of the value in help, NULL for a flag */
    const char *help; /* one sentence */
    int64_t min, max; /* OPTION_INT */
};

/* The options of a command. */
struct option_table {
    const struct option *v;
    size_t n;
};

/* Parses argv (without program and command): "--name value", "--name=value", and a word where a row takes one. Values are borrowed
 * from argv. ERR_INVALID with a sentence on `err`. */
enum err options_parse(const struct option *options, size_t n, int argc, char **argv,
                       FILE *err) WARN_UNUSED;
/* One line an option, with its default. */
void options_help(const struct option *options, size_t n, FILE *out);

#endif
