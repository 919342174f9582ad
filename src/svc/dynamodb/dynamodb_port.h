/* What DynamoDB does for readers of its streams: the Streams API and Lambda's event source mappings.
 * Reached by dynamodb_port_of.
 *
 * Invariants
 *   DS1  A change's record is written in the commit of the change, under a key that is stamped with
 *        the place of that commit (kv.h K7); a change that changes nothing has none.
 *   DS2  All records of one partition key are in one shard, in the order of their commits. Whoever
 *        goes on behind the last record it read misses none, whatever was committed meanwhile.
 *   DS3  A record is readable for DDB_STREAM_KEEP_MS at least, also when its stream was closed or its
 *        table deleted; what was trimmed is known by the shard's horizon, so that nobody who reads on
 *        passes over what is gone. */
#ifndef WEIR_SVC_DYNAMODB_DYNAMODB_PORT_H
#define WEIR_SVC_DYNAMODB_DYNAMODB_PORT_H

#include "base/buf.h"
#include "core/core.h"
#include "core/page.h"

enum {
    DDB_STREAM_SHARDS = 4, /* of a new stream */
    DDB_STREAM_SHARDS_MAX = 64,
    DDB_STREAM_KEEP_MS = 24 * 3600 * 1000,
    DDB_SHARD_ID_LEN = 37,  /* "shardId-", 20 digits, '-', 8 hexadecimal digits */
    DDB_SEQUENCE_LEN = 21,  /* digits of a sequence number */
    DDB_CHANGE_ID_LEN = 32, /* hexadecimal digits of an event's id */
    DDB_CHANGE_JSON_MAX = 8 * 1024 * 1024,
};

enum ddb_view {
    DDB_VIEW_NONE,
    DDB_VIEW_KEYS,
    DDB_VIEW_NEW,
    DDB_VIEW_OLD,
    DDB_VIEW_BOTH,
    DDB_VIEWS
};

/* A stream's definition. In memory of a transaction. */
struct ddb_stream {
    uint32_t id;
    enum ddb_view view;
    struct key_scope scope;
    struct str table, label, arn;
    struct str hash, range; /* names of the table's key attributes; range absent: none */
    int64_t created_ms;
    int64_t closed_ms; /* 0: open */
    uint64_t first;    /* no record of the stream has a commit at or below it */
    uint16_t shards;
    struct str table_arn, kms_arn, data_key; /* what images are sealed with; absent: nothing */
    struct str key;                          /* `unlock`'s */
};

/* Place of a record in its shard. All zero: before any. */
struct ddb_place {
    uint64_t commit;
    uint16_t nth;
};
static inline bool ddb_place_before(struct ddb_place a, struct ddb_place b)
{
    return a.commit != b.commit ? a.commit < b.commit : a.nth < b.nth;
}

enum ddb_change_kind {
    DDB_CHANGE_INSERT,
    DDB_CHANGE_MODIFY,
    DDB_CHANGE_REMOVE,
    DDB_CHANGE_KINDS,
};

/* One record of a stream. Texts are borrowed for as long as the reader's callback runs. */
struct ddb_change {
    const struct ddb_stream *stream;
    struct ddb_place place;
    enum ddb_change_kind kind;
    bool expired;    /* removed by time to live */
    uint16_t spread; /* hash of the partition key: equal for records that must stay in order */
    int64_t now_ms;  /* Weir's time of the change */
    int64_t wall_ms; /* and what users are shown */
    struct str keys, neu, old; /* stored items; absent where the view leaves them out */
    size_t bytes;              /* SizeBytes */
};

/* What definitions and changes are written as. Pure; texts in the arena are STR_NONE on exhaustion. */
struct dynamodb_texts {
    /* "KEYS_ONLY", ...; static storage. */
    struct str (*view)(enum ddb_view view);
    /* "INSERT", ...; static storage. */
    struct str (*kind)(enum ddb_change_kind kind);
    struct str (*shard_id)(struct arena *a, const struct ddb_stream *stream, uint16_t shard);
    /* ERR_NOT_FOUND: the stream has no such shard. */
    enum err (*shard_of)(const struct ddb_stream *stream, struct str id, uint16_t *ret_shard);
    struct str (*sequence)(struct arena *a, struct ddb_place place);
    /* ERR_INVALID: it is no sequence number of ours. */
    enum err (*sequence_parse)(struct str text, struct ddb_place *ret_place);
    struct str (*change_id)(struct arena *a, const struct ddb_change *change);
    /* The Records[] element of a Lambda event. ERR_CORRUPT, ERR_NOMEM, ERR_LIMIT. */
    enum err (*event)(struct buf *b, struct arena *a, const struct ddb_change *change);
    /* A stored item as {"name": {"S": "x"}, ...}; an absent one gives absent text. */
    enum err (*item)(struct arena *a, struct str raw, struct str *ret_json);
};

struct dynamodb_port {
    void *self;
    const struct dynamodb_texts *text;
    /* A stream by its ARN. ERR_NOT_FOUND. */
    enum err (*find)(void *self, struct txn *txn, struct str arn, struct ddb_stream **ret_stream);
    /* A page of an account's and region's streams, or of one table's. */
    enum err (*list)(void *self, struct txn *txn, struct page *page, struct key_scope scope,
                     struct str table, enum err (*take)(void *arg, const struct ddb_stream *stream),
                     void *arg);
    /* The key that a page of `list` goes on behind, for this stream. STR_NONE on exhaustion. */
    struct str (*list_after)(void *self, struct arena *a, const struct ddb_stream *stream);
    /* Whoever is to see images of a stream calls it before `read`. ERR_DENIED with *ret_why: he may not
     * use the table's key of KMS. */
    enum err (*unlock)(void *self, struct txn *txn, struct ddb_stream *stream,
                       const struct principal *who, struct str *ret_why);
    /* Reads the shard's records behind `after`, or behind its horizon where that is later, oldest
     * first, until `take` answers ERR_CLOSED. */
    enum err (*read)(void *self, struct txn *txn, const struct ddb_stream *stream, uint16_t shard,
                     struct ddb_place after,
                     enum err (*take)(void *arg, const struct ddb_change *change), void *arg);
    /* The newest record of a shard that was trimmed; all zero: none was. */
    enum err (*horizon)(void *self, struct txn *txn, const struct ddb_stream *stream,
                        uint16_t shard, struct ddb_place *ret_place);
    /* The newest record of a shard. ERR_NOT_FOUND: it has none any more. */
    enum err (*last)(void *self, struct txn *txn, const struct ddb_stream *stream, uint16_t shard,
                     struct ddb_place *ret_place);
    /* Calls fn(arg, shard) after each commit with records of the stream, from any thread; fn only
     * hands over. One watcher per (stream, arg). ERR_NOMEM. */
    enum err (*watch)(void *self, uint32_t stream, void (*fn)(void *arg, uint16_t shard),
                      void *arg);
    void (*unwatch)(void *self, uint32_t stream, void *arg);
};

/* The port of this process's instance; NULL without one. From start on. */
static inline const struct dynamodb_port *dynamodb_port_of(const struct core *core)
{
    return core_port(core, "dynamodb");
}

/* Behind every record that is there now. The transaction's outcome waits for them. */
static inline struct ddb_place ddb_place_latest(struct txn *txn)
{
    uint64_t seq = kv_last_seq(txn->core->kv);
    txn_depends_on(txn, seq);
    return (struct ddb_place){seq, UINT16_MAX};
}

#endif
