/* PutParameter: the first version of a parameter, or the next one.
 *
 *   the request, over what the version before had -> a version -> its tier -> its limits -> sealed -> stored
 *
 * Layer: svc/ssm. Source: Systems Manager API Reference, PutParameter; User Guide, "Managing parameter
 * tiers", "Working with parameter versions". */
#include "lang/regex.h"
#include "svc/ssm/ssm_int.h"

#define INVALID(call, ...) call_error((call), &ssm_err_validation, __VA_ARGS__)

/* --- what is refused ------------------------------------------------------------------------------ */

static enum err check_data_type(struct call *call, struct str type)
{
    if (!str_is_set(type) || str_empty(type) || str_eq_c(type, "text"))
        return ERR_OK;
    if (str_eq_c(type, "aws:ec2:image") || str_eq_c(type, "aws:ssm:integration"))
        return INVALID(call, "The data type " STR_FMT " is not supported by Weir.", STR_ARG(type));
    return INVALID(call,
                   "The following data type is not supported: " STR_FMT
                   " (Data type names are all lowercase.)",
                   STR_ARG(type));
}

static enum err check(struct call *call, const struct ssm_put_parameter_input *in)
{
    TRY(ssm_name_check(call, in->name));
    TRY(check_data_type(call, in->data_type));
    if (str_is_set(in->policies))
        return INVALID(call, "Parameter policies are not supported by Weir: leave Policies out.");
    if (in->overwrite && in->tags.n > 0)
        return INVALID(call,
                       "Invalid request: tags and overwrite can't be used together. To create "
                       "a parameter with tags, please remove overwrite flag. To update tags "
                       "for an existing parameter, please use AddTagsToResource or "
                       "RemoveTagsFromResource.");
    if (str_find_str(in->value, STR("{{")) != SIZE_MAX)
        return INVALID(call, "Parameter value can't nest another parameter. Do not use \"{{}}\" in "
                             "the value.");
    return ERR_OK;
}

/* --- the version ---------------------------------------------------------------------------------- */

static struct str pick(struct str given, struct str old)
{
    return str_is_set(given) ? given : old;
}

/* What was not given stays as it was; `v` is the version before, or empty. */
static enum err take(struct call *call, const struct ssm_put_parameter_input *in,
                     struct ssm_version *v)
{
    if (str_is_set(in->type))
        TRY(ssm_type_of(in->type, &v->type)); /* the spec's, so it is one */
    else if (v->number == 0)
        return INVALID(call, "A parameter type is required when you create a parameter.");
    if (str_is_set(in->key_id) && v->type != SSM_SECURE)
        return INVALID(call, "KeyId is required for SecureString type parameter only.");
    v->number++;
    v->value = in->value;
    v->data_key = STR_NONE;
    v->key_id = v->type != SSM_SECURE ? STR_NONE : pick(in->key_id, STR("alias/aws/ssm"));
    v->description = pick(in->description, v->description);
    v->pattern = pick(in->allowed_pattern, v->pattern);
    v->data_type = STR("text");
    v->user = str_is_set(call->who->arn) ? call->who->arn : STR("");
    v->modified_ms = call->txn->wall_ms;
    return ERR_OK;
}

/* `v->tier` is that of the version before. */
static enum err take_tier(struct call *call, struct str asked, struct ssm_version *v)
{
    bool large = v->value.len > SSM_STANDARD_MAX;
    if (str_eq_c(asked, "Standard") && v->tier == SSM_ADVANCED)
        return INVALID(call,
                       "This parameter uses the advanced-parameter tier. You can't downgrade a "
                       "parameter from the advanced-parameter tier to the standard-parameter tier. "
                       "If necessary, you can delete the advanced parameter and recreate it as a "
                       "standard parameter.");
    if (str_eq_c(asked, "Advanced") || (str_eq_c(asked, "Intelligent-Tiering") && large))
        v->tier = SSM_ADVANCED;
    if (v->tier == SSM_STANDARD && large)
        return INVALID(call,
                       "Standard tier parameters support a maximum parameter value of %d "
                       "characters. To create a larger parameter value, upgrade the parameter to "
                       "use the advanced-parameter tier. For more information, see "
                       "https://docs.aws.amazon.com/systems-manager/latest/userguide/"
                       "parameter-store-advanced-parameters.html",
                       SSM_STANDARD_MAX);
    if (v->value.len > SSM_ADVANCED_MAX)
        return INVALID(call,
                       "Advanced tier parameters support a maximum parameter value of %d "
                       "characters.",
                       SSM_ADVANCED_MAX);
    return ERR_OK;
}

