/* Inside the service: what its files share.
 *
 * Invariants
 *   CG1  A password is stored as Argon2id and, because USER_SRP_AUTH cannot do without, as a verifier of
 *        SRP-6a, which lends itself to faster guessing: so that is sealed under the store's key
 *        (core/secret.h). Neither leaves the process; no log has a password, code, secret or token.
 *   CG2  Hashing a password, making an RSA key and signing are work of the worker pool (txn_work).
 *   CG3  An alias leads to one user. A user's record says which aliases lead to it, and both change in
 *        one commit.
 *   CG4  What belongs to a pool is written by who read the pool's guard, which goes with the pool: so
 *        nothing is left behind a pool that was deleted meanwhile.
 *   CG5  A call that asks a function begins anew with each answer (core/call.h): answers are kept by the
 *        trigger's name in its flow, what was hashed is kept there too, and nothing is staged before
 *        the last answer is there.
 *   CG6  What a refused attempt leaves (a count of failures) is a commit of its own, which the reply
 *        waits for: the call's own is rolled back.
 *   CG7  A refresh token, access token or ID token of a user dies with the user's epoch (sign-out
 *        everywhere, deletion) or with its origin's mark (RevokeToken).
 *
 * In memory: pools, clients and signing keys (catalogues). Users are read from the store.
 *
 * Layer: svc/cognito. Thread: the call's. */
#ifndef WEIR_SVC_COGNITO_COGNITO_INT_H
#define WEIR_SVC_COGNITO_COGNITO_INT_H

#include "auth/jwt_seen.h"
#include "codec/hash.h"
#include "cognito_api.h"
#include "core/catalogue.h"
#include "core/claim.h"
#include "core/inner.h"
#include "core/page.h"
#include "core/secret.h"
#include "core/tags.h"
#include "core/txn_record.h"
#include "deliver/deliver.h"
#include "deliver/due.h"
#include "deliver/job.h"
#include "svc/cognito/cognito.h"
#include "svc/cognito/cognito_keys.h"
#include "svc/cognito/cognito_port.h"
#include "svc/cognito/cognito_rate.h"
#include "svc/cognito/cognito_record.h"
#include "svc/sns/sns_port.h"
#include "wire/kept.h"

enum {
    COGNITO_LIST_MAX = 60,
    COGNITO_LOOK_MAX = 5000,       /* users looked at for one page of ListUsers */
    COGNITO_COUNT_MAX = 10 * 1000, /* users counted for EstimatedNumberOfUsers */
    COGNITO_CUSTOM_MAX = 50,       /* custom attributes of a pool */
    COGNITO_GROUPS_MAX = 100,      /* groups of a user */
    COGNITO_CODE_DIGITS = 6,
    COGNITO_CODE_TRIES = 5,
    COGNITO_TRIGGER_MS = 5 * 1000, /* for one answer of a function */
    COGNITO_TRIGGER_TRIES = 3,
    COGNITO_SIGN_WORK = 64 * 1024, /* in bytes looked at: 2 signatures take 2 ms */
    COGNITO_TOKEN_BYTES_MAX = 16 * 1024,
    COGNITO_UNSIGNED_PER_S = 120, /* calls of nobody to a pool, and as many at once */
};
#define COGNITO_MINUTE_MS ((int64_t)60 * 1000)
#define COGNITO_DAY_MS (24 * 60 * COGNITO_MINUTE_MS)
#define COGNITO_CODE_MS (24 * 60 * COGNITO_MINUTE_MS) /* of signing up and of attributes */
#define COGNITO_PASSWORD_CODE_MS (60 * COGNITO_MINUTE_MS)
#define COGNITO_PRINCIPAL "cognito-idp.amazonaws.com"
#define COGNITO_SCOPE_ADMIN "aws.cognito.signin.user.admin"

