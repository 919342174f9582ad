/* Inside of SQS: the instance, its queues, and what the operations share.
 *
 *   sqs.c          start, stop, the service's table
 *   sqs_load.c     rebuilding the queues' memory from the store after a start
 *   sqs_open.c     queues as operations find them: names, lookup
 *   sqs_queue.c    queues in memory: life, waking of long polls and watchers, timer
 *   sqs_index.c    which messages stand where
 *   sqs_send.c     staging a message; sqs_take.c: staging a receive, dead letters
 *   sqs_attempt.c  receives that are repeated
 *   sqs_lease.c    what a receipt handle permits: deletion, change of visibility
 *   sqs_message.c  rules of messages and their digests
 *   sqs_config.c   rules of queue attributes
 *   sqs_move.c     tasks that move dead letters back
 *   sqs_cipher.c   messages of queues with a key of KMS
 *   sqs_held.c     names that a deleted queue had a moment ago
 *   sqs_clean.c    background: purged, expired and deleted messages, old deduplication ids
 *   op_*.c         operations; sqs_port.c: what other services use; sqs_target.c: queues as targets
 *
 * Invariants
 *   Q1  Whoever sends to, receives from or changes a queue reads its record tracked in the same
 *       transaction; deletion and purge write it. So nothing is sent into a deleted queue, and no
 *       message survives a purge that was committed after it was sent.
 *   Q2  A message is in the index as something receivable only after its commit.
 *   Q3  Lock order: sqs.load_lock, sqs.lock, then sqs_queue.lock, then sqs.due_lock. None but
 *       load_lock is held across a store access but for reads of memory.
 *   Q4  A queue of an earlier run is `cold` until its messages are all in its index; then it enters
 *       `queues`. Whoever opens it before that completes it first, so nothing of a cold queue can
 *       change, and reading it in pieces, from several snapshots, reads one state.
 *   Q5  What is sent to a queue with a key of KMS is in the store only sealed: body, attributes, digest,
 *       trace. It stays so wherever it moves, and opens with its own data key, which lies beside it. What
 *       expiry, dead letters and order need is plain, so they ask no key.
 *
 * Layer: svc/sqs. */
#ifndef WEIR_SVC_SQS_INT_H
#define WEIR_SVC_SQS_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "codec/hash.h"
#include "core/core.h"
#include "core/fault.h"
#include "core/target.h"
#include "core/waiter.h"
#include "sqs_api.h"
#include "svc/kms/kms_port.h"
#include "svc/sqs/sqs.h"
#include "svc/sqs/sqs_index.h"
#include "svc/sqs/sqs_keys.h"
#include "svc/sqs/sqs_record.h"

enum {
    SQS_NAME_MAX = 80,
    SQS_BATCH_MAX = 10,
    SQS_SIZE_MAX = 1024 * 1024, /* of a message and of a batch, in bytes */
    SQS_DELAY_MAX_S = 900,
    SQS_WAIT_MAX_S = 20,
    SQS_VISIBILITY_MAX_S = 43200,
    SQS_INFLIGHT_MAX = 120000,
    SQS_PURGE_INTERVAL_MS = 60 * 1000,
    SQS_SECRET_LEN = 32,
    SQS_KMS_REUSE_S = 300, /* KmsDataKeyReusePeriodSeconds */
    SQS_KMS_REUSE_MIN_S = 60,
    SQS_KMS_REUSE_MAX_S = 86400,
    SQS_GAUGED_MIN = 15,     /* of zeros, for alarms that are to end */
    SQS_SEQ_TIME_SHIFT = 20, /* a sequence number is at least the time of sending, shifted */
};

struct sqs {
    struct core *core;
    struct sqs_port port; /* what others use of this */
    const struct kms_port *kms;
    pthread_rwlock_t lock; /* queues, watchers */
    struct map queues;     /* key of its record -> struct sqs_queue */
    struct list watchers;  /* struct sqs_watcher.all */
    struct list homeless;  /* struct sqs_queue.home: committed, but there was no memory to enter */
    uint8_t secret[SQS_SECRET_LEN];
    bool has_secret;

    pthread_mutex_t due_lock;
    struct heap due; /* queues by when somebody who waits must be told */
    struct io_task due_task;
    _Atomic bool due_posted;
    struct io_timer due_timer; /* home loop */
    bool due_timer_made;
    _Atomic bool stopped;

    struct job_kind *clean, *move;
    struct due_kind *held; /* names of deleted queues */
    /* Deduplication ids of buckets before dedup_done are gone, and will be of those before
     * dedup_target when the step of cleaning commits; home loop. */
    uint64_t dedup_done, dedup_target;

