/* What a template would change, resource by resource, in the order of what hangs on what: what a resource says of
 * itself is not known yet where it would be made anew.
 *
 * As JSON, for the change set's record:
 *   [{"action": "Add|Modify|Remove", "id", "physical", "type", "replacement": "True|False|Conditional",
 *     "scope": [..], "details": [{"attribute", "name", "recreation", "evaluation", "source", "causing",
 *     "before", "after"}], "before": context, "after": context, "change_set": of the nested stack}]
 *
 * Of a nested stack it is not known what its own template would change, unless it is looked into (cfn_look_inside):
 * then what hangs on it hears of its outputs as they will be.
 *
 * Layer: svc/cloudformation. Thread: the transaction's. */
#include "codec/json_edit.h"
#include "svc/cloudformation/cloudformation_own.h"

enum { CHANGES_BYTES_MAX = 8 * 1024 * 1024 };

enum seen { NOT_SEEN, KEPT, IN_PLACE, UNKNOWN };

struct diffing {
    struct txn *txn;
    struct arena *a;
    const struct cfn_stack *s;
    struct cfn_open *open;
    const struct cfn_config *config;
    struct cfn_resource *now;
    size_t n_now;
    const struct tpl_resource *wanted;
    size_t n_wanted;
    enum seen *seen; /* by wanted */
    const struct cfn_look_inside *inside;
    struct cfn_inside *found; /* by wanted; NULL without `inside` */
    struct json_out o;
    struct buf b;
    size_t n;
    struct tpl_fault *fault;
    struct str causes; /* who made a value unknown, last */
};

