/* See keep.h. Layer: core. */
#include "core/keep.h"

#include "core/call_int.h"
#include "core/inner.h"
#include "core/secret.h"

static const struct record_field kept_principal_fields[] = {
    REC_STR(struct kept_principal, access_key),
    REC_STR(struct kept_principal, token),
    REC_STR(struct kept_principal, role_arn),
    REC_STR(struct kept_principal, session),
};
const struct record_type kept_principal_type =
    RECORD_TYPE(struct kept_principal, 1, kept_principal_fields);

enum err principal_keep(const struct call *call, struct str bound, struct kept_principal *ret_kept)
{
    const struct sigv4_request *sig = &call->impl->sig;
    const struct principal *who = call->who;
    struct kept_principal kept = {0};
    if (str_is_set(sig->access_key)) {
        kept.access_key = sig->access_key;
        TRY(secret_close(call->core, call->arena, bound, sig->session_token, &kept.token));
    } else if (who->kind == PRINCIPAL_ROLE) {
        size_t slash = str_rfind(who->arn, '/');
        if (slash == SIZE_MAX || who->n_session_policies > 0)
            return ERR_DENIED;
        kept.role_arn = who->role_arn;
        kept.session = str_sub(who->arn, slash + 1, SIZE_MAX);
    } else if (str_is_set(who->access_key) && !who->token_issued_ms) {
        kept.access_key = who->access_key; /* of a user or root, whom a service asks for */
    } else {
        return ERR_DENIED;
    }
    *ret_kept = kept;
    return ERR_OK;
}

enum err principal_of_kept(struct core *core, struct arena *a, struct str bound,
                           const struct kept_principal *kept, struct principal *ret_who)
{
    const struct identity_port *id = &core->identity;
    struct str token;
    enum err err;
    if (str_is_set(kept->role_arn)) {
        err = core_role_principal(core, kept->role_arn, kept->session, a, ret_who);
    } else {
        struct credential cred;                        /* refuses a key that was made inactive */
        struct str key = str_dup(a, kept->access_key); /* which the principal names */
        if (!str_is_set(key))
            return ERR_NOMEM;
        TRY(secret_open(core, a, bound, kept->token, &token));
        err = id->credential(id->self, key, token, a, &cred);
        if (err == ERR_OK)
            err = id->principal(id->self, key, token, a, ret_who);
    }
    return err == ERR_NOT_FOUND || err == ERR_INVALID ? ERR_DENIED : err;
}

struct str call_via_source(const struct call *call)
{
    return call->impl->via.source_arn;
}
