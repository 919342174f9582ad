/* See ddb_rows.h. */
#include "svc/dynamodb/ddb_rows.h"

enum { NAMES_SEEN_FIRST = 32 };

/* --- rows --------------------------------------------------------------------------------------- */

/* Where a field that begins at `at` ends: at its delimiter, its line end, or the end of the text. *ret_quoted: it is in
 * quotes, which end before *ret_end. ERR_NOT_FOUND: it goes on behind the text. */
static enum err field_end(struct str text, size_t at, char delimiter, bool *ret_quoted,
                          size_t *ret_end)
{
    size_t i = at;
    *ret_quoted = i < text.len && text.p[i] == '"';
    if (!*ret_quoted) {
        for (; i < text.len && text.p[i] != delimiter && text.p[i] != '\n'; i++)
            if (text.p[i] == '"')
                return ERR_INVALID;
        *ret_end = i;
        return ERR_OK;
    }
    for (i++; i < text.len; i++) {
        if (text.p[i] != '"')
            continue;
        if (i + 1 < text.len && text.p[i + 1] == '"') {
            i++;
            continue;
        }
        size_t end = i + 1;
        if (end < text.len && text.p[end] == '\r' &&
            (end + 1 == text.len || text.p[end + 1] == '\n'))
            end++;
        *ret_end = end;
        return end == text.len || text.p[end] == delimiter || text.p[end] == '\n' ? ERR_OK
                                                                                  : ERR_INVALID;
    }
    return ERR_NOT_FOUND;
}

/* Where the row's line end is; text.len: it has none. ERR_NOT_FOUND: quotes are open. */
static enum err row_end(struct str text, char delimiter, size_t *ret_end)
{
    size_t at = 0, end = 0;
    bool quoted;
    if (!delimiter) {
        const char *p = text.len ? memchr(text.p, '\n', text.len) : NULL;
        *ret_end = p ? (size_t)(p - text.p) : text.len;
        return ERR_OK;
    }
    while (true) {
        TRY(field_end(text, at, delimiter, &quoted, &end));
        if (end == text.len || text.p[end] == '\n')
            break;
        at = end + 1;
    }
    *ret_end = end;
    return ERR_OK;
}

enum err ddb_row_next(struct str text, char delimiter, bool last, struct str *ret_row,
                      size_t *ret_len)
{
    size_t end = 0;
    if (text.len == 0)
        return ERR_NOT_FOUND;
    enum err err = row_end(text, delimiter, &end);
    bool whole = err == ERR_OK && (end < text.len || last);
    if (err == ERR_NOT_FOUND && last)
        return ERR_INVALID; /* quotes that nothing closes */
    if (whole ? end > DDB_ROW_BYTES_MAX : text.len > DDB_ROW_BYTES_MAX && err != ERR_INVALID)
        return ERR_LIMIT;
    if (!whole)
        return err ? err : ERR_NOT_FOUND;
    *ret_len = end < text.len ? end + 1 : end;
    if (end > 0 && text.p[end - 1] == '\r')
        end--;
    *ret_row = str_sub(text, 0, end);
    return ERR_OK;
}

/* --- fields of CSV ------------------------------------------------------------------------------ */

/* What is between a field's quotes. */
static enum err unquote(struct arena *a, struct str field, struct str *ret)
{
    char *to = arena_alloc(a, field.len + 1);
    size_t n = 0;
    if (!to)
        return ERR_NOMEM;
    for (size_t i = 1; i + 1 < field.len; i++) {
        to[n++] = field.p[i];
        if (field.p[i] == '"')
            i++; /* two stand for one */
    }
    *ret = str_n(to, n);
    return ERR_OK;
}

enum err ddb_csv_fields(struct arena *a, struct str row, char delimiter, struct ddb_columns *ret)
{
    struct str *v = NULL;
    size_t n = 0, cap = 0, at = 0, end = 0;
    do {
        bool quoted;
        enum err err = field_end(row, at, delimiter, &quoted, &end);
        if (err)
            return err == ERR_NOT_FOUND ? ERR_INVALID : err;
        if (!quoted && end < row.len && row.p[end] == '\n')
            return ERR_INVALID; /* two rows */
        if (n == DDB_CSV_COLUMNS_MAX)
            return ERR_LIMIT;
        TRY(arena_grow(a, &v, n, &cap, NAMES_SEEN_FIRST, sizeof(*v)));
        v[n] = str_sub(row, at, end - at);
        if (quoted)
            TRY(unquote(a, v[n], &v[n]));
        n++;
        at = end + 1;
    } while (end < row.len);
    ret->v = v;
    ret->n = n;
    return ERR_OK;
}

/* --- items -------------------------------------------------------------------------------------- */

static enum err malformed(struct ddb_diag *diag, const char *why)
{
    enum err err = ddb_invalid(diag, "%s", why);
    return err == ERR_INVALID ? ERR_CORRUPT : err;
}

enum err ddb_row_json(struct ddb_diag *diag, struct str row, struct ddb_av **ret_item)
{
    struct json *v;
    enum err err = json_parse(diag->arena, row, &v, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (err)
        return malformed(diag, "The line is not valid JSON");
    const struct json *item = json_get(v, STR("Item"));
    if (!item || item->kind != JSON_OBJECT)
        return malformed(diag, "The line is not a JSON object with the member Item");
    err = ddb_item_from_json(diag, item, ret_item);
    return err == ERR_INVALID && diag->serialization ? ERR_CORRUPT : err;
}

static enum ddb_type type_of(const struct ddb_table *table, struct str name)
{
    for (size_t i = 0; i < table->n_defs; i++)
        if (str_eq(table->defs[i].name, name))
            return table->defs[i].type;
    return DDB_S;
}

/* {"N": "1"}, judged as a request's. */
static enum err key_value(struct ddb_diag *diag, enum ddb_type type, struct str text,
                          struct ddb_av **ret)
{
    struct json inner = {.kind = JSON_STRING, .text = text, .key = ddb_type_name(type)};
    struct json outer = {.kind = JSON_OBJECT, .n = 1, .child = &inner};
    return ddb_av_from_json(diag, &outer, ret);
}

enum err ddb_row_csv(struct ddb_diag *diag, const struct ddb_table *table,
                     const struct ddb_columns *names, struct str row, char delimiter,
                     struct ddb_av **ret_item)
{
    struct ddb_columns fields;
    struct ddb_av *item = ddb_av_new(diag->arena, DDB_M), *v;
    if (!item)
        return ERR_NOMEM;
    if (!str_is_utf8(row))
        return malformed(diag, "The row is not UTF-8");
    enum err err = ddb_csv_fields(diag->arena, row, delimiter, &fields);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return malformed(diag, "The row is not valid CSV");
    TRY(err);
    if (fields.n != names->n)
        return ddb_invalid(diag, "The row has %zu columns, the header %zu", fields.n, names->n);
    for (size_t i = 0; i < fields.n; i++) {
        if (str_empty(fields.v[i]))
            continue;
        enum ddb_type type = type_of(table, names->v[i]);
        if (type == DDB_S) {
            v = ddb_av_new(diag->arena, DDB_S);
            if (!v)
                return ERR_NOMEM;
            v->s = fields.v[i];
        } else {
            TRY(key_value(diag, type, fields.v[i], &v));
        }
        v->name = names->v[i];
        ddb_av_append(item, v);
    }
    *ret_item = item;
    return ERR_OK;
}
