/* Requests as events and answers as replies: no crash, the event is JSON, and no reply breaks HTTP. The
 * first byte says which; of a request the lines are target, headers, and body. */
// link: weir_core
#include <stdint.h>
#include <stdlib.h>

#include "codec/json.h"
#include "core/proxy_event.h"

enum { ARENA_MAX = 16 * 1024 * 1024, HEADERS_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void make(struct arena *a, struct str text)
{
    struct wire_header headers[HEADERS_MAX];
    struct wire_request http = {.method = STR("GET"), .headers = headers};
    struct json *doc;
    struct str json, line = str_cut(&text, '\n');
    http.path = str_cut(&line, '?');
    http.query = line;
    while (text.len && http.n_headers < HEADERS_MAX) {
        line = str_cut(&text, '\n');
        if (line.len == 0)
            break;
        headers[http.n_headers].name = str_cut(&line, ':');
        headers[http.n_headers++].value = line.p ? line : STR("");
    }
    http.body = text;
    const struct proxy_request req = {.http = &http,
                                      .account = STR("a"),
                                      .api_id = STR("i"),
                                      .domain_name = STR("d"),
                                      .domain_prefix = STR("i"),
                                      .route_key = STR("r"),
                                      .stage = STR("s"),
                                      .request_id = STR("q"),
                                      .source_ip = STR("1.2.3.4")};
    if (proxy_event_make(a, &req, &json) == ERR_OK && json_parse(a, json, &doc, NULL) != ERR_OK)
        abort();
}

static void take(struct arena *a, struct str text, bool head)
{
    struct proxy_reply r;
    enum err err = head ? proxy_reply_read_head(a, text, &r) : proxy_reply_read(a, text, &r);
    if (err != ERR_OK)
        return;
    if (r.status < PROXY_STATUS_MIN || r.status > PROXY_STATUS_MAX ||
        r.n_headers > PROXY_HEADERS_MAX)
        abort();
    for (size_t i = 0; i < r.n_headers; i++)
        if (r.headers[i].name.len == 0 || str_find(r.headers[i].name, ':') != SIZE_MAX ||
            str_find(r.headers[i].name, '\n') != SIZE_MAX)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    if (size == 0)
        return 0;
    struct str text = str_n((const char *)data + 1, size - 1);
    arena_init(&a, ARENA_MAX);
    if (data[0] == 'e')
        make(&a, text);
    else
        take(&a, text, data[0] == 'h');
    arena_release(&a);
    return 0;
}
