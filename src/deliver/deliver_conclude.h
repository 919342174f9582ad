/* Ends of attempts. Thread: the home loop. */
#ifndef WEIR_DELIVER_CONCLUDE_H
#define WEIR_DELIVER_CONCLUDE_H

#include <stdint.h>

struct deliver_entry;
struct deliver;

/* Each takes a running entry on. */
void deliver_conclude_drop(struct deliver_entry *e); /* removes it from the store */
void deliver_conclude_later(
    struct deliver_entry *e); /* the store failed: back to waiting, nothing is written */
void deliver_conclude_give_up(struct deliver_entry *e); /* the kind's give_up, then removed */

/* Commits what was concluded, in batches, one commit at a time. */
void deliver_conclude_pump(struct deliver *d);
/* Not attempted now, for want of a share: the piece as it is, due at that moment. */
void deliver_conclude_postpone(struct deliver_entry *e, int64_t due_ms);

#endif
