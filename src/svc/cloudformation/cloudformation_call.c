/* What operations share: stacks by name, texts by their address. Layer: svc/cloudformation. Thread: the call's. */
#include "base/host.h"
#include "codec/json.h"
#include "codec/percent.h"
#include "core/web.h"
#include "svc/cloudformation/cloudformation_int.h"

enum err cfn_need_stack(struct call *call, struct str ref, struct cfn_stack *ret)
{
    enum err err = cfn_stack_find(call->txn, call_scope(call), ref, ret);
    if (err == ERR_NOT_FOUND)
        return CFN_INVALID(call, "Stack with id " STR_FMT " does not exist", STR_ARG(ref));
    return err;
}

enum err cfn_paged(struct call *call, enum err err)
{
    return err == ERR_INVALID ? CFN_INVALID(call, "The specified NextToken is not valid.") : err;
}

/* --- addresses ---------------------------------------------------------------------------------- */

/* Where the last "s3." or "s3-" begins in a host, as a label: 0 path style, more: a bucket, which may have such a label
 * itself, stands before it. */
static size_t s3_label(struct str host)
{
    size_t found = SIZE_MAX;
    for (size_t at = 0; at < host.len;) {
        struct str rest = str_sub(host, at, SIZE_MAX);
        if (str_starts(rest, STR("s3.")) || str_starts(rest, STR("s3-")))
            found = at;
        size_t dot = str_find(rest, '.');
        if (dot == SIZE_MAX)
            break;
        at += dot + 1;
    }
    return found;
}

/* Endpoints of AWS that look like S3's and give no objects by their keys. */
static bool is_other_endpoint(struct str host, size_t label)
{
    static const char *const others[] = {"s3-website", "s3-accesspoint", "s3-object-lambda",
                                         "s3-outposts"};
    for (size_t i = 0; label != SIZE_MAX && i < ARRAY_LEN(others); i++)
        if (str_starts(str_sub(host, label, SIZE_MAX), str_c(others[i])))
            return true;
    return label == SIZE_MAX && host_is_aws(host);
}

static enum err version_of(struct arena *a, struct str query, struct str *ret)
{
    *ret = STR_NONE;
    while (str_is_set(query)) {
        struct str value = str_cut(&query, '&');
        if (str_eq(str_cut(&value, '='), STR("versionId")) && !str_empty(value))
            return percent_decode(a, value, false, ret);
    }
    return ERR_OK;
}

enum err cfn_url_parse(struct arena *a, const struct core *core, struct str url,
                       struct cfn_url *ret)
{
    size_t scheme = str_find_str(url, STR("://"));
    if (scheme == SIZE_MAX || (!str_eq_nocase(str_sub(url, 0, scheme), STR("http")) &&
                               !str_eq_nocase(str_sub(url, 0, scheme), STR("https"))))
        return ERR_INVALID;
    struct str query = str_sub(url, scheme + 3, SIZE_MAX);
    struct str path = str_cut(&query, '?');
    struct str authority = str_cut(&path, '/');
    struct str host = str_sub(authority, 0, str_find(authority, ':'));
    struct str bucket = STR_NONE;
    if (authority.len && authority.p[0] == '[') /* an IPv6 address */
        host = str_sub(authority, 0, str_find(authority, ']') + 1);
    if (!str_is_set(path) || !web_host_known(&core->cfg, authority))
        return ERR_INVALID;
    size_t label = s3_label(host);
    if (is_other_endpoint(host, label))
        return ERR_INVALID;
    if (label != SIZE_MAX && label > 0)
        bucket = str_sub(host, 0, label - 1);
    else
        bucket = str_cut(&path, '/');
    if (str_empty(bucket) || str_empty(path))
        return ERR_INVALID;
    *ret = (struct cfn_url){.bucket = bucket};
    TRY(version_of(a, query, &ret->version));
    return percent_decode(a, path, false, &ret->key);
}

enum err cfn_url_input(struct arena *a, const struct cfn_url *url, struct str *ret)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, a, 64 * 1024);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("Bucket"), url->bucket);
    json_kv_str(&o, STR("Key"), url->key);
    if (str_is_set(url->version))
        json_kv_str(&o, STR("VersionId"), url->version);
    json_close(&o, '}');
    *ret = buf_str(&b);
    return buf_err(&b);
}

/* --- texts of others ---------------------------------------------------------------------------- */

/* One that a call waits for, or has. Lifetime: the call. */
struct fetched {
    struct fetched *next;
    struct call *call;
    struct core_inner *inner; /* on its way; NULL: it came */
    struct str url, text;
    enum err err;
    struct str message;
};

static void came(void *arg, const struct core_result *r)
{
    struct fetched *f = arg;
    f->inner = NULL;
    f->err = r->err;
    if (r->err == ERR_OK)
        f->text = str_dup(f->call->arena, r->body.p ? r->body : STR(""));
    else
        f->message = str_dup(f->call->arena, r->message);
    call_wake(f->call);
}

static void left(struct call *call)
{
    for (struct fetched *f = call->state; f; f = f->next)
        if (f->inner) {
            core_call_cancel(f->inner);
            f->inner = NULL;
        }
}

static enum err answer(struct call *call, const struct fetched *f, size_t max, struct str *ret)
{
    if (f->inner)
        return call_suspend(call, 60 * 1000, left);
    if (f->err == ERR_LIMIT || (f->err == ERR_OK && f->text.len > max))
        return CFN_INVALID(call, "Template may not exceed %zu bytes in size.", max);
    if (f->err == ERR_FAILED)
        return CFN_INVALID(call,
                           "S3 error: " STR_FMT "\nFor more information check "
                           "http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
                           STR_ARG(f->message));
    TRY(f->err);
    *ret = f->text;
    return str_is_set(f->text) ? ERR_OK : ERR_NOMEM;
}

static enum err begin(struct call *call, struct fetched *f, const struct cfn_url *url, size_t max)
{
    struct str input;
    TRY(cfn_url_input(call->arena, url, &input));
    return core_call(call->core,
                     &(struct core_request){
                         .service = STR("s3"),
                         .operation = STR("GetObject"),
                         .input = input,
                         .who = call->who,
                         .via = STR(CFN_PRINCIPAL),
                         .region = call->region,
                         .from = call,
                         .output_max = max,
                     },
                     came, f, &f->inner);
}

enum err cfn_fetch(struct call *call, struct str url, size_t max, struct str *ret_text)
{
    struct cfn_url at;
    for (struct fetched *f = call->state; f; f = f->next)
        if (str_eq(f->url, url))
            return answer(call, f, max, ret_text);
    if (str_starts(url, STR("s3://")))
        return CFN_INVALID(
            call, "S3 error: Domain name specified in " STR_FMT " is not a valid S3 domain",
            STR_ARG(url));
    enum err err = cfn_url_parse(call->arena, call->core, url, &at);
    if (err == ERR_INVALID)
        return CFN_INVALID(call, "TemplateURL must be a supported URL.");
    TRY(err);
    struct fetched *f = ARENA_NEW(call->arena, struct fetched);
    if (!f)
        return ERR_NOMEM;
    *f = (struct fetched){.next = call->state, .call = call, .url = str_dup(call->arena, url)};
    TRY(begin(call, f, &at, max));
    call->state = f;
    err = call_suspend(call, 60 * 1000, left);
    if (err != ERR_SUSPENDED) {
        core_call_cancel(f->inner);
        call->state = f->next;
    }
    return err;
}
