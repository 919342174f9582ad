/* The index of a queue against a naive model: random operations on a fake clock, for standard and
 * for FIFO queues. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "svc/sqs/sqs_index.h"

enum { STEPS = 40000, LIVE_MAX = 200, GROUPS = 4, NO_GROUP = 3, TAKE = 5 };

/* A message of the model. */
struct mm {
    uint64_t seq;
    int group;
    enum sqs_slot_state state;
    int64_t due;
    uint32_t receives;
    uint64_t order; /* standard: place among the visible ones */
    bool dead;
    struct sqs_slot *slot; /* NEW and TAKEN ones */
};

struct model {
    bool fifo;
    struct mm m[LIVE_MAX];
    size_t n;
    uint64_t next_seq, next_order;
    int64_t front_order;
    int64_t now;
};

static struct str group_name(int g)
{
    static const struct str names[GROUPS] = {STR_INIT("a"), STR_INIT("b"), STR_INIT("c"),
                                             STR_INIT("")};
    return names[g];
}

static void kill_at(struct model *mo, size_t i)
{
    mo->m[i] = mo->m[--mo->n];
}

static void make_visible(struct model *mo, struct mm *m, bool front)
{
    m->state = SQS_SLOT_VISIBLE;
    m->order = front ? (uint64_t)(mo->front_order -= 1) : mo->next_order++;
}

/* What is due becomes visible, in order of (due, seq). */
static void model_promote(struct model *mo)
{
    for (;;) {
        struct mm *best = NULL;
        for (size_t i = 0; i < mo->n; i++) {
            struct mm *m = &mo->m[i];
            if ((m->state != SQS_SLOT_DELAYED && m->state != SQS_SLOT_LEASED) || m->due > mo->now)
                continue;
            if (!best || m->due < best->due || (m->due == best->due && m->seq < best->seq))
                best = m;
        }
        if (!best)
            return;
        make_visible(mo, best, false);
    }
}

/* Held back by one of its group before it: those after it do not matter, whatever becomes of them. */
static bool group_blocked(const struct model *mo, const struct mm *m)
{
    for (size_t i = 0; i < mo->n; i++) {
        const struct mm *o = &mo->m[i];
        if (o->group == m->group && o->seq < m->seq && o->state != SQS_SLOT_NEW)
            return true;
    }
    return false;
}

static struct mm *by_seq(struct model *mo, uint64_t seq)
{
    for (size_t i = 0; i < mo->n; i++)
        if (mo->m[i].seq == seq)
            return &mo->m[i];
    return NULL;
}

/* Who stands first where m stands: in its group, or among those that have none. */
static struct mm *first_like(struct model *mo, const struct mm *m)
{
    struct mm *first = NULL;
    for (size_t i = 0; i < mo->n; i++)
        if (mo->m[i].state == SQS_SLOT_VISIBLE && mo->m[i].group == m->group &&
            (!first || (int64_t)mo->m[i].order < (int64_t)first->order))
            first = &mo->m[i];
    return first;
}

static size_t out_of(const struct model *mo, int group)
{
    size_t n = 0;
    for (size_t i = 0; group != NO_GROUP && i < mo->n; i++)
        n += mo->m[i].group == group &&
             (mo->m[i].state == SQS_SLOT_TAKEN || mo->m[i].state == SQS_SLOT_LEASED);
    return n;
}

/* Of the group with the least in flight, then the oldest of the first ones. */
static struct mm *fairest(struct model *mo)
{
    struct mm *best = NULL;
    for (int group = 0; group < GROUPS; group++) {
        struct mm like = {.group = group}, *m = first_like(mo, &like);
        if (!m)
            continue;
        size_t out = out_of(mo, group), least = best ? out_of(mo, best->group) : SIZE_MAX;
        if (out < least || (out == least && m->seq < best->seq))
            best = m;
    }
    return best;
}

