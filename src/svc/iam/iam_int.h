/* Inside IAM: records, identities in memory, helpers of the operations.
 *
 * Layer: svc. */
#ifndef WEIR_SVC_IAM_IAM_INT_H
#define WEIR_SVC_IAM_IAM_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "base/record.h"
#include "core/catalogue.h"
#include "core/page.h"
#include "core/svc.h"
#include "iam_api.h"
#include "svc/iam/iam.h"
#include "svc/iam/iam_keys.h"

/* AWS's quotas (IAM User Guide, "IAM and AWS STS quotas"). */
enum {
    IAM_TAGS_MAX = 50,
    IAM_ATTACHED_MAX = 10,
    IAM_KEYS_MAX = 2,
    IAM_GROUPS_MAX = 10,    /* of a user */
    IAM_PASSWORDS_MAX = 24, /* that may be kept from being used again, the present one among them */
    IAM_VERSIONS_MAX = 5,
    IAM_INLINE_MAX = 64,          /* policies; AWS limits their bytes only */
    IAM_INLINE_USER_CHARS = 2048, /* all inline policies of a user, white space not counted */
    IAM_INLINE_GROUP_CHARS = 5120,
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

/* A user, role, group or instance profile: what all of IAM's named things have, and what one kind
 * alone has beside it. Memory: the catalogue's, or the arena it was loaded into. Lists are sorted by
 * name, access keys by id. */
struct iam_entity {
    struct catalogue_object object;
    enum iam_kind kind;
    struct str account; /* of its key */
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
    struct str groups[IAM_GROUPS_MAX]; /* users: ids, so that a group may change its name */
    size_t n_groups;
    int64_t members;  /* groups: users; roles: instance profiles. So that removing conflicts */
    struct str role;  /* instance profiles: its name; absent: none */
    int64_t login_ms; /* users: when the login profile was made; 0: none */
    bool login_reset;
    struct str login_hash; /* of the password (auth/password.h); absent: made when none was kept */
    int64_t login_set_ms;  /* when it was set */
    struct str passwords_before[IAM_PASSWORDS_MAX - 1]; /* hashes, the newest first */
    size_t n_passwords_before;
    /* In the catalogue only. */
    struct policy *trust_policy; /* roles */
    struct policy **inline_policies;
};

struct iam_version {
    int64_t number;
    int64_t created_ms;
    struct str document;
};

/* A managed policy of the account. */
struct iam_managed {
    struct catalogue_object object;
    struct str account; /* of its key */
    struct str arn;
    struct str name, path, id, description;
    int64_t created_ms, updated_ms;
    struct iam_tags tags;
    int64_t default_version, next_version;
    int64_t attachments, boundaries; /* counted here so that DeletePolicy conflicts with Attach */
    struct iam_version versions[IAM_VERSIONS_MAX]; /* oldest first */
    size_t n_versions;
    struct policy *policy; /* the default version; in the catalogue only */
};

/* A policy that AWS made. */
struct iam_aws_policy {
    const char *name, *path, *id, *document;
    const char *version;
    int64_t created_ms, updated_ms;
};
extern const struct iam_aws_policy iam_aws_policies[];
extern const size_t iam_n_aws_policies;
/* iam_aws_reduced.c: documents. */
extern const char iam_aws_cloud_watch_full_access_v2[];
extern const char iam_aws_data_scientist[];
extern const char iam_aws_database_administrator[];
extern const char iam_aws_network_administrator[];
extern const char iam_aws_read_only_access[];
extern const char iam_aws_security_audit[];
extern const char iam_aws_support_user[];
extern const char iam_aws_system_administrator[];
extern const char iam_aws_view_only_access[];

struct iam_aws_known {
    struct str arn;
    struct policy *_Atomic policy; /* NULL: nobody asked for it yet */
};

enum { IAM_TOKEN_KEY_BYTES = 32 };

struct iam {
    struct core *core;
    struct iam_port port; /* what STS uses of this */
    uint8_t token_key[IAM_TOKEN_KEY_BYTES];
    struct catalogue *entities, *managed;
    struct iam_uses *uses; /* iam_used.h */
    pthread_mutex_t
        aws_lock; /* the arena, once the services run: policies are parsed when first asked for */
    struct arena arena;        /* process: what follows */
    struct iam_aws_known *aws; /* by place in iam_aws_policies */
    struct map aws_by_arn;     /* ARN -> struct iam_aws_known */
};

/* --- iam_record.c: records and their storage -------------------------------------------------- */

extern const char *const iam_kind_word[IAM_KINDS]; /* "user"; as in ARNs */
extern const struct record_type iam_tags_type;
/* IAM's records belong to the account, whatever the region. */
struct key_scope iam_scope(struct str account);
struct str iam_entity_key(struct str account, struct arena *a, enum iam_kind kind, struct str name);
struct str iam_managed_key(struct str account, struct arena *a, struct str name);
/* `owner_id`: of a group or role; `member`: a user or instance profile. */
struct str iam_member_key(struct str account, struct arena *a, struct str owner_id,
                          const struct iam_entity *member);
struct str iam_use_key(struct str account, struct arena *a, enum iam_use use, struct str policy_arn,
                       const struct iam_entity *e);
/* "arn:aws:iam::ACCT:role/path/name". STR_NONE on exhaustion. */
struct str iam_entity_arn(const struct iam *iam, struct arena *a, const struct iam_entity *e);
struct str iam_managed_arn(const struct iam *iam, struct arena *a, const struct iam_managed *m);
struct str iam_aws_arn(const struct iam *iam, struct arena *a, const struct iam_aws_policy *p);

/* Fills kind, ARN and what is stored; texts are copied into the arena. ERR_CORRUPT, ERR_NOMEM. */
enum err iam_entity_unpack(const struct iam *iam, struct str account, struct arena *a,
                           enum iam_kind kind, struct str record, struct iam_entity *e) WARN_UNUSED;
enum err iam_managed_unpack(const struct iam *iam, struct str account, struct arena *a,
                            struct str record, struct iam_managed *m) WARN_UNUSED;
/* Tracked read. ERR_NOT_FOUND also when the name differs in case. */
enum err iam_entity_load(const struct iam *iam, struct str account, struct txn *txn,
                         enum iam_kind kind, struct str name,
                         struct iam_entity **ret_e) WARN_UNUSED;
/* The account's policy with this ARN. Tracked read. ERR_NOT_FOUND also for ARNs of anything else. */
enum err iam_managed_load(const struct iam *iam, struct str account, struct txn *txn,
                          struct str arn, struct iam_managed **ret_m) WARN_UNUSED;
/* Stage the record and the change of memory after the commit. ERR_LIMIT, ERR_NOMEM, ERR_IO. */
enum err iam_entity_store(struct iam *iam, struct txn *txn, const struct iam_entity *e) WARN_UNUSED;
enum err iam_entity_remove(struct iam *iam, struct txn *txn,
                           const struct iam_entity *e) WARN_UNUSED;
enum err iam_managed_store(struct iam *iam, struct txn *txn,
                           const struct iam_managed *m) WARN_UNUSED;
enum err iam_managed_remove(struct iam *iam, struct txn *txn,
                            const struct iam_managed *m) WARN_UNUSED;
const struct iam_version *iam_managed_version(const struct iam_managed *m, int64_t number);
/* A prefix and 17 characters: "AROA3XFRBF535PLBIFPI4". */
struct str iam_new_id(struct arena *a, const char *prefix);

/* --- iam_catalogue.c: what is known without the store ----------------------------------------- */

enum iam_index { IAM_BY_ACCESS_KEY, IAM_BY_ID, IAM_BY_ARN, IAM_INDEXES };

/* After an error iam_catalogue_release frees what was made. ERR_NOMEM. */
enum err iam_catalogue_init(struct iam *iam) WARN_UNUSED;
enum err iam_catalogue_load(struct iam *iam, struct txn *txn) WARN_UNUSED;
void iam_catalogue_release(struct iam *iam);
/* What is found is held until the arena goes. ERR_NOT_FOUND, ERR_NOMEM. */
enum err iam_known(struct iam *iam, struct arena *a, enum iam_index by, struct str key,
                   const struct iam_entity **ret_e) WARN_UNUSED;
enum err iam_known_role(struct iam *iam, struct arena *a, struct str arn,
                        const struct iam_entity **ret_role) WARN_UNUSED;
/* ERR_NOT_FOUND also when the name differs in case. */
enum err iam_known_named(struct iam *iam, struct str account, struct arena *a, enum iam_kind kind,
                         struct str name, const struct iam_entity **ret_e) WARN_UNUSED;
/* A managed policy's default version, AWS's own included. */
enum err iam_known_policy(struct iam *iam, struct arena *a, struct str arn,
                          const struct policy **ret_policy) WARN_UNUSED;
/* Tags of a user, a role or a policy of the account. */
enum err iam_known_tags(struct iam *iam, struct arena *a, struct str arn,
                        struct tag_list *ret_tags) WARN_UNUSED;
/* The policy AWS made with this ARN, or NULL. */
const struct iam_aws_policy *iam_aws_find(const struct iam *iam, struct str arn);

/* --- iam_token.c: temporary credentials ------------------------------------------------------- */

bool iam_is_temporary(struct str access_key);
enum err iam_mint(void *self, const struct iam_session *session, struct arena *arena,
                  struct str *ret_access_key, struct str *ret_secret,
                  struct str *ret_token) WARN_UNUSED;
enum err iam_open_token(void *self, struct str access_key, struct str token, struct arena *arena,
                        struct iam_session *ret_session) WARN_UNUSED;
/* Secret that belongs to a temporary access key. STR_NONE on exhaustion. */
struct str iam_temporary_secret(const struct iam *iam, struct str access_key, struct arena *arena);

/* iam_provider.c: struct iam_port's function of the same name. */
enum err iam_web_provider(void *self, struct txn *txn, struct str account, struct str url,
                          struct iam_web_provider *ret) WARN_UNUSED;

/* iam_identity.c: the hook of the same name in struct svc_def. */
void iam_identity(void *self, struct identity_port *ret_port);

/* iam_context.c: the service's hooks of the same names in struct svc_def. */
enum err iam_auth_context(struct call *call, const void *in,
                          struct policy_context *ctx) WARN_UNUSED;
enum err iam_resource_tags(void *self, struct txn *txn, struct str arn,
                           struct tag_list *ret_tags) WARN_UNUSED;

/* --- iam_reply.c: pieces of replies and errors ------------------------------------------------ */

struct iam *iam_of(struct call *call);
extern const char *const iam_kind_title[IAM_KINDS]; /* "User" */
/* Loads one of a kind, or sets NoSuchEntity. */
enum err iam_get_entity(struct call *call, enum iam_kind kind, struct str name,
                        struct iam_entity **ret_e) WARN_UNUSED;
/* The named user, or the caller when no name is given. */
enum err iam_get_user_or_self(struct call *call, struct str name,
                              struct iam_entity **ret_e) WARN_UNUSED;
/* Whether it is an ARN at all: ValidationError. */
enum err iam_check_policy_arn(struct call *call, struct str text) WARN_UNUSED;
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

/* op_entity.c: completes what a request said of a new user, role, group or profile, and stages it;
 * `id` is the prefix of its kind. EntityAlreadyExists. */
enum err iam_create_entity(struct call *call, struct iam_entity *e, const char *id,
                           struct tag_list tags) WARN_UNUSED;
enum err iam_check_name_free(struct call *call, enum iam_kind kind, struct str name) WARN_UNUSED;
/* Stages `after` in the place of `before`, whose path or name it changes; nothing else differs. */
enum err iam_rename(struct call *call, const struct iam_entity *before,
                    const struct iam_entity *after) WARN_UNUSED;
enum err iam_role_shape(struct call *call, const struct iam_entity *e,
                        struct iam_role *r) WARN_UNUSED;
enum err iam_role_used_shape(struct call *call, const struct iam_entity *e,
                             const struct iam_role_last_used **ret) WARN_UNUSED;
void iam_user_shape(const struct iam_entity *e, struct iam_user *u);
/* As CreateRole answers: without what GetRole alone tells. */
enum err iam_new_role_shape(struct call *call, const struct iam_entity *e,
                            const struct iam_role **ret_role) WARN_UNUSED;
enum err iam_boundary_shape(struct call *call, const struct iam_entity *e,
                            const struct iam_attached_permissions_boundary **ret) WARN_UNUSED;

/* op_password.c: the service's hook `grants` in struct svc_def. */
enum err iam_grants(void *self, struct txn *txn, struct call *call, const struct principal *who,
                    struct str action, struct str arn, enum svc_grant *ret_grant) WARN_UNUSED;
/* op_password.c: the most days that the account's policy lets a password be; 0: any number. */
enum err iam_password_days(struct call *call, int64_t *ret_days) WARN_UNUSED;

/* op_policy.c */
enum err iam_own_shape(struct call *call, const struct iam_managed *m,
                       struct iam_policy *p) WARN_UNUSED;
void iam_aws_shape(struct call *call, const struct iam_aws_policy *aws, int64_t attachments,
                   int64_t boundaries, struct iam_policy *p);
enum err iam_version_shape(struct call *call, const struct iam_managed *m,
                           const struct iam_version *v, bool with_document,
                           struct iam_policy_version *ret) WARN_UNUSED;
enum err iam_aws_version_shape(struct call *call, const struct iam_aws_policy *aws,
                               bool with_document, struct iam_policy_version *ret) WARN_UNUSED;
/* How often each of the policies AWS made is used, by place in iam_aws_policies. */
enum err iam_aws_uses(struct call *call, int64_t **ret_attachments,
                      int64_t **ret_boundaries) WARN_UNUSED;

/* iam_linked.c: the role that a service has in an account. */
struct iam_linked {
    const char *service; /* without ".amazonaws.com" */
    const char *role;    /* behind "AWSServiceRoleFor" */
    const char *policy;
    bool suffix; /* several, told apart by CustomSuffix */
};
#define IAM_LINKED_PATH "/aws-service-role/"
/* NULL: not known. */
const struct iam_linked *iam_linked_find(struct str service);
/* Whether a role is a service's. */
bool iam_is_linked(const struct iam_entity *e);
/* iam_reply.c: iam_get_entity, for one that is to be changed: UnmodifiableEntity. */
enum err iam_get_to_change(struct call *call, enum iam_kind kind, struct str name,
                           struct iam_entity **ret_e) WARN_UNUSED;

/* op_instance_profile.c */
/* All profiles of a role: as many as a page has. */
enum err iam_profiles_of(struct call *call, const struct iam_entity *role,
                         struct iam_instance_profile_list_type *ret) WARN_UNUSED;
enum err iam_profile_shape(struct call *call, const struct iam_entity *e,
                           struct iam_instance_profile *p) WARN_UNUSED;

/* iam_member.c: puts `member` under `owner` (a user in a group, a profile with a role) and counts
 * it, or takes it away; both records are the caller's to have read, the owner's is staged. */
enum err iam_join(struct call *call, struct iam_entity *owner,
                  const struct iam_entity *member) WARN_UNUSED;
enum err iam_leave(struct call *call, struct iam_entity *owner,
                   const struct iam_entity *member) WARN_UNUSED;
/* One of a kind by its id. ERR_NOT_FOUND. */
enum err iam_load_id(struct iam *iam, struct txn *txn, struct str id,
                     struct iam_entity **ret_e) WARN_UNUSED;

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
/* Lists entities whose path begins with `prefix` (absent: all): shape(call, e, v + i * size) for
 * each, in the order of names. */
struct iam_lister {
    struct call *call;
    enum iam_kind kind;
    struct str prefix;
    enum err (*shape)(struct call *call, const struct iam_entity *e, void *v);
    size_t size;
    char *v;
    size_t n;
    struct iam_entity e; /* the one looked at */
};
/* All of a kind. */
enum err iam_list_kind(struct iam_lister *l, struct iam_page *page) WARN_UNUSED;
/* Those of l->kind that are under `owner` (iam_k_member). */
enum err iam_list_members(struct iam_lister *l, const struct iam_entity *owner,
                          struct iam_page *page) WARN_UNUSED;
/* What the page shows of a list that is sorted by the text its elements begin with: page->p.n of
 * them, from *ret_from on; and told. */
enum err iam_page_slice(struct call *call, struct iam_page *page, const void *list, size_t stride,
                        size_t n, size_t *ret_from) WARN_UNUSED;

/* op_tags.c: a page of them. */
enum err iam_list_tags(struct call *call, struct iam_page *page, const struct iam_tags *tags,
                       struct iam_tag_list_type *ret) WARN_UNUSED;
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
