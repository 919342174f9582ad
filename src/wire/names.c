/* Which service of AWS a request means that none of ours answers: by its target, the scope of its
 * signature, the version of its form, or its host name. Asked only once a request is lost.
 *
 * Layer: wire. Thread: pure. */
#include "base/host.h"
#include "wire/wire_int.h"

/* The part of a row that a name is looked for in. */
enum by { BY_TARGET, BY_SIGNING, BY_VERSION };

static const struct wire_aws_service *find(enum by by, struct str name)
{
    for (size_t i = 0; str_is_set(name) && name.len > 0 && i < wire_n_aws_services; i++) {
        const struct wire_aws_service *s = &wire_aws_services[i];
        struct str has = by == BY_TARGET ? s->target : by == BY_SIGNING ? s->signing : s->version;
        if (str_is_set(has) && str_eq(has, name))
            return s;
    }
    return NULL;
}

static bool starts_label(struct str host, struct str prefix)
{
    return str_starts(host, prefix) && (host.len == prefix.len || host.p[prefix.len] == '.');
}

/* "scheduler.eu-west-1.amazonaws.com", "ID.execute-api.eu-west-1.amazonaws.com". Under other names
 * the first label may be a bucket's. */
static const struct wire_aws_service *by_host(struct str host)
{
    host = host_bare(host);
    bool known = host_is_aws(host) || host_is_below(host, STR("localhost.localstack.cloud"));
    if (!known || str_find_str(host, STR(".s3.")) != SIZE_MAX ||
        str_find_str(host, STR(".s3-")) != SIZE_MAX)
        return NULL;
    struct str below = host;
    (void)str_cut(&below, '.');
    for (size_t i = 0; i < wire_n_aws_services; i++) {
        const struct wire_aws_service *s = &wire_aws_services[i];
        if (starts_label(host, s->endpoint) || starts_label(below, s->endpoint))
            return s;
    }
    return NULL;
}

const struct wire_aws_service *wire_aws_meant(const struct wire_meant *m)
{
    const struct wire_aws_service *s = find(BY_TARGET, m->target);
    if (!s)
        s = find(BY_SIGNING, m->scope);
    if (!s)
        s = find(BY_VERSION, m->version);
    return s || str_is_set(m->scope) ? s : by_host(m->host);
}

static bool is_ours(const struct wire_service *const *services, size_t n_services, struct str title)
{
    for (size_t i = 0; i < n_services; i++)
        if (str_eq(services[i]->title, title))
            return true;
    return false;
}

const struct wire_aws_service *wire_aws_beside(const struct wire_service *const *services,
                                               size_t n_services,
                                               const struct wire_service *service)
{
    for (size_t i = 0; i < wire_n_aws_services; i++) {
        const struct wire_aws_service *s = &wire_aws_services[i];
        if (str_is_set(s->signing) && str_eq(s->signing, service->signing) &&
            !is_ours(services, n_services, s->title))
            return s;
    }
    return NULL;
}
