/* A DuckDB database in memory, by libduckdb's C API.
 *
 * The few functions that are used are declared here, from their documentation ("C API", DuckDB 1.5):
 * no package of the build machine has the header.
 *
 * Layer: pipeline. Thread: one. */
#ifndef QUOTES_DUCK_H
#define QUOTES_DUCK_H

#include "base/buf.h"

struct duck {
    void *database, *connection, *appender; /* NULL: closed */
};

/* Opens libduckdb, once a process, and an empty database. ERR_NOT_FOUND: there is no library;
 * ERR_FAILED; both with *ret_why. Release it in any case. */
enum err duck_open(struct duck *duck, struct arena *a, struct str *ret_why) WARN_UNUSED;
void duck_release(struct duck *duck);
/* "v1.5.6" */
struct str duck_version(void);

/* Statements without a result that matters, with ';' between. ERR_FAILED, with *ret_why. */
enum err duck_run(struct duck *duck, struct arena *a, const char *sql,
                  struct str *ret_why) WARN_UNUSED;

/* A result as text in the arena: cell(row, column) is cells[row * columns + column], absent for NULL. */
struct duck_result {
    struct str *cells;
    size_t rows, columns;
};
enum err duck_query(struct duck *duck, struct arena *a, const char *sql,
                    struct duck_result *ret_result, struct str *ret_why) WARN_UNUSED;

/* Rows into a table: begin, then each value of each row (an absent text and DUCK_NULL are NULL) and
 * duck_end_row, then duck_append_end. A value that is refused makes duck_end_row fail. */
#define DUCK_NULL INT64_MIN
enum err duck_append(struct duck *duck, struct arena *a, const char *table,
                     struct str *ret_why) WARN_UNUSED;
void duck_add_text(struct duck *duck, struct str value);
void duck_add_i64(struct duck *duck, int64_t value);
enum err duck_end_row(struct duck *duck, struct arena *a, struct str *ret_why) WARN_UNUSED;
enum err duck_append_end(struct duck *duck, struct arena *a, struct str *ret_why) WARN_UNUSED;

#endif
