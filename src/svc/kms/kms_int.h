/* Inside the service: records, and what the operations share.
 *
 * Invariants
 *   KM1  Material is in the store only sealed (core/secret.h) for its own record, and in memory only
 *        while one operation uses it, in the call's arena, overwritten afterwards.
 *   KM2  A key's material records are 1 to key->material, without gaps. Nothing but the deletion of the
 *        key removes one; imported material that was deleted or has expired leaves its record, without
 *        the secret, so that only the same can be imported again.
 *   KM3  Who may use a key is decided before its state is looked at: by its policy, by what that
 *        leaves to identity policies, or by a grant; the same for its owner as for anybody.
 *   KM4  A grant has three records: by key and grantee, by key and id, and by retiring principal where
 *        it has one. They are written and removed together.
 *   KM5  An alias has two records, by name and by key.
 *   KM6  What must happen to a key by itself (deletion, rotation, expiry) is a due time set in the
 *        commit that decided on it; a firing reads the key again and does what its record says. */
#ifndef WEIR_SVC_KMS_KMS_INT_H
#define WEIR_SVC_KMS_KMS_INT_H

#include "kms_api.h"

#include "core/core.h"
#include "core/page.h"
#include "deliver/due.h"
#include "svc/kms/kms.h"
#include "svc/kms/kms_blob.h"
#include "svc/kms/kms_cache.h"
#include "svc/kms/kms_crypto.h"
#include "svc/kms/kms_keys.h"
#include "svc/kms/kms_port.h"

enum {
    KMS_MATERIAL_ID_BYTES = 32,
    KMS_POLICY_MAX = 32 * 1024,
    KMS_WINDOW_DAYS_MIN = 7,
    KMS_WINDOW_DAYS_MAX = 30,
    KMS_ROTATION_DAYS = 365, /* unless said otherwise */
    KMS_ON_DEMAND_MAX = 25,
    KMS_ALIASES_MAX = 50,   /* of a key */
    KMS_GRANTS_MAX = 50000, /* of a key */
    KMS_DROP_GRANTS = 500,  /* grants of a deleted key that one firing removes */
    KMS_CONSTRAINT_PAIRS = 64,
    KMS_LIST_KEYS = 100,
    KMS_LIST_KEYS_MAX = 1000,
    KMS_LIST = 50, /* aliases, grants, tags */
    KMS_LIST_MAX = 100,
};
#define KMS_DAY_MS ((int64_t)24 * 60 * 60 * 1000)

struct kms {
    struct core *core;
    struct due_kind *due;
    struct kms_port port; /* what others use of this */
    struct kms_cache cache;
};

static inline struct kms *kms_of(const struct call *call)
{
    return call->svc;
}

/* Never renumber. */
enum kms_state {
    KMS_ENABLED,
    KMS_DISABLED,
    KMS_PENDING_DELETION,
    KMS_PENDING_IMPORT,
    KMS_STATES,
};

struct kms_key {
    enum kms_spec spec;
    enum kms_usage usage;
    enum kms_state state;
    int64_t created_ms;
    struct str description;
    struct str public_der; /* of a pair; absent otherwise */
    uint32_t material;     /* number of the current one; 0: none yet */
    bool imported;         /* origin EXTERNAL */
    bool expires;          /* imported material, at valid_to_ms */
    int64_t valid_to_ms;
    uint32_t window_days; /* KMS_PENDING_DELETION */
    int64_t deletion_ms;
    bool rotates;
    uint32_t period_days; /* last asked for; 0: never */
    int64_t next_rotation_ms;
    uint32_t on_demand; /* rotations that were asked for */
    uint64_t aliases, grants;
    bool managed;     /* by AWS, for one of its services (kms_managed.c) */
    int64_t state_ms; /* since when it is in its state, as users see the time; 0: unknown */
    struct str id;    /* of the record's key; not in the record */
    struct key_scope scope;
};

