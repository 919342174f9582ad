/* Calls made inside the process, claims and observers, over the made-up service. */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/call_int.h"
#include "core/claim.h"
#include "core/inner.h"
#include "core/observe.h"
#include "help_core.h"

/* One call begun on the loop, and what came of it, copied. */
struct asked {
    struct io_task task;
    struct fixture *f;
    struct core_request req;
    struct core_inner *inner;
    bool cancel; /* this task cancels */
    bool inside; /* done was called inside core_call: it must not */
    bool begun;
    sem_t begun_sem;
    atomic_int done;
    enum err err;
    int status;
    char output[256], code[64], body[256];
};

static void keep(char *out, size_t size, struct str s)
{
    snprintf(out, size, "%.*s", (int)s.len, s.p ? s.p : "");
}

static void on_done(void *arg, const struct core_result *r)
{
    struct asked *a = arg;
    a->inside = !a->begun;
    a->err = r->err;
    a->status = r->status;
    keep(a->output, sizeof(a->output), r->output);
    keep(a->code, sizeof(a->code), r->code);
    keep(a->body, sizeof(a->body), r->body);
    atomic_store(&a->done, 1);
}

static void begin(struct io_task *task)
{
    struct asked *a = CONTAINER_OF(task, struct asked, task);
    if (a->cancel)
        core_call_cancel(a->inner);
    else
        assert_int_equal(core_call(&a->f->core, &a->req, on_done, a, &a->inner), ERR_OK);
    a->begun = true;
    sem_post(&a->begun_sem);
}

static void start(struct fixture *f, struct asked *a, const char *op, const char *input)
{
    *a = (struct asked){.f = f, .task = {.fn = begin}, .req = a->req};
    a->req.service = STR("test");
    a->req.operation = str_c(op);
    a->req.input = str_c(input);
    sem_init(&a->begun_sem, 0, 0);
    io_post(f->loop, &a->task);
    sem_wait(&a->begun_sem);
}

static void ask(struct fixture *f, struct asked *a, const char *op, const char *input)
{
    start(f, a, op, input);
    wait_count(&a->done, 1);
    assert_false(a->inside);
}

static void an_inner_call_answers(void **state)
{
    static const struct {
        const char *op, *input;
        enum err err;
        int status;
        const char *output, *code;
    } rows[] = {
        {"Put", "{\"key\":\"a\"}", ERR_OK, 200, "{\"value\":\"1\"}", ""},
        {"Put", "{\"key\":\"a\",\"other\":1}", ERR_OK, 200, "{\"value\":\"2\"}", ""},
        {"Get", "{\"key\":\"a\"}", ERR_OK, 200, "{\"value\":\"2\"}", ""},
        {"Get", "{\"key\":null}", ERR_FAILED, 404, "", "Missing"},
        {"Get", "", ERR_FAILED, 404, "", "Missing"},
        {"Get", "{\"key\":1}", ERR_FAILED, 500, "",
         "Broken"}, /* the fixture's every common error */
        {"Get", "[]", ERR_FAILED, 500, "", "Broken"},
        {"Get", "{", ERR_FAILED, 500, "", "Broken"},
        {"Nothing", "{}", ERR_NOT_FOUND, 500, "", "InternalFailure"},
    };
    struct fixture f;
    fixture_start(&f, false);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct asked a = {0};
        ask(&f, &a, rows[i].op, rows[i].input);
        assert_int_equal(a.err, rows[i].err);
        assert_int_equal(a.status, rows[i].status);
        assert_string_equal(a.output, rows[i].output);
        assert_string_equal(a.code, rows[i].code);
    }
    fixture_stop(&f);
}

