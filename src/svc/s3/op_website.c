/* Put-, Get- and DeleteBucketWebsite. Layer: svc.
 *
 * Source: S3 API Reference, "PutBucketWebsite", "RoutingRule". */
#include "svc/s3/s3_int.h"

static enum err bad(struct call *call, const char *name, const char *message)
{
    TRY(call_error_detail(call, "ArgumentName", str_c(name)));
    return call_error(call, &s3_err_invalid_argument, "%s", message);
}

static enum err invalid(struct call *call, const char *message)
{
    return call_error(call, &s3_err_invalid_request, "%s", message);
}

static enum err check_protocol(struct call *call, struct str protocol)
{
    if (!str_is_set(protocol) || str_eq_c(protocol, "http") || str_eq_c(protocol, "https"))
        return ERR_OK;
    return invalid(call, "Invalid protocol, protocol can be http or https. If not defined the "
                         "protocol will be selected automatically.");
}

/* --- rules ------------------------------------------------------------------------------------ */

static enum err check_codes(struct call *call, const struct s3_site_rule *r)
{
    int64_t code;
    if (str_is_set(r->error_code) &&
        (str_to_i64(r->error_code, &code) != ERR_OK || code < 400 || code > 599))
        return call_error(call, &s3_err_invalid_request,
                          "The provided HTTP error code (" STR_FMT
                          ") is not valid. Valid codes are 4XX or 5XX.",
                          STR_ARG(r->error_code));
    if (str_is_set(r->to.code) &&
        (str_to_i64(r->to.code, &code) != ERR_OK || code <= 300 || code > 399))
        return call_error(call, &s3_err_invalid_request,
                          "The provided HTTP redirect code (" STR_FMT
                          ") is not valid. Valid codes are 3XX except 300.",
                          STR_ARG(r->to.code));
    return ERR_OK;
}

static enum err take_rule(struct call *call, const struct s3_routing_rule *in,
                          struct s3_site_rule *r)
{
    const struct s3_condition *c = in->condition;
    *r = (struct s3_site_rule){.prefix = c ? c->key_prefix_equals : STR_NONE,
                               .error_code = c ? c->http_error_code_returned_equals : STR_NONE};
    if (c && !str_is_set(r->prefix) && !str_is_set(r->error_code))
        return invalid(call, "Condition cannot be empty. To redirect all requests without a "
                             "condition, the condition element shouldn't be present.");
    r->to = (struct s3_move){.host = in->redirect->host_name,
                             .protocol = in->redirect->protocol,
                             .code = in->redirect->http_redirect_code,
                             .prefix = in->redirect->replace_key_prefix_with,
                             .key = in->redirect->replace_key_with};
    if (!str_is_set(r->to.host) && !str_is_set(r->to.protocol) && !str_is_set(r->to.code) &&
        !str_is_set(r->to.prefix) && !str_is_set(r->to.key))
        return call_error(call, &s3_err_malformed_xml,
                          "The XML you provided was not well-formed or did not validate against "
                          "our published schema");
    if (str_is_set(r->to.prefix) && str_is_set(r->to.key))
        return invalid(call, "You can only define ReplaceKeyPrefix or ReplaceKey but not both.");
    TRY(check_protocol(call, r->to.protocol));
    return check_codes(call, r);
}

static enum err take_rules(struct call *call, const struct s3_routing_rules *in,
                           struct s3_site *site)
{
    if (in->n > S3_SITE_RULES_MAX)
        return invalid(call, "The number of routing rules must not exceed the allowed limit of 50 "
                             "routing rules.");
    site->rules = ARENA_ARRAY(call->arena, struct s3_site_rule, in->n);
    site->n_rules = in->n;
    if (!site->rules)
        return ERR_NOMEM;
    for (size_t i = 0; i < in->n; i++)
        TRY(take_rule(call, &in->v[i], &site->rules[i]));
    return ERR_OK;
}

/* --- the whole -------------------------------------------------------------------------------- */

static enum err take_all(struct call *call, const struct s3_website_configuration *c,
                         struct s3_site *site)
{
    if (c->index_document || c->error_document || c->routing_rules.n > 0)
        return bad(call, "RedirectAllRequestsTo",
                   "RedirectAllRequestsTo cannot be provided in conjunction with other Routing "
                   "Rules.");
    site->all = (struct s3_move){.host = c->redirect_all_requests_to->host_name,
                                 .protocol = c->redirect_all_requests_to->protocol};
    return check_protocol(call, site->all.protocol);
}

