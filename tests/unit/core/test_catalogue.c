/* The catalogue: what memory says after each commit, abort and failure, and what readers see. */
#include <assert.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/catalogue.h"
#include "core/txn_int.h"
#include "help_core.h"

/* A thing's record is "owner,owner:value"; its key "\x7ft/<name>". */
enum { BY_OWNER, KEY_BYTES = 64 };

struct shared { /* outlives versions */
    _Atomic int refs;
};

struct thing {
    struct catalogue_object o;
    struct str value;
    struct shared *shared;
};

struct world {
    struct kv_mem_disk *disk;
    struct kv *mem; /* behind the fault driver */
    struct core core;
    struct catalogue *things;
    bool carry_fails;
    int made, ended, changed; /* what `changed` was told */
    _Atomic int alive;        /* things decoded and not yet released */
    char last[16];            /* value of the newest change, "" for a deletion */
};

static enum err decode(void *self, struct catalogue_object *o, struct str record)
{
    struct world *w = self;
    struct thing *t = (struct thing *)o;
    atomic_fetch_add(&w->alive, 1);
    struct str owners = str_cut(&record, ':');
    if (!str_is_set(record))
        return ERR_CORRUPT;
    while (str_is_set(owners) && owners.len)
        TRY(catalogue_index(o, BY_OWNER, str_cut(&owners, ',')));
    t->value = str_dup(&o->arena, record);
    return t->value.p ? ERR_OK : ERR_NOMEM;
}

static enum err carry(void *self, struct catalogue_object *o, struct catalogue_object *old)
{
    struct world *w = self;
    struct thing *t = (struct thing *)o;
    if (w->carry_fails)
        return ERR_NOMEM;
    t->shared = old ? ((struct thing *)old)->shared : mem_calloc(1, sizeof(*t->shared));
    if (!t->shared)
        return ERR_NOMEM;
    atomic_fetch_add(&t->shared->refs, 1);
    return ERR_OK;
}

static void release(void *self, struct catalogue_object *o)
{
    struct world *w = self;
    struct thing *t = (struct thing *)o;
    atomic_fetch_sub(&w->alive, 1);
    if (t->shared && atomic_fetch_sub(&t->shared->refs, 1) == 1)
        mem_free(t->shared);
}

static void changed(void *self, struct catalogue_object *old, struct catalogue_object *now)
{
    struct world *w = self;
    w->made += !old;
    w->ended += !now;
    w->changed += old && now;
    struct str value = now ? ((struct thing *)now)->value : STR("");
    snprintf(w->last, sizeof(w->last), STR_FMT, STR_ARG(value));
}

#define THING(...)                                                                                 \
    {                                                                                              \
        .name = "test: thing", .size = sizeof(struct thing), .arena_max = 64 * 1024,               \
        .n_indexes = 1, .decode = decode, .carry = carry, .release = release, .changed = changed,  \
        __VA_ARGS__                                                                                \
    }
static const struct catalogue_type plain = THING(.lack = CATALOGUE_RETRY);
static const struct catalogue_type forgetful = THING(.lack = CATALOGUE_FORGET);
static const struct catalogue_type loud = THING(.everyone_waits = true);
static const struct catalogue_type durable = THING(.when = CATALOGUE_DURABLE);

static void open_world(struct world *w, const struct catalogue_type *type, bool manual)
{
    memset(w, 0, sizeof(*w));
    w->disk = kv_mem_disk_new();
    assert_non_null(w->disk);
    assert_int_equal(kv_mem_open(w->disk, manual, &w->mem), ERR_OK);
    assert_int_equal(kv_fault_wrap(w->mem, &w->core.kv), ERR_OK);
    assert_int_equal(catalogue_new(&w->core, type, w, &w->things), ERR_OK);
}

static void close_world(struct world *w)
{
    catalogue_free(w->things);
    assert_int_equal(atomic_load(&w->alive), 0);
    kv_close(w->core.kv);
    kv_mem_disk_free(w->disk);
}

/* --- transactions ----------------------------------------------------------------------------- */

struct work {
    struct arena arena;
    struct txn txn;
};

