/* Serves buckets as static websites, under their own host names: index and error documents, redirects by
 * rules and by objects. The claim takes what comes to such a host before AWS's routing does; everybody is
 * anonymous there, so that policies and lists say what is public.
 *
 * Source: S3 User Guide, "Hosting a static website using Amazon S3". Layer: svc. Thread: the call's loop. */
#include "svc/s3/s3_site.h"

#include "base/clock.h"
#include "codec/percent.h"
#include "core/claim.h"
#include "svc/s3/s3_int.h"

enum { PAGE_MAX = 16 * 1024, MOVED = 301, FOUND = 302 };

/* One request to a site. */
struct visit {
    struct call *call;
    struct str bucket, path, origin; /* path decoded, without its first slash */
    const struct s3_bucket_rec *rec;
};

static struct str bare_host(const struct wire_request *head)
{
    struct str host = wire_header_get(head, STR("host"));
    return str_cut(&host, ':');
}

static bool is_site(void *self, const struct wire_request *head)
{
    (void)self;
    return str_is_set(s3_site_bucket(bare_host(head)));
}

/* --- pages of Weir's own ---------------------------------------------------------------------- */

static void put_text(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (c == '<')
            BUF_ADD_LIT(b, "&lt;");
        else if (c == '&')
            BUF_ADD_LIT(b, "&amp;");
        else
            buf_add_byte(b, c);
    }
}

/* What a page tells; details where they are set. */
struct page {
    int status;
    const char *reason;
    struct str code, message;
    struct {
        const char *name;
        struct str value;
    } details[2];
    struct str
        no_document; /* key of the error document that could not be given either; absent: none */
};

static void put_item(struct buf *b, const char *name, struct str value)
{
    buf_add_fmt(b, "<li>%s: ", name);
    put_text(b, value);
    BUF_ADD_LIT(b, "</li>\n");
}

static enum err html(struct visit *v, const struct page *p)
{
    struct call *call = v->call;
    struct buf b;
    buf_init_arena(&b, call->arena, PAGE_MAX);
    buf_add_fmt(&b, "<html>\n<head><title>%d %s</title></head>\n<body>\n<h1>%d %s</h1>\n<ul>\n",
                p->status, p->reason, p->status, p->reason);
    put_item(&b, "Code", p->code);
    put_item(&b, "Message", p->message);
    for (size_t i = 0; i < ARRAY_LEN(p->details); i++)
        if (p->details[i].name)
            put_item(&b, p->details[i].name, p->details[i].value);
    put_item(&b, "RequestId", call->request_id);
    put_item(&b, "HostId", call->core->cfg.host_id);
    BUF_ADD_LIT(&b, "</ul>\n");
    if (str_is_set(p->no_document)) {
        BUF_ADD_LIT(&b, "<h3>An Error Occurred While Attempting to Retrieve a Custom Error "
                        "Document</h3>\n<ul>\n");
        put_item(&b, "Code", p->code);
        put_item(&b, "Message", p->message);
        if (str_eq_c(p->code, "NoSuchKey"))
            put_item(&b, "Key", p->no_document);
        BUF_ADD_LIT(&b, "</ul>\n");
    }
    BUF_ADD_LIT(&b, "<hr/>\n</body>\n</html>\n");
    TRY(buf_err(&b));
    TRY(call_reply_header(call, STR("x-amz-error-code"), p->code));
    TRY(call_reply_header(call, STR("x-amz-error-message"), p->message));
    call_reply_status(call, p->status);
    call_reply_raw(call, STR("text/html; charset=utf-8"), buf_str(&b));
    return ERR_OK;
}

static enum err go_to(struct visit *v, int status, struct str location)
{
    TRY(call_reply_header(v->call, STR("Location"), location));
    call_reply_status(v->call, status);
    call_reply_raw(v->call, STR_NONE, STR(""));
    return ERR_OK;
}

/* --- objects ---------------------------------------------------------------------------------- */

static enum err put_headers(struct call *call, const struct s3_get_object_output *out)
{
    char date[CLOCK_TEXT_MAX];
    const struct {
        const char *name;
        struct str value;
    } headers[] = {
        {"Accept-Ranges", out->accept_ranges},
        {"Cache-Control", out->cache_control},
        {"Content-Disposition", out->content_disposition},
        {"Content-Encoding", out->content_encoding},
        {"Content-Language", out->content_language},
        {"Content-Range", out->content_range},
        {"ETag", out->e_tag},
        {"Expires", out->expires},
        {"x-amz-version-id", out->version_id},
    };
    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        if (str_is_set(headers[i].value))
            TRY(call_reply_header(call, str_c(headers[i].name), headers[i].value));
    for (size_t i = 0; i < out->metadata.n; i++) {
        struct str name =
            str_fmt(call->arena, "x-amz-meta-" STR_FMT, STR_ARG(out->metadata.v[i].key));
        TRY(call_reply_header(call, name, out->metadata.v[i].value));
    }
    return call_reply_header(call, STR("Last-Modified"), clock_http(date, out->last_modified));
}

