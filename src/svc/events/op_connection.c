/* CreateConnection, UpdateConnection, DeauthorizeConnection, DeleteConnection, DescribeConnection,
 * ListConnections. Layer: svc/events. Source: EventBridge API Reference. */
#include "base/rng.h"
#include "svc/events/events_int.h"

static const char *const types[EVENTS_AUTH_TYPES] = {
    [EVENTS_BASIC] = "BASIC",
    [EVENTS_API_KEY] = "API_KEY",
    [EVENTS_OAUTH] = "OAUTH_CLIENT_CREDENTIALS",
};
static const char *const members[EVENTS_AUTH_TYPES] = {
    [EVENTS_BASIC] = "BasicAuthParameters",
    [EVENTS_API_KEY] = "ApiKeyAuthParameters",
    [EVENTS_OAUTH] = "OAuthParameters",
};

static enum err need_connection(struct call *call, struct str name,
                                struct events_connection_ref *ret)
{
    enum err err = events_connection_read(call->txn, call_scope(call), name, ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &events_err_resource_not_found_exception,
                          "Failed to describe the connection(s). Connection '" STR_FMT
                          "' does not exist.",
                          STR_ARG(name));
    return err;
}

/* --- what was given ----------------------------------------------------------------------------- */

/* The members that creating and updating share, whose types differ in name only. */
struct given {
    bool types[EVENTS_AUTH_TYPES];
    struct str user, secret, endpoint, method;
    const struct events_connection_http_parameters *oauth, *invocation;
    bool connectivity;
};

#define GIVE(auth, g)                                                                              \
    do {                                                                                           \
        (g)->types[EVENTS_BASIC] = (auth)->basic_auth_parameters;                                  \
        (g)->types[EVENTS_API_KEY] = (auth)->api_key_auth_parameters;                              \
        (g)->types[EVENTS_OAUTH] = (auth)->o_auth_parameters;                                      \
        (g)->invocation = (auth)->invocation_http_parameters;                                      \
        (g)->connectivity |= (auth)->connectivity_parameters != NULL;                              \
        if ((auth)->basic_auth_parameters) {                                                       \
            (g)->user = (auth)->basic_auth_parameters->username;                                   \
            (g)->secret = (auth)->basic_auth_parameters->password;                                 \
        }                                                                                          \
        if ((auth)->api_key_auth_parameters) {                                                     \
            (g)->user = (auth)->api_key_auth_parameters->api_key_name;                             \
            (g)->secret = (auth)->api_key_auth_parameters->api_key_value;                          \
        }                                                                                          \
        if ((auth)->o_auth_parameters) {                                                           \
            (g)->endpoint = (auth)->o_auth_parameters->authorization_endpoint;                     \
            (g)->method = (auth)->o_auth_parameters->http_method;                                  \
            (g)->oauth = (auth)->o_auth_parameters->o_auth_http_parameters;                        \
        }                                                                                          \
        if ((auth)->o_auth_parameters && (auth)->o_auth_parameters->client_parameters) {           \
            (g)->user = (auth)->o_auth_parameters->client_parameters->client_id;                   \
            (g)->secret = (auth)->o_auth_parameters->client_parameters->client_secret;             \
        }                                                                                          \
    } while (0)

#define TAKE(a, from, to, n_to)                                                                    \
    do {                                                                                           \
        struct events_parameter *v_ = ARENA_ARRAY(a, struct events_parameter, (from).n + 1);       \
        if (!v_)                                                                                   \
            return ERR_NOMEM;                                                                      \
        for (size_t i = 0; i < (from).n; i++)                                                      \
            v_[i] = (struct events_parameter){                                                     \
                .key = str_is_set((from).v[i].key) ? (from).v[i].key : STR(""),                    \
                .value = str_is_set((from).v[i].value) ? (from).v[i].value : STR(""),              \
                .secret = (from).v[i].is_value_secret,                                             \
            };                                                                                     \
        (to) = v_;                                                                                 \
        (n_to) = (from).n;                                                                         \
    } while (0)

/* Absent ones stay as they were. */
static enum err take_parameters(struct arena *a, const struct events_connection_http_parameters *in,
                                struct events_parameters *ret)
{
    if (!in)
        return ERR_OK;
    TAKE(a, in->header_parameters, ret->headers, ret->n_headers);
    TAKE(a, in->query_string_parameters, ret->query, ret->n_query);
    TAKE(a, in->body_parameters, ret->body, ret->n_body);
    return ERR_OK;
}

static enum err type_of(struct call *call, struct str name, const struct given *g,
                        enum events_auth_type *ret)
{
    for (int t = 0; t < EVENTS_AUTH_TYPES; t++)
        if (str_eq_c(name, types[t]))
            *ret = t;
    for (int t = 0; t < EVENTS_AUTH_TYPES; t++)
        if (g->types[t] && t != (int)*ret)
            return EVENTS_INVALID(call, "%s are not for AuthorizationType %s.", members[t],
                                  types[*ret]);
    return ERR_OK;
}

