/* Addresses for answers: of custom resources (ResponseURL), and of wait conditions. They are S3's by their look,
 * as AWS's are, and are taken before S3 sees them: by host within the functions' network (on 443, whatever
 * the client makes of port and scheme), and by path on every listener. Nothing is signed: the token of 40
 * characters is the permission, and tells nobody more than that it is right.
 *
 * Layer: svc/cloudformation. Thread: the call's. */
#include "codec/json.h"
#include "codec/percent.h"
#include "core/claim.h"
#include "svc/cloudformation/cloudformation_own.h"

#define BY_PATH "/_cloudformation/answer/"
#define CUSTOM_HOST "cloudformation-custom-resource-response-"
#define WAIT_HOST "cloudformation-waitcondition-"

struct str cfn_answer_url(struct arena *a, struct str region, struct str token, bool wait)
{
    return str_fmt(a,
                   "https://%s" STR_FMT ".s3." STR_FMT ".amazonaws.com/" STR_FMT
                   "?AWSAccessKeyId=weir&Signature=" STR_FMT,
                   wait ? WAIT_HOST : CUSTOM_HOST, STR_ARG(region), STR_ARG(region), STR_ARG(token),
                   STR_ARG(str_sub(token, 0, 8)));
}

struct str cfn_answer_token(struct str url)
{
    size_t scheme = str_find_str(url, STR("://"));
    struct str path = scheme == SIZE_MAX ? url : str_sub(url, scheme + 3, SIZE_MAX);
    (void)str_cut(&path, '/');
    return str_cut(&path, '?');
}

enum err cfn_answer_expect(const struct cfn_step *step, struct str token, bool collects)
{
    const struct cfn_stack *s = step->stack;
    struct cfn_answer answer = {
        .account = s->account,
        .region = s->region,
        .uuid = s->uuid,
        .resource = step->resource->id,
        .collects = collects,
    };
    return txn_write(step->txn, key_make(step->a, &cloudformation_k_answer, token),
                     &cfn_answer_type, &answer);
}

enum err cfn_answer_signal(struct txn *txn, struct cfn_answer *answer,
                           const struct cfn_signal *signal)
{
    struct cfn_signal *v = ARENA_ARRAY(txn->arena, struct cfn_signal, answer->n_signals + 1);
    if (!v)
        return ERR_NOMEM;
    if (answer->n_signals)
        memcpy(v, answer->signals, answer->n_signals * sizeof(*v));
    for (size_t i = 0; i < answer->n_signals; i++)
        if (str_eq(v[i].unique_id, signal->unique_id))
            return ERR_OK; /* told already */
    if (answer->n_signals == CFN_SIGNALS_MAX)
        return ERR_LIMIT;
    v[answer->n_signals] = *signal;
    answer->signals = v;
    answer->n_signals++;
    return ERR_OK;
}

static enum err collect(struct call *call, struct cfn_answer *answer, struct str body)
{
    const struct json *v;
    enum err err = cfn_json(call->arena, body, &v);
    if (err == ERR_CORRUPT)
        return ERR_OK; /* as AWS: nobody is told */
    TRY(err);
    struct cfn_signal signal = {
        .unique_id = json_get_str(v, STR("UniqueId")),
        .status = json_get_str(v, STR("Status")),
        .reason = json_get_str(v, STR("Reason")),
        .data = json_get_str(v, STR("Data")),
    };
    err = cfn_answer_signal(call->txn, answer, &signal);
    return err == ERR_LIMIT ? ERR_OK : err;
}

static enum err say(struct call *call, int status)
{
    call_reply_status(call, status);
    call_reply_raw(call, STR("text/plain"), STR(""));
    return ERR_OK;
}

static enum err take(struct call *call, const void *in, void *out)
{
    struct cfn *c = call->svc;
    struct cfn_answer answer = {0};
    struct str path = call->request->path, body = call->request->body;
    (void)in;
    (void)out;
    path = str_starts(path, STR(BY_PATH)) ? str_sub(path, sizeof(BY_PATH) - 1, SIZE_MAX)
                                          : str_sub(path, 1, SIZE_MAX);
    if (!str_eq(call->request->method, STR("PUT")))
        return say(call, 405);
    if (str_empty(path) || path.len > 256)
        return say(call, 403);
    struct str key = key_make(call->arena, &cloudformation_k_answer, path);
    enum err err = txn_read(call->txn, key, &cfn_answer_type, &answer);
    if (err == ERR_NOT_FOUND)
        return say(call, 403);
    TRY(err);
    if (body.len > CFN_ANSWER_BYTES_MAX)
        body = STR("{\"Status\":\"FAILED\",\"Reason\":\"Response object is too long.\"}");
    if (answer.collects)
        TRY(collect(call, &answer, body));
    else if (!str_is_set(answer.body)) /* the first one counts */
        answer.body = body.p ? body : STR("");
    TRY(txn_write(call->txn, key, &cfn_answer_type, &answer));
    TRY(cfn_poke(c, call->txn, answer.uuid));
    return say(call, 200);
}

static const struct wire_op answer_op = {
    .name = STR_INIT("PutAnswer"),
    .service = &cloudformation_service,
    .flags = WIRE_OP_UNSIGNED,
    .body_max = 64 * 1024,
    .run = take,
};

static bool by_host(void *self, const struct wire_request *head)
{
    struct str host = wire_header_get(head, STR("host"));
    (void)self;
    return str_starts(host, STR(CUSTOM_HOST)) || str_starts(host, STR(WAIT_HOST));
}

enum err cfn_answers_claim(struct cfn *c)
{
    c->by_host = (struct core_claim){.match = by_host, .op = &answer_op, .self = c};
    c->by_path = (struct core_claim){.path_prefix = STR(BY_PATH), .op = &answer_op, .self = c};
    TRY(core_claim(c->core, &c->by_host));
    return core_claim(c->core, &c->by_path);
}
