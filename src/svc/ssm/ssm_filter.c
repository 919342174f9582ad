/* Filters of DescribeParameters and GetParametersByPath: taken once a call, asked for each parameter.
 *
 * Source: Systems Manager API Reference, ParameterStringFilter. Layer: svc/ssm. Thread: the call's. */
#include "svc/ssm/ssm_int.h"

enum { EQUALS = 1 << SSM_EQUALS, BEGINS = 1 << SSM_BEGINS_WITH, CONTAINS = 1 << SSM_CONTAINS };
enum { LEVELS = 1 << SSM_RECURSIVE | 1 << SSM_ONE_LEVEL };

/* By enum ssm_filter_key. */
static const struct row {
    struct str name;
    unsigned options;
    bool by_path;          /* GetParametersByPath has it */
    const char *values[4]; /* the only ones; NULL first: any */
} rows[] = {
    [SSM_BY_NAME] = {STR_INIT("Name"), EQUALS | BEGINS | CONTAINS, false, {NULL}},
    [SSM_BY_TYPE] = {STR_INIT("Type"),
                     EQUALS | BEGINS,
                     true,
                     {"String", "StringList", "SecureString"}},
    [SSM_BY_KEY_ID] = {STR_INIT("KeyId"), EQUALS | BEGINS, true, {NULL}},
    [SSM_BY_PATH] = {STR_INIT("Path"), LEVELS, false, {NULL}},
    [SSM_BY_LABEL] = {STR_INIT("Label"), EQUALS | BEGINS, true, {NULL}},
    [SSM_BY_TIER] = {STR_INIT("Tier"),
                     EQUALS | BEGINS,
                     false,
                     {"Standard", "Advanced", "Intelligent-Tiering"}},
    [SSM_BY_DATA_TYPE] = {STR_INIT("DataType"), EQUALS | BEGINS, false, {NULL}},
    [SSM_BY_TAG] = {STR_INIT("tag:"), EQUALS | BEGINS, false, {NULL}},
};
static const char *const options[] = {
    [SSM_EQUALS] = "Equals",       [SSM_BEGINS_WITH] = "BeginsWith", [SSM_CONTAINS] = "Contains",
    [SSM_RECURSIVE] = "Recursive", [SSM_ONE_LEVEL] = "OneLevel",
};

/* --- taking --------------------------------------------------------------------------------------- */

/* The row, or ARRAY_LEN(rows). */
static size_t row_of(struct str key, bool by_path)
{
    size_t i = 0;
    for (; i < ARRAY_LEN(rows); i++)
        if (i == SSM_BY_TAG ? str_starts(key, rows[i].name) : str_eq(key, rows[i].name))
            break;
    if (i == ARRAY_LEN(rows) || (by_path && !rows[i].by_path))
        return ARRAY_LEN(rows);
    return !by_path && i == SSM_BY_LABEL ? ARRAY_LEN(rows) : i;
}

static enum err take_option(struct call *call, struct str text, const struct row *row,
                            enum ssm_filter_option *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (!(row->options & 1u << i) || !str_eq_c(text, options[i]))
            continue;
        *ret = i;
        return ERR_OK;
    }
    return call_error(call, &ssm_err_invalid_filter_option,
                      "The following filter option is not valid: " STR_FMT
                      ". Valid options include: [%s].",
                      STR_ARG(text),
                      row->options & CONTAINS ? "BeginsWith, Equals, Contains"
                      : row->options & EQUALS ? "BeginsWith, Equals"
                                              : "Recursive, OneLevel");
}

static enum err check_value(struct call *call, const struct row *row, struct str value)
{
    if (!row->values[0])
        return ERR_OK;
    for (int i = 0; i < 4 && row->values[i]; i++)
        if (str_eq_c(value, row->values[i]))
            return ERR_OK;
    return call_error(call, &ssm_err_invalid_filter_option,
                      "The following filter value is not valid: " STR_FMT
                      ". Valid values include: [%s, %s, %s].",
                      STR_ARG(value), row->values[0], row->values[1], row->values[2]);
}

static enum err take_values(struct call *call, const struct row *row, struct ssm_filter *f)
{
    if (f->n == 0 && f->key != SSM_BY_TAG)
        return call_error(call, &ssm_err_invalid_filter_value,
                          "The following filter values are missing : null for filter key " STR_FMT
                          ".",
                          STR_ARG(row->name));
    for (size_t i = 0; i < f->n; i++)
        TRY(check_value(call, row, f->values[i]));
    if (f->key != SSM_BY_PATH)
        return ERR_OK;
    struct str *heads = ARENA_ARRAY(call->arena, struct str, f->n);
    if (!heads)
        return ERR_NOMEM;
    for (size_t i = 0; i < f->n; i++)
        TRY(ssm_path_check(call, f->values[i], &heads[i]));
    f->values = heads;
    return ERR_OK;
}

static enum err take_one(struct call *call, const struct ssm_parameter_string_filter *in,
                         bool by_path, struct ssm_filters *ret)
{
    size_t row = row_of(in->key, by_path);
    if (row == ARRAY_LEN(rows))
        return call_error(
            call, &ssm_err_invalid_filter_key,
            "The following filter key is not valid: " STR_FMT ". Valid filter keys include: [%s].",
            STR_ARG(in->key),
            by_path ? "Type, KeyId, Label" : "Name, Type, KeyId, Path, Tier, DataType, tag:");
    struct ssm_filter f = {.key = row, .values = in->values.v, .n = in->values.n};
    if (row == SSM_BY_TAG)
        f.tag = str_sub(in->key, rows[row].name.len, SIZE_MAX);
    for (size_t i = 0; i < ret->n; i++)
        if (ret->v[i].key == f.key && str_eq(ret->v[i].tag, f.tag))
            return call_error(call, &ssm_err_validation,
                              "The following filter is duplicated in the request: " STR_FMT
                              ". A request can contain only one occurrence of a specific filter.",
                              STR_ARG(in->key));
    struct str option = str_is_set(in->option) ? in->option
                        : row == SSM_BY_PATH   ? STR("OneLevel")
                                               : STR("Equals");
    TRY(take_option(call, option, &rows[row], &f.option));
    TRY(take_values(call, &rows[row], &f));
    ret->v[ret->n++] = f;
    return ERR_OK;
}