struct kms_material {
    uint8_t id[KMS_MATERIAL_ID_BYTES];
    int64_t created_ms;
    bool on_demand;
    struct str sealed;
    struct str description; /* of imported material; absent: none */
};

struct kms_alias {
    struct str key_id;
    int64_t created_ms, updated_ms;
};

/* How a grant is bound to encryption contexts. Never renumber. */
enum kms_constraint { KMS_UNCONSTRAINED, KMS_CONTEXT_SUBSET, KMS_CONTEXT_EQUALS, KMS_CONSTRAINTS };

struct kms_grant {
    struct str name;
    struct str grantee, retiring; /* as stored (core_principal_stored) */
    int64_t created_ms;
    uint64_t operations; /* bits of kms_grant_operations */
    enum kms_constraint constraint;
    struct kms_pair *pairs;
    size_t n_pairs;
    struct str id, key_id; /* of the record's key */
};

/* --- records (kms_record.c) --- */

/* All ERR_NOT_FOUND, and what the store says. Texts are the transaction's arena. */
enum err kms_key_read(struct txn *txn, struct key_scope scope, struct str id,
                      struct kms_key *ret) WARN_UNUSED;
enum err kms_key_write(struct txn *txn, const struct kms_key *key) WARN_UNUSED;
/* The account of a key by its id; the configured one where no other is known to have it. */
enum err kms_owner_of(struct txn *txn, struct str id, struct str *ret_account) WARN_UNUSED;
/* kms_auth.c: the service's hook of the name in struct svc_def, for what a ciphertext alone names. */
enum err kms_owner(struct call *call, const void *in, struct str *ret_account) WARN_UNUSED;
enum err kms_material_read(struct txn *txn, const struct kms_key *key, uint32_t number,
                           struct kms_material *ret) WARN_UNUSED;
/* Seals `secret` (absent: there is none any more) as this material of the key. */
enum err kms_material_write(struct txn *txn, const struct kms_key *key, uint32_t number,
                            struct str secret, struct kms_material *material) WARN_UNUSED;
/* The secret of a material, in the arena: kms_wipe it. */
enum err kms_material_open(struct txn *txn, const struct kms_key *key, uint32_t number,
                           struct str *ret_secret) WARN_UNUSED;
/* Its id as users see it. STR_NONE on exhaustion. */
struct str kms_material_name(struct arena *a, const struct kms_material *material);
/* The same of the current material of a symmetric key; absent for others. */
enum err kms_current_material(struct txn *txn, const struct kms_key *key,
                              struct str *ret_name) WARN_UNUSED;
enum err kms_alias_read(struct txn *txn, struct key_scope scope, struct str name,
                        struct kms_alias *ret) WARN_UNUSED;
enum err kms_alias_write(struct txn *txn, struct key_scope scope, struct str name,
                         const struct kms_alias *alias) WARN_UNUSED;
enum err kms_grant_parse(struct arena *a, struct str key, struct str record,
                         struct kms_grant *ret) WARN_UNUSED;
enum err kms_grant_write(struct txn *txn, struct key_scope scope,
                         const struct kms_grant *grant) WARN_UNUSED;
enum err kms_grant_drop(struct txn *txn, struct key_scope scope,
                        const struct kms_grant *grant) WARN_UNUSED;
/* By its id. ERR_NOT_FOUND. */
enum err kms_grant_read(struct txn *txn, struct key_scope scope, struct str key_id, struct str id,
                        struct kms_grant *ret) WARN_UNUSED;

/* --- which key (kms_find.c) --- */

/* Forms in which an operation takes a key. */
enum kms_form { KMS_BY_ID, KMS_BY_ALIAS /* or by id */ };

/* Where a reference is looked for: in the call's account; of ReEncrypt, whose two keys may be two
 * accounts', in the one that an ARN says. */
struct key_scope kms_scope_of(const struct call *call, struct str ref);
/* The id that a request means, without asking whether the key is there. Sets the call's error. */
enum err kms_resolve(struct call *call, struct str ref, enum kms_form form,
                     struct str *ret_id) WARN_UNUSED;
