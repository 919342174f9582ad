/* What the pipeline remembers, in one table with keys pk (the set's date) and sk:
 *   SET            which object, by ETag, is each of the three files; rows and rejects of each; a
 *                  version
 *   SEND           which revision of the set is being sent, how far, by whom and until when; which
 *                  one was sent completely last
 *   CUSTOMER#<id>  the customer's total in revision_id
 *
 * Invariants
 *   S1  SET and SEND change only under a condition on what was read: of two concurrent writers one
 *       gets ERR_CONFLICT and reads again.
 *   S2  Who holds the lease of SEND is the only one to send; every step renews it under the
 *       condition that it is still held.
 *
 * Layer: pipeline. Texts live in the arena given. */
#ifndef ORDERS_STATE_H
#define ORDERS_STATE_H

#include "aws.h"
#include "model.h"

enum {
    STATE_LEASE_MS = 30 * 1000,
    STATE_CUSTOMERS_MAX = 25, /* items of one BatchWriteItem */
};

struct state {
    struct aws *aws;
    struct str table;
};

struct set_file {
    struct str key, etag; /* absent: not there, or not usable */
    int64_t rows, rejects;
};

struct set {
    int64_t version; /* 0: none stored */
    struct str bucket;
    struct set_file files[KINDS];
};

struct sending {
    bool exists;
    struct str revision;      /* being sent, or sent last */
    struct str done_revision; /* sent completely last */
    struct str owner;
    int64_t lease_until_ms;
    int64_t next; /* customers before this position were sent */
};

/* ERR_CLOSED etc. from aws_call; ERR_FAILED: the service refused (aws_state_why). */
enum err state_get_set(const struct state *st, struct arena *a, struct str date,
                       struct set *ret_set) WARN_UNUSED;
/* Stores it with version + 1 if the stored version is still set->version. ERR_CONFLICT. */
enum err state_put_set(const struct state *st, struct arena *a, struct str date,
                       struct set *set) WARN_UNUSED;
bool set_complete(const struct set *set);
/* Names the three contents: hex, in the arena; STR_NONE on exhaustion. */
struct str set_revision(struct arena *a, const struct set *set);

enum err state_get_sending(const struct state *st, struct arena *a, struct str date,
                           struct sending *ret_sending) WARN_UNUSED;
/* Takes the lease for `owner`, given what was read; keeps `next` when the revision is the same.
 * *old becomes what is stored now. ERR_CONFLICT. */
enum err state_claim(const struct state *st, struct arena *a, struct str date, struct str revision,
                     struct str owner, int64_t now_ms, struct sending *old) WARN_UNUSED;
/* The customers before `next` were sent; renews the lease. ERR_CONFLICT: it was lost. */
enum err state_progress(const struct state *st, struct arena *a, struct str date, struct str owner,
                        int64_t next, int64_t lease_until_ms) WARN_UNUSED;
/* All were sent. ERR_CONFLICT. */
enum err state_finish(const struct state *st, struct arena *a, struct str date, struct str owner,
                      struct str revision, int64_t messages, int64_t rejects) WARN_UNUSED;

/* Writes at most STATE_CUSTOMERS_MAX aggregates, until none is left unprocessed. */
enum err state_put_customers(const struct state *st, struct arena *a, struct str date,
                             struct str revision, const struct model *m, size_t from,
                             size_t to) WARN_UNUSED;

#endif
