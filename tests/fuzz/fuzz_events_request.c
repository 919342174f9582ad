/* What asks an API destination: the first line is its address, the second a value or a path into the event, the
 * rest the event, and what a server of tokens answered. Whatever comes, the request's address carries no other line
 * and no blank, and a token that is taken is one of a header. */
// link: weir_svc_events
#include <assert.h>
#include <stdint.h>

#include "svc/events/events_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_clean(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        assert((unsigned char)s.p[i] > ' ' && s.p[i] != 0x7f);
}

static void ask(struct arena *a, struct str endpoint, struct str value, struct str text)
{
    struct json *event;
    struct target_http filled;
    struct target_request r;
    const struct target_pair pair = {STR("X-Name"), value};
    const struct target_http http = {&value, 1, &pair, &pair, 1, 1};
    struct events_parameter own = {.key = STR("k"), .value = STR("v")};
    const struct events_auth auth = {
        .type = EVENTS_BASIC,
        .user = STR("u"),
        .secret = STR("s"),
        .invocation = {.query = &own, .n_query = 1, .body = &own, .n_body = 1},
    };
    const struct events_destination_rec d = {
        .endpoint = endpoint, .method = STR("POST"), .per_second = 1};
    if (json_parse(a, text, &event, NULL) != ERR_OK)
        return;
    enum err err = events_http_fill(a, &http, event, &filled);
    assert(err == ERR_OK || err == ERR_NOMEM || err == ERR_LIMIT);
    if (err)
        return;
    const struct target_delivery delivery = {.payload = text, .http = &filled};
    err = events_request_make(a, &d, &auth, &delivery, &r);
    assert(err == ERR_OK || err == ERR_NOMEM || err == ERR_LIMIT || err == ERR_INVALID);
    if (err)
        return;
    assert(str_is_set(r.body) && r.n_headers >= 3);
    for (size_t i = 0; i < r.n_headers; i++)
        for (size_t k = 0; k < i; k++)
            assert(!str_eq_nocase(r.headers[i].name, r.headers[k].name));
    check_clean(r.url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_n((const char *)data, size), token;
    int64_t seconds;
    struct arena a;
    if (size == 0)
        return 0;
    struct str endpoint = str_cut(&rest, '\n'), value = str_cut(&rest, '\n');
    bool clean = true; /* as the spec's pattern lets addresses be */
    for (size_t i = 0; i < endpoint.len; i++)
        clean &= (unsigned char)endpoint.p[i] > ' ' && endpoint.p[i] != 0x7f;
    arena_init(&a, 64 << 20);
    if (clean && str_is_set(value) && str_is_set(rest) && value.len < 512)
        ask(&a, endpoint, value, rest);
    if (str_is_set(rest)) {
        enum err err = events_token_read(&a, rest, &token, &seconds);
        assert(err == ERR_OK || err == ERR_NOMEM || err == ERR_INVALID);
        if (err == ERR_OK) {
            assert(token.len > 0 && seconds >= 0 && seconds <= 366 * 24 * 60 * 60);
            check_clean(token);
        }
    }
    arena_release(&a);
    return 0;
}
