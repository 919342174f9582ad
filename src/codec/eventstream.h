/* Messages of application/vnd.amazon.eventstream: replies that are streamed to AWS's SDKs.
 *
 *   total length u32 | headers length u32 | CRC-32 of the two | headers | payload | CRC-32 of all before
 *   header: name length u8, name, 7 (a text), value length u16, value; numbers are big-endian
 *
 * Source: Smithy specification, "Amazon Event Stream".
 * Layer: codec. Thread: pure. */
#ifndef WEIR_CODEC_EVENTSTREAM_H
#define WEIR_CODEC_EVENTSTREAM_H

#include "base/str.h"

enum {
    EVENTSTREAM_HEAD_MAX =
        256, /* bytes in front of a payload, of the events that eventstream_wrap makes */
    EVENTSTREAM_TAIL = 4,      /* behind it */
    EVENTSTREAM_NAME_MAX = 64, /* bytes of an event's name, and of a type */
};

/* Makes an event `name` with a payload of type `content_type` of the `len` bytes that stand at block +
 * EVENTSTREAM_HEAD_MAX; behind them there is room for EVENTSTREAM_TAIL more. What it gives is in `block`.
 * Names and types are constants of at most EVENTSTREAM_NAME_MAX bytes. */
struct str eventstream_wrap(char *block, size_t len, struct str name, struct str content_type);

#endif
