/* Fn::Sub's text in pieces. See tpl_int.h. Layer: template. Thread: pure. */
#include "template/tpl_int.h"

bool tpl_sub_next(struct str *rest, struct tpl_piece *ret_piece)
{
    struct str s = *rest;
    *ret_piece = (struct tpl_piece){0};
    if (!s.len)
        return false;
    size_t at = str_find_str(s, STR("${"));
    size_t end = at == SIZE_MAX ? SIZE_MAX : str_find(str_sub(s, at, SIZE_MAX), '}');
    if (end == SIZE_MAX) { /* nothing that ends */
        ret_piece->literal = s;
        *rest = STR_NONE;
        return true;
    }
    if (at > 0) { /* what stands before is a piece of its own */
        ret_piece->literal = str_sub(s, 0, at);
        *rest = str_sub(s, at, SIZE_MAX);
        return true;
    }
    if (s.p[2] == '!') { /* "${" first, so that "!" is dropped from "${!x}" */
        ret_piece->literal = STR("${");
        *rest = str_sub(s, 3, SIZE_MAX);
        return true;
    }
    ret_piece->name = str_sub(s, 2, end - 2);
    *rest = str_sub(s, end + 1, SIZE_MAX);
    return true;
}

bool tpl_sub_name_ok(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!tpl_is_alphanumeric(str_sub(name, i, 1)) && name.p[i] != '_' && name.p[i] != '.' &&
            name.p[i] != ':')
            return false;
    return name.len > 0;
}
