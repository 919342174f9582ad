/* See mime.h. */
#include "codec/mime.h"

#include "codec/base64.h"
#include "codec/hex.h"

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] < ' ' || (unsigned char)s.p[i] > '~')
            return false;
    return true;
}

static void put_latin1(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x80)
            buf_add_byte(b, (char)(0xc0 | c >> 6));
        buf_add_byte(b, (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c));
    }
}

/* Section 4.2. ERR_INVALID, ERR_NOMEM. */
static enum err q_decode(struct arena *a, struct str s, struct str *ret_bytes)
{
    struct buf b;
    buf_init_arena(&b, a, s.len);
    for (size_t i = 0; i < s.len; i++) {
        uint8_t byte = (uint8_t)s.p[i];
        if (byte == '=') {
            if (hex_decode_to(str_sub(s, i + 1, 2), &byte, 1) != ERR_OK)
                return ERR_INVALID;
            i += 2;
        }
        buf_add_byte(&b, s.p[i] == '_' && byte == '_' ? ' ' : (char)byte);
    }
    *ret_bytes = buf_str(&b);
    return buf_err(&b);
}

/* An encoded word at the beginning of `s`: its text goes to `b`. ERR_INVALID: there is none. */
static enum err take_word(struct arena *a, struct str s, struct buf *b, size_t *ret_len)
{
    struct str rest = str_sub(s, 2, SIZE_MAX), bytes;
    if (!str_starts(s, STR("=?")))
        return ERR_INVALID;
    struct str charset = str_cut(&rest, '?');
    struct str coding = str_is_set(rest) ? str_cut(&rest, '?') : STR("");
    size_t end = str_is_set(rest) ? str_find_str(rest, STR("?=")) : SIZE_MAX;
    if (end == SIZE_MAX || coding.len != 1)
        return ERR_INVALID;
    struct str text = str_n(rest.p, end);
    bool latin = str_eq_nocase(charset, STR("iso-8859-1"));
    if (!latin && !str_eq_nocase(charset, STR("utf-8")) && !str_eq_nocase(charset, STR("us-ascii")))
        return ERR_INVALID;
    if (!is_plain(text))
        return ERR_INVALID;
    if (str_eq_nocase(coding, STR("B")))
        TRY(base64_decode(a, text, &bytes));
    else if (str_eq_nocase(coding, STR("Q")))
        TRY(q_decode(a, text, &bytes));
    else
        return ERR_INVALID;
    if (!latin && !str_is_utf8(bytes))
        return ERR_INVALID;
    if (latin)
        put_latin1(b, bytes);
    else
        buf_add_str(b, bytes);
    *ret_len = (size_t)(rest.p + end + 2 - s.p);
    return ERR_OK;
}

/* Where the white space ends that begins at `at`. */
static size_t skip_space(struct str s, size_t at)
{
    while (at < s.len && (s.p[at] == ' ' || s.p[at] == '\t'))
        at++;
    return at;
}

enum err mime_words_decode(struct arena *a, struct str value, struct str *ret_text)
{
    struct buf b;
    *ret_text = value;
    if (is_plain(value) && str_find_str(value, STR("=?")) == SIZE_MAX)
        return ERR_OK;
    buf_init_arena(&b, a, 2 * value.len);
    for (size_t i = 0, words = 0; i < value.len;) {
        size_t at = words > 0 ? skip_space(value, i) : i, len = 0;
        enum err err = take_word(a, str_sub(value, at, SIZE_MAX), &b, &len);
        if (err == ERR_NOMEM)
            return err;
        words = err == ERR_OK ? words + 1 : 0;
        if (err == ERR_OK) {
            i = at + len;
            continue;
        }
        put_latin1(&b, str_sub(value, i, 1));
        i++;
    }
    TRY(buf_err(&b));
    *ret_text = b.len > 0 ? buf_str(&b) : STR("");
    return ERR_OK;
}

struct str mime_words_encode(struct arena *a, struct str text)
{
    struct buf b;
    if (is_plain(text))
        return text;
    buf_init_arena(&b, a, base64_encoded_len(text.len) + 16);
    BUF_ADD_LIT(&b, "=?UTF-8?B?");
    base64_put(&b, text.p, text.len);
    BUF_ADD_LIT(&b, "?=");
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}