struct cognito {
    struct core *core;
    struct cognito_port port;
    const struct sns_port *mail;              /* NULL: there is no SNS in this build */
    struct catalogue *pools, *clients, *keys; /* by their records' keys */
    struct due_kind *marks;
    struct job_kind *removal;
    struct cognito_rates *rates;
    struct jwt_seen *seen; /* tokens that were verified */
    struct core_claim keys_claim, pages_claim;
};

static inline struct cognito *cognito_of(const struct call *call)
{
    return call->svc;
}

#define COGNITO_INVALID(call, ...)                                                                 \
    call_error((call), &cognito_err_invalid_parameter_exception, __VA_ARGS__)
#define COGNITO_REFUSED(call, ...)                                                                 \
    call_error((call), &cognito_err_not_authorized_exception, __VA_ARGS__)

/* --- pools and clients (cognito_pool.c, cognito_client.c) --------------------------------------- */

/* In memory. */
struct cognito_pool {
    struct catalogue_object object; /* first */
    struct cognito_pool_rec rec;
    struct cognito_user_pool_type set; /* the settings */
    struct str arn, issuer;
};

struct cognito_client {
    struct catalogue_object object; /* first */
    struct cognito_client_rec rec;
    struct cognito_user_pool_client_type set;
};

struct cognito_key {
    struct catalogue_object object; /* first */
    struct jwt_key *key;
};

enum { COGNITO_POOLS_BY_ID = 0, COGNITO_CLIENTS_BY_ID = 0 };

const struct wire_shape *cognito_pool_shape(void);
const struct wire_shape *cognito_client_shape(void);
enum err cognito_catalogues_new(struct cognito *c) WARN_UNUSED;
enum err cognito_catalogues_load(struct txn *txn, void *c) WARN_UNUSED;

/* By id, whosever it is. ERR_NOT_FOUND. */
enum err cognito_pool_find(struct cognito *c, struct txn *txn, struct str id,
                           const struct cognito_pool **ret) WARN_UNUSED;
/* Of the caller's account and region; sets the service's error. */
enum err cognito_pool_need(struct call *call, struct str id,
                           const struct cognito_pool **ret) WARN_UNUSED;
/* CG4: the pool is there, and stays so until this commits; ERR_CONFLICT otherwise. */
enum err cognito_pool_guard(struct txn *txn, const struct cognito_pool *pool) WARN_UNUSED;
/* Stages settings and record. */
enum err cognito_pool_save(struct cognito *c, struct txn *txn,
                           const struct cognito_pool *pool) WARN_UNUSED;
enum err cognito_client_save(struct cognito *c, struct txn *txn,
                             const struct cognito_client *client) WARN_UNUSED;
/* The client of a pool; sets the service's error. */
enum err cognito_client_need(struct call *call, const struct cognito_pool *pool, struct str id,
                             const struct cognito_client **ret) WARN_UNUSED;
/* A client by its id alone, with its pool, for who signs nothing; takes from the pool's rate. */
enum err cognito_client_open(struct call *call, struct str id, const struct cognito_pool **ret_pool,
                             const struct cognito_client **ret) WARN_UNUSED;
/* Its secret in the clear; STR_NONE: it has none. */
enum err cognito_client_secret(struct txn *txn, const struct cognito_client *client,
                               struct str *ret) WARN_UNUSED;
/* Checks SECRET_HASH as the client wants it. */
enum err cognito_secret_hash(struct call *call, const struct cognito_client *client,
                             struct str username, struct str hash) WARN_UNUSED;
/* What SECRET_HASH must be, in base64; STR_NONE on exhaustion. */
struct str cognito_secret_hash_of(struct arena *a, const struct cognito_client *client,
                                  struct str secret, struct str username);
bool cognito_flow_allowed(const struct cognito_client *client, const char *name, const char *old);
/* Milliseconds that tokens of a client hold. */
enum cognito_use { COGNITO_ID, COGNITO_ACCESS, COGNITO_REFRESH };
int64_t cognito_validity_ms(const struct cognito_client *client, enum cognito_use use);
bool cognito_hides_users(const struct cognito_client *client);
/* Takes from what unsigned calls to a pool may do; sets the service's error. */
enum err cognito_rate(struct call *call, struct str pool_id) WARN_UNUSED;