/* A request as the service's own protocol has it, and its reply, errors too. */
static void an_inner_call_speaks_the_protocol(void **state)
{
    static const struct {
        const char *target, *body;
        enum err err;
        int status;
        const char *reply;
    } rows[] = {
        {"Test.Put", "{\"key\":\"a\"}", ERR_OK, 200, "{\"value\":\"1\"}"},
        {"Test.Get", "{\"key\":\"a\"}", ERR_OK, 200, "{\"value\":\"1\"}"},
        {"Test.Get", "{\"key\":null}", ERR_FAILED, 404, NULL},
        {"Test.Get", "{", ERR_FAILED, 500, NULL},
        {"Test.Nothing", "{}", ERR_NOT_FOUND, 400, NULL},
        {"Other.Get", "{}", ERR_NOT_FOUND, 400, NULL},
    };
    struct fixture f;
    fixture_start(&f, false);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct wire_header header = {STR("X-Amz-Target"), str_c(rows[i].target)};
        const struct wire_request http = {.method = STR("POST"),
                                          .path = STR("/"),
                                          .headers = &header,
                                          .n_headers = 1,
                                          .body = str_c(rows[i].body)};
        struct asked a = {.req = {.http = &http}};
        ask(&f, &a, "", "");
        assert_int_equal(a.err, rows[i].err);
        assert_int_equal(a.status, rows[i].status);
        if (rows[i].reply)
            assert_string_equal(a.body, rows[i].reply);
        else
            assert_true(str_starts(str_c(a.body), STR("{\"__type\":\"")));
        assert_string_equal(a.output, "");
    }
    fixture_stop(&f);
}

/* P1 holds for them too. */
static void it_waits_for_the_disk(void **state)
{
    struct fixture f;
    struct asked a = {0};
    fixture_start(&f, true);
    start(&f, &a, "Put", "{\"key\":\"a\"}");
    wait_count(&f.committed, 1);
    assert_int_equal(atomic_load(&a.done), 0);
    kv_mem_grant(f.mem, kv_mem_committed(f.mem));
    wait_count(&a.done, 1);
    assert_int_equal(a.err, ERR_OK);
    fixture_stop(&f);
}

static void it_suspends_and_wakes(void **state)
{
    struct fixture f;
    struct asked a = {0}, put = {0};
    fixture_start(&f, false);
    start(&f, &a, "Wait", "{\"key\":\"w\"}");
    wait_count(&f.suspended, 1);
    ask(&f, &put, "Put", "{\"key\":\"w\"}");
    fixture_wake(&f, 1);
    wait_count(&a.done, 1);
    assert_int_equal(a.err, ERR_OK);
    assert_string_equal(a.output, "{\"value\":\"1\"}");
    fixture_stop(&f);
}

static void a_cancelled_call_is_not_answered(void **state)
{
    struct fixture f;
    struct asked a = {0}, cancel;
    fixture_start(&f, false);
    start(&f, &a, "Wait", "{\"key\":\"w\"}");
    wait_count(&f.suspended, 1);
    cancel = (struct asked){.f = &f, .task = {.fn = begin}, .cancel = true, .inner = a.inner};
    sem_init(&cancel.begun_sem, 0, 0);
    io_post(f.loop, &cancel.task);
    sem_wait(&cancel.begun_sem);
    assert_int_equal(atomic_load(&f.cancelled), 1);
    fixture_stop(&f); /* asserts that nothing is left */
    assert_int_equal(atomic_load(&a.done), 0);
}

/* --- the principal's memory ----------------------------------------------------------------------- */

enum { TAGS_BYTES = 64 * 1024 }; /* over what an arena keeps for reuse */

static atomic_int on_pool, may_end, seen_right, has_left;

static void asker_left(struct call *call)
{
    core_call_cancel(call->state);
    atomic_store(&has_left, 1);
}

