/* Domain of an API: its name, shared by all APIs that give the same, and which paths of it are this API's.
 * See sam_int.h. Layer: template. Thread: pure. */
#include "template/sam_int.h"

static enum err check_domain(struct sam *s, const struct json *domain)
{
    static const char *const needed[] = {"DomainName", "CertificateArn"};
    const struct json *mtls = SAM_GET(domain, "MutualTlsAuthentication"),
                      *endpoint = SAM_GET(domain, "EndpointConfiguration");
    TRY(sam_want(s, SAM_RESOURCE, domain, 'm', STR("Domain")));
    for (size_t i = 0; i < ARRAY_LEN(needed); i++)
        if (!sam_true(json_get(domain, str_c(needed[i]))))
            return sam_bad(s, "Property 'Domain.%s' is required.", needed[i]);
    if (endpoint && !sam_eq(endpoint, "EDGE") && !sam_eq(endpoint, "REGIONAL") &&
        !sam_eq(endpoint, "PRIVATE"))
        return sam_bad(
            s, "EndpointConfiguration for Custom Domains must be one of ['EDGE', 'REGIONAL', "
               "'PRIVATE'].");
    if (mtls && (!sam_map(mtls) || !mtls->child))
        return sam_bad(
            s, "MutualTlsAuthentication must be a map with at least one of the following fields "
               "['TruststoreUri', 'TruststoreVersion'].");
    JSON_EACH (mtls, it)
        if (!str_eq_c(it->key, "TruststoreUri") && !str_eq_c(it->key, "TruststoreVersion"))
            return sam_bad(s,
                           "Available Domain.MutualTlsAuthentication fields are ['TruststoreUri', "
                           "'TruststoreVersion'].");
    if (SAM_GET(domain, "AccessAssociation"))
        TRY(sam_want(s, SAM_RESOURCE, SAM_GET(domain, "AccessAssociation"), 'm',
                     STR("Domain.AccessAssociation")));
    const struct json *paths = SAM_GET(domain, "BasePath");
    size_t i = 0;
    JSON_EACH (sam_list(paths) ? paths : NULL, it)
        TRY(sam_want(s, SAM_RESOURCE, it, 's', str_fmt(s->a, "Domain.BasePath[%zu]", i++)));
    if (!SAM_GET(domain, "Route53"))
        return ERR_OK;
    TRY(sam_want(s, SAM_RESOURCE, SAM_GET(domain, "Route53"), 'm', STR("Domain.Route53")));
    return sam_refuse(s, "Domain.Route53 is not supported.");
}

static enum err domain_name(struct sam *s, const struct json *resource, const struct json *domain,
                            struct str id)
{
    const struct json *endpoint = SAM_GET(domain, "EndpointConfiguration");
    bool edge = sam_eq(endpoint, "EDGE");
    if (sam_eq(endpoint, "PRIVATE"))
        return sam_refuse(s, "Private domain names are not supported.");
    struct json *p = sam_make(
        s,
        "{'DomainName': %v, 'EndpointConfiguration': {'Types': [%v], 'IpAddressType': "
        "%v}, 'MutualTlsAuthentication': %v, 'SecurityPolicy': %v, "
        "'OwnershipVerificationCertificateArn': %v, 'EndpointAccessMode': %v}",
        SAM_GET(domain, "DomainName"), endpoint ? endpoint : sam_make(s, "'REGIONAL'"),
        SAM_GET(domain, "IpAddressType"), SAM_GET(domain, "MutualTlsAuthentication"),
        SAM_GET(domain, "SecurityPolicy"), SAM_GET(domain, "OwnershipVerificationCertificateArn"),
        SAM_GET(domain, "EndpointAccessMode"));
    sam_take(s, p, edge ? "CertificateArn" : "RegionalCertificateArn", domain, "CertificateArn");
    return sam_emit(s, id, "AWS::ApiGateway::DomainName", p, resource, false);
}

/* Letters and digits of a path, also in its name. */
static struct str alphanumeric(struct sam *s, struct str text)
{
    struct buf b;
    buf_init_arena(&b, s->a, 4096);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
            buf_add_byte(&b, c);
    }
    return buf_str(&b);
}

/* `path` NULL: the whole domain. */
static enum err mapping(struct sam *s, const struct json *resource, struct str domain,
                        struct str stage, const struct str *path, bool normalized)
{
    struct str part = path ? alphanumeric(s, *path) : STR("");
    struct json *p =
        sam_make(s, "{'DomainName': {'Ref': %s}, 'RestApiId': {'Ref': %s}, 'Stage': {'Ref': %s}}",
                 domain, resource->key, stage);
    if (path)
        sam_set(s, p, "BasePath", sam_new_str(s, normalized ? part : *path));
    return sam_emit(s, sam_cat3(s, resource->key, part, "BasePathMapping"),
                    "AWS::ApiGateway::BasePathMapping", p, resource, false);
}

static struct str domain_id(struct sam *s, const struct json *domain)
{
    const struct json *name = SAM_GET(domain, "DomainName");
    struct str hash = sam_hash(s, sam_text(name) ? name->text : sam_dump(s, name), 10);
    return sam_cat3(s, STR("ApiGatewayDomainName"), hash, "");
}

void sam_complete_domain(struct sam *s, struct json *domain)
{
    sam_set(s, domain, "ApiDomainName", sam_new_str(s, domain_id(s, domain)));
    if (sam_map(domain) && !SAM_GET(domain, "EndpointConfiguration"))
        sam_set(s, domain, "EndpointConfiguration", sam_make(s, "'REGIONAL'"));
}

enum err sam_domain(struct sam *s, const struct json *resource, struct json *domain,
                    struct str stage_id)
{
    TRY(check_domain(s, domain));
    const struct json *paths = SAM_GET(domain, "BasePath");
    struct str id = domain_id(s, domain);
    if (!sam_emitted(s, id))
        TRY(domain_name(s, resource, domain, id));
    sam_put(s, s->refs, sam_cat(s, resource->key, ".DomainName"), sam_new_str(s, id));
    const struct json *normalize = SAM_GET(domain, "NormalizeBasePath");
    if (!sam_true(paths))
        return mapping(s, resource, id, stage_id, NULL, true);
    struct json *list = sam_as_list(s, paths);
    JSON_EACH (list, it) {
        struct str path = sam_str(it);
        TRY(mapping(s, resource, id, stage_id, &path, !normalize || sam_true(normalize)));
    }
    return ERR_OK;
}
