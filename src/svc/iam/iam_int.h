/* Inside IAM: records, the memory of identities, helpers of the operations.
 *
 * Layer: svc. */
#ifndef WEIR_SVC_IAM_IAM_INT_H
#define WEIR_SVC_IAM_IAM_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "core/page.h"
#include "iam_api.h"
#include "svc/iam/iam.h"
#include "svc/iam/iam_keys.h"

/* AWS's quotas (IAM User Guide, "IAM and AWS STS quotas"). */
enum {
    IAM_TAGS_MAX = 50,
    IAM_ATTACHED_MAX = 10,
    IAM_KEYS_MAX = 2,
    IAM_VERSIONS_MAX = 5,
    IAM_INLINE_MAX = 64,          /* policies; AWS limits their bytes only */
    IAM_INLINE_USER_CHARS = 2048, /* all inline policies of a user, white space not counted */
    IAM_INLINE_ROLE_CHARS = 10240,
    IAM_MANAGED_CHARS = 6144,
    IAM_TRUST_CHARS = 2048,
    IAM_PAGE_DEFAULT = 100,
    IAM_SESSION_DEFAULT_S = 3600,
};

/* Sorted by key. */
struct iam_tags {
    struct tag v[IAM_TAGS_MAX];
    size_t n;
};

struct iam_inline {
    struct str name, document;
};

struct iam_access {
    struct str id, secret;
    bool active;
    int64_t created_ms;
};

/* A user or role. Memory: the arena it was loaded into. Lists are sorted by name. */
struct iam_entity {
    enum iam_kind kind;
    struct str arn;
    struct str name, path, id;
    int64_t created_ms;
    struct str description; /* roles */
    int64_t max_session_s;  /* roles */
    struct str trust;       /* roles: document */
    struct str boundary;    /* ARN, absent: none */
    struct iam_tags tags;
    struct iam_inline inlines[IAM_INLINE_MAX];
    size_t n_inlines;
    struct str attached[IAM_ATTACHED_MAX]; /* ARNs */
    size_t n_attached;
    struct iam_access keys[IAM_KEYS_MAX]; /* users */
    size_t n_keys;
};

struct iam_version {
    int64_t number;
    int64_t created_ms;
    struct str document;
};

/* A managed policy of the account. */
struct iam_managed {
    struct str arn;
    struct str name, path, id, description;
    int64_t created_ms, updated_ms;
    struct iam_tags tags;
    int64_t default_version, next_version;
    int64_t attachments, boundaries; /* counted here so that DeletePolicy conflicts with Attach */
    struct iam_version versions[IAM_VERSIONS_MAX]; /* oldest first */
    size_t n_versions;
};

/* A policy that AWS made. */
struct iam_aws_policy {
    const char *name, *path, *id, *document;
    const char *version;
    int64_t created_ms, updated_ms;
};
extern const struct iam_aws_policy iam_aws_policies[];
extern const size_t iam_n_aws_policies;

enum { IAM_TOKEN_KEY_BYTES = 32 };

struct iam {
    struct core *core;
    struct iam_port port; /* what STS uses of this */
    uint8_t token_key[IAM_TOKEN_KEY_BYTES];
    pthread_rwlock_t lock;  /* guards the maps; what they point to is immutable and counted */
    struct map entities[2]; /* by enum iam_kind: lower-case name -> struct iam_known */
    struct map keys;        /* access key id -> struct iam_known; not counted */
    struct map managed;     /* ARN -> struct iam_doc, AWS's own included */
};

/* --- iam_record.c: records and their storage -------------------------------------------------- */

/* IAM's records belong to the account, whatever the region. */
struct key_scope iam_scope(const struct iam *iam);
struct str iam_entity_key(const struct iam *iam, struct arena *a, enum iam_kind kind,
                          struct str name);
struct str iam_managed_key(const struct iam *iam, struct arena *a, struct str name);
struct str iam_use_key(const struct iam *iam, struct arena *a, enum iam_use use,
                       struct str policy_arn, const struct iam_entity *e);
/* "arn:aws:iam::ACCT:role/path/name". STR_NONE on exhaustion. */
struct str iam_entity_arn(const struct iam *iam, struct arena *a, const struct iam_entity *e);
struct str iam_managed_arn(const struct iam *iam, struct arena *a, const struct iam_managed *m);
struct str iam_aws_arn(const struct iam *iam, struct arena *a, const struct iam_aws_policy *p);

