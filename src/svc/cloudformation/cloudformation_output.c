/* Outputs, exports and imports of a stack that is about to be complete.
 *
 * An export is protected while a stack imports it: who imports writes a key under the export's name, who removes or
 * changes an export looks for such keys.
 *
 * Layer: svc/cloudformation. Thread: the home loop, in a transaction. */
#include "codec/json.h"
#include "svc/cloudformation/cloudformation_run.h"

struct importers {
    struct arena *a;
    struct buf names;
    struct str own; /* does not count */
};

static enum err add_importer(void *arg, struct str key, struct str val)
{
    struct importers *im = arg;
    struct key_scope scope;
    struct str name, uuid;
    TRY(key_read(&cloudformation_k_import, key, im->a, &scope, &name, &uuid));
    if (str_eq(uuid, im->own))
        return ERR_OK;
    if (im->names.len)
        BUF_ADD_LIT(&im->names, ", ");
    buf_add_str(&im->names, val);
    return buf_err(&im->names);
}

/* Names of the stacks that import it, but for `own`; empty: none. */
static enum err importers_of(struct txn *txn, const struct cfn_stack *s, struct str export_name,
                             struct str *ret)
{
    struct importers im = {.a = txn->arena, .own = s->uuid};
    buf_init_arena(&im.names, txn->arena, 64 * 1024);
    TRY(txn_each(txn, key_range(txn->arena, &cloudformation_k_import, cfn_scope(s), export_name),
                 add_importer, &im));
    *ret = buf_str(&im.names);
    return ERR_OK;
}

static struct str export_key(struct txn *txn, const struct cfn_stack *s, struct str name)
{
    return key_make(txn->arena, &cloudformation_k_export, cfn_scope(s), name);
}

static enum err text_of(struct txn *txn, struct cfn_run *run, const struct json *v, struct str *ret,
                        struct str *ret_why)
{
    struct cfn_lookup look = {.txn = txn, .uuid = cfn_run_uuid(run)};
    struct tpl_fault fault = {{0}};
    const struct json *done;
    bool whole;
    enum err err =
        tpl_resolve(run->open.tpl, txn->arena, v, cfn_look_up, &look, &done, &whole, &fault);
    if (err == ERR_INVALID) {
        *ret_why = fault.message;
        return err;
    }
    TRY(err);
    if (!whole) {
        *ret_why = STR("Unresolved resource dependencies in the Outputs block of the template");
        return ERR_INVALID;
    }
    *ret = done->kind == JSON_BOOL ? (done->b ? STR("true") : STR("false"))
           : done->kind == JSON_STRING || done->kind == JSON_NUMBER
               ? done->text
               : cfn_json_text(txn->arena, done);
    if (!str_is_set(*ret))
        *ret = STR("");
    return ERR_OK;
}

static enum err add_export(struct txn *txn, const struct cfn_stack *s, const struct cfn_output *o,
                           struct str *ret_why)
{
    struct cfn_export e = {0};
    struct str importers;
    struct str key = export_key(txn, s, o->export_name);
    enum err err = txn_read(txn, key, &cfn_export_type, &e);
    if (err == ERR_OK && !str_eq(e.uuid, s->uuid)) {
        struct arn arn;
        struct str owner =
            arn_parse(e.stack_id, &arn) == ERR_OK ? arn_segment(&arn, 1) : e.stack_id;
        *ret_why = str_fmt(txn->arena,
                           "Export with name " STR_FMT " is already exported by stack " STR_FMT,
                           STR_ARG(o->export_name), STR_ARG(owner));
        return ERR_INVALID;
    }
    if (err == ERR_OK && !str_eq(e.value, o->value)) {
        TRY(importers_of(txn, s, o->export_name, &importers));
        if (importers.len) {
            *ret_why = str_fmt(txn->arena,
                               "Export " STR_FMT " cannot be updated as it is in use by " STR_FMT,
                               STR_ARG(o->export_name), STR_ARG(importers));
            return ERR_INVALID;
        }
    } else if (err != ERR_OK && err != ERR_NOT_FOUND) {
        return err;
    }
    e = (struct cfn_export){.value = o->value, .stack_id = s->id, .uuid = s->uuid};
    return txn_write(txn, key, &cfn_export_type, &e);
}

