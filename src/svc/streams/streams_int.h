/* What the operations of the Streams API share. Layer: svc/streams, internal. Thread: any loop. */
#ifndef WEIR_SVC_STREAMS_INT_H
#define WEIR_SVC_STREAMS_INT_H

#include "core/core.h"
#include "core/svc.h"
#include "streams_api.h"
#include "svc/dynamodb/dynamodb_port.h"

enum {
    STREAMS_PAGE_MAX = 100,     /* streams, or shards, of one page */
    STREAMS_RECORDS_MAX = 1000, /* of one GetRecords */
    STREAMS_RECORDS_BYTES_MAX = 1024 * 1024,
    STREAMS_ITERATOR_MS = 15 * 60 * 1000,
};

/* Where an iterator stands: what its token says. */
struct streams_iterator {
    struct str arn;
    uint16_t shard;
    struct ddb_place after;
    bool horizon; /* TRIM_HORIZON: trimming may pass it, and is not told of */
    int64_t made_ms;
};

/* What a GetRecords found: the call's state once it is done, for the metrics. */
struct streams_found {
    struct str table, label; /* of the stream */
    size_t n, bytes;
};

/* Sealed; ERR_NOMEM. */
enum err streams_iterator_seal(struct call *call, const struct streams_iterator *it,
                               struct str *ret_token) WARN_UNUSED;
/* ERR_INVALID: no token of ours, or not of this account and region. Expiry is the caller's. */
enum err streams_iterator_open(struct call *call, struct str token,
                               struct streams_iterator *ret_it) WARN_UNUSED;
/* The stream of an ARN, or the service's error. */
enum err streams_find(struct call *call, struct str arn,
                      struct ddb_stream **ret_stream) WARN_UNUSED;

/* svc_def.authorize_more: GetRecords on the stream that its iterator is of. */
enum err streams_authorize_more(struct call *call, const void *in) WARN_UNUSED;

#endif
