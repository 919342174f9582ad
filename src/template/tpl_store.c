/* Dynamic references: {{resolve:ssm:name:version}}, {{resolve:ssm-secure:name:version}}; those to Secrets
 * Manager are refused, since there is none. See tpl_int.h.
 *
 * Source: the CloudFormation user guide, "Get values stored in other services using dynamic references".
 * Layer: template. Thread: pure but for the host's answers. */
#include "base/buf.h"
#include "template/tpl_int.h"

#define OPENING "{{resolve:"

enum { REFERENCES_MAX = 60 /* of one text */, TEXT_MAX = 1024 * 1024 };

static enum err malformed(struct arena *a, struct tpl_fault *fault, struct str whole)
{
    return tpl_refuse(a, fault,
                      "Incorrect format is used in the following SSM reference: [{{resolve:" STR_FMT
                      "}}]",
                      STR_ARG(whole));
}

static enum err from_store(const struct tpl_world *w, struct arena *a, struct str whole,
                           struct str rest, bool secure, struct str *ret_s, struct tpl_fault *fault)
{
    struct str value = STR_NONE, type = STR_NONE;
    int64_t version = 0;
    struct str name = str_cut(&rest, ':');
    if (!name.len || (str_is_set(rest) && (str_to_i64(rest, &version) != ERR_OK || version < 1)))
        return malformed(a, fault, whole);
    enum err err = ERR_NOT_FOUND;
    if (w->host && w->host->parameter)
        err = w->host->parameter(w->host_arg, a, name, version, secure, &value, &type, fault);
    if (err == ERR_NOT_FOUND)
        return tpl_refuse(a, fault,
                          "Unable to fetch parameters [" STR_FMT
                          "] from parameter store for this account.",
                          STR_ARG(name));
    TRY(err);
    if (str_eq(type, STR("SecureString")) != secure)
        return tpl_refuse(a, fault,
                          secure ? "Non-secure parameter used in an ssm-secure reference: [" STR_FMT
                                   "]"
                                 : "SSM Secure reference is not supported in: [" STR_FMT "]",
                          STR_ARG(name));
    *ret_s = value;
    return ERR_OK;
}

/* What stands between "{{resolve:" and "}}". */
static enum err one(const struct tpl_world *w, struct arena *a, struct str whole, struct str *ret_s,
                    struct tpl_fault *fault)
{
    struct str rest = whole, service = str_cut(&rest, ':');
    if (str_eq(service, STR("ssm")) && str_is_set(rest))
        return from_store(w, a, whole, rest, false, ret_s, fault);
    if (str_eq(service, STR("ssm-secure")) && str_is_set(rest))
        return from_store(w, a, whole, rest, true, ret_s, fault);
    if (str_eq(service, STR("secretsmanager")))
        return tpl_refuse(a, fault, "Secrets Manager can't find the specified secret.");
    return malformed(a, fault, whole);
}

enum err tpl_store_resolve(const struct tpl_world *w, struct arena *a, struct str s, bool shown,
                           struct str *ret_s, struct tpl_fault *fault)
{
    struct buf b;
    size_t at = str_find_str(s, STR(OPENING));
    *ret_s = s;
    if (at == SIZE_MAX)
        return ERR_OK;
    buf_init_arena(&b, a, TEXT_MAX);
    for (int n = 0; at != SIZE_MAX; n++, at = str_find_str(s, STR(OPENING))) {
        struct str rest = str_sub(s, at + sizeof(OPENING) - 1, SIZE_MAX), value;
        size_t end = str_find_str(rest, STR("}}"));
        if (end == SIZE_MAX)
            break;
        if (n == REFERENCES_MAX)
            return tpl_refuse(a, fault, "A value has more than %d dynamic references.",
                              REFERENCES_MAX);
        if (shown && str_starts(rest, STR("ssm-secure:")))
            value = str_sub(s, at, sizeof(OPENING) - 1 + end + 2);
        else
            TRY(one(w, a, str_sub(rest, 0, end), &value, fault));
        buf_add_str(&b, str_sub(s, 0, at));
        buf_add_str(&b, value);
        s = str_sub(rest, end + 2, SIZE_MAX);
    }
    buf_add_str(&b, s);
    if (buf_err(&b) == ERR_LIMIT)
        return tpl_refuse(a, fault, "A value with dynamic references is too long.");
    *ret_s = buf_str(&b);
    return buf_err(&b);
}
