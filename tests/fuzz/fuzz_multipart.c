/* Forms: parts begin and end in turn, and what they hold does not depend on how the bytes were cut (MF1). */
// link: weir_codec
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "codec/multipart.h"

enum { OUT_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    struct buf b;
    bool open;
};

static enum err on_part(void *arg, const struct multipart_head *head)
{
    struct seen *s = arg;
    assert(!s->open && head->name.len <= MULTIPART_HEAD_MAX);
    s->open = true;
    buf_add_byte(&s->b, '(');
    buf_add_str(&s->b, head->name);
    buf_add_byte(&s->b, ',');
    buf_add_str(&s->b, head->filename);
    buf_add_byte(&s->b, ',');
    buf_add_str(&s->b, head->content_type);
    buf_add_byte(&s->b, '=');
    return ERR_OK;
}

static enum err on_data(void *arg, const void *p, size_t len)
{
    struct seen *s = arg;
    assert(s->open && len > 0);
    buf_add(&s->b, p, len);
    return ERR_OK;
}

static enum err on_end(void *arg)
{
    struct seen *s = arg;
    assert(s->open);
    s->open = false;
    buf_add_byte(&s->b, ')');
    return ERR_OK;
}

static const struct multipart_events events = {on_part, on_data, on_end};

static enum err read_cut(struct seen *s, const uint8_t *data, size_t size, size_t step)
{
    static struct multipart m;
    enum err err = ERR_OK;
    multipart_init(&m, STR("b"), &events, s);
    for (size_t at = 0; err == ERR_OK && at < size; at += step)
        err = multipart_feed(&m, data + at, size - at < step ? size - at : step);
    return err == ERR_OK ? multipart_finish(&m) : err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t steps[] = {1, 3, 7};
    struct seen whole = {0};
    buf_init(&whole.b, OUT_MAX);
    (void)multipart_boundary(str_n((const char *)data, size));
    enum err err = read_cut(&whole, data, size, size + 1);
    assert(err == ERR_OK || err == ERR_INVALID || err == ERR_LIMIT);
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        struct seen cut = {0};
        buf_init(&cut.b, OUT_MAX);
        assert(read_cut(&cut, data, size, steps[i]) == err);
        assert(cut.b.len == whole.b.len &&
               (whole.b.len == 0 || memcmp(cut.b.p, whole.b.p, whole.b.len) == 0));
        buf_release(&cut.b);
    }
    buf_release(&whole.b);
    return 0;
}
