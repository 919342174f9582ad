/* What operations share: stacks by name, texts by their address. Layer: svc/cloudformation. Thread: the call's. */
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

/* Where "s3." or "s3-" begins in a host, as a label: 0 path style, more: a bucket stands before it. */
static size_t s3_label(struct str host)
{
    for (size_t at = 0; at < host.len;) {
        struct str rest = str_sub(host, at, SIZE_MAX);
        if (str_starts(rest, STR("s3.")) || str_starts(rest, STR("s3-")))
            return at;
        size_t dot = str_find(rest, '.');
        if (dot == SIZE_MAX)
            return SIZE_MAX;
        at += dot + 1;
    }
    return SIZE_MAX;
}

enum err cfn_url_parse(struct arena *a, const struct core *core, struct str url,
                       struct str *ret_bucket, struct str *ret_key)
{
    size_t scheme = str_find_str(url, STR("://"));
    if (scheme == SIZE_MAX || (!str_eq_nocase(str_sub(url, 0, scheme), STR("http")) &&
                               !str_eq_nocase(str_sub(url, 0, scheme), STR("https"))))
        return ERR_INVALID;
    struct str path = str_sub(url, scheme + 3, SIZE_MAX);
    struct str authority = str_cut(&path, '/');
    struct str host = str_sub(authority, 0, str_find(authority, ':'));
    struct str bucket = STR_NONE;
    if (authority.len && authority.p[0] == '[') /* an IPv6 address */
        host = str_sub(authority, 0, str_find(authority, ']') + 1);
    if (!str_is_set(path) || !web_host_known(&core->cfg, authority))
        return ERR_INVALID;
    path = str_cut(&path, '?');
    size_t label = s3_label(host);
    if (label != SIZE_MAX && label > 0)
        bucket = str_sub(host, 0, label - 1);
    else
        bucket = str_cut(&path, '/');
    if (str_empty(bucket) || str_empty(path))
        return ERR_INVALID;
    *ret_bucket = bucket;
    return percent_decode(a, path, false, ret_key);
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

static enum err begin(struct call *call, struct fetched *f, struct str bucket, struct str key,
                      size_t max)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, call->arena, 64 * 1024);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("Bucket"), bucket);
    json_kv_str(&o, STR("Key"), key);
    json_close(&o, '}');
    TRY(buf_err(&b));
    return core_call(call->core,
                     &(struct core_request){
                         .service = STR("s3"),
                         .operation = STR("GetObject"),
                         .input = buf_str(&b),
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
    struct str bucket, key;
    for (struct fetched *f = call->state; f; f = f->next)
        if (str_eq(f->url, url))
            return answer(call, f, max, ret_text);
    if (str_starts(url, STR("s3://")))
        return CFN_INVALID(
            call, "S3 error: Domain name specified in " STR_FMT " is not a valid S3 domain",
            STR_ARG(url));
    enum err err = cfn_url_parse(call->arena, call->core, url, &bucket, &key);
    if (err == ERR_INVALID)
        return CFN_INVALID(call, "TemplateURL must be a supported URL.");
    TRY(err);
    struct fetched *f = ARENA_NEW(call->arena, struct fetched);
    if (!f)
        return ERR_NOMEM;
    *f = (struct fetched){.next = call->state, .call = call, .url = str_dup(call->arena, url)};
    TRY(begin(call, f, bucket, key, max));
    call->state = f;
    err = call_suspend(call, 60 * 1000, left);
    if (err != ERR_SUSPENDED) {
        core_call_cancel(f->inner);
        call->state = f->next;
    }
    return err;
}
