/* CreateApiDestination, UpdateApiDestination, DeleteApiDestination, DescribeApiDestination,
 * ListApiDestinations; API destinations as targets of rules (core/target.h).
 *
 * Layer: svc/events. Source: EventBridge API Reference. */
#include "base/rng.h"
#include "core/txn_record.h"
#include "svc/events/events_int.h"

/* --- records ------------------------------------------------------------------------------------ */

struct destination {
    struct key_scope scope;
    struct str name;
    struct events_destination_rec rec;
};

static enum err destination_read(struct txn *txn, struct key_scope scope, struct str name,
                                 struct destination *ret)
{
    *ret = (struct destination){.scope = scope, .name = name};
    return txn_read(txn, key_make(txn->arena, &events_k_destination, scope, name),
                    &events_destination_type, &ret->rec);
}

static enum err destination_put(struct txn *txn, const struct destination *d)
{
    return txn_write(txn, key_make(txn->arena, &events_k_destination, d->scope, d->name),
                     &events_destination_type, &d->rec);
}

static struct str destination_arn(struct arena *a, const struct core *core,
                                  const struct destination *d)
{
    struct str both = str_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(d->name), STR_ARG(d->rec.id));
    return str_is_set(both) ? events_arn(a, core, d->scope, "api-destination", both) : STR_NONE;
}

static enum err need_destination(struct call *call, struct str name, struct destination *ret)
{
    enum err err = destination_read(call->txn, call_scope(call), name, ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &events_err_resource_not_found_exception,
                          "Failed to describe the api-destination(s). An api-destination '" STR_FMT
                          "' does not exist.",
                          STR_ARG(name));
    return err;
}

/* Whether its connection can be used. */
static enum err state_of(struct txn *txn, const struct destination *d, struct str *ret)
{
    struct events_connection_ref c;
    enum err err = events_connection_find(txn, d->rec.connection, &c);
    bool active = err == ERR_OK && c.rec.state != EVENTS_DEAUTHORIZED;
    *ret = active ? STR("ACTIVE") : STR("INACTIVE");
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* --- creating and changing ---------------------------------------------------------------------- */

static enum err check(struct call *call, const struct events_destination_rec *r)
{
    struct events_connection_ref c;
    if (!events_endpoint_valid(call->core, r->endpoint))
        return EVENTS_INVALID(call, "Parameter InvocationEndpoint is not valid. Reason: it must "
                                    "begin with https:// and a host.");
    if (r->per_second > EVENTS_RATE_MAX)
        return call_error(call, &events_err_limit_exceeded_exception,
                          "InvocationRateLimitPerSecond is more than %d.", EVENTS_RATE_MAX);
    enum err err = events_connection_find(call->txn, r->connection, &c);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &events_err_resource_not_found_exception,
                          "Connection '" STR_FMT "' does not exist.", STR_ARG(r->connection));
    return err;
}

static enum err check_room(struct call *call, struct str name)
{
    struct destination old;
    size_t n;
    enum err err = destination_read(call->txn, call_scope(call), name, &old);
    if (err == ERR_OK)
        return call_error(call, &events_err_resource_already_exists_exception,
                          "An api-destination '" STR_FMT "' already exists.", STR_ARG(name));
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(events_count(call->txn, key_range(call->arena, &events_k_destination, call_scope(call)),
                     &n));
    if (n >= EVENTS_DESTINATIONS_MAX)
        return call_error(call, &events_err_limit_exceeded_exception,
                          "The requested resource exceeds the maximum number allowed.");
    return ERR_OK;
}

#define ANSWER(call, d, out)                                                                       \
    do {                                                                                           \
        (out)->api_destination_arn = destination_arn((call)->arena, (call)->core, (d));            \
        TRY(state_of((call)->txn, (d), &(out)->api_destination_state));                            \
        WIRE_SET((out), creation_time, (d)->rec.created_ms);                                       \
        WIRE_SET((out), last_modified_time, (d)->rec.modified_ms);                                 \
        if (!str_is_set((out)->api_destination_arn))                                               \
            return ERR_NOMEM;                                                                      \
    } while (0)

/* What describing and listing show besides. */
#define SHOW(d, out)                                                                               \
    do {                                                                                           \
        (out)->name = (d)->name;                                                                   \
        (out)->connection_arn = (d)->rec.connection;                                               \
        (out)->invocation_endpoint = (d)->rec.endpoint;                                            \
        (out)->http_method = (d)->rec.method;                                                      \
        WIRE_SET((out), invocation_rate_limit_per_second, (d)->rec.per_second);                    \
    } while (0)

enum err events_create_api_destination(struct call *call,
                                       const struct events_create_api_destination_input *in,
                                       struct events_create_api_destination_output *out)
{
    char uuid[RNG_UUID_LEN + 1];
    struct destination d = {.scope = call_scope(call), .name = in->name};
    d.rec = (struct events_destination_rec){
        .id = str_dup(call->arena, rng_uuid(uuid)),
        .description = in->description,
        .connection = in->connection_arn,
        .endpoint = in->invocation_endpoint,
        .method = in->http_method,
        .per_second = in->has_invocation_rate_limit_per_second
                          ? in->invocation_rate_limit_per_second
                          : EVENTS_RATE_MAX,
        .created_ms = call->txn->wall_ms,
        .modified_ms = call->txn->wall_ms,
    };
    if (!str_is_set(d.rec.id))
        return ERR_NOMEM;
    TRY(check_room(call, in->name));
    TRY(check(call, &d.rec));
    TRY(destination_put(call->txn, &d));
    ANSWER(call, &d, out);
    return ERR_OK;
}

