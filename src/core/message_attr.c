/* See message_attr.h. Layer: core. */
#include "core/message_attr.h"

/* Bytes of a letter U+00C0 to U+017F in UTF-8: C3 80 to C5 BF. */
static bool is_accent(uint8_t first, uint8_t second)
{
    return first >= 0xc3 && first <= 0xc5 && second >= 0x80 && second <= 0xbf;
}

bool message_attr_name_ok(struct str name, bool accents)
{
    if (name.len == 0 || name.len > MESSAGE_ATTR_NAME_MAX || name.p[0] == '.' ||
        name.p[name.len - 1] == '.')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || (c == '.' && name.p[i - 1] != '.');
        if (!ok && accents && i + 1 < name.len && is_accent((uint8_t)c, (uint8_t)name.p[i + 1])) {
            i++;
            ok = true;
        }
        if (!ok)
            return false;
    }
    return !message_attr_name_reserved(name);
}

bool message_attr_name_reserved(struct str name)
{
    return (name.len >= 4 && str_eq_nocase(str_sub(name, 0, 4), STR("AWS."))) ||
           (name.len >= 7 && str_eq_nocase(str_sub(name, 0, 7), STR("Amazon.")));
}

struct str message_attr_base(struct str type)
{
    static const struct str bases[] = {STR_INIT("String"), STR_INIT("Number"), STR_INIT("Binary")};
    size_t dot = str_find(type, '.');
    struct str base = dot == SIZE_MAX ? type : str_sub(type, 0, dot);
    if (type.len > MESSAGE_ATTR_TYPE_MAX || (dot != SIZE_MAX && dot + 1 == type.len))
        return STR_NONE;
    for (size_t i = 0; i < ARRAY_LEN(bases); i++)
        if (str_eq(base, bases[i]))
            return bases[i];
    return STR_NONE;
}

bool message_attr_number_ok(struct str value)
{
    double v;
    return value.len <= MESSAGE_ATTR_NUMBER_MAX && str_to_f64(str_trim(value), &v) == ERR_OK;
}
