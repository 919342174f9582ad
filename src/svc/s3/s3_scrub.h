/* Looking for damage before somebody reads it: every file that a commit references is read and checked
 * (s3_read.h); by a tool while no server runs, and slowly in the background while one does.
 *
 * Layer: svc. Thread: see the functions. */
#ifndef WEIR_SVC_S3_S3_SCRUB_H
#define WEIR_SVC_S3_S3_SCRUB_H

#include "core/core.h"

struct s3;

enum {
    S3_SCRUB_BYTES_PER_S = 16 * 1024 * 1024,  /* of the background job, on average */
    S3_SCRUB_EVERY_MS = 7 * 24 * 3600 * 1000, /* between the end of one pass and the next */
};

typedef void s3_scrub_say(void *arg, const char *line);

struct s3_scrub_found {
    uint64_t files, bytes, damaged;
};

/* Checks every file below core->cfg.data_dir that core->kv references; of `core` nothing else is used.
 * Says a line for each that is damaged. ERR_CORRUPT: some are; other errors: the store could not be
 * read, and what was found is only part. Blocks; O(bytes stored). */
enum err s3_scrub(struct core *core, s3_scrub_say *say, void *arg,
                  struct s3_scrub_found *ret_found) WARN_UNUSED;

/* Calls fn with the path below the data folder, and the length, of every file that core->kv
 * references; of `core` nothing else is used. Stops at fn's first error and gives it. Blocks; O(files). */
enum err s3_files_each(struct core *core,
                       enum err (*fn)(void *arg, const char *below, uint64_t bytes),
                       void *arg) WARN_UNUSED;

/* Makes the background job; before the jobs start. ERR_NOMEM. */
enum err s3_scrub_register(struct s3 *s3) WARN_UNUSED;
/* Its figures, and those of readers, as Prometheus text. Any thread. */
void s3_metrics(void *s3, struct buf *b);

#endif
