/* Amazon SQS. Layer: svc/sqs; for the list of services. */
#ifndef WEIR_SVC_SQS_SQS_H
#define WEIR_SVC_SQS_SQS_H

#include "core/core.h"
#include "svc/sqs/sqs_port.h"

struct sqs;

/* start finds the queues of the store; their messages are read afterwards (sqs_load.c). begin_stop
 * ends long polls, empty, and the reading. */
extern const struct svc_def sqs_def;

#endif
