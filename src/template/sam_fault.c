/* What is wrong with a template, in words. See sam_int.h. Layer: template. Thread: pure. */
#include <stdlib.h>

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

enum err sam_refuse_event(struct sam *s, const char *type)
{
    enum err err = sam_bad_event(s, "Events of type %s are not supported.", type);
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

/* The fault's whole text, under the id that it is sorted by. */
static void take(struct sam *s)
{
    struct str text = s->fault;
    if (s->scope == SAM_EVENT)
        text = str_fmt(s->a, "Event with id [" STR_FMT "] is invalid. " STR_FMT, STR_ARG(s->event),
                       STR_ARG(text));
    if (s->scope == SAM_EVENT || s->scope == SAM_RESOURCE)
        text = str_fmt(s->a, "Resource with id [" STR_FMT "] is invalid. " STR_FMT, STR_ARG(s->id),
                       STR_ARG(text));
    struct json *fault = sam_new_str(s, text);
    if (fault)
        fault->key = s->id;
    sam_push(s, s->faults, fault);
}

enum err sam_catch(struct sam *s, enum err err)
{
    bool of_resource = err == ERR_INVALID && s->scope != SAM_DOCUMENT;
    if (!of_resource && err != ERR_UNSUPPORTED)
        return err;
    s->refused = s->refused || err == ERR_UNSUPPORTED;
    if (s->faults && s->faults->n < SAM_FAULTS_MAX)
        take(s);
    return ERR_OK;
}

/* --- telling ------------------------------------------------------------------------------------- */

static const char said_first[] =
    "Invalid Serverless Application Specification document. Number of errors found: ";

struct told {
    struct str key, text;
    size_t index; /* of its finding */
    bool again;
};

static int by_text(const void *a, const void *b)
{
    const struct told *x = a, *y = b;
    int order = str_cmp(x->text, y->text);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static int by_key(const void *a, const void *b)
{
    const struct told *x = a, *y = b;
    int order = str_cmp(x->key, y->key);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

enum err sam_tell(struct sam *s, struct str *ret_message)
{
    size_t n = 0, different = 0;
    struct told *all = ARENA_ARRAY(s->a, struct told, s->faults->n + 1);
    struct buf b;
    if (!all)
        return ERR_NOMEM;
    JSON_EACH (s->faults, it) {
        all[n] = (struct told){it->key, it->text, n, false};
        n++;
    }
    qsort(all, n, sizeof(*all), by_text);
    for (size_t i = 0; i < n; i++) {
        all[i].again = i > 0 && str_eq(all[i].text, all[i - 1].text);
        different += !all[i].again;
    }
    qsort(all, n, sizeof(*all), by_key);
    buf_init_arena(&b, s->a, SAM_MESSAGE_MAX);
    buf_add_fmt(&b, "%s%zu.", said_first, different);
    for (size_t i = 0; i < n; i++) {
        if (all[i].again)
            continue;
        buf_add_byte(&b, ' ');
        buf_add_str(&b, all[i].text);
    }
    *ret_message = buf_str(&b);
    return buf_err(&b) == ERR_NOMEM ? ERR_NOMEM : ERR_OK;
}
