/* Service-linked roles: roles that belong to a service, made for the asking, which nobody but AWS
 * changes. Deleting one is a task on AWS, since the service may use it still; here nothing does, and it
 * is done when the answer says so. The task's id proves itself (half of it is a MAC under the key of
 * session tokens), so that nothing is kept of tasks.
 *
 * Source: IAM API Reference, CreateServiceLinkedRole; IAM User Guide, "Create a service-linked role".
 * Layer: svc. Thread: the call's loop. */
#include <assert.h>

#include "base/rng.h"
#include "codec/hash.h"
#include "codec/hex.h"
#include "svc/iam/iam_used.h"

enum { TASK_HALF_BYTES = 8, TASK_TEXT_MAX = 512 };

/* --- create ----------------------------------------------------------------------------------- */

/* "my-thing.amazonaws.com" -> "My-thing", for services that the table lacks. */
static struct str made_name(struct call *call, struct str service)
{
    struct str label = str_cut(&service, '.');
    char first = label.len && label.p[0] >= 'a' && label.p[0] <= 'z'
                     ? (char)(label.p[0] - 'a' + 'A')
                     : (char)(label.len ? label.p[0] : 'X');
    return str_fmt(call->arena, "%c" STR_FMT, first, STR_ARG(str_sub(label, 1, label.len)));
}

static enum err name_role(struct call *call, const struct iam_create_service_linked_role_input *in,
                          const struct iam_linked *known, struct iam_entity *e)
{
    struct str service = in->aws_service_name;
    bool suffix = str_is_set(in->custom_suffix);
    if (!str_ends(service, STR(".amazonaws.com")))
        return call_error(call, &iam_err_invalid_input_exception,
                          "Service " STR_FMT " has no service-linked role.", STR_ARG(service));
    if (suffix && !(known && known->suffix))
        return call_error(call, &iam_err_invalid_input_exception,
                          "Custom suffix is not allowed for " STR_FMT, STR_ARG(service));
    struct str word = known ? str_c(known->role) : made_name(call, service);
    e->name = str_fmt(call->arena, "AWSServiceRoleFor" STR_FMT "%s" STR_FMT, STR_ARG(word),
                      suffix ? "_" : "", STR_ARG(suffix ? in->custom_suffix : STR("")));
    e->path = str_fmt(call->arena, IAM_LINKED_PATH STR_FMT "/", STR_ARG(service));
    e->trust =
        str_fmt(call->arena,
                "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                "\"Principal\":{\"Service\":\"" STR_FMT "\"},\"Action\":\"sts:AssumeRole\"}]}",
                STR_ARG(service));
    return str_is_set(e->name) && str_is_set(e->path) && str_is_set(e->trust) ? ERR_OK : ERR_NOMEM;
}