/* Fills kind, ARN and what is stored; texts are copied into the arena. ERR_CORRUPT, ERR_NOMEM. */
enum err iam_entity_unpack(const struct iam *iam, struct arena *a, enum iam_kind kind,
                           struct str record, struct iam_entity *e) WARN_UNUSED;
enum err iam_managed_unpack(const struct iam *iam, struct arena *a, struct str record,
                            struct iam_managed *m) WARN_UNUSED;
/* Tracked read. ERR_NOT_FOUND also when the name differs in case. */
enum err iam_entity_load(const struct iam *iam, struct txn *txn, enum iam_kind kind,
                         struct str name, struct iam_entity **ret_e) WARN_UNUSED;
/* The account's policy with this ARN. Tracked read. ERR_NOT_FOUND also for ARNs of anything else. */
enum err iam_managed_load(const struct iam *iam, struct txn *txn, struct str arn,
                          struct iam_managed **ret_m) WARN_UNUSED;
/* Stage the record and the change of memory after the commit. ERR_LIMIT, ERR_NOMEM, ERR_IO. */
enum err iam_entity_store(struct iam *iam, struct txn *txn, const struct iam_entity *e) WARN_UNUSED;
enum err iam_entity_remove(struct iam *iam, struct txn *txn,
                           const struct iam_entity *e) WARN_UNUSED;
enum err iam_managed_store(struct iam *iam, struct txn *txn,
                           const struct iam_managed *m) WARN_UNUSED;
enum err iam_managed_remove(struct iam *iam, struct txn *txn,
                            const struct iam_managed *m) WARN_UNUSED;
const struct iam_version *iam_managed_version(const struct iam_managed *m, int64_t number);
/* The policy AWS made with this ARN, or NULL. */
const struct iam_aws_policy *iam_aws_find(const struct iam *iam, struct str arn);

/* A prefix and 17 characters: "AROA3XFRBF535PLBIFPI4". */
struct str iam_new_id(struct arena *a, const char *prefix);

/* --- iam_memory.c: what is known without the store -------------------------------------------- */

/* A parsed document, counted. */
struct iam_doc {
    atomic_int refs;
    struct arena arena;
    struct policy *policy;
};
void iam_doc_unref(struct iam_doc *doc);

/* A user or role with its parsed documents, counted. */
struct iam_known {
    atomic_int refs;
    struct arena arena;
    struct iam_entity *e;
    struct str arn;
    struct policy *trust; /* roles */
    struct policy **inlines;
};
void iam_known_unref(struct iam_known *known);

/* Counted; NULL when there is none. */
struct iam_known *iam_find(struct iam *iam, enum iam_kind kind, struct str name);
struct iam_known *iam_find_key(struct iam *iam, struct str access_key);
struct iam_known *iam_find_role_arn(struct iam *iam, struct str role_arn);
struct iam_doc *iam_find_doc(struct iam *iam, struct str policy_arn);

enum err iam_memory_init(struct iam *iam) WARN_UNUSED;
void iam_memory_release(struct iam *iam);
enum err iam_memory_load(struct iam *iam, struct txn *txn) WARN_UNUSED;
/* Commit hooks that read the record again and put it in place of what was known. */
enum err iam_refresh_entity(struct iam *iam, struct txn *txn, enum iam_kind kind,
                            struct str name) WARN_UNUSED;
enum err iam_refresh_managed(struct iam *iam, struct txn *txn, struct str name,
                             struct str arn) WARN_UNUSED;

/* --- iam_token.c: temporary credentials ------------------------------------------------------- */

bool iam_is_temporary(struct str access_key);
enum err iam_mint(void *self, const struct iam_session *session, struct arena *arena,
                  struct str *ret_access_key, struct str *ret_secret,
                  struct str *ret_token) WARN_UNUSED;
enum err iam_open_token(void *self, struct str access_key, struct str token, struct arena *arena,
                        struct iam_session *ret_session) WARN_UNUSED;
/* Secret that belongs to a temporary access key. STR_NONE on exhaustion. */
struct str iam_temporary_secret(const struct iam *iam, struct str access_key, struct arena *arena);

/* iam_identity.c: the hook of the same name in struct svc_def. */
void iam_identity(void *self, struct identity_port *ret_port);