/* --- small things (cognito_util.c) -------------------------------------------------------------- */

/* Value of a key; STR_NONE. O(n). */
struct str cognito_get(struct tag_list list, struct str key);
bool cognito_has(const struct str *v, size_t n, struct str text);
#define COGNITO_HAS(list, text) cognito_has((list).v, (list).n, (text))
/* As the pool compares names and values: folded where it does not tell cases apart. */
struct str cognito_fold(struct arena *a, const struct cognito_pool *pool, struct str text);
/* "CONFIRMED": of an enum cognito_status. */
struct str cognito_status_name(unsigned status);
/* `{"key":"value",..}`; STR_NONE on exhaustion. */
struct str cognito_json_map(struct arena *a, struct tag_list list);
void cognito_put_map(struct json_out *o, struct tag_list list);
/* Whether `scope` is among names divided by spaces. */
bool cognito_has_scope(struct str scopes, const char *scope);
/* page_scan's answer; of ERR_INVALID it makes the service's error. */
enum err cognito_paged(struct call *call, enum err err) WARN_UNUSED;
/* `bytes` random bytes in hexadecimal, or of letters and digits. STR_NONE on exhaustion. */
struct str cognito_random_hex(struct arena *a, size_t bytes);
struct str cognito_random_text(struct arena *a, size_t len, const char *alphabet);

/* --- attributes (cognito_attr.c) ---------------------------------------------------------------- */

/* The pool's schema with the standard attributes in front, as it is shown. ERR_FAILED with the call's
 * error where the schema that was asked for is wrong. */
enum err cognito_schema(struct call *call, const struct cognito_schema_attributes_list_type *asked,
                        struct cognito_schema_attributes_list_type *ret) WARN_UNUSED;
/* One more custom attribute, checked and named as it will be called. */
enum err cognito_schema_custom(struct call *call, const struct cognito_schema_attribute_type *in,
                               struct cognito_schema_attribute_type *ret) WARN_UNUSED;

enum cognito_writer { COGNITO_BY_ADMIN, COGNITO_BY_USER, COGNITO_BY_SIGN_UP };
/* Puts attributes into a user, checked against the schema and what `client` (NULL: an administrator)
 * may write. */
struct cognito_change {
    const struct cognito_pool *pool;
    const struct cognito_client *client; /* NULL: not by one */
    enum cognito_writer writer;
    bool creates; /* immutable ones may be given, required ones must be */
};
enum err cognito_attrs_set(struct call *call, const struct cognito_change *change,
                           struct tag_list attrs, struct cognito_user *user) WARN_UNUSED;
enum err cognito_attrs_drop(struct call *call, const struct cognito_change *change,
                            const struct str *names, size_t n,
                            struct cognito_user *user) WARN_UNUSED;
/* One attribute without any check; ERR_NOMEM. */
enum err cognito_attr_put(struct arena *a, struct cognito_user *user, struct str name,
                          struct str value) WARN_UNUSED;
void cognito_attr_remove(struct cognito_user *user, struct str name);
static inline struct str cognito_attr(const struct cognito_user *user, const char *name)
{
    return cognito_get((struct tag_list){user->attrs, user->n_attrs}, str_c(name));
}
bool cognito_verified(const struct cognito_user *user, const char *attribute);

/* --- users (cognito_user.c) --------------------------------------------------------------------- */

/* By name, alias or sub. ERR_NOT_FOUND. */
enum err cognito_user_find(struct txn *txn, const struct cognito_pool *pool, struct str name,
                           struct cognito_user *ret) WARN_UNUSED;