static void check_take_standard(struct model *mo, struct sqs_slot **slots, size_t n, size_t max)
{
    for (size_t k = 0; k < n; k++) {
        struct mm *best = fairest(mo);
        assert_non_null(best);
        assert_true(best->seq == slots[k]->seq);
        best->state = SQS_SLOT_TAKEN;
        best->slot = slots[k];
    }
    for (size_t i = 0; n < max && i < mo->n; i++)
        assert_true(mo->m[i].state != SQS_SLOT_VISIBLE);
}

static bool is_among(struct sqs_slot **slots, size_t n, uint64_t seq)
{
    for (size_t i = 0; i < n; i++)
        if (slots[i]->seq == seq)
            return true;
    return false;
}

/* All of its group that are before a taken message are in the same take, before it. */
static void check_take_fifo(struct model *mo, struct sqs_slot **slots, size_t n, size_t max)
{
    for (size_t k = 0; k < n; k++) {
        struct mm *m = by_seq(mo, slots[k]->seq);
        assert_non_null(m);
        assert_int_equal(m->state, SQS_SLOT_VISIBLE);
        for (size_t i = 0; i < mo->n; i++) {
            const struct mm *o = &mo->m[i];
            if (o->group == m->group && o->seq < m->seq && o->state != SQS_SLOT_NEW)
                assert_true(is_among(slots, k, o->seq));
        }
        m->state = SQS_SLOT_TAKEN;
        m->slot = slots[k];
    }
    for (size_t i = 0; n < max && i < mo->n; i++)
        assert_false(mo->m[i].state == SQS_SLOT_VISIBLE && !group_blocked(mo, &mo->m[i]));
}

static void check_counts(const struct model *mo, const struct sqs_index *ix)
{
    size_t count[SQS_SLOT_STATES] = {0};
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < mo->n; i++) {
        const struct mm *m = &mo->m[i];
        count[m->state]++;
        if ((m->state == SQS_SLOT_DELAYED || m->state == SQS_SLOT_LEASED) && m->due < next)
            next = m->due;
        const struct sqs_slot *slot = sqs_index_find(ix, m->seq);
        assert_non_null(slot);
        assert_int_equal(slot->state, m->state);
        assert_int_equal(slot->receives, m->receives);
        assert_true(ix->oldest_seq <= m->seq);
    }
    for (int s = SQS_SLOT_NEW; s < SQS_SLOT_STATES; s++)
        assert_int_equal(ix->count[s], count[s]);
    assert_int_equal(ix->n, mo->n);
    assert_true(sqs_index_next_due(ix) == next);
    assert_null(sqs_index_find(ix, mo->next_seq));
}

static void step_send(struct model *mo, struct sqs_index *ix)
{
    if (mo->n == LIVE_MAX)
        return;
    struct mm *m = &mo->m[mo->n++];
    *m = (struct mm){.seq = mo->next_seq++, .group = (int)rng_below(GROUPS)};
    m->state = SQS_SLOT_NEW;
    assert_int_equal(sqs_index_new_slot(ix, m->seq, group_name(m->group), &m->slot), ERR_OK);
}

static struct mm *pick(struct model *mo, enum sqs_slot_state state)
{
    if (mo->n == 0)
        return NULL;
    size_t start = rng_below(mo->n);
    for (size_t i = 0; i < mo->n; i++)
        if (mo->m[(start + i) % mo->n].state == state)
            return &mo->m[(start + i) % mo->n];
    return NULL;
}

static void step_confirm(struct model *mo, struct sqs_index *ix)
{
    struct mm *m = pick(mo, SQS_SLOT_NEW);
    if (!m)
        return;
    if (rng_below(5) == 0) {
        sqs_index_drop(ix, m->slot);
        kill_at(mo, (size_t)(m - mo->m));
        return;
    }
    m->due = mo->now + (rng_below(2) ? 0 : (int64_t)rng_below(20));
    sqs_index_add(ix, m->slot, m->due, mo->now);
    if (m->due <= mo->now)
        make_visible(mo, m, false);
    else
        m->state = SQS_SLOT_DELAYED;
}

static void step_take(struct model *mo, struct sqs_index *ix)
{
    struct sqs_slot *slots[TAKE];
    size_t max = 1 + rng_below(TAKE), n = sqs_index_take(ix, max, slots);
    if (mo->fifo)
        check_take_fifo(mo, slots, n, max);
    else
        check_take_standard(mo, slots, n, max);
}