static enum err check_free(struct call *call, struct str name)
{
    struct str there;
    enum err err =
        txn_get(call->txn, iam_entity_key(call->account, call->arena, IAM_ROLE, name), &there);
    if (err == ERR_OK)
        return call_error(call, &iam_err_invalid_input_exception,
                          "Service role name " STR_FMT
                          " has been taken in this account, please try a different suffix.",
                          STR_ARG(name));
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err iam_create_service_linked_role(struct call *call,
                                        const struct iam_create_service_linked_role_input *in,
                                        struct iam_create_service_linked_role_output *out)
{
    const struct iam_linked *known = iam_linked_find(in->aws_service_name);
    struct iam_entity *e = ARENA_NEW(call->arena, struct iam_entity);
    if (!e)
        return ERR_NOMEM;
    e->kind = IAM_ROLE;
    e->description = in->description;
    e->max_session_s = IAM_SESSION_DEFAULT_S;
    TRY(name_role(call, in, known, e));
    TRY(check_free(call, e->name));
    if (known) {
        e->attached[0] = str_fmt(call->arena, "arn:" STR_FMT ":iam::aws:policy/aws-service-role/%s",
                                 STR_ARG(call->partition), known->policy);
        e->n_attached = 1;
        if (!str_is_set(e->attached[0]))
            return ERR_NOMEM;
    }
    TRY(iam_check_document(call, POLICY_TRUST, e->trust, NULL, 0));
    TRY(iam_create_entity(call, e, "AROA", (struct tag_list){0}));
    return iam_new_role_shape(call, e, &out->role);
}

/* --- delete ----------------------------------------------------------------------------------- */

/* 16 hexadecimal digits that only this server makes of what comes before them. */
static struct str proof(struct call *call, struct str path, struct str random)
{
    char text[TASK_TEXT_MAX];
    uint8_t mac[HASH_SHA256_LEN];
    int n = snprintf(text, sizeof(text), "deletion " STR_FMT " " STR_FMT, STR_ARG(path),
                     STR_ARG(random));
    if (n < 0 || (size_t)n >= sizeof(text))
        return STR_NONE;
    const struct iam *iam = iam_of(call);
    hmac_sha256(iam->token_key, sizeof(iam->token_key), text, (size_t)n, mac);
    return hex_encode(call->arena, mac, TASK_HALF_BYTES);
}

enum err iam_delete_service_linked_role(struct call *call,
                                        const struct iam_delete_service_linked_role_input *in,
                                        struct iam_delete_service_linked_role_output *out)
{
    struct iam_entity *e;
    uint8_t bytes[TASK_HALF_BYTES];
    TRY(iam_get_entity(call, IAM_ROLE, in->role_name, &e));
    if (!iam_is_linked(e))
        return call_error(call, &iam_err_no_such_entity_exception,
                          "The service-linked role with name " STR_FMT " cannot be found.",
                          STR_ARG(in->role_name));
    rng_bytes(bytes, sizeof(bytes));
    struct str random = hex_encode(call->arena, bytes, sizeof(bytes));
    struct str path =
        str_fmt(call->arena, "task" STR_FMT STR_FMT, STR_ARG(e->path), STR_ARG(e->name));
    if (!str_is_set(random) || !str_is_set(path))
        return ERR_NOMEM;
    struct str mac = proof(call, path, random);
    if (!str_is_set(mac))
        return ERR_NOMEM;
    out->deletion_task_id =
        str_fmt(call->arena, STR_FMT "/%.8s-%.4s-%.4s-%.4s-%.12s", STR_ARG(path), random.p,
                random.p + 8, random.p + 12, mac.p, mac.p + 4);
    if (!str_is_set(out->deletion_task_id))
        return ERR_NOMEM;
    TRY(iam_uses_forget(iam_of(call)->uses, call->txn, call->account, e->id));
    return iam_entity_remove(iam_of(call), call->txn, e);
}

enum err iam_get_service_linked_role_deletion_status(
    struct call *call, const struct iam_get_service_linked_role_deletion_status_input *in,
    struct iam_get_service_linked_role_deletion_status_output *out)
{
    struct str id = in->deletion_task_id, digits = STR("");
    size_t slash = str_rfind(id, '/');
    struct str path = str_sub(id, 0, slash == SIZE_MAX ? 0 : slash);
    struct str uuid = str_sub(id, path.len + 1, id.len);
    if (uuid.len == 36 && str_starts(path, STR("task" IAM_LINKED_PATH)))
        digits = str_fmt(call->arena, "%.8s%.4s%.4s%.4s%.12s", uuid.p, uuid.p + 9, uuid.p + 14,
                         uuid.p + 19, uuid.p + 24);
    if (!str_is_set(digits))
        return ERR_NOMEM;
    struct str mac = digits.len ? proof(call, path, str_sub(digits, 0, 16)) : STR_NONE;
    if (!str_is_set(mac) || !str_eq(mac, str_sub(digits, 16, 32)))
        return call_error(call, &iam_err_no_such_entity_exception,
                          "Service linked role deletion task id " STR_FMT " cannot be found.",
                          STR_ARG(id));
    out->status = STR("SUCCEEDED");
    return ERR_OK;
}
