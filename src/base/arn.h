/* Amazon Resource Names: arn:partition:service:region:account:resource.
 *
 * The resource is read as segments, cut at the separator, '/' or ':', that comes first in it; so
 * each service's forms are said by a number of the segment:
 *
 *   function:NAME:QUALIFIER         0 function    1 NAME        2 QUALIFIER
 *   log-group:/a/NAME:log-stream:S  0 log-group   1 /a/NAME     2 log-stream   3 S
 *   table/NAME/index/I              0 table       1 NAME        2 index        3 I
 *   role/path/NAME                  0 role        last NAME     tail 1 path/NAME
 *   BUCKET/key/with/slashes         0 BUCKET      tail 1 key/with/slashes
 *   QUEUE, TOPIC, BUCKET            0 the name
 *
 * Matching with wildcards (ArnLike) is auth's: policy_arn_like in auth/policy.h.
 *
 * Source: AWS General Reference, "Amazon Resource Names (ARNs)". Layer: base. Thread: pure. */
#ifndef WEIR_BASE_ARN_H
#define WEIR_BASE_ARN_H

#include "base/str.h"

enum { ARN_BYTES_MAX = 2048, ARN_ACCOUNT_LEN = 12 };

/* Borrowed from the text. Region and account may be empty (S3, IAM). */
struct arn {
    struct str partition, service, region, account, resource;
};

/* "arn:", for members that take a name or an ARN. Says nothing of the rest. */
static inline bool arn_is(struct str text)
{
    return str_starts(text, STR("arn:"));
}

/* ERR_INVALID: not six parts; an empty partition, service or resource; a character outside
 * a-z 0-9 - in the first four; an account that is neither 12 digits, "aws" nor empty; white space
 * or a control character; longer than ARN_BYTES_MAX. */
enum err arn_parse(struct str text, struct arn *ret_arn) WARN_UNUSED;
/* The same for the name of an S3 object: its key may have white space and control characters, and with
 * the bucket be longer than ARN_BYTES_MAX. */
enum err arn_parse_object(struct str text, struct arn *ret_arn) WARN_UNUSED;
/* Parses, and is of this service and resource type (segment 0; NULL: any). ERR_INVALID. */
enum err arn_parse_as(struct str text, const char *service, const char *type,
                      struct arn *ret_arn) WARN_UNUSED;

/* Segment i of the resource; STR_NONE when there are fewer. */
struct str arn_segment(const struct arn *arn, size_t i);
/* From segment i to the end. */
struct str arn_tail(const struct arn *arn, size_t i);
/* The last segment: the name of a role, user or policy with a path. */
struct str arn_last(const struct arn *arn);

/* Twelve digits. */
bool arn_account_valid(struct str account);

/* Text in the arena; the resource by format. STR_NONE on exhaustion. `arn->resource` is not used.
 */
struct str arn_make(struct arena *a, const struct arn *arn, const char *resource_fmt, ...)
    PRINTF_LIKE(3, 4);
struct str arn_vmake(struct arena *a, const struct arn *arn, const char *resource_fmt, va_list ap);

#endif
