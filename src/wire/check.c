/* The spec's constraints over a decoded input: required members, lengths, ranges, patterns, enums.
 *
 * All violations are gathered (up to WIRE_FAULTS_MAX) and told in the service's wording:
 *   counted  "2 validation errors detected: Value '' at 'tableName' failed to satisfy constraint:
 *             Member must have length greater than or equal to 1; Value null at ..."
 *            Of an operation with `bare_bounds`, numbers and lengths are told without the value and by the
 *            model's names: "Value at 'Limit' failed to ..."; a `told_alone` member's absence is told by itself,
 *            "The parameter 'TableName' is required but was not present in the request". So is a text that is
 *            longer than its shape's limit where the shape has a `too_long` sentence for the member.
 *   sqs      "The request must contain the parameter QueueUrl." (the first violation alone)
 *   s3       InvalidArgument for what was in the head, MalformedXML for what was in the body
 *
 * Layer: wire. Thread: pure. */
#include <assert.h>
#include <stdio.h>

#include "wire/wire_int.h"

enum {
    SHOWN_MAX = 1024,           /* bytes of an offending text in a message, */
    SHOWN_WHOLE_MAX = 8 * 1024, /* and of a list, map or structure */
    MESSAGE_MAX = 64 * 1024,
};

/* Where a value is: members up to the input. */
struct place {
    const struct place *up;
    struct str name; /* of a member, or a map's key */
    size_t index;    /* of a list element, from 1; 0 otherwise */
    bool key;        /* the name is a map's key */
};

struct check {
    struct wire_dec *d;
    struct buf text;
    size_t n;
    bool missing;    /* the first violation is an absent member */
    bool in_head;    /* the member being checked comes from the head */
    bool first_head; /* the first violation's did */
    bool bare;       /* bounds are told without values */
    bool alone;      /* one absent member is all that is told */
};

enum names {
    NAMES_CAMEL, /* Java's: keySchema.1.member.keyType */
    NAMES_MODEL, /* KeySchema.1.member.KeyType */
    NAMES_QUERY, /* SendMessageBatchRequestEntry.1.Id */
};