static void begin(struct world *w, struct work *k)
{
    arena_init(&k->arena, 1024 * 1024);
    k->txn = (struct txn){.core = &w->core, .arena = &k->arena};
    assert_int_equal(txn_begin(&k->txn), ERR_OK);
}

/* Returns what a reply would wait for. */
static uint64_t commit(struct work *k)
{
    uint64_t seq = 0;
    assert_int_equal(txn_commit(&k->txn, &seq), ERR_OK);
    txn_durable(&k->txn);
    arena_release(&k->arena);
    return seq;
}

static void abandon(struct work *k)
{
    txn_abort(&k->txn);
    arena_release(&k->arena);
}

struct key_buf {
    char bytes[KEY_BYTES];
};

static struct str key_into(struct key_buf *k, const char *name)
{
    int n = snprintf(k->bytes, sizeof(k->bytes), "\x7ft/%s", name);
    return str_n(k->bytes, (size_t)n);
}
#define KEY(name) key_into(&(struct key_buf){{0}}, name)

static enum err stage(struct world *w, struct work *k, const char *name, const char *record)
{
    return record ? catalogue_put(w->things, &k->txn, KEY(name), str_c(record))
                  : catalogue_del(w->things, &k->txn, KEY(name));
}

static void put(struct world *w, const char *name, const char *record)
{
    struct work k;
    begin(w, &k);
    assert_int_equal(stage(w, &k, name, record), ERR_OK);
    (void)commit(&k);
}

/* Value in memory, "" when it is not there, or the name of the error. */
static const char *look(struct world *w, const char *name)
{
    static char out[32];
    struct work k;
    void *t = NULL;
    begin(w, &k);
    enum err err = catalogue_get(w->things, &k.txn, KEY(name), &t);
    if (err == ERR_OK)
        snprintf(out, sizeof(out), STR_FMT, STR_ARG(((struct thing *)t)->value));
    else
        snprintf(out, sizeof(out), "%s", err == ERR_NOT_FOUND ? "" : err_name(err));
    abandon(&k);
    return out;
}

/* Values of all that an owner has, oldest first, as "a b c". */
static const char *owned(struct world *w, const char *owner)
{
    static char out[128];
    struct work k;
    struct catalogue_page page;
    size_t len = 0;
    begin(w, &k);
    enum err err = catalogue_list_by(w->things, &k.txn, BY_OWNER, str_c(owner), 10, &page);
    snprintf(out, sizeof(out), "%s", err ? err_name(err) : "");
    for (size_t i = 0; !err && i < page.n; i++)
        len += (size_t)snprintf(out + len, sizeof(out) - len, "%s" STR_FMT, i ? " " : "",
                                STR_ARG(((struct thing *)page.objects[i])->value));
    abandon(&k);
    return out;
}

/* --- what happens when nothing fails ---------------------------------------------------------- */

static void follows_commits_and_not_aborts(void **state)
{
    struct world w;
    struct work k;
    open_world(&w, &plain, false);
    assert_string_equal(look(&w, "a"), "");
    put(&w, "a", "x:1");
    assert_string_equal(look(&w, "a"), "1");
    begin(&w, &k);
    assert_int_equal(stage(&w, &k, "a", "x:2"), ERR_OK);
    assert_string_equal(look(&w, "a"), "1");
    abandon(&k);
    assert_string_equal(look(&w, "a"), "1");
    put(&w, "a", "x:3");
    assert_string_equal(look(&w, "a"), "3");
    put(&w, "a", NULL);
    assert_string_equal(look(&w, "a"), "");
    assert_int_equal(atomic_load(&w.alive), 0); /* its memory went at once */
    assert_int_equal(w.made, 1);
    assert_int_equal(w.changed, 1);
    assert_int_equal(w.ended, 1);
    close_world(&w);
}

static void a_conflict_changes_nothing(void **state)
{
    struct world w;
    struct work k1, k2;
    uint64_t seq;
    void *t = NULL;
    open_world(&w, &plain, false);
    put(&w, "a", "x:1");
    begin(&w, &k1);
    begin(&w, &k2);
    assert_int_equal(catalogue_read(w.things, &k1.txn, KEY("a"), &t), ERR_OK);
    assert_true(str_eq_c(((struct thing *)t)->value, "1"));
    assert_int_equal(stage(&w, &k1, "a", "x:2"), ERR_OK);
    assert_int_equal(stage(&w, &k2, "a", "x:3"), ERR_OK);
    (void)commit(&k2);
    assert_int_equal(txn_commit(&k1.txn, &seq), ERR_CONFLICT);
    arena_release(&k1.arena);
    assert_string_equal(look(&w, "a"), "3");
    close_world(&w);
}