/* The same; UserNotFoundException. */
enum err cognito_user_need(struct call *call, const struct cognito_pool *pool, struct str name,
                           struct cognito_user *ret) WARN_UNUSED;
/* A new one under this name, which the request gives: attributes that the name stands for are set, the
 * user's own name may be its sub. UsernameExistsException. */
enum err cognito_user_new(struct call *call, const struct cognito_pool *pool, struct str username,
                          struct cognito_user *ret) WARN_UNUSED;
/* Stages record and aliases (CG3, CG4). AliasExistsException (UsernameExistsException for what users sign up with);
 * `force`: an alias moves here from another user. */
enum err cognito_user_save(struct call *call, const struct cognito_pool *pool,
                           struct cognito_user *user, bool force) WARN_UNUSED;
enum err cognito_user_delete(struct txn *txn, const struct cognito_pool *pool,
                             struct cognito_user *user) WARN_UNUSED;
/* As UserType; attributes only those in `wanted`, where that is not empty. */
enum err cognito_user_show(struct arena *a, const struct cognito_user *user,
                           const struct cognito_searched_attribute_names_list_type *wanted,
                           struct cognito_user_type *ret) WARN_UNUSED;
/* Names of the user's groups, the strongest first, and the roles of those that have one. */
struct cognito_groups {
    struct cognito_group *v;
    size_t n;
};
enum err cognito_groups_of(struct txn *txn, const struct cognito_pool *pool,
                           const struct cognito_user *user, struct cognito_groups *ret) WARN_UNUSED;
enum err cognito_group_read(struct txn *txn, struct str pool_id, struct str name,
                            struct cognito_group *ret) WARN_UNUSED;
void cognito_group_show(struct str pool_id, const struct cognito_group *g,
                        struct cognito_group_type *ret);

/* --- a call that goes on after others answered (cognito_flow.c) --------------------------------- */

/* Lifetime: the call. */
struct cognito_flow;

/* What a request is about, on its way through triggers. */
struct cognito_act {
    struct call *call;
    const struct cognito_pool *pool;
    const struct cognito_client *client; /* NULL: an administrator's, without one */
    struct tag_list metadata;            /* ClientMetadata */
};

struct cognito_event {
    const char *trigger; /* member of LambdaConfigType: "PreSignUp" */
    const char *source;  /* "PreSignUp_SignUp" */
    struct str user;
    struct str request, response; /* JSON objects */
};
/* The function of the pool's trigger. STR_NONE: there is none. */
struct str cognito_trigger_arn(const struct cognito_pool *pool, const char *trigger);
/* Asks it, or gives the answer that it gave: `response` of what it returned. *ret NULL: the pool has no
 * such trigger. ERR_SUSPENDED; the service's errors. */
enum err cognito_trigger(const struct cognito_act *act, const struct cognito_event *event,
                         const struct json **ret) WARN_UNUSED;
/* Starts a request object of an event: {"userAttributes":{..}. The caller adds to it and closes it. */
void cognito_event_begin(struct json_out *o, const struct cognito_user *user);
void cognito_event_end(struct json_out *o, const struct cognito_act *act, const char *metadata);

/* CG6: applies `note` to the user's record in a commit of its own, once in a call. ERR_SUSPENDED, then
 * ERR_OK. */
enum cognito_note { COGNITO_NOTE_SIGN_IN, COGNITO_NOTE_CODE };
enum err cognito_note(const struct cognito_act *act, const struct cognito_user *user,
                      enum cognito_note note, struct str purpose) WARN_UNUSED;

/* What is kept of hashing over reruns (CG5): bytes by a name. ERR_NOT_FOUND, ERR_NOMEM. */
enum err cognito_kept(struct call *call, const char *name, struct str *ret) WARN_UNUSED;
enum err cognito_keep(struct call *call, const char *name, struct str bytes) WARN_UNUSED;

/* --- passwords (cognito_password.c) ------------------------------------------------------------- */

