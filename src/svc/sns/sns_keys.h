/* The key layouts of the service; nobody else builds its keys (kv/key.h says the letters).
 *
 * Topic ids are drawn at random once, so that a name used again never meets old subscriptions. */
#ifndef WEIR_SVC_SNS_SNS_KEYS_H
#define WEIR_SVC_SNS_SNS_KEYS_H

#include "kv/key.h"

/* scope, topic name -> sns_topic */
static const struct key_layout sns_k_topic = {KEY_SNS, 1, "St"};
/* scope, topic id, subscription id -> sns_sub */
static const struct key_layout sns_k_sub = {KEY_SNS, 2, "Sut"};
/* owner's scope, topic id, subscription id -> its key: subscriptions to topics of other accounts */
static const struct key_layout sns_k_abroad = {KEY_SNS, 9, "Sut"};
/* topic id, protocol, endpoint -> subscription id */
static const struct key_layout sns_k_endpoint = {KEY_SNS, 3, "utt"};
/* bucket, topic id, message group (or empty), deduplication id: deliver/dedup.h */
static const struct key_layout sns_k_dedup = {KEY_SNS, 4, "uutt"};
/* topic id -> varint: sequence number of the newest message (FIFO) */
static const struct key_layout sns_k_seq = {KEY_SNS, 5, "u"};
/* message number -> sns_message, while a job delivers it to many subscriptions */
static const struct key_layout sns_k_message = {KEY_SNS, 6, "u"};
/* -> sealed sns_signing: the key that signs messages */
static const struct key_layout sns_k_signing = {KEY_SNS, 7, ""};
/* when (ms), number -> sns_mail: letters that nobody sent */
static const struct key_layout sns_k_mail = {KEY_SNS, 8, "iu"};

#endif
