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

/* What became of a piece, or of an attempt (send_measure.c). */
enum send_told {
    SEND_SENT,
    SEND_AGAIN,     /* an attempt that is not the first begins */
    SEND_HELD,      /* an attempt waits for its turn */
    SEND_FAILED,    /* an attempt failed */
    SEND_THROTTLED, /* so, since there was too much */
    SEND_DEAD,      /* it is in the dead letter queue */
    SEND_LOST,      /* it should be, but that failed */
    SEND_DROPPED,   /* there is none */
    SEND_TOLD_N,
};
/* Tells metrics of it. */
void send_tell(struct deliver *d, const struct send *s, enum send_told what);
/* Tells it once the transaction is committed, and counts the ends: SENT, DEAD, LOST, DROPPED. */
enum err send_end(struct deliver *d, struct txn *txn, const struct send *s,
                  enum send_told what) WARN_UNUSED;

/* The kind DELIVER_SEND, whose ends (dead letter, memory) DELIVER_OUTSIDE shares. */
struct deliver_kind send_kind(struct deliver *d);

#endif
