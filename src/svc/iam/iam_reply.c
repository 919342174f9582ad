/* Pieces that the operations of IAM share: lookups with AWS's errors, checks, shapes, paging.
 *
 * Layer: svc. Thread: the call's loop. */
#include <assert.h>

#include "base/arn.h"
#include "codec/percent.h"
#include "svc/iam/iam_int.h"

struct iam *iam_of(struct call *call)
{
    return call->svc;
}

const char *const iam_kind_title[IAM_KINDS] = {"User", "Role", "Group", "InstanceProfile"};

static enum err no_entity(struct call *call, enum iam_kind kind, struct str name)
{
    if (kind == IAM_PROFILE)
        return call_error(call, &iam_err_no_such_entity_exception,
                          "Instance Profile " STR_FMT " cannot be found.", STR_ARG(name));
    return call_error(call, &iam_err_no_such_entity_exception,
                      "The %s with name " STR_FMT " cannot be found.", iam_kind_word[kind],
                      STR_ARG(name));
}

enum err iam_get_entity(struct call *call, enum iam_kind kind, struct str name,
                        struct iam_entity **ret_e)
{
    enum err err = iam_entity_load(iam_of(call), call->account, call->txn, kind, name, ret_e);
    return err == ERR_NOT_FOUND ? no_entity(call, kind, name) : err;
}

enum err iam_get_to_change(struct call *call, enum iam_kind kind, struct str name,
                           struct iam_entity **ret_e)
{
    TRY(iam_get_entity(call, kind, name, ret_e));
    if (iam_is_linked(*ret_e))
        return call_error(call, &iam_err_unmodifiable_entity_exception,
                          "Cannot perform the operation on the protected role '" STR_FMT
                          "' - this role is only modifiable by AWS",
                          STR_ARG(name));
    return ERR_OK;
}

enum err iam_check_policy_arn(struct call *call, struct str text)
{
    struct arn arn;
    return arn_parse(text, &arn) == ERR_OK
               ? ERR_OK
               : call_error(call, &iam_err_validation, "ARN " STR_FMT " is not valid.",
                            STR_ARG(text));
}

enum err iam_get_user_or_self(struct call *call, struct str name, struct iam_entity **ret_e)
{
    if (!str_is_set(name) && call->who->kind != PRINCIPAL_USER)
        return call_error(call, &iam_err_validation,
                          "Must specify userName when calling with non-User credentials");
    return iam_get_entity(call, IAM_USER, str_is_set(name) ? name : call->who->user_name, ret_e);
}

enum err iam_get_managed(struct call *call, struct str arn, struct iam_managed **ret_m)
{
    TRY(iam_check_policy_arn(call, arn));
    if (iam_aws_find(iam_of(call), arn))
        return call_error(call, &iam_err_access_denied,
                          "Policy " STR_FMT " is managed by AWS and cannot be changed.",
                          STR_ARG(arn));
    enum err err = iam_managed_load(iam_of(call), call->account, call->txn, arn, ret_m);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &iam_err_no_such_entity_exception,
                          "Policy " STR_FMT " was not found.", STR_ARG(arn));
    return err;
}

struct str iam_encoded(struct call *call, struct str document)
{
    return percent_encode(call->arena, document, false);
}

size_t iam_document_chars(struct str document)
{
    size_t n = 0;
    for (size_t i = 0; i < document.len; i++) {
        char c = document.p[i];
        n += c != ' ' && c != '\t' && c != '\r' && c != '\n';
    }
    return n;
}

enum err iam_check_document(struct call *call, enum policy_kind kind, struct str document,
                            const char *quota, size_t max)
{
    const char *why = NULL;
    enum err err = core_policy_check(call->core, call->arena, kind, document, &why);
    bool over = quota && iam_document_chars(document) > max;
    if (err == ERR_INVALID || (err == ERR_LIMIT && !over))
        return call_error(call, &iam_err_malformed_policy_document_exception, "%s", why);
    if (over)
        return call_error(call, &iam_err_limit_exceeded_exception,
                          "Cannot exceed quota for %s: %zu", quota, max);
    return err;
}

