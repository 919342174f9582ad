/* S3's rules about names, ranges, conditions, tags and listings: pure functions over text.
 * Layer: svc. Thread: pure. */
#ifndef WEIR_SVC_S3_S3_RULES_H
#define WEIR_SVC_S3_S3_RULES_H

#include "svc/s3/s3_record.h"

/* S3 User Guide, "General purpose bucket naming rules". */
bool s3_bucket_name_ok(struct str name);
/* "eu-west-1", "EU": something that can be a LocationConstraint. */
bool s3_region_ok(struct str region);

enum s3_range_kind {
    S3_RANGE_NONE, /* no range, or one that RFC 9110 says to ignore: the whole object */
    S3_RANGE_OK,
    S3_RANGE_UNSATISFIABLE, /* 416 */
};
/* "bytes=a-b", "bytes=a-", "bytes=-n" against an object of `size` bytes. Several ranges at once are
 * ignored, as S3 does, and so is "-n" of an empty object. */
enum s3_range_kind s3_parse_range(struct str header, uint64_t size, uint64_t *ret_from,
                                  uint64_t *ret_len);
/* x-amz-copy-source-range: "bytes=a-b" only. ERR_INVALID. */
enum err s3_parse_copy_range(struct str header, uint64_t *ret_from, uint64_t *ret_last) WARN_UNUSED;

struct s3_conditions {
    struct str if_match, if_none_match;
    int64_t if_modified_since, if_unmodified_since; /* ms; -1: absent */
    int64_t now_ms; /* of who judges: a date after it says nothing of what was modified since */
};
enum s3_verdict { S3_GO, S3_NOT_MODIFIED, S3_FAILED };
/* RFC 9110 section 13.2.2 in S3's order. `etag` without quotes. *ret_which is the header's name. */
enum s3_verdict s3_check_conditions(const struct s3_conditions *c, struct str etag,
                                    int64_t modified_ms, struct str *ret_which);
/* Whether a key, read as a path, leads above its beginning. */
bool s3_key_leaves(struct str key);
/* One entity tag or a list of them, quoted or not, weak or not, "*". */
bool s3_etag_listed(struct str header, struct str etag);

/* "STANDARD_IA"; S3_CLASSES for a name of none, or of one whose objects must be restored first. */
struct str s3_class_name(enum s3_class c);
enum s3_class s3_class_of(struct str name);
/* As replies without a body of their own tell it: absent for STANDARD. */
struct str s3_class_told(enum s3_class c);

/* x-amz-copy-source: "[/]bucket/key[?versionId=id]", percent-encoded. ERR_INVALID, ERR_NOMEM. */
struct s3_copy_source {
    struct str bucket, key, version_id;
};
enum err s3_parse_copy_source(struct arena *a, struct str header,
                              struct s3_copy_source *ret_src) WARN_UNUSED;

/* x-amz-tagging: form-encoded. ERR_INVALID, ERR_LIMIT, ERR_NOMEM. */
enum err s3_parse_tags(struct arena *a, struct str header, struct s3_pairs *ret_tags) WARN_UNUSED;

/* --- listings --------------------------------------------------------------------------------- */

/* The part of `key` up to and with the first delimiter behind the prefix; STR_NONE when it has none
 * (or the delimiter is empty), so that it is listed itself. `key` begins with `prefix`. */
struct str s3_common_prefix_of(struct str key, struct str prefix, struct str delimiter);
/* Whether a listing that goes on behind `after` starts behind a whole group of keys: *ret_at is
 * then the group's common prefix, else the key to start behind. */
bool s3_resume_at(struct str after, struct str prefix, struct str delimiter, struct str *ret_at);

/* Version ids that can be looked up without an index: they carry their order. */
struct str s3_version_id_new(struct arena *a, uint64_t seq);
/* ERR_INVALID: not of this form. */
enum err s3_version_id_seq(struct str version_id, uint64_t *ret_seq) WARN_UNUSED;

/* --- events ----------------------------------------------------------------------------------- */

/* As in the document: without "s3:". */
struct str s3_event_name(enum s3_event event);
/* Bits of a configured name ("s3:ObjectCreated:*"); 0: none that can happen here. */
uint32_t s3_event_bits(struct str name);
/* Makes the bits of the rules' events from their names. */
void s3_rules_bits(struct s3_rules *rules);

#endif