/* Whether everybody may read the key, and it is there: without saying so. */
static enum err is_there(struct visit *v, struct str key, bool *ret_there)
{
    struct s3_object_rec rec;
    struct s3_bucket_ref b = {v->bucket, *v->rec};
    enum err err = call_authorize(v->call, "s3:GetObject", s3_arn(v->call, v->bucket, key));
    if (!err)
        err = s3_find_for_read(v->call, &b, key, STR_NONE, &rec, NULL);
    *ret_there = err == ERR_OK;
    if (err != ERR_FAILED)
        return err;
    call_error_clear(v->call);
    return ERR_OK;
}

static void read_conditions(struct call *call, struct s3_get_object_input *in)
{
    struct str since = wire_header_get(call->request, STR("if-modified-since"));
    in->if_match = wire_header_get(call->request, STR("if-match"));
    in->if_none_match = wire_header_get(call->request, STR("if-none-match"));
    in->range = wire_header_get(call->request, STR("range"));
    if (str_is_set(since) && clock_parse_http(since, &in->if_modified_since) == ERR_OK)
        in->has_if_modified_since = true;
}

/* The object as the answer, or ERR_FAILED with the error set. `status` 0: the object's own. */
static enum err give(struct visit *v, struct str key, int status)
{
    struct call *call = v->call;
    struct s3_get_object_input in = {.bucket = v->bucket, .key = key};
    struct s3_get_object_output out = {0};
    struct s3_bucket_ref b = {v->bucket, *v->rec};
    struct s3_object_rec rec;
    TRY(call_authorize(call, "s3:GetObject", s3_arn(call, v->bucket, key)));
    TRY(s3_find_for_read(call, &b, key, STR_NONE, &rec, NULL));
    if (str_is_set(rec.attrs.website_redirect) && !status)
        return go_to(v, MOVED, rec.attrs.website_redirect);
    if (!status)
        read_conditions(call, &in);
    TRY(s3_get_object(call, &in, &out));
    if (status)
        call_reply_status(call, status);
    return put_headers(call, &out);
}

/* --- what is not there ------------------------------------------------------------------------- */

static enum err give_error(struct visit *v, int status, struct str code)
{
    struct s3_site_move move;
    bool forbidden = status == 403, there = false;
    enum err err =
        s3_site_rule_for(v->call->arena, &v->rec->site, v->path, status, v->origin, &move);
    if (!err)
        return go_to(v, move.status, move.location);
    if (err != ERR_NOT_FOUND)
        return err;
    if (str_is_set(v->rec->site.error))
        TRY(is_there(v, v->rec->site.error, &there));
    if (there)
        return give(v, v->rec->site.error, status);
    struct page page = {.status = status,
                        .reason = forbidden ? "Forbidden" : "Not Found",
                        .code = code,
                        .message = forbidden ? STR("Access Denied")
                                             : STR("The specified key does not exist."),
                        .no_document = v->rec->site.error};
    if (!forbidden) {
        page.details[0].name = "Key";
        page.details[0].value = v->path;
    }
    return html(v, &page);
}

/* A condition or a range that did not hold. */
static enum err give_refused(struct visit *v, struct str code)
{
    struct page page = {.code = code, .message = call_error_message(v->call)};
    if (str_eq_c(code, "PreconditionFailed")) {
        page.status = 412;
        page.reason = "Precondition Failed";
    } else if (str_eq_c(code, "InvalidRange")) {
        page.status = 416;
        page.reason = "Requested Range Not Satisfiable";
    } else {
        return ERR_FAILED; /* that nothing was modified has no page */
    }
    call_error_clear(v->call);
    return html(v, &page);
}

static enum err go_to_folder(struct visit *v, struct str folder)
{
    struct str location =
        str_fmt(v->call->arena, "/" STR_FMT, STR_ARG(percent_encode(v->call->arena, folder, true)));
    if (!str_is_set(location))
        return ERR_NOMEM;
    TRY(call_reply_header(v->call, STR("Location"), location));
    return html(v, &(struct page){.status = FOUND,
                                  .reason = "Found",
                                  .code = STR("Found"),
                                  .message = STR("Resource Found")});
}