/* iam_context.c: the service's hook of the same name in struct svc_def. */
enum err iam_auth_context(struct call *call, const void *in,
                          struct policy_context *ctx) WARN_UNUSED;

/* --- iam_reply.c: pieces of replies and errors ------------------------------------------------ */

struct iam *iam_of(struct call *call);
extern const char *const iam_kind_word[IAM_KINDS];  /* "user" */
extern const char *const iam_kind_title[IAM_KINDS]; /* "User" */
/* Loads a user or role, or sets NoSuchEntity. */
enum err iam_get_entity(struct call *call, enum iam_kind kind, struct str name,
                        struct iam_entity **ret_e) WARN_UNUSED;
/* The named user, or the caller when no name is given. */
enum err iam_get_user_or_self(struct call *call, struct str name,
                              struct iam_entity **ret_e) WARN_UNUSED;
/* One of the account's managed policies, or NoSuchEntity; AccessDenied for AWS's. */
enum err iam_get_managed(struct call *call, struct str arn, struct iam_managed **ret_m) WARN_UNUSED;
/* RFC 3986-encoded, as IAM answers documents. STR_NONE on exhaustion. */
struct str iam_encoded(struct call *call, struct str document);
/* Characters of a document that count towards quotas: white space does not. */
size_t iam_document_chars(struct str document);
/* Checks a document to be stored; sets MalformedPolicyDocument, or LimitExceeded beyond `max`
 * characters of the quota of that name (NULL: none). */
enum err iam_check_document(struct call *call, enum policy_kind kind, struct str document,
                            const char *quota, size_t max) WARN_UNUSED;
/* Adds and replaces; removes. */
enum err iam_merge_tags(struct call *call, struct iam_tags *tags, struct tag_list add) WARN_UNUSED;
enum err iam_drop_tags(struct call *call, struct iam_tags *tags,
                       const struct iam_tag_key_list_type *keys) WARN_UNUSED;

/* A page, and where the reply tells how it ended. */
struct iam_page {
    struct page p;
    bool *truncated, *has_truncated;
    struct str *marker;
};
struct page iam_page_of(struct call *call, struct str scope, struct str marker, bool has_max,
                        int64_t max_items);
/* Of an operation with Marker, MaxItems and IsTruncated; lives as long as the block. */
#define IAM_PAGE(call, in, out, scope)                                                             \
    (&(struct iam_page){                                                                           \
        .p = iam_page_of((call), (scope), (in)->marker, (in)->has_max_items, (in)->max_items),     \
        .truncated = &(out)->is_truncated,                                                         \
        .has_truncated = &(out)->has_is_truncated,                                                 \
        .marker = &(out)->marker})
/* Ends a page that was made with `err`: tells the reply, or sets the error of a wrong Marker. */
enum err iam_page_told(struct call *call, struct iam_page *page, enum err err) WARN_UNUSED;
/* page_scan, and told. */
enum err iam_page_scan(struct call *call, struct iam_page *page, struct key_range range,
                       const struct page_fns *fns, void *arg) WARN_UNUSED;
/* What the page shows of a list that is sorted by the text its elements begin with: page->p.n of
 * them, from *ret_from on; and told. */
enum err iam_page_slice(struct call *call, struct iam_page *page, const void *list, size_t stride,
                        size_t n, size_t *ret_from) WARN_UNUSED;

/* Defines an operation on roles and its twin on users, which differ in the names of types and
 * members alone: `does` is an expression of call, in, out, `kind` and `name`. */
#define IAM_TWINS(of_role, of_user, does)                                                          \
    IAM_TWIN(of_role, IAM_ROLE, role_name, does)                                                   \
    IAM_TWIN(of_user, IAM_USER, user_name, does)
#define IAM_TWIN(op, kind_, name_, does)                                                           \
    enum err iam_##op(struct call *call, const struct iam_##op##_input *in,                        \
                      struct iam_##op##_output *out)                                               \
    {                                                                                              \
        const enum iam_kind kind = (kind_);                                                        \
        const struct str name = in->name_;                                                         \
        return does;                                                                               \
    }

/* op_attach.c: checks that a managed policy exists and counts its use. `delta` +1 or -1. */
enum err iam_count_use(struct call *call, enum iam_use use, struct str policy_arn,
                       const struct iam_entity *e, int delta) WARN_UNUSED;

#endif
