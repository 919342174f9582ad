/* See arn.h. Layer: base. Thread: pure. */
#include "base/arn.h"

static bool is_word(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return true;
}

/* Names with spaces exist nowhere in ARNs; bytes beyond ASCII are left to the service. */
static bool is_graphic(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
            return false;
    return true;
}

bool arn_account_valid(struct str account)
{
    if (account.len != ARN_ACCOUNT_LEN)
        return false;
    for (size_t i = 0; i < account.len; i++)
        if (account.p[i] < '0' || account.p[i] > '9')
            return false;
    return true;
}

enum err arn_parse_object(struct str text, struct arn *ret_arn)
{
    struct str rest = text;
    if (!arn_is(text))
        return ERR_INVALID;
    (void)str_cut(&rest, ':');
    struct arn a = {.partition = str_cut(&rest, ':')};
    a.service = str_cut(&rest, ':');
    a.region = str_cut(&rest, ':');
    a.account = str_cut(&rest, ':');
    a.resource = rest;
    if (a.partition.len == 0 || a.service.len == 0 || a.resource.len == 0)
        return ERR_INVALID;
    if (!is_word(a.partition) || !is_word(a.service) || !is_word(a.region))
        return ERR_INVALID;
    if (a.account.len > 0 && !arn_account_valid(a.account) && !str_eq_c(a.account, "aws"))
        return ERR_INVALID;
    *ret_arn = a;
    return ERR_OK;
}

enum err arn_parse(struct str text, struct arn *ret_arn)
{
    struct arn a;
    if (text.len > ARN_BYTES_MAX)
        return ERR_INVALID;
    TRY(arn_parse_object(text, &a));
    if (!is_graphic(a.resource))
        return ERR_INVALID;
    *ret_arn = a;
    return ERR_OK;
}

enum err arn_parse_as(struct str text, const char *service, const char *type, struct arn *ret_arn)
{
    struct arn a;
    TRY(arn_parse(text, &a));
    if (!str_eq_c(a.service, service) || (type && !str_eq_c(arn_segment(&a, 0), type)))
        return ERR_INVALID;
    *ret_arn = a;
    return ERR_OK;
}

/* The separator of a resource's segments; NUL when it is one segment. */
static char separator(struct str resource)
{
    for (size_t i = 0; i < resource.len; i++)
        if (resource.p[i] == '/' || resource.p[i] == ':')
            return resource.p[i];
    return 0;
}

struct str arn_tail(const struct arn *arn, size_t i)
{
    struct str rest = arn->resource;
    char sep = separator(rest);
    for (; i > 0 && str_is_set(rest); i--) {
        if (!sep)
            return STR_NONE;
        (void)str_cut(&rest, sep);
    }
    return rest;
}

struct str arn_segment(const struct arn *arn, size_t i)
{
    struct str rest = arn_tail(arn, i);
    char sep = separator(arn->resource);
    return sep && str_is_set(rest) ? str_cut(&rest, sep) : rest;
}

struct str arn_last(const struct arn *arn)
{
    char sep = separator(arn->resource);
    size_t at = sep ? str_rfind(arn->resource, sep) : SIZE_MAX;
    return at == SIZE_MAX ? arn->resource : str_sub(arn->resource, at + 1, arn->resource.len);
}

struct str arn_vmake(struct arena *a, const struct arn *arn, const char *resource_fmt, va_list ap)
{
    struct str resource = str_vfmt(a, resource_fmt, ap);
    if (!str_is_set(resource))
        return STR_NONE;
    return str_fmt(a, "arn:" STR_FMT ":" STR_FMT ":" STR_FMT ":" STR_FMT ":" STR_FMT,
                   STR_ARG(arn->partition), STR_ARG(arn->service), STR_ARG(arn->region),
                   STR_ARG(arn->account), STR_ARG(resource));
}

struct str arn_make(struct arena *a, const struct arn *arn, const char *resource_fmt, ...)
{
    va_list ap;
    va_start(ap, resource_fmt);
    struct str text = arn_vmake(a, arn, resource_fmt, ap);
    va_end(ap);
    return text;
}