/* Outside: asks the same as a principal in its arena, and waits. Inside, on a worker: goes by that. */
static enum err run_as(struct call *call, const void *in, void *out)
{
    struct fixture *f = call->svc;
    if (call->impl->depth == 0) {
        struct principal *who = ARENA_NEW(call->arena, struct principal);
        struct principal_tag *tag = arena_calloc(call->arena, 1, TAGS_BYTES);
        struct core_inner *inner;
        *tag = (struct principal_tag){STR("team"), STR("a")};
        *who = (struct principal){.kind = PRINCIPAL_USER, .tags = tag, .n_tags = 1};
        struct core_request req = {.service = STR("test"),
                                   .operation = STR("Nest"),
                                   .input = STR("{}"),
                                   .who = who,
                                   .from = call};
        TRY(core_call(call->core, &req, on_done, ARENA_NEW(call->arena, struct asked), &inner));
        call->state = inner;
        return call_suspend(call, 60000, asker_left);
    }
    TRY(txn_work(call->txn, TXN_SLICE_WORK + 1));
    atomic_fetch_add(&on_pool, 1);
    wait_count(&may_end, 1);
    atomic_store(&seen_right, str_eq_c(call->who->tags[0].value, "a"));
    atomic_fetch_add(&f->ran, 1);
    return ERR_OK;
}

/* N4: who asked leaves while a worker runs the inner call. */
static void the_principal_stays_while_the_call_runs(void **state)
{
    struct fixture f;
    char text[512];
    fixture_nest = run_as;
    fixture_start(&f, false);
    int fd = client_connect(&f), other = client_connect(&f);
    client_send(fd, "Nest", "a");
    wait_count(&on_pool, 1);
    close(fd);
    wait_count(&has_left, 1);
    client_send(other, "Put", "a"); /* behind whatever the loop did of the one that left */
    assert_int_equal(client_read(other, text, sizeof(text)), 200);
    atomic_store(&may_end, 1);
    wait_count(&f.ran, 2);
    assert_int_equal(atomic_load(&seen_right), 1);
    close(other);
    fixture_stop(&f); /* asserts that nothing is left */
}

/* A body in pieces into the operation's sink, over and under what goes through a worker. */
static enum err read_piece(void *arg, void *p, size_t max, size_t *ret_n)
{
    size_t *left = arg;
    *ret_n = *left < max ? *left : max;
    memset(p, 'x', *ret_n);
    *left -= *ret_n;
    return ERR_OK;
}

static enum err read_fails(void *arg, void *p, size_t max, size_t *ret_n)
{
    return ERR_IO;
}

static void it_streams_a_body_in(void **state)
{
    static const size_t sizes[] = {0, 10, CALL_BODY_INLINE_MAX + 1, 3 * 1024 * 1024};
    static char bytes[3 * 1024 * 1024];
    for (size_t i = 0; i < ARRAY_LEN(sizes) * 2; i++) {
        size_t size = sizes[i / 2], left = size;
        struct fixture f;
        struct asked a = {0};
        char want[64];
        fixture_start(&f, false);
        a.req.body = i % 2 ? STR_NONE : str_n(bytes, size);
        a.req.read = i % 2 ? read_piece : NULL;
        a.req.read_arg = &left;
        ask(&f, &a, "Upload", "{}");
        snprintf(want, sizeof(want), "{\"value\":\"%zu bytes\"}", size);
        assert_string_equal(a.output, want);
        assert_int_equal(atomic_load(&f.sink_finished), 1);
        fixture_stop(&f);
    }
    struct fixture f;
    struct asked a = {.req = {.read = read_fails}};
    fixture_start(&f, false);
    ask(&f, &a, "Upload", "{}");
    assert_int_equal(a.err, ERR_IO);
    assert_int_equal(atomic_load(&f.sink_aborted), 1);
    fixture_stop(&f);
}

/* --- in a transaction ------------------------------------------------------------------------- */

struct within {
    struct fixture *f;
    const char *op;
    enum err want, answer; /* of the inner call; what the outer work then returns */
    char code[64];
    atomic_int done;
    enum err err;
};