static const struct cfn_resource *find_now(const struct diffing *d, struct str id)
{
    size_t from = 0, to = d->n_now;
    while (from < to) {
        size_t mid = (from + to) / 2;
        int c = str_cmp(d->now[mid].id, id);
        if (c == 0)
            return d->now[mid].now ? &d->now[mid] : NULL;
        if (c < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return NULL;
}

static enum err look_up(void *arg, struct arena *a, struct str id, struct str attribute,
                        const struct json **ret_v)
{
    struct diffing *d = arg;
    const struct tpl_resource *w = tpl_resource(d->open->tpl, id);
    const struct cfn_resource *r = find_now(d, id);
    enum seen seen = w ? d->seen[w - d->wanted] : NOT_SEEN;
    const struct cfn_own *own = w ? cfn_own_find(w->type) : NULL;
    if (!r || seen == UNKNOWN || seen == NOT_SEEN ||
        (seen == IN_PLACE && own && str_is_set(attribute))) {
        if (d->found && w)
            *ret_v = json_get(d->found[w - d->wanted].outputs, attribute);
        if (d->found && w && *ret_v)
            return ERR_OK;
        d->causes = id;
        return ERR_SUSPENDED;
    }
    struct cfn_lookup look = {.txn = d->txn, .uuid = d->s->uuid};
    return cfn_look_up(&look, a, id, attribute, ret_v);
}

static enum err resolve(struct diffing *d, const struct json *v, const struct json **ret,
                        bool *ret_whole)
{
    *ret_whole = true;
    if (!v) {
        *ret = NULL;
        return ERR_OK;
    }
    return tpl_resolve(d->open->tpl, d->a, v, look_up, d, ret, ret_whole, d->fault);
}

/* For the change set, which whoever may describe it reads. */
static enum err resolve_shown(struct diffing *d, const struct json *v, const struct json **ret)
{
    bool whole;
    if (!v) {
        *ret = NULL;
        return ERR_OK;
    }
    return tpl_resolve_shown(d->open->tpl, d->a, v, look_up, d, ret, &whole, d->fault);
}

/* --- writing ------------------------------------------------------------------------------------ */

static void put_context(struct diffing *d, const char *key, const struct json *properties,
                        struct str metadata)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, d->a, CHANGES_BYTES_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_key(&o, STR("Properties"));
    if (properties) {
        json_tree(&o, properties);
    } else {
        json_open(&o, '{');
        json_close(&o, '}');
    }
    if (str_is_set(metadata)) {
        json_key(&o, STR("Metadata"));
        json_raw(&o, metadata);
    }
    json_close(&o, '}');
    json_kv_str(&d->o, str_c(key), buf_str(&b));
}

static void open_change(struct diffing *d, const char *action, struct str id, struct str physical,
                        struct str type)
{
    d->n++;
    json_open(&d->o, '{');
    json_kv_str(&d->o, STR("action"), str_c(action));
    json_kv_str(&d->o, STR("id"), id);
    json_kv_str(&d->o, STR("physical"), physical);
    json_kv_str(&d->o, STR("type"), type);
}

static struct str value_text(struct arena *a, const struct json *v)
{
    if (!v)
        return STR_NONE;
    return v->kind == JSON_STRING ? v->text : cfn_json_text(a, v);
}

static void put_detail(struct diffing *d, const char *attribute, struct str name,
                       const char *recreation, bool dynamic, const struct json *before,
                       const struct json *after)
{
    json_open(&d->o, '{');
    json_kv_str(&d->o, STR("attribute"), str_c(attribute));
    json_kv_str(&d->o, STR("name"), name);
    json_kv_str(&d->o, STR("recreation"), str_c(recreation));
    json_kv_str(&d->o, STR("evaluation"), dynamic ? STR("Dynamic") : STR("Static"));
    json_kv_str(&d->o, STR("source"),
                !dynamic                ? STR("DirectModification")
                : str_is_set(d->causes) ? STR("ResourceReference")
                                        : STR("ParameterReference"));
    if (dynamic && str_is_set(d->causes))
        json_kv_str(&d->o, STR("causing"), d->causes);
    json_kv_str(&d->o, STR("before"), value_text(d->a, before));
    json_kv_str(&d->o, STR("after"), value_text(d->a, after));
    json_close(&d->o, '}');
}

/* --- one resource ------------------------------------------------------------------------------- */

static const char *recreation_of(enum type_change change)
{
    return change == TYPE_REPLACEMENT ? "Always" : change == TYPE_MAYBE ? "Conditionally" : "Never";
}

static bool same_tags(const struct cfn_thing *t, const struct cfn_config *c)
{
    if (t->n_tags != c->n_tags)
        return false;
    for (size_t i = 0; i < t->n_tags; i++)
        if (!str_eq(t->tags[i].key, c->tags[i].key) || !str_eq(t->tags[i].value, c->tags[i].value))
            return false;
    return true;
}

/* What of a resource is another. */
struct parts {
    bool properties, metadata, deletion_policy, update_replace_policy, tags;
    enum type_change change;
    struct type_difference *differences;
    const struct json *before, *after; /* as shown */
    const struct json *given;          /* after, but not for eyes */
    struct str metadata_text;
    bool unknown;   /* some value is not known yet */
    bool automatic; /* of a nested stack: what is in it may be another */
    const struct cfn_inside *inside;
};

static bool same_policy(struct str a, struct str b)
{
    return str_eq(str_is_set(a) ? a : STR("Delete"), str_is_set(b) ? b : STR("Delete"));
}

static enum err compare(struct diffing *d, const struct tpl_resource *w, const struct cfn_thing *t,
                        struct parts *p)
{
    const struct json *metadata, *before;
    bool whole;
    *p = (struct parts){0};
    TRY(cfn_json(d->a, t->properties, &before));
    TRY(cfn_json(d->a, cfn_shown(t), &p->before));
    TRY(resolve_shown(d, w->properties, &p->after));
    d->causes = STR_NONE;
    TRY(resolve(d, w->properties, &p->given, &whole));
    p->unknown = !whole;
    TRY(cfn_compare(w->type, d->a, before, p->given, &p->change, &p->differences));
    p->properties = p->change != TYPE_SAME;
    TRY(resolve_shown(d, w->metadata, &metadata));
    p->metadata_text = metadata ? cfn_json_text(d->a, metadata) : STR_NONE;
    p->metadata = !str_eq(p->metadata_text, t->metadata);
    p->deletion_policy = !same_policy(w->deletion_policy, t->deletion_policy);
    p->update_replace_policy = !same_policy(w->update_replace_policy, t->update_replace_policy);
    p->tags = !same_tags(t, d->config) && type_find(w->type);
    return ERR_OK;
}

static void put_scope(struct diffing *d, const struct parts *p)
{
    json_key(&d->o, STR("scope"));
    json_open(&d->o, '[');
    if (p->properties || p->automatic)
        json_str(&d->o, STR("Properties"));
    if (p->metadata)
        json_str(&d->o, STR("Metadata"));
    if (p->tags)
        json_str(&d->o, STR("Tags"));
    if (p->deletion_policy)
        json_str(&d->o, STR("DeletionPolicy"));
    if (p->update_replace_policy)
        json_str(&d->o, STR("UpdateReplacePolicy"));
    json_close(&d->o, ']');
}

static void put_automatic(struct diffing *d)
{
    json_open(&d->o, '{');
    json_kv_str(&d->o, STR("attribute"), STR("Properties"));
    json_kv_str(&d->o, STR("recreation"), STR("Never"));
    json_kv_str(&d->o, STR("evaluation"), STR("Dynamic"));
    json_kv_str(&d->o, STR("source"), STR("Automatic"));
    json_close(&d->o, '}');
}

static void put_details(struct diffing *d, const struct parts *p)
{
    json_key(&d->o, STR("details"));
    json_open(&d->o, '[');
    for (const struct type_difference *x = p->differences; x; x = x->next)
        put_detail(d, "Properties", x->property, recreation_of(x->change),
                   x->change == TYPE_MAYBE && p->unknown, json_get(p->before, x->property),
                   json_get(p->after, x->property));
    if (p->automatic)
        put_automatic(d);
    if (p->metadata)
        put_detail(d, "Metadata", STR_NONE, "Never", false, NULL, NULL);
    if (p->tags)
        put_detail(d, "Tags", STR_NONE, "Never", false, NULL, NULL);
    if (p->deletion_policy)
        put_detail(d, "DeletionPolicy", STR_NONE, "Never", false, NULL, NULL);
    if (p->update_replace_policy)
        put_detail(d, "UpdateReplacePolicy", STR_NONE, "Never", false, NULL, NULL);
    json_close(&d->o, ']');
}

static enum err look_inside(struct diffing *d, const struct tpl_resource *w,
                            const struct cfn_thing *now, const struct json *properties,
                            const struct cfn_inside **ret)
{
    *ret = NULL;
    if (!d->inside || !cfn_is_stack(w->type))
        return ERR_OK;
    struct cfn_inside *found = &d->found[w - d->wanted];
    *ret = found;
    return d->inside->look(d->inside->arg, w->id, now, properties, found);
}

static void put_inside(struct diffing *d, const struct cfn_inside *inside)
{
    if (inside && str_is_set(inside->change_set_id))
        json_kv_str(&d->o, STR("change_set"), inside->change_set_id);
}

static enum err modify(struct diffing *d, const struct tpl_resource *w,
                       const struct cfn_resource *r, enum seen *seen)
{
    struct parts p;
    if (!str_eq(r->now->type, w->type)) {
        d->fault->message = str_fmt(d->a,
                                    "Update of resource type is not permitted. The new template "
                                    "modifies resource type of the following resources: "
                                    "[" STR_FMT "]",
                                    STR_ARG(w->id));
        return ERR_INVALID;
    }
    TRY(compare(d, w, r->now, &p));
    TRY(look_inside(d, w, r->now, p.given, &p.inside));
    p.automatic = cfn_is_stack(w->type) && (!p.inside || !p.inside->looked || p.inside->changes);
    *seen = p.change == TYPE_REPLACEMENT || p.change == TYPE_MAYBE ? UNKNOWN
            : p.change == TYPE_IN_PLACE || p.automatic             ? IN_PLACE
                                                                   : KEPT;
    if (!p.properties && !p.metadata && !p.deletion_policy && !p.update_replace_policy && !p.tags &&
        !p.automatic)
        return ERR_OK;
    open_change(d, "Modify", w->id, r->now->physical_id, w->type);
    json_kv_str(&d->o, STR("replacement"),
                p.change == TYPE_REPLACEMENT ? STR("True")
                : p.change == TYPE_MAYBE     ? STR("Conditional")
                                             : STR("False"));
    put_scope(d, &p);
    put_details(d, &p);
    put_context(d, "before_context", p.before, r->now->metadata);
    put_context(d, "after_context", p.after, p.metadata_text);
    put_inside(d, p.inside);
    json_close(&d->o, '}');
    return ERR_OK;
}

static enum err add(struct diffing *d, const struct tpl_resource *w)
{
    const struct json *after, *metadata, *given;
    const struct cfn_inside *inside;
    bool whole;
    TRY(resolve_shown(d, w->properties, &after));
    TRY(resolve_shown(d, w->metadata, &metadata));
    TRY(resolve(d, w->properties, &given, &whole));
    TRY(look_inside(d, w, NULL, given, &inside));
    open_change(d, "Add", w->id, STR_NONE, w->type);
    put_context(d, "after_context", after, metadata ? cfn_json_text(d->a, metadata) : STR_NONE);
    put_inside(d, inside);
    json_close(&d->o, '}');
    return ERR_OK;
}

static enum err visit(struct diffing *d, size_t i);

/* What it hangs on first; the graph has no circles (template.h). */
static enum err visit_first(struct diffing *d, size_t i)
{
    const struct tpl_resource *w = &d->wanted[i];
    for (size_t k = 0; k < w->after_n; k++)
        if (d->seen[w->after[k]] == NOT_SEEN)
            TRY(visit(d, w->after[k]));
    return ERR_OK;
}

static enum err visit(struct diffing *d, size_t i)
{
    const struct tpl_resource *w = &d->wanted[i];
    const struct cfn_resource *r = find_now(d, w->id);
    TRY(visit_first(d, i));
    if (d->seen[i] != NOT_SEEN)
        return ERR_OK;
    if (!r) {
        d->seen[i] = UNKNOWN;
        return add(d, w);
    }
    return modify(d, w, r, &d->seen[i]);
}

static enum err removals(struct diffing *d)
{
    for (size_t i = 0; i < d->n_now; i++) {
        const struct cfn_resource *r = &d->now[i];
        const struct json *before;
        if (!r->now || tpl_resource(d->open->tpl, r->id))
            continue;
        TRY(cfn_json(d->a, cfn_shown(r->now), &before));
        open_change(d, "Remove", r->id, r->now->physical_id, r->now->type);
        if (str_eq(r->now->deletion_policy, STR("Retain")))
            json_kv_str(&d->o, STR("policy"), STR("Retain"));
        put_context(d, "before_context", before, r->now->metadata);
        json_close(&d->o, '}');
    }
    return ERR_OK;
}

/* What is known of the outputs as they will be. */
static enum err outputs_of(struct diffing *d, const struct json **ret)
{
    size_t n;
    const struct tpl_output *o = tpl_outputs(d->open->tpl, &n);
    struct json *all = json_new(d->a, JSON_OBJECT);
    for (size_t i = 0; i < n; i++) {
        struct str text, name = str_fmt(d->a, "Outputs." STR_FMT, STR_ARG(o[i].key));
        bool whole;
        TRY(tpl_resolve_text(d->open->tpl, d->a, o[i].value, look_up, d, &text, &whole, d->fault));
        if (whole)
            TRY(json_set(all, name, json_new_str(d->a, text)));
    }
    *ret = all;
    return all ? ERR_OK : ERR_NOMEM;
}

enum err cfn_diff(struct txn *txn, struct arena *a, const struct cfn_stack *s,
                  struct cfn_open *open, const struct cfn_config *config,
                  const struct cfn_look_inside *inside, struct cfn_differences *ret,
                  struct tpl_fault *ret_fault)
{
    struct diffing d = {.txn = txn,
                        .a = a,
                        .s = s,
                        .open = open,
                        .config = config,
                        .inside = inside,
                        .fault = ret_fault};
    *ret = (struct cfn_differences){.n = 0};
    TRY(cfn_resources(txn, s->uuid, &d.now, &d.n_now));
    d.wanted = tpl_resources(open->tpl, &d.n_wanted);
    d.seen = ARENA_ARRAY(a, enum seen, d.n_wanted + 1);
    if (inside)
        d.found = ARENA_ARRAY(a, struct cfn_inside, d.n_wanted + 1);
    if (!d.seen || (inside && !d.found))
        return ERR_NOMEM;
    open->txn = txn;
    buf_init_arena(&d.b, a, CHANGES_BYTES_MAX);
    json_out_init(&d.o, &d.b);
    json_open(&d.o, '[');
    for (size_t i = 0; i < d.n_wanted; i++)
        TRY(visit(&d, i));
    TRY(removals(&d));
    json_close(&d.o, ']');
    TRY(buf_err(&d.b));
    ret->changes = buf_str(&d.b);
    ret->n = d.n;
    return inside ? outputs_of(&d, &ret->outputs) : ERR_OK;
}
