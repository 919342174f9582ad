/* CreateDomainName, GetDomainName, GetDomainNames, UpdateDomainName, DeleteDomainName, and the base path
 * mappings of a domain. Certificates are names only: TLS is Weir's own authority's.
 * Layer: svc/apigateway. Source: API Gateway API Reference, "DomainName", "BasePathMapping". */
#include "svc/apigateway/op_domain_int.h"

/* Of the zones that AWS's names are in; us-east-1's for every region. */
#define EDGE_ZONE "Z2FDTNDATAQYW2"
#define REGIONAL_ZONE "Z1UJRXOUMOOFQ8"

enum { DOMAIN_NAME_MAX = 253, ALIAS_LEN = 10 };

static struct str arn_of(struct call *call, struct str name)
{
    return apigateway_arn(call, "/domainnames/" STR_FMT, STR_ARG(name));
}

/* --- records ------------------------------------------------------------------------------------ */

static struct str record_key(struct call *call, struct str name)
{
    return key_make(call->arena, &usage_k_domain, name);
}

static struct str own_key(struct call *call, struct str name)
{
    return key_make(call->arena, &usage_k_domain_of, call_scope(call), name);
}

enum err domain_need(struct call *call, struct str name, struct str id, struct domain_rec *ret,
                     struct json **ret_doc)
{
    struct str record;
    if (str_is_set(id))
        return APIGATEWAY_BAD(call, "domainNameId is of private domain names, which are not "
                                    "supported by Weir.");
    enum err err = txn_get(call->txn, record_key(call, name), &record);
    if (err == ERR_OK)
        err = record_unpack(&domain_type, call->arena, record, ret);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && (!str_eq(ret->account, call->account) ||
                                                   !str_eq(ret->region, call->region))))
        return APIGATEWAY_ABSENT(call, "Invalid domain name identifier specified");
    TRY(err);
    err = json_parse(call->arena, ret->json, ret_doc, NULL);
    return err == ERR_INVALID ? ERR_CORRUPT : err;
}

enum err domain_store(struct call *call, struct domain_rec *rec, const struct json *doc)
{
    struct buf b;
    struct str record;
    buf_init_arena(&b, call->arena, APIGATEWAY_DOCUMENT_BYTES_MAX);
    json_put(&b, doc);
    TRY(buf_err(&b));
    rec->json = buf_str(&b);
    TRY(record_make(&domain_type, call->arena, rec, &record));
    TRY(txn_put(call->txn, own_key(call, rec->name), STR("")));
    return catalogue_put(apigateway_of(call)->domains, call->txn, record_key(call, rec->name),
                         record);
}

static enum err show(struct call *call, struct json *doc, void *out)
{
    TRY(apigateway_show_tags(call, doc, arn_of(call, json_get_str(doc, STR("domainName")))));
    return apigateway_show(call, doc, out);
}

/* --- domains ------------------------------------------------------------------------------------ */

static bool is_domain(struct str name)
{
    bool dot = false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        bool edge = i == 0 || i + 1 == name.len || name.p[i - 1] == '.';
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && (edge || (c != '-' && c != '.')))
            return false;
        dot |= c == '.';
    }
    return dot && name.len <= DOMAIN_NAME_MAX;
}

static enum err check(struct call *call, const struct apigateway_create_domain_name_input *in)
{
    if (!is_domain(in->domain_name))
        return APIGATEWAY_BAD(call, "The domain name to be provided is invalid: it must be a name "
                                    "of lower-case labels; wildcards are not supported by Weir.");
    if (in->mutual_tls_authentication)
        return APIGATEWAY_BAD(call, "Mutual TLS authentication is not supported by Weir.");
    if (str_is_set(in->certificate_body) || str_is_set(in->certificate_private_key) ||
        str_is_set(in->certificate_chain))
        return APIGATEWAY_BAD(call, "Certificates cannot be uploaded to Weir: TLS is its own "
                                    "authority's.");
    if (str_is_set(in->ownership_verification_certificate_arn))
        return APIGATEWAY_BAD(call, "Ownership verification certificates are not supported by "
                                    "Weir.");
    if (str_is_set(in->policy))
        return APIGATEWAY_BAD(call, "Policies of domain names are not supported by Weir.");
    if (str_is_set(in->routing_mode) && !str_eq_c(in->routing_mode, "BASE_PATH_MAPPING_ONLY"))
        return APIGATEWAY_BAD(call, "Routing rules are not supported by Weir.");
    if (str_eq_c(in->endpoint_access_mode, "STRICT"))
        return APIGATEWAY_BAD(call, "Endpoint access mode STRICT is not supported by Weir.");
    return ERR_OK;
}

