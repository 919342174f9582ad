/* Statements of resource policies; see statement.h. Layer: core. Thread: pure. */
#include "core/statement.h"

#include <assert.h>

#include "auth/policy.h"
#include "codec/json.h"

enum { ACCOUNT_LEN = 12 };

/* --- one statement ---------------------------------------------------------------------------- */

static bool is_account(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.len == ACCOUNT_LEN;
}

static bool is_service(struct str s)
{
    return str_ends(s, STR(".amazonaws.com")) || str_ends(s, STR(".amazon.com")) ||
           str_ends(s, STR(".amazonaws.com.cn"));
}

/* "AWS" or "Service", with the value as policies have it. ERR_INVALID, ERR_NOMEM. */
static enum err principal_of(struct arena *a, struct str partition, struct str given,
                             const char **ret_kind, struct str *ret_value)
{
    *ret_value = given;
    if (is_account(given)) {
        *ret_kind = "AWS";
        *ret_value =
            str_fmt(a, "arn:" STR_FMT ":iam::" STR_FMT ":root", STR_ARG(partition), STR_ARG(given));
        return str_is_set(*ret_value) ? ERR_OK : ERR_NOMEM;
    }
    bool aws = str_starts(given, STR("arn:")) || policy_is_id(given);
    *ret_kind = aws ? "AWS" : "Service";
    return aws || is_service(given) ? ERR_OK : ERR_INVALID;
}

static bool in_list(const struct statement *st, size_t n)
{
    return st->lists || n > 1;
}

static enum err put_principals(struct json_out *o, struct arena *a, struct str partition,
                               const struct statement *st)
{
    const char *kind = NULL, *first = NULL;
    struct str value;
    json_key(o, STR("Principal"));
    if (st->n_principals == 1 && str_eq_c(st->principals[0], "*")) {
        json_str(o, STR("*"));
        return ERR_OK;
    }
    json_open(o, '{');
    for (size_t i = 0; i < st->n_principals; i++) {
        TRY(principal_of(a, partition, st->principals[i], &kind, &value));
        if (first && strcmp(first, kind) != 0)
            return ERR_INVALID;
        if (!first) {
            first = kind;
            json_key(o, str_c(kind));
            if (in_list(st, st->n_principals))
                json_open(o, '[');
        }
        json_str(o, value);
    }
    if (first && in_list(st, st->n_principals))
        json_close(o, ']');
    json_close(o, '}');
    return ERR_OK;
}

static void put_actions(struct json_out *o, const struct statement *st)
{
    json_key(o, STR("Action"));
    if (in_list(st, st->n_actions))
        json_open(o, '[');
    for (size_t i = 0; i < st->n_actions; i++)
        json_str(o, st->actions[i]);
    if (in_list(st, st->n_actions))
        json_close(o, ']');
}

static void put_conditions(struct json_out *o, const struct statement *st)
{
    const char *open = NULL;
    for (size_t i = 0; i < st->n_conditions; i++) {
        const struct statement_condition *c = &st->conditions[i];
        if (!str_is_set(c->value))
            continue;
        if (!open) {
            json_key(o, STR("Condition"));
            json_open(o, '{');
        }
        if (!open || strcmp(open, c->op) != 0) {
            if (open)
                json_close(o, '}');
            open = c->op;
            json_key(o, str_c(open));
            json_open(o, '{');
        }
        json_kv_str(o, str_c(c->key), c->value);
    }
    if (!open)
        return;
    json_close(o, '}');
    json_close(o, '}');
}

enum err statement_json(struct arena *a, struct str partition, const struct statement *st,
                        struct str *ret_json)
{
    struct buf b;
    struct json_out o;
    assert(st->n_conditions <= STATEMENT_CONDITIONS_MAX);
    assert(st->lists || st->n_actions >= 1);
    buf_init_arena(&b, a, STATEMENT_DOCUMENT_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("Sid"), st->sid);
    json_kv_str(&o, STR("Effect"), STR("Allow"));
    TRY(put_principals(&o, a, partition, st));
    put_actions(&o, st);
    json_kv_str(&o, STR("Resource"), st->resource);
    put_conditions(&o, st);
    json_close(&o, '}');
    TRY(buf_err(&b));
    *ret_json = buf_str(&b);
    return ERR_OK;
}

