/* See quote.h. Layer: pipeline, pure. */
#include "quote.h"

#include <stddef.h>
#include <stdio.h>

#include "item.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

/* Texts, by their names on both sides. */
static const struct field {
    const char *theirs, *ours;
    size_t at;
    bool needed;
} fields[] = {
    {"_id", "quote_id", offsetof(struct quote, id), true},
    {"content", "quote", offsetof(struct quote, text), true},
    {"author", "author", offsetof(struct quote, author), false},
    {"authorSlug", "author_slug", offsetof(struct quote, author_slug), false},
    {"dateAdded", "added_on", offsetof(struct quote, added_on), false},
    {"dateModified", "modified_on", offsetof(struct quote, modified_on), false},
};

static struct str *text_at(struct quote *q, const struct field *f)
{
    return (struct str *)((char *)q + f->at);
}

/* What is wrong with it; NULL nothing. Control characters would go through all that comes after this
 * as they are, into logs and files. */
static const char *text_fault(const struct json *v)
{
    if (v->kind != JSON_STRING)
        return "is not text";
    if (v->text.len > QUOTE_TEXT_MAX)
        return "is too long";
    for (size_t i = 0; i < v->text.len; i++) {
        unsigned char c = (unsigned char)v->text.p[i];
        if (c == 0x7f || (c < ' ' && c != '\t' && c != '\n' && c != '\r'))
            return "has a control character";
    }
    return NULL;
}

static const char *read_text(const struct json *object, const struct field *f, struct str *ret_text)
{
    const struct json *v = json_get(object, str_c(f->theirs));
    const char *fault = v && v->kind != JSON_NULL ? text_fault(v) : NULL;
    *ret_text = STR_NONE;
    if (fault)
        return fault;
    if (v && v->kind == JSON_STRING && v->text.len)
        *ret_text = v->text;
    return f->needed && !str_is_set(*ret_text) ? "is missing" : NULL;
}

static const char *read_tags(const struct json *v, struct quote *q)
{
    if (!v || v->kind == JSON_NULL)
        return NULL;
    if (v->kind != JSON_ARRAY)
        return "is not a list";
    JSON_EACH (v, tag) {
        const char *fault = text_fault(tag);
        if (fault)
            return fault;
        if (q->n_tags == QUOTE_TAGS_MAX)
            return "is too long";
        q->tags[q->n_tags++] = tag->text;
    }
    return NULL;
}

static const char *read_length(const struct json *v, struct quote *q)
{
    q->length = -1;
    if (!v || v->kind == JSON_NULL)
        return NULL;
    if (v->kind != JSON_NUMBER || json_to_i64(v, &q->length) != ERR_OK || q->length < 0 ||
        q->length > QUOTE_LENGTH_MAX)
        return "is no length";
    return NULL;
}

/* NULL, or the member that is at fault, with *ret_fault. */
static const char *read_quote(const struct json *object, struct quote *ret_quote,
                              const char **ret_fault)
{
    *ret_quote = (struct quote){0};
    if (object->kind != JSON_OBJECT) {
        *ret_fault = "is not an object";
        return "it";
    }
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        *ret_fault = read_text(object, &fields[i], text_at(ret_quote, &fields[i]));
        if (*ret_fault)
            return fields[i].theirs;
    }
    *ret_fault = read_tags(json_get(object, STR("tags")), ret_quote);
    if (*ret_fault)
        return "tags";
    *ret_fault = read_length(json_get(object, STR("length")), ret_quote);
    return *ret_fault ? "length" : NULL;
}

