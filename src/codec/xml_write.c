/* XML writer onto a buf. See xml.h. Layer: codec. Thread: pure. */
#include "codec/xml.h"

void xml_put_decl(struct buf *b)
{
    BUF_ADD_LIT(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
}

void xml_put_open(struct buf *b, struct str name, struct str ns)
{
    buf_add_byte(b, '<');
    buf_add_str(b, name);
    if (str_is_set(ns)) {
        BUF_ADD_LIT(b, " xmlns=\"");
        xml_put_text(b, ns);
        buf_add_byte(b, '"');
    }
    buf_add_byte(b, '>');
}

void xml_put_close(struct buf *b, struct str name)
{
    BUF_ADD_LIT(b, "</");
    buf_add_str(b, name);
    buf_add_byte(b, '>');
}

/* Bytes of the character at `at` that XML 1.0 can carry as it is, 0 if it cannot. */
static size_t char_len(struct str s, size_t at)
{
    unsigned char c = (unsigned char)s.p[at];
    if (c < 0x80)
        return c >= 0x20 || c == '\t' || c == '\n' ? 1 : 0;
    for (size_t n = 2; n <= 4 && n <= s.len - at; n++) {
        if (!str_is_utf8(str_n(s.p + at, n)))
            continue;
        /* U+FFFE and U+FFFF are not XML characters. */
        bool noncharacter = n == 3 && c == 0xef && (unsigned char)s.p[at + 1] == 0xbf &&
                            (unsigned char)s.p[at + 2] >= 0xbe;
        return noncharacter ? 0 : n;
    }
    return 0;
}

static struct str entity(char c)
{
    switch (c) {
    case '&':
        return STR("&amp;");
    case '<':
        return STR("&lt;");
    case '>':
        return STR("&gt;");
    case '"':
        return STR("&quot;");
    case '\r':
        return STR("&#13;");
    default:
        return STR_NONE;
    }
}

static void put(struct buf *b, struct str s, bool references)
{
    size_t run = 0, i = 0;
    while (i < s.len) {
        struct str e = entity(s.p[i]);
        size_t n = str_is_set(e) ? 0 : char_len(s, i);
        if (n > 0) {
            i += n;
            continue;
        }
        buf_add(b, s.p + run, i - run);
        if (!str_is_set(e) && references && (unsigned char)s.p[i] < ' ')
            buf_add_fmt(b, "&#x%x;", (unsigned)s.p[i]);
        else
            buf_add_str(b, str_is_set(e) ? e : STR("\xef\xbf\xbd"));
        run = ++i;
    }
    if (s.len > run)
        buf_add(b, s.p + run, s.len - run);
}

void xml_put_text(struct buf *b, struct str s)
{
    put(b, s, false);
}

void xml_put_references(struct buf *b, struct str s)
{
    put(b, s, true);
}

void xml_put_str(struct buf *b, struct str name, struct str s)
{
    if (!str_is_set(s))
        return;
    xml_put_open(b, name, STR_NONE);
    xml_put_text(b, s);
    xml_put_close(b, name);
}

void xml_put_i64(struct buf *b, struct str name, int64_t v)
{
    xml_put_open(b, name, STR_NONE);
    buf_add_i64(b, v);
    xml_put_close(b, name);
}

void xml_put_bool(struct buf *b, struct str name, bool v)
{
    xml_put_str(b, name, v ? STR("true") : STR("false"));
}