/* --- the document ----------------------------------------------------------------------------- */

static enum err parse(struct arena *a, struct str document, struct json **ret_doc)
{
    *ret_doc = NULL;
    if (!str_is_set(document))
        return ERR_OK;
    enum err err = json_parse(a, document, ret_doc, NULL);
    return err == ERR_OK || err == ERR_NOMEM ? err : ERR_CORRUPT;
}

/* The first statement; a single one may stand without brackets. */
static const struct json *first_of(const struct json *doc)
{
    const struct json *list = json_get(doc, STR("Statement"));
    return list && list->kind == JSON_ARRAY ? list->child : list;
}

/* The next one, of `it` from first_of. */
static const struct json *next_of(const struct json *doc, const struct json *it)
{
    return it == json_get(doc, STR("Statement")) ? NULL : it->next;
}

static const struct json *find(const struct json *doc, struct str sid)
{
    const struct json *it = first_of(doc);
    while (it && !str_eq(json_get_str(it, STR("Sid")), sid))
        it = next_of(doc, it);
    return it;
}

/* Anew: version, id, the statements that stay, and the one that is added. */
static enum err rewrite(struct arena *a, const struct json *doc, struct str version, struct str id,
                        const struct json *without, struct str added, struct str *ret_document)
{
    struct buf b;
    struct json_out o;
    struct str had = json_get_str(doc, STR("Version")), old = json_get_str(doc, STR("Id"));
    size_t n = str_is_set(added) ? 1 : 0;
    buf_init_arena(&b, a, STATEMENT_DOCUMENT_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("Version"), str_is_set(had) ? had : version);
    json_kv_str(&o, STR("Id"), str_is_set(old) ? old : id);
    json_key(&o, STR("Statement"));
    json_open(&o, '[');
    for (const struct json *it = first_of(doc); it; it = next_of(doc, it))
        if (it != without) {
            json_tree(&o, it);
            n++;
        }
    if (str_is_set(added))
        json_raw(&o, added);
    json_close(&o, ']');
    json_close(&o, '}');
    TRY(buf_err(&b));
    *ret_document = n ? buf_str(&b) : STR_NONE;
    return ERR_OK;
}

enum err statement_add(struct arena *a, struct str document, struct str version, struct str id,
                       struct str sid, struct str json, struct str *ret_document)
{
    struct json *doc;
    TRY(parse(a, document, &doc));
    return find(doc, sid) ? ERR_EXISTS : rewrite(a, doc, version, id, NULL, json, ret_document);
}

enum err statement_has(struct arena *a, struct str document, struct str sid, struct str json)
{
    struct json *doc;
    struct buf b;
    struct json_out o;
    TRY(parse(a, document, &doc));
    const struct json *found = find(doc, sid);
    if (!found)
        return ERR_NOT_FOUND;
    buf_init_arena(&b, a, STATEMENT_DOCUMENT_MAX);
    json_out_init(&o, &b);
    json_tree(&o, found);
    TRY(buf_err(&b));
    return str_eq(buf_str(&b), json) ? ERR_OK : ERR_NOT_FOUND;
}

enum err statement_count(struct arena *a, struct str document, size_t *ret_n)
{
    struct json *doc;
    size_t n = 0;
    TRY(parse(a, document, &doc));
    for (const struct json *it = first_of(doc); it; it = next_of(doc, it))
        n++;
    *ret_n = n;
    return ERR_OK;
}

enum err statement_remove(struct arena *a, struct str document, struct str sid,
                          struct str *ret_document)
{
    struct json *doc;
    TRY(parse(a, document, &doc));
    const struct json *found = find(doc, sid);
    return found ? rewrite(a, doc, STR("2012-10-17"), STR_NONE, found, STR_NONE, ret_document)
                 : ERR_NOT_FOUND;
}
