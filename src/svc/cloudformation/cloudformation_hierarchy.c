/* Change sets of stacks in stacks (IncludeNestedStacks): one for each nested stack that changes, made, carried out and
 * deleted with that of the root.
 *
 *   CreateChangeSet --> diff of the root --look--> text of the child's template --> diff of the child --look--> ...
 *                            |                                                            |
 *        the change names the child's set <-- the child's set and, if it is new, its stack in review
 *
 * A child that does not change has no change set. What becomes of them: cloudformation_children.c.
 *
 * Source: CloudFormation user guide, "Change sets for nested stacks".
 * Layer: svc/cloudformation. Thread: the transaction's. */
#include "base/rng.h"
#include "codec/json.h"
#include "svc/cloudformation/cloudformation_own.h"

/* One request's. Lifetime: the call. */
struct hierarchy {
    struct call *call;
    const struct cloudformation_create_change_set_input *in;
    const struct cfn_change_set *root;
    size_t n; /* nested stacks that were looked into */
};

/* A stack of it that is looked at. */
struct level {
    struct hierarchy *h;
    struct cfn_stack *s;
    struct cfn_change_set *cs;
    int depth;
};

static enum err compute(struct level *level, struct cfn_open *open,
                        const struct json **ret_outputs);

/* --- what a nested stack is told ---------------------------------------------------------------- */

#define NOT_KNOWN "{{changeSet:KNOWN_AFTER_APPLY}}"

/* What is still a function is not known yet. */
static bool is_known(const struct json *v)
{
    JSON_EACH (v, it)
        if (v->kind == JSON_OBJECT || it->kind == JSON_OBJECT)
            return false;
    return v->kind != JSON_OBJECT;
}

static enum err fill_given(struct arena *a, const struct json *parameters, struct cfn_wish *wish)
{
    struct tpl_given *v = ARENA_ARRAY(a, struct tpl_given, (parameters ? parameters->n : 0) + 1);
    size_t n = 0;
    if (!v)
        return ERR_NOMEM;
    JSON_EACH (parameters, p) {
        struct str value = STR(NOT_KNOWN);
        bool known = is_known(p);
        if (known)
            TRY(cfn_parameter_text(a, p, &value));
        v[n++] = (struct tpl_given){.key = p->key, .value = value, .is_unknown = !known};
    }
    wish->given = v;
    wish->n_given = n;
    return ERR_OK;
}

static enum err fill_tags(struct arena *a, const struct cfn_config *parent, const struct json *own,
                          struct cfn_wish *wish)
{
    size_t n = 0;
    struct cloudformation_tag *v =
        ARENA_ARRAY(a, struct cloudformation_tag, parent->n_tags + (own ? own->n : 0) + 1);
    if (!v)
        return ERR_NOMEM;
    JSON_EACH (own, t)
        v[n++] = (struct cloudformation_tag){.key = json_get_str(t, STR("Key")),
                                             .value = json_get_str(t, STR("Value"))};
    for (size_t i = 0, own_n = n; i < parent->n_tags; i++) {
        bool twice = false;
        for (size_t k = 0; k < own_n; k++)
            twice |= str_eq(v[k].key, parent->tags[i].key);
        if (!twice)
            v[n++] = (struct cloudformation_tag){.key = parent->tags[i].key,
                                                 .value = parent->tags[i].value};
    }
    wish->tags = (struct cloudformation_tags){v, n};
    return ERR_OK;
}

/* --- one nested stack --------------------------------------------------------------------------- */

