/* The HTTP layer by itself: answers every request with "ok" after reading its body. Shows what of a
 * call's cost is HTTP. Prints "listening on http://..." like the server. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "http/http.h"

static void on_body(struct http_req *req, const void *p, size_t len, bool last, enum err err)
{
    const struct http_header type = {STR("Content-Type"), STR("text/plain")};
    if (last)
        http_reply(req, 200, &type, 1, STR("ok\n"));
}

static void on_request(void *ctx, struct http_req *req)
{
    http_body_start(req, UINT64_MAX, on_body);
}

static void on_close(void *ctx, struct http_req *req)
{
}

int main(void)
{
    enum { LOOPS = 2 };
    struct io_loop *loops[LOOPS];
    struct http_server *server;
    char why[256];
    for (int i = 0; i < LOOPS; i++)
        if (io_loop_new(i, &loops[i]) != ERR_OK)
            return 1;
    struct http_server_config cfg = {
        .host = "127.0.0.1",
        .loops = loops,
        .n_loops = LOOPS,
        .handler = {NULL, on_request, on_close},
    };
    if (http_server_new(&cfg, &server, why, sizeof(why)) != ERR_OK) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    for (int i = 1; i < LOOPS; i++)
        if (io_loop_start(loops[i]) != ERR_OK)
            return 1;
    printf("listening on http://127.0.0.1:%u\n", http_server_port(server));
    fflush(stdout);
    io_loop_run(loops[0]); /* until a signal ends the process */
    return 0;
}