    pthread_mutex_t load_lock;
    struct map cold;            /* likewise, of queues that are in no table yet; under load_lock */
    struct io_timer load_timer; /* home loop */
    bool load_timer_made;
};

/* A queue in memory. Process lifetime, counted. */
struct sqs_queue {
    struct sqs *sqs;
    _Atomic unsigned refs;
    uint64_t id;
    struct buf text; /* owns the texts that follow */
    struct str key;  /* of its record */
    struct key_scope scope;
    struct str name;
    bool fifo;
    struct list home; /* in sqs.homeless, under sqs.lock */

    pthread_mutex_t lock; /* all below */
    struct sqs_index *ix;
    uint64_t last_seq;
    uint64_t purge_seq; /* as in the record */
    int64_t retention_ms;
    bool deleted;
    uint8_t gauged;    /* minutes for which its gauges are told though nothing is in it any more */
    uint64_t load_seq; /* while cold: messages below are in the index; under sqs.load_lock */
    struct waiters waiters; /* long polls */
    struct list watchers;   /* struct sqs_watcher.link */
    struct heap_node due;   /* in sqs.due; under due_lock */
};

/* A long poll. Lives in its call's arena, which holds the queue. */
struct sqs_waiter {
    struct waiter waiter;
    int64_t deadline_ms; /* wall clock */
};

/* An event source mapping. */
struct sqs_watcher {
    struct list all, link;
    struct buf text;         /* owns the key */
    struct str key;          /* of the queue's record */
    struct sqs_queue *queue; /* NULL while there is none of that name */
    void (*fn)(void *arg);
    void *arg;
};

/* The entry of a batch reply. */
struct sqs_batch_result_error_entry sqs_fault_entry(struct str id, const struct fault *f);

/* --- sqs_open.c: a queue as an operation sees it ----------------------------------------------- */

/* Who sends or receives, where KMS is to be asked. Borrowed. */
struct sqs_asker {
    const struct principal *who; /* NULL: whom `as` says */
    struct target as;
    struct fault *fault; /* what KMS refuses, with ERR_FAILED */
};

/* Opened for one transaction; `queue` is held until the transaction's arena goes. */
struct sqs_open {
    struct sqs_queue *queue;
    struct sqs_config config;
    const struct sqs_asker *by;     /* set by who receives */
    const struct kms_data_key *key; /* sqs_key_to_send's */
};

/* ERR_NOT_FOUND; ERR_CONFLICT while the queue's memory is about to appear. Reads the record tracked
 * (Q1). */
enum err sqs_open(struct sqs *s, struct txn *txn, struct key_scope scope, struct str name,
                  struct sqs_open *ret_open) WARN_UNUSED;
/* By ARN. ERR_NOT_FOUND also when it is not the ARN of a queue. */
enum err sqs_open_arn(struct sqs *s, struct txn *txn, struct str arn,
                      struct sqs_open *ret_open) WARN_UNUSED;
/* The call's error about a queue that is not there. */
enum err sqs_no_queue(struct call *call) WARN_UNUSED;
/* By the QueueUrl of a request; errors are the call's. */
enum err sqs_open_url(struct call *call, struct str url, struct sqs_open *ret_open) WARN_UNUSED;
/* Account and name of a queue URL of any host; of a bare name the account is absent. ERR_INVALID. */
enum err sqs_url_parse(struct str url, struct str *ret_account, struct str *ret_name) WARN_UNUSED;
/* ERR_NOT_FOUND: it is no queue's ARN. Borrows from the text. */
enum err sqs_arn_parse(struct str text, struct key_scope *ret_scope,
                       struct str *ret_name) WARN_UNUSED;
struct str sqs_queue_arn(struct arena *a, const struct sqs_queue *q);
struct str sqs_queue_url(struct arena *a, const struct core *core, struct str account,
                         struct str name);
/* Writes the queue's record. */
enum err sqs_save(struct txn *txn, const struct sqs_queue *q,
                  const struct sqs_config *c) WARN_UNUSED;
/* The same after a change of settings: with the time, and what memory mirrors of them. */
enum err sqs_save_changed(struct call *call, struct sqs_open *o) WARN_UNUSED;

/* --- sqs_queue.c: queues in memory ------------------------------------------------------------- */

/* New, in no table yet; one reference. ERR_NOMEM. */
enum err sqs_queue_new(struct sqs *s, struct key_scope scope, struct str name,
                       const struct sqs_config *c, struct sqs_queue **ret_queue) WARN_UNUSED;
