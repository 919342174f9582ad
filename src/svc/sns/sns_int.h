/* Inside the service: what its files share.
 *
 * Invariants
 *   SN1  A message that was accepted reaches every subscription that was confirmed then: its
 *        deliveries are staged in the publisher's commit, or a job that stages them is (P2).
 *   SN2  A commit stages at most SNS_INLINE_MAX deliveries of a message; what goes to more is a job,
 *        SNS_STEP_MAX deliveries a step. Memory and time of a publisher do not grow with its topic.
 *   SN3  A pending subscription gets its confirmation request and nothing else; unconfirmed, it goes
 *        after SNS_PENDING_MS, when its token has expired, too.
 *   SN4  The key that signs is made once for a store and sealed in it; its certificate never
 *        changes, so that what was signed long ago can be verified.
 *   SN5  Nothing connects to the machine's own loopback unless the command line says so (FE3).
 *   SN6  What is kept of a message to a topic with a key of KMS (for a job, a retry, a letter that is shown)
 *        is in the store only sealed, and is told in no log.
 *
 * What is in memory: subscriptions with their parsed filters (a catalogue). Topics are read from the
 * store, tracked, by whoever publishes or subscribes.
 *
 * Layer: svc/sns. Thread: the transaction's, but for what sns_http.c says. */
#ifndef WEIR_SVC_SNS_SNS_INT_H
#define WEIR_SVC_SNS_SNS_INT_H

#include <pthread.h>

#include "auth/jwt.h"
#include "core/catalogue.h"
#include "core/claim.h"
#include "core/core.h"
#include "core/fault.h"
#include "core/target.h"
#include "deliver/deliver.h"
#include "deliver/due.h"
#include "deliver/job.h"
#include "deliver/outgoing.h"
#include "lang/pattern.h"
#include "sns_api.h"
#include "svc/kms/kms_port.h"
#include "svc/sns/sns.h"
#include "svc/sns/sns_keys.h"
#include "svc/sns/sns_port.h"
#include "svc/sns/sns_record.h"

enum {
    SNS_NAME_MAX = 256,
    SNS_DISPLAY_MAX = 100, /* characters */
    SNS_SUBJECT_MAX = 100, /* characters */
    SNS_MESSAGE_MAX = 256 * 1024,
    SNS_BATCH_MAX = 10,
    SNS_PAGE = 100,
    SNS_POLICY_MAX = 30 * 1024,
    SNS_DELIVERY_POLICY_MAX = 8 * 1024,
    SNS_ENDPOINT_MAX = 2048,
    SNS_ID_LEN = 36, /* a UUID */
    SNS_INLINE_MAX = 100,
    SNS_INLINE_BYTES_MAX = 4 * 1024 * 1024, /* of a message's bodies in one commit */
    SNS_STEP_MAX = 50,
    SNS_FIFO_SUBS_MAX = 100, /* subscriptions of a FIFO topic */
    SNS_FILTERS_MAX = 200,   /* filter policies of a topic */
    SNS_MAIL_MAX = 200,      /* letters kept */
    SNS_HTTP_RUNNING_MAX = 256,
    SNS_HTTP_TIMEOUT_MS = 15 * 1000,
};
#define SNS_PENDING_MS ((int64_t)3 * 24 * 60 * 60 * 1000)
#define SNS_PRINCIPAL "sns.amazonaws.com"

struct sns_signer; /* sns_sign.c */

struct sns {
    struct core *core;
    struct sns_port port;   /* what others use of this */
    struct catalogue *subs; /* struct sns_sub_live by sns_k_sub */
    struct due_kind *pending;
    struct job_kind *fanout, *removal, *clean;
    pthread_mutex_t sign_lock;
    struct sns_signer *signer; /* NULL until a key was made; then for ever */
    pthread_mutex_t draft_lock;
    struct arena draft_arena;
    struct sns_signing draft; /* a key that was generated, and may not be stored yet */
    struct core_claim cert_claim, mail_claim;
    uint64_t dedup_done, dedup_target; /* sns_jobs.c; home loop */
};

/* --- sns_find.c: what requests name ----------------------------------------------------------- */

struct sns_topic_ref {
    struct key_scope scope;
    struct str name, arn, key;
    struct sns_topic_rec rec;
    struct kms_data_key data_key; /* sns_key_to_publish's; absent: none */
};

/* A subscription in memory. */
struct sns_sub_live {
    struct catalogue_object object; /* first */
    struct sns_sub rec;
    struct str arn;
    struct pattern_set *filter; /* NULL: takes everything */
};

struct sns_sub_ref {
    struct sns_topic_ref topic;
    struct str arn, key;
    struct sns_sub rec;
};