static void a_reference_outlives_a_change(void **state)
{
    struct world w;
    struct work k;
    void *old = NULL, *now = NULL;
    open_world(&w, &plain, false);
    put(&w, "a", "x:1");
    begin(&w, &k);
    assert_int_equal(catalogue_get(w.things, &k.txn, KEY("a"), &old), ERR_OK);
    put(&w, "a", "y:2");
    assert_int_equal(catalogue_get(w.things, &k.txn, KEY("a"), &now), ERR_OK);
    assert_true(str_eq_c(((struct thing *)old)->value, "1"));
    assert_true(str_eq_c(((struct thing *)now)->value, "2"));
    assert_ptr_equal(((struct thing *)old)->shared, ((struct thing *)now)->shared);
    abandon(&k);
    assert_int_equal(atomic_load(&w.alive), 1);
    close_world(&w);
}

static enum err load_body(struct txn *txn, void *arg)
{
    struct world *w = arg;
    return catalogue_load(w->things, txn, STR("\x7ft/"));
}

static void loads_what_is_stored(void **state)
{
    struct world w;
    open_world(&w, &plain, false);
    put(&w, "a", "x:1");
    put(&w, "b", "x,y:2");
    put(&w, "c", "z:3");
    catalogue_free(w.things);
    assert_int_equal(atomic_load(&w.alive), 0);
    assert_int_equal(catalogue_new(&w.core, &plain, &w, &w.things), ERR_OK);
    assert_int_equal(txn_run_now(&w.core, load_body, &w), ERR_OK);
    assert_int_equal(catalogue_count(w.things, STR("\x7ft/")), 3);
    assert_string_equal(look(&w, "b"), "2");
    assert_string_equal(owned(&w, "x"), "1 2");
    assert_string_equal(owned(&w, "y"), "2");
    close_world(&w);
}

static void indexes_follow(void **state)
{
    struct world w;
    struct work k;
    void *t = NULL;
    open_world(&w, &plain, false);
    put(&w, "a", "x,y:1");
    put(&w, "b", "x:2");
    put(&w, "c", "x:3");
    assert_string_equal(owned(&w, "x"), "1 2 3");
    put(&w, "a", "y,z:4"); /* the first of x's ring leaves it */
    assert_string_equal(owned(&w, "x"), "2 3");
    assert_string_equal(owned(&w, "y"), "4");
    assert_string_equal(owned(&w, "z"), "4");
    put(&w, "b", NULL);
    put(&w, "c", "x:5"); /* the only one of its key, replaced in place */
    assert_string_equal(owned(&w, "x"), "5");
    begin(&w, &k);
    assert_int_equal(catalogue_get_by(w.things, &k.txn, BY_OWNER, STR("z"), &t), ERR_OK);
    assert_true(str_eq_c(((struct thing *)t)->value, "4"));
    assert_int_equal(catalogue_get_by(w.things, &k.txn, BY_OWNER, STR("no"), &t), ERR_NOT_FOUND);
    abandon(&k);
    put(&w, "c", NULL);
    assert_string_equal(owned(&w, "x"), "");
    close_world(&w);
}

