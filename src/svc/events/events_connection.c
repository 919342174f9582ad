/* Records of connections and API destinations, and what of them is sealed.
 *
 * Layer: svc/events. Thread: the transaction's. */
#include "core/secret.h"
#include "core/txn_record.h"
#include "svc/events/events_int.h"

static const struct record_field parameter_fields[] = {
    REC_STR(struct events_parameter, key),
    REC_STR(struct events_parameter, value),
    REC_BOOL(struct events_parameter, secret),
};
static const struct record_type parameter_type =
    RECORD_TYPE(struct events_parameter, 1, parameter_fields);

#define PARAMETERS(list, n)                                                                        \
    REC_LIST(struct events_parameters, list, n, EVENTS_PARAMETERS_MAX, &parameter_type)

static const struct record_field parameters_fields[] = {
    PARAMETERS(headers, n_headers),
    PARAMETERS(query, n_query),
    PARAMETERS(body, n_body),
};
static const struct record_type parameters_type =
    RECORD_TYPE(struct events_parameters, 1, parameters_fields);

static const struct record_field auth_fields[] = {
    REC_ENUM(struct events_auth, type, EVENTS_AUTH_TYPES),
    REC_STR(struct events_auth, user),
    REC_STR(struct events_auth, secret),
    REC_STR(struct events_auth, endpoint),
    REC_STR(struct events_auth, method),
    REC_STRUCT(struct events_auth, oauth, &parameters_type),
    REC_STRUCT(struct events_auth, invocation, &parameters_type),
    REC_STR(struct events_auth, token),
};
static const struct record_type auth_type = RECORD_TYPE(struct events_auth, 1, auth_fields);

static const struct record_field connection_fields[] = {
    REC_STR(struct events_connection_rec, id),
    REC_STR(struct events_connection_rec, description),
    REC_STR(struct events_connection_rec, reason),
    REC_ENUM(struct events_connection_rec, type, EVENTS_AUTH_TYPES),
    REC_ENUM(struct events_connection_rec, state, EVENTS_CONNECTION_STATES),
    REC_UINT(struct events_connection_rec, version),
    REC_STR(struct events_connection_rec, sealed),
    REC_INT(struct events_connection_rec, created_ms),
    REC_INT(struct events_connection_rec, modified_ms),
    REC_INT(struct events_connection_rec, authorized_ms),
};
const struct record_type events_connection_type =
    RECORD_TYPE(struct events_connection_rec, 1, connection_fields);

static const struct record_field destination_fields[] = {
    REC_STR(struct events_destination_rec, id),
    REC_STR(struct events_destination_rec, description),
    REC_STR(struct events_destination_rec, connection),
    REC_STR(struct events_destination_rec, endpoint),
    REC_STR(struct events_destination_rec, method),
    REC_INT(struct events_destination_rec, per_second),
    REC_INT(struct events_destination_rec, created_ms),
    REC_INT(struct events_destination_rec, modified_ms),
};
const struct record_type events_destination_type =
    RECORD_TYPE(struct events_destination_rec, 1, destination_fields);

/* --- names -------------------------------------------------------------------------------------- */

struct str events_connection_arn(struct arena *a, const struct core *core,
                                 const struct events_connection_ref *c)
{
    struct str both = str_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(c->name), STR_ARG(c->rec.id));
    return str_is_set(both) ? events_arn(a, core, c->scope, "connection", both) : STR_NONE;
}

const char *events_connection_state_name(enum events_connection_state state)
{
    static const char *const names[EVENTS_CONNECTION_STATES] = {
        [EVENTS_AUTHORIZED] = "AUTHORIZED",
        [EVENTS_AUTHORIZING] = "AUTHORIZING",
        [EVENTS_DEAUTHORIZED] = "DEAUTHORIZED",
    };
    return names[state];
}

bool events_endpoint_valid(const struct core *core, struct str url)
{
    static const struct str tls = STR_INIT("https://"), plain = STR_INIT("http://");
    bool open = core->cfg.outgoing_loopback && str_starts(url, plain);
    size_t at = open ? plain.len : tls.len;
    if (!open && !str_starts(url, tls))
        return false;
    char first = url.len > at ? url.p[at] : '/';
    return first != '/' && first != '?' && first != '*' && first != ':';
}

/* --- reading and writing ------------------------------------------------------------------------ */

enum err events_connection_read(struct txn *txn, struct key_scope scope, struct str name,
                                struct events_connection_ref *ret)
{
    *ret = (struct events_connection_ref){.scope = scope, .name = name};
    return txn_read(txn, key_make(txn->arena, &events_k_connection, scope, name),
                    &events_connection_type, &ret->rec);
}

enum err events_connection_find(struct txn *txn, struct str text, struct events_connection_ref *ret)
{
    struct arn arn;
    if (arn_parse_as(text, "events", "connection", &arn) != ERR_OK)
        return ERR_NOT_FOUND;
    const struct key_scope scope = {arn.account, arn.region};
    TRY(events_connection_read(txn, scope, arn_segment(&arn, 1), ret));
    return str_eq(ret->rec.id, arn_segment(&arn, 2)) ? ERR_OK : ERR_NOT_FOUND;
}

enum err events_connection_put(struct txn *txn, const struct events_connection_ref *c)
{
    return txn_write(txn, key_make(txn->arena, &events_k_connection, c->scope, c->name),
                     &events_connection_type, &c->rec);
}

enum err events_auth_open(struct txn *txn, const struct events_connection_rec *c,
                          struct events_auth *ret)
{
    struct str plain;
    *ret = (struct events_auth){.type = c->type};
    if (!str_is_set(c->sealed))
        return ERR_OK;
    TRY(secret_open(txn->core, txn->arena, c->id, c->sealed, &plain));
    return record_unpack(&auth_type, txn->arena, plain, ret);
}

enum err events_auth_seal(struct txn *txn, const struct events_auth *auth,
                          struct events_connection_rec *c)
{
    struct str plain;
    TRY(record_make(&auth_type, txn->arena, auth, &plain));
    return secret_close(txn->core, txn->arena, c->id, plain, &c->sealed);
}

static enum err count_one(void *arg, struct str key, struct str val)
{
    ++*(size_t *)arg;
    return ERR_OK;
}

enum err events_count(struct txn *txn, struct key_range range, size_t *ret_n)
{
    *ret_n = 0;
    return txn_each(txn, range, count_one, ret_n);
}
