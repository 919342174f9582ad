/* Policies as they are stored: what they ask for, and whom they name.
 *
 * Layer: auth. Thread: pure. */
#include "auth/policy_int.h"
#include "codec/json.h"

/* --- keys ------------------------------------------------------------------------------------- */

struct asked {
    enum err (*fn)(void *arg, struct str key);
    void *arg;
};

static enum err each_variable(const struct asked *q, const struct pattern *p)
{
    for (size_t i = 0; i < p->n_variables; i++)
        TRY(q->fn(q->arg, p->variables[i].name));
    return ERR_OK;
}

static enum err each_of_cond(const struct asked *q, const struct cond *c)
{
    TRY(q->fn(q->arg, c->key));
    for (size_t i = 0; i < c->n; i++) /* of other types than texts it is all zero */
        TRY(each_variable(q, &c->values[i].pattern));
    return ERR_OK;
}

enum err policy_each_key(const struct policy *policy, enum err (*fn)(void *arg, struct str key),
                         void *arg)
{
    const struct asked q = {fn, arg};
    for (size_t i = 0; i < policy->n; i++) {
        const struct statement *s = &policy->statements[i];
        for (size_t k = 0; k < s->resources.n; k++)
            TRY(each_variable(&q, &s->resources.v[k]));
        for (size_t k = 0; k < s->n_conds; k++)
            TRY(each_of_cond(&q, &s->conds[k]));
    }
    return ERR_OK;
}

/* --- principals ------------------------------------------------------------------------------- */

enum {
    ID_CHARS_MIN = 16,
    ID_CHARS_MAX = 128,
    SESSION_CHARS_MIN = 2, /* STS: AssumeRole, RoleSessionName */
    SESSION_CHARS_MAX = 64,
};

bool policy_is_session(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              str_find(STR("_+=,.@-"), c) != SIZE_MAX))
            return false;
    }
    return text.len >= SESSION_CHARS_MIN && text.len <= SESSION_CHARS_MAX;
}

bool policy_is_id(struct str text)
{
    struct str session = text, id = str_cut(&session, ':');
    if (id.len < ID_CHARS_MIN || id.len > ID_CHARS_MAX ||
        !(str_starts(id, STR("AIDA")) || str_starts(id, STR("AROA"))))
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (!((id.p[i] >= 'A' && id.p[i] <= 'Z') || (id.p[i] >= '0' && id.p[i] <= '9')))
            return false;
    return !str_is_set(session) || (policy_is_session(session) && str_starts(id, STR("AROA")));
}

struct mapping {
    struct arena *a;
    struct str json;
    enum err (*map)(void *arg, struct str text, struct str *ret_text);
    void *arg;
    struct buf out; /* what was read of json up to `done`, with the new texts */
    size_t done;
    bool changed;
};

/* Where a text lies in the document with its quotes; false: it is a copy, because it had escapes. */
static bool place_of(const struct mapping *m, struct str text, size_t *ret_at)
{
    uintptr_t begin = (uintptr_t)m->json.p, at = (uintptr_t)text.p;
    if (at <= begin || at + text.len >= begin + m->json.len)
        return false;
    *ret_at = at - begin - 1;
    return true;
}

static enum err map_text(struct mapping *m, const struct json *v)
{
    struct str to;
    size_t at;
    if (v->kind != JSON_STRING)
        return ERR_OK;
    TRY(m->map(m->arg, v->text, &to));
    if (str_eq(to, v->text))
        return ERR_OK;
    if (!place_of(m, v->text, &at) || at < m->done)
        return ERR_INVALID;
    buf_add(&m->out, m->json.p + m->done, at - m->done);
    json_put_str(&m->out, to);
    m->done = at + v->text.len + 2;
    m->changed = true;
    return ERR_OK;
}

static enum err map_element(struct mapping *m, const struct json *principal)
{
    if (!principal || principal->kind != JSON_OBJECT)
        return ERR_OK;
    JSON_EACH (principal, type) {
        if (!str_eq_c(type->key, "AWS"))
            continue;
        TRY(map_text(m, type));
        if (type->kind == JSON_ARRAY)
            JSON_EACH (type, it)
                TRY(map_text(m, it));
    }
    return ERR_OK;
}

static enum err map_document(struct mapping *m)
{
    struct json *doc;
    TRY(json_parse(m->a, m->json, &doc, NULL));
    const struct json *list = json_get(doc, STR("Statement"));
    bool many = list && list->kind == JSON_ARRAY;
    for (const struct json *s = many ? list->child : list; s; s = many ? s->next : NULL) {
        TRY(map_element(m, json_get(s, STR("Principal"))));
        TRY(map_element(m, json_get(s, STR("NotPrincipal"))));
    }
    return ERR_OK;
}

/* The document without escapes that JSON does not ask for: every text then lies in it as it is, for
 * principals have none that need any. */
static enum err rewrite(struct arena *a, struct str json, struct str *ret_json)
{
    struct json *doc;
    struct buf b;
    TRY(json_parse(a, json, &doc, NULL));
    buf_init_arena(&b, a, POLICY_TEXT_MAX);
    json_put(&b, doc);
    TRY(buf_err(&b));
    *ret_json = buf_str(&b);
    return ERR_OK;
}

enum err policy_map_principals(struct arena *a, struct str json,
                               enum err (*map)(void *arg, struct str text, struct str *ret_text),
                               void *arg, size_t max, struct str *ret_json)
{
    struct mapping m = {.a = a, .json = json, .map = map, .arg = arg};
    for (int i = 0; i < 2; i++) {
        buf_init_arena(&m.out, a, max);
        m.done = 0;
        m.changed = false;
        enum err err = map_document(&m);
        if (err == ERR_INVALID && i == 0) {
            TRY(rewrite(a, json, &m.json));
            continue;
        }
        TRY(err);
        break;
    }
    buf_add(&m.out, m.json.p + m.done, m.json.len - m.done);
    TRY(buf_err(&m.out));
    *ret_json = m.changed ? buf_str(&m.out) : json;
    return ERR_OK;
}
