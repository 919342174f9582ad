#include "main/local.h"
#include "deliver/deliver.h"
#include "deliver/due.h"

#include "codec/json.h"
#include "core/web.h"
#include "sandbox/sandbox.h"

enum { DOCUMENT_MAX = 4 * 1024 * 1024 };

static void reply(struct http_req *req, int status, const char *type, const struct buf *b)
{
    struct http_header h = {STR("Content-Type"), str_c(type)};
    if (buf_err(b))
        http_reply(req, 503, NULL, 0, STR_NONE);
    else
        http_reply(req, status, &h, 1, buf_str(b));
}

static bool is_read(struct http_req *req)
{
    if (str_eq(req->method, STR("GET")) || str_eq(req->method, STR("HEAD")))
        return true;
    http_reply(req, 405, NULL, 0, STR_NONE);
    return false;
}

static void health_details(const struct core *core, struct json_out *o)
{
    json_kv_str(o, STR("version"), STR(WEIR_VERSION));
    json_kv_str(o, STR("edition"), STR("weir"));
    json_kv_str(o, STR("endpoint"), core->cfg.endpoint);
    if (core->cfg.open_network)
        json_kv_str(o, STR("network"), STR("insecure: --insecure-network"));
    json_key(o, STR("services"));
    json_open(o, '{');
    for (size_t i = 0; i < core->n_svcs; i++)
        json_kv_str(o, core->svcs[i].def->wire->name, STR("running"));
    json_close(o, '}');
}

/* Shape of the document that tools written for LocalStack poll: services with a state each. 503
 * while functions cannot be started. */
static void health(void *arg, struct http_req *req)
{
    struct core *core = arg;
    if (!is_read(req))
        return;
    const char *state = "running", *cause = kv_failure(core->kv);
    if (cause) {
        state = "failed";
    } else if (!sandbox_able(core->sandbox)) {
        state = "degraded";
        cause = "functions cannot be started: their helper process ended";
    }
    struct buf b;
    buf_init_arena(&b, req->arena, DOCUMENT_MAX);
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("status"), str_c(state));
    if (cause)
        json_kv_str(&o, STR("cause"), str_c(cause));
    if (web_is_operator(core, req))
        health_details(core, &o);
    json_close(&o, '}');
    reply(req, cause ? 503 : 200, "application/json", &b);
}

static void metrics(void *arg, struct http_req *req)
{
    struct core *core = arg;
    if (!is_read(req))
        return;
    if (!web_is_operator(core, req)) {
        http_reply(req, 403, NULL, 0, STR_NONE);
        return;
    }
    struct buf b;
    buf_init_arena(&b, req->arena, DOCUMENT_MAX);
    core_metrics(core, &b);
    due_metrics(deliver_due(core->deliver), &b);
    reply(req, 200, "text/plain; version=0.0.4", &b);
}

/* Who opens the address in a browser, or with curl. */
static void front_page(struct core *core, struct http_req *req)
{
    static const char text[] =
        "Weir " WEIR_VERSION
        ": S3, DynamoDB, SQS, Lambda, IAM and more of AWS's services, on this machine.\n"
        "\n"
        "This address is for AWS's clients. In a shell: eval \"$(weir env)\", then for example\n"
        "  aws --endpoint-url $AWS_ENDPOINT_URL s3 ls\n"
        "\n"
        "How it is:      /_weir/health, /_weir/metrics\n"
        "What is there:  README.md and docs/reference/ beside the program's source\n";
    struct http_header h = {STR("Content-Type"), STR("text/plain; charset=utf-8")};
    http_reply(req, 200, &h, 1, str_c(text));
}

void local_routes(struct core *core)
{
    core->front_page = front_page;
    core_add_route(core, "/_weir/health", health, core);
    core_add_route(core, "/_localstack/health", health, core);
    core_add_route(core, "/_weir/metrics", metrics, core);
}