/* The stack that is there, or a new one. */
static enum err child_stack(struct level *level, struct str id, const struct cfn_thing *now,
                            struct cfn_stack *ret)
{
    struct call *call = level->h->call;
    char token[TYPE_TOKEN_LEN + 1];
    if (now) {
        enum err err = cfn_stack_find(call->txn, call_scope(call), now->physical_id, ret);
        if (err == ERR_NOT_FOUND || (err == ERR_OK && ret->status == CFN_DELETE_COMPLETE))
            return CFN_INVALID(call, "Stack [" STR_FMT "] does not exist",
                               STR_ARG(now->physical_id));
        TRY(err);
        return cfn_can_update(ret) ? ERR_OK : cfn_state_refused(call, ret, "updated");
    }
    rng_text(token, TYPE_TOKEN_LEN,
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    struct str name = cfn_name_in(call->arena, level->s->name, id, str_n(token, TYPE_TOKEN_LEN));
    if (!str_is_set(name))
        return ERR_NOMEM;
    TRY(cfn_stack_new(call, name, level->s, level->depth, ret));
    ret->status = CFN_REVIEW_IN_PROGRESS;
    TRY(cfn_tell_stack(call->txn, ret));
    return cfn_sweep_later(cfn_of(call), call->txn, ret);
}

static enum err name_set(struct level *parent, struct str id, struct level *child)
{
    struct arena *a = parent->h->call->arena;
    struct cfn_change_set *cs = child->cs;
    char token[TYPE_TOKEN_LEN + 1], uuid[RNG_UUID_LEN + 1];
    rng_text(token, TYPE_TOKEN_LEN,
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    cs->name = cfn_name_in(a, parent->h->in->change_set_name, id, str_n(token, TYPE_TOKEN_LEN));
    cs->id = call_arn(parent->h->call, "cloudformation", "changeSet/" STR_FMT "/" STR_FMT,
                      STR_ARG(cs->name), STR_ARG(rng_uuid(uuid)));
    cs->stack_id = child->s->id;
    cs->created_ms = parent->h->call->txn->wall_ms;
    cs->parent_id = parent->cs->id;
    cs->root_id = parent->h->root->id;
    cs->nested = true;
    return str_is_set(cs->name) && str_is_set(cs->id) ? ERR_OK : ERR_NOMEM;
}

static enum err keep_set(struct level *parent, struct str id, const struct level *child)
{
    struct cfn_change_set *cs = parent->cs;
    if (!cs->children)
        cs->children =
            ARENA_ARRAY(parent->h->call->arena, struct cfn_nested_set, CFN_HIERARCHY_MAX);
    if (!cs->children)
        return ERR_NOMEM;
    cs->children[cs->n_children++] = (struct cfn_nested_set){id, child->s->uuid, child->cs->name};
    return ERR_OK;
}

static enum err prepare(struct level *child, struct str text, const struct cfn_config *parent,
                        const struct json *properties, struct cfn_open *open)
{
    struct call *call = child->h->call;
    struct cfn_wish wish = {
        .body = text,
        .of_change_set = true,
        .is_nested = true,
        .capabilities = child->h->in->capabilities,
        .resource_types = child->h->in->resource_types,
        .role_arn = child->h->in->role_arn,
    };
    TRY(fill_given(call->arena, json_get(properties, STR("Parameters")), &wish));
    TRY(fill_tags(call->arena, parent, json_get(properties, STR("Tags")), &wish));
    TRY(call_authorize(call, "cloudformation:CreateChangeSet", child->s->id));
    return cfn_prepare(call, child->s, &wish, &child->cs->config, open);
}

static enum err look_into(struct level *parent, struct str id, const struct cfn_thing *now,
                          const struct json *properties, struct str text, struct cfn_inside *ret)
{
    struct call *call = parent->h->call;
    struct cfn_stack *s = ARENA_NEW(call->arena, struct cfn_stack);
    struct cfn_change_set *cs = ARENA_NEW(call->arena, struct cfn_change_set);
    struct cfn_open *open = ARENA_NEW(call->arena, struct cfn_open);
    struct level child = {parent->h, s, cs, parent->depth + 1};
    if (!s || !cs || !open)
        return ERR_NOMEM;
    if (parent->h->n++ == CFN_HIERARCHY_MAX)
        return CFN_INVALID(call, "A change set may look into %d nested stacks.", CFN_HIERARCHY_MAX);
    TRY(child_stack(parent, id, now, s));
    cs->creates = !now;
    TRY(name_set(parent, id, &child));
    TRY(prepare(&child, text, &parent->cs->config, properties, open));
    TRY(compute(&child, open, &ret->outputs));
    ret->looked = true;
    ret->changes = !now || str_eq(cs->execution_status, STR("AVAILABLE"));
    if (!ret->changes)
        return cfn_template_drop(call->txn, s, cs->config.template_no);
    ret->change_set_id = cs->id;
    return keep_set(parent, id, &child);
}

/* Whose nested stack it is that a request fails by. */
static enum err named(struct call *call, struct str id, enum err err)
{
    if (err != ERR_FAILED || !str_eq(call_error_code(call), STR("ValidationError")))
        return err;
    struct str message = str_dup(call->arena, call_error_message(call));
    call_error_clear(call);
    return CFN_INVALID(call, "Nested stack " STR_FMT ": " STR_FMT, STR_ARG(id), STR_ARG(message));
}

static enum err look(void *arg, struct str id, const struct cfn_thing *now,
                     const struct json *properties, struct cfn_inside *ret)
{
    struct level *level = arg;
    struct call *call = level->h->call;
    const struct json *url = json_get(properties, STR("TemplateURL"));
    struct str text;
    *ret = (struct cfn_inside){0};
    if (!url || url->kind != JSON_STRING)
        return ERR_OK; /* it hangs on what is not there yet */
    enum err err = cfn_fetch(call, url->text, TPL_BYTES_MAX, &text);
    if (err == ERR_OK)
        err = look_into(level, id, now, properties, text, ret);
    return named(call, id, err);
}

/* --- a level ------------------------------------------------------------------------------------ */

static enum err nothing_known(void *arg, struct arena *a, struct str id, struct str attribute,
                              const struct json **ret_v)
{
    (void)arg;
    (void)a;
    (void)id;
    (void)attribute;
    (void)ret_v;
    return ERR_SUSPENDED;
}

/* The templates of all are asked for at once, where their addresses say all. */
static enum err fetch_all(struct level *level, struct cfn_open *open)
{
    struct call *call = level->h->call;
    struct tpl_fault fault = {{0}};
    struct str text;
    size_t n, asked = 0;
    bool whole, waits = false;
    const struct tpl_resource *r = tpl_resources(open->tpl, &n);
    for (size_t i = 0; i < n && asked < CFN_HIERARCHY_MAX; i++) {
        const struct json *url = json_get(r[i].properties, STR("TemplateURL"));
        if (!cfn_is_stack(r[i].type) || !url)
            continue;
        asked++;
        enum err err =
            tpl_resolve(open->tpl, call->arena, url, nothing_known, NULL, &url, &whole, &fault);
        if (err == ERR_INVALID || (err == ERR_OK && (!url || url->kind != JSON_STRING)))
            continue; /* cfn_diff says so */
        TRY(err);
        err = named(call, r[i].id, cfn_fetch(call, url->text, TPL_BYTES_MAX, &text));
        if (err != ERR_OK && err != ERR_SUSPENDED)
            return err;
        waits |= err == ERR_SUSPENDED;
    }
    return waits ? ERR_SUSPENDED : ERR_OK;
}

static void judge(struct cfn_change_set *cs, bool empty)
{
    cs->status = empty ? STR("FAILED") : STR("CREATE_COMPLETE");
    cs->execution_status = empty ? STR("UNAVAILABLE") : STR("AVAILABLE");
    if (empty)
        cs->status_reason =
            STR("The submitted information didn't contain changes. Submit different "
                "information to create a change set.");
}

/* Writes the stack, which counts its templates, and the set; those of a nested one only if there is something to do. */
static enum err compute(struct level *level, struct cfn_open *open, const struct json **ret_outputs)
{
    struct call *call = level->h->call;
    struct cfn_change_set *cs = level->cs;
    struct cfn_stack *s = level->s;
    const struct cfn_look_inside inside = {look, level};
    struct cfn_differences d;
    struct tpl_fault fault = {{0}};
    bool same;
    if (cs->nested)
        TRY(fetch_all(level, open));
    enum err err = cfn_diff(call->txn, call->arena, s, open, &cs->config,
                            cs->nested ? &inside : NULL, &d, &fault);
    if (err == ERR_INVALID)
        return CFN_INVALID(call, STR_FMT, STR_ARG(fault.message));
    TRY(err);
    TRY(cfn_config_same(call, s, open, &cs->config, &same));
    cs->changes = d.changes;
    cs->made_no = s->op_no + 1;
    *ret_outputs = d.outputs;
    judge(cs, d.n == 0 && (same || cs->creates));
    if (str_is_set(cs->root_id) && !cs->creates && str_eq(cs->status, STR("FAILED")))
        return ERR_OK;
    TRY(cfn_stack_write(call->txn, s));
    return cfn_change_set_write(call->txn, s, cs);
}

enum err cfn_change_set_compute(struct call *call,
                                const struct cloudformation_create_change_set_input *in,
                                struct cfn_stack *s, struct cfn_open *open,
                                struct cfn_change_set *cs)
{
    struct hierarchy h = {.call = call, .in = in, .root = cs};
    struct level level = {.h = &h, .s = s, .cs = cs};
    const struct json *outputs;
    TRY(cfn_stack_depth(call, s, &level.depth));
    return compute(&level, open, &outputs);
}
