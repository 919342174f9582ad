/* Shares of a kind's attempts: pieces that wait for the same thing (a function) never take all of them, so
 * that one that hangs holds up its own pieces alone (D6).
 *
 *   due --deliver_share_enter--> its share has room: attempted
 *                            +-> parked in memory: until an attempt of its share ends
 *                            +-> too many are parked: postponed in the store, at a pace
 *
 * A share may have as many attempts as are free for others: alone half of them, two shares a third each,
 * and so on; one at least. Parked pieces are shared out the same way.
 *
 * Rejected: a limit per share (too low for one, or too high for many), a queue per function (memory that grows with
 * functions, and a range of the store each).
 *
 * Layer: deliver. Thread: home loop. */
#include <assert.h>

#include "base/clock.h"
#include "base/mem.h"
#include "deliver/deliver_int.h"

enum {
    PARKED_MAX = 8 * 1024,
    PACE_US = 250, /* between pieces of a share that are postponed */
    POSTPONE_MIN_MS = 1000,
    POSTPONE_MAX_MS = 5 * 60 * 1000,
    RELEASED = 2, /* by the end of one attempt: the share may have come to be larger */
};

struct deliver_share {
    uint64_t id;
    size_t running, n_parked;
    struct list parked; /* entries */
    int64_t next_us;    /* when the next piece may be due that is postponed */
};

static struct str key_of(const uint64_t *id)
{
    return str_n((const char *)id, sizeof(*id));
}

static struct deliver_share *share_get(struct deliver_queue *q, uint64_t id)
{
    struct deliver_share *s = map_get(&q->shares, key_of(&id));
    if (s)
        return s;
    s = mem_calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->id = id;
    list_init(&s->parked);
    if (map_put(&q->shares, key_of(&s->id), s, NULL) != ERR_OK) {
        mem_free(s);
        return NULL;
    }
    return s;
}

static void park(struct deliver_queue *q, struct deliver_share *s, struct deliver_entry *e)
{
    assert(q->running > 0 && q->d->running > 0 && !list_linked(&e->link));
    q->running--;
    q->d->running--;
    e->state = DELIVER_ENTRY_WAITING;
    if (!e->charged) /* it was read for this attempt */
        deliver_entry_drop_payload(e);
    list_push_back(&s->parked, &e->link);
    s->n_parked++;
    q->n_parked++;
}

/* As fast as PACE_US says they come again, so that each is written about once however many there are. */
static int64_t later_ms(struct deliver_share *s)
{
    int64_t now_ms = clock_now_ms();
    s->next_us = max_i64(s->next_us, (now_ms + POSTPONE_MIN_MS) * 1000) + PACE_US;
    return min_i64(s->next_us / 1000, now_ms + POSTPONE_MAX_MS);
}

enum deliver_entered deliver_share_enter(struct deliver_entry *e, int64_t *ret_due_ms)
{
    struct deliver_queue *q = e->q;
    assert(e->state == DELIVER_ENTRY_RUNNING && !e->share);
    if (!q->kind.share)
        return DELIVER_ENTERED;
    struct deliver_share *s = share_get(q, q->kind.share(q->kind.self, &e->work));
    if (!s)
        return DELIVER_ENTERED; /* without memory for it, in the old order */
    assert(q->running <= q->kind.running_max);
    if (s->running == 0 || s->running < q->kind.running_max - q->running) {
        s->running++;
        e->share = s;
        return DELIVER_ENTERED;
    }
    if (s->n_parked + q->n_parked >= PARKED_MAX) {
        *ret_due_ms = later_ms(s);
        return DELIVER_POSTPONED;
    }
    park(q, s, e);
    return DELIVER_PARKED;
}

void deliver_share_leave(struct deliver_entry *e)
{
    struct deliver_queue *q = e->q;
    struct deliver_share *s = e->share;
    if (!s)
        return;
    e->share = NULL;
    assert(s->running > 0);
    s->running--;
    for (int i = 0; i < RELEASED && s->n_parked; i++) {
        struct list *link = list_pop_front(&s->parked);
        s->n_parked--;
        q->n_parked--;
        deliver_queue_admit(q, CONTAINER_OF(link, struct deliver_entry, link));
    }
    if (s->running || s->n_parked)
        return;
    (void)map_del(&q->shares, key_of(&s->id));
    mem_free(s);
}

void deliver_shares_free(struct deliver_queue *q)
{
    size_t it = 0;
    struct str key;
    void *value;
    while (map_next(&q->shares, &it, &key, &value))
        mem_free(value);
    map_release(&q->shares);
}
