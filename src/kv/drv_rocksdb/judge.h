/* What the files of a store hold, found without RocksDB and without changing anything: whether all
 * that was synced is there.
 *
 * RocksDB's recovery modes alone cannot say it: one stops at the first damaged record of the log and
 * drops all behind it without a word, the other refuses a torn end, too; and neither knows of a log
 * that is gone. Here the writes are counted that the manifest and the logs hold without a hole, and
 * compared with the mark (mark.h). Less than the mark is a loss of acknowledged writes; damage
 * behind it is what a crash leaves, and RocksDB's point-in-time recovery drops it.
 *
 * Layer: kv. Thread: one. */
#ifndef WEIR_KV_DRV_ROCKSDB_JUDGE_H
#define WEIR_KV_DRV_ROCKSDB_JUDGE_H

#include "base/str.h"

enum { JUDGE_LOGS_MAX = 4096, JUDGE_WHY_MAX = 512, JUDGE_PATH_MAX = 4096 };

struct judge {
    char dir[JUDGE_PATH_MAX];
    char mark_path[JUDGE_PATH_MAX];
    bool any_files; /* tables, logs, manifests */
    bool any_data;  /* tables, logs: RocksDB makes them once CURRENT is there */
    bool current;   /* the file CURRENT, which names the manifest */
    enum err mark_err;
    uint64_t mark;      /* newest write that was synced */
    int64_t now_ms;     /* Weir's time when it was */
    uint64_t table_seq; /* newest write in the manifest's tables */
    uint64_t oldest_log, next_seq;
    uint64_t seq;                  /* newest write that is there without a hole before it */
    uint64_t logs[JUDGE_LOGS_MAX]; /* that are needed, ascending */
    size_t n_logs;
    uint64_t bad_log; /* number of the log with the first damage or hole; 0: none */
    uint64_t bad_at;  /* byte */
    bool hole;        /* writes before it are missing, the log itself is whole */
    uint64_t behind;  /* writes behind the damage that can still be read */
};

/* Looks at the files. ERR_IO, ERR_NOMEM, ERR_LIMIT; ERR_OK also when something is wrong. */
enum err judge_look(struct judge *j, const char *dir) WARN_UNUSED;
/* Whether a start is safe: ERR_OK; ERR_NOT_FOUND: there is no store yet; ERR_CORRUPT: acknowledged
 * writes or files are missing, and `why` (JUDGE_WHY_MAX) says what. */
enum err judge_verdict(const struct judge *j, char *why) WARN_UNUSED;

#endif
