/* The key layouts of the service; nobody else builds its keys (kv/key.h says the letters).
 *
 * Queue ids are drawn at random once, so that a name used again never meets old messages. */
#ifndef WEIR_SVC_SQS_SQS_KEYS_H
#define WEIR_SVC_SQS_SQS_KEYS_H

#include "kv/key.h"

/* scope, name -> sqs_config */
static const struct key_layout sqs_k_queue = {KEY_SQS, 1, "St"};
/* queue id, sequence number -> sqs_body, never rewritten */
static const struct key_layout sqs_k_body = {KEY_SQS, 2, "uu"};
/* queue id, sequence number -> sqs_state, small */
static const struct key_layout sqs_k_state = {KEY_SQS, 3, "uu"};
/* bucket, queue id, message group (or empty), deduplication id: deliver/dedup.h */
static const struct key_layout sqs_k_dedup = {KEY_SQS, 4, "uutt"};
/* queue id, bound -> empty: messages below the bound are to be deleted; all of them when it is the
 * largest number: the queue is gone */
static const struct key_layout sqs_k_garbage = {KEY_SQS, 5, "uu"};
/* queue id, start -> sqs_move_task (sqs_move.h): tasks that move its messages away */
static const struct key_layout sqs_k_task = {KEY_SQS, 7, "uu"};
/* bucket of time, queue id, ReceiveRequestAttemptId -> what it gave out (sqs_attempt.c) */
static const struct key_layout sqs_k_attempt = {KEY_SQS, 8, "uut"};
/* -> secret of receipt handles */
static const struct key_layout sqs_k_secret = {KEY_SQS, 6, ""};

#endif