void sqs_queue_ref(struct sqs_queue *q);
void sqs_queue_unref(struct sqs_queue *q);
/* Takes over a reference for the arena's life. ERR_NOMEM: it was given back. */
enum err sqs_queue_hold(struct arena *a, struct sqs_queue *q) WARN_UNUSED;
/* Enters it under its name, in the place of an older one; takes over the reference. ERR_NOMEM. */
enum err sqs_queue_enter(struct sqs_queue *q) WARN_UNUSED;
/* For after a commit: without memory for the entry, the first sqs_open that misses it tries again.
 */
void sqs_queue_enter_or_keep(struct sqs_queue *q);
/* Removes it: waiting receives are rerun and find no queue. */
void sqs_queue_leave(struct sqs_queue *q);
/* Drops every message below `seq` from memory. */
void sqs_queue_purge(struct sqs_queue *q, struct sqs_index *fresh, uint64_t seq);
/* Under q->lock: tells as many who wait as there is something for, and arms the timer for what
 * becomes visible later. */
void sqs_queue_wake(struct sqs_queue *q);
/* Under q->lock: next sequence number. */
uint64_t sqs_queue_next_seq(struct sqs_queue *q, int64_t now_ms);
static inline uint64_t sqs_seq_of_ms(int64_t ms)
{
    return ms <= 0 ? 0 : (uint64_t)ms << SQS_SEQ_TIME_SHIFT;
}
/* The timer's work on the home loop. */
void sqs_due_task(struct io_task *task);

/* --- sqs_held.c: names of queues that are no more ------------------------------------------------ */

enum err sqs_held_register(struct sqs *s) WARN_UNUSED;
/* Stages that no queue of that record's key may be made for a while. */
enum err sqs_hold_name(struct sqs *s, struct txn *txn, struct str key) WARN_UNUSED;
/* Reads it tracked. */
enum err sqs_name_is_held(struct sqs *s, struct txn *txn, struct str key,
                          bool *ret_held) WARN_UNUSED;

/* --- sqs_load.c ------------------------------------------------------------------------------- */

/* Finds the queues of the store, and arranges that their messages are read after the start. */
enum err sqs_load_start(struct sqs *s) WARN_UNUSED;
/* Completes the queue of a record's key if it is cold; else does nothing. ERR_NOMEM, ERR_IO, ERR_CORRUPT: it
 * stays cold. */
enum err sqs_load_now(struct sqs *s, struct str key) WARN_UNUSED;
void sqs_load_stop(struct sqs *s);
void sqs_load_free(struct sqs *s);

/* --- sqs_config.c ----------------------------------------------------------------------------- */

struct sqs_config_apply;

/* A settable attribute. */
struct sqs_config_attr {
    struct str name;
    enum err (*apply)(struct sqs_config_apply *ap, const struct sqs_config_attr *at,
                      struct str value);
    /* NULL: it has no value here. */
    struct str (*tell)(struct arena *a, const struct sqs_config *c,
                       const struct sqs_config_attr *at);
    size_t offset;      /* in sqs_config */
    int64_t min, max;   /* numbers */
    struct str no, yes; /* choices */
    bool fifo;          /* FIFO queues only */
};
enum { SQS_CONFIG_ATTRS = 15 };
extern const struct sqs_config_attr sqs_config_attrs[SQS_CONFIG_ATTRS];
/* NULL: there is none of that name. */
const struct sqs_config_attr *sqs_config_attr(struct str name);

void sqs_config_init(struct sqs_config *c, int64_t now_ms);
/* Applies attributes as CreateQueue and SetQueueAttributes do; c->fifo is set before. */
enum err sqs_config_apply(struct sqs *s, struct txn *txn, struct str queue_arn,
                          const struct sqs_queue_attribute_map *in, struct sqs_config *c,
                          struct fault *f) WARN_UNUSED;
/* Name of the first attribute in `in` that differs between two queues' settings; absent: none. */
struct str sqs_config_differs(struct arena *a, const struct sqs_queue_attribute_map *in,
                              const struct sqs_config *have, const struct sqs_config *want);
/* The value that GetQueueAttributes tells of a settable attribute; STR_NONE when it is not set. */
struct str sqs_config_get(struct arena *a, const struct sqs_config *c, struct str name);
/* Whether a document may be a queue's policy, or may be with the statement that was added (`more`); ERR_FAILED
 * with `f`. */
enum err sqs_policy_check(struct txn *txn, struct str json, bool more, struct fault *f) WARN_UNUSED;

