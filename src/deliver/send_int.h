/* Shared by send.c and send_outside.c. Thread: the home loop, but for what takes a transaction. */
#ifndef WEIR_DELIVER_SEND_INT_H
#define WEIR_DELIVER_SEND_INT_H

#include "deliver/send.h"

/* What went wrong, as a dead letter tells it. */
struct send_fault {
    struct str code, message;
    struct str exhausted; /* which limit ended the retries; absent: none did */
    int retries;
};

/* An operation or a request on its way, and what it answered: work->user. */
struct send_attempt {
    struct deliver *d;
    struct deliver_work *work;
    struct arena arena;
    struct send send;
    struct str code, message; /* of its error */
    /* Of a target outside. */
    struct target_request request; /* in the arena */
    bool untrusted;                /* the role is to blame */
    int64_t wait_ms;               /* the next attempt is no sooner; 0: as it comes */
    enum deliver_outcome outcome;
};

/* ERR_CORRUPT, ERR_NOMEM. */
enum err send_attempt_new(struct deliver *d, struct deliver_work *work,
                          struct send_attempt **ret) WARN_UNUSED;
void send_attempt_free(struct send_attempt *at);

/* What the registry's error means in the piece's words. */
struct send_fault send_fault_of(const struct send *s, enum err err);
struct send_fault send_no_role(const struct send *s);
/* Whether its role, if it has one, trusts the sender (SE2). ERR_DENIED. */
enum err send_trusted(struct txn *txn, const struct send *s) WARN_UNUSED;
struct target send_target_of(const struct send *s);

/* The kind DELIVER_SEND, whose ends (dead letter, memory) DELIVER_OUTSIDE shares. */
struct deliver_kind send_kind(struct deliver *d);

#endif
