/* What the fuzzers of src/wire share: a request goes through routing, decoding, checks, resource
 * templates, and a fault through the error encoder. */
#ifndef WEIR_TESTS_FUZZ_WIRE_H
#define WEIR_TESTS_FUZZ_WIRE_H

#include <assert.h>

#include "all_services.h"
#include "wire/wire.h"

enum { FUZZ_ARENA_MAX = 64 * 1024 * 1024 };

struct fuzz_op {
    const struct wire_service *service;
    const char *name;
    enum wire_protocol protocol;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline enum err fuzz_key(void *arg, struct str name, struct str value)
{
    (void)arg;
    assert(name.p && value.p);
    return ERR_OK;
}

/* All that authorisation asks of an input. */
static inline void fuzz_permissions(const struct wire_op *op, const void *in, struct arena *arena)
{
    const struct wire_ask ask = {
        op, in, STR("000000000000"), STR("us-east-1"), STR("aws"), arena,
    };
    struct str arn;
    bool holds;
    enum err e = wire_resource(&ask, op->resource, &arn);
    assert(e == ERR_OK || e == ERR_LIMIT || e == ERR_NOMEM);
    for (size_t i = 0; i < op->n_also; i++) {
        e = wire_when(&ask, op->also[i].when, &holds);
        assert(e == ERR_OK || e == ERR_NOMEM);
        e = wire_resource(&ask, op->also[i].resource, &arn);
        assert(e == ERR_OK || e == ERR_LIMIT || e == ERR_NOMEM);
    }
    e = wire_keys_each(&ask, fuzz_key, NULL);
    assert(e == ERR_OK || e == ERR_LIMIT || e == ERR_NOMEM);
}

static inline void fuzz_decode(const struct wire_routed *routed, const struct wire_request *req,
                               struct arena *arena)
{
    void *in = NULL;
    struct wire_fault fault = {0};
    struct wire_reply reply;
    enum err e = wire_decode(routed, req, arena, &in, &fault);
    if (e == ERR_OK) {
        fuzz_permissions(routed->op, in, arena);
    } else if (e == ERR_FAILED) {
        assert(fault.error && fault.message.p);
        e = wire_encode_error(routed, fault.error, fault.message, NULL, 0, STR("r"), STR("h"),
                              arena, &reply);
        assert(e == ERR_OK || e == ERR_NOMEM);
    } else {
        assert(e == ERR_NOMEM);
    }
}

static inline void fuzz_body(const struct fuzz_op *op, struct str body)
{
    struct arena arena;
    arena_init(&arena, FUZZ_ARENA_MAX);
    struct wire_request req = {.method = STR("POST"), .path = STR("/"), .body = body};
    static const struct wire_route nothing;
    struct wire_routed routed = {.outcome = WIRE_ROUTED,
                                 .service = op->service,
                                 .op = wire_op_find(op->service, str_c(op->name)),
                                 .protocol = op->protocol,
                                 .route = &nothing};
    assert(routed.op);
    fuzz_decode(&routed, &req, &arena);
    arena_release(&arena);
}

static inline void fuzz_request(const struct wire_request *req, const char *scope)
{
    static const struct wire_service *const services[] = {EVERY_SERVICE};
    struct arena arena;
    struct wire_routed routed;
    struct wire_reply reply;
    arena_init(&arena, FUZZ_ARENA_MAX);
    enum err e = wire_route(services, ARRAY_LEN(services), req, str_c(scope), &arena, &routed);
    assert(e == ERR_OK || e == ERR_NOMEM);
    if (e == ERR_OK && routed.outcome == WIRE_ROUTED) {
        assert(routed.op && routed.service);
        fuzz_decode(&routed, req, &arena);
    } else if (e == ERR_OK) {
        assert(!routed.op);
        e = wire_encode_error(&routed, NULL, routed.op_name, NULL, 0, STR("r"), STR("h"), &arena,
                              &reply);
        assert(e == ERR_OK || e == ERR_NOMEM);
    }
    arena_release(&arena);
}

#endif
