/* Refusals and the texts of their lists. See tpl_int.h. Layer: template. Thread: pure. */
#include "base/buf.h"
#include "template/tpl_int.h"

enum {
    NAMES_MAX = 500, /* that a message names; the rest is cut */
    NAMES_TEXT_MAX = 512 * 1024,
};

enum err tpl_refuse(struct arena *a, struct tpl_fault *fault, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = str_vfmt(a, fmt, ap);
    va_end(ap);
    if (!str_is_set(text))
        return ERR_NOMEM;
    fault->message = text;
    return ERR_INVALID;
}

enum err tpl_names_add(struct arena *a, struct tpl_names *names, struct str name)
{
    for (size_t i = 0; i < names->n; i++)
        if (str_eq(names->p[i], name))
            return ERR_OK;
    if (names->n == NAMES_MAX)
        return ERR_OK;
    if (names->n == names->cap) {
        size_t cap = names->cap ? names->cap * 2 : 8;
        struct str *p = ARENA_ARRAY(a, struct str, cap);
        if (!p)
            return ERR_NOMEM;
        if (names->n)
            memcpy(p, names->p, names->n * sizeof(*p));
        names->p = p;
        names->cap = cap;
    }
    names->p[names->n++] = name;
    return ERR_OK;
}

struct str tpl_names_text(struct arena *a, const struct tpl_names *names)
{
    struct buf b;
    buf_init_arena(&b, a, NAMES_TEXT_MAX);
    buf_add_byte(&b, '[');
    for (size_t i = 0; i < names->n && buf_err(&b) == ERR_OK; i++) {
        if (i)
            BUF_ADD_LIT(&b, ", ");
        buf_add_str(&b, names->p[i]);
    }
    buf_add_byte(&b, ']');
    return buf_str(&b);
}

enum err tpl_refuse_missing(struct arena *a, struct tpl_fault *fault,
                            const struct tpl_names *missing, const char *block)
{
    if (!missing->n)
        return ERR_OK;
    struct str names = tpl_names_text(a, missing);
    if (strcmp(block, "Conditions") == 0)
        return tpl_refuse(a, fault,
                          "Template format error: Unresolved dependencies " STR_FMT
                          ". Cannot reference resources in the Conditions block of the template",
                          STR_ARG(names));
    return tpl_refuse(a, fault,
                      "Template format error: Unresolved resource dependencies " STR_FMT
                      " in the %s block of the template",
                      STR_ARG(names), block);
}

static void release(void *map)
{
    map_release(map);
}

enum err tpl_map_init(struct arena *a, struct map *map)
{
    map_init(map);
    return arena_on_release(a, release, map);
}
