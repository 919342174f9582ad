/* Which service, operation and protocol a request names.
 *
 * The head says it for JSON and REST; the query protocol says it in the form, so that a request may
 * need its body first (WIRE_NEEDS_BODY). The order of the rules is that of the most specific sign:
 *
 *   smithy-protocol: rpc-v2-cbor  -> the service in the path, if it speaks it
 *   X-Amz-Target: PREFIX.Op       -> the service with that prefix
 *   SigV4 scope, else first label of the host -> that service: REST path, or Action in the form
 *   Action= (query string, form)  -> the service with that API version and operation
 *   REST path of any service      -> that service
 *   anything else                 -> S3, path style or by the bucket in the host name
 *
 * A request for a service that is not here is told which one it meant (names.c), whatever of these
 * signs it bears.
 *
 * Layer: wire. Thread: pure. */
#include <assert.h>

#include "base/host.h"
#include "codec/percent.h"
#include "wire/host.h"
#include "wire/wire_int.h"

/* The headers that matter here, found in one pass. */
struct head {
    struct str target, content_type, host, smithy, query_mode, accept_encoding;
    bool coded, accepts_json;
};

static struct head head_of(const struct wire_request *req)
{
    struct head h = {0};
    for (size_t i = 0; i < req->n_headers; i++) {
        const struct wire_header *f = &req->headers[i];
        switch (f->name.len) {
        case 4:
            if (!str_is_set(h.host) && str_eq_nocase(f->name, STR("host")))
                h.host = f->value;
            break;
        case 6:
            if (str_eq_nocase(f->name, STR("accept")))
                h.accepts_json = str_starts(f->value, STR("application/json"));
            break;
        case 12:
            if (str_eq_nocase(f->name, STR("x-amz-target")))
                h.target = f->value;
            else if (str_eq_nocase(f->name, STR("content-type")))
                h.content_type = f->value;
            break;
        case 15:
            if (str_eq_nocase(f->name, STR("smithy-protocol")))
                h.smithy = f->value;
            else if (!str_eq(f->value,
                             STR("identity")) && /* what most SDKs send: nothing to know */
                     str_eq_nocase(f->name, STR("accept-encoding")))
                h.accept_encoding = f->value;
            break;
        case 16:
            h.coded |= str_eq_nocase(f->name, STR("content-encoding"));
            break;
        case 17:
            if (str_eq_nocase(f->name, STR("x-amzn-query-mode")))
                h.query_mode = f->value;
            break;
        default:
            break;
        }
    }
    return h;
}

bool wire_accepts_gzip(struct str codings)
{
    while (str_is_set(codings)) {
        struct str params = str_cut(&codings, ',');
        struct str name = str_trim(str_cut(&params, ';'));
        if (!str_eq_nocase(name, STR("gzip")))
            continue;
        double q = 1;
        params = str_trim(params);
        return !str_starts(params, STR("q=")) ||
               (str_to_f64(str_sub(params, 2, SIZE_MAX), &q) == ERR_OK && q > 0);
    }
    return false;
}