static enum err body(struct txn *txn, void *arg)
{
    struct within *w = arg;
    struct core_request req = {
        .service = STR("test"), .operation = str_c(w->op), .input = STR("{\"key\":\"k\"}")};
    struct core_result r = {0};
    enum err err = core_call_in_txn(txn, &req, &r);
    assert_int_equal(err, w->want);
    keep(w->code, sizeof(w->code), r.code);
    return w->answer;
}

static void body_done(void *arg, enum err err)
{
    struct within *w = arg;
    w->err = err;
    atomic_store(&w->done, 1);
}

static void run_within(struct fixture *f, struct within *w)
{
    w->f = f;
    assert_int_equal(txn_run(&f->core, f->loop, body, w, body_done), ERR_OK);
    wait_count(&w->done, 1);
    assert_int_equal(w->err, w->answer);
}

static void it_commits_or_not_with_the_callers_transaction(void **state)
{
    struct fixture f;
    struct asked a = {0};
    fixture_start(&f, false);
    struct within gives_up = {.op = "Put", .answer = ERR_CORRUPT};
    run_within(&f, &gives_up);
    assert_int_equal(atomic_load(&f.aborted), 1);
    assert_int_equal(atomic_load(&f.committed), 0);
    ask(&f, &a, "Get", "{\"key\":\"k\"}");
    assert_string_equal(a.code, "Missing");
    struct within commits = {.op = "Put"};
    run_within(&f, &commits);
    assert_int_equal(atomic_load(&f.durable), 1);
    ask(&f, &a, "Get", "{\"key\":\"k\"}");
    assert_string_equal(a.output, "{\"value\":\"1\"}");
    fixture_stop(&f);
}

static void what_cannot_run_inside_is_refused(void **state)
{
    struct fixture f;
    fixture_start(&f, false);
    struct within wait = {.op = "Wait", .want = ERR_UNSUPPORTED};
    run_within(&f, &wait);
    struct within stream = {.op = "Upload", .want = ERR_UNSUPPORTED};
    run_within(&f, &stream);
    struct within none = {.op = "None", .want = ERR_NOT_FOUND};
    run_within(&f, &none);
    struct within fails = {.op = "Get", .want = ERR_FAILED};
    run_within(&f, &fails);
    assert_string_equal(fails.code, "Missing");
    fixture_stop(&f);
}

/* N3: an operation that calls itself inside its transaction. */
static atomic_int depth_reached;

static enum err run_nest(struct call *call, const void *in, void *out)
{
    struct core_request req = {
        .service = STR("test"), .operation = STR("Nest"), .input = STR("{}"), .from = call};
    struct core_result r;
    atomic_fetch_add(&depth_reached, 1);
    enum err err = core_call_in_txn(call->txn, &req, &r);
    return err == ERR_LIMIT ? ERR_OK : err;
}

static void calls_nest_to_a_limit(void **state)
{
    struct fixture f;
    struct asked a = {0};
    fixture_start(&f, false);
    fixture_nest = run_nest;
    ask(&f, &a, "Nest", "{}");
    assert_int_equal(a.err, ERR_OK);
    assert_int_equal(atomic_load(&depth_reached), INNER_DEPTH_MAX + 1);
    fixture_stop(&f);
}

/* --- observers -------------------------------------------------------------------------------- */

struct seen {
    atomic_int n;
    char last[256];
};

static void see(void *arg, const struct core_seen *s)
{
    struct seen *seen = arg;
    snprintf(seen->last, sizeof(seen->last), "%s %.*s %d in=%d out=%d error=%.*s", s->carrier,
             (int)s->op_name.len, s->op_name.p ? s->op_name.p : "", s->status, s->in != NULL,
             s->out != NULL, s->error ? (int)s->error->name.len : 0,
             s->error ? s->error->name.p : "");
    atomic_fetch_add(&seen->n, 1);
}