static enum err check_pattern(struct call *call, const struct ssm_version *v)
{
    const struct regex *re;
    bool yes = false;
    if (!str_is_set(v->pattern) || str_empty(v->pattern))
        return ERR_OK;
    enum err err = regex_compile(call->arena, v->pattern, &re);
    if (err == ERR_INVALID)
        return call_error(call, &ssm_err_invalid_allowed_pattern_exception,
                          "The request does not meet the regular expression requirement.");
    TRY(err);
    err = regex_is_match(re, v->value, REGEX_FULL, &yes);
    if (err == ERR_LIMIT || (err == ERR_OK && !yes))
        return call_error(call, &ssm_err_parameter_pattern_mismatch_exception,
                          "Parameter value, cannot be validated against allowedPattern: " STR_FMT,
                          STR_ARG(v->pattern));
    return err;
}

/* --- storing -------------------------------------------------------------------------------------- */

/* The version before becomes a record of its own; the oldest goes where there are too many (SM2). */
static enum err make_room(struct call *call, struct str path, struct ssm_param *p)
{
    if (p->last.number - p->first + 1 == SSM_VERSIONS_MAX) {
        if (ssm_label_count(p, p->first) > 0)
            return call_error(
                call, &ssm_err_parameter_max_version_limit_exceeded,
                "You attempted to create a new version of " STR_FMT
                " by calling the PutParameter API with the overwrite flag. Version %llu, the "
                "oldest "
                "version, can't be deleted because it has a label associated with it. Move the "
                "label to another version of the parameter, and try again.",
                STR_ARG(p->name), (unsigned long long)p->first);
        TRY(ssm_version_drop(call->txn, call_scope(call), path, p->first++));
    }
    return ssm_version_keep(call->txn, call_scope(call), path, &p->last);
}

static enum err begin(struct call *call, const struct ssm_put_parameter_input *in, struct str path,
                      struct ssm_param *p)
{
    *p = (struct ssm_param){.name = in->name, .first = 1};
    struct tags_resource resource = {.arn =
                                         ssm_arn(call->arena, call->core, call_scope(call), path)};
    return str_is_set(resource.arn)
               ? tags_op_create(call, &ssm_tags, &resource, TAGS_FROM(in->tags))
               : ERR_NOMEM;
}

enum err ssm_put_parameter(struct call *call, const struct ssm_put_parameter_input *in,
                           struct ssm_put_parameter_output *out)
{
    struct ssm_ref ref;
    struct ssm_param p;
    TRY(check(call, in));
    TRY(ssm_ref_parse(call_scope(call), in->name, &ref)); /* a name, so it is one of here */
    enum err err = ssm_read(call->txn, call_scope(call), ref.path, &p);
    if (err == ERR_OK && !in->overwrite)
        return call_error(
            call, &ssm_err_parameter_already_exists,
            "The parameter already exists. To overwrite this value, set the overwrite "
            "option in the request to true.");
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    bool there = err == ERR_OK;
    struct ssm_version v = there ? p.last : (struct ssm_version){0};
    TRY(take(call, in, &v));
    TRY(take_tier(call, in->tier, &v));
    TRY(check_pattern(call, &v));
    if (v.type == SSM_SECURE)
        TRY(ssm_seal(call, ref.path, &v));
    TRY(there ? make_room(call, ref.path, &p) : begin(call, in, ref.path, &p));
    p.last = v;
    WIRE_SET(out, version, (int64_t)v.number);
    out->tier = ssm_tier_text(v.tier);
    return ssm_write(call->txn, call_scope(call), ref.path, &p);
}
