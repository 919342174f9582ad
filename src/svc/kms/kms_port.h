/* What KMS does for other services, as somebody: data keys to encrypt with, whose sealed form lies
 * beside what they encrypted. Every use is an operation of KMS: authorised by the key's policy and
 * grants, refused when the key is disabled or gone, counted.
 *
 * What a service encrypts with it: secret_close_with and secret_open_with (core/secret.h), bound to the
 * record that the text is of, so that it opens in no other place.
 *
 * A service may let a data key be reused for a while (`reuse_ms`): then KMS is asked once in that time
 * for the same thing by the same principal with the same policies. The key's record and its policy are
 * looked at each time nevertheless, so a key that was disabled is so at once.
 *
 * Keys that AWS manages (alias/aws/s3 and the like) are made when their service first asks for one.
 *
 * Layer: svc. Thread: the transaction's. */
#ifndef WEIR_SVC_KMS_KMS_PORT_H
#define WEIR_SVC_KMS_KMS_PORT_H

#include "core/core.h"
#include "core/fault.h"
#include "core/target.h"

enum {
    KMS_DATA_KEY_BYTES = 32,
    KMS_REUSE_MS = 5 * 60 * 1000, /* of services that do not ask their users */
};

struct kms_pair {
    struct str key, value;
};

/* Borrowed. */
struct kms_pairs {
    const struct kms_pair *v;
    size_t n;
};

/* Borrowed. */
struct kms_use {
    /* The caller, or a service principal. NULL, of `open` alone: the service finishes what a caller was
     * permitted to begin (a retry, a sweep): only the key's state is asked. */
    const struct principal *who;
    struct str via; /* the service that asks on the caller's behalf; absent: he himself */
    struct str source_arn, source_account; /* absent: none */
    struct str region;
    struct kms_pair context; /* the encryption context: what the service binds the data key to, */
    struct kms_pairs more;   /* and what its user adds */
    int64_t reuse_ms;        /* 0: KMS is asked each time */
    bool proves;             /* data_key: and whether `who` may open it again */
};

/* Why not, as services tell it apart. */
enum kms_why {
    KMS_WHY_DENIED,
    KMS_WHY_DISABLED,
    KMS_WHY_INVALID_STATE, /* pending deletion, pending import */
    KMS_WHY_NOT_FOUND,
    KMS_WHY_INVALID_USAGE,
    KMS_WHY_OTHER,
    KMS_WHYS,
};

/* KMS's error; the transaction's arena. */
struct kms_refusal {
    enum kms_why why;
    struct str code, message;
    int64_t since_ms; /* of a key's state, where only that was asked; 0: unknown */
};

/* The transaction's arena. */
struct kms_data_key {
    struct str plain;   /* KMS_DATA_KEY_BYTES */
    struct str sealed;  /* to be stored */
    struct str key_arn; /* the key that sealed it */
};

/* Who gets a permission by a grant. Borrowed. */
struct kms_grantee {
    struct str arn;       /* of a user, role or session */
    struct str operation; /* "Decrypt" */
    struct str name;      /* of the grant: asked again, the one that is there is enough */
};

struct kms_port {
    void *self;
    /* A data key under `key` (id, ARN or alias). ERR_DENIED with *ret_why: KMS refuses.
     * ERR_CONFLICT, ERR_IO, ERR_NOMEM. */
    enum err (*data_key)(void *self, struct txn *txn, const struct kms_use *use, struct str key,
                         struct kms_data_key *ret_key, struct kms_refusal *ret_why);
    /* A sealed data key again. Errors as above. */
    enum err (*open)(void *self, struct txn *txn, const struct kms_use *use, struct str sealed,
                     struct kms_data_key *ret_key, struct kms_refusal *ret_why);
    /* Bytes of a data key that there is already (`plain`), sealed under `key`. Errors as above. */
    enum err (*wrap)(void *self, struct txn *txn, const struct kms_use *use, struct str key,
                     struct str plain, struct kms_data_key *ret_key, struct kms_refusal *ret_why);
    /* A grant on `key` for just the use's encryption context. Errors as above. */
    enum err (*grant)(void *self, struct txn *txn, const struct kms_use *use, struct str key,
                      const struct kms_grantee *grantee, struct kms_refusal *ret_why);
    /* The ARN that an id, alias or ARN of a key in this account and region means, as far as it can be
     * told: of what is not there, as it would be. STR_NONE on exhaustion. */
    struct str (*arn_of)(void *self, struct txn *txn, struct str region, struct str key);
};

/* A refusal as the error that the service has for it (`errors`, one for each reason): ERR_FAILED. */
static inline enum err kms_refused(struct arena *a, const struct wire_error *const errors[KMS_WHYS],
                                   const struct kms_refusal *why, struct fault *f)
{
    return fault_set(a, f, errors[why->why], STR_FMT, STR_ARG(why->message));
}
/* `err` of the port as it is, but a refusal becomes the call's error. */
static inline enum err kms_reply(struct call *call, enum err err,
                                 const struct wire_error *const errors[KMS_WHYS],
                                 const struct kms_refusal *why)
{
    if (err != ERR_DENIED)
        return err;
    return call_error(call, errors[why->why], STR_FMT, STR_ARG(why->message));
}

/* The port of this process's instance; NULL without one. From start on. */
static inline const struct kms_port *kms_port_of(const struct core *core)
{
    return core_port(core, "kms");
}

#endif