static void an_observer_sees_each_finished_call(void **state)
{
    struct fixture f;
    struct asked a = {0};
    struct seen seen = {0};
    struct core_observer o = {.fn = see, .arg = &seen};
    char text[512];
    fixture_start(&f, false);
    core_observe(&f.core, &o);
    int fd = client_connect(&f);
    client_send(fd, "Put", "a");
    assert_int_equal(client_read(fd, text, sizeof(text)), 200);
    assert_string_equal(seen.last, "http Put 200 in=1 out=1 error=");
    client_send(fd, "Get", "b");
    assert_int_equal(client_read(fd, text, sizeof(text)), 404);
    assert_string_equal(seen.last, "http Get 404 in=1 out=0 error=Missing");
    ask(&f, &a, "Get", "{\"key\":\"a\"}");
    assert_string_equal(seen.last, "inner Get 200 in=1 out=1 error=");
    ask(&f, &a, "Get", "[]");
    assert_string_equal(seen.last, "inner Get 500 in=0 out=0 error=Broken");
    int n = atomic_load(&seen.n);
    struct within gives_up = {.op = "Put", .answer = ERR_CORRUPT};
    run_within(&f, &gives_up); /* never happened */
    assert_int_equal(atomic_load(&seen.n), n);
    struct within commits = {.op = "Put"};
    run_within(&f, &commits);
    assert_int_equal(atomic_load(&seen.n), n + 1);
    close(fd);
    fixture_stop(&f);
}

/* --- claims ----------------------------------------------------------------------------------- */

static enum err run_page(struct call *call, const void *in, void *out)
{
    struct str text = str_fmt(call->arena, "%s " STR_FMT " " STR_FMT, (const char *)call->svc,
                              STR_ARG(call->request->path), STR_ARG(call->request->body));
    TRY(txn_put(call->txn,
                STR("\x7f"
                    "claimed"),
                STR("1")));
    call_reply_status(call, 202);
    TRY(call_reply_header(call, STR("X-Page"), STR("1")));
    call_reply_raw(call, STR("text/plain"), text);
    return ERR_OK;
}

static enum err run_signed(struct call *call, const void *in, void *out)
{
    return call_authenticate(call);
}

static const struct wire_service page_service = {.name = STR_INIT("page"),
                                                 .title = STR_INIT("Page"),
                                                 .protocol = WIRE_REST_JSON,
                                                 .signing = STR_INIT("page")};
static const struct wire_op page_op = {.name = STR_INIT("Page"),
                                       .flags = WIRE_OP_UNSIGNED,
                                       .status = 200,
                                       .service = &page_service,
                                       .run = run_page};
static const struct wire_op signed_op = {.name = STR_INIT("Signed"),
                                         .flags = WIRE_OP_UNSIGNED,
                                         .status = 200,
                                         .service = &page_service,
                                         .run = run_signed};

static int fetch(struct fixture *f, const char *host, const char *path, char *text, size_t size)
{
    char request[512];
    int fd = client_connect(f);
    int n = snprintf(request, sizeof(request),
                     "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 2\r\n\r\nhi", path, host);
    client_send_raw(fd, request, (size_t)n);
    int status = client_read(fd, text, size);
    close(fd);
    return status;
}

