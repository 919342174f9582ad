/* Tags of a resource: its own over those of its stack, and CloudFormation's three that say whose it is.
 *
 * Layer: svc. Thread: pure. */
#include "svc/cloudformation/type_int.h"

static enum err set_tag(struct arena *a, struct json *by_key, struct str key, struct str value)
{
    return str_is_set(key) ? json_set(by_key, key, json_new_str(a, value)) : ERR_OK;
}

/* A list of {Key, Value}, or an object. */
static enum err add_all(struct arena *a, struct json *by_key, const struct json *tags)
{
    JSON_EACH (tags, it) {
        if (tags->kind == JSON_OBJECT)
            TRY(set_tag(a, by_key, it->key, it->text));
        else
            TRY(set_tag(a, by_key, json_get_str(it, STR("Key")), json_get_str(it, STR("Value"))));
    }
    return ERR_OK;
}

static enum err gather(struct type_run *run, const struct json *stack,
                       const struct json *properties, struct json **ret_by_key)
{
    const struct type_work *w = run->work;
    struct json *by_key = json_new(run->a, JSON_OBJECT);
    if (!by_key)
        return ERR_NOMEM;
    TRY(add_all(run->a, by_key, stack));
    if (str_is_set(run->row->tags))
        TRY(add_all(run->a, by_key, json_get(properties, run->row->tags)));
    TRY(set_tag(run->a, by_key, STR("aws:cloudformation:stack-name"), w->stack_name));
    TRY(set_tag(run->a, by_key, STR("aws:cloudformation:logical-id"), w->logical_id));
    TRY(set_tag(run->a, by_key, STR("aws:cloudformation:stack-id"), w->stack_id));
    *ret_by_key = by_key;
    return ERR_OK;
}

static enum err push_pair(struct arena *a, struct json *list, const struct json *tag)
{
    struct json *pair = json_new(a, JSON_OBJECT);
    if (!pair)
        return ERR_NOMEM;
    TRY(json_set(pair, STR("Key"), json_new_str(a, tag->key)));
    TRY(json_set(pair, STR("Value"), json_new_str(a, tag->text)));
    return json_push(list, pair);
}

enum err type_tags(struct type_run *run)
{
    const struct type_work *w = run->work;
    struct json *was = NULL, *is = NULL;
    run->tags = json_new(run->a, JSON_ARRAY);
    run->tags_set = json_new(run->a, JSON_ARRAY);
    run->tags_unset = json_new(run->a, JSON_ARRAY);
    if (!run->tags || !run->tags_set || !run->tags_unset)
        return ERR_NOMEM;
    TRY(gather(run, w->tags, run->after, &is));
    TRY(gather(run, w->tags_before, run->before, &was));
    JSON_EACH (is, it) {
        TRY(push_pair(run->a, run->tags, it));
        const struct json *old = json_get(was, it->key);
        if (!old || !str_eq(old->text, it->text))
            TRY(push_pair(run->a, run->tags_set, it));
    }
    JSON_EACH (was, it)
        if (!json_get(is, it->key))
            TRY(json_push(run->tags_unset, json_new_str(run->a, it->key)));
    return ERR_OK;
}

static struct str tag_of(const struct json *tags, struct str key)
{
    if (!tags || tags->kind == JSON_OBJECT)
        return json_get_str(tags, key);
    JSON_EACH (tags, it)
        if (str_eq(json_get_str(it, STR("Key")), key))
            return json_get_str(it, STR("Value"));
    return STR_NONE;
}

void type_tags_own(const struct type_run *run, struct json *tags)
{
    const struct json *given = json_get(run->before, run->row->tags);
    size_t index = 0;
    if (!tags || tags->kind != JSON_ARRAY)
        return;
    for (const struct json *it = tags->child, *next; it; it = next) {
        struct str key = json_get_str(it, STR("Key"));
        bool stack = !str_is_set(tag_of(given, key)) && str_is_set(tag_of(run->work->tags, key));
        next = it->next;
        if (stack || str_starts(key, STR("aws:")))
            json_drop(tags, index);
        else
            index++;
    }
}

bool type_tags_are_mine(const struct type_run *run, const struct json *tags)
{
    const struct type_work *w = run->work;
    return str_eq(tag_of(tags, STR("aws:cloudformation:stack-id")), w->stack_id) &&
           str_eq(tag_of(tags, STR("aws:cloudformation:logical-id")), w->logical_id);
}
