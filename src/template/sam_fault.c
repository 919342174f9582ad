/* What is wrong with a template, in words. See sam_int.h. Layer: template. Thread: pure. */
#include "template/sam_int.h"

static enum err say(struct sam *s, enum sam_scope scope, const char *fmt, va_list ap)
{
    s->fault = str_vfmt(s->a, fmt, ap);
    s->scope = scope;
    return str_is_set(s->fault) ? ERR_INVALID : ERR_NOMEM;
}

#define SAY(s, scope, fmt)                                                                         \
    va_list ap;                                                                                    \
    va_start(ap, fmt);                                                                             \
    enum err err = say(s, scope, fmt, ap);                                                         \
    va_end(ap);                                                                                    \
    return err

enum err sam_bad(struct sam *s, const char *fmt, ...)
{
    SAY(s, SAM_RESOURCE, fmt);
}

enum err sam_bad_event(struct sam *s, const char *fmt, ...)
{
    SAY(s, SAM_EVENT, fmt);
}

enum err sam_bad_document(struct sam *s, const char *fmt, ...)
{
    SAY(s, SAM_DOCUMENT, fmt);
}

enum err sam_bad_plain(struct sam *s, const char *fmt, ...)
{
    SAY(s, SAM_PLAIN, fmt);
}

enum err sam_refuse(struct sam *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    enum err err = say(s, SAM_RESOURCE, fmt, ap);
    va_end(ap);
    return err == ERR_INVALID ? ERR_UNSUPPORTED : err;
}

enum err sam_want(struct sam *s, enum sam_scope scope, const struct json *v, char kind,
                  struct str property)
{
    static const struct {
        char kind;
        enum json_kind json;
        const char *words;
    } rows[] = {
        {'m', JSON_OBJECT, "map"},
        {'l', JSON_ARRAY, "list"},
        {'s', JSON_STRING, "string"},
        {'b', JSON_BOOL, "boolean"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].kind != kind || sam_is(v, rows[i].json))
            continue;
        if (scope == SAM_EVENT)
            return sam_bad_event(s, "Property '" STR_FMT "' should be a %s.", STR_ARG(property),
                                 rows[i].words);
        return sam_bad(s, "Property '" STR_FMT "' should be a %s.", STR_ARG(property),
                       rows[i].words);
    }
    return ERR_OK;
}

enum err sam_catch(struct sam *s, enum err err)
{
    struct str text = s->fault;
    if (err == ERR_UNSUPPORTED) {
        if (!str_is_set(s->refusal))
            s->refusal = str_fmt(s->a, "Resource with id [" STR_FMT "] is invalid. " STR_FMT,
                                 STR_ARG(s->id), STR_ARG(text));
        return str_is_set(s->refusal) ? ERR_OK : ERR_NOMEM;
    }
    if (err != ERR_INVALID)
        return err;
    if (s->scope == SAM_EVENT)
        text = str_fmt(s->a, "Event with id [" STR_FMT "] is invalid. " STR_FMT, STR_ARG(s->event),
                       STR_ARG(text));
    if (s->scope == SAM_EVENT || s->scope == SAM_RESOURCE)
        text = str_fmt(s->a, "Resource with id [" STR_FMT "] is invalid. " STR_FMT, STR_ARG(s->id),
                       STR_ARG(text));
    if (s->scope == SAM_DOCUMENT)
        return ERR_INVALID;
    sam_push(s, s->faults, sam_new_str(s, text));
    return ERR_OK;
}
