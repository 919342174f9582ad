/* Amazon SQS. Layer: svc/sqs; for main. */
#ifndef WEIR_SVC_SQS_SQS_H
#define WEIR_SVC_SQS_SQS_H

#include "core/core.h"
#include "svc/sqs/sqs_port.h"

struct sqs;

/* ERR_NOMEM. `core` is borrowed and outlives it. */
enum err sqs_new(struct core *core, struct sqs **ret_sqs) WARN_UNUSED;
/* Rebuilds the queues' indexes from the store; before the loops serve. Background work begins when
 * they run. ERR_IO, ERR_CORRUPT, ERR_NOMEM. */
enum err sqs_start(struct sqs *s) WARN_UNUSED;
/* No background work from here on; long polls end, empty. When the process begins to drain; on the
 * home loop's thread, or after the loops have stopped. sqs_free does it too. */
void sqs_stop(struct sqs *s);
/* After the loops have stopped and every call is over. NULL is allowed. */
void sqs_free(struct sqs *s);
void sqs_svc(struct sqs *s, struct svc *ret_svc);
void sqs_port(struct sqs *s, struct sqs_port *ret_port);

#endif