static bool exports(const struct cfn_output *v, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(v[i].export_name, name))
            return true;
    return false;
}

/* Those of before that are there no more. */
static enum err drop_others(struct txn *txn, const struct cfn_stack *s, const struct cfn_output *v,
                            size_t n, struct str *ret_why)
{
    struct str importers;
    for (size_t i = 0; i < s->n_outputs; i++) {
        struct str name = s->outputs[i].export_name;
        if (!str_is_set(name) || exports(v, n, name))
            continue;
        TRY(importers_of(txn, s, name, &importers));
        if (importers.len) {
            *ret_why = str_fmt(txn->arena,
                               "Export " STR_FMT " cannot be deleted as it is in use by " STR_FMT,
                               STR_ARG(name), STR_ARG(importers));
            return ERR_INVALID;
        }
        TRY(txn_del(txn, export_key(txn, s, name)));
    }
    return ERR_OK;
}

static enum err note_imports(struct txn *txn, const struct cfn_stack *s)
{
    const struct cfn_config *old = s->previous;
    for (size_t i = 0; old && i < old->n_imports; i++)
        TRY(txn_del(txn, key_make(txn->arena, &cloudformation_k_import, cfn_scope(s),
                                  old->imports[i], s->uuid)));
    for (size_t i = 0; i < s->config.n_imports; i++)
        TRY(txn_put(txn,
                    key_make(txn->arena, &cloudformation_k_import, cfn_scope(s),
                             s->config.imports[i], s->uuid),
                    s->name));
    return ERR_OK;
}

enum err cfn_outputs_make(struct txn *txn, struct cfn_run *run, struct cfn_stack *s,
                          struct str *ret_why)
{
    size_t n;
    struct principal *who = ARENA_NEW(txn->arena, struct principal);
    const struct tpl_output *o = tpl_outputs(run->open.tpl, &n);
    struct cfn_output *v = ARENA_ARRAY(txn->arena, struct cfn_output, n + 1);
    if (!v || !who)
        return ERR_NOMEM;
    TRY(cfn_principal(txn, txn->arena, s, who));
    run->open.txn = txn;
    run->open.who = who;
    for (size_t i = 0; i < n; i++) {
        v[i] = (struct cfn_output){.key = o[i].key, .description = o[i].description};
        TRY(text_of(txn, run, o[i].value, &v[i].value, ret_why));
        if (o[i].export_name) {
            TRY(text_of(txn, run, o[i].export_name, &v[i].export_name, ret_why));
            TRY(add_export(txn, s, &v[i], ret_why));
        }
    }
    TRY(drop_others(txn, s, v, n, ret_why));
    TRY(note_imports(txn, s));
    s->outputs = v;
    s->n_outputs = n;
    return ERR_OK;
}

enum err cfn_exports_unused(struct txn *txn, const struct cfn_stack *s, struct str *ret_why)
{
    struct str importers;
    for (size_t i = 0; i < s->n_outputs; i++) {
        if (!str_is_set(s->outputs[i].export_name))
            continue;
        TRY(importers_of(txn, s, s->outputs[i].export_name, &importers));
        if (importers.len) {
            *ret_why = str_fmt(txn->arena,
                               "Export " STR_FMT " cannot be deleted as it is in use by " STR_FMT,
                               STR_ARG(s->outputs[i].export_name), STR_ARG(importers));
            return str_is_set(*ret_why) ? ERR_INVALID : ERR_NOMEM;
        }
    }
    return ERR_OK;
}

enum err cfn_exports_drop(struct txn *txn, const struct cfn_stack *s)
{
    const struct cfn_config *all[] = {&s->config, s->previous};
    for (size_t i = 0; i < s->n_outputs; i++)
        if (str_is_set(s->outputs[i].export_name))
            TRY(txn_del(txn, export_key(txn, s, s->outputs[i].export_name)));
    for (size_t k = 0; k < ARRAY_LEN(all); k++)
        for (size_t i = 0; all[k] && i < all[k]->n_imports; i++)
            TRY(txn_del(txn, key_make(txn->arena, &cloudformation_k_import, cfn_scope(s),
                                      all[k]->imports[i], s->uuid)));
    return ERR_OK;
}
