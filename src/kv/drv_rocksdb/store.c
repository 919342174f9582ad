/* Opening, closing and figures of the RocksDB driver, and the choice of its options. Layer: kv. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/sys.h"
#include "kv/drv_rocksdb/judge.h"
#include "kv/drv_rocksdb/rocksdb_int.h"

enum {
    CACHE_BYTES = 32 << 20, /* filled by use: an idle server does not have it */
    WRITE_BUFFER_BYTES = 16 << 20,
    BACKGROUND_THREADS = 2,
    /* A file in which this many of so many neighbouring entries are deletions is compacted soon:
     * queues and leases leave tombstones that scans would otherwise walk. */
    DELETION_WINDOW = 4096,
    DELETION_TRIGGER = 1024,
    FILES_OPEN_MAX = 256,
    LOG_TOTAL_BYTES = 64 << 20,
    BLOOM_BITS = 10,
    METADATA_BLOCK_BYTES = 4096,
    FLUSH_AT_CLOSE_ENTRIES = 2000,
    STATS_BYTES_MAX = 4096,
};

static const double MEMTABLE_BLOOM_RATIO = 0.02; /* of the write buffer */

static struct str stats(struct kv *kv, struct arena *arena)
{
    static const struct {
        const char *property, *name;
    } rows[] = {
        {"rocksdb.total-sst-files-size", "files_bytes"},
        {"rocksdb.estimate-live-data-size", "live_bytes"},
        {"rocksdb.cur-size-all-mem-tables", "memtables_bytes"},
        {"rocksdb.block-cache-usage", "cache_bytes"},
        {"rocksdb.estimate-num-keys", "keys"},
        {"rocksdb.num-snapshots", "snapshots"},
        {"rocksdb.estimate-pending-compaction-bytes", "pending_compaction_bytes"},
    };
    struct rdb *r = (struct rdb *)kv;
    struct buf b;
    buf_init_arena(&b, arena, STATS_BYTES_MAX);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t v = 0;
        if (rocksdb_property_int(r->db, rows[i].property, &v) == 0)
            buf_add_fmt(&b, "%s %llu\n", rows[i].name, (unsigned long long)v);
    }
    buf_add_fmt(&b, "commits %llu\n", (unsigned long long)atomic_load(&r->committed));
    buf_add_fmt(&b, "durable %llu\n", (unsigned long long)atomic_load(&r->durable));
    buf_add_fmt(&b, "syncs %llu\n", (unsigned long long)atomic_load(&r->syncs));
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}

static void rdb_free(struct rdb *r)
{
    rdb_free_kept_txns(r);
    if (r->db)
        rocksdb_close(r->db);
    if (r->write_options)
        rocksdb_writeoptions_destroy(r->write_options);
    if (r->options)
        rocksdb_options_destroy(r->options);
    if (r->table)
        rocksdb_block_based_options_destroy(r->table);
    if (r->cache)
        rocksdb_cache_destroy(r->cache);
    mark_close(&r->mark);
    pthread_mutex_destroy(&r->cause_lock);
    pthread_mutex_destroy(&r->commit_lock);
    pthread_mutex_destroy(&r->free_lock);
    pthread_mutex_destroy(&r->wait_lock);
    pthread_cond_destroy(&r->wait_cond);
    mem_free(r->versions);
    mem_free(r);
}

/* A long log would be replayed at the next start; what fails here is replayed then. */
static void flush_memtable(struct rdb *r)
{
    uint64_t entries = 0;
    if (atomic_load(&r->failed) || r->read_only ||
        rocksdb_property_int(r->db, "rocksdb.num-entries-active-mem-table", &entries) != 0 ||
        entries < FLUSH_AT_CLOSE_ENTRIES)
        return;
    char *message = NULL;
    rocksdb_flushoptions_t *o = rocksdb_flushoptions_create();
    rocksdb_flush(r->db, o, &message);
    rocksdb_flushoptions_destroy(o);
    (void)!rdb_err(message);
}

static void rdb_close(struct kv *kv)
{
    struct rdb *r = (struct rdb *)kv;
    assert(atomic_load(&r->open_txns) == 0);
    rdb_flusher_stop(r);
    if (!atomic_load(&r->failed))
        (void)!mark_sync(&r->mark, true); /* late is fine (MK1) */
    flush_memtable(r);
    rdb_free(r);
}

static const char *failure(struct kv *kv)
{
    struct rdb *r = (struct rdb *)kv;
    return atomic_load(&r->cause_set) ? r->cause : NULL;
}

static const struct kv_ops rdb_ops = {
    .begin = rdb_begin,
    .rollback = rdb_rollback,
    .commit = rdb_commit,
    .get = rdb_get,
    .peek = rdb_peek,
    .put = rdb_put,
    .del = rdb_del,
    .put_stamped = rdb_put_stamped,
    .scan = rdb_scan,
    .next = rdb_next,
    .iter_close = rdb_iter_close,
    .durable_seq = rdb_durable_seq,
    .last_seq = rdb_last_seq,
    .when_durable = rdb_when_durable,
    .kick = rdb_kick,
    .cancel_wait = rdb_cancel_wait,
    .stats = stats,
    .failure = failure,
    .close = rdb_close,
};