/* A topic by ARN, read tracked. ERR_NOT_FOUND; the store's errors. */
enum err sns_topic_find(struct txn *txn, struct str arn, struct sns_topic_ref *ret) WARN_UNUSED;
/* The same for a request's member `param`; sets the service's error. */
enum err sns_topic_need(struct call *call, const char *param, struct str arn,
                        struct sns_topic_ref *ret) WARN_UNUSED;
/* The same, but ERR_NOT_FOUND stays that. */
enum err sns_topic_look(struct call *call, const char *param, struct str arn,
                        struct sns_topic_ref *ret) WARN_UNUSED;
enum err sns_topic_save(struct txn *txn, const struct sns_topic_ref *t) WARN_UNUSED;
/* A subscription by ARN, read tracked, with its topic. */
enum err sns_sub_find(struct txn *txn, struct str arn, struct sns_sub_ref *ret) WARN_UNUSED;
/* Whether the account subscribed to a topic of another one. */
bool sns_sub_is_abroad(const struct sns_sub_ref *sub, struct str account);
enum err sns_sub_need(struct call *call, struct str arn, struct sns_sub_ref *ret) WARN_UNUSED;
/* The same, but ERR_NOT_FOUND stays that. */
enum err sns_sub_look(struct call *call, struct str arn, struct sns_sub_ref *ret) WARN_UNUSED;
/* Stages record and memory. */
enum err sns_sub_save(struct sns *s, struct txn *txn, const struct sns_sub_ref *sub) WARN_UNUSED;
/* Stages the end of its record, its place in its owner's list, and its pending end. */
enum err sns_sub_remove(struct sns *s, struct txn *txn, const struct sns_sub_ref *sub) WARN_UNUSED;
/* The same, and that of its endpoint's entry, and its topic's counts. */
enum err sns_sub_drop(struct sns *s, struct txn *txn, struct sns_sub_ref *sub) WARN_UNUSED;
struct str sns_sub_arn(struct arena *a, const struct sns_sub *sub);
/* Its end comes by itself (SN3), or does not any more. */
enum err sns_pending_set(struct sns *s, struct txn *txn, const struct sns_sub_ref *sub) WARN_UNUSED;
enum err sns_pending_clear(struct sns *s, struct txn *txn,
                           const struct sns_sub_ref *sub) WARN_UNUSED;
/* Makes s->subs. ERR_NOMEM. */
enum err sns_subs_new(struct sns *s) WARN_UNUSED;
#define SNS_INVALID(call, ...)                                                                     \
    call_error((call), &sns_err_invalid_parameter_exception, "Invalid parameter: " __VA_ARGS__)

/* --- attributes ------------------------------------------------------------------------------- */

/* sns_config.c. Applies a topic's attribute; `create`: while it is made. ERR_FAILED with `f`. */
enum err sns_topic_apply(struct txn *txn, struct sns_topic_ref *t, struct str name,
                         struct str value, bool create, struct fault *f) WARN_UNUSED;
/* One as it is told (a policy: as it is stored); STR_NONE: not set. */
struct str sns_topic_tell_one(struct arena *a, const struct sns_topic_ref *t, struct str name);
/* All attributes as they are told. */
enum err sns_topic_tell(struct core *core, struct arena *a, const struct sns_topic_ref *t,
                        struct sns_topic_attributes_map *ret) WARN_UNUSED;
/* The policy that stands where none was set, as AWS shows it. */
enum err sns_default_policy(struct arena *a, const struct sns_topic_ref *t,
                            struct str *ret_json) WARN_UNUSED;
/* Checks a policy and makes what is stored of it. */
enum err sns_policy_stored(struct txn *txn, struct str json, struct str *ret_stored,
                           struct fault *f) WARN_UNUSED;

/* sns_sub_config.c. */
enum err sns_sub_apply(struct txn *txn, struct sns_sub_ref *sub, struct str name, struct str value,
                       struct fault *f) WARN_UNUSED;
/* After the last of several. */
enum err sns_sub_check(struct txn *txn, const struct sns_sub *rec, struct fault *f) WARN_UNUSED;
enum err sns_sub_tell(struct arena *a, const struct sns_sub_ref *sub,
                      struct sns_subscription_attributes_map *ret) WARN_UNUSED;
/* Whether two differ in what a subscriber may set. */
bool sns_sub_differs(const struct sns_sub *a, const struct sns_sub *b);
/* The filter policy parsed, as `rec` says; NULL where there is none or it is empty. ERR_INVALID with
 * *ret_why. */
enum err sns_filter_parse(struct arena *a, const struct sns_sub *rec, struct pattern_set **ret,
                          struct str *ret_why) WARN_UNUSED;

