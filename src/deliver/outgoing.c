/* What outgoing.h says, on src/fetch. Layer: deliver. Thread: the home loop. */
#include "deliver/outgoing.h"

#include <assert.h>

#include "base/clock.h"
#include "base/mem.h"
#include "deliver/deliver_int.h"

/* A request under way. */
struct asking {
    struct list link; /* of the engine's */
    struct deliver *d;
    void (*done)(void *arg, const struct outgoing_answer *answer);
    void *arg;
    int status;
    int64_t retry_after_ms;
    bool keep_body;
    struct buf body;
};

static void asking_free(struct asking *k)
{
    list_remove(&k->link);
    buf_release(&k->body);
    mem_free(k);
}

int64_t outgoing_retry_after(struct str value, int64_t wall_ms)
{
    int64_t seconds, when_ms;
    if (str_to_i64(value, &seconds) == ERR_OK)
        return seconds < 0 ? OUTGOING_NEVER : min_i64(seconds, OUTGOING_RETRY_AFTER_MAX_S) * 1000;
    if (clock_parse_http(value, &when_ms) != ERR_OK)
        return OUTGOING_NOT_TOLD;
    return min_i64(max_i64(when_ms - wall_ms, 0), OUTGOING_RETRY_AFTER_MAX_S * INT64_C(1000));
}

static enum fetch_flow on_head(void *arg, int status, const struct fetch_header *headers, size_t n)
{
    struct asking *k = arg;
    k->status = status;
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(headers[i].name, STR("retry-after")))
            k->retry_after_ms = outgoing_retry_after(headers[i].value, clock_wall_ms());
    return FETCH_GO;
}

static enum fetch_flow on_data(void *arg, struct str piece)
{
    struct asking *k = arg;
    if (k->keep_body)
        buf_add_str(&k->body, piece);
    return buf_err(&k->body) ? FETCH_ABORT : FETCH_GO;
}

static void on_done(void *arg, enum err err, struct str why)
{
    struct asking *k = arg;
    const struct outgoing_answer answer = {
        .err = err,
        .why = why,
        .status = k->status,
        .retry_after_ms = k->retry_after_ms,
        .body = buf_str(&k->body),
    };
    list_remove(&k->link);
    k->done(k->arg, &answer);
    asking_free(k);
}

static enum err fetch_need(struct deliver *d)
{
    const struct fetch_config cfg = {
        .loop = d->home,
        .allow_loopback = d->core->cfg.outgoing_loopback,
    };
    return d->outgoing.fetch ? ERR_OK : fetch_new(&cfg, &d->outgoing.fetch);
}

enum err outgoing_start(struct deliver *d, const struct outgoing_request *r)
{
    struct fetch_header h[FETCH_HEADERS_MAX];
    assert(r->done && r->timeout_ms > 0);
    if (r->n_headers > FETCH_HEADERS_MAX)
        return ERR_LIMIT;
    for (size_t i = 0; i < r->n_headers; i++)
        h[i] = (struct fetch_header){r->headers[i].name, r->headers[i].value};
    TRY(fetch_need(d));
    struct asking *k = mem_calloc(1, sizeof(*k));
    if (!k)
        return ERR_NOMEM;
    k->d = d;
    k->done = r->done;
    k->arg = r->arg;
    k->retry_after_ms = OUTGOING_NOT_TOLD;
    k->keep_body = r->keep_body;
    list_init(&k->link);
    buf_init(&k->body, OUTGOING_ANSWER_MAX);
    const struct fetch_call call = {
        .method = r->method,
        .url = r->url,
        .headers = h,
        .headers_n = r->n_headers,
        .body = r->body,
        .head = on_head,
        .data = on_data,
        .done = on_done,
        .arg = k,
        .response_bytes_max = OUTGOING_ANSWER_MAX,
        .timeout_ms = r->timeout_ms,
    };
    enum err err = fetch_start(d->outgoing.fetch, &call, NULL);
    if (err)
        asking_free(k);
    else
        list_push_back(&d->outgoing.asking, &k->link);
    return err;
}

enum deliver_outcome outgoing_outcome(const struct outgoing_answer *a, bool again)
{
    bool never = a->err == ERR_DENIED || a->err == ERR_INVALID || a->err == ERR_UNSUPPORTED;
    if (a->err == ERR_OK && a->status >= 200 && a->status < 300)
        return DELIVER_OK;
    if (never || (a->err == ERR_OK && !again) || a->retry_after_ms == OUTGOING_NEVER)
        return DELIVER_GIVE_UP;
    return DELIVER_RETRY;
}

const char *outgoing_hint(const struct outgoing_answer *a)
{
    return a->err == ERR_DENIED ? " (this machine's own addresses: --allow-outgoing-loopback)" : "";
}

void outgoing_release(struct deliver *d)
{
    struct list *link;
    fetch_free(d->outgoing.fetch);
    d->outgoing.fetch = NULL;
    while ((link = list_pop_front(&d->outgoing.asking)))
        asking_free(CONTAINER_OF(link, struct asking, link));
}