static void lists_in_pages(void **state)
{
    enum { N = 25, PAGE = 10 };
    struct world w;
    struct work k;
    struct catalogue_page page;
    char name[16];
    open_world(&w, &plain, false);
    put(&w, "k", "x:before");
    put(&w, "m", "x:after");
    for (int i = N - 1; i >= 0; i--) {
        snprintf(name, sizeof(name), "l/%02d", i);
        put(&w, name, "x:v");
    }
    begin(&w, &k);
    struct str after = STR_NONE;
    size_t seen = 0;
    do {
        assert_int_equal(catalogue_list(w.things, &k.txn, STR("\x7ft/l/"), after, PAGE, &page),
                         ERR_OK);
        for (size_t i = 0; i < page.n; i++, seen++) {
            snprintf(name, sizeof(name), "l/%02zu", seen);
            after = ((struct catalogue_object *)page.objects[i])->key;
            assert_true(str_eq(after, KEY(name)));
        }
        assert_int_equal(page.more, seen < N);
    } while (page.more);
    assert_int_equal(seen, N);
    /* A page that ends with the last; a start before the prefix; nothing at all. */
    assert_int_equal(catalogue_list(w.things, &k.txn, STR("\x7ft/l/"), STR("\x7ft/k"), N, &page),
                     ERR_OK);
    assert_int_equal(page.n, N);
    assert_false(page.more);
    assert_int_equal(catalogue_list(w.things, &k.txn, STR("\x7ft/q"), STR_NONE, 1, &page), ERR_OK);
    assert_int_equal(page.n, 0);
    assert_int_equal(catalogue_count(w.things, STR("\x7ft/l/")), N);
    abandon(&k);
    close_world(&w);
}

/* --- durability (CT4) ------------------------------------------------------------------------- */

/* What a transaction that looks `name` up waits for. */
static uint64_t waits_for(struct world *w, const char *name)
{
    struct work k;
    void *t = NULL;
    begin(w, &k);
    enum err err = catalogue_get(w->things, &k.txn, KEY(name), &t);
    assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
    return commit(&k);
}

static void who_looks_up_waits_for_that_commit(void **state)
{
    struct world w;
    open_world(&w, &plain, true);
    put(&w, "a", "x:1");
    uint64_t first = kv_last_seq(w.core.kv);
    kv_mem_grant(w.mem, first);
    put(&w, "b", "x:1");
    uint64_t second = kv_last_seq(w.core.kv);
    assert_true(waits_for(&w, "a") <= first); /* not for another's */
    assert_true(waits_for(&w, "b") >= second);
    put(&w, "a", NULL);
    assert_true(waits_for(&w, "a") >= kv_last_seq(w.core.kv)); /* what tells of its absence */
    assert_int_equal(atomic_load(&w.core.memory_seq), 0);
    close_world(&w);
}

static void everyone_waits_where_the_type_says_so(void **state)
{
    struct world w;
    open_world(&w, &loud, true);
    put(&w, "a", "x:1");
    assert_int_equal(atomic_load(&w.core.memory_seq), kv_last_seq(w.core.kv));
    close_world(&w);
}

static void a_durable_type_changes_once_durable(void **state)
{
    struct fixture f;
    struct world w = {0};
    struct work k1, k2;
    uint64_t seq1, seq2;
    fixture_start(&f, true);
    assert_int_equal(catalogue_new(&f.core, &durable, &w, &w.things), ERR_OK);
    w.core = f.core;
    begin(&w, &k1);
    k1.txn.core = &f.core;
    k1.txn.loop = f.loop;
    assert_int_equal(stage(&w, &k1, "a", "x:1"), ERR_OK);
    assert_int_equal(txn_commit(&k1.txn, &seq1), ERR_OK);
    begin(&w, &k2);
    k2.txn.core = &f.core;
    k2.txn.loop = f.loop;
    assert_int_equal(stage(&w, &k2, "a", "x:2"), ERR_OK);
    assert_int_equal(txn_commit(&k2.txn, &seq2), ERR_OK);
    kv_mem_grant(f.mem, seq1);
    /* The store holds the second by now: the first's hook leaves a job that waits for it. */
    txn_durable(&k1.txn);
    assert_string_equal(look(&w, "a"), "");
    arena_release(&k1.arena);
    kv_mem_grant(f.mem, seq2);
    txn_durable(&k2.txn);
    assert_string_equal(look(&w, "a"), "2");
    arena_release(&k2.arena);
    fixture_stop(&f); /* with the job done */
    assert_string_equal(w.last, "2");
    assert_int_equal(w.made, 1);
    catalogue_free(w.things);
    assert_int_equal(atomic_load(&w.alive), 0);
}

/* --- failures (CT3) --------------------------------------------------------------------------- */