static void set_table_options(struct rdb *r, size_t cache_bytes)
{
    rocksdb_lru_cache_options_t *lru = rocksdb_lru_cache_options_create();
    rocksdb_lru_cache_options_set_capacity(lru, cache_bytes);
    rocksdb_lru_cache_options_set_num_shard_bits(lru, 2);
    r->cache = rocksdb_cache_create_lru_opts(lru);
    rocksdb_lru_cache_options_destroy(lru);
    r->table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(r->table, r->cache);
    /* Filters and indexes count against the cache, so memory does not grow with the data. */
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(r->table, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(r->table, 1);
    rocksdb_block_based_options_set_filter_policy(
        r->table, rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS));
    /* In parts of a block each: a file of 10^6 items has an index and a filter of over a megabyte,
     * and reading those whole for one key, whenever the cache had dropped them, made a call ten
     * times as dear (measured: 310 us instead of 56 for an SQS call beside such a table). */
    rocksdb_block_based_options_set_index_type(
        r->table, rocksdb_block_based_table_index_type_two_level_index_search);
    rocksdb_block_based_options_set_partition_filters(r->table, 1);
    rocksdb_block_based_options_set_metadata_block_size(r->table, METADATA_BLOCK_BYTES);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(r->table, 1);
    rocksdb_block_based_options_set_pin_top_level_index_and_filter(r->table, 1);
    rocksdb_block_based_options_set_format_version(r->table, 5);
    rocksdb_options_set_block_based_table_factory(r->options, r->table);
}

rocksdb_options_t *rdb_base_options(bool track_logs)
{
    rocksdb_options_t *plain = rocksdb_options_create(), *o = rocksdb_options_create();
    char *message = NULL;
    /* Not among the C interface's functions. Logs that were closed are then named in the manifest,
     * and an opening that misses one is refused; of the newest one the mark knows. */
    if (track_logs)
        rocksdb_get_options_from_string(plain, "track_and_verify_wals_in_manifest=true", o,
                                        &message);
    rocksdb_options_destroy(plain);
    assert(!message);
    /* What was synced was judged before (judge.h), so what is damaged behind it is a torn end. */
    rocksdb_options_set_wal_recovery_mode(o, rocksdb_point_in_time_recovery);
    rocksdb_options_set_keep_log_file_num(o, 1);
    rocksdb_options_set_info_log_level(o, 4); /* fatal only: errors come back from calls */
    return o;
}

static void set_options(struct rdb *r, const struct kv_rocksdb_options *opt)
{
    size_t cache = opt && opt->cache_bytes ? opt->cache_bytes : CACHE_BYTES;
    size_t buffer = opt && opt->write_buffer_bytes ? opt->write_buffer_bytes : WRITE_BUFFER_BYTES;
    int threads = opt && opt->background_threads ? opt->background_threads : BACKGROUND_THREADS;
    rocksdb_options_t *o = r->options = rdb_base_options(true);
    rocksdb_options_set_create_if_missing(o, 1);
    rocksdb_options_set_write_buffer_size(o, buffer);
    rocksdb_options_set_max_write_buffer_number(o, 3);
    rocksdb_options_set_max_background_jobs(o, threads);
    rocksdb_options_set_max_open_files(o, FILES_OPEN_MAX);
    rocksdb_options_set_max_file_opening_threads(o, 1);
    rocksdb_options_set_max_total_wal_size(o, LOG_TOTAL_BYTES);
    /* The log stays in a user-space buffer until the flusher writes and syncs it for everyone: a
     * commit makes no system call. */
    rocksdb_options_set_manual_wal_flush(o, 1);
    rocksdb_options_set_compression(o, rocksdb_lz4_compression);
    rocksdb_options_set_level_compaction_dynamic_level_bytes(o, 1);
    /* A get that finds nothing in a memtable learns it without walking its skip list. */
    rocksdb_options_set_memtable_prefix_bloom_size_ratio(o, MEMTABLE_BLOOM_RATIO);
    rocksdb_options_set_memtable_whole_key_filtering(o, 1);
    rocksdb_options_set_level0_slowdown_writes_trigger(o, 40);
    rocksdb_options_set_level0_stop_writes_trigger(o, 80);
    rocksdb_options_add_compact_on_deletion_collector_factory(o, DELETION_WINDOW, DELETION_TRIGGER);
    rocksdb_options_set_skip_stats_update_on_db_open(o, 1);
    rocksdb_options_set_skip_checking_sst_file_sizes_on_db_open(o, 1);
    rocksdb_options_set_stats_dump_period_sec(o, 0);
    rocksdb_options_set_stats_persist_period_sec(o, 0);
    set_table_options(r, cache);
    r->write_options = rocksdb_writeoptions_create();
}

