/* What the specs' rows about permissions make of an operation's input: ARNs from templates, whether
 * a need arises, condition keys (wire.h says the language).
 *
 * Layer: wire. Thread: pure. */
#include "base/arn.h"
#include "base/clock.h"
#include "wire/wire_int.h"

enum { TEXT_MAX = 8 * 1024 };

/* --- members ---------------------------------------------------------------------------------- */

/* Value of the member that a dotted path reaches, as it lies in its struct; NULL when absent. */
static const void *find(const struct wire_op *op, const void *in, struct str path,
                        const struct wire_shape **ret_shape)
{
    const struct wire_shape *shape = op->input;
    while (str_is_set(path) && in) {
        struct str part = str_cut(&path, '.');
        const struct wire_member *found = NULL;
        for (size_t i = 0; i < shape->n_members && !found; i++) {
            if (str_eq(shape->members[i].name, part))
                found = &shape->members[i];
        }
        if (!found || !wire_is_set(found, in))
            return NULL;
        const void *v = wire_at(found, in);
        shape = found->shape;
        if (!str_is_set(path)) {
            *ret_shape = shape;
            return v;
        }
        if (shape->kind != WIRE_STRUCT)
            return NULL;
        in = *(const void *const *)v;
    }
    return NULL;
}

struct str wire_input_str(const struct wire_op *op, const void *in, struct str name)
{
    const struct wire_shape *shape;
    const void *v = find(op, in, name, &shape);
    return v && shape->kind == WIRE_STRING ? *(const struct str *)v : STR_NONE;
}

struct str wire_account_in(struct str text)
{
    struct str rest = text, part = str_cut(&rest, ':');
    if (str_eq_c(part, "arn"))
        for (int i = 0; i < 4; i++)
            part = str_cut(&rest, ':');
    else if (str_find_str(text, STR("://")) != SIZE_MAX) { /* .../ID/NAME */
        size_t name = str_rfind(text, '/');
        part = str_sub(text, 0, name);
        part = str_sub(part, str_rfind(part, '/') + 1, part.len);
    }
    return arn_account_valid(part) ? part : STR_NONE;
}

struct str wire_owner(const struct wire_op *op, const void *in)
{
    struct str paths = op->owner;
    while (str_is_set(paths) && paths.len > 0) {
        struct str path = str_cut(&paths, ' '), text = wire_input_str(op, in, path);
        if (!str_is_set(text))
            continue;
        /* A table or a function may be called by twelve digits, which are no account then. */
        bool id = str_ends(path, STR("AccountId")) || str_ends(path, STR("registryId"));
        return id || !arn_account_valid(text) ? wire_account_in(text) : STR_NONE;
    }
    return STR_NONE;
}

/* A scalar as policies compare it; STR_NONE for what is none. */
static enum err scalar_text(const struct wire_shape *shape, const void *v, struct arena *a,
                            struct str *ret)
{
    switch ((enum wire_kind)shape->kind) {
    case WIRE_STRING:
        *ret = *(const struct str *)v;
        return ERR_OK;
    case WIRE_BOOL:
        *ret = *(const bool *)v ? STR("true") : STR("false");
        return ERR_OK;
    case WIRE_TIME: {
        char text[CLOCK_TEXT_MAX];
        *ret = str_dup(a, clock_iso8601(text, *(const int64_t *)v));
        return ret->p ? ERR_OK : ERR_NOMEM;
    }
    case WIRE_INT:
        *ret = str_fmt(a, "%lld", (long long)*(const int64_t *)v);
        return str_is_set(*ret) ? ERR_OK : ERR_NOMEM;
    default:
        *ret = STR_NONE;
        return ERR_OK;
    }
}

/* --- forms ------------------------------------------------------------------------------------ */

static struct str after_last(struct str s, const char *set)
{
    for (size_t i = s.len; i > 0; i--) {
        if (strchr(set, s.p[i - 1]))
            return str_sub(s, i, SIZE_MAX);
    }
    return s;
}

/* What stands between `mark` and the next `end`, or all of `s` when it has no mark. */
static struct str between(struct str s, struct str mark, char end)
{
    size_t at = str_find_str(s, mark);
    if (at == SIZE_MAX)
        return s;
    s = str_sub(s, at + mark.len, SIZE_MAX);
    return str_cut(&s, end);
}

/* "name", "name:qualifier", "account:function:name", or the ARN. */
static struct str lambda_name(struct str s)
{
    if (str_find_str(s, STR("function:")) != SIZE_MAX)
        return between(s, STR("function:"), ':');
    return str_cut(&s, ':');
}

/* The same with its qualifier, where it has one: "name:qualifier". */
static struct str lambda_qualified(struct str s)
{
    size_t at = str_find_str(s, STR("function:"));
    return at == SIZE_MAX ? s : str_sub(s, at + sizeof("function:") - 1, SIZE_MAX);
}