static void step_end_take(struct model *mo, struct sqs_index *ix)
{
    struct mm *m = pick(mo, SQS_SLOT_TAKEN);
    if (!m)
        return;
    bool lease = rng_below(3) > 0;
    int64_t due = mo->now + (int64_t)rng_below(15);
    if (lease)
        sqs_index_lease(ix, m->slot, due, mo->now);
    else
        sqs_index_untake(ix, m->slot);
    if (m->dead) {
        kill_at(mo, (size_t)(m - mo->m));
        return;
    }
    m->receives += lease;
    m->due = due;
    if (!lease || due <= mo->now)
        make_visible(mo, m, !lease);
    else
        m->state = SQS_SLOT_LEASED;
}

static void step_lease(struct model *mo, struct sqs_index *ix)
{
    struct mm *m = pick(mo, SQS_SLOT_LEASED);
    if (!m)
        return;
    m->due = mo->now + (int64_t)rng_below(15);
    sqs_index_set_due(ix, sqs_index_find(ix, m->seq), m->due, mo->now);
    if (m->due <= mo->now)
        make_visible(mo, m, false);
}

static void step_remove(struct model *mo, struct sqs_index *ix)
{
    if (mo->n == 0)
        return;
    struct mm *m = &mo->m[rng_below(mo->n)];
    if (m->state == SQS_SLOT_NEW)
        return;
    sqs_index_remove(ix, sqs_index_find(ix, m->seq));
    if (m->state == SQS_SLOT_TAKEN)
        m->dead = true;
    else
        kill_at(mo, (size_t)(m - mo->m));
}

static void step_old(struct model *mo, struct sqs_index *ix)
{
    uint64_t below = mo->next_seq > 60 ? mo->next_seq - rng_below(60) : 0, seqs[LIVE_MAX];
    size_t want = 0, n = sqs_index_old(ix, below, LIVE_MAX, seqs);
    for (size_t i = 0; i < mo->n; i++)
        want += mo->m[i].seq < below &&
                (mo->m[i].state == SQS_SLOT_VISIBLE || mo->m[i].state == SQS_SLOT_DELAYED);
    assert_int_equal(n, want);
    for (size_t i = 0; i < n; i++) {
        struct mm *m = by_seq(mo, seqs[i]);
        assert_non_null(m);
        sqs_index_remove(ix, sqs_index_find(ix, seqs[i]));
        kill_at(mo, (size_t)(m - mo->m));
    }
}

static void run_model(bool fifo, uint64_t seed)
{
    struct model mo = {.fifo = fifo, .next_seq = 1, .now = 1000};
    struct sqs_index *ix = sqs_index_new(fifo);
    assert_non_null(ix);
    rng_seed(seed);
    for (int i = 0; i < STEPS; i++) {
        switch (rng_below(12)) {
        case 0:
        case 1:
        case 2:
            step_send(&mo, ix);
            break;
        case 3:
        case 4:
            step_confirm(&mo, ix);
            break;
        case 5:
        case 6:
            step_take(&mo, ix);
            break;
        case 7:
            step_end_take(&mo, ix);
            break;
        case 8:
            step_lease(&mo, ix);
            break;
        case 9:
            step_remove(&mo, ix);
            break;
        case 10:
            mo.now += (int64_t)rng_below(6);
            break;
        default:
            if (rng_below(50) == 0)
                step_old(&mo, ix);
        }
        if (i % 3 == 0) {
            model_promote(&mo);
            (void)sqs_index_promote(ix, mo.now);
        }
        if (i % 16 == 0)
            check_counts(&mo, ix);
    }
    rng_seed(0);
    sqs_index_unref(ix);
}

static void test_model_standard(void **state)
{
    for (uint64_t seed = 1; seed <= 5; seed++)
        run_model(false, seed);
}

static void test_model_fifo(void **state)
{
    for (uint64_t seed = 1; seed <= 5; seed++)
        run_model(true, seed);
}