static bool is_regional(const struct json *doc)
{
    const struct json *types = json_get(json_get(doc, STR("endpointConfiguration")), STR("types"));
    return types && json_index_of(types, STR("REGIONAL")) != SIZE_MAX;
}

/* Where DNS should point to: names of AWS's form, which lead nowhere by themselves. */
static enum err add_alias(struct call *call, struct json *doc)
{
    struct str id = apigateway_id(call->arena, ALIAS_LEN);
    if (!str_is_set(id))
        return ERR_NOMEM;
    if (is_regional(doc)) {
        TRY(keys_set(call, doc, "regionalDomainName",
                     str_fmt(call->arena, "d-" STR_FMT ".execute-api." STR_FMT ".amazonaws.com",
                             STR_ARG(id), STR_ARG(call->region))));
        return keys_set(call, doc, "regionalHostedZoneId", STR(REGIONAL_ZONE));
    }
    TRY(keys_set(call, doc, "distributionDomainName",
                 str_fmt(call->arena, "d" STR_FMT ".cloudfront.net", STR_ARG(id))));
    return keys_set(call, doc, "distributionHostedZoneId", STR(EDGE_ZONE));
}

static enum err add_endpoint(struct call *call, struct json *doc)
{
    struct json *conf = json_at(doc, STR("endpointConfiguration")), *types;
    if (!conf) {
        conf = json_new(call->arena, JSON_OBJECT);
        TRY(json_set(doc, STR("endpointConfiguration"), conf));
    }
    if (json_get(conf, STR("vpcEndpointIds")))
        return APIGATEWAY_BAD(call, "VPC endpoints are not supported by Weir.");
    types = json_at(conf, STR("types"));
    if (types && json_index_of(types, STR("PRIVATE")) != SIZE_MAX)
        return APIGATEWAY_BAD(call, "Endpoint type PRIVATE is not supported by Weir.");
    if (!types) {
        types = json_new(call->arena, JSON_ARRAY);
        TRY(json_set(conf, STR("types"), types));
        TRY(json_push(types, json_new_str(call->arena, STR("EDGE"))));
    }
    struct str ip = json_get_str(conf, STR("ipAddressType"));
    if (str_is_set(ip) && !str_eq_c(ip, "ipv4"))
        return APIGATEWAY_BAD(call, "IP address type dualstack is not supported by Weir.");
    return str_is_set(ip) ? ERR_OK : keys_set(call, conf, "ipAddressType", STR("ipv4"));
}

enum err apigateway_create_domain_name(struct call *call,
                                       const struct apigateway_create_domain_name_input *in,
                                       struct apigateway_create_domain_name_output *out)
{
    struct domain_rec rec = {in->domain_name, call->account, call->region, STR_NONE, NULL, 0};
    struct json *doc;
    struct str old;
    TRY(check(call, in));
    enum err err = txn_get(call->txn, record_key(call, in->domain_name), &old);
    if (err == ERR_OK)
        return APIGATEWAY_BAD(call, "The domain name you provided already exists.");
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(apigateway_doc_asked(call, in, &doc));
    (void)json_unset(doc, STR("tags"));
    TRY(add_endpoint(call, doc));
    TRY(add_alias(call, doc));
    TRY(keys_set(call, doc, "domainNameArn", arn_of(call, in->domain_name)));
    TRY(keys_set(call, doc, "domainNameStatus", STR("AVAILABLE")));
    TRY(keys_set(call, doc, "routingMode", STR("BASE_PATH_MAPPING_ONLY")));
    if (!json_get(doc, STR("securityPolicy")))
        TRY(keys_set(call, doc, "securityPolicy", STR("TLS_1_2")));
    if (str_is_set(in->certificate_arn))
        TRY(json_set(doc, STR("certificateUploadDate"), apigateway_time(call->txn)));
    TRY(domain_store(call, &rec, doc));
    struct tags_resource resource = {.arn = arn_of(call, in->domain_name)};
    TRY(tags_op_create(call, &apigateway_tags, &resource, TAGS_FROM(in->tags)));
    return show(call, doc, out);
}

