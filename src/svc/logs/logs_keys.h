/* The keys of the service, and nobody else builds them:
 *
 *   07 01 text(group)                              -> group record
 *   07 02 u64(group id) text(stream)               -> stream record
 *   07 03 u64(stream id) i64(timestamp) u64(seq)   -> event record
 *   07 04 u64(group id) i64(last event) text(stream) -> empty: streams by time of last event
 *   07 05 u64(stream id)                           -> empty: events of a deleted stream, to be
 * swept 07 06 u64(group id)                            -> empty: a deleted group, to be swept
 *
 * Ids are drawn at random once, so that a name used again never meets old events. */
#ifndef WEIR_SVC_LOGS_LOGS_KEYS_H
#define WEIR_SVC_LOGS_LOGS_KEYS_H

#include "kv/key.h"

enum { LOGS_KEY_MAX = 4096 };

/* Each makes a key in the arena; absent on exhaustion. */
struct str logs_key_group(struct arena *a, struct str group);
/* Prefix of names that start with `prefix`. */
struct str logs_key_group_prefix(struct arena *a, struct str prefix);
struct str logs_key_stream(struct arena *a, uint64_t group_id, struct str stream);
struct str logs_key_stream_prefix(struct arena *a, uint64_t group_id, struct str prefix);
struct str logs_key_event(struct arena *a, uint64_t stream_id, int64_t timestamp, uint64_t seq);
/* Prefix of all events of a stream. */
struct str logs_key_events(struct arena *a, uint64_t stream_id);
struct str logs_key_by_time(struct arena *a, uint64_t group_id, int64_t last_ms, struct str stream);
struct str logs_key_by_time_prefix(struct arena *a, uint64_t group_id);
struct str logs_key_dead_stream(struct arena *a, uint64_t stream_id);
struct str logs_key_dead_streams(struct arena *a);
struct str logs_key_dead_group(struct arena *a, uint64_t group_id);
struct str logs_key_dead_groups(struct arena *a);

/* What the last fields of a key say. ERR_CORRUPT. */
enum err logs_key_read_group(struct str key, struct arena *a, struct str *ret_group) WARN_UNUSED;
enum err logs_key_read_stream(struct str key, struct arena *a, struct str *ret_stream) WARN_UNUSED;
enum err logs_key_read_event(struct str key, int64_t *ret_ts, uint64_t *ret_seq) WARN_UNUSED;
enum err logs_key_read_by_time(struct str key, struct arena *a, int64_t *ret_last_ms,
                               struct str *ret_stream) WARN_UNUSED;
enum err logs_key_read_dead(struct str key, uint64_t *ret_id) WARN_UNUSED;

#endif