/* --- sqs_cipher.c ----------------------------------------------------------------------------- */

/* Whoever sends calls it first: gets the data key of a queue with a key of KMS; nothing otherwise.
 * ERR_FAILED with by->fault. */
enum err sqs_key_to_send(struct txn *txn, struct sqs_open *to,
                         const struct sqs_asker *by) WARN_UNUSED;
/* Seals a message that has its id, under to->key. */
enum err sqs_seal_body(struct txn *txn, const struct sqs_open *to,
                       struct sqs_body *body) WARN_UNUSED;
/* Opens a message that is sealed, for from->by; ERR_FAILED with its fault. */
enum err sqs_open_body(struct txn *txn, const struct sqs_open *from,
                       struct sqs_body *body) WARN_UNUSED;

/* --- sqs_message.c ---------------------------------------------------------------------------- */

#define SQS_NO_DEDUP_ID                                                                            \
    "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId "    \
    "provided explicitly"

/* What a sender gives, in terms of the API. */
struct sqs_draft {
    struct str body;
    const struct sqs_message_body_attribute_map *attributes;
    const struct sqs_message_body_system_attribute_map *system; /* NULL: none */
    bool has_delay;
    int64_t delay_s;
    struct str group, dedup;
    struct str sender;
    struct str trace; /* of the call, unless `system` brings one; absent: none */
};
/* Bytes that count: of the body and of attributes, right or wrong. */
size_t sqs_draft_size(const struct sqs_draft *draft);
/* Checks a draft against the queue and makes the record (without id, time and sequence number), the
 * digest of its attributes and of its system attributes (hex; absent without any), and its size. */
struct sqs_checked {
    struct sqs_body body;
    struct str md5_hex, md5_attrs_hex, md5_system_hex;
    int64_t delay_s;
    size_t size;
};
enum err sqs_message_check(struct arena *a, const struct sqs_config *c,
                           const struct sqs_draft *draft, struct sqs_checked *ret_checked,
                           struct fault *f) WARN_UNUSED;
/* Hex MD5 over attributes as AWS defines it; STR_NONE when there are none or on exhaustion. */
struct str sqs_attrs_md5(struct arena *a, const struct sqs_attr *attrs, size_t n);
bool sqs_attr_is_binary(const struct sqs_attr *attr);
/* Whether an id that a request brings may be one: ERR_FAILED with `f`. */
enum err sqs_fifo_id_check(struct arena *a, struct fault *f, const char *parameter,
                           struct str id) WARN_UNUSED;
/* Characters that XML 1.0 allows, in valid UTF-8. */
bool sqs_text_ok(struct str s);

/* --- sqs_send.c ------------------------------------------------------------------------------- */

struct sqs_sent {
    struct str id;
    uint64_t fifo_seq; /* 0: standard */
    bool duplicate;    /* of the same deduplication id within DEDUP_MS: nothing was stored */
};
/* SequenceNumber as clients see it; STR_NONE for 0, and on exhaustion. */
struct str sqs_fifo_seq_text(struct arena *a, uint64_t seq);
/* Stages the message, visible `delay_s` after the transaction's time once committed. `body` gets
 * its id, time and number here. */
enum err sqs_send_stage(struct txn *txn, const struct sqs_open *to, struct sqs_body *body,
                        int64_t delay_s, struct sqs_sent *ret_sent) WARN_UNUSED;

/* Stages a message of another queue as it is, at once visible; its receives there (`history`; without
 * any: NULL) are told on. */
enum err sqs_move_stage(struct txn *txn, const struct sqs_open *to, struct sqs_body *body,
                        const struct sqs_state *history) WARN_UNUSED;

/* --- sqs_take.c ------------------------------------------------------------------------------- */

struct sqs_taken {
    uint64_t seq;
    uint32_t receives_here; /* this one included */
    uint32_t receives;      /* and those in queues that it was moved out of */
    int64_t first_receive_ms;
    struct sqs_body body;
    struct str receipt;
};
/* Stages the receive of up to `max` messages, which are then out for visibility_s. *ret_staged:
 * something is to be committed even when *ret_n is 0 (dead letters, expired ones). ERR_LIMIT: too
 * many are in flight. */
enum err sqs_take(struct txn *txn, const struct sqs_open *from, size_t max, int64_t visibility_s,
                  struct sqs_taken *ret_taken, size_t *ret_n, bool *ret_staged) WARN_UNUSED;

/* What is told of a receive of message `seq`, but for its body. ERR_NOMEM. */
enum err sqs_taken_fill(struct txn *txn, const struct sqs_open *from, uint64_t seq,
                        const struct sqs_state *state, struct sqs_taken *taken) WARN_UNUSED;

