/* The Lambda service: functions, their policies and mappings, and the engine that runs them.
 *
 * Layer: svc. Thread: handlers on any loop, the engine on the home loop. README.md argues the
 * design. */
#ifndef WEIR_SVC_LAMBDA_LAMBDA_H
#define WEIR_SVC_LAMBDA_LAMBDA_H

#include "core/core.h"
#include "deliver/deliver.h"
#include "sandbox/sandbox.h"
#include "svc/lambda/lambda_port.h"
#include "svc/logs/logs_port.h"
#include "svc/s3/s3_port.h"
#include "svc/sqs/sqs_port.h"

struct lambda;

/* Everything is borrowed, the ports too: they may be filled after this. Registers its kinds with
 * `deliver`. ERR_NOMEM. */
enum err lambda_new(struct core *core, struct deliver *deliver, struct sandbox *sandbox,
                    const struct sqs_port *sqs, const struct s3_port *s3,
                    const struct logs_port *logs, struct lambda **ret_lambda) WARN_UNUSED;
/* Reads functions and mappings from the store, removes packages that nothing refers to, adds the
 * route of package downloads. Before the loops serve. */
enum err lambda_start(struct lambda *l) WARN_UNUSED;
/* Stops the pollers, starts no environment any more and writes the logs that are there; done(arg)
 * on the home loop, where this is called. */
void lambda_stop(struct lambda *l, void (*done)(void *arg), void *arg);
/* After the loops stopped. */
void lambda_free(struct lambda *l);

void lambda_svc(struct lambda *l, struct svc *ret_svc);
void lambda_port(struct lambda *l, struct lambda_port *ret_port);

#endif