/* And the key. */
enum err kms_need(struct call *call, struct str ref, enum kms_form form,
                  struct kms_key *ret) WARN_UNUSED;
/* By id of a ciphertext and the like. */
enum err kms_need_id(struct call *call, struct str id, struct kms_key *ret) WARN_UNUSED;
/* "arn:aws:kms:...:key/ID", of the call or of nobody's; STR_NONE on exhaustion. */
struct str kms_arn(struct arena *a, const struct core *core, struct key_scope scope,
                   struct str key_id);
struct str kms_key_arn(const struct call *call, const struct kms_key *key);
/* The key is enabled, or the error that its state is. */
enum err kms_enabled(struct call *call, const struct kms_key *key) WARN_UNUSED;
/* The same, but disabled is fine, too. */
enum err kms_not_pending_deletion(struct call *call, const struct kms_key *key) WARN_UNUSED;
/* The key is there, enabled and made for this; `what` as the error names the operation. */
enum err kms_need_for(struct call *call, struct str ref, enum kms_usage usage, const char *what,
                      struct kms_key *ret) WARN_UNUSED;
enum err kms_usable_for(struct call *call, const struct kms_key *key, enum kms_usage usage,
                        const char *what) WARN_UNUSED;
/* The algorithm is one of the key's. */
enum err kms_need_algorithm(struct call *call, const struct kms_key *key,
                            struct str name) WARN_UNUSED;
/* page_scan's answer; of ERR_INVALID it makes InvalidMarkerException. */
enum err kms_paged(struct call *call, enum err err) WARN_UNUSED;
struct page kms_page(struct call *call, struct str scope, struct str marker, size_t limit);
/* NextMarker and Truncated of a list's output. */
#define KMS_PAGED(out, page)                                                                       \
    do {                                                                                           \
        (out)->next_marker = (page)->next_token;                                                   \
        WIRE_SET(out, truncated, str_is_set((page)->next_token));                                  \
    } while (0)
/* What may not be asked of Weir. */
enum err kms_unsupported(struct call *call, const char *what) WARN_UNUSED;
/* Refuses Recipient and DryRunModifiers where they are given. */
enum err kms_no_recipient(struct call *call,
                          const struct kms_recipient_info *recipient) WARN_UNUSED;
/* The last check of an operation that may be asked what it would do. */
enum err kms_dry_run(struct call *call, bool asked) WARN_UNUSED;
/* Long work begins: ERR_LONG on a loop (core/long.c). */
enum err kms_slow(struct call *call) WARN_UNUSED;

/* --- contexts (kms_find.c) --- */

/* A map of the input as pairs, checked against the limit. */
#define KMS_PAIRS(map)                                                                             \
    ({                                                                                             \
        _Static_assert(TAGS_SAME_LAYOUT(map, key, value) &&                                        \
                           sizeof(struct kms_pair) == sizeof(struct tag),                          \
                       "a map of texts");                                                          \
        (struct kms_pairs){(const struct kms_pair *)(const void *)(map).v, (map).n};               \
    })
enum err kms_context_check(struct call *call, const struct kms_key *key,
                           struct kms_pairs context) WARN_UNUSED;

/* --- symmetric and RSA encryption (op_encrypt.c) --- */

/* Encrypts under the key's current material; the key was found by kms_need_for. */
enum err kms_seal_text(struct call *call, const struct kms_key *key, struct kms_pairs context,
                       struct str plain, struct str *ret_cipher) WARN_UNUSED;

/* --- what a request says of a key (kms_about.c) --- */

struct kms_about {
    unsigned op;                 /* KMS_OP_... */
    const char *action;          /* of which of its permissions; NULL: any */
    size_t context;              /* where in the input the encryption context is */
    const char *key, *algorithm; /* members; "": there is none */
};

/* The call is one of this service, with an input. NULL is allowed. */
bool kms_is_ours(const struct call *call);
/* NULL: nothing of that kind. */
const struct kms_about *kms_about_of(const struct call *call, struct str action);
/* The encryption context that the call asks `action` with; empty where there is none. */
struct kms_pairs kms_context_of(const struct call *call, struct str action);

