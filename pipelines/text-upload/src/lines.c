/* See lines.h. Layer: pipeline, pure. */
#include "lines.h"

#include "base/clock.h"
#include "codec/hash.h"
#include "item.h"

/* Lines of the text; what follows the last line end counts when it is something. */
static size_t count(struct str body)
{
    size_t n = 0;
    while (body.len) {
        (void)str_cut(&body, '\n');
        n++;
    }
    return n;
}

/* Why the line is not kept; NULL: it is. */
static const char *fault_of(struct str text)
{
    if (text.len > LINE_BYTES_MAX)
        return "longer than 1,024 bytes";
    if (!str_is_utf8(text))
        return "not UTF-8";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return "a control character";
    }
    return NULL;
}

static void take_line(struct lines *lines, struct str text)
{
    lines->total++;
    if (str_ends(text, STR("\r")))
        text = str_sub(text, 0, text.len - 1);
    const char *fault = fault_of(text);
    if (fault) {
        if (lines->rejected < REJECTS_TOLD_MAX)
            lines->rejects[lines->rejected] = (struct reject){lines->total, fault};
        lines->rejected++;
    } else if (!text.len) {
        lines->empty++;
    } else {
        lines->line[lines->n++] = (struct line){lines->total, text};
    }
}

enum err lines_read(struct arena *a, struct str body, struct lines *ret_lines)
{
    size_t n = count(body);
    if (n > LINES_MAX)
        return ERR_LIMIT;
    *ret_lines = (struct lines){.line = ARENA_ARRAY(a, struct line, n)};
    if (n && !ret_lines->line)
        return ERR_NOMEM;
    while (body.len)
        take_line(ret_lines, str_cut(&body, '\n'));
    return ERR_OK;
}

void lines_upload_id(struct str owner, struct str body, char ret_id[UPLOAD_ID_LEN + 1])
{
    uint8_t digests[2][HASH_SHA256_LEN];
    char hex[2 * HASH_SHA256_LEN];
    hash_once(HASH_SHA256, owner.p, owner.len, digests[0]);
    hash_once(HASH_SHA256, body.p, body.len, digests[1]);
    hash_sha256_hex(digests, sizeof digests, hex);
    memcpy(ret_id, hex, UPLOAD_ID_LEN);
    ret_id[UPLOAD_ID_LEN] = 0;
}

void line_put_item(struct json_out *o, const struct line *line, const char *upload_id,
                   struct str owner, int64_t at_ms)
{
    char at[CLOCK_TEXT_MAX];
    json_open(o, '{');
    item_put_s(o, "upload", str_c(upload_id));
    item_put_n(o, "line", line->number);
    item_put_s(o, "text", line->text);
    item_put_s(o, "owner", owner);
    item_put_s(o, "at", clock_iso8601_ms(at, at_ms));
    json_close(o, '}');
}

void lines_put_report(struct json_out *o, const struct lines *lines, const char *upload_id)
{
    json_open(o, '{');
    json_kv_str(o, STR("upload"), str_c(upload_id));
    json_kv_i64(o, STR("lines"), lines->total);
    json_kv_i64(o, STR("stored"), (int64_t)lines->n);
    json_kv_i64(o, STR("empty"), lines->empty);
    json_kv_i64(o, STR("rejected"), lines->rejected);
    json_key(o, STR("rejects"));
    json_open(o, '[');
    for (int64_t i = 0; i < lines->rejected && i < REJECTS_TOLD_MAX; i++) {
        json_open(o, '{');
        json_kv_i64(o, STR("line"), lines->rejects[i].number);
        json_kv_str(o, STR("reason"), str_c(lines->rejects[i].reason));
        json_close(o, '}');
    }
    json_close(o, ']');
    json_close(o, '}');
}