/* Commits a change whose hook cannot read the store. */
static void put_and_lose(struct world *w, const char *name, const char *record)
{
    struct work k;
    begin(w, &k);
    assert_int_equal(stage(w, &k, name, record), ERR_OK);
    w->carry_fails = true;
    (void)commit(&k);
    w->carry_fails = false;
}

static void a_lost_record_is_fetched_by_the_next_lookup(void **state)
{
    struct world w;
    open_world(&w, &plain, false);
    put(&w, "a", "x:1");
    put(&w, "b", "x:1");
    int made = w.made;
    put_and_lose(&w, "a", "x:2");
    assert_int_equal(catalogue_count(w.things, STR("\x7ft/")), 1); /* never the old one */
    w.carry_fails = true;
    assert_string_equal(look(&w, "a"), "nomem");
    assert_string_equal(look(&w, "b"), "1"); /* others are not in doubt */
    assert_string_equal(owned(&w, "x"), "nomem");
    w.carry_fails = false;
    assert_string_equal(owned(&w, "x"), "1 2");
    assert_string_equal(look(&w, "a"), "2");
    assert_int_equal(w.made, made); /* for the listener it was a change like any other */
    assert_string_equal(w.last, "2");
    close_world(&w);
}

static void a_new_change_ends_a_loss(void **state)
{
    struct world w;
    open_world(&w, &plain, false);
    put(&w, "a", "x:1");
    put_and_lose(&w, "a", "x:2");
    put_and_lose(&w, "a", "x:3");
    put(&w, "a", "x:4");
    assert_string_equal(look(&w, "a"), "4");
    put_and_lose(&w, "a", "x:5");
    put(&w, "a", NULL);
    assert_string_equal(look(&w, "a"), "");
    assert_int_equal(w.made, 1);
    assert_int_equal(w.ended, 1);
    put_and_lose(&w, "b", "x:1");
    close_world(&w); /* with one lost */
}

static void what_is_to_be_forgotten_is_refused(void **state)
{
    struct world w;
    open_world(&w, &forgetful, false);
    put(&w, "a", "x:1");
    put_and_lose(&w, "a", "x:2");
    w.carry_fails = true;
    assert_string_equal(look(&w, "a"), "");
    assert_string_equal(owned(&w, "x"), "");
    w.carry_fails = false;
    assert_string_equal(look(&w, "a"), "2");
    close_world(&w);
}

/* Every allocation and every store call of a change fails once: either the change is refused and
 * memory as before, or it is committed and the next lookup tells it. */
static bool play_change(struct world *w, const char *name, const char *record)
{
    struct work k;
    uint64_t seq;
    arena_init(&k.arena, 1024 * 1024);
    k.txn = (struct txn){.core = &w->core, .arena = &k.arena};
    enum err err = txn_begin(&k.txn);
    if (!err)
        err = stage(w, &k, name, record);
    if (err)
        txn_abort(&k.txn);
    else
        err = txn_commit(&k.txn, &seq);
    arena_release(&k.arena);
    return err == ERR_OK;
}

static void survives_every_failing_allocation(void **state)
{
    static const struct {
        const char *before, *record, *want;
    } rows[] = {{NULL, "x,y:2", "2"}, {"x,z:1", "x,y:2", "2"}, {"x,z:1", NULL, ""}};
    for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
        for (uint64_t nth = 1;; nth++) {
            struct world w;
            open_world(&w, &plain, false);
            if (rows[r].before)
                put(&w, "a", rows[r].before);
            mem_fail_after(nth);
            bool done = play_change(&w, "a", rows[r].record);
            bool reached = mem_allocations() >= nth;
            mem_fail_after(0);
            const char *was = rows[r].before ? "1" : "";
            assert_string_equal(look(&w, "a"), done ? rows[r].want : was);
            assert_string_equal(owned(&w, "x"), done ? rows[r].want : was);
            close_world(&w);
            if (!reached)
                break;
        }
    }
}

static void survives_every_failing_store_call(void **state)
{
    static const enum kv_fault_call calls[] = {KV_FAULT_BEGIN, KV_FAULT_COMMIT, KV_FAULT_PEEK,
                                               KV_FAULT_PUT};
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        for (uint64_t nth = 1; nth <= 3; nth++) {
            struct world w;
            open_world(&w, &plain, false);
            put(&w, "a", "x:1");
            kv_fault_fail(w.core.kv, calls[i], nth, ERR_IO);
            bool done = play_change(&w, "a", "y:2");
            kv_fault_fail(w.core.kv, calls[i], 0, ERR_OK);
            assert_string_equal(look(&w, "a"), done ? "2" : "1");
            assert_string_equal(owned(&w, "y"), done ? "2" : "");
            close_world(&w);
        }
}

