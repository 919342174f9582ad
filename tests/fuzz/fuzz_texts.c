// link: weir_text_upload
/* Any bytes as a text: every line is kept, empty or rejected, and what is kept is a JSON text. As an Authorization
 * header they bring a token that nobody signed, or none. */
#include <assert.h>
#include <stdint.h>

#include "bearer.h"
#include "lines.h"

enum { ARENA_BYTES = 64 << 20, OUT_MAX = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_json(struct arena *a, const struct buf *b)
{
    struct json *doc = NULL;
    assert(buf_err(b) == ERR_OK && json_parse(a, buf_str(b), &doc, NULL) == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct buf b;
    struct json_out o;
    struct lines lines;
    struct jwt_keys keys = {.n = 0};
    struct bearer_rules rules = {STR("i"), STR("c")};
    struct str text = str_n((const char *)data, size), subject;
    const char *why = NULL;
    char id[UPLOAD_ID_LEN + 1];
    arena_init(&a, ARENA_BYTES);
    enum err err = lines_read(&a, text, &lines);
    assert(err == ERR_OK || err == ERR_LIMIT);
    if (err == ERR_OK) {
        assert(lines.total == (int64_t)lines.n + lines.empty + lines.rejected);
        lines_upload_id(STR("me"), text, id);
        buf_init_arena(&b, &a, OUT_MAX);
        json_out_init(&o, &b);
        json_open(&o, '[');
        for (size_t i = 0; i < lines.n; i++)
            line_put_item(&o, &lines.line[i], id, STR("me"), 0);
        lines_put_report(&o, &lines, id);
        json_close(&o, ']');
        check_json(&a, &b);
    }
    struct str token = bearer_token(text);
    if (str_is_set(token)) {
        err = bearer_subject(&a, token, &keys, &rules, 0, &subject, &why);
        assert((err == ERR_DENIED || err == ERR_NOT_FOUND) && why);
    }
    arena_release(&a);
    return 0;
}