/* "/bucket/key?versionId=v", percent-encoded: "bucket/key", or v. What is malformed stands as it
 * came: its handler refuses it. Source: S3 API Reference, CopyObject, x-amz-copy-source. */
static enum err copy_source(struct arena *a, struct str s, bool version, struct str *ret)
{
    static const struct str marker = STR_INIT("?versionId=");
    size_t at = str_find_str(s, marker);
    if (version && at == SIZE_MAX) {
        *ret = STR_NONE;
        return ERR_OK;
    }
    struct str raw = version ? str_sub(s, at + marker.len, SIZE_MAX) : str_sub(s, 0, at);
    struct str decoded;
    enum err err = percent_decode(a, raw, false, &decoded);
    if (err == ERR_NOMEM)
        return err;
    *ret = err == ERR_OK ? decoded : raw;
    if (!version && str_starts(*ret, STR("/")))
        *ret = str_sub(*ret, 1, SIZE_MAX);
    return ERR_OK;
}

static enum err apply(struct arena *a, struct str form, struct str v, struct str *ret)
{
    if (str_eq(form, STR("copy")) || str_eq(form, STR("version")))
        return copy_source(a, v, str_eq(form, STR("version")), ret);
    if (str_eq(form, STR("last")))
        *ret = after_last(v, "/:");
    else if (str_eq(form, STR("table")))
        *ret = between(v, STR(":table/"), '/');
    else if (str_eq(form, STR("lambda")))
        *ret = lambda_name(v);
    else if (str_eq(form, STR("function")))
        *ret = lambda_qualified(v);
    else if (str_eq(form, STR("group")))
        *ret = between(v, STR(":log-group:"), ':');
    else
        *ret = v;
    return ERR_OK;
}

static enum err look_up(const struct wire_ask *ask, struct str hole, struct str *ret)
{
    struct str form = hole;
    struct str name = str_cut(&form, '|');
    const struct wire_shape *shape;
    if (str_eq(name, STR("account")))
        *ret = ask->account;
    else if (str_eq(name, STR("region")))
        *ret = ask->region;
    else if (str_eq(name, STR("partition")))
        *ret = ask->partition;
    else {
        const void *v = find(ask->op, ask->in, name, &shape);
        *ret = STR_NONE;
        if (v)
            TRY(scalar_text(shape, v, ask->arena, ret));
        if (ret->p && str_is_set(form))
            TRY(apply(ask->arena, form, *ret, ret));
    }
    return ERR_OK;
}

/* --- templates -------------------------------------------------------------------------------- */

/* Fills one template. *ret_full is false when a member is absent: it stands as "*". */
static enum err fill(const struct wire_ask *ask, struct str template, struct buf *b, bool *ret_full)
{
    *ret_full = true;
    while (template.len > 0) {
        size_t open = str_find(template, '{');
        if (open == SIZE_MAX)
            open = template.len;
        buf_add(b, template.p, open);
        template = str_sub(template, open + 1, SIZE_MAX);
        if (template.len == 0)
            break;
        struct str v;
        TRY(look_up(ask, str_cut(&template, '}'), &v));
        if (!str_is_set(v))
            *ret_full = false;
        /* A policy may not be widened by a name with wildcards: the evaluator takes resources as
         * plain text, so "*" for an absent member only matches patterns that cover all names. */
        buf_add_str(b, str_is_set(v) ? v : STR("*"));
    }
    return ERR_OK;
}

enum err wire_resource(const struct wire_ask *ask, struct str template, struct str *ret_arn)
{
    struct buf b;
    if (!str_is_set(template)) {
        *ret_arn = STR_NONE;
        return ERR_OK;
    }
    buf_init_arena(&b, ask->arena, TEXT_MAX);
    while (str_is_set(template)) {
        bool full;
        buf_clear(&b);
        TRY(fill(ask, str_cut(&template, ' '), &b, &full));
        if (full)
            break;
    }
    TRY(buf_err(&b));
    *ret_arn = buf_str(&b);
    return ERR_OK;
}

static enum err is_present(const struct wire_ask *ask, struct str hole, bool *ret)
{
    struct str form = hole;
    const struct wire_shape *shape;
    const void *v = find(ask->op, ask->in, str_cut(&form, '|'), &shape);
    struct str text;
    *ret = v != NULL;
    if (v && (shape->kind == WIRE_LIST || shape->kind == WIRE_MAP))
        *ret = ((const struct wire_list *)v)->n > 0;
    if (!v || !str_is_set(form))
        return ERR_OK;
    TRY(look_up(ask, hole, &text));
    *ret = str_is_set(text);
    return ERR_OK;
}

