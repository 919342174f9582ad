/* Pieces that the operations of IAM share: lookups with AWS's errors, checks, shapes, paging.
 *
 * Layer: svc. Thread: the call's loop. */
#include "codec/base64.h"
#include "codec/percent.h"
#include "svc/iam/iam_int.h"

struct iam *iam_of(struct call *call)
{
    return call->svc;
}

enum err iam_get_entity(struct call *call, enum iam_kind kind, struct str name,
                        struct iam_entity **ret_e)
{
    enum err e = iam_entity_load(call->txn, kind, name, ret_e);
    if (e == ERR_NOT_FOUND)
        return call_error(call, &iam_err_no_such_entity_exception,
                          "The %s with name " STR_FMT " cannot be found.",
                          kind == IAM_USER ? "user" : "role", STR_ARG(name));
    return e;
}

struct str iam_encoded(struct call *call, struct str document)
{
    return str_is_set(document) ? percent_encode(call->arena, document, false) : STR_NONE;
}

enum err iam_check_document(struct call *call, enum policy_kind kind, struct str document)
{
    struct policy *policy;
    const char *why = NULL;
    enum err e = policy_parse(call->arena, kind, document, &why, &policy);
    if (e == ERR_INVALID || e == ERR_LIMIT)
        return call_error(call, &iam_err_malformed_policy_document_exception, "%s", why);
    return e;
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

/* Puts a list in place of an entity's. */
static void put_tags(struct iam_tag *tags, size_t *n, struct tag_list all)
{
    struct iam_tag_list_type list;
    TAGS_INTO(list, all);
    if (list.n)
        memcpy(tags, list.v, list.n * sizeof(*tags));
    *n = list.n;
}

enum err iam_merge_tags(struct call *call, struct iam_tag *tags, size_t *n,
                        const struct iam_tag_list_type *add)
{
    const struct iam_tag_list_type have = {tags, *n};
    struct tag_list all;
    TRY(tags_check_call(call, &tag_rules, TAGS_FROM(*add)));
    enum err err = tags_merge(call->arena, &tag_rules, TAGS_FROM(have), TAGS_FROM(*add), &all);
    if (err == ERR_LIMIT)
        return tags_refuse(call, &tag_rules, TAGS_TOO_MANY, (struct tag){0});
    TRY(err);
    put_tags(tags, n, all);
    return ERR_OK;
}

enum err iam_drop_tags(struct call *call, struct iam_tag *tags, size_t *n, const struct str *keys,
                       size_t n_keys)
{
    const struct iam_tag_list_type have = {tags, *n};
    struct tag_list left;
    TRY(tags_without(call->arena, &tag_rules, TAGS_FROM(have), keys, n_keys, &left));
    put_tags(tags, n, left);
    return ERR_OK;
}

/* --- shapes ----------------------------------------------------------------------------------- */

static enum err boundary_shape(struct call *call, const struct iam_entity *e,
                               const struct iam_attached_permissions_boundary **ret)
{
    *ret = NULL;
    if (!str_is_set(e->boundary))
        return ERR_OK;
    struct iam_attached_permissions_boundary *b =
        ARENA_NEW(call->arena, struct iam_attached_permissions_boundary);
    if (!b)
        return ERR_NOMEM;
    b->permissions_boundary_type = STR("Policy");
    b->permissions_boundary_arn = e->boundary;
    *ret = b;
    return ERR_OK;
}

/* `whole`: as Get answers; lists leave out tags and boundary. */
enum err iam_role_shape(struct call *call, const struct iam_entity *e, bool whole,
                        struct iam_role *ret_role)
{
    struct iam_role r = {.path = e->path,
                         .role_name = e->name,
                         .role_id = e->id,
                         .arn = iam_entity_arn(iam_of(call), call->arena, e),
                         .assume_role_policy_document = iam_encoded(call, e->trust),
                         .description = e->description};
    if (!str_is_set(r.arn) || !str_is_set(r.assume_role_policy_document))
        return ERR_NOMEM;
    WIRE_SET(&r, create_date, e->created_ms);
    WIRE_SET(&r, max_session_duration, e->max_session_s);
    if (whole) {
        TRY(boundary_shape(call, e, &r.permissions_boundary));
        r.tags = (struct iam_tag_list_type){e->n_tags ? e->tags : NULL, e->n_tags};
    }
    *ret_role = r;
    return ERR_OK;
}

enum err iam_user_shape(struct call *call, const struct iam_entity *e, bool whole,
                        struct iam_user *ret_user)
{
    struct iam_user u = {.path = e->path,
                         .user_name = e->name,
                         .user_id = e->id,
                         .arn = iam_entity_arn(iam_of(call), call->arena, e)};
    if (!str_is_set(u.arn))
        return ERR_NOMEM;
    WIRE_SET(&u, create_date, e->created_ms);
    if (whole) {
        TRY(boundary_shape(call, e, &u.permissions_boundary));
        u.tags = (struct iam_tag_list_type){e->n_tags ? e->tags : NULL, e->n_tags};
    }
    *ret_user = u;
    return ERR_OK;
}

/* --- paging ----------------------------------------------------------------------------------- */

/* A marker is the base64 of the last name of the page before. */
enum err iam_page_init(struct call *call, struct str marker, bool has_max, int64_t max_items,
                       struct iam_page *ret_page)
{
    struct iam_page page = {.max = has_max ? (size_t)max_items : IAM_PAGE_DEFAULT};
    if (str_is_set(marker)) {
        enum err e = base64url_decode(call->arena, marker, &page.after);
        if (e == ERR_INVALID || (e == ERR_OK && page.after.len == 0))
            return call_error(call, &iam_err_validation, "Invalid Marker: " STR_FMT,
                              STR_ARG(marker));
        TRY(e);
    }
    *ret_page = page;
    return ERR_OK;
}

enum err iam_page_more(struct call *call, struct iam_page *page, struct str last)
{
    page->truncated = true;
    page->marker = base64url_encode(call->arena, last.p, last.len);
    return str_is_set(page->marker) ? ERR_OK : ERR_NOMEM;
}

struct str iam_scan_after(struct call *call, struct str key)
{
    /* str_dup ends the copy with NUL: that byte makes the next possible key. */
    struct str copy = str_is_set(key) ? str_dup(call->arena, key) : STR_NONE;
    return str_is_set(copy) ? str_n(copy.p, copy.len + 1) : STR_NONE;
}