static void a_claim_takes_its_requests(void **state)
{
    static const struct {
        const char *host, *path;
        int status;
        const char *body;
    } rows[] = {
        {"abc.api.localhost:4566", "/x/y", 202, "by-host /x/y hi"},
        {"ABC.API.localhost", "/", 202, "by-host / hi"},
        {"abc.pages.eu-west-1.on.aws:443", "/", 202, "by-kind / hi"},
        {"abc.Pages", "/", 202, "by-kind / hi"},
        {"pages.localhost", "/", 400, NULL},
        {"a.abc.pages.localhost", "/", 400, NULL},
        {"localhost", "/_pages/login", 202, "by-path /_pages/login hi"},
        {"localhost", "/_page", 400, NULL},
        {"api.localhost", "/", 400, NULL},
        {"localhost", "/_signed", 400, NULL}, /* nobody's error table: no such key */
    };
    struct fixture f;
    struct seen seen = {0};
    struct core_observer o = {.fn = see, .arg = &seen};
    struct core_claim by_host = {
        .host_suffix = STR(".api.localhost"), .op = &page_op, .self = (void *)"by-host"};
    struct core_claim by_kind = {
        .host_kind = STR("pages"), .op = &page_op, .self = (void *)"by-kind"};
    struct core_claim by_path = {
        .path_prefix = STR("/_pages/"), .op = &page_op, .self = (void *)"by-path"};
    struct core_claim by_key = {.path_prefix = STR("/_signed"), .op = &signed_op};
    char text[1024];
    fixture_start(&f, false);
    core_observe(&f.core, &o);
    assert_int_equal(core_claim(&f.core, &by_host), ERR_OK);
    assert_int_equal(core_claim(&f.core, &by_kind), ERR_OK);
    assert_int_equal(core_claim(&f.core, &by_path), ERR_OK);
    assert_int_equal(core_claim(&f.core, &by_key), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int status = fetch(&f, rows[i].host, rows[i].path, text, sizeof(text));
        if (rows[i].body) {
            assert_int_equal(status, rows[i].status);
            assert_string_equal(text, rows[i].body);
            assert_string_equal(seen.last, "http Page 202 in=0 out=1 error=");
        } else {
            assert_true(status >= 400 && status < 500);
        }
    }
    struct buf b;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    buf_init_arena(&b, &arena, 1 << 20);
    core_metrics(&f.core, &b);
    assert_true(str_find_str(buf_str(&b), STR("operation=\"Page\",outcome=\"ok\"} 2")) != SIZE_MAX);
    arena_release(&arena);
    fixture_stop(&f);
}

/* As services make them: the spec says nothing of their status. */
static const struct wire_op bare_op = {
    .name = STR_INIT("Bare"), .flags = WIRE_OP_UNSIGNED, .service = &page_service, .run = run_page};

static void who_leaves_a_claim_before_it_is_durable(void **state)
{
    static const char request[] =
        "POST /_bare HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    struct fixture f;
    struct seen seen = {0};
    struct core_observer o = {.fn = see, .arg = &seen};
    struct core_claim claim = {
        .path_prefix = STR("/_bare"), .op = &bare_op, .self = (void *)"bare"};
    char text[512];
    fixture_start(&f, true);
    core_observe(&f.core, &o);
    assert_int_equal(core_claim(&f.core, &claim), ERR_OK);
    int fd = client_connect(&f), other = client_connect(&f);
    client_send_raw(fd, request, sizeof(request) - 1);
    while (kv_mem_committed(f.mem) == 0)
        sched_yield();
    close(fd);
    for (int i = 0; i < 2; i++) { /* behind whatever the loop did of the one that left */
        client_send(other, "Nope", "b");
        assert_int_equal(client_read(other, text, sizeof(text)), 400);
    }
    kv_mem_grant(f.mem, kv_mem_committed(f.mem));
    wait_count(&seen.n, 3);
    assert_string_equal(seen.last, "http Bare 202 in=0 out=1 error=");
    close(other);
    fixture_stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_inner_call_answers),
        cmocka_unit_test(an_inner_call_speaks_the_protocol),
        cmocka_unit_test(it_waits_for_the_disk),
        cmocka_unit_test(it_suspends_and_wakes),
        cmocka_unit_test(a_cancelled_call_is_not_answered),
        cmocka_unit_test(the_principal_stays_while_the_call_runs),
        cmocka_unit_test(it_streams_a_body_in),
        cmocka_unit_test(it_commits_or_not_with_the_callers_transaction),
        cmocka_unit_test(what_cannot_run_inside_is_refused),
        cmocka_unit_test(calls_nest_to_a_limit),
        cmocka_unit_test(an_observer_sees_each_finished_call),
        cmocka_unit_test(a_claim_takes_its_requests),
        cmocka_unit_test(who_leaves_a_claim_before_it_is_durable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
