/* Files of items, as imports read them: rows out of text, items out of rows.
 *
 *   DynamoDB JSON   a line is {"Item": {"name": {"S": "x"}, ...}}
 *   CSV             RFC 4180 with a delimiter of choice; a row's end in quotes is a part of its field
 *
 * Layer: svc/dynamodb. Lifetime: what comes out borrows from the text or lives in the arena. Thread: pure.
 * Source: developer guide, "Amazon S3 import formats for DynamoDB". */
#ifndef WEIR_SVC_DYNAMODB_DDB_ROWS_H
#define WEIR_SVC_DYNAMODB_DDB_ROWS_H

#include "svc/dynamodb/ddb_table.h"

enum {
    DDB_ROW_BYTES_MAX = 4 * 1024 * 1024, /* an item of 400 KB, escaped, has room in it */
    DDB_CSV_COLUMNS_MAX = 4096,
    DDB_CSV_HEADER_BYTES_MAX = 32 * 1024, /* of a file's own header: kept in the cursor of a job */
};

/* The first row of `text`, without its line end; *ret_len: with it. `delimiter` 0: lines. `last`: nothing follows the text.
 * ERR_NOT_FOUND: no whole row is there (of an empty text: no row); ERR_INVALID: quotes that are not CSV's; ERR_LIMIT. */
enum err ddb_row_next(struct str text, char delimiter, bool last, struct str *ret_row,
                      size_t *ret_len) WARN_UNUSED;

struct ddb_columns {
    struct str *v;
    size_t n;
};
/* A row's fields. ERR_INVALID, ERR_LIMIT, ERR_NOMEM. */
enum err ddb_csv_fields(struct arena *a, struct str row, char delimiter,
                        struct ddb_columns *ret) WARN_UNUSED;

/* {"Item": ...}. ERR_CORRUPT: no item can be made of it (diag->msg says why); ERR_INVALID: DynamoDB does not take this
 * one; ERR_NOMEM. */
enum err ddb_row_json(struct ddb_diag *diag, struct str row, struct ddb_av **ret_item) WARN_UNUSED;
/* A row's fields under their names: keys of the table and its indexes have their types, all else is text, and what is empty
 * is not there. Errors as above. */
enum err ddb_row_csv(struct ddb_diag *diag, const struct ddb_table *table,
                     const struct ddb_columns *names, struct str row, char delimiter,
                     struct ddb_av **ret_item) WARN_UNUSED;

#endif
