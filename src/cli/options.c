#include "cli/options.h"

#include <inttypes.h>

static const struct option *find(const struct option *options, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_c(name, options[i].name))
            return &options[i];
    return NULL;
}

static const struct option *find_word(const struct option *options, size_t n, const char *arg)
{
    for (size_t i = 0; i < n && arg[0] != '-'; i++)
        if (options[i].kind == OPTION_WORD && !*(const char **)options[i].value)
            return &options[i];
    return NULL;
}

static enum err set_value(const struct option *o, const char *value, FILE *err)
{
    if (o->kind == OPTION_TEXT) {
        *(const char **)o->value = value;
        return ERR_OK;
    }
    if (o->kind == OPTION_LIST) {
        struct option_list *list = o->value;
        if (list->n == OPTION_LIST_MAX) {
            fprintf(err, "weir: %s can be given %d times\n", o->name, OPTION_LIST_MAX);
            return ERR_INVALID;
        }
        list->v[list->n++] = value;
        return ERR_OK;
    }
    int64_t v;
    if (str_to_i64(str_c(value), &v) != ERR_OK || v < o->min || v > o->max) {
        fprintf(err, "weir: %s takes a whole number from %" PRId64 " to %" PRId64 ", not '%s'\n",
                o->name, o->min, o->max, value);
        return ERR_INVALID;
    }
    *(int64_t *)o->value = v;
    return ERR_OK;
}

enum err options_parse(const struct option *options, size_t n, int argc, char **argv, FILE *err)
{
    for (int i = 0; i < argc; i++) {
        const struct option *word = find_word(options, n, argv[i]);
        if (word) {
            *(const char **)word->value = argv[i];
            continue;
        }
        struct str rest = str_c(argv[i]);
        struct str name = str_cut(&rest, '=');
        const struct option *o = find(options, n, name);
        if (!o) {
            fprintf(err, "weir: unknown option '%s'; see weir help\n", argv[i]);
            return ERR_INVALID;
        }
        if (o->kind == OPTION_FLAG) {
            if (rest.p) {
                fprintf(err, "weir: %s takes no value\n", o->name);
                return ERR_INVALID;
            }
            *(bool *)o->value = true;
            continue;
        }
        const char *value = rest.p;
        if (!value) {
            if (++i == argc) {
                fprintf(err, "weir: %s needs a value: %s\n", o->name, o->arg);
                return ERR_INVALID;
            }
            value = argv[i];
        }
        TRY(set_value(o, value, err));
    }
    return ERR_OK;
}

void options_help(const struct option *options, size_t n, FILE *out)
{
    for (size_t i = 0; i < n; i++) {
        const struct option *o = &options[i];
        char head[64];
        snprintf(head, sizeof(head), "%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
        fprintf(out, "  %-30s %s", head, o->help);
        if (o->kind == OPTION_INT)
            fprintf(out, " (default %" PRId64 ")", *(int64_t *)o->value);
        if (o->kind == OPTION_TEXT && *(const char **)o->value)
            fprintf(out, " (default %s)", *(const char **)o->value);
        fputc('\n', out);
    }
}
