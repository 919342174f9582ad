/* GetResources: tagged (or once tagged) resources of the region, by ARN, type and tags.
 * Source: Resource Groups Tagging API Reference, GetResources. Layer: svc. */
#include <assert.h>

#include "base/arn.h"
#include "svc/tagging/tagging_int.h"

/* --- filters ---------------------------------------------------------------------------------- */

/* "service" or "service:type". */
static bool is_type(struct str arn, struct str filter)
{
    struct arn parts;
    struct str rest = filter, service = str_cut(&rest, ':');
    if (arn_parse(arn, &parts) != ERR_OK || !str_eq(parts.service, service))
        return false;
    if (!str_is_set(rest))
        return true;
    return str_is_set(arn_segment(&parts, 1)) && str_eq(arn_segment(&parts, 0), rest);
}

static bool has_type(struct str arn, const struct tagging_resource_type_filter_list *filters)
{
    for (size_t i = 0; i < filters->n; i++)
        if (is_type(arn, filters->v[i]))
            return true;
    return filters->n == 0;
}

static bool has_tag(struct tag_list tags, const struct tagging_tag_filter *f)
{
    struct str value = tags_get(tags, f->key);
    for (size_t i = 0; i < f->values.n && str_is_set(value); i++)
        if (str_eq(value, f->values.v[i]))
            return true;
    return str_is_set(value) && f->values.n == 0;
}

/* Every filter, each with one of its values or, without values, by the key alone. */
static bool wanted(const struct tagging_get_resources_input *in, const struct tags_entry *e)
{
    for (size_t i = 0; i < in->tag_filters.n; i++)
        if (!has_tag(e->tags, &in->tag_filters.v[i]))
            return false;
    return has_type(e->arn, &in->resource_type_filters);
}

static enum err check(struct call *call, const struct tagging_get_resources_input *in)
{
    const struct wire_error *invalid = &tagging_err_invalid_parameter_exception;
    if (in->include_compliance_details || in->exclude_compliant_resources)
        return call_error(call, invalid,
                          "Compliance details are not supported by Weir: it has no tag policies.");
    if (in->has_resources_per_page &&
        (in->resources_per_page < 1 || in->resources_per_page > TAGGING_PAGE_MAX))
        return call_error(call, invalid, "ResourcesPerPage must be between 1 and %d",
                          TAGGING_PAGE_MAX);
    if (in->has_tags_per_page && (in->tags_per_page < 100 || in->tags_per_page % 100 ||
                                  in->tags_per_page > TAGGING_PAGE_TAGS_MAX))
        return call_error(call, invalid, "TagsPerPage must be between 100 and 500 in hundreds");
    if (in->has_tags_per_page && in->has_resources_per_page)
        return call_error(call, invalid,
                          "TagsPerPage and ResourcesPerPage cannot be given together");
    if (in->resource_arn_list.n &&
        (in->tag_filters.n || in->resource_type_filters.n || in->has_resources_per_page ||
         in->has_tags_per_page || !str_empty(in->pagination_token)))
        return call_error(call, invalid,
                          "ResourceARNList cannot be given together with other parameters");
    for (size_t i = 0; i < in->tag_filters.n; i++)
        if (str_empty(in->tag_filters.v[i].key))
            return call_error(call, invalid, "Every TagFilter needs a Key");
    return ERR_OK;
}

/* --- collecting ------------------------------------------------------------------------------- */

static void add(struct tagging_resource_tag_mapping *v, size_t *n, const struct tags_entry *e)
{
    v[*n] = (struct tagging_resource_tag_mapping){.resource_arn = e->arn};
    TAGS_INTO(v[*n].tags, e->tags);
    ++*n;
}

static enum err by_arn(struct call *call, const struct tagging_resource_arn_list_for_get *arns,
                       struct tagging_resource_tag_mapping *v, size_t *n)
{
    for (size_t i = 0; i < arns->n; i++) {
        struct tags_entry e = {.arn = arns->v[i]};
        enum err err = tags_of(call->txn, e.arn, &e.tags);
        if (err == ERR_INVALID)
            return call_error(call, &tagging_err_invalid_parameter_exception,
                              "Invalid ARN: " STR_FMT, STR_ARG(e.arn));
        TRY(err);
        if (e.tags.n)
            add(v, n, &e);
    }
    return ERR_OK;
}

/* Fills the page; *ret_last is the last one looked at when there may be more. */
static enum err scan(struct call *call, const struct tagging_get_resources_input *in,
                     struct tags_scan *s, struct tagging_resource_tag_mapping *v, size_t *n,
                     struct str *ret_last)
{
    size_t max = in->has_resources_per_page ? (size_t)in->resources_per_page
                 : in->has_tags_per_page    ? TAGGING_PAGE_MAX
                                            : TAGGING_PAGE_DEFAULT;
    size_t tags_max = in->has_tags_per_page ? (size_t)in->tags_per_page : SIZE_MAX, tags = 0;
    struct str last = STR_NONE;
    struct tags_entry e;
    enum err err = ERR_OK;
    for (size_t looked = 0; (err = tags_scan_next(s, &e)) == ERR_OK; looked++) {
        bool take = wanted(in, &e);
        if (looked == TAGGING_SCAN_MAX ||
            (take && (*n == max || (*n > 0 && tags + e.tags.n > tags_max)))) {
            *ret_last = last;
            return ERR_OK;
        }
        if (take) {
            add(v, n, &e);
            tags += e.tags.n;
        }
        last = e.arn;
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err tagging_get_resources(struct call *call, const struct tagging_get_resources_input *in,
                               struct tagging_get_resources_output *out)
{
    size_t n = 0;
    struct str after, last = STR_NONE;
    struct tags_scan *s;
    struct tagging_resource_tag_mapping *v =
        ARENA_ARRAY(call->arena, struct tagging_resource_tag_mapping, TAGGING_PAGE_MAX);
    if (!v)
        return ERR_NOMEM;
    TRY(check(call, in));
    TRY(tagging_token_read(call, in->pagination_token, &after));
    if (in->resource_arn_list.n) {
        TRY(by_arn(call, &in->resource_arn_list, v, &n));
    } else {
        TRY(tags_scan_open(call->txn, call->account, call->region, after, &s));
        enum err err = scan(call, in, s, v, &n, &last);
        tags_scan_close(s);
        TRY(err);
    }
    assert(n <= TAGGING_PAGE_MAX);
    out->resource_tag_mapping_list = (struct tagging_resource_tag_mapping_list){v, n};
    return tagging_token_make(call, last, &out->pagination_token);
}