/* sns_delivery.c: delivery policies of HTTP endpoints. Pure. */
struct sns_delivery {
    struct sns_retry retry;
    bool has_retry, no_override;
    struct str content_type; /* absent: not said */
};
/* `text` absent: nothing said. ERR_INVALID with *ret_why; ERR_NOMEM. */
enum err sns_delivery_parse(struct arena *a, struct str text, bool of_topic,
                            struct sns_delivery *ret, const char **ret_why) WARN_UNUSED;
/* What holds for a subscription (`sub` NULL: for the topic). */
struct sns_delivery sns_delivery_effective(const struct sns_delivery *topic,
                                           const struct sns_delivery *sub);
/* As JSON; STR_NONE on exhaustion. */
struct str sns_delivery_text(struct arena *a, const struct sns_delivery *d, bool of_topic);
/* Milliseconds before retry `n` (1: the first). */
int64_t sns_retry_delay_ms(const struct sns_retry *r, int n);

/* --- messages --------------------------------------------------------------------------------- */

/* What a publisher gives. */
struct sns_draft {
    struct str subject, body, structure, group, dedup;
    const struct sns_message_attribute_map *attrs; /* NULL: none */
};
/* sns_message.c. Checks it and fills *ret but for what publishing gives. `*ret_bytes`: what counts
 * against the limit. ERR_FAILED with `f`. */
enum err sns_message_check(struct arena *a, const struct sns_topic_rec *topic,
                           const struct sns_draft *draft, struct sns_message *ret,
                           size_t *ret_bytes, struct fault *f) WARN_UNUSED;
/* The body that a protocol gets. `structure`: the parsed body of a structured message. */
struct str sns_message_body(const struct sns_message *m, const struct json *structure,
                            enum sns_protocol p);

/* sns_document.c: what endpoints get. Pure. */
struct sns_links {
    struct str cert, unsubscribe, subscribe, token; /* URLs; absent: not of this document */
};
enum sns_kind { SNS_NOTIFICATION, SNS_CONFIRM, SNS_UNSUBSCRIBED, SNS_KINDS };
struct str sns_kind_name(enum sns_kind kind);
/* Fields that every kind has. `text`: the message for this endpoint. */
struct sns_document {
    enum sns_kind kind;
    const struct sns_message *m;
    struct str text, signature, sub_arn;
    struct sns_links links;
};
/* What is signed. STR_NONE on exhaustion, as the next three. */
struct str sns_document_signed(struct arena *a, const struct sns_document *d);
struct str sns_document_text(struct arena *a, const struct sns_document *d);
/* The event of a function. */
struct str sns_document_event(struct arena *a, const struct sns_document *d);
/* A query of this endpoint that needs no credentials: "Action=Unsubscribe&...". */
struct str sns_link(struct arena *a, const struct core *core, const char *action, const char *name,
                    struct str value, struct str token);

/* sns_sign.c. Signs as the message's version says, in base64, and says where the certificate is
 * served; makes the key where there is none yet. */
enum err sns_sign(struct sns *s, struct txn *txn, int64_t version, struct str text,
                  struct str *ret_signature, struct str *ret_cert_url) WARN_UNUSED;
/* Before anything can fail: release follows. */
void sns_sign_init(struct sns *s);
enum err sns_sign_start(struct sns *s) WARN_UNUSED;
void sns_sign_release(struct sns *s);

/* sns_token.c: confirmation tokens. */
struct sns_token {
    struct str sub_id;
    uint64_t protocol;
    struct str endpoint; /* of one to subscribe anew; absent: it is there, pending */
};
enum err sns_token_make(struct txn *txn, const struct sns_topic_ref *t,
                        const struct sns_token *token, struct str *ret_text) WARN_UNUSED;
/* ERR_INVALID: not one of this topic, or expired. */
enum err sns_token_open(struct txn *txn, const struct sns_topic_ref *t, struct str text,
                        struct sns_token *ret) WARN_UNUSED;

/* --- publishing and delivering ---------------------------------------------------------------- */

/* sns_cipher.c. Whoever publishes calls it first: gets the data key of a topic with a key of KMS, as the
 * caller `who`, or NULL: as whom `from` says. ERR_FAILED with `f`. */
enum err sns_key_to_publish(struct txn *txn, struct sns_topic_ref *t, const struct principal *who,
                            const struct target *from, struct fault *f) WARN_UNUSED;
/* Seals a text under t->data_key. */
enum err sns_seal(struct txn *txn, const struct sns_topic_ref *t, struct str bound,
                  struct str *text) WARN_UNUSED;
/* What was sealed, again. ERR_DENIED: not while the key is as it is; ERR_NOT_FOUND: never, for it is
 * gone; both were logged. */
enum err sns_open_key(struct txn *txn, struct str topic_arn, struct str sealed,
                      struct kms_data_key *ret_key) WARN_UNUSED;
