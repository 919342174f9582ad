/* Growing trees. See sam_int.h. Layer: template. Thread: pure. */
#include <assert.h>
#include <stdarg.h>

#include "template/sam_int.h"

/* A scalar has no `raw`: it says whether its text or key is the transform's own. */
static const char own_key[] = "k";
enum { OWN_TEXT = 1, PLAIN_ORDER = 1 }; /* as raw.len: no text of JSON has one byte for a map */
#define DROPPED SIZE_MAX                /* as raw.len */

struct str sam_str(const struct json *v)
{
    return sam_text(v) ? v->text : STR_NONE;
}

bool sam_true(const struct json *v)
{
    if (!v || v->kind == JSON_NULL)
        return false;
    switch (v->kind) {
    case JSON_BOOL:
        return v->b;
    case JSON_STRING:
        return v->text.len > 0;
    case JSON_NUMBER: {
        double d = 1;
        return json_to_f64(v, &d) != ERR_OK || d != 0;
    }
    default:
        return v->child != NULL;
    }
}

bool sam_intrinsic(const struct json *v)
{
    if (!sam_map(v) || !v->child || v->child->next)
        return false;
    struct str key = v->child->key;
    return str_eq_c(key, "Ref") || str_eq_c(key, "Condition") || str_starts(key, STR("Fn::"));
}

struct str sam_ref(const struct json *v)
{
    return sam_map(v) && v->child && !v->child->next && str_eq_c(v->child->key, "Ref")
               ? sam_str(v->child)
               : STR_NONE;
}

struct str sam_named(const struct json *v)
{
    const struct json *att = sam_intrinsic(v) ? SAM_GET(v, "Fn::GetAtt") : NULL;
    if (sam_list(att) && att->n == 2)
        return sam_str(att->child);
    struct str text = sam_str(att), id = str_cut(&text, '.');
    if (sam_text(att))
        return str_is_set(text) && str_find(text, '.') == SIZE_MAX ? id : STR_NONE;
    return sam_ref(v);
}

bool sam_no_value(const struct json *v)
{
    return str_eq_c(sam_ref(v), "AWS::NoValue");
}

static size_t members(const struct json *v)
{
    size_t n = 0;
    JSON_EACH (v, it)
        n++;
    return n;
}

bool sam_equal(const struct json *a, const struct json *b)
{
    if (!a || !b)
        return a == b;
    if (a->kind != b->kind)
        return false;
    if (a->kind == JSON_BOOL)
        return a->b == b->b;
    if (a->kind == JSON_STRING || a->kind == JSON_NUMBER)
        return str_eq(a->text, b->text);
    if (members(a) != members(b))
        return false;
    const struct json *other = b->child;
    JSON_EACH (a, it) {
        if (!sam_equal(it, a->kind == JSON_OBJECT ? json_get(b, it->key) : other))
            return false;
        other = other ? other->next : NULL;
    }
    return true;
}

void sam_over(struct sam *s, const char *what, int max)
{
    if (s->over) /* the first counts: what comes after is half made */
        return;
    s->over = what;
    s->over_max = max;
}

struct json *sam_copy(struct sam *s, const struct json *v)
{
    if (!v || s->over)
        return NULL;
    if (s->nodes >= SAM_NODES_MAX)
        sam_over(s, "values", SAM_NODES_MAX);
    if (v->kind == JSON_OBJECT && v->n > SAM_MEMBERS_MAX)
        sam_over(s, "members of one map", SAM_MEMBERS_MAX);
    struct json *copy = s->over ? NULL : json_new(s->a, v->kind);
    if (!copy)
        return NULL;
    s->nodes++;
    copy->b = v->b;
    copy->text = v->text;
    copy->key = v->key;
    copy->raw = v->raw;
    struct json **end = &copy->child;
    JSON_EACH (v, it) {
        *end = sam_copy(s, it);
        if (!*end)
            break;
        end = &(*end)->next;
        copy->n++;
    }
    return copy;
}

struct json *sam_new_str(struct sam *s, struct str text)
{
    return json_new_str(s->a, text);
}

void sam_append(struct sam *s, struct json *container, struct json *v)
{
    struct json **end = &container->child;
    if (s->pushed_to == container && s->pushed)
        end = &s->pushed->next;
    while (*end)
        end = &(*end)->next;
    *end = v;
    v->next = NULL;
    container->n++;
    s->pushed_to = container;
    s->pushed = v;
}

void sam_put(struct sam *s, struct json *obj, struct str key, struct json *v)
{
    if (!obj || !v || obj->kind != JSON_OBJECT)
        return;
    struct json *old = json_at(obj, key);
    struct str raw = old ? old->raw : v->raw;
    enum err err = json_set(obj, key, v);
    s->pushed_to = NULL; /* the last member may be another now */
    if (err == ERR_OK && old)
        v->raw = str_n(raw.p, v->raw.len);
}

void sam_set(struct sam *s, struct json *obj, const char *key, struct json *v)
{
    if (!obj || !v || obj->kind != JSON_OBJECT)
        return;
    bool old = json_at(obj, str_c(key)) != NULL;
    sam_put(s, obj, str_c(key), v);
    if (!old)
        v->raw.p = own_key;
}

void sam_push(struct sam *s, struct json *list, struct json *v)
{
    if (!list || !v || list->kind != JSON_ARRAY)
        return;
    sam_append(s, list, v);
}

void sam_take(struct sam *s, struct json *to, const char *name, const struct json *from,
              const char *member)
{
    sam_set(s, to, name, sam_copy(s, json_get(from, str_c(member))));
}

