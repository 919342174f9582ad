/* Paths, keys and redirects of websites. See s3_site.h.
 *
 * Source: S3 User Guide, "Website endpoints", "Configuring advanced conditional redirects". Layer: svc. */
#include "svc/s3/s3_site.h"

#include "codec/percent.h"

enum { MOVED = 301 };

struct str s3_site_bucket(struct str host)
{
    size_t at = str_find_str(host, STR(".s3-website"));
    if (at == SIZE_MAX || at == 0)
        return STR_NONE;
    struct str rest = str_sub(host, at + strlen(".s3-website"), host.len);
    return rest.len > 1 && (rest.p[0] == '.' || rest.p[0] == '-') ? str_n(host.p, at) : STR_NONE;
}

struct str s3_site_key(struct arena *a, const struct s3_site *site, struct str path)
{
    if (path.len > 0 && path.p[path.len - 1] != '/')
        return path;
    return str_fmt(a, STR_FMT STR_FMT, STR_ARG(path), STR_ARG(site->index));
}

static enum err move(struct arena *a, const struct s3_move *to, struct str key, struct str origin,
                     struct s3_site_move *ret_move)
{
    int64_t status = MOVED;
    struct str scheme = origin, host = origin;
    size_t at = str_find_str(origin, STR("://"));
    scheme = str_sub(origin, 0, at);
    host = str_sub(origin, at + strlen("://"), origin.len);
    if (str_is_set(to->protocol))
        scheme = to->protocol;
    if (str_is_set(to->host))
        host = to->host;
    if (str_is_set(to->code) && str_to_i64(to->code, &status) != ERR_OK)
        status = MOVED;
    struct str path = percent_encode(a, key, true);
    struct str location = str_fmt(a, STR_FMT "://" STR_FMT "/" STR_FMT, STR_ARG(scheme),
                                  STR_ARG(host), STR_ARG(path));
    if (!str_is_set(path) || !str_is_set(location))
        return ERR_NOMEM;
    *ret_move = (struct s3_site_move){(int)status, location};
    return ERR_OK;
}

enum err s3_site_move_all(struct arena *a, const struct s3_site *site, struct str key,
                          struct str origin, struct s3_site_move *ret_move)
{
    return move(a, &site->all, key, origin, ret_move);
}

static bool fits(const struct s3_site_rule *r, struct str key, int error)
{
    int64_t want = 0;
    bool of_error = str_is_set(r->error_code);
    if (of_error && (str_to_i64(r->error_code, &want) != ERR_OK || want != error))
        return false;
    if (!of_error && error != 0)
        return false;
    return !str_is_set(r->prefix) || str_starts(key, r->prefix);
}

enum err s3_site_rule_for(struct arena *a, const struct s3_site *site, struct str key, int error,
                          struct str origin, struct s3_site_move *ret_move)
{
    for (size_t i = 0; i < site->n_rules; i++) {
        const struct s3_site_rule *r = &site->rules[i];
        struct str to = key;
        if (!fits(r, key, error))
            continue;
        if (str_is_set(r->to.key))
            to = r->to.key;
        else if (str_is_set(r->to.prefix))
            to = str_fmt(a, STR_FMT STR_FMT, STR_ARG(r->to.prefix),
                         STR_ARG(str_sub(key, r->prefix.len, key.len)));
        return str_is_set(to) ? move(a, &r->to, to, origin, ret_move) : ERR_NOMEM;
    }
    return ERR_NOT_FOUND;
}
