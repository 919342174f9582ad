/* What the two halves of the parser share. */
#include <string.h>

#include "lang/vtl_int.h"

uint32_t vtl_parse_at(const struct vtl_parser *ps, const char *p)
{
    return (uint32_t)(ps->outer_at >= 0 ? ps->outer_at : p - ps->start);
}

enum err vtl_parse_fail(struct vtl_parser *ps, const char *message)
{
    if (!ps->message) {
        ps->message = message;
        ps->fault = ps->p;
    }
    return ERR_INVALID;
}

enum err vtl_parse_enter(struct vtl_parser *ps)
{
    if (++ps->depth <= VTL_DEPTH_MAX)
        return ERR_OK;
    enum err err = vtl_parse_fail(ps, "the template is nested too deep");
    return err == ERR_INVALID ? ERR_LIMIT : err;
}

bool vtl_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool vtl_is_word_start(char c)
{
    return is_alpha(c) || c == '_';
}

bool vtl_is_word(char c)
{
    return vtl_is_word_start(c) || (c >= '0' && c <= '9');
}

void vtl_skip_space(struct vtl_parser *ps)
{
    while (ps->p < ps->end && vtl_is_space(*ps->p))
        ps->p++;
}

enum err vtl_args_add(struct vtl_parser *ps, struct vtl_expr ***args, size_t *n, size_t *cap,
                      struct vtl_expr *x)
{
    TRY(ARENA_GROW(ps->a, *args, *n, *cap, 4));
    (*args)[(*n)++] = x;
    return ERR_OK;
}
