/* Integrations of every kind, and those that need nobody. See integrate.h.
 *
 * Layer: svc. Thread: the call's loop. */
#include "svc/apigateway/integrate.h"

enum { URI_BYTES_MAX = 64 * 1024 };

/* The request template says which integration response it is to be: {"statusCode": 200}. */
enum err integrate_mock(struct integrate_wait *w, const struct integrate_ask *ask)
{
    struct arena *a = w->call->arena;
    struct json *doc;
    int64_t status;
    w->done = true;
    enum err err = json_parse(a, ask->body, &doc, NULL);
    if (err == ERR_NOMEM)
        return err;
    const struct json *code = err ? NULL : json_get(doc, STR("statusCode"));
    err = !code                       ? ERR_INVALID
          : code->kind == JSON_STRING ? str_to_i64(code->text, &status)
                                      : json_to_i64(code, &status);
    if (err || status < 100 || status > 599) {
        w->answer = (struct integrate_answer){
            .fault = INTEGRATE_MISCONFIGURED,
            .why = STR("Unable to parse statusCode. It should be an integer defined in the request "
                       "template."),
        };
        return ERR_OK;
    }
    w->answer = (struct integrate_answer){.status = (int)status, .body = STR("")};
    w->answer.selection = str_fmt(a, "%d", (int)status);
    return str_is_set(w->answer.selection) ? ERR_OK : ERR_NOMEM;
}

enum err integrate_begin(struct integrate_wait *w, struct integrate_http *h,
                         const struct integrate_ask *ask)
{
    w->ask = ask;
    switch (ask->of->kind) {
    case SERVE_MOCK:
        return integrate_mock(w, ask);
    case SERVE_AWS:
    case SERVE_AWS_PROXY:
        return integrate_aws(w, ask);
    case SERVE_HTTP:
    case SERVE_HTTP_PROXY:
        return integrate_http(w, h, ask);
    }
    return ERR_UNSUPPORTED;
}

void integrate_cancel(struct integrate_wait *w)
{
    if (w->inner)
        core_call_cancel(w->inner);
    if (w->fetch)
        fetch_cancel(w->fetch);
    w->inner = NULL;
    w->fetch = NULL;
    w->broken |= w->flows && !w->done;
    w->done |= w->flows;
}

/* --- an answer that flows ----------------------------------------------------------------------- */

static bool flow_ready(void *ctx)
{
    struct integrate_wait *w = ctx;
    bool ready = w->body.len > 0 || w->done;
    w->asleep = !ready;
    return ready;
}

static enum err flow_read(void *ctx, char *block, size_t cap, struct str *ret_bytes)
{
    struct integrate_wait *w = ctx;
    size_t n = min_size(cap, w->body.len);
    if (n == 0 && w->broken)
        return ERR_FAILED; /* IN4 */
    if (n > 0)
        memcpy(block, w->body.p, n);
    buf_drop_front(&w->body, n);
    *ret_bytes = str_n(block, n);
    if (w->paused && w->fetch) {
        w->paused = false;
        fetch_resume(w->fetch);
    }
    return ERR_OK;
}

static void flow_release(void *ctx)
{
    integrate_cancel(ctx);
}

struct call_source integrate_flow(struct integrate_wait *w)
{
    return (struct call_source){.ctx = w,
                                .length = CALL_LENGTH_UNKNOWN,
                                .ready = flow_ready,
                                .read = flow_read,
                                .release = flow_release};
}

/* --- paths ------------------------------------------------------------------------------------ */

static const struct map_pair *value_of(const struct map_made *values, struct str name)
{
    const struct map_pair *found = NULL;
    for (size_t i = 0; i < values->n; i++)
        if (str_eq(values->v[i].name, name))
            found = &values->v[i];
    return found;
}

enum err integrate_fill_path(struct arena *a, struct str uri, const struct map_made *values,
                             struct str *ret_uri)
{
    struct buf b;
    if (str_find(uri, '{') == SIZE_MAX) {
        *ret_uri = uri;
        return ERR_OK;
    }
    buf_init_arena(&b, a, URI_BYTES_MAX);
    while (uri.len) {
        size_t open = min_size(str_find(uri, '{'), uri.len);
        struct str name = str_sub(uri, open + 1, SIZE_MAX);
        size_t close = str_find(name, '}');
        buf_add_str(&b, str_n(uri.p, open));
        if (open == uri.len)
            break;
        if (close == SIZE_MAX)
            return ERR_INVALID;
        uri = str_sub(name, close + 1, SIZE_MAX);
        name.len = close;
        bool greedy = name.len && name.p[name.len - 1] == '+';
        name.len -= greedy;
        const struct map_pair *value = value_of(values, name);
        if (!value)
            return ERR_INVALID;
        percent_put(&b, value->value, true);
    }
    *ret_uri = buf_str(&b);
    return buf_err(&b) == ERR_LIMIT ? ERR_INVALID : buf_err(&b);
}
