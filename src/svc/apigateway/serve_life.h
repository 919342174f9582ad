/* The data plane's life, for the service's definition (core/svc.h), and what operations ask of it.
 *
 * Layer: svc. Thread: as svc.h says. */
#ifndef WEIR_SVC_APIGATEWAY_SERVE_LIFE_H
#define WEIR_SVC_APIGATEWAY_SERVE_LIFE_H

#include "core/core.h"

struct apigateway;
struct call;
struct core_seen;
struct serve;
struct usage;

/* In make; `usage` outlives it. ERR_NOMEM. */
enum err serve_new(struct core *core, struct apigateway *gw, struct usage *usage,
                   struct serve **ret_serve) WARN_UNUSED;
/* In start: takes the requests for APIs from here on. */
enum err serve_start(struct serve *serve) WARN_UNUSED;
/* In drain. */
void serve_drain(struct serve *serve, void (*done)(void *arg), void *arg);
/* In release. NULL is allowed. */
void serve_free(struct serve *serve);

/* Whether the call is a request to an API, not an operation's. */
bool serve_is_request(const struct call *call);
/* svc_def.measure. */
void serve_measure(void *self, const struct core_seen *seen);

#endif