enum err sns_message_seal(struct txn *txn, const struct sns_topic_ref *t,
                          struct sns_message *m) WARN_UNUSED;
/* Sets t->data_key, too. */
enum err sns_message_open(struct txn *txn, struct sns_topic_ref *t,
                          struct sns_message *m) WARN_UNUSED;

/* sns_publish.c. Stages a checked message for all subscriptions; gives it its id and number, or
 * those of the one that it duplicates. */
enum err sns_publish_stage(struct sns *s, struct txn *txn, struct sns_topic_ref *t,
                           struct sns_message *m) WARN_UNUSED;
/* One step of a job: to the subscriptions after `after`, at most SNS_STEP_MAX. *ret_last: the last
 * one's id; absent: there were none. */
enum err sns_publish_some(struct sns *s, struct txn *txn, struct sns_topic_ref *t,
                          const struct sns_message *m, struct str after,
                          struct str *ret_last) WARN_UNUSED;

/* sns_measure.c. What becomes of a message, counted while its deliveries are staged, told when they are
 * committed. */
struct sns_counts {
    struct core *core;
    struct str topic_arn;
    bool published; /* its publication itself is part of the transaction; of so many bytes */
    size_t bytes;
    size_t delivered;
    size_t by_attributes, by_no_attributes, by_body, by_bad_body; /* filtered out */
};
enum err sns_measure_begin(struct txn *txn, struct str topic_arn,
                           struct sns_counts **ret) WARN_UNUSED;
/* A delivery has failed for good, and became a dead letter, should have, or has no queue for that. */
enum sns_burial { SNS_NO_QUEUE, SNS_BURIED, SNS_NOT_BURIED };
enum err sns_measure_failed(struct txn *txn, struct str topic_arn,
                            enum sns_burial burial) WARN_UNUSED;
void sns_measure_one(struct core *core, struct str topic_arn, struct str name);

/* sns_deliver.c. A message on its way to several subscriptions: what they share. */
struct sns_variant {
    bool made;
    struct str text;
    struct str signature, cert; /* absent: not signed yet */
    struct json *json;          /* of the text, for filters; NULL: not parsed, or none */
    bool parsed;
};
struct sns_publication {
    struct sns *s;
    struct txn *txn;
    const struct sns_topic_ref *t;
    const struct sns_message *m;
    struct sns_counts *counts;
    struct json *structure;  /* of a structured message */
    struct json *attributes; /* event of filters; NULL: not made yet */
    struct sns_delivery topic_policy;
    struct sns_variant variants[SNS_PROTOCOLS];
};
enum err sns_publication_init(struct sns_publication *p, struct sns *s, struct txn *txn,
                              const struct sns_topic_ref *t, const struct sns_message *m,
                              struct sns_counts *counts) WARN_UNUSED;
/* Stages the delivery to one subscription, if it wants the message. What its endpoint is at fault
 * for becomes a dead letter, or a line of the log. */
enum err sns_deliver(struct sns_publication *p, const struct sns_sub_live *sub) WARN_UNUSED;
/* Asks the endpoint to confirm, or tells it of its end (SNS_UNSUBSCRIBED). */
enum err sns_ask(struct sns *s, struct txn *txn, const struct sns_sub_ref *sub,
                 enum sns_kind kind) WARN_UNUSED;
/* sns_dead.c. To the subscription's dead-letter queue; the log where it has none. */
enum err sns_dead_letter(struct txn *txn, const struct sns_sub *sub, struct str body,
                         const char *code, const char *why) WARN_UNUSED;

/* sns_http.c: requests to endpoints, durable and retried. Attempts: home loop. */
enum err sns_http_register(struct sns *s) WARN_UNUSED;
enum err sns_http_add(struct sns *s, struct txn *txn, const struct sns_request *r) WARN_UNUSED;

/* sns_mail.c: letters, which are only shown. The texts are the transaction's, or live as long. */
enum err sns_mail_add(struct sns *s, struct txn *txn, const struct sns_mail *mail) WARN_UNUSED;
enum err sns_mail_start(struct sns *s) WARN_UNUSED;
/* Another service's (sns_port.h). */
enum err sns_mail_letter(void *s, struct txn *txn, const struct sns_letter *letter) WARN_UNUSED;

/* sns_jobs.c: deliveries to many, what is left of deleted topics, pending subscriptions that nobody
 * confirmed, old deduplication ids and letters. */
enum err sns_jobs_register(struct sns *s) WARN_UNUSED;
enum err sns_removal_add(struct sns *s, struct txn *txn, const struct sns_topic_ref *t) WARN_UNUSED;

/* sns_target.c, op_tags.c. */
extern const struct target_kind sns_targets[1];
extern const struct tags_service sns_tags;

#endif