/* InvalidPasswordException where the pool's policy does not take it. */
enum err cognito_password_check(struct call *call, const struct cognito_pool *pool,
                                struct str password) WARN_UNUSED;
/* Sets hash and verifier of the user. Long (CG2). */
enum err cognito_password_set(struct call *call, const struct cognito_pool *pool,
                              struct cognito_user *user, struct str password) WARN_UNUSED;
/* ERR_DENIED: another password, or none is set. `user` NULL: of nobody, for as long as that takes. Long. */
enum err cognito_password_verify(struct call *call, const struct cognito_user *user,
                                 struct str password) WARN_UNUSED;
/* One that the policy takes. STR_NONE on exhaustion. */
struct str cognito_password_make(struct arena *a, const struct cognito_pool *pool);

/* --- SRP (cognito_srp.c), TOTP (cognito_totp.c), filters (cognito_filter.c): pure ---------------- */

#include "svc/cognito/cognito_filter.h"
#include "svc/cognito/cognito_srp.h"
#include "svc/cognito/cognito_totp.h"

/* What follows '_' in a pool's id: what SRP calls the pool. */
struct str cognito_pool_name(struct str pool_id);
/* The user's verifier in the clear, hexadecimal; ERR_NOT_FOUND: it has no password. */
enum err cognito_verifier(struct txn *txn, const struct cognito_pool *pool,
                          const struct cognito_user *user, struct str *ret) WARN_UNUSED;

/* --- codes and letters (cognito_code.c) --------------------------------------------------------- */

/* Makes a code for the purpose, puts it in the user's record (which the caller saves) and sends it to
 * `attribute` (email; another: CodeDeliveryFailureException). */
struct cognito_sending {
    const char *purpose; /* "signup", "password", or the attribute that it verifies */
    const char *source;  /* of the CustomMessage trigger */
    struct str attribute, address;
    struct str value; /* that the attribute gets once it is verified; absent: it has it */
};
enum err cognito_code_send(const struct cognito_act *act, struct cognito_user *user,
                           const struct cognito_sending *s,
                           struct cognito_code_delivery_details_type *ret) WARN_UNUSED;
/* Takes the code off the user if it is right. ExpiredCodeException, CodeMismatchException (which is
 * counted), LimitExceededException. *ret_value: see cognito_sending; may be NULL. */
enum err cognito_code_take(const struct cognito_act *act, struct cognito_user *user,
                           const char *purpose, struct str code, struct str *ret_value) WARN_UNUSED;
void cognito_code_drop(struct cognito_user *user, const char *purpose);
/* Client and user of a call that nobody signs; sets the service's errors. `absent`: what a client is told of a
 * user that is not there; ERR_NOT_FOUND instead where the client hides who there is. */
struct cognito_claimed {
    struct str client_id, username, secret_hash;
    const char *absent;
};
#define COGNITO_CLAIMED(in, words)                                                                 \
    (&(const struct cognito_claimed){(in)->client_id, (in)->username, (in)->secret_hash, (words)})
enum err cognito_claimed_user(struct cognito_act *act, const struct cognito_claimed *claimed,
                              struct cognito_user *ret) WARN_UNUSED;
/* What is told of a user that is not there, where that is not to be told. */
enum err cognito_code_pretend(struct call *call, struct str username,
                              struct cognito_code_delivery_details_type *ret) WARN_UNUSED;
/* The invitation of a user that an administrator made. */
enum err cognito_invite(const struct cognito_act *act, const struct cognito_user *user,
                        struct str password) WARN_UNUSED;
/* "a***@e***" */
struct str cognito_masked(struct arena *a, struct str address);
/* The verified address that a password is recovered by; ERR_NOT_FOUND. */
enum err cognito_recovery(const struct cognito_pool *pool, const struct cognito_user *user,
                          struct str *ret_attribute, struct str *ret_address) WARN_UNUSED;

/* --- sessions and marks (cognito_mark.c) -------------------------------------------------------- */