static void test_load(void **state)
{
    struct sqs_index *ix = sqs_index_new(false);
    struct sqs_slot *slots[4];
    assert_int_equal(sqs_index_load(ix, 1, STR_NONE, 0, 0, 100), ERR_OK);
    assert_int_equal(sqs_index_load(ix, 2, STR_NONE, 0, 200, 100), ERR_OK);
    assert_int_equal(sqs_index_load(ix, 3, STR_NONE, 2, 150, 100), ERR_OK);
    assert_int_equal(sqs_index_load(ix, 4, STR_NONE, 1, 90, 100), ERR_OK);
    assert_int_equal(ix->count[SQS_SLOT_VISIBLE], 2);
    assert_int_equal(ix->count[SQS_SLOT_DELAYED], 1);
    assert_int_equal(ix->count[SQS_SLOT_LEASED], 1);
    assert_int_equal(sqs_index_next_due(ix), 150);
    assert_int_equal(sqs_index_promote(ix, 200), 2);
    assert_int_equal(sqs_index_take(ix, 4, slots), 4);
    assert_int_equal(slots[0]->seq, 1);
    assert_int_equal(slots[1]->seq, 4);
    assert_int_equal(slots[2]->seq, 3);
    assert_int_equal(slots[2]->receives, 2);
    sqs_index_unref(ix);
}

/* In flight of one group: what comes back is given again though those after it are out. */
static void test_fifo_given_back(void **state)
{
    struct sqs_index *ix = sqs_index_new(true);
    struct sqs_slot *slots[4];
    for (uint64_t seq = 1; seq <= 4; seq++)
        assert_int_equal(sqs_index_load(ix, seq, STR("g"), 0, 0, 100), ERR_OK);
    assert_int_equal(sqs_index_take(ix, 3, slots), 3);
    for (size_t i = 0; i < 3; i++)
        sqs_index_lease(ix, slots[i], 200, 100);
    sqs_index_set_due(ix, sqs_index_find(ix, 2), 0, 100); /* behind 1, which is out */
    assert_int_equal(sqs_index_take(ix, 4, slots), 0);
    sqs_index_set_due(ix, sqs_index_find(ix, 1), 0, 100);
    assert_int_equal(sqs_index_take(ix, 4, slots), 2); /* 3 is out, and holds 4 back */
    assert_int_equal(slots[0]->seq, 1);
    assert_int_equal(slots[1]->seq, 2);
    sqs_index_untake(ix, slots[1]);
    sqs_index_lease(ix, slots[0], 300, 100);
    sqs_index_remove(ix, sqs_index_find(ix, 1)); /* the first is done: the second again */
    assert_int_equal(sqs_index_take(ix, 4, slots), 1);
    assert_int_equal(slots[0]->seq, 2);
    sqs_index_lease(ix, slots[0], 400, 100);
    assert_int_equal(sqs_index_promote(ix, 200), 1); /* 3, behind 2 */
    assert_int_equal(sqs_index_take(ix, 4, slots), 0);
    sqs_index_remove(ix, sqs_index_find(ix, 2));
    assert_int_equal(sqs_index_take(ix, 4, slots), 2);
    assert_int_equal(slots[0]->seq, 3);
    assert_int_equal(slots[1]->seq, 4);
    sqs_index_untake(ix, slots[1]);
    sqs_index_untake(ix, slots[0]);
    sqs_index_unref(ix);
}

/* A group with a thousand messages, many of them out, holds up nobody. */
static void test_fair(void **state)
{
    struct sqs_index *ix = sqs_index_new(false);
    struct sqs_slot *slots[10];
    for (uint64_t seq = 1; seq <= 1000; seq++)
        assert_int_equal(sqs_index_load(ix, seq, STR("noisy"), 0, 0, 100), ERR_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sqs_index_take(ix, 10, slots), 10);
        for (size_t k = 0; k < 10; k++)
            sqs_index_lease(ix, slots[k], 200, 100);
    }
    assert_int_equal(sqs_index_load(ix, 2000, STR("quiet"), 0, 0, 100), ERR_OK);
    assert_int_equal(sqs_index_load(ix, 2001, STR("quiet"), 0, 0, 100), ERR_OK);
    assert_int_equal(sqs_index_load(ix, 2002, STR_NONE, 0, 0, 100), ERR_OK);
    assert_int_equal(sqs_index_load(ix, 2003, STR("other"), 0, 0, 100), ERR_OK);
    assert_int_equal(sqs_index_take(ix, 5, slots), 5);
    static const uint64_t want[] = {2000, 2002, 2003, 2001, 31};
    for (size_t k = 0; k < 5; k++)
        assert_true(slots[k]->seq == want[k]);
    for (size_t k = 5; k-- > 0;)
        sqs_index_untake(ix, slots[k]);
    assert_int_equal(ix->count[SQS_SLOT_VISIBLE], 974);
    sqs_index_unref(ix);
}