enum err ssm_filters_take(struct call *call, struct ssm_parameter_string_filter_list list,
                          bool by_path, struct ssm_filters *ret)
{
    *ret = (struct ssm_filters){ARENA_ARRAY(call->arena, struct ssm_filter, list.n + 1), 0};
    if (!ret->v)
        return ERR_NOMEM;
    for (size_t i = 0; i < list.n; i++)
        TRY(take_one(call, &list.v[i], by_path, ret));
    return ERR_OK;
}

enum err ssm_filters_take_old(struct call *call, struct ssm_parameters_filter_list list,
                              struct ssm_filters *ret)
{
    *ret = (struct ssm_filters){ARENA_ARRAY(call->arena, struct ssm_filter, list.n + 1), 0};
    if (!ret->v)
        return ERR_NOMEM;
    for (size_t i = 0; i < list.n; i++) {
        const struct ssm_parameters_filter *in = &list.v[i];
        TRY(take_one(call,
                     &(struct ssm_parameter_string_filter){.key = in->key,
                                                           .values = {in->values.v, in->values.n}},
                     false, ret));
    }
    return ERR_OK;
}

/* --- asking --------------------------------------------------------------------------------------- */

bool ssm_is_below(struct str path, struct str head, bool recursive)
{
    if (!str_starts(path, head) || path.len == head.len)
        return false;
    return recursive || str_find(str_sub(path, head.len, SIZE_MAX), '/') == SIZE_MAX;
}

static bool text_fits(const struct ssm_filter *f, struct str text)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->option == SSM_CONTAINS      ? str_find_str(text, f->values[i]) != SIZE_MAX
            : f->option == SSM_BEGINS_WITH ? str_starts(text, f->values[i])
                                           : str_eq(text, f->values[i]))
            return true;
    return false;
}

/* Names are compared as paths, so that "/a" finds "a". */
static bool name_fits(const struct ssm_filter *f, struct str path)
{
    for (size_t i = 0; i < f->n; i++) {
        struct str value = f->values[i];
        if (f->option != SSM_CONTAINS && str_starts(value, STR("/")))
            value = str_sub(value, 1, SIZE_MAX);
        const struct ssm_filter one = {.option = f->option, .values = &value, .n = 1};
        if (text_fits(&one, path))
            return true;
    }
    return false;
}

static bool path_fits(const struct ssm_filter *f, struct str path)
{
    for (size_t i = 0; i < f->n; i++)
        if (ssm_is_below(path, f->values[i], f->option == SSM_RECURSIVE))
            return true;
    return false;
}

static enum err tag_fits(struct call *call, const struct ssm_filter *f, struct str path,
                         bool *ret_match)
{
    struct tag_list tags;
    struct str arn = ssm_arn(call->arena, call->core, call_scope(call), path);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    TRY(tags_of(call->txn, arn, &tags));
    struct str value = tags_get(tags, f->tag);
    *ret_match = str_is_set(value) && (f->n == 0 || text_fits(f, value));
    return ERR_OK;
}

/* The newest version that has a label that fits. */
static bool label_fits(const struct ssm_filter *f, const struct ssm_param *p, uint64_t *ret_version)
{
    uint64_t newest = 0;
    for (size_t i = 0; i < p->n_labels; i++)
        if (p->labels[i].version > newest && text_fits(f, p->labels[i].name))
            newest = p->labels[i].version;
    if (newest > 0)
        *ret_version = newest;
    return newest > 0;
}

static enum err fits(struct call *call, const struct ssm_filter *f, struct str path,
                     const struct ssm_param *p, bool *ret_match, uint64_t *ret_version)
{
    switch (f->key) {
    case SSM_BY_NAME:
        *ret_match = name_fits(f, path);
        break;
    case SSM_BY_TYPE:
        *ret_match = text_fits(f, ssm_type_text(p->last.type));
        break;
    case SSM_BY_KEY_ID:
        *ret_match = str_is_set(p->last.key_id) && text_fits(f, p->last.key_id);
        break;
    case SSM_BY_PATH:
        *ret_match = path_fits(f, path);
        break;
    case SSM_BY_LABEL:
        *ret_match = label_fits(f, p, ret_version);
        break;
    case SSM_BY_TIER:
        *ret_match = text_fits(f, ssm_tier_text(p->last.tier));
        break;
    case SSM_BY_DATA_TYPE:
        *ret_match = text_fits(f, p->last.data_type);
        break;
    case SSM_BY_TAG:
        return tag_fits(call, f, path, ret_match);
    }
    return ERR_OK;
}

enum err ssm_filters_match(struct call *call, const struct ssm_filters *f, struct str path,
                           const struct ssm_param *p, bool *ret_match, uint64_t *ret_version)
{
    *ret_match = true;
    *ret_version = p->last.number;
    for (size_t i = 0; i < f->n && *ret_match; i++)
        TRY(fits(call, &f->v[i], path, p, ret_match, ret_version));
    return ERR_OK;
}