/* With a small letter first, as Java calls members. */
static void put_camel(struct buf *b, struct str name)
{
    if (name.len == 0)
        return;
    char c = name.p[0];
    buf_add_byte(b, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
    buf_add_str(b, str_sub(name, 1, SIZE_MAX));
}

static void put_place(struct buf *b, const struct place *at, enum names names)
{
    if (at->up) {
        put_place(b, at->up, names);
        buf_add_byte(b, '.');
    }
    if (at->index > 0)
        buf_add_u64(b, at->index);
    else if (names == NAMES_CAMEL && !at->key)
        put_camel(b, at->name);
    else
        buf_add_str(b, at->name);
    if ((at->index > 0 || at->key) && names != NAMES_QUERY)
        BUF_ADD_LIT(b, ".member");
}

static void put_value(struct buf *b, const struct wire_shape *shape, const void *v);

/* Name(member=value, other=null), as Java prints it. */
static void put_struct(struct buf *b, const struct wire_shape *shape, const void *base)
{
    buf_add_str(b, shape->name);
    buf_add_byte(b, '(');
    for (size_t i = 0; i < shape->n_members && !buf_err(b); i++) {
        const struct wire_member *m = &shape->members[i];
        if (i > 0)
            BUF_ADD_LIT(b, ", ");
        put_camel(b, m->name);
        buf_add_byte(b, '=');
        const void *v = wire_is_set(m, base) ? wire_at(m, base) : NULL;
        if (!v)
            BUF_ADD_LIT(b, "null");
        else
            put_value(b, m->shape, m->shape->kind == WIRE_STRUCT ? *(const void *const *)v : v);
    }
    buf_add_byte(b, ')');
}

/* What is too long for `b` is cut: nobody asks for its error. */
static void put_value(struct buf *b, const struct wire_shape *shape, const void *v)
{
    const struct wire_list *list = v;
    if (shape->flags & WIRE_SENSITIVE) {
        BUF_ADD_LIT(b, "***");
        return;
    }
    switch ((enum wire_kind)shape->kind) {
    case WIRE_STRING:
        buf_add_str(b, str_sub(*(const struct str *)v, 0, SHOWN_MAX));
        break;
    case WIRE_INT:
        buf_add_i64(b, *(const int64_t *)v);
        break;
    case WIRE_DOUBLE:
        buf_add_fmt(b, "%g", *(const double *)v);
        break;
    case WIRE_BOOL:
        buf_add_c(b, *(const bool *)v ? "true" : "false");
        break;
    case WIRE_STRUCT:
        put_struct(b, shape, v);
        break;
    case WIRE_LIST:
        buf_add_byte(b, '[');
        for (size_t i = 0; i < list->n && !buf_err(b); i++) {
            if (i > 0)
                BUF_ADD_LIT(b, ", ");
            put_value(b, shape->members[0].shape, (const char *)list->v + i * shape->size);
        }
        buf_add_byte(b, ']');
        break;
    case WIRE_MAP:
        buf_add_byte(b, '{');
        for (size_t i = 0; i < list->n && !buf_err(b); i++) {
            const char *entry = (const char *)list->v + i * shape->size;
            if (i > 0)
                BUF_ADD_LIT(b, ", ");
            buf_add_str(b, str_sub(*(const struct str *)entry, 0, SHOWN_MAX));
            buf_add_byte(b, '=');
            put_value(b, shape->members[1].shape, entry + shape->value_offset);
        }
        buf_add_byte(b, '}');
        break;
    case WIRE_JSON_IN:
    case WIRE_JSON_BOTH: /* the request's value comes first there */
        json_put(b, *(const struct json *const *)v);
        break;
    case WIRE_BLOB:
    case WIRE_TIME:
    case WIRE_JSON_OUT:
        break;
    }
}

/* The value as AWS shows it. */
static void show(struct check *c, const struct wire_shape *shape, const void *v)
{
    struct buf whole;
    buf_init_arena(&whole, c->d->arena, SHOWN_WHOLE_MAX);
    put_value(&whole, shape, v);
    buf_add(&c->text, whole.p, whole.len);
}

/* --- sentences -------------------------------------------------------------------------------- */

static void put_enum(struct buf *b, const struct wire_shape *s)
{
    BUF_ADD_LIT(b, "Member must satisfy enum value set: [");
    for (size_t i = 0; i < s->n_enums; i++) {
        if (i > 0)
            BUF_ADD_LIT(b, ", ");
        buf_add_str(b, s->enums[i]);
    }
    buf_add_byte(b, ']');
}

static void put_bound(struct buf *b, const struct wire_shape *s, bool upper)
{
    buf_add_fmt(b, "Member must have %s %s than or equal to %lld",
                s->kind == WIRE_INT || s->kind == WIRE_DOUBLE ? "value" : "length",
                upper ? "less" : "greater", (long long)(upper ? s->max : s->min));
}

static void put_pattern(struct buf *b, const struct wire_shape *s)
{
    BUF_ADD_LIT(b, "Member must satisfy regular expression pattern: ");
    buf_add_c(b, s->pattern->text);
}

/* Every constraint of a shape: how a violation inside a list or map is told. */
static void put_all(struct buf *b, const struct wire_shape *s)
{
    bool more = false;
    for (int which = 0; which < 4; which++) {
        bool there = which == 0   ? (s->flags & WIRE_HAS_MAX) != 0
                     : which == 1 ? (s->flags & WIRE_HAS_MIN) != 0
                     : which == 2 ? s->pattern != NULL
                                  : s->n_enums > 0;
        if (!there)
            continue;
        if (more)
            BUF_ADD_LIT(b, ", ");
        more = true;
        if (which < 2)
            put_bound(b, s, which == 0);
        else if (which == 2)
            put_pattern(b, s);
        else
            put_enum(b, s);
    }
}

/* Begins a violation's sentence; false when enough were told. */
static bool begin(struct check *c, const struct place *at, const struct wire_shape *shape,
                  const void *v)
{
    if (c->n == 0)
        c->first_head = c->in_head;
    if (c->n >= WIRE_FAULTS_MAX || (c->n > 0 && c->d->service->wording != WIRE_WORDING_COUNTED))
        return false;
    if (c->n++ > 0)
        BUF_ADD_LIT(&c->text, "; ");
    if (c->d->service->wording == WIRE_WORDING_SQS) {
        BUF_ADD_LIT(&c->text, "Value ");
        if (v)
            show(c, shape, v);
        BUF_ADD_LIT(&c->text, " for parameter ");
        put_place(&c->text, at, NAMES_QUERY);
        BUF_ADD_LIT(&c->text, " is invalid. Reason: ");
        return true;
    }
    BUF_ADD_LIT(&c->text, "Value ");
    if (!v) {
        BUF_ADD_LIT(&c->text, "null ");
    } else if (!(shape->flags & WIRE_SENSITIVE)) {
        buf_add_byte(&c->text, '\'');
        show(c, shape, v);
        BUF_ADD_LIT(&c->text, "' ");
    }
    BUF_ADD_LIT(&c->text, "at '");
    put_place(&c->text, at, NAMES_CAMEL);
    BUF_ADD_LIT(&c->text, "' failed to satisfy constraint: ");
    return true;
}

/* A broken bound of a value. */
static void tell_bound(struct check *c, const struct place *at, const struct wire_shape *s,
                       const void *v, bool upper)
{
    if (!c->bare || s->kind == WIRE_STRING || s->kind == WIRE_BLOB) {
        if (begin(c, at, s, v))
            put_bound(&c->text, s, upper);
        return;
    }
    if (c->n >= WIRE_FAULTS_MAX)
        return;
    if (c->n++ > 0)
        BUF_ADD_LIT(&c->text, "; ");
    BUF_ADD_LIT(&c->text, "Value at '");
    put_place(&c->text, at, NAMES_MODEL);
    BUF_ADD_LIT(&c->text, "' failed to satisfy constraint: ");
    put_bound(&c->text, s, upper);
}

static void missing(struct check *c, const struct place *at)
{
    if (c->n == 0) {
        c->missing = true;
        c->first_head = c->in_head;
    }
    if (c->d->service->wording == WIRE_WORDING_SQS) {
        if (c->n++ > 0)
            return;
        BUF_ADD_LIT(&c->text, "The request must contain the parameter ");
        put_place(&c->text, at, NAMES_QUERY);
        buf_add_byte(&c->text, '.');
    } else if (begin(c, at, NULL, NULL)) {
        BUF_ADD_LIT(&c->text, "Member must not be null");
    }
}

/* --- one value -------------------------------------------------------------------------------- */

static size_t length_of(const struct wire_shape *s, const void *v)
{
    assert(s->kind == WIRE_STRING || s->kind == WIRE_BLOB || s->kind == WIRE_LIST ||
           s->kind == WIRE_MAP);
    if (s->kind == WIRE_STRING)
        return str_utf8_count(*(const struct str *)v);
    if (s->kind == WIRE_BLOB)
        return ((const struct str *)v)->len;
    return ((const struct wire_list *)v)->n;
}

static bool out_of_bound(const struct wire_shape *s, const void *v, bool upper)
{
    if (!(s->flags & (upper ? WIRE_HAS_MAX : WIRE_HAS_MIN)))
        return false;
    if (s->kind == WIRE_DOUBLE) {
        double x = *(const double *)v;
        return upper ? x > (double)s->max : x < (double)s->min;
    }
    int64_t x = s->kind == WIRE_INT ? *(const int64_t *)v : (int64_t)length_of(s, v);
    return upper ? x > s->max : x < s->min;
}

static bool in_enum(const struct wire_shape *s, struct str v)
{
    for (size_t i = 0; i < s->n_enums; i++) {
        if (str_eq(s->enums[i], v))
            return true;
    }
    return s->n_enums == 0;
}

static enum err pattern_holds(const struct wire_shape *s, struct str v, bool *ret_holds)
{
    *ret_holds = true;
    return s->pattern ? wire_pattern_match(s->pattern, v, ret_holds) : ERR_OK;
}

/* The shape whose constraints hold for a text: a name's own where it is no ARN, and not empty. */
static const struct wire_shape *held_to(const struct wire_shape *s, const void *v)
{
    assert(!s->name_shape || s->kind == WIRE_STRING);
    if (!s->name_shape)
        return s;
    struct str text = *(const struct str *)v;
    return str_empty(text) || str_starts(text, STR("arn:")) ? s : s->name_shape;
}

/* Whether a value meets its own shape's constraints, without telling. */
static enum err meets(const struct wire_shape *s, const void *v, bool *ret_ok)
{
    s = held_to(s, v);
    bool ok = !out_of_bound(s, v, false) && !out_of_bound(s, v, true);
    if (ok && s->kind == WIRE_STRING) {
        ok = in_enum(s, *(const struct str *)v);
        if (ok)
            TRY(pattern_holds(s, *(const struct str *)v, &ok));
    }
    *ret_ok = ok;
    return ERR_OK;
}

static enum err check_struct(struct check *c, const struct wire_shape *shape, const void *base,
                             const struct place *up);

static bool is_scalar(const struct wire_shape *s)
{
    return s->kind <= WIRE_TIME;
}

static enum err check_value(struct check *c, const struct wire_shape *s, const void *v,
                            const struct place *at);

static enum err check_list(struct check *c, const struct wire_shape *s, const void *v,
                           const struct place *at)
{
    const struct wire_list *list = v;
    const struct wire_shape *element = s->members[0].shape;
    if (!(element->flags & WIRE_CHECKED))
        return ERR_OK;
    for (size_t i = 0; i < list->n; i++) {
        const char *item = (const char *)list->v + i * s->size;
        struct place here = {.up = at, .index = i + 1};
        if (!is_scalar(element)) {
            TRY(check_value(c, element, item, &here));
            continue;
        }
        bool ok;
        TRY(meets(element, item, &ok));
        if (ok)
            continue;
        if (begin(c, at, s, v)) {
            BUF_ADD_LIT(&c->text, "Member must satisfy constraint: [");
            put_all(&c->text, held_to(element, item));
            buf_add_byte(&c->text, ']');
        }
        break;
    }
    return ERR_OK;
}

/* Tells a map's broken keys or values once for all of them. */
static enum err check_entries(struct check *c, const struct wire_shape *s, const void *v,
                              const struct place *at, bool keys)
{
    const struct wire_list *map = v;
    const struct wire_shape *part = s->members[keys ? 0 : 1].shape;
    if (!(part->flags & WIRE_CHECKED))
        return ERR_OK;
    for (size_t i = 0; i < map->n; i++) {
        const char *entry = (const char *)map->v + i * s->size;
        const char *item = keys ? entry : entry + s->value_offset;
        struct place here = {.up = at, .name = *(const struct str *)entry, .key = true};
        bool ok = true;
        if (part->kind == WIRE_STRUCT) {
            TRY(check_struct(c, part, item, &here));
            continue;
        }
        TRY(meets(part, item, &ok));
        if (ok && part->kind == WIRE_LIST) {
            TRY(check_list(c, part, item, &here));
        } else if (!ok) {
            if (begin(c, at, s, v)) {
                buf_add_fmt(&c->text, "Map %s must satisfy constraint: [", keys ? "keys" : "value");
                put_all(&c->text, held_to(part, item));
                buf_add_byte(&c->text, ']');
            }
            break;
        }
    }
    return ERR_OK;
}

static enum err check_value(struct check *c, const struct wire_shape *s, const void *v,
                            const struct place *at)
{
    if (s->kind == WIRE_STRUCT)
        return check_struct(c, s, v, at);
    s = held_to(s, v);
    for (int upper = 0; upper < 2; upper++) {
        if (out_of_bound(s, v, upper))
            tell_bound(c, at, s, v, upper);
    }
    if (s->kind == WIRE_STRING) {
        struct str text = *(const struct str *)v;
        bool holds;
        if (!in_enum(s, text) && begin(c, at, s, v))
            put_enum(&c->text, s);
        TRY(pattern_holds(s, text, &holds));
        if (!holds && begin(c, at, s, v))
            put_pattern(&c->text, s);
    } else if (s->kind == WIRE_LIST) {
        TRY(check_list(c, s, v, at));
    } else if (s->kind == WIRE_MAP) {
        TRY(check_entries(c, s, v, at, true));
        TRY(check_entries(c, s, v, at, false));
    }
    return ERR_OK;
}

/* SQS names the elements of its lists as the query protocol does, and a list by its name. */
static struct str told_name(const struct check *c, const struct wire_member *m)
{
    return c->d->service->wording == WIRE_WORDING_SQS && m->shape->kind == WIRE_LIST ? m->query
                                                                                     : m->name;
}

static enum err check_struct(struct check *c, const struct wire_shape *shape, const void *base,
                             const struct place *up)
{
    assert(shape->kind == WIRE_STRUCT && base);
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct wire_member *m = &shape->members[i];
        struct place at = {.up = up, .name = m->name};
        if (!up)
            c->in_head = m->location != WIRE_IN_BODY && m->location != WIRE_IN_PAYLOAD;
        if (!wire_is_set(m, base)) {
            if (m->flags & WIRE_REQUIRED)
                missing(c, &at);
            continue;
        }
        if (!(m->shape->flags & WIRE_CHECKED))
            continue;
        const void *v = wire_at(m, base);
        at.name = told_name(c, m);
        if (m->shape->kind == WIRE_STRUCT)
            v = *(const void *const *)v;
        TRY(check_value(c, m->shape, v, &at));
    }
    return ERR_OK;
}