static enum err take(struct call *call, const struct s3_website_configuration *c,
                     struct s3_site *site)
{
    *site = (struct s3_site){0};
    if (c->redirect_all_requests_to)
        return take_all(call, c, site);
    if (!c->index_document)
        return bad(call, "IndexDocument",
                   "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is "
                   "empty");
    site->index = c->index_document->suffix;
    if (site->index.len == 0 || str_find(site->index, '/') != SIZE_MAX)
        return bad(call, "IndexDocument", "The IndexDocument Suffix is not well formed");
    if (c->error_document) {
        site->error = c->error_document->key;
        if (site->error.len == 0)
            return call_error(
                call, &s3_err_malformed_xml,
                "The XML you provided was not well-formed or did not validate against "
                "our published schema");
    }
    return take_rules(call, &c->routing_rules, site);
}

enum err s3_put_bucket_website(struct call *call, const struct s3_put_bucket_website_input *in,
                               struct s3_put_bucket_website_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_verify_body(call, in->content_md5));
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    TRY(take(call, in->website_configuration, &b.rec.site));
    b.rec.flags |= S3_HAS_SITE;
    return s3_bucket_put(call->svc, call->txn, &b);
}

enum err s3_delete_bucket_website(struct call *call,
                                  const struct s3_delete_bucket_website_input *in,
                                  struct s3_delete_bucket_website_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    b.rec.site = (struct s3_site){0};
    b.rec.flags &= ~(uint64_t)S3_HAS_SITE;
    return s3_bucket_put(call->svc, call->txn, &b);
}

/* --- showing ---------------------------------------------------------------------------------- */

static enum err show_rule(struct call *call, const struct s3_site_rule *r,
                          struct s3_routing_rule *out)
{
    struct s3_redirect *to = ARENA_NEW(call->arena, struct s3_redirect);
    struct s3_condition *c = ARENA_NEW(call->arena, struct s3_condition);
    if (!to || !c)
        return ERR_NOMEM;
    *to = (struct s3_redirect){.host_name = r->to.host,
                               .http_redirect_code = r->to.code,
                               .protocol = r->to.protocol,
                               .replace_key_prefix_with = r->to.prefix,
                               .replace_key_with = r->to.key};
    *c = (struct s3_condition){.http_error_code_returned_equals = r->error_code,
                               .key_prefix_equals = r->prefix};
    out->redirect = to;
    out->condition = str_is_set(r->prefix) || str_is_set(r->error_code) ? c : NULL;
    return ERR_OK;
}

static enum err show(struct call *call, const struct s3_site *site,
                     struct s3_get_bucket_website_output *out)
{
    struct s3_index_document *index = ARENA_NEW(call->arena, struct s3_index_document);
    struct s3_error_document *error = ARENA_NEW(call->arena, struct s3_error_document);
    struct s3_redirect_all_requests_to *all =
        ARENA_NEW(call->arena, struct s3_redirect_all_requests_to);
    struct s3_routing_rule *rules = ARENA_ARRAY(call->arena, struct s3_routing_rule, site->n_rules);
    if (!index || !error || !all || !rules)
        return ERR_NOMEM;
    index->suffix = site->index;
    error->key = site->error;
    *all = (struct s3_redirect_all_requests_to){site->all.host, site->all.protocol};
    for (size_t i = 0; i < site->n_rules; i++)
        TRY(show_rule(call, &site->rules[i], &rules[i]));
    out->redirect_all_requests_to = str_is_set(site->all.host) ? all : NULL;
    out->index_document = str_is_set(site->index) ? index : NULL;
    out->error_document = str_is_set(site->error) ? error : NULL;
    if (site->n_rules > 0)
        out->routing_rules = (struct s3_routing_rules){rules, site->n_rules};
    return ERR_OK;
}

enum err s3_get_bucket_website(struct call *call, const struct s3_get_bucket_website_input *in,
                               struct s3_get_bucket_website_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    if (b.rec.flags & S3_HAS_SITE)
        return show(call, &b.rec.site, out);
    TRY(call_error_detail(call, "BucketName", in->bucket));
    return call_error(call, &s3_err_no_such_website_configuration,
                      "The specified bucket does not have a website configuration");
}