enum cognito_mark {
    COGNITO_MARK_SESSION = 1, /* -> struct cognito_session, sealed */
    COGNITO_MARK_REVOKED = 2, /* -> nothing */
    COGNITO_MARK_CODE = 3,    /* -> struct cognito_session, sealed: an authorization code */
    COGNITO_MARK_SIGNED_ON =
        4, /* -> the same: who is signed on at the pool's domain, by a cookie */
};
enum err cognito_marks_register(struct cognito *c) WARN_UNUSED;
/* Stages a session under a new name, for so long. */
enum err cognito_session_put(struct txn *txn, struct cognito *c, enum cognito_mark mark,
                             const struct cognito_session *s, int64_t for_ms,
                             struct str *ret_name) WARN_UNUSED;
/* What it is. ERR_NOT_FOUND: unknown or over. */
enum err cognito_session_read(struct txn *txn, struct cognito *c, enum cognito_mark mark,
                              struct str pool_id, struct str name,
                              struct cognito_session *ret) WARN_UNUSED;
/* Takes it: it is gone once this commits. ERR_NOT_FOUND: unknown or over. */
enum err cognito_session_take(struct txn *txn, struct cognito *c, enum cognito_mark mark,
                              struct str pool_id, struct str name,
                              struct cognito_session *ret) WARN_UNUSED;
enum err cognito_revoke(struct txn *txn, struct cognito *c, struct str pool_id, struct str origin,
                        int64_t for_ms) WARN_UNUSED;
enum err cognito_is_revoked(struct txn *txn, struct cognito *c, struct str pool_id,
                            struct str origin, bool *ret) WARN_UNUSED;

/* --- tokens (cognito_token.c) ------------------------------------------------------------------- */

struct cognito_grant {
    const struct cognito_act *act;
    const struct cognito_user *user; /* NULL: of client_credentials */
    int64_t auth_ms;
    struct str origin; /* origin_jti; absent: a new one */
    struct str scope;  /* absent: COGNITO_SCOPE_ADMIN */
    struct str nonce;
    const char *source; /* of the PreTokenGeneration trigger */
    bool refresh;       /* a refresh token, too */
    bool id;            /* an ID token */
};
/* Signs them; asks the PreTokenGeneration trigger. */
enum err cognito_tokens(const struct cognito_grant *g,
                        struct cognito_authentication_result_type *ret) WARN_UNUSED;
/* What a pool signs with which of its keys; all are in its JWKS, and a token names its own (kid). */
enum cognito_key_use { COGNITO_KEY_ID, COGNITO_KEY_ACCESS, COGNITO_KEYS };
struct str cognito_key_key(struct arena *a, const struct cognito_pool *pool,
                           enum cognito_key_use use);
/* The pool's key, made where there is none yet. */
enum err cognito_key_need(struct cognito *c, struct txn *txn, const struct cognito_pool *pool,
                          enum cognito_key_use use, struct jwt_key **ret) WARN_UNUSED;
/* Whose access token this is, read anew: revoked ones and those of disabled or deleted users are
 * refused. Takes from the pool's rate. */
struct cognito_bearer {
    const struct cognito_pool *pool;
    const struct cognito_client *client;
    struct cognito_user user;
    struct str origin, scope;
};
enum err cognito_bearer(struct call *call, struct str token,
                        struct cognito_bearer *ret) WARN_UNUSED;
/* What a refresh token stands for, checked against its user. NotAuthorizedException. */
enum err cognito_refresh_open(struct call *call, const struct cognito_client *client,
                              struct str token, struct cognito_session *ret,
                              struct cognito_user *ret_user) WARN_UNUSED;
/* The same without looking at its user. ERR_INVALID. */
enum err cognito_refresh_read(struct txn *txn, struct str token,
                              struct cognito_session *ret) WARN_UNUSED;
