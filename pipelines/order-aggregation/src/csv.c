/* See csv.h. Layer: pipeline. */
#include "csv.h"

static const char too_many[] = "too many columns";
static const char too_long[] = "field too long";
static const char bad_quote[] = "bad quoting";
static const char no_end[] = "quoted field without an end";
static const char bad_text[] = "not UTF-8";
static const char no_memory[] = "out of memory";

void csv_init(struct csv *csv, struct arena *arena, struct str text)
{
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_sub(text, 3, SIZE_MAX);
    *csv = (struct csv){.rest = text, .arena = arena, .line = 1};
}

static void advance(struct csv *csv, size_t n)
{
    csv->rest.p += n;
    csv->rest.len -= n;
}

/* Length of the line end at `at`: 0, 1 (LF), 2 (CRLF). */
static size_t end_at(struct str s, size_t at)
{
    if (at < s.len && s.p[at] == '\n')
        return 1;
    return at + 1 < s.len && s.p[at] == '\r' && s.p[at + 1] == '\n' ? 2 : 0;
}

/* "a ""quoted"" one" after its first quote; *ret_n is what it takes up, the last quote included. */
static const char *quoted(struct csv *csv, struct str *ret_field, size_t *ret_n)
{
    struct str s = csv->rest;
    size_t at = 1, doubled = 0;
    for (;;) {
        const char *quote = at < s.len ? memchr(s.p + at, '"', s.len - at) : NULL;
        if (!quote)
            return no_end;
        at = (size_t)(quote - s.p) + 1;
        if (at >= s.len || s.p[at] != '"')
            break;
        doubled++;
        at++;
    }
    struct str raw = str_sub(s, 1, at - 2);
    *ret_n = at;
    if (raw.len - doubled > CSV_FIELD_BYTES_MAX)
        return too_long;
    *ret_field = raw;
    if (doubled == 0)
        return NULL;
    char *out = arena_alloc(csv->arena, raw.len + 1);
    size_t n = 0;
    if (!out)
        return no_memory;
    for (size_t i = 0; i < raw.len; i++) {
        out[n++] = raw.p[i];
        if (raw.p[i] == '"')
            i++;
    }
    *ret_field = str_n(out, n);
    return NULL;
}

static const char *plain(struct csv *csv, struct str *ret_field, size_t *ret_n)
{
    struct str s = csv->rest;
    size_t at = 0;
    const char *fault = NULL;
    while (at < s.len && s.p[at] != ',' && !end_at(s, at)) {
        if (s.p[at] == '"' || s.p[at] == '\r')
            fault = bad_quote;
        at++;
    }
    *ret_n = at;
    *ret_field = str_sub(s, 0, at);
    return fault ? fault : at > CSV_FIELD_BYTES_MAX ? too_long : NULL;
}

static uint64_t count_lines(struct str s)
{
    uint64_t n = 0;
    for (const char *p = s.p, *end = s.p + s.len;
         p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
        n++;
    return n;
}

/* Goes to after the end of the current line. */
static void skip_line(struct csv *csv)
{
    size_t nl = str_find(csv->rest, '\n');
    advance(csv, nl == SIZE_MAX ? csv->rest.len : nl + 1);
    csv->line++;
}

/* One field and what follows it; true when the record goes on. */
static bool take_field(struct csv *csv, struct csv_record *r)
{
    struct str field = STR_NONE;
    size_t used = 0;
    bool in_quotes = csv->rest.len && csv->rest.p[0] == '"';
    const char *fault = in_quotes ? quoted(csv, &field, &used) : plain(csv, &field, &used);
    if (!fault && !str_is_utf8(field))
        fault = bad_text;
    if (!fault && r->n == CSV_FIELDS_MAX)
        fault = too_many;
    if (fault && !r->fault)
        r->fault = fault;
    if (fault == no_end)
        return false;
    if (!fault)
        r->fields[r->n++] = field;
    csv->line += in_quotes ? count_lines(str_sub(csv->rest, 0, used)) : 0;
    advance(csv, used);
    if (csv->rest.len && csv->rest.p[0] == ',') {
        advance(csv, 1);
        return true;
    }
    if (csv->rest.len && !end_at(csv->rest, 0)) {
        if (!r->fault)
            r->fault = bad_quote; /* text after the closing quote */
        skip_line(csv);
        return false;
    }
    if (csv->rest.len)
        skip_line(csv);
    return false;
}

bool csv_next(struct csv *csv, struct csv_record *ret_record)
{
    while (csv->rest.len && end_at(csv->rest, 0))
        skip_line(csv);
    if (csv->rest.len == 0)
        return false;
    ret_record->n = 0;
    ret_record->line = csv->line;
    ret_record->fault = NULL;
    while (take_field(csv, ret_record))
        ;
    /* Of a quoted field that never ends, its first line is given up and the rest read anew. */
    if (ret_record->fault == no_end)
        skip_line(csv);
    return true;
}