/* Allocation failure at any point leaves the index as it was, and later transitions succeed. */
static void test_no_memory(void **state)
{
    for (int fifo = 0; fifo < 2; fifo++) {
        struct sqs_index *ix = sqs_index_new(fifo);
        struct sqs_slot *slot;
        size_t made = 0;
        for (uint64_t seq = 1; seq < 3000; seq++) {
            mem_fail_after(1 + seq % 4);
            enum err err = sqs_index_new_slot(ix, seq, str_n("gggggggg", seq % 8), &slot);
            mem_fail_after(0);
            assert_true(err == ERR_OK || err == ERR_NOMEM);
            assert_true((sqs_index_find(ix, seq) != NULL) == (err == ERR_OK));
            if (err == ERR_OK) {
                mem_fail_after(1);
                sqs_index_add(ix, slot, seq % 2 ? 500 : 0, 0);
                mem_fail_after(0);
                made++;
            }
        }
        assert_int_equal(ix->n, made);
        assert_true(made > 1000);
        sqs_index_unref(ix);
    }
}

/* A long queue that was drained gives its memory back, and works on. */
static void test_shrink(void **state)
{
    for (int fifo = 0; fifo < 2; fifo++) {
        struct sqs_index *ix = sqs_index_new(fifo);
        for (int round = 0; round < 2; round++) {
            for (uint64_t seq = 1; seq <= 20000; seq++)
                assert_int_equal(sqs_index_load(ix, seq, STR("g"), 0, 0, 100), ERR_OK);
            assert_true(ix->table_cap > 20000);
            for (uint64_t seq = 1; seq <= 20000; seq++)
                sqs_index_remove(ix, sqs_index_find(ix, seq));
            assert_int_equal(ix->n, 0);
            assert_int_equal(ix->table_cap, 0);
            assert_null(sqs_index_find(ix, 1));
        }
        sqs_index_unref(ix);
    }
}

/* What is old comes in pieces, each going on where the last one ended, until a whole pass over the
 * table finds none. */
static void test_old_in_pieces(void **state)
{
    enum { N = 5000, PIECE = 500 };
    static uint64_t seqs[PIECE];
    struct sqs_index *ix = sqs_index_new(false);
    for (uint64_t seq = 1; seq <= N + 10; seq++)
        assert_int_equal(sqs_index_load(ix, seq, STR_NONE, 0, 0, 100), ERR_OK);
    size_t found = 0, last = 0, n;
    while ((n = sqs_index_old(ix, N + 1, PIECE, seqs)) > 0) {
        if (found + n < N / 2) { /* later, removals may have moved slots below it */
            assert_true(ix->old_at > last);
            last = ix->old_at;
        }
        for (size_t i = 0; i < n; i++)
            sqs_index_remove(ix, sqs_index_find(ix, seqs[i]));
        found += n;
    }
    assert_int_equal(found, N);
    assert_int_equal(ix->oldest_seq, N + 1);
    assert_int_equal(ix->old_at, 0);
    assert_int_equal(sqs_index_old(ix, N + 11, PIECE, seqs), 10);
    sqs_index_unref(ix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_standard),
        cmocka_unit_test(test_model_fifo),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_shrink),
        cmocka_unit_test(test_old_in_pieces),
        cmocka_unit_test(test_fifo_given_back),
        cmocka_unit_test(test_fair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