/* --- who may (kms_auth.c) --- */

enum err kms_real_resource(struct call *call, struct str *resource) WARN_UNUSED;
enum err kms_resource_policy(void *self, struct txn *txn, struct str arn,
                             struct str *ret_json) WARN_UNUSED;
enum err kms_auth_context(struct call *call, const void *in,
                          struct policy_context *ctx) WARN_UNUSED;
enum err kms_resource_keys(void *self, struct txn *txn, struct call *call, struct str action,
                           struct str arn, struct policy_context *ctx) WARN_UNUSED;
enum err kms_authorize_more(struct call *call, const void *in) WARN_UNUSED;

/* --- grants (kms_grant.c) --- */

enum { KMS_GRANT_OPERATIONS = 17 };
extern const struct str kms_grant_operations[KMS_GRANT_OPERATIONS];
/* Those that a key can have grants for. */
uint64_t kms_grantable(const struct kms_key *key);
enum err kms_grants_allow(void *self, struct txn *txn, struct call *call,
                          const struct principal *who, struct str action, struct str arn,
                          enum svc_grant *ret_grant) WARN_UNUSED;
/* Whether a stored principal is this one. */
bool kms_principal_is(struct str stored, const struct principal *who);
/* A token of the grant, which nobody else can make. STR_NONE on exhaustion. */
struct str kms_grant_token(struct call *call, struct str key_id, struct str grant_id);
/* What a token says. ERR_INVALID. */
enum err kms_grant_of_token(struct call *call, struct str token, struct str *ret_key_id,
                            struct str *ret_grant_id) WARN_UNUSED;
/* What RetireGrant names, by token or by ids (op_grant.c). Sets the call's error. */
enum err kms_retiring(struct call *call, const struct kms_retire_grant_input *in,
                      struct str *ret_key_id, struct str *ret_grant_id) WARN_UNUSED;
enum err kms_check_tokens(struct call *call, const struct kms_grant_token_list *tokens) WARN_UNUSED;

/* --- what happens by itself (kms_due.c) --- */

/* Never renumber. */
enum kms_due { KMS_DUE_DELETION = 1, KMS_DUE_ROTATION = 2, KMS_DUE_EXPIRY = 3 };
enum err kms_due_register(struct kms *kms) WARN_UNUSED;
/* `when_ms` by the clock that users see. */
enum err kms_due_at(struct kms *kms, struct txn *txn, const struct kms_key *key, enum kms_due what,
                    int64_t when_ms) WARN_UNUSED;
enum err kms_due_never(struct kms *kms, struct txn *txn, const struct kms_key *key,
                       enum kms_due what) WARN_UNUSED;
/* New material for a symmetric key; it is to be written after it. */
enum err kms_rotate(struct txn *txn, struct kms_key *key, bool on_demand) WARN_UNUSED;
/* Removes imported material; the key is to be written after it. */
enum err kms_material_forget(struct txn *txn, struct kms_key *key) WARN_UNUSED;

/* The policy of a new key as it is to be stored: the given one, checked, or AWS's default (op_policy.c).
 * Sets the call's error. */
enum err kms_policy_new(struct call *call, const struct kms_key *key, struct str given,
                        bool lockout_is_fine, struct str *ret_stored) WARN_UNUSED;

/* Draws what the key works with and stages it (op_key.c); the key is to be written after it. */
enum err kms_material_make(struct txn *txn, struct kms_key *key) WARN_UNUSED;

/* Makes the key behind alias/aws/SERVICE, unless `key` is another or there is one; *ret_made: so
 * (kms_managed.c). */
enum err kms_managed_need(struct kms *kms, struct txn *txn, struct key_scope scope, struct str key,
                          bool *ret_made) WARN_UNUSED;

/* kms_port.c */
void kms_port_fill(struct kms *kms);

extern const struct tags_service kms_tags; /* op_tags.c */

#endif
