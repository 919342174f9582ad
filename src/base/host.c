#include "base/host.h"

struct str host_bare(struct str host)
{
    if (str_starts(host, STR("["))) {
        size_t end = str_find(host, ']');
        return end == SIZE_MAX ? host : str_sub(host, 1, end - 1);
    }
    size_t colon = str_rfind(host, ':');
    if (colon != SIZE_MAX)
        host.len = colon;
    if (host.len > 1 && host.p[host.len - 1] == '.')
        host.len--;
    return host;
}

bool host_is_below(struct str host, struct str domain)
{
    if (domain.len == 0 || host.len < domain.len ||
        !str_eq_nocase(str_sub(host, host.len - domain.len, SIZE_MAX), domain))
        return false;
    return host.len == domain.len || host.p[host.len - domain.len - 1] == '.';
}

/* Endpoints of services: the plain ones and, below them, dual-stack and FIPS forms, queues' old ones
 * (REGION.queue.amazonaws.com), buckets and APIs as hosts; dual-stack domains; function URLs; Cognito's
 * own pages. AWS General Reference, "Service endpoints and quotas". */
static const char *const aws_domains[] = {
    "amazonaws.com",    "amazonaws.com.cn",
    "amazonaws.eu",     "api.aws",
    "on.aws",           "api.amazonwebservices.com.cn",
    "aws.dev",          "amazoncognito.com",
    "amazoncognito.eu",
};

const char *host_aws_domain(size_t i)
{
    return i < ARRAY_LEN(aws_domains) ? aws_domains[i] : NULL;
}

bool host_is_aws(struct str host)
{
    for (size_t i = 0; i < ARRAY_LEN(aws_domains); i++)
        if (host_is_below(host, str_c(aws_domains[i])))
            return true;
    return false;
}
