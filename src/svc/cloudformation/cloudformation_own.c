/* The table of our own types, and those of which there is little to say. Layer: svc/cloudformation. */
#include "svc/cloudformation/cloudformation_own.h"

struct str cfn_url_suffix(const struct core *core)
{
    struct str own = core->cfg.url_suffix;
    return str_is_set(own) ? own : STR("amazonaws.com");
}

/* AWS::CDK::Metadata: there is nothing of it but its name. */
static enum err metadata_step(struct cfn_step *step)
{
    if (!str_is_set(step->work->goal.physical_id))
        step->work->goal.physical_id = cfn_made_name(step);
    step->doing = TYPE_DONE;
    return ERR_OK;
}

static const struct cfn_own metadata = {"AWS::CDK::Metadata", NULL, metadata_step, NULL};

static const struct cfn_own *const all[] = {&cfn_own_stack,        &cfn_own_custom,
                                            &cfn_own_custom_named, &cfn_own_handle,
                                            &cfn_own_condition,    &metadata};

const struct cfn_own *cfn_own_find(struct str type)
{
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (str_glob_star(str_c(all[i]->type), type))
            return all[i];
    return NULL;
}

bool cfn_own_has_attribute(struct str type, struct str attribute)
{
    const struct cfn_own *own = cfn_own_find(type);
    if (own == &cfn_own_custom || own == &cfn_own_custom_named)
        return true;
    if (own == &cfn_own_stack)
        return str_starts(attribute, STR("Outputs."));
    return own == &cfn_own_condition && str_eq(attribute, STR("Data"));
}

enum err cfn_own_check(struct str type, const struct json *properties, struct arena *a,
                       struct str *ret_message)
{
    const struct cfn_own *own = cfn_own_find(type);
    return own->check ? own->check(properties, a, ret_message) : ERR_OK;
}

/* Properties of ours are compared one by one, as they are written. */
static enum err compare(struct arena *a, const struct json *before, const struct json *after,
                        enum type_change *ret, struct type_difference **ret_differences)
{
    *ret = TYPE_SAME;
    *ret_differences = NULL;
    for (int side = 0; side < 2; side++)
        JSON_EACH (side ? before : after, m) {
            const struct json *other = json_get(side ? after : before, m->key);
            if (side && other)
                continue;
            if (other && str_eq(cfn_json_text(a, m), cfn_json_text(a, other)))
                continue;
            struct type_difference *d = ARENA_NEW(a, struct type_difference);
            if (!d)
                return ERR_NOMEM;
            *d = (struct type_difference){m->key, TYPE_IN_PLACE, *ret_differences};
            *ret_differences = d;
            *ret = TYPE_IN_PLACE;
        }
    return ERR_OK;
}

enum err cfn_compare(struct str type, struct arena *a, const struct json *before,
                     const struct json *after, enum type_change *ret_change,
                     struct type_difference **ret_differences)
{
    const struct cfn_own *own = cfn_own_find(type);
    if (!own)
        return type_compare(type_find(type), a, before, after, ret_change, ret_differences);
    TRY(compare(a, before, after, ret_change, ret_differences));
    if (own->change && *ret_change != TYPE_SAME) {
        *ret_change = own->change(before, after);
        for (struct type_difference *d = *ret_differences; d; d = d->next)
            d->change = *ret_change;
    }
    return ERR_OK;
}

/* Managed policies of AWS by their short names, as SAM's Policies have them: those that are there. */
bool cfn_managed_policy(struct cfn_open *open, struct str name, struct str *ret_arn)
{
    static const char *const paths[] = {"", "service-role/"};
    struct arena *a = open->txn->arena;
    struct principal root = {
        .kind = PRINCIPAL_ROOT,
        .account = open->txn->core->cfg.account,
        .arn = str_fmt(a, "arn:aws:iam::" STR_FMT ":root", STR_ARG(open->txn->core->cfg.account))};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct core_result r;
        struct str arn = str_fmt(a, "arn:" STR_FMT ":iam::aws:policy/%s" STR_FMT,
                                 STR_ARG(open->world.partition), paths[i], STR_ARG(name));
        struct core_request req = {
            .service = STR("iam"),
            .operation = STR("GetPolicy"),
            .input = str_fmt(a, "{\"PolicyArn\":\"" STR_FMT "\"}", STR_ARG(arn)),
            .who = &root, /* AWS's policies are no secret */
        };
        if (str_find(name, '"') != SIZE_MAX || str_find(name, '\\') != SIZE_MAX)
            return false;
        if (core_call_in_txn(open->txn, &req, &r) == ERR_OK) {
            *ret_arn = arn;
            return true;
        }
    }
    return false;
}
