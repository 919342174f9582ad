/* Lines of access and execution logs on their way to CloudWatch Logs: gathered in memory, staged
 * together in one background transaction, soon but off the path of requests.
 *
 *   serve_book_add (any loop) -> waiting --BOOK_FLUSH_MS--> being written --durable--> gone
 *
 * Invariants
 *   BK1  At most SERVE_BOOK_BYTES_MAX bytes wait; more is dropped, counted and told.
 *   BK2  Lines of a stream stay in order: one flush is under way at a time.
 *   BK3  A crash loses what was not flushed: AWS's own logs are "best effort", too, and a request that
 *        only reads does not wait for the disk because it is logged.
 *
 * Layer: svc. Thread: add any, the rest the home loop. */
#ifndef WEIR_SVC_APIGATEWAY_SERVE_BOOK_H
#define WEIR_SVC_APIGATEWAY_SERVE_BOOK_H

#include "core/core.h"
#include "kv/key.h"

enum { SERVE_BOOK_BYTES_MAX = 16 * 1024 * 1024 };

struct serve_book;

/* ERR_NOMEM. */
enum err serve_book_new(struct core *core, struct serve_book **ret_book) WARN_UNUSED;
/* In start. */
void serve_book_start(struct serve_book *book);
/* A line of a stream of a log group. Copied; without memory it is dropped. */
void serve_book_add(struct serve_book *book, struct key_scope scope, struct str group,
                    struct str stream, int64_t at_ms, struct str line);
/* Writes what waits, then done(arg) on the home loop. No line comes any more. */
void serve_book_drain(struct serve_book *book, void (*done)(void *arg), void *arg);
void serve_book_free(struct serve_book *book); /* NULL is allowed */

#endif