/* --- the fault -------------------------------------------------------------------------------- */

static enum err tell(struct check *c)
{
    const struct wire_service *s = c->d->service;
    assert(c->n > 0);
    struct wire_fault *f = c->d->fault;
    struct str text = buf_str(&c->text);
    f->error = s->common[c->missing ? WIRE_E_MISSING_PARAMETER : WIRE_E_VALIDATION];
    switch ((enum wire_wording)s->wording) {
    case WIRE_WORDING_COUNTED:
        f->message = c->alone ? text
                              : str_fmt(c->d->arena, "%zu validation error%s detected: " STR_FMT,
                                        c->n, c->n == 1 ? "" : "s", STR_ARG(text));
        break;
    case WIRE_WORDING_SQS:
        f->message = text;
        break;
    case WIRE_WORDING_S3:
        if (c->first_head) {
            f->message = text;
        } else {
            f->error = s->common[WIRE_E_SERIALIZATION];
            f->message = STR("The XML you provided was not well-formed or did not validate against "
                             "our published schema");
        }
        break;
    }
    return ERR_FAILED;
}

static bool is_complete(const struct wire_shape *shape, const void *in)
{
    for (size_t i = 0; i < shape->n_members; i++)
        if ((shape->members[i].flags & WIRE_REQUIRED) && !wire_is_set(&shape->members[i], in))
            return false;
    return true;
}

