/* The part of a server on one loop: what its connections and the server above them both need. The
 * server's memory is released by the last of its owner and its open handles.
 *
 * Layer: http. Thread: the shard's loop; http_server_unref on any. */
#include <unistd.h>

#include "base/mem.h"
#include "http/http_int.h"

void http_server_unref(struct http_server *server)
{
    if (atomic_fetch_sub(&server->refs, 1) != 1)
        return;
    for (size_t i = 0; i < server->n_shards; i++) {
        mem_free(server->shards[i].read_buf);
        mem_free(server->shards[i].plain_buf);
        buf_release(&server->shards[i].out);
    }
    http_tls_ctx_free(server->tls);
    if (server->fd >= 0)
        close(server->fd);
    if (server->spare_fd >= 0)
        close(server->spare_fd);
    mem_free(server->shards);
    mem_free(server);
}

struct str http_shard_date(struct http_shard *shard)
{
    int64_t now_ms = clock_wall_ms();
    if (now_ms / 1000 != shard->date_s) {
        shard->date_s = now_ms / 1000;
        shard->date_len = clock_http(shard->date, now_ms).len;
    }
    return str_n(shard->date, shard->date_len);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct http_shard *shard = handle->data;
    http_server_unref(shard->server);
}

void http_shard_close_poll(struct http_shard *shard)
{
    if (!shard->accepting)
        return;
    shard->accepting = false;
    uv_close((uv_handle_t *)&shard->poll, on_handle_closed);
}

void http_shard_close_prepare(struct http_shard *shard)
{
    if (!shard->running)
        return;
    shard->running = false;
    io_timer_stop(&shard->grace);
    uv_close((uv_handle_t *)&shard->prepare, on_handle_closed);
}

void http_shard_check_drained(struct http_shard *shard)
{
    if (!shard->draining || !shard->running || atomic_load(&shard->n_conns) > 0)
        return;
    http_shard_close_prepare(shard);
    io_post(shard->server->shards[0].loop, &shard->report);
}

void http_server_leave(struct http_server *server, bool adopted, bool stranger)
{
    atomic_fetch_sub(&server->n_open, 1);
    if (adopted)
        atomic_fetch_sub(&server->n_adopted, 1);
    if (stranger)
        atomic_fetch_sub(&server->n_strangers, 1);
}

void http_shard_conn_gone(struct http_shard *shard)
{
    atomic_fetch_sub(&shard->n_conns, 1);
    http_shard_check_drained(shard);
    http_server_unref(shard->server);
}