/* Puts what was given over what there is, and says what is missing. */
static enum err take_auth(struct call *call, const struct given *g, struct events_auth *auth)
{
    if (g->connectivity)
        return EVENTS_INVALID(call, "Private connectivity is not supported by Weir: leave "
                                    "ConnectivityParameters out.");
    if (str_is_set(g->user))
        auth->user = g->user;
    if (str_is_set(g->secret))
        auth->secret = g->secret;
    if (str_is_set(g->endpoint))
        auth->endpoint = g->endpoint;
    if (str_is_set(g->method))
        auth->method = g->method;
    TRY(take_parameters(call->arena, g->oauth, &auth->oauth));
    TRY(take_parameters(call->arena, g->invocation, &auth->invocation));
    bool oauth = auth->type == EVENTS_OAUTH;
    if (!str_is_set(auth->user) || !str_is_set(auth->secret) ||
        (oauth && (!str_is_set(auth->endpoint) || !str_is_set(auth->method))))
        return EVENTS_INVALID(call, "AuthParameters must have %s for AuthorizationType %s.",
                              members[auth->type], types[auth->type]);
    if (oauth && !events_endpoint_valid(call->core, auth->endpoint))
        return EVENTS_INVALID(call, "Parameter AuthorizationEndpoint is not valid. Reason: it must "
                                    "begin with https:// and a host.");
    auth->token = STR_NONE; /* of what was before */
    return ERR_OK;
}

/* Seals it and stores the record in the state that follows. */
static enum err store(struct call *call, struct events_connection_ref *c,
                      const struct events_auth *auth)
{
    struct events *ev = events_of(call);
    TRY(events_auth_seal(call->txn, auth, &c->rec));
    if (c->rec.type == EVENTS_OAUTH)
        return events_token_want(ev, call->txn, c);
    c->rec.state = EVENTS_AUTHORIZED;
    c->rec.reason = STR_NONE;
    c->rec.authorized_ms = call->txn->wall_ms;
    TRY(events_token_forget(ev, call->txn, c));
    return events_connection_put(call->txn, c);
}

/* --- operations --------------------------------------------------------------------------------- */

#define ANSWER(call, c, out)                                                                       \
    do {                                                                                           \
        (out)->connection_arn = events_connection_arn((call)->arena, (call)->core, (c));           \
        (out)->connection_state = str_c(events_connection_state_name((c)->rec.state));             \
        WIRE_SET((out), creation_time, (c)->rec.created_ms);                                       \
        WIRE_SET((out), last_modified_time, (c)->rec.modified_ms);                                 \
        if (!str_is_set((out)->connection_arn))                                                    \
            return ERR_NOMEM;                                                                      \
    } while (0)

static enum err refuse_more(struct call *call, struct str kms_key, bool connectivity)
{
    TRY(events_refuse_key(call, kms_key));
    if (connectivity)
        return EVENTS_INVALID(call, "Private connectivity is not supported by Weir: leave "
                                    "InvocationConnectivityParameters out.");
    return ERR_OK;
}

static enum err check_room(struct call *call, struct str name)
{
    struct events_connection_ref old;
    size_t n;
    enum err err = events_connection_read(call->txn, call_scope(call), name, &old);
    if (err == ERR_OK)
        return call_error(call, &events_err_resource_already_exists_exception,
                          "Connection " STR_FMT " already exists.", STR_ARG(name));
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(events_count(call->txn, key_range(call->arena, &events_k_connection, call_scope(call)),
                     &n));
    if (n >= EVENTS_CONNECTIONS_MAX)
        return call_error(call, &events_err_limit_exceeded_exception,
                          "The requested resource exceeds the maximum number allowed.");
    return ERR_OK;
}

enum err events_create_connection(struct call *call,
                                  const struct events_create_connection_input *in,
                                  struct events_create_connection_output *out)
{
    char uuid[RNG_UUID_LEN + 1];
    struct given g = {0};
    struct events_auth auth = {0};
    struct events_connection_ref c = {.scope = call_scope(call), .name = in->name};
    TRY(refuse_more(call, in->kms_key_identifier, in->invocation_connectivity_parameters));
    TRY(check_room(call, in->name));
    GIVE(in->auth_parameters, &g);
    TRY(type_of(call, in->authorization_type, &g, &auth.type));
    TRY(take_auth(call, &g, &auth));
    c.rec = (struct events_connection_rec){
        .id = str_dup(call->arena, rng_uuid(uuid)),
        .description = in->description,
        .type = auth.type,
        .created_ms = call->txn->wall_ms,
        .modified_ms = call->txn->wall_ms,
    };
    if (!str_is_set(c.rec.id))
        return ERR_NOMEM;
    TRY(store(call, &c, &auth));
    ANSWER(call, &c, out);
    return ERR_OK;
}

