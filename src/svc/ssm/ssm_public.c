/* Parameters that AWS gives everybody, as far as they say something of what is here: the regions, under
 * /aws/service/global-infrastructure. Others (images of machines, of containers) are not found.
 *
 * Source: Systems Manager User Guide, "Calling public parameters for AWS services, Regions, endpoints".
 * Layer: svc/ssm. Thread: pure. */
#include "svc/ssm/ssm_int.h"

#define ROOT "aws/service/global-infrastructure/"
static const struct str regions_head = STR_INIT(ROOT "regions/");
static const struct str current = STR_INIT(ROOT "current-region");

/* Sorted. */
static const struct region {
    struct str code;
    const char *name, *country;
} regions[] = {
    {STR_INIT("ap-northeast-1"), "Asia Pacific (Tokyo)", "JP"},
    {STR_INIT("ap-northeast-2"), "Asia Pacific (Seoul)", "KR"},
    {STR_INIT("ap-northeast-3"), "Asia Pacific (Osaka)", "JP"},
    {STR_INIT("ap-south-1"), "Asia Pacific (Mumbai)", "IN"},
    {STR_INIT("ap-southeast-1"), "Asia Pacific (Singapore)", "SG"},
    {STR_INIT("ap-southeast-2"), "Asia Pacific (Sydney)", "AU"},
    {STR_INIT("ca-central-1"), "Canada (Central)", "CA"},
    {STR_INIT("eu-central-1"), "Europe (Frankfurt)", "DE"},
    {STR_INIT("eu-north-1"), "Europe (Stockholm)", "SE"},
    {STR_INIT("eu-west-1"), "Europe (Ireland)", "IE"},
    {STR_INIT("eu-west-2"), "Europe (London)", "GB"},
    {STR_INIT("eu-west-3"), "Europe (Paris)", "FR"},
    {STR_INIT("sa-east-1"), "South America (Sao Paulo)", "BR"},
    {STR_INIT("us-east-1"), "US East (N. Virginia)", "US"},
    {STR_INIT("us-east-2"), "US East (Ohio)", "US"},
    {STR_INIT("us-west-1"), "US West (N. California)", "US"},
    {STR_INIT("us-west-2"), "US West (Oregon)", "US"},
};
/* What there is of each, sorted; the first is the region itself. */
static const char *const members[] = {"", "/domain", "/geolocationCountry", "/longName",
                                      "/partition"};

static struct str value_of(const struct region *r, size_t member)
{
    const char *values[ARRAY_LEN(members)] = {r->code.p, "amazonaws.com", r->country, r->name,
                                              "aws"};
    return str_c(values[member]);
}

bool ssm_path_is_public(struct str path)
{
    return str_eq_c(path, "aws/service") || str_starts(path, STR("aws/service/"));
}

enum err ssm_public_read(struct arena *a, struct str region, struct str path, struct str *ret_value)
{
    if (str_eq(path, current)) {
        *ret_value = str_dup(a, region);
        return str_is_set(*ret_value) ? ERR_OK : ERR_NOMEM;
    }
    if (!str_starts(path, regions_head))
        return ERR_NOT_FOUND;
    struct str rest = str_sub(path, regions_head.len, SIZE_MAX);
    for (size_t i = 0; i < ARRAY_LEN(regions); i++) {
        if (!str_starts(rest, regions[i].code))
            continue;
        struct str member = str_sub(rest, regions[i].code.len, SIZE_MAX);
        for (size_t k = 0; k < ARRAY_LEN(members); k++) {
            if (!str_eq_c(member, members[k]))
                continue;
            *ret_value = value_of(&regions[i], k);
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

enum err ssm_public_paths(struct arena *a, const struct str **ret_v, size_t *ret_n)
{
    size_t n = 0;
    struct str *v = ARENA_ARRAY(a, struct str, ARRAY_LEN(regions) * ARRAY_LEN(members) + 1);
    if (!v)
        return ERR_NOMEM;
    v[n++] = current;
    for (size_t i = 0; i < ARRAY_LEN(regions); i++) {
        for (size_t k = 0; k < ARRAY_LEN(members); k++) {
            v[n] = str_fmt(a, ROOT "regions/" STR_FMT "%s", STR_ARG(regions[i].code), members[k]);
            if (!str_is_set(v[n++]))
                return ERR_NOMEM;
        }
    }
    *ret_v = v;
    *ret_n = n;
    return ERR_OK;
}