/* --- tags ------------------------------------------------------------------------------------- */

_Static_assert((int)IAM_TAGS_MAX == (int)TAGS_MAX, "an entity holds what the rules allow");

static const struct tags_rules tag_rules = {
    .nocase = true,
    .otherwise = {&iam_err_invalid_input_exception, NULL},
    .words =
        {
            [TAGS_TOO_MANY] = {&iam_err_limit_exceeded_exception,
                               "The number of tags has reached the maximum limit."},
            [TAGS_RESERVED] = {&iam_err_invalid_input_exception,
                               "Tag keys that start with aws: are reserved for system use."},
            [TAGS_DUPLICATE] = {&iam_err_invalid_input_exception,
                                "Duplicate tag keys found. Please note that Tag keys are case "
                                "insensitive."},
        },
};

static void put_tags(struct iam_tags *tags, struct tag_list all)
{
    assert(all.n <= IAM_TAGS_MAX);
    if (all.n)
        memcpy(tags->v, all.v, all.n * sizeof(*tags->v));
    tags->n = all.n;
}

enum err iam_merge_tags(struct call *call, struct iam_tags *tags, struct tag_list add)
{
    struct tag_list all;
    TRY(tags_check_call(call, &tag_rules, add));
    enum err err = tags_merge(call->arena, &tag_rules, TAGS_FROM(*tags), add, &all);
    if (err == ERR_LIMIT)
        return tags_refuse(call, &tag_rules, TAGS_TOO_MANY, (struct tag){0});
    TRY(err);
    put_tags(tags, all);
    return ERR_OK;
}

enum err iam_drop_tags(struct call *call, struct iam_tags *tags,
                       const struct iam_tag_key_list_type *keys)
{
    struct tag_list left;
    TRY(tags_without(call->arena, &tag_rules, TAGS_FROM(*tags), keys->v, keys->n, &left));
    put_tags(tags, left);
    return ERR_OK;
}

/* --- paging ----------------------------------------------------------------------------------- */

struct page iam_page_of(struct call *call, struct str scope, struct str marker, bool has_max,
                        int64_t max_items)
{
    struct page page =
        page_of_call(call, scope, marker, has_max ? (size_t)max_items : IAM_PAGE_DEFAULT);
    page.bind.region = STR(""); /* IAM is the same in all */
    return page;
}

enum err iam_page_told(struct call *call, struct iam_page *page, enum err err)
{
    if (err == ERR_INVALID)
        return call_error(call, &iam_err_validation, "Invalid Marker: " STR_FMT,
                          STR_ARG(page->p.token));
    TRY(err);
    assert(page->p.more == str_is_set(page->p.next_token));
    *page->truncated = page->p.more;
    *page->has_truncated = true;
    *page->marker = page->p.next_token;
    return ERR_OK;
}

enum err iam_page_scan(struct call *call, struct iam_page *page, struct key_range range,
                       const struct page_fns *fns, void *arg)
{
    return iam_page_told(call, page, page_scan(call->txn, &page->p, range, fns, arg));
}

/* The text that element i begins with. */
static struct str name_at(const void *list, size_t stride, size_t i)
{
    return *(const struct str *)((const char *)list + i * stride);
}

enum err iam_page_slice(struct call *call, struct iam_page *page, const void *list, size_t stride,
                        size_t n, size_t *ret_from)
{
    struct str after;
    size_t from = 0;
    enum err err = page_start(&page->p, &after);
    while (err == ERR_OK && str_is_set(after) && from < n &&
           str_cmp(name_at(list, stride, from), after) <= 0)
        from++;
    page->p.n = min_size(n - from, page->p.limit);
    if (err == ERR_OK && page->p.n < n - from)
        err = page_end(&page->p, name_at(list, stride, from + page->p.n - 1));
    *ret_from = from;
    return iam_page_told(call, page, err);
}
