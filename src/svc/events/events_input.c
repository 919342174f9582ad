/* What a target is sent of an event: the event, a part of it, a constant, or a template filled in.
 *
 * A template holds <names>. One outside of quotes stands for the value as JSON; one inside of a JSON
 * text stands for the value's characters, escaped so that the text stays one, where a value that is
 * no text loses its quotes. A name that leads nowhere is an empty text.
 *
 *   {"id": <id>, "line": "<id> is <state>"}     "<id> is <state>"     "first line"
 *                                                                     "second line"
 *
 * Source: EventBridge User Guide, "Amazon EventBridge input transformation".
 * Layer: svc/events. Thread: pure. */
#include "base/clock.h"
#include "lang/jsonpath.h"
#include "svc/events/events_int.h"

enum { PAYLOAD_MAX = 1024 * 1024 };

/* --- values ------------------------------------------------------------------------------------- */

struct filling {
    const struct events_input_for *f;
    struct arena *arena;
    struct str text;          /* of the event */
    const struct json *event; /* NULL: the template is only checked */
    struct buf *out;
};

/* A value that was found, or a text that stands for one. */
struct value {
    const struct json *json; /* NULL: `text`, or JSON as it is in `raw` */
    struct str text, raw;
};

static enum err value_at(struct arena *a, struct str path, const struct json *event,
                         const struct json **ret)
{
    const struct jsonpath *p;
    *ret = NULL;
    enum err err = jsonpath_compile(a, path, &p, NULL);
    if (err == ERR_OK)
        err = jsonpath_eval(p, event, a, ret);
    return err == ERR_NOMEM ? err : ERR_OK; /* one that leads nowhere */
}

static enum err without_detail(struct filling *f, struct str *ret)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, f->arena, EVENTS_EVENT_BYTES_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    JSON_EACH (f->event, it)
        if (!str_eq_c(it->key, "detail")) {
            json_key(&o, it->key);
            json_tree(&o, it);
        }
    json_close(&o, '}');
    *ret = buf_str(&b);
    return buf_err(&b);
}

static enum err predefined(struct filling *f, struct str name, struct value *ret, bool *ret_known)
{
    char when[CLOCK_TEXT_MAX];
    *ret_known = true;
    if (str_eq_c(name, "aws.events.rule-arn"))
        ret->text = f->f->rule_arn;
    else if (str_eq_c(name, "aws.events.rule-name"))
        ret->text = f->f->rule_name;
    else if (str_eq_c(name, "aws.events.event.ingestion-time"))
        ret->text = str_dup(f->arena, clock_iso8601(when, f->f->now_ms));
    else if (str_eq_c(name, "aws.events.event.json"))
        ret->raw = f->text;
    else if (str_eq_c(name, "aws.events.event"))
        TRY(without_detail(f, &ret->raw));
    else
        *ret_known = false;
    return ERR_OK;
}

static enum err look_up(struct filling *f, struct str name, struct value *ret)
{
    bool known;
    *ret = (struct value){.text = STR("")};
    if (!f->event)
        return ERR_OK;
    TRY(predefined(f, name, ret, &known));
    for (size_t i = 0; i < f->f->target->n_paths && !known; i++)
        if (str_eq(f->f->target->paths[i].key, name))
            return value_at(f->arena, f->f->target->paths[i].path, f->event, &ret->json);
    return ERR_OK;
}

/* --- filling in --------------------------------------------------------------------------------- */

static void put_bare(struct buf *out, const struct value *v)
{
    if (v->json)
        json_put(out, v->json);
    else if (str_is_set(v->raw))
        buf_add_str(out, v->raw);
    else
        json_put_str(out, v->text);
}

/* The characters of a JSON text without its quotes. */
static void put_escaped(struct buf *out, struct str text, struct arena *a)
{
    struct buf b;
    buf_init_arena(&b, a, PAYLOAD_MAX);
    json_put_str(&b, text);
    struct str quoted = buf_str(&b);
    if (quoted.len >= 2)
        buf_add(out, quoted.p + 1, quoted.len - 2);
}

static void put_within(struct filling *f, const struct value *v)
{
    struct buf b;
    if (v->json && v->json->kind == JSON_STRING) {
        put_escaped(f->out, v->json->text, f->arena);
        return;
    }
    if (!v->json && !str_is_set(v->raw)) {
        put_escaped(f->out, v->text, f->arena);
        return;
    }
    buf_init_arena(&b, f->arena, PAYLOAD_MAX);
    put_bare(&b, v);
    struct str json = buf_str(&b);
    for (size_t i = 0; i < json.len; i++)
        if (json.p[i] != '"' && json.p[i] != '\\')
            buf_add_byte(f->out, json.p[i]);
}

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

/* Length of "<name>" at `at`; 0: it is none. */
static size_t hole_at(struct str t, size_t at)
{
    size_t end = at + 1;
    if (t.p[at] != '<')
        return 0;
    while (end < t.len && name_char(t.p[end]))
        end++;
    return end > at + 1 && end < t.len && t.p[end] == '>' ? end + 1 - at : 0;
}

static enum err fill(struct filling *f, struct str t)
{
    bool quoted = false;
    for (size_t i = 0; i < t.len;) {
        size_t hole = hole_at(t, i);
        if (hole > 0) {
            struct value v;
            TRY(look_up(f, str_sub(t, i + 1, hole - 2), &v));
            if (quoted)
                put_within(f, &v);
            else
                put_bare(f->out, &v);
            i += hole;
            continue;
        }
        bool escape = quoted && t.p[i] == '\\' && i + 1 < t.len;
        if (t.p[i] == '"')
            quoted = !quoted;
        buf_add(f->out, t.p + i, escape ? 2 : 1);
        i += escape ? 2 : 1;
    }
    return buf_err(f->out);
}

/* --- public ------------------------------------------------------------------------------------- */

/* Each line is JSON by itself. */
static enum err lines_check(struct arena *a, struct str text)
{
    while (text.len > 0) {
        struct json *v;
        struct str line = str_trim(str_cut(&text, '\n'));
        if (line.len > 0)
            TRY(json_parse(a, line, &v, NULL));
    }
    return ERR_OK;
}

enum err events_template_check(struct arena *a, struct str template, const char **ret_why)
{
    struct buf out;
    struct json *v;
    struct filling f = {.arena = a, .out = &out};
    buf_init_arena(&out, a, PAYLOAD_MAX);
    TRY(fill(&f, template));
    enum err err = json_parse(a, buf_str(&out), &v, NULL);
    if (err == ERR_INVALID)
        err = lines_check(a, buf_str(&out));
    if (err == ERR_INVALID || err == ERR_LIMIT) {
        *ret_why = "it is neither JSON nor lines of JSON texts";
        return ERR_INVALID;
    }
    return err;
}

enum err events_input_make(struct arena *a, const struct events_input_for *f, struct str text,
                           const struct json *event, struct str *ret_payload)
{
    const struct events_target_rec *t = f->target;
    struct buf out;
    *ret_payload = text;
    if (str_is_set(t->input))
        *ret_payload = t->input;
    if (!str_is_set(t->template) && !str_is_set(t->input_path))
        return ERR_OK;
    buf_init_arena(&out, a, PAYLOAD_MAX);
    if (str_is_set(t->template)) {
        struct filling filling = {f, a, text, event, &out};
        TRY(fill(&filling, t->template));
    } else {
        const struct json *v;
        TRY(value_at(a, t->input_path, event, &v));
        if (v)
            json_put(&out, v);
        else
            BUF_ADD_LIT(&out, "null");
    }
    *ret_payload = buf_str(&out);
    return buf_err(&out);
}