enum err apigateway_get_domain_name(struct call *call,
                                    const struct apigateway_get_domain_name_input *in,
                                    struct apigateway_get_domain_name_output *out)
{
    struct domain_rec rec;
    struct json *doc;
    TRY(domain_need(call, in->domain_name, in->domain_name_id, &rec, &doc));
    return show(call, doc, out);
}

struct listing {
    struct call *call;
    struct json *items;
};

static enum err take(void *arg, struct str key, struct str val)
{
    struct listing *l = arg;
    struct domain_rec rec;
    struct json *doc;
    struct str name;
    TRY(key_read(&usage_k_domain_of, key, l->call->arena, KEY_SKIP, &name));
    TRY(domain_need(l->call, name, STR_NONE, &rec, &doc));
    TRY(apigateway_show_tags(l->call, doc, arn_of(l->call, name)));
    return json_push(l->items, doc);
}

enum err apigateway_get_domain_names(struct call *call,
                                     const struct apigateway_get_domain_names_input *in,
                                     struct apigateway_get_domain_names_output *out)
{
    static const struct page_fns fns = {NULL, take};
    struct listing l = {call, json_new(call->arena, JSON_ARRAY)};
    struct page page;
    if (str_eq_c(in->resource_owner, "OTHER_ACCOUNTS")) { /* none of which shares any */
        page = (struct page){0};
        return keys_show_page(call, l.items, &page, out);
    }
    TRY(keys_page(call, STR("domains"), in->position, in->has_limit, in->limit, &page));
    TRY(keys_scan(call, &page, key_range(call->arena, &usage_k_domain_of, call_scope(call)), &fns,
                  &l));
    return keys_show_page(call, l.items, &page, out);
}

/* Another type of endpoint is another address. */
static enum err renew_alias(struct call *call, struct json *doc)
{
    static const char *const old[] = {"regionalDomainName", "regionalHostedZoneId",
                                      "distributionDomainName", "distributionHostedZoneId"};
    for (size_t i = 0; i < ARRAY_LEN(old); i++)
        (void)json_unset(doc, str_c(old[i]));
    return add_alias(call, doc);
}

enum err apigateway_update_domain_name(struct call *call,
                                       const struct apigateway_update_domain_name_input *in,
                                       struct apigateway_update_domain_name_output *out)
{
    static const struct apigateway_patch_row rules[] = {
        {"/certificateArn", APIGATEWAY_ADD | APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
        {"/certificateName", APIGATEWAY_ADD | APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
        {"/regionalCertificateArn", APIGATEWAY_ADD | APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
        {"/regionalCertificateName", APIGATEWAY_ADD | APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
        {"/securityPolicy", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, "TLS_1_0 TLS_1_2"},
        {"/endpointConfiguration/ipAddressType", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, "ipv4"},
        {"/endpointConfiguration/types/[type]", APIGATEWAY_REPLACE, APIGATEWAY_TEXT,
         "EDGE REGIONAL"},
    };
    static const struct apigateway_patch_table table = APIGATEWAY_PATCH_TABLE(rules);
    struct domain_rec rec;
    struct json *doc;
    TRY(domain_need(call, in->domain_name, in->domain_name_id, &rec, &doc));
    bool was_regional = is_regional(doc);
    TRY(apigateway_patch(call, &table, in->patch_operations, doc));
    if (is_regional(doc) != was_regional)
        TRY(renew_alias(call, doc));
    TRY(domain_store(call, &rec, doc));
    return show(call, doc, out);
}

enum err apigateway_delete_domain_name(struct call *call,
                                       const struct apigateway_delete_domain_name_input *in,
                                       struct apigateway_delete_domain_name_output *out)
{
    struct domain_rec rec;
    struct json *doc;
    TRY(domain_need(call, in->domain_name, in->domain_name_id, &rec, &doc));
    TRY(tags_drop(call->txn, arn_of(call, rec.name)));
    TRY(txn_del(call->txn, own_key(call, rec.name)));
    return catalogue_del(apigateway_of(call)->domains, call->txn, record_key(call, rec.name));
}