enum err quotes_read(struct arena *a, struct str document, struct quote **ret_quotes, size_t *ret_n,
                     struct str *ret_why)
{
    struct json *doc = NULL;
    size_t n = 0, at = 0;
    enum err err = json_parse(a, document, &doc, &at);
    if (err != ERR_OK) {
        *ret_why = str_fmt(a, "it is not JSON, from byte %zu on", at);
        return err == ERR_NOMEM ? err : ERR_INVALID;
    }
    bool many = doc->kind == JSON_ARRAY;
    size_t max = many ? doc->n : 1;
    if (max > QUOTES_MAX) {
        *ret_why = str_fmt(a, "it has %zu quotes, more than %d", max, QUOTES_MAX);
        return ERR_INVALID;
    }
    struct quote *quotes = ARENA_ARRAY(a, struct quote, max ? max : 1);
    if (!quotes)
        return ERR_NOMEM;
    for (const struct json *v = many ? doc->child : doc; v; v = many ? v->next : NULL) {
        const char *fault = NULL, *member = read_quote(v, &quotes[n++], &fault);
        if (member) {
            *ret_why = str_fmt(a, "quote %zu: %s %s", n, member, fault);
            return ERR_INVALID;
        }
    }
    *ret_quotes = quotes;
    *ret_n = n;
    return ERR_OK;
}

static void put_tags(struct json_out *o, const struct quote *quote)
{
    json_key(o, STR("tags"));
    json_open(o, '{');
    json_key(o, STR("L"));
    json_open(o, '[');
    for (size_t i = 0; i < quote->n_tags; i++) {
        json_open(o, '{');
        json_kv_str(o, STR("S"), quote->tags[i]);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_close(o, '}');
}

void quote_put_item(struct json_out *o, const struct quote *quote, size_t nth, int64_t at_ms)
{
    char text[CLOCK_TEXT_MAX];
    struct str at = clock_iso8601_ms(text, at_ms + (int64_t)nth);
    json_open(o, '{');
    item_put_s(o, "ingested_date", str_sub(at, 0, QUOTES_DATE_LEN));
    item_put_s(o, "ingested_at", at);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const struct str *value = (const struct str *)((const char *)quote + fields[i].at);
        if (str_is_set(*value))
            item_put_s(o, fields[i].ours, *value);
    }
    if (quote->n_tags)
        put_tags(o, quote);
    if (quote->length >= 0)
        item_put_n(o, "quote_length", quote->length);
    json_close(o, '}');
}

enum err quote_of_item(const struct json *item, struct quote *ret_quote,
                       struct str *ret_ingested_at)
{
    struct quote q = {.length = -1};
    struct str at = item_get_s(item, "ingested_at");
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        *text_at(&q, &fields[i]) = item_get_s(item, fields[i].ours);
        if (fields[i].needed && !text_at(&q, &fields[i])->len)
            return ERR_INVALID;
    }
    JSON_EACH (json_get(json_get(item, STR("tags")), STR("L")), tag) {
        if (q.n_tags == QUOTE_TAGS_MAX || !str_is_set(json_get_str(tag, STR("S"))))
            return ERR_INVALID;
        q.tags[q.n_tags++] = json_get_str(tag, STR("S"));
    }
    if (json_get(item, STR("quote_length")))
        q.length = item_get_n(item, "quote_length");
    if (!at.len)
        return ERR_INVALID;
    *ret_quote = q;
    *ret_ingested_at = at;
    return ERR_OK;
}

enum err event_date(const struct json *event, int64_t now_ms, char ret_date[QUOTES_DATE_LEN + 1])
{
    char text[CLOCK_TEXT_MAX];
    int64_t day_ms;
    const struct json *date = json_get(event, STR("date"));
    if (date) {
        int n = snprintf(text, sizeof text, STR_FMT "T00:00:00Z", STR_ARG(date->text));
        if (date->kind != JSON_STRING || date->text.len != QUOTES_DATE_LEN || n < 0)
            return ERR_INVALID;
        TRY(clock_parse_iso8601(str_n(text, (size_t)n), &day_ms));
    } else {
        TRY(event_time(event, now_ms, &day_ms));
        day_ms -= DAY_MS;
    }
    struct str at = clock_iso8601(text, day_ms);
    memcpy(ret_date, at.p, QUOTES_DATE_LEN);
    ret_date[QUOTES_DATE_LEN] = 0;
    return ERR_OK;
}