struct json *sam_map_at(struct sam *s, struct json *obj, struct str key)
{
    struct json *v = json_at(obj, key);
    if (v)
        return v;
    sam_put(s, obj, key, json_new(s->a, JSON_OBJECT));
    return json_at(obj, key);
}

struct json *sam_as_list(struct sam *s, const struct json *v)
{
    if (sam_list(v))
        return sam_copy(s, v);
    struct json *list = json_new(s->a, JSON_ARRAY);
    sam_push(s, list, sam_copy(s, v));
    return list;
}

struct str sam_upper(struct sam *s, struct str text)
{
    struct str upper = str_dup(s->a, text);
    for (size_t i = 0; i < upper.len && str_is_set(upper); i++)
        if (upper.p[i] >= 'a' && upper.p[i] <= 'z')
            ((char *)(uintptr_t)upper.p)[i] -= 32;
    return upper;
}

struct str sam_cat(struct sam *s, struct str a, const char *b)
{
    return str_fmt(s->a, STR_FMT "%s", STR_ARG(a), b);
}

struct str sam_cat3(struct sam *s, struct str a, struct str b, const char *c)
{
    return str_fmt(s->a, STR_FMT STR_FMT "%s", STR_ARG(a), STR_ARG(b), c);
}

/* --- sam_make ----------------------------------------------------------------------------------- */

struct maker {
    struct sam *s;
    const char *p;
    va_list args;
};

static void blanks(struct maker *m)
{
    while (*m->p == ' ' || *m->p == '\n')
        m->p++;
}

static struct str quoted(struct maker *m)
{
    const char *from = ++m->p;
    while (*m->p != '\'') {
        assert(*m->p);
        m->p++;
    }
    return str_n(from, (size_t)(m->p++ - from));
}

static struct json *make_value(struct maker *m);

static void make_members(struct maker *m, struct json *v)
{
    char end = v && v->kind == JSON_ARRAY ? ']' : '}';
    for (m->p++, blanks(m); *m->p && *m->p != end; blanks(m)) {
        struct str key = STR_NONE;
        bool own = *m->p == '\'';
        if (end == '}') {
            key = own ? quoted(m) : va_arg(m->args, struct str);
            m->p += own ? 0 : 2;
            blanks(m);
            assert(*m->p == ':');
            m->p++;
        }
        struct json *member = make_value(m);
        if (member && v) {
            sam_append(m->s, v, member);
            member->key = key;
            member->raw.p = own && end == '}' ? own_key : NULL;
        }
        blanks(m);
        if (*m->p == ',')
            m->p++;
    }
    if (*m->p)
        m->p++;
}

static struct json *make_word(struct maker *m)
{
    struct sam *s = m->s;
    size_t n = strcspn(m->p, ",]} ");
    struct str word = str_n(m->p, n);
    m->p += n;
    if (str_eq_c(word, "true") || str_eq_c(word, "false"))
        return json_new_bool(s->a, word.p[0] == 't');
    struct json *v = json_new(s->a, JSON_NUMBER);
    if (v)
        v->text = word;
    return v;
}

static struct json *make_value(struct maker *m)
{
    struct sam *s = m->s;
    blanks(m);
    if (*m->p == '{' || *m->p == '[') {
        struct json *v = json_new(s->a, *m->p == '{' ? JSON_OBJECT : JSON_ARRAY);
        if (!v) /* nothing to hang members on: skip the text, take no argument */
            m->p += strlen(m->p);
        else
            make_members(m, v);
        return v;
    }
    if (*m->p == '\'') {
        struct json *v = json_new_str(s->a, quoted(m));
        if (v)
            v->raw.len = OWN_TEXT;
        return v;
    }
    if (*m->p != '%')
        return make_word(m);
    char kind = m->p[1];
    m->p += 2;
    if (kind == 's' || kind == 'o') {
        struct str text = va_arg(m->args, struct str);
        struct json *v = str_is_set(text) ? json_new_str(s->a, text) : NULL;
        if (v && kind == 'o')
            v->raw.len = OWN_TEXT;
        return v;
    }
    assert(kind == 'v');
    struct json *v = sam_copy(s, va_arg(m->args, const struct json *));
    if (v)
        v->key = STR_NONE;
    return v;
}

struct json *sam_make(struct sam *s, const char *fmt, ...)
{
    struct maker m = {.s = s, .p = fmt};
    va_start(m.args, fmt);
    struct json *v = make_value(&m);
    va_end(m.args);
    return v;
}

bool sam_own_key(const struct json *v)
{
    return v->raw.p == own_key;
}

bool sam_own_text(const struct json *v)
{
    return v->kind == JSON_STRING && v->raw.len == OWN_TEXT;
}

bool sam_plain_order(const struct json *v)
{
    return v->kind == JSON_OBJECT && v->raw.len == PLAIN_ORDER;
}

struct json *sam_keep_order(struct json *v)
{
    if (v)
        v->raw.len = PLAIN_ORDER;
    return v;
}

void sam_mark_dropped(struct json *obj, bool dropped)
{
    obj->raw.len = dropped ? DROPPED : 0;
}

bool sam_has_dropped(const struct json *obj)
{
    return obj->kind == JSON_OBJECT && obj->raw.len == DROPPED;
}

void sam_forget_marks(struct json *v)
{
    v->raw = STR_NONE;
    for (struct json *it = v->child; it; it = it->next)
        sam_forget_marks(it);
}