/* A table without a name: AWS tells of nothing else, unless something required is absent. */
static bool is_nameless(const struct wire_member *m, const void *in)
{
    return m->shape->name_shape && wire_is_set(m, in) &&
           str_empty(*(const struct str *)wire_at(m, in));
}

/* Whether an absent member, an empty or a long name, is told by itself. */
static bool check_alone(struct check *c, const struct wire_shape *shape, const void *in)
{
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct wire_member *m = &shape->members[i];
        if (m->too_long && wire_is_set(m, in) && out_of_bound(m->shape, wire_at(m, in), true)) {
            buf_add_c(&c->text, m->too_long);
            c->alone = true;
            c->n = 1;
            return true;
        }
        if (is_nameless(m, in) && is_complete(shape, in) &&
            out_of_bound(m->shape, wire_at(m, in), false)) {
            const struct place at = {.name = m->name};
            tell_bound(c, &at, m->shape, wire_at(m, in), false);
            return true;
        }
        if (!(m->flags & WIRE_ALONE) || wire_is_set(m, in))
            continue;
        BUF_ADD_LIT(&c->text, "The parameter '");
        buf_add_str(&c->text, m->name);
        BUF_ADD_LIT(&c->text, "' is required but was not present in the request");
        c->alone = c->missing = true;
        c->n = 1;
        return true;
    }
    return false;
}

enum err wire_check(struct wire_dec *d, const struct wire_shape *shape, const void *in)
{
    struct check c = {.d = d, .bare = shape->flags & WIRE_BARE_BOUNDS};
    buf_init_arena(&c.text, d->arena, MESSAGE_MAX);
    if (!check_alone(&c, shape, in))
        TRY(check_struct(&c, shape, in, NULL));
    if (c.n == 0)
        return ERR_OK;
    if (buf_err(&c.text) == ERR_NOMEM)
        return ERR_NOMEM;
    return tell(&c);
}
