/* The tags' record, for tags.c and tags_scan.c. Layer: core. */
#ifndef WEIR_CORE_TAGS_INT_H
#define WEIR_CORE_TAGS_INT_H

#include "core/tags.h"
#include "kv/key.h"

enum { TAGS_T_RESOURCE = 1, TAGS_RECORD_VERSION = 1 };

struct tags_record {
    struct str home;
    struct tag_list tags;
};

/* Borrows from the record's bytes. ERR_CORRUPT, ERR_NOMEM. */
enum err tags_unpack(struct arena *a, struct str bytes, struct tags_record *ret) WARN_UNUSED;
/* An empty ARN: the prefix of all of the region. STR_NONE on exhaustion. */
struct str tags_key(struct arena *a, struct str account, struct str region, struct str arn);

#endif