static void a_damaged_record_stops_the_load(void **state)
{
    struct world w;
    struct work k;
    open_world(&w, &plain, false);
    put(&w, "a", "x:1");
    begin(&w, &k);
    assert_int_equal(txn_put(&k.txn, KEY("b"), STR("no colon")), ERR_OK);
    (void)commit(&k);
    assert_int_equal(txn_run_now(&w.core, load_body, &w), ERR_CORRUPT);
    close_world(&w);
}

/* --- many at once ----------------------------------------------------------------------------- */

enum { READERS = 3, WRITERS = 2, ROUNDS = 150 };

struct actor {
    struct world *w;
    int number;
    _Atomic bool *stop;
};

static void *write_on(void *arg)
{
    const struct actor *a = arg;
    char record[32];
    for (int i = 1; i <= ROUNDS; i++) {
        snprintf(record, sizeof(record), "x,w%d:%d", a->number, i);
        while (!play_change(a->w, "a", i % 7 ? record : NULL))
            continue; /* conflicts with the other writer */
    }
    return NULL;
}

static void *read_on(void *arg)
{
    const struct actor *a = arg;
    while (!atomic_load(a->stop)) {
        struct work k;
        struct catalogue_page page;
        void *t;
        begin(a->w, &k);
        enum err err = catalogue_get(a->w->things, &k.txn, KEY("a"), &t);
        assert(err == ERR_OK || err == ERR_NOT_FOUND);
        assert(err || ((struct thing *)t)->shared);
        assert(catalogue_list_by(a->w->things, &k.txn, BY_OWNER, STR("x"), 5, &page) == ERR_OK);
        assert(page.n <= 1);
        abandon(&k);
    }
    return NULL;
}

/* CT2: whatever the order of hooks, in the end memory is what the store is. */
static void readers_and_writers_at_once(void **state)
{
    struct world w;
    struct work k;
    struct str record;
    pthread_t threads[READERS + WRITERS];
    struct actor actors[READERS + WRITERS];
    _Atomic bool stop = false;
    open_world(&w, &plain, false);
    for (int i = 0; i < READERS + WRITERS; i++) {
        actors[i] = (struct actor){&w, i, &stop};
        assert_int_equal(
            pthread_create(&threads[i], NULL, i < WRITERS ? write_on : read_on, &actors[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&stop, true);
    for (int i = WRITERS; i < READERS + WRITERS; i++)
        pthread_join(threads[i], NULL);
    begin(&w, &k);
    enum err err = txn_get(&k.txn, KEY("a"), &record);
    assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
    (void)str_cut(&record, ':');
    if (err == ERR_OK)
        assert_true(str_eq_c(record, look(&w, "a")));
    else
        assert_string_equal(look(&w, "a"), "");
    abandon(&k);
    assert_true(atomic_load(&w.alive) <= 1);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_commits_and_not_aborts),
        cmocka_unit_test(a_conflict_changes_nothing),
        cmocka_unit_test(a_reference_outlives_a_change),
        cmocka_unit_test(loads_what_is_stored),
        cmocka_unit_test(indexes_follow),
        cmocka_unit_test(lists_in_pages),
        cmocka_unit_test(who_looks_up_waits_for_that_commit),
        cmocka_unit_test(everyone_waits_where_the_type_says_so),
        cmocka_unit_test(a_durable_type_changes_once_durable),
        cmocka_unit_test(a_lost_record_is_fetched_by_the_next_lookup),
        cmocka_unit_test(a_new_change_ends_a_loss),
        cmocka_unit_test(what_is_to_be_forgotten_is_refused),
        cmocka_unit_test(survives_every_failing_allocation),
        cmocka_unit_test(survives_every_failing_store_call),
        cmocka_unit_test(a_damaged_record_stops_the_load),
        cmocka_unit_test(readers_and_writers_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