/* What a user should read about RocksDB's message, which is freed. */
static enum err explain(const char *dir, char *message, char *why, size_t why_size)
{
    bool locked = strstr(message, "LOCK") != NULL &&
                  (strstr(message, "Resource temporarily") || strstr(message, "lock hold by"));
    if (why && locked)
        snprintf(why, why_size, "%s is already in use by another weir", dir);
    else if (why)
        snprintf(why, why_size, "cannot open the store in %s: %s", dir, message);
    enum err err = rdb_err(message);
    return locked ? ERR_EXISTS : err;
}

static struct rdb *rdb_new(const struct kv_rocksdb_options *opt)
{
    struct rdb *r = mem_calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->versions = mem_calloc(RDB_SLOTS, sizeof(*r->versions));
    if (!r->versions) {
        mem_free(r);
        return NULL;
    }
    r->base.ops = &rdb_ops;
    pthread_mutex_init(&r->commit_lock, NULL);
    pthread_mutex_init(&r->free_lock, NULL);
    pthread_mutex_init(&r->cause_lock, NULL);
    r->mark.fd = -1;
    pthread_mutex_init(&r->wait_lock, NULL);
    pthread_cond_init(&r->wait_cond, NULL);
    r->before_sync = opt ? opt->before_sync : NULL;
    r->before_sync_arg = opt ? opt->before_sync_arg : NULL;
    r->on_failure = opt ? opt->on_failure : NULL;
    r->on_failure_arg = opt ? opt->on_failure_arg : NULL;
    r->read_only = opt && opt->read_only;
    return r;
}

bool rdb_in_use(const char *dir)
{
    char path[JUDGE_PATH_MAX];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (snprintf(path, sizeof(path), "%s/LOCK", dir) >= (int)sizeof(path))
        return false;
    int fd = sys.open(path, O_RDWR, 0);
    if (fd < 0)
        return false;
    bool used = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    sys.close(fd);
    return used;
}

/* Says why a store that is not to be opened is not. */
static enum err look_before(const char *dir, bool read_only, struct judge *j, char *why,
                            size_t why_size)
{
    char text[JUDGE_WHY_MAX] = "";
    enum err err;
    if (rdb_in_use(dir)) {
        snprintf(text, sizeof(text), "%s is already in use by another weir", dir);
        err = ERR_EXISTS;
    } else if ((err = judge_look(j, dir)) != ERR_OK) {
        snprintf(text, sizeof(text), "cannot read the store in %.200s: %s", dir,
                 err == ERR_IO ? strerror(errno) : err_name(err));
    } else if ((err = judge_verdict(j, text)) == ERR_NOT_FOUND && read_only) {
        snprintf(text, sizeof(text), "there is no store in %.200s", dir);
    } else if (err == ERR_NOT_FOUND) {
        /* Made before the store, so that a store without one has lost it. */
        err = mark_make(j->mark_path, 0);
        if (err)
            snprintf(text, sizeof(text), "cannot write %.200s: %s", j->mark_path, strerror(errno));
    }
    if (why)
        snprintf(why, why_size, "%s", text);
    return err;
}

static enum err open_judged(struct rdb *r, const struct judge *j, char *why, size_t why_size)
{
    char *message = NULL;
    if (!r->read_only)
        TRY(mark_open(&r->mark, j->mark_path, j->mark));
    clock_not_before(j->now_ms);
    r->db = r->read_only ? rocksdb_open_for_read_only(r->options, j->dir, 0, &message)
                         : rocksdb_open(r->options, j->dir, &message);
    if (message)
        return explain(j->dir, message, why, why_size);
    if (r->read_only)
        return ERR_OK; /* judged, and nothing will be made durable */
    uint64_t seq = rocksdb_get_latest_sequence_number(r->db);
    if (seq >= j->mark) {
        /* RocksDB's number grows by one with each key, ours with each commit: so what is numbered
         * from there on is above all numbers that this store ever made durable (K7). */
        atomic_store(&r->assigned, seq);
        atomic_store(&r->committed, seq);
        atomic_store(&r->durable, seq);
        return rdb_flusher_start(r);
    }
    if (why)
        snprintf(why, why_size, "the store in %s lacks acknowledged writes %llu to %llu", j->dir,
                 (unsigned long long)seq + 1, (unsigned long long)j->mark);
    return ERR_CORRUPT;
}

enum err kv_rocksdb_open(const char *dir, const struct kv_rocksdb_options *opt, struct kv **ret_kv,
                         char *why, size_t why_size)
{
    if (why && why_size)
        why[0] = 0;
    struct rdb *r = rdb_new(opt);
    struct judge *j = mem_calloc(1, sizeof(*j));
    enum err err = r && j ? look_before(dir, r->read_only, j, why, why_size) : ERR_NOMEM;
    if (err == ERR_OK) {
        set_options(r, opt);
        err = open_judged(r, j, why, why_size);
    }
    mem_free(j);
    if (err == ERR_OK)
        *ret_kv = &r->base;
    else if (r)
        rdb_free(r);
    return err;
}