enum err cognito_verify(void *self, struct txn *txn, const struct str *pool_arns, size_t n_pools,
                        struct str token, struct cognito_identity *ret) WARN_UNUSED;

/* --- signing in (auth.c, auth_step.c, auth_answer.c) ---------------------------------------------------------- */

/* A sign-in: what was asked, and what is answered. */
struct cognito_auth {
    struct cognito_act act;
    bool admin;
    bool hosted; /* by the form of the pool's domain: what comes of it is a code, or.. */
    const struct cognito_grant *grant; /* ..tokens by this, whose user is not known yet; or NULL */
    struct str flow;                   /* of InitiateAuth */
    struct tag_list parameters;
    struct str challenge_asked, session_asked; /* of RespondToAuthChallenge */
    struct cognito_user user;
    struct cognito_session session; /* that the answer belongs to */
    /* Answered. */
    struct str challenge, session_told;
    struct tag *params;
    size_t n_params;
    const struct cognito_authentication_result_type *result;
};
enum err cognito_auth_begin(struct cognito_auth *at) WARN_UNUSED;
enum err cognito_auth_answer(struct cognito_auth *at) WARN_UNUSED;
/* Whether the user may sign in with this password; NotAuthorizedException and its like. Fills at->user. */
enum err cognito_auth_password(struct cognito_auth *at, struct str username,
                               struct str password) WARN_UNUSED;
/* What follows the right password: a challenge, or tokens. */
enum err cognito_auth_next(struct cognito_auth *at) WARN_UNUSED;
enum err cognito_auth_done(struct cognito_auth *at) WARN_UNUSED;
/* A challenge with its session, whose name is told. */
enum err cognito_auth_challenge(struct cognito_auth *at, const char *name,
                                struct str *ret_session) WARN_UNUSED;
enum err cognito_auth_param(struct cognito_auth *at, const char *name,
                            struct str value) WARN_UNUSED;
enum err cognito_auth_locked(struct cognito_auth *at, const struct cognito_user *user) WARN_UNUSED;
enum err cognito_auth_failed(struct cognito_auth *at, const struct cognito_user *user) WARN_UNUSED;
enum err cognito_auth_state(struct cognito_auth *at) WARN_UNUSED;
/* auth_srp.c, auth_custom.c */
enum err cognito_srp_begin(struct cognito_auth *at) WARN_UNUSED;
/* Checks the proof; what follows is the caller's. */
enum err cognito_srp_answer(struct cognito_auth *at) WARN_UNUSED;
enum err cognito_custom_begin(struct cognito_auth *at) WARN_UNUSED;
enum err cognito_custom_answer(struct cognito_auth *at) WARN_UNUSED;
/* One round is over; DefineAuthChallenge says what comes. */
enum err cognito_custom_next(struct cognito_auth *at, const char *challenge, bool right,
                             struct str metadata) WARN_UNUSED;

/* op_sign_up.c: what the PreSignUp trigger wants of a new user; nothing without one. */
struct cognito_wishes {
    bool confirm, verify_email, verify_phone;
};
enum err cognito_pre_sign_up(const struct cognito_act *act, const struct cognito_user *user,
                             struct str username, struct tag_list validation,
                             struct cognito_wishes *ret) WARN_UNUSED;
/* op_mfa.c: the user's factors, as GetUser and AdminGetUser show them. */
struct cognito_factors {
    struct str preferred;
    struct cognito_user_mfa_setting_list_type list;
};
struct cognito_factors cognito_factors_of(const struct cognito_user *user);

/* --- the rest ----------------------------------------------------------------------------------- */

extern const struct tags_service cognito_tags;
/* op_delete_pool.c: what is left of a deleted pool. */
enum err cognito_removal_register(struct cognito *c) WARN_UNUSED;
/* serve_keys.c, serve_pages.c */
enum err cognito_pages_register(struct cognito *c) WARN_UNUSED;
enum err cognito_claims_register(struct cognito *c) WARN_UNUSED;

#endif
