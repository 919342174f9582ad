/* Message attributes, as SQS and SNS take them: names, types and numbers.
 *
 * Source: SQS developer guide, "Amazon SQS message metadata"; SNS developer guide, "Amazon SNS
 * message attributes". Layer: core. Thread: pure. */
#ifndef WEIR_CORE_MESSAGE_ATTR_H
#define WEIR_CORE_MESSAGE_ATTR_H

#include "base/str.h"

enum {
    MESSAGE_ATTR_NAME_MAX = 256,
    MESSAGE_ATTR_TYPE_MAX = 256,
    MESSAGE_ATTR_NUMBER_MAX = 310, /* characters */
};

/* Letters, digits, '_', '-' and single '.' inside, not beginning with "AWS." or "Amazon."; with `accents`
 * also U+00C0 to U+017F, which SQS takes and SNS does not. */
bool message_attr_name_ok(struct str name, bool accents);
/* Begins so, in any case. */
bool message_attr_name_reserved(struct str name);
/* "String", "Number" or "Binary" of "String", "Number.float", "Binary.png"; STR_NONE: none of them. */
struct str message_attr_base(struct str type);
bool message_attr_number_ok(struct str value);

#endif