/* Byte order as the generator sorts: memcmp, then length. */
const struct wire_op *wire_op_find(const struct wire_service *service, struct str name)
{
    size_t lo = 0, hi = service->n_ops;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = str_cmp(service->ops[mid].name, name);
        if (c == 0)
            return &service->ops[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

bool wire_op_known_unsupported(const struct wire_service *service, struct str name)
{
    size_t lo = 0, hi = service->n_unsupported;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = str_cmp(service->unsupported[mid], name);
        if (c == 0)
            return true;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

/* An operation named by its name: target or Action. */
static void set_named(struct wire_routed *r, const struct wire_service *service, struct str name)
{
    assert(service);
    r->service = service;
    r->op_name = name;
    r->op = wire_op_find(service, name);
    if (r->op)
        r->outcome = WIRE_ROUTED;
    else
        r->outcome =
            wire_op_known_unsupported(service, name) ? WIRE_UNSUPPORTED : WIRE_UNKNOWN_OPERATION;
}

/* --- X-Amz-Target ----------------------------------------------------------------------------- */

static const struct wire_service *by_target(const struct wire_service *const *services,
                                            size_t n_services, struct str target)
{
    for (size_t i = 0; i < n_services; i++) {
        if (str_is_set(services[i]->target) && str_eq(services[i]->target, target))
            return services[i];
    }
    return NULL;
}

static void route_target(const struct wire_service *const *services, size_t n_services,
                         const struct head *h, struct wire_routed *r)
{
    size_t dot = str_rfind(h->target, '.');
    r->op_name = h->target;
    r->protocol =
        str_find_str(h->content_type, STR("json-1.1")) != SIZE_MAX ? WIRE_JSON11 : WIRE_JSON10;
    if (dot == SIZE_MAX)
        return;
    const struct wire_service *s = by_target(services, n_services, str_n(h->target.p, dot));
    if (!s)
        return;
    r->protocol = (enum wire_protocol)s->json_protocol;
    set_named(r, s, str_sub(h->target, dot + 1, SIZE_MAX));
}

/* --- rpc-v2-cbor ------------------------------------------------------------------------------ */

/* The NAME of a *path that ends in "WORD/NAME", which is cut off it; else STR_NONE. */
static struct str cut_pair(struct str *path, struct str word)
{
    size_t slash = str_rfind(*path, '/');
    if (slash == SIZE_MAX)
        return STR_NONE;
    struct str name = str_sub(*path, slash + 1, SIZE_MAX), before = str_n(path->p, slash);
    if (!str_ends(before, word) || name.len == 0)
        return STR_NONE;
    assert(before.len >= word.len && name.len > 0);
    *path = str_n(before.p, before.len - word.len);
    return name;
}

/* .../service/NAME/operation/OP, behind any prefix (smithy, "Requests"). A service that does not
 * speak it refuses in its own protocol. */
static void route_cbor(const struct wire_service *const *services, size_t n_services,
                       const struct wire_service *scoped, struct str scope,
                       const struct wire_request *req, const struct head *h, struct wire_routed *r)
{
    struct str path = req->path;
    struct str op_name = cut_pair(&path, STR("/operation"));
    struct str name = str_is_set(op_name) ? cut_pair(&path, STR("/service")) : STR_NONE;
    const struct wire_service *s = str_is_set(name) ? by_target(services, n_services, name) : NULL;
    r->service = s ? s : scoped;
    r->op_name = op_name;
    r->outcome = WIRE_PROTOCOL_REFUSED;
    if (!r->service) {
        r->lacking = wire_aws_meant(&(struct wire_meant){.target = name, .scope = scope});
        r->outcome = r->lacking ? WIRE_UNKNOWN_SERVICE : WIRE_PROTOCOL_REFUSED;
        r->protocol = r->lacking ? WIRE_RPC_CBOR : r->protocol;
    }
    if (!r->service || !r->service->speaks_cbor) {
        if (r->service)
            r->protocol = (enum wire_protocol)r->service->protocol;
        return;
    }
    r->protocol = WIRE_RPC_CBOR;
    r->outcome = WIRE_BAD_REQUEST;
    if (!s || !str_eq(req->method, STR("POST")))
        return;
    if (str_is_set(h->content_type) && !str_starts(h->content_type, STR("application/cbor")))
        return;
    set_named(r, s, op_name);
}

/* --- query protocol --------------------------------------------------------------------------- */

static struct str form_get(const struct wire_routed *r, struct str key)
{
    struct str v = percent_get(r->form, r->n_form, key);
    return str_is_set(v) ? v : percent_get(r->params, r->n_params, key);
}

/* The service that an unsigned Action belongs to: by version, then by operation. */
static const struct wire_service *by_action(const struct wire_service *const *services,
                                            size_t n_services, struct str action,
                                            struct str version)
{
    const struct wire_service *found = NULL;
    for (size_t i = 0; i < n_services; i++) {
        const struct wire_service *s = services[i];
        if (!s->speaks_query)
            continue;
        bool has = wire_op_find(s, action) || wire_op_known_unsupported(s, action);
        if (has && str_is_set(version) && str_eq(s->version, version))
            return s;
        if (has && !str_is_set(version) && !found)
            found = s;
    }
    return found;
}

static bool is_form(const struct head *h)
{
    return str_starts(h->content_type, STR("application/x-www-form-urlencoded"));
}

/* The form of the body, uncompressed; r->outcome says when there is none. */
static enum err read_form(const struct wire_service *service, const struct wire_request *req,
                          struct arena *arena, struct wire_routed *r)
{
    struct str body = req->body;
    struct wire_fault *fault = r->coded ? ARENA_NEW(arena, struct wire_fault) : NULL;
    enum err err = ERR_OK;
    if (r->coded) {
        if (!fault)
            return ERR_NOMEM;
        err = wire_content(service, req, arena, &body, fault);
        r->fault = err == ERR_FAILED ? fault : NULL;
    }
    if (err == ERR_OK)
        err = percent_parse_query(arena, body, true, &r->form, &r->n_form);
    if (err == ERR_NOMEM)
        return err;
    if (err != ERR_OK || r->n_form > WIRE_PARAMS_MAX)
        r->outcome = WIRE_BAD_REQUEST;
    return ERR_OK;
}

/* "/111122223333/name": the URL of a queue, where SQS answers what is asked of one, and GetQueueUrl of any. */
static bool is_wrong_place(const struct wire_routed *r, struct str path)
{
    struct str rest = path;
    if (!r->op || !str_is_set(r->service->url_member) || str_eq_c(r->op_name, "GetQueueUrl"))
        return false;
    for (size_t i = 0; i < r->op->input->n_members; i++)
        if (str_eq(r->op->input->members[i].name, r->service->url_member))
            return false;
    (void)str_cut(&rest, '/');
    struct str account = str_cut(&rest, '/');
    for (size_t i = 0; i < account.len; i++)
        if (account.p[i] < '0' || account.p[i] > '9')
            return false;
    return account.len == 12 && rest.len > 0;
}

/* Reads the form and names the operation by its Action. `service` NULL: found by the Action. */
static enum err route_action(const struct wire_service *const *services, size_t n_services,
                             const struct wire_service *service, const struct wire_request *req,
                             struct arena *arena, struct wire_routed *r)
{
    r->protocol = WIRE_QUERY;
    r->service = service;
    bool in_query = percent_has(r->params, r->n_params, STR("Action"));
    if (!in_query && !str_is_set(req->body)) {
        r->outcome = WIRE_NEEDS_BODY;
        return ERR_OK;
    }
    if (str_is_set(req->body) && req->body.len > 0 && !req->body_is_stream) {
        TRY(read_form(service, req, arena, r));
        if (r->outcome == WIRE_BAD_REQUEST)
            return ERR_OK;
    }
    struct str action = form_get(r, STR("Action"));
    struct str version = form_get(r, STR("Version"));
    if (!service && str_is_set(action))
        service = by_action(services, n_services, action, version);
    r->op_name = action;
    if (service)
        set_named(r, service, action);
    if (is_wrong_place(r, req->path)) {
        r->op = NULL;
        r->outcome = WIRE_UNKNOWN_OPERATION;
    }
    return ERR_OK;
}

/* --- REST ------------------------------------------------------------------------------------- */

enum { SEGMENTS_MAX = 16 };

/* A path cut into its segments, still encoded; rest[i] is the path from segment i on. */
struct path {
    struct str segment[SEGMENTS_MAX];
    struct str rest[SEGMENTS_MAX];
    size_t n;
};

/* False when the path has more segments than any route; the last one counted then stands for the
 * rest, so greedy routes still match. */
static void cut_path(struct str path, struct path *p)
{
    p->n = 0;
    size_t at = path.len > 0 && path.p[0] == '/' ? 1 : 0;
    while (at < path.len && p->n < SEGMENTS_MAX) {
        struct str rest = str_sub(path, at, SIZE_MAX);
        size_t slash = str_find(rest, '/');
        p->rest[p->n] = rest;
        p->segment[p->n++] = slash == SIZE_MAX ? rest : str_n(rest.p, slash);
        if (slash == SIZE_MAX)
            return;
        at += slash + 1;
    }
}

static bool literals_match(const struct wire_route *route, const struct wire_request *req,
                           const struct wire_routed *r)
{
    for (size_t i = 0; i < route->n_query; i++) {
        const struct wire_literal *l = &route->query[i];
        if (!percent_has(r->params, r->n_params, l->name))
            return false;
        if (str_is_set(l->value) && !str_eq(percent_get(r->params, r->n_params, l->name), l->value))
            return false;
    }
    for (size_t i = 0; i < route->n_header; i++) {
        if (!wire_header_get(req, route->header[i].name).p)
            return false;
    }
    return true;
}

static bool path_matches(const struct wire_route *route, const struct path *p)
{
    if (route->greedy ? p->n < route->n_segments : p->n != route->n_segments)
        return false;
    for (size_t i = 0; i < route->n_segments; i++) {
        const struct wire_segment *s = &route->segments[i];
        if (s->kind == WIRE_SEG_TEXT && !str_eq(s->text, p->segment[i]))
            return false;
        if (s->kind != WIRE_SEG_TEXT && p->rest[i].len == 0)
            return false;
        if (s->kind == WIRE_SEG_LABEL && p->segment[i].len == 0)
            return false;
    }
    return true;
}

bool wire_labels_fit(const struct wire_service *service)
{
    for (size_t i = 0; i < service->n_routes; i++) {
        size_t n = 0;
        for (size_t k = 0; k < service->routes[i].n_segments; k++)
            n += service->routes[i].segments[k].kind != WIRE_SEG_TEXT;
        if (n > WIRE_LABELS_MAX)
            return false;
    }
    return true;
}

static enum err take_labels(const struct wire_service *service, const struct wire_route *route,
                            const struct path *p, struct arena *arena, struct wire_routed *r)
{
    size_t n = 0;
    r->labels = ARENA_ARRAY(arena, struct str, WIRE_LABELS_MAX);
    if (!r->labels)
        return ERR_NOMEM;
    for (size_t i = 0; i < route->n_segments; i++) {
        const struct wire_segment *s = &route->segments[i];
        if (s->kind == WIRE_SEG_TEXT)
            continue;
        assert(n < WIRE_LABELS_MAX); /* wire_labels_fit */
        struct str raw = s->kind == WIRE_SEG_GREEDY ? p->rest[i] : p->segment[i];
        enum err err = percent_decode(arena, raw, false, &r->labels[n]);
        if (err == ERR_OK && service->buckets && !str_is_utf8(r->labels[n]))
            err = ERR_INVALID; /* to S3 that is no path at all */
        n++;
        if (err == ERR_NOMEM)
            return err;
        if (err != ERR_OK) {
            r->outcome = WIRE_BAD_REQUEST;
            r->op = NULL;
        }
    }
    return ERR_OK;
}

/* Finds the route of `service` for a cut path; leaves r->route NULL when there is none. */
static enum err route_rest(const struct wire_service *service, const struct wire_request *req,
                           const struct path *p, struct arena *arena, struct wire_routed *r)
{
    for (size_t i = 0; i < service->n_routes; i++) {
        const struct wire_route *route = &service->routes[i];
        /* The cheap tests first: most routes fail them. */
        if (p->n < route->n_segments || (route->n_query > 0 && r->n_params == 0) ||
            !str_eq(route->method, req->method) || !path_matches(route, p) ||
            !literals_match(route, req, r))
            continue;
        r->service = service;
        r->protocol = (enum wire_protocol)service->protocol;
        r->route = route;
        r->op = route->op;
        r->op_name = route->name;
        r->outcome = route->op ? WIRE_ROUTED : WIRE_UNSUPPORTED;
        return take_labels(service, route, p, arena, r);
    }
    return ERR_OK;
}

/* --- S3 --------------------------------------------------------------------------------------- */

struct str wire_host_bucket(struct str host)
{
    host = host_bare(host);
    for (size_t i = 1; i + 4 < host.len; i++) {
        if (memcmp(host.p + i, ".s3", 3) == 0 && (host.p[i + 3] == '.' || host.p[i + 3] == '-'))
            return str_n(host.p, i);
    }
    if (str_starts(host, STR("s3.")) || str_starts(host, STR("s3-")))
        return STR_NONE;
    struct str local = STR(".localhost");
    if (host.len > local.len && str_ends(host, local))
        return str_n(host.p, host.len - local.len);
    return STR_NONE;
}

/* Whether a request that changes something names a part of a bucket or object that its method has no
 * operation for: it must not be taken for one on the whole of it (DELETE /bucket?logging). What is signed
 * of a query tells operations apart, but for versions and headers of the reply. */
static bool names_other_part(const struct wire_service *s3, const struct wire_request *req,
                             const struct wire_routed *r)
{
    if (r->n_params == 0 || !r->route || r->route->n_query > 0 || r->head ||
        str_eq(req->method, STR("GET")))
        return false;
    for (size_t i = 0; i < r->n_params; i++)
        for (size_t k = 0; k < s3->n_signed_query; k++)
            if (str_eq(r->params[i].key, s3->signed_query[k]) &&
                !str_eq(r->params[i].key, STR("versionId")) &&
                !str_starts(r->params[i].key, STR("response-")))
                return true;
    return false;
}

static enum err route_s3(const struct wire_service *s3, const struct wire_request *req,
                         struct str host, struct arena *arena, struct wire_routed *r)
{
    struct path p = {0};
    struct str bucket = wire_host_bucket(host);
    struct str path = req->path;
    if (path.len > 0 && path.p[0] == '/')
        path = str_sub(path, 1, SIZE_MAX);
    if (str_is_set(bucket)) {
        p.segment[p.n] = p.rest[p.n] = bucket;
        p.n++;
    } else if (path.len > 0) {
        p.rest[p.n] = path;
        p.segment[p.n++] = str_cut(&path, '/');
    }
    /* The key is all the rest, slashes and dots as they are; "/bucket/" is the bucket. */
    if (p.n == 1 && path.len > 0) {
        p.segment[p.n] = p.rest[p.n] = path;
        p.n++;
    }
    r->host_bucket = bucket;
    r->service = s3;
    r->protocol = (enum wire_protocol)s3->protocol;
    r->outcome = WIRE_UNKNOWN_OPERATION;
    TRY(route_rest(s3, req, &p, arena, r));
    if (names_other_part(s3, req, r)) {
        r->route = NULL;
        r->op = NULL;
        r->outcome = WIRE_UNKNOWN_OPERATION;
    }
    if (r->route && p.n > 0)
        r->bucket = r->labels[0];
    else if (p.n > 0 && percent_decode(arena, p.segment[0], false, &r->bucket) == ERR_NOMEM)
        return ERR_NOMEM; /* what cannot be decoded is no bucket's name */
    return ERR_OK;
}

/* --- all -------------------------------------------------------------------------------------- */

static const struct wire_service *by_signing(const struct wire_service *const *services,
                                             size_t n_services, struct str signing)
{
    for (size_t i = 0; str_is_set(signing) && i < n_services; i++) {
        if (str_eq(services[i]->signing, signing))
            return services[i];
    }
    return NULL;
}

static enum err route_service(const struct wire_service *const *services, size_t n_services,
                              const struct wire_service *service, const struct wire_request *req,
                              const struct head *h, struct arena *arena, struct wire_routed *r)
{
    r->service = service;
    r->protocol = (enum wire_protocol)service->protocol;
    r->outcome = WIRE_UNKNOWN_OPERATION;
    if (service->buckets)
        return route_s3(service, req, h->host, arena, r);
    if (service->n_routes > 0) {
        struct path p = {0};
        cut_path(req->path, &p);
        TRY(route_rest(service, req, &p, arena, r));
        if (r->outcome == WIRE_UNKNOWN_OPERATION)
            r->lacking = wire_aws_beside(services, n_services, service);
        return ERR_OK;
    }
    if (service->speaks_query)
        return route_action(services, n_services, service, req, arena, r);
    return ERR_OK;
}

/* No signature says which service: Action, then a REST path, then S3. */
static enum err route_unsigned(const struct wire_service *const *services, size_t n_services,
                               const struct wire_request *req, const struct head *h,
                               struct arena *arena, struct wire_routed *r)
{
    bool posted_form = is_form(h) && str_eq(req->method, STR("POST"));
    if (posted_form || (percent_has(r->params, r->n_params, STR("Action")) &&
                        percent_has(r->params, r->n_params, STR("Version"))))
        return route_action(services, n_services, NULL, req, arena, r);
    struct path p = {0};
    cut_path(req->path, &p);
    const struct wire_service *s3 = NULL;
    for (size_t i = 0; i < n_services; i++) {
        if (services[i]->buckets) {
            s3 = services[i];
        } else if (services[i]->n_routes > 0) {
            TRY(route_rest(services[i], req, &p, arena, r));
            if (r->route)
                return ERR_OK;
        }
    }
    return s3 ? route_s3(s3, req, h->host, arena, r) : ERR_OK;
}

/* Nobody here answers: who was meant. The reply goes in that one's protocol where the request's own
 * signs do not say which it speaks. */
static void name_lacking(const struct head *h, struct str scope, struct wire_routed *r)
{
    size_t dot = str_is_set(h->target) ? str_rfind(h->target, '.') : SIZE_MAX;
    struct wire_meant m = {.scope = scope, .host = h->host};
    if (dot != SIZE_MAX)
        m.target = str_n(h->target.p, dot);
    if (r->protocol == WIRE_QUERY)
        m.version = form_get(r, STR("Version"));
    r->lacking = wire_aws_meant(&m);
    bool told = str_is_set(h->target) || r->protocol == WIRE_QUERY;
    if (r->lacking && !told && r->lacking->protocol == WIRE_REST_XML)
        r->protocol = WIRE_REST_XML;
}

/* An unsigned request under the host name of a service that is not here must not become S3's. */
static bool is_elsewhere(const struct wire_service *const *services, size_t n_services,
                         const struct head *h, struct wire_routed *r)
{
    const struct wire_aws_service *s = wire_aws_meant(&(struct wire_meant){.host = h->host});
    if (s && !by_signing(services, n_services, s->endpoint))
        r->lacking = s;
    return r->lacking;
}

enum err wire_route(const struct wire_service *const *services, size_t n_services,
                    const struct wire_request *req, struct str scope, struct arena *arena,
                    struct wire_routed *ret_routed)
{
    struct head h = head_of(req);
    struct wire_routed r = {.outcome = WIRE_UNKNOWN_SERVICE};
    r.query_mode = str_eq_nocase(h.query_mode, STR("true"));
    r.coded = h.coded;
    r.accepts_json = h.accepts_json;
    r.head = str_eq(req->method, STR("HEAD"));
    r.protocol = is_form(&h) ? WIRE_QUERY : str_is_set(h.target) ? WIRE_JSON10 : WIRE_REST_JSON;
    const struct wire_service *scoped = by_signing(services, n_services, scope);
    enum err err = ERR_OK;
    if (str_is_set(h.smithy) && str_eq(h.smithy, STR("rpc-v2-cbor"))) {
        route_cbor(services, n_services, scoped, scope, req, &h, &r);
        goto out;
    }
    if (str_is_set(h.target)) {
        route_target(services, n_services, &h, &r);
        goto out;
    }
    if (req->query.len > 0)
        err = percent_parse_query(arena, req->query, false, &r.params, &r.n_params);
    if (err == ERR_NOMEM)
        return err;
    if (err != ERR_OK) {
        r.outcome = WIRE_BAD_REQUEST;
        r.service = scoped;
        if (scoped)
            r.protocol = (enum wire_protocol)scoped->protocol;
        goto out;
    }
    /* "sqs.localhost" is a service, "sqs.s3.localhost" a bucket of that name. */
    if (!scoped && !str_is_set(scope) && str_find_str(h.host, STR(".s3.")) == SIZE_MAX) {
        struct str host = h.host;
        scoped = by_signing(services, n_services, str_cut(&host, '.'));
    }
    if (scoped)
        TRY(route_service(services, n_services, scoped, req, &h, arena, &r));
    else if (!str_is_set(scope) && !is_elsewhere(services, n_services, &h, &r))
        TRY(route_unsigned(services, n_services, req, &h, arena, &r));
out:
    if (r.outcome == WIRE_UNKNOWN_SERVICE && !r.lacking)
        name_lacking(&h, scope, &r);
    r.accepts_gzip = r.service && r.service->gzip_replies && wire_accepts_gzip(h.accept_encoding);
    assert((r.outcome == WIRE_ROUTED) == (r.op != NULL));
    *ret_routed = r;
    return ERR_OK;
}