enum err wire_when(const struct wire_ask *ask, struct str when, bool *ret_holds)
{
    *ret_holds = true;
    while (str_is_set(when) && *ret_holds) {
        struct str part = str_cut(&when, ' ');
        bool not = str_starts(part, STR("!"));
        bool there;
        TRY(is_present(ask, str_sub(part, not ? 1 : 0, SIZE_MAX), &there));
        *ret_holds = there != not ;
    }
    return ERR_OK;
}

/* --- condition keys --------------------------------------------------------------------------- */

struct keys {
    const struct wire_ask *ask;
    enum err (*fn)(void *arg, struct str name, struct str value);
    void *arg;
};

/* The member that is the whole of a template: "{Member}" or "{Member|form}"; STR_NONE otherwise. */
static struct str only_hole(struct str template)
{
    if (!str_starts(template, STR("{")) || str_find(template, '}') != template.len - 1)
        return STR_NONE;
    return str_sub(template, 1, template.len - 2);
}

static enum err each_text(const struct keys *k, const struct wire_shape *shape, const void *v,
                          struct str name)
{
    const struct wire_list *list = v;
    for (size_t i = 0; i < list->n; i++) {
        struct str text;
        TRY(scalar_text(shape->members[0].shape, (const char *)list->v + i * shape->size,
                        k->ask->arena, &text));
        TRY(k->fn(k->arg, name, text));
    }
    return ERR_OK;
}

static enum err give_key(const struct keys *k, const struct wire_key *row)
{
    struct str hole = only_hole(row->value);
    const struct wire_shape *shape;
    struct str text;
    const void *v = str_is_set(hole) ? find(k->ask->op, k->ask->in, hole, &shape) : NULL;
    if (v && shape->kind == WIRE_LIST)
        return each_text(k, shape, v, row->name);
    if (str_is_set(hole)) {
        TRY(look_up(k->ask, hole, &text));
    } else {
        struct buf b;
        bool full;
        buf_init_arena(&b, k->ask->arena, TEXT_MAX);
        TRY(fill(k->ask, row->value, &b, &full));
        TRY(buf_err(&b));
        text = full ? buf_str(&b) : STR_NONE;
    }
    return str_is_set(text) ? k->fn(k->arg, row->name, text) : ERR_OK;
}

/* One tag, or, without a value, one key of tags to be taken away. */
static enum err give_tag(const struct keys *k, struct str key, struct str value)
{
    if (!str_is_set(key))
        return ERR_OK;
    TRY(k->fn(k->arg, STR("aws:TagKeys"), key));
    if (!str_is_set(value))
        return ERR_OK;
    struct str name = str_fmt(k->ask->arena, "aws:RequestTag/" STR_FMT, STR_ARG(key));
    return str_is_set(name) ? k->fn(k->arg, name, value) : ERR_NOMEM;
}

/* The text member of an element whose name in lower case is `lower` ("key" of Key, key), maybe with
 * "tag" before it (TagKey). */
static struct str part_of(const struct wire_shape *shape, const void *item, struct str lower)
{
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct wire_member *m = &shape->members[i];
        struct str name = m->name;
        if (name.len == lower.len + 3 && str_eq_nocase(str_sub(name, 0, 3), STR("tag")))
            name = str_sub(name, 3, lower.len);
        if (m->shape->kind == WIRE_STRING && str_eq_nocase(name, lower))
            return *(const struct str *)wire_at(m, item);
    }
    return STR_NONE;
}

static enum err give_tags(const struct keys *k, struct str path)
{
    const struct wire_shape *shape;
    const struct wire_list *list = find(k->ask->op, k->ask->in, path, &shape);
    if (!list || (shape->kind != WIRE_LIST && shape->kind != WIRE_MAP))
        return ERR_OK;
    for (size_t i = 0; i < list->n; i++) {
        const char *item = (const char *)list->v + i * shape->size;
        const struct wire_shape *element = shape->members[0].shape;
        if (shape->kind == WIRE_MAP)
            TRY(give_tag(k, *(const struct str *)item,
                         *(const struct str *)(item + shape->value_offset)));
        else if (element->kind == WIRE_STRING)
            TRY(give_tag(k, *(const struct str *)item, STR_NONE));
        else
            TRY(give_tag(k, part_of(element, item, STR("key")),
                         part_of(element, item, STR("value"))));
    }
    return ERR_OK;
}

enum err wire_keys_each(const struct wire_ask *ask,
                        enum err (*fn)(void *arg, struct str name, struct str value), void *arg)
{
    struct keys k = {ask, fn, arg};
    for (size_t i = 0; i < ask->op->n_keys; i++)
        TRY(give_key(&k, &ask->op->keys[i]));
    for (size_t i = 0; i < ask->op->n_tags; i++)
        TRY(give_tags(&k, ask->op->tags[i]));
    return ERR_OK;
}
