/* One page of Query or Scan: a range of records read in order, filtered, projected, and cut at a
 * limit or at 1 MB, with the key to go on from.
 *
 * Layer: svc/dynamodb, internal. Thread: the call's. */
#ifndef WEIR_SVC_DYNAMODB_DDB_PAGE_H
#define WEIR_SVC_DYNAMODB_DDB_PAGE_H

#include "svc/dynamodb/dynamodb_int.h"

struct ddb_page {
    struct call *call;
    struct ddb_diag *diag;
    const struct ddb_table *table;
    const struct ddb_index *index; /* NULL: the table itself */
    struct key_range range;
    struct str partition;       /* what the keys of a Query's records begin with; absent: a Scan */
    uint32_t segment, segments; /* of a Scan; 0 segments: it has none */
    bool reverse;
    bool strong;
    int64_t limit;                 /* items looked at; 0: none */
    const struct ddb_node *filter; /* NULL: none */
    struct ddb_paths paths;        /* none: all that is there */
    bool count_only;
    bool flat;   /* parts as ddb_put_flat gives them */
    bool legacy; /* conditions came as KeyConditions */
    bool fetch;  /* read the item itself for each index record (local indexes) */
    struct ddb_cipher cipher;
    /* results */
    struct buf items; /* JSON array */
    int64_t count, scanned;
    size_t bytes;         /* looked at, */
    size_t own_bytes;     /* of those in the table or index that is read; */
    double fetched_units; /* the items behind a local index's records are the table's */
    struct str last_key;  /* JSON; absent: the range is exhausted */
};

/* What a request asks for, in the parts that Query and Scan share. */
struct ddb_page_request {
    struct str index_name, select, projection_expression;
    const struct dynamodb_attribute_name_list *attributes_to_get;
    const struct json *exclusive_start_key;
    bool consistent_read;
};

/* Index, projection and Select of a request. ERR_INVALID. */
enum err ddb_page_setup(struct ddb_page *page, struct ddb_env *env,
                        const struct ddb_page_request *req) WARN_UNUSED;
/* What an index does not keep of `paths` (of all attributes, with `all_attributes`) is fetched where it is a
 * local one. ERR_INVALID. */
enum err ddb_page_check_projected(struct ddb_page *page, bool all_attributes) WARN_UNUSED;
/* Narrows the range to what follows ExclusiveStartKey; the key must lie in the range. */
enum err ddb_page_start_after(struct ddb_page *page, const struct json *key) WARN_UNUSED;
/* Reads. */
enum err ddb_page_run(struct ddb_page *page) WARN_UNUSED;
/* Key attributes of the table or index that is read. */
const struct ddb_key_schema *ddb_page_schema(const struct ddb_page *page);
enum err ddb_page_consumed(struct ddb_page *page, struct str mode,
                           const struct dynamodb_consumed_capacity **ret) WARN_UNUSED;

#endif