static enum err give_failed(struct visit *v)
{
    struct call *call = v->call;
    struct str code = call_error_code(call), folder;
    bool there = false;
    if (!str_eq_c(code, "NoSuchKey") && !str_eq_c(code, "AccessDenied"))
        return give_refused(v, code);
    call_error_clear(call);
    if (v->path.len > 0 && v->path.p[v->path.len - 1] != '/') { /* a folder without its slash */
        folder = str_fmt(call->arena, STR_FMT "/", STR_ARG(v->path));
        if (!str_is_set(folder))
            return ERR_NOMEM;
        TRY(is_there(v, s3_site_key(call->arena, &v->rec->site, folder), &there));
        if (there)
            return go_to_folder(v, folder);
    }
    return give_error(v, str_eq_c(code, "NoSuchKey") ? 404 : 403, code);
}

/* --- the claim -------------------------------------------------------------------------------- */

static enum err open_visit(struct call *call, struct visit *v)
{
    struct str path = str_sub(call->request->path, 1, call->request->path.len);
    struct str host = wire_header_get(call->request, STR("host"));
    *v = (struct visit){.call = call, .bucket = s3_site_bucket(bare_host(call->request))};
    v->bucket = str_lower(call->arena, v->bucket);
    v->origin =
        str_fmt(call->arena, "%s://" STR_FMT, call->request->tls ? "https" : "http", STR_ARG(host));
    enum err err = percent_decode(call->arena, path, false, &v->path);
    if (err == ERR_INVALID)
        v->path = path;
    else
        TRY(err);
    return str_is_set(v->origin) && str_is_set(v->bucket) ? ERR_OK : ERR_NOMEM;
}

static enum err serve_site(struct visit *v)
{
    struct call *call = v->call;
    const struct s3_site *site = &v->rec->site;
    struct s3_site_move move;
    if (str_is_set(site->all.host)) {
        TRY(s3_site_move_all(call->arena, site, v->path, v->origin, &move));
        return go_to(v, move.status, move.location);
    }
    enum err err = s3_site_rule_for(call->arena, site, v->path, 0, v->origin, &move);
    if (!err)
        return go_to(v, move.status, move.location);
    if (err != ERR_NOT_FOUND)
        return err;
    struct str key = s3_site_key(call->arena, site, v->path);
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(s3_check_key(call, key));
    err = s3_policy_keeps_out(call, v->bucket);
    if (!err)
        err = give(v, key, 0);
    return err == ERR_FAILED ? give_failed(v) : err;
}

static enum err serve(struct call *call, const void *in, void *out)
{
    struct visit v;
    (void)in, (void)out;
    TRY(open_visit(call, &v));
    if (!str_eq_c(call->request->method, "GET") && !str_eq_c(call->request->method, "HEAD"))
        return html(
            &v, &(struct page){
                    .status = 405,
                    .reason = "Method Not Allowed",
                    .code = STR("MethodNotAllowed"),
                    .message = STR("The specified method is not allowed against this resource."),
                    .details = {{"Method", call->request->method}, {"ResourceType", STR("OBJECT")}},
                });
    struct page gone = {
        .status = 404, .reason = "Not Found", .details = {{"BucketName", v.bucket}}};
    enum err err = s3_bucket_known(call->svc, call->txn, v.bucket, &v.rec);
    if (err == ERR_NOT_FOUND) {
        gone.code = STR("NoSuchBucket");
        gone.message = STR("The specified bucket does not exist");
        return html(&v, &gone);
    }
    TRY(err);
    if (!(v.rec->flags & S3_HAS_SITE)) {
        gone.code = STR("NoSuchWebsiteConfiguration");
        gone.message = STR("The specified bucket does not have a website configuration");
        return html(&v, &gone);
    }
    return serve_site(&v);
}

static const struct wire_op site_op = {
    .name = STR_INIT("GetWebsite"),
    .service = &s3_service,
    .flags = WIRE_OP_UNSIGNED,
    .run = serve,
};

enum err s3_site_start(struct s3 *s3)
{
    s3->site_claim = (struct core_claim){.match = is_site, .op = &site_op, .self = s3};
    return core_claim(s3->core, &s3->site_claim);
}

bool s3_site_claimed(struct call *call, struct s3_claimed *ret_what)
{
    struct visit v;
    if (call->op != &site_op || open_visit(call, &v) != ERR_OK)
        return false;
    *ret_what = (struct s3_claimed){.bucket = v.bucket, .key = v.path};
    return true;
}