enum err events_update_api_destination(struct call *call,
                                       const struct events_update_api_destination_input *in,
                                       struct events_update_api_destination_output *out)
{
    struct destination d;
    TRY(need_destination(call, in->name, &d));
    if (str_is_set(in->description))
        d.rec.description = in->description;
    if (str_is_set(in->connection_arn))
        d.rec.connection = in->connection_arn;
    if (str_is_set(in->invocation_endpoint))
        d.rec.endpoint = in->invocation_endpoint;
    if (str_is_set(in->http_method))
        d.rec.method = in->http_method;
    if (in->has_invocation_rate_limit_per_second)
        d.rec.per_second = in->invocation_rate_limit_per_second;
    d.rec.modified_ms = call->txn->wall_ms;
    TRY(check(call, &d.rec));
    TRY(destination_put(call->txn, &d));
    ANSWER(call, &d, out);
    return ERR_OK;
}

enum err events_delete_api_destination(struct call *call,
                                       const struct events_delete_api_destination_input *in,
                                       struct events_delete_api_destination_output *out)
{
    struct destination d;
    TRY(need_destination(call, in->name, &d));
    return txn_del(call->txn, key_make(call->arena, &events_k_destination, d.scope, d.name));
}

enum err events_describe_api_destination(struct call *call,
                                         const struct events_describe_api_destination_input *in,
                                         struct events_describe_api_destination_output *out)
{
    struct destination d;
    TRY(need_destination(call, in->name, &d));
    out->description = d.rec.description;
    SHOW(&d, out);
    ANSWER(call, &d, out);
    return ERR_OK;
}

/* --- listing ------------------------------------------------------------------------------------ */

struct listing {
    struct call *call;
    struct str connection;
    struct events_api_destination *v;
    size_t n;
};

static enum err match(void *arg, struct str key, struct str record, bool *ret_match)
{
    const struct listing *l = arg;
    struct events_destination_rec r = {0};
    TRY(record_unpack_copy(&events_destination_type, l->call->arena, record, &r));
    *ret_match = !str_is_set(l->connection) || str_eq(l->connection, r.connection);
    return ERR_OK;
}

static enum err take(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct events_api_destination *v = &l->v[l->n++];
    struct destination d = {0};
    TRY(record_unpack_copy(&events_destination_type, l->call->arena, record, &d.rec));
    TRY(key_read(&events_k_destination, key, l->call->arena, &d.scope, &d.name));
    SHOW(&d, v);
    ANSWER(l->call, &d, v);
    return ERR_OK;
}

enum err events_list_api_destinations(struct call *call,
                                      const struct events_list_api_destinations_input *in,
                                      struct events_list_api_destinations_output *out)
{
    static const struct page_fns fns = {match, take};
    struct listing l = {.call = call, .connection = in->connection_arn};
    struct str prefix = str_is_set(in->name_prefix) ? in->name_prefix : STR("");
    struct str bind =
        str_fmt(call->arena, STR_FMT "\n" STR_FMT, STR_ARG(prefix), STR_ARG(in->connection_arn));
    if (!str_is_set(bind))
        return ERR_NOMEM;
    struct page page = page_of_call(call, bind, in->next_token,
                                    in->has_limit ? (size_t)in->limit : EVENTS_LIST_MAX);
    l.v = ARENA_ARRAY(call->arena, struct events_api_destination, page.limit);
    if (!l.v)
        return ERR_NOMEM;
    struct key_range range =
        key_range(call->arena, &events_k_destination, call_scope(call), KEY_STARTS(prefix));
    TRY(events_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->api_destinations = (struct events_api_destination_response_list){l.v, l.n};
    out->next_token = page.next_token;
    return ERR_OK;
}

/* --- as a target -------------------------------------------------------------------------------- */

enum err events_destination_find(void *self, struct txn *txn, struct str text,
                                 struct target_found *ret_found)
{
    struct arn arn;
    struct destination *d = ARENA_NEW(txn->arena, struct destination);
    if (arn_parse_as(text, "events", "api-destination", &arn) != ERR_OK)
        return ERR_NOT_FOUND;
    if (!d)
        return ERR_NOMEM;
    const struct key_scope scope = {arn.account, arn.region};
    TRY(destination_read(txn, scope, arn_segment(&arn, 1), d));
    if (!str_eq(d->rec.id, arn_segment(&arn, 2)))
        return ERR_NOT_FOUND;
    *ret_found = (struct target_found){.arn = text, .opened = d};
    return ERR_OK;
}

enum err events_destination_request(void *self, struct txn *txn, const struct target_found *found,
                                    const struct target_delivery *delivery,
                                    struct target_request *ret)
{
    const struct destination *d = found->opened;
    struct events_connection_ref c;
    struct events_auth auth;
    enum err err = events_connection_find(txn, d->rec.connection, &c);
    if (err == ERR_NOT_FOUND)
        return ERR_CLOSED;
    TRY(err);
    if (c.rec.state != EVENTS_AUTHORIZED)
        return c.rec.state == EVENTS_AUTHORIZING ? ERR_SUSPENDED : ERR_CLOSED;
    TRY(events_auth_open(txn, &c.rec, &auth));
    return events_request_make(txn->arena, &d->rec, &auth, delivery, ret);
}

/* A token that is not taken any more is fetched anew; other credentials are what they are. */
enum err events_destination_unknown(void *self, struct txn *txn, const struct target_found *found)
{
    const struct destination *d = found->opened;
    struct events_connection_ref c;
    TRY(events_connection_find(txn, d->rec.connection, &c));
    if (c.rec.type != EVENTS_OAUTH || c.rec.state != EVENTS_AUTHORIZED)
        return ERR_OK;
    return events_token_want(self, txn, &c);
}
