/* Ends of attempts. Thread: the home loop. */
#ifndef WEIR_DELIVER_CONCLUDE_H
#define WEIR_DELIVER_CONCLUDE_H

struct entry;
struct deliver;

/* Each takes a running entry on. */
void conclude_drop(struct entry *e);    /* removes it from the store */
void conclude_later(struct entry *e);   /* the store failed: back to waiting, nothing is written */
void conclude_give_up(struct entry *e); /* the kind's give_up, then removed */

/* Commits what was concluded, in batches, one commit at a time. */
void conclude_pump(struct deliver *d);

#endif