enum err events_update_connection(struct call *call,
                                  const struct events_update_connection_input *in,
                                  struct events_update_connection_output *out)
{
    struct given g = {0};
    struct events_auth auth;
    struct events_connection_ref c;
    TRY(need_connection(call, in->name, &c));
    TRY(refuse_more(call, in->kms_key_identifier, in->invocation_connectivity_parameters));
    TRY(events_auth_open(call->txn, &c.rec, &auth));
    if (in->auth_parameters)
        GIVE(in->auth_parameters, &g);
    TRY(type_of(call, in->authorization_type, &g, &auth.type));
    if (auth.type != c.rec.type) /* nothing of another type is kept, but what every request gets */
        auth = (struct events_auth){.type = auth.type, .invocation = auth.invocation};
    c.rec.type = auth.type;
    if (str_is_set(in->description))
        c.rec.description = in->description;
    c.rec.modified_ms = call->txn->wall_ms;
    bool changes = in->auth_parameters || str_is_set(in->authorization_type);
    if (changes) {
        TRY(take_auth(call, &g, &auth));
        TRY(store(call, &c, &auth));
    } else {
        TRY(events_connection_put(call->txn, &c));
    }
    ANSWER(call, &c, out);
    if (c.rec.authorized_ms)
        WIRE_SET(out, last_authorized_time, c.rec.authorized_ms);
    return ERR_OK;
}

enum err events_deauthorize_connection(struct call *call,
                                       const struct events_deauthorize_connection_input *in,
                                       struct events_deauthorize_connection_output *out)
{
    struct events_connection_ref c;
    TRY(need_connection(call, in->name, &c));
    c.rec.sealed = STR_NONE;
    c.rec.state = EVENTS_DEAUTHORIZED;
    c.rec.reason = STR_NONE;
    c.rec.version = rng_u64();
    c.rec.modified_ms = call->txn->wall_ms;
    TRY(events_token_forget(events_of(call), call->txn, &c));
    TRY(events_connection_put(call->txn, &c));
    ANSWER(call, &c, out);
    if (c.rec.authorized_ms)
        WIRE_SET(out, last_authorized_time, c.rec.authorized_ms);
    return ERR_OK;
}

enum err events_delete_connection(struct call *call,
                                  const struct events_delete_connection_input *in,
                                  struct events_delete_connection_output *out)
{
    struct events_connection_ref c;
    TRY(need_connection(call, in->name, &c));
    TRY(events_token_forget(events_of(call), call->txn, &c));
    TRY(txn_del(call->txn, key_make(call->arena, &events_k_connection, c.scope, c.name)));
    ANSWER(call, &c, out);
    out->connection_state = STR("DELETING");
    if (c.rec.authorized_ms)
        WIRE_SET(out, last_authorized_time, c.rec.authorized_ms);
    return ERR_OK;
}

/* --- showing: never a secret (EV6) -------------------------------------------------------------- */

#define SHOW(a, T, list, n_list, to)                                                               \
    do {                                                                                           \
        struct T *v_ = ARENA_ARRAY(a, struct T, (n_list) + 1);                                     \
        if (!v_)                                                                                   \
            return ERR_NOMEM;                                                                      \
        for (size_t i = 0; i < (n_list); i++) {                                                    \
            v_[i] = (struct T){.key = (list)[i].key};                                              \
            if (!(list)[i].secret)                                                                 \
                v_[i].value = (list)[i].value;                                                     \
            WIRE_SET(&v_[i], is_value_secret, (list)[i].secret);                                   \
        }                                                                                          \
        (to).v = v_;                                                                               \
        (to).n = (n_list);                                                                         \
    } while (0)

/* NULL where there are none. */
static enum err show_parameters(struct arena *a, const struct events_parameters *p,
                                const struct events_connection_http_parameters **ret)
{
    struct events_connection_http_parameters *h =
        ARENA_NEW(a, struct events_connection_http_parameters);
    *ret = NULL;
    if (p->n_headers + p->n_query + p->n_body == 0)
        return ERR_OK;
    if (!h)
        return ERR_NOMEM;
    if (p->n_headers > 0)
        SHOW(a, events_connection_header_parameter, p->headers, p->n_headers, h->header_parameters);
    if (p->n_query > 0)
        SHOW(a, events_connection_query_string_parameter, p->query, p->n_query,
             h->query_string_parameters);
    if (p->n_body > 0)
        SHOW(a, events_connection_body_parameter, p->body, p->n_body, h->body_parameters);
    *ret = h;
    return ERR_OK;
}

