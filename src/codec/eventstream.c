/* See eventstream.h. Layer: codec. Thread: pure. */
#include "codec/eventstream.h"

#include <assert.h>

#include "base/buf.h"
#include "codec/crc.h"

enum { PRELUDE = 12, TEXT = 7 };

static void put16(char *p, size_t v)
{
    p[0] = (char)(v >> 8);
    p[1] = (char)v;
}

static void put32(char *p, size_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static void put_header(struct buf *b, struct str name, struct str value)
{
    char len[2];
    put16(len, value.len);
    buf_add_byte(b, (char)name.len);
    buf_add_str(b, name);
    buf_add_byte(b, TEXT);
    buf_add(b, len, sizeof(len));
    buf_add_str(b, value);
}

struct str eventstream_wrap(char *block, size_t len, struct str name, struct str content_type)
{
    char headers[EVENTSTREAM_HEAD_MAX - PRELUDE];
    struct buf b;
    assert(name.len <= EVENTSTREAM_NAME_MAX && content_type.len <= EVENTSTREAM_NAME_MAX);
    buf_init_fixed(&b, headers, sizeof(headers));
    put_header(&b, STR(":event-type"), name);
    put_header(&b, STR(":content-type"), content_type);
    put_header(&b, STR(":message-type"), STR("event"));
    assert(buf_err(&b) == ERR_OK);
    char *start = block + EVENTSTREAM_HEAD_MAX - PRELUDE - b.len;
    size_t total = PRELUDE + b.len + len + EVENTSTREAM_TAIL;
    put32(start, total);
    put32(start + 4, b.len);
    put32(start + 8, crc32_update(0, start, 8));
    memcpy(start + PRELUDE, b.p, b.len);
    put32(start + total - EVENTSTREAM_TAIL, crc32_update(0, start, total - EVENTSTREAM_TAIL));
    return str_n(start, total);
}