/* What becomes of visible messages that are taken out of a queue for good: `move` stages `body` (its to
 * change) elsewhere. ERR_NOT_FOUND: it stays, and so do those after it. */
struct sqs_away {
    enum err (*move)(void *arg, const struct sqs_open *from, struct sqs_body *body);
    void *arg;
};
/* Up to `max` of them, and no more than one receive takes; *ret_n: how many were looked at. Those past
 * their retention go. ERR_LIMIT: too many are in flight. */
enum err sqs_take_away(struct txn *txn, const struct sqs_open *from, uint64_t max,
                       const struct sqs_away *away, size_t *ret_n) WARN_UNUSED;

/* System attributes of a received message; absent ones are left out. ERR_NOMEM. */
enum { SQS_TOLD_MAX = 9 };
struct sqs_told {
    struct str name, value;
};
enum err sqs_taken_tell(struct arena *a, const struct sqs_taken *t,
                        struct sqs_told ret[SQS_TOLD_MAX], size_t *ret_n) WARN_UNUSED;

/* --- sqs_attempt.c ---------------------------------------------------------------------------- */

/* Stages what the last receive under this id gave out once more, to be out for visibility_s from now on.
 * ERR_NOT_FOUND: there was none within DEDUP_MS, or a message is not as it left it; nothing is staged. */
enum err sqs_attempt_again(struct txn *txn, const struct sqs_open *from, struct str id,
                           int64_t visibility_s, struct sqs_taken *ret_taken,
                           size_t *ret_n) WARN_UNUSED;
/* Stages that a receive under this id gave out these n messages for visibility_s. */
enum err sqs_attempt_note(struct txn *txn, const struct sqs_open *from, struct str id,
                          int64_t visibility_s, const struct sqs_taken *taken,
                          size_t n) WARN_UNUSED;

/* --- sqs_lease.c ------------------------------------------------------------------------------ */

struct str sqs_receipt_make(struct arena *a, const struct sqs_queue *q, uint64_t seq,
                            uint32_t receives);
enum err sqs_delete_stage(struct txn *txn, const struct sqs_open *q, struct str receipt,
                          struct fault *f) WARN_UNUSED;
enum err sqs_visibility_stage(struct txn *txn, const struct sqs_open *q, struct str receipt,
                              int64_t visibility_s, struct fault *f) WARN_UNUSED;

/* Whether a message is still out by that receive of it and until due_ms; ERR_NOT_FOUND. Reads its
 * state tracked. */
enum err sqs_lease_same(struct txn *txn, const struct sqs_open *q, uint64_t seq, uint32_t receives,
                        int64_t due_ms, struct sqs_state *ret_state) WARN_UNUSED;
/* Stages that it is out until due_ms, as if it had been received now. */
enum err sqs_lease_renew(struct txn *txn, const struct sqs_open *q, uint64_t seq,
                         struct sqs_state *state, int64_t due_ms) WARN_UNUSED;

/* --- sqs_fault.c: batches --------------------------------------------------------------------- */

/* 1 to SQS_NAME_MAX letters, digits, hyphens and underscores: names, labels, ids of entries. */
bool sqs_word_ok(struct str s);
/* Number, ids and uniqueness of a batch's entries; ids[i] of n. Errors are the call's. */
enum err sqs_batch_check(struct call *call, const char *entry_name, const struct str *ids,
                         size_t n) WARN_UNUSED;

/* --- op_tags.c, sqs_target.c ------------------------------------------------------------------ */

extern const struct tags_service sqs_tags;
extern const struct target_kind sqs_targets[1];

/* --- sqs_clean.c, sqs_port.c ------------------------------------------------------------------ */

/* Makes the job of it; before the jobs start. ERR_NOMEM. */
enum err sqs_clean_register(struct sqs *s) WARN_UNUSED;
/* There is garbage: look soon. Any thread. */
void sqs_clean_soon(struct sqs *s);

void sqs_port_fill(struct sqs *s);
/* In no list any more. NULL is allowed. */
void sqs_watcher_free(struct sqs_watcher *w);

/* sqs_measure.c: core's questions (core/svc.h); and a message was sent, committed. */
void sqs_measure(void *self, const struct core_seen *seen);
void sqs_gauges(void *self);
void sqs_measure_sent(const struct sqs_queue *q, size_t bytes);
/* One was sent again within its deduplication time. */
void sqs_measure_duplicate(const struct sqs_queue *q);

#endif