static enum err show_oauth(struct arena *a, const struct events_auth *auth,
                           struct events_connection_auth_response_parameters *ret)
{
    struct events_connection_o_auth_response_parameters *o =
        ARENA_NEW(a, struct events_connection_o_auth_response_parameters);
    struct events_connection_o_auth_client_response_parameters *client =
        ARENA_NEW(a, struct events_connection_o_auth_client_response_parameters);
    if (!o || !client)
        return ERR_NOMEM;
    client->client_id = auth->user;
    o->client_parameters = client;
    o->authorization_endpoint = auth->endpoint;
    o->http_method = auth->method;
    ret->o_auth_parameters = o;
    return show_parameters(a, &auth->oauth, &o->o_auth_http_parameters);
}

static enum err show_auth(struct arena *a, const struct events_auth *auth,
                          struct events_connection_auth_response_parameters *ret)
{
    struct events_connection_basic_auth_response_parameters *basic =
        ARENA_NEW(a, struct events_connection_basic_auth_response_parameters);
    struct events_connection_api_key_auth_response_parameters *key =
        ARENA_NEW(a, struct events_connection_api_key_auth_response_parameters);
    if (!basic || !key)
        return ERR_NOMEM;
    basic->username = key->api_key_name = auth->user;
    ret->basic_auth_parameters = auth->type == EVENTS_BASIC ? basic : NULL;
    ret->api_key_auth_parameters = auth->type == EVENTS_API_KEY ? key : NULL;
    if (auth->type == EVENTS_OAUTH)
        TRY(show_oauth(a, auth, ret));
    return show_parameters(a, &auth->invocation, &ret->invocation_http_parameters);
}

enum err events_describe_connection(struct call *call,
                                    const struct events_describe_connection_input *in,
                                    struct events_describe_connection_output *out)
{
    struct events_connection_ref c;
    struct events_auth auth;
    struct events_connection_auth_response_parameters *shown =
        ARENA_NEW(call->arena, struct events_connection_auth_response_parameters);
    TRY(need_connection(call, in->name, &c));
    TRY(events_auth_open(call->txn, &c.rec, &auth));
    if (!shown)
        return ERR_NOMEM;
    if (str_is_set(c.rec.sealed)) {
        TRY(show_auth(call->arena, &auth, shown));
        out->auth_parameters = shown;
    }
    out->name = c.name;
    out->description = c.rec.description;
    out->state_reason = c.rec.reason;
    out->authorization_type = str_c(types[c.rec.type]);
    ANSWER(call, &c, out);
    if (c.rec.authorized_ms)
        WIRE_SET(out, last_authorized_time, c.rec.authorized_ms);
    return ERR_OK;
}

struct listing {
    struct call *call;
    struct str state;
    struct events_connection *v;
    size_t n;
};

static enum err match(void *arg, struct str key, struct str record, bool *ret_match)
{
    const struct listing *l = arg;
    struct events_connection_rec r = {0};
    TRY(record_unpack_copy(&events_connection_type, l->call->arena, record, &r));
    *ret_match = !str_is_set(l->state) || str_eq_c(l->state, events_connection_state_name(r.state));
    return ERR_OK;
}

static enum err take(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct events_connection *v = &l->v[l->n++];
    struct events_connection_ref c = {0};
    TRY(record_unpack_copy(&events_connection_type, l->call->arena, record, &c.rec));
    TRY(key_read(&events_k_connection, key, l->call->arena, &c.scope, &c.name));
    v->name = c.name;
    v->state_reason = c.rec.reason;
    v->authorization_type = str_c(types[c.rec.type]);
    ANSWER(l->call, &c, v);
    if (c.rec.authorized_ms)
        WIRE_SET(v, last_authorized_time, c.rec.authorized_ms);
    return ERR_OK;
}

enum err events_list_connections(struct call *call, const struct events_list_connections_input *in,
                                 struct events_list_connections_output *out)
{
    static const struct page_fns fns = {match, take};
    struct listing l = {.call = call, .state = in->connection_state};
    struct str prefix = str_is_set(in->name_prefix) ? in->name_prefix : STR("");
    struct str bind =
        str_fmt(call->arena, STR_FMT "\n" STR_FMT, STR_ARG(prefix), STR_ARG(in->connection_state));
    if (!str_is_set(bind))
        return ERR_NOMEM;
    struct page page = page_of_call(call, bind, in->next_token,
                                    in->has_limit ? (size_t)in->limit : EVENTS_LIST_MAX);
    l.v = ARENA_ARRAY(call->arena, struct events_connection, page.limit);
    if (!l.v)
        return ERR_NOMEM;
    struct key_range range =
        key_range(call->arena, &events_k_connection, call_scope(call), KEY_STARTS(prefix));
    TRY(events_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->connections = (struct events_connection_response_list){l.v, l.n};
    out->next_token = page.next_token;
    return ERR_OK;
}
