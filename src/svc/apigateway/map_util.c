/* $util of mapping templates.
 *
 * Source: API Gateway Developer Guide, "$util variables"; escapeJavaScript is Commons Lang's. */
#include "codec/base64.h"
#include "codec/percent.h"
#include "svc/apigateway/map_render.h"

static enum err bytes(struct vtl_run *run, struct str s, struct vtl_value *ret_v)
{
    if (!str_is_set(s))
        return ERR_NOMEM;
    *ret_v = vtl_string(s);
    return vtl_work(run, s.len / 64);
}

/* One character of UTF-8 at p: its code, and its length in *ret_n; a byte that is none stands for itself. */
static uint32_t code_at(struct str s, size_t i, size_t *ret_n)
{
    unsigned char c = (unsigned char)s.p[i];
    size_t n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    uint32_t code = n == 1 ? c : c & (0x7fu >> n);
    if (i + n > s.len)
        n = 1;
    for (size_t k = 1; k < n; k++)
        code = code << 6 | ((unsigned char)s.p[i + k] & 0x3f);
    *ret_n = n;
    return code;
}

static void put_unit(struct buf *b, uint32_t unit)
{
    buf_add_fmt(b, "\\u%04X", unit);
}

static void put_escaped(struct buf *b, uint32_t c)
{
    static const char plain[] = "\b\n\t\f\r", letters[] = "bntfr";
    const char *known = c < 0x20 && c ? strchr(plain, (int)c) : NULL;
    if (known) {
        buf_add_byte(b, '\\');
        buf_add_byte(b, letters[known - plain]);
    } else if (c > 0xffff) {
        put_unit(b, 0xd800 + ((c - 0x10000) >> 10));
        put_unit(b, 0xdc00 + ((c - 0x10000) & 0x3ff));
    } else if (c < 0x20 || c > 0x7f) {
        put_unit(b, c);
    } else {
        if (c == '"' || c == '\'' || c == '\\' || c == '/')
            buf_add_byte(b, '\\');
        buf_add_byte(b, (char)c);
    }
}

static enum err escape(struct vtl_run *run, struct str s, struct vtl_value *ret_v)
{
    struct buf b;
    size_t n;
    buf_init_arena(&b, run->a, VTL_TEXT_MAX);
    for (size_t i = 0; i < s.len; i += n)
        put_escaped(&b, code_at(s, i, &n));
    if (buf_err(&b) == ERR_LIMIT)
        return vtl_exceed(run, "a text is too long");
    TRY(buf_err(&b));
    return bytes(run, buf_str(&b), ret_v);
}

static enum err parse_json(struct vtl_run *run, struct str s, struct vtl_value *ret_v)
{
    struct json *root;
    TRY(vtl_work(run, s.len / 16));
    enum err err = json_parse(run->a, s, &root, NULL);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return vtl_fail(run, "parseJson: the text is no JSON");
    TRY(err);
    return vtl_of_json(run, root, ret_v);
}

static enum err url_encode(struct vtl_run *run, struct str s, struct vtl_value *ret_v)
{
    struct buf b;
    buf_init_arena(&b, run->a, VTL_TEXT_MAX);
    percent_put_form(&b, s, false);
    if (buf_err(&b) == ERR_LIMIT)
        return vtl_exceed(run, "a text is too long");
    TRY(buf_err(&b));
    return bytes(run, buf_str(&b), ret_v);
}

static enum err url_decode(struct vtl_run *run, struct str s, struct vtl_value *ret_v)
{
    struct str text;
    enum err err = percent_decode(run->a, s, true, &text);
    if (err == ERR_INVALID)
        return vtl_fail(run, "urlDecode: illegal escape");
    TRY(err);
    return bytes(run, text, ret_v);
}

static enum err decode64(struct vtl_run *run, struct str s, struct vtl_value *ret_v)
{
    struct str text;
    enum err err = base64_decode(run->a, s, &text);
    if (err == ERR_INVALID)
        return vtl_fail(run, "base64Decode: the text is not base64");
    TRY(err);
    return bytes(run, text, ret_v);
}

static enum err encode64(struct vtl_run *run, struct str s, struct vtl_value *ret_v)
{
    return bytes(run, base64_encode(run->a, s.p, s.len), ret_v);
}

enum err map_util_call(struct vtl_run *run, void *self, struct str name,
                       const struct vtl_value *args, size_t n, struct vtl_value *ret_v)
{
    static const struct {
        const char *name;
        enum err (*call)(struct vtl_run *run, struct str s, struct vtl_value *ret_v);
    } rows[] = {
        {"escapeJavaScript", escape}, {"parseJson", parse_json},  {"urlEncode", url_encode},
        {"urlDecode", url_decode},    {"base64Encode", encode64}, {"base64Decode", decode64},
    };
    struct str text;
    (void)self;
    if (n != 1 || args[0].kind == VTL_NULL)
        return ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq_c(name, rows[i].name)) {
            TRY(vtl_to_text(run, args[0], &text));
            return rows[i].call(run, text, ret_v);
        }
    return ERR_OK;
}
