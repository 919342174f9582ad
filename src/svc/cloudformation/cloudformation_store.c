/* Reading and writing the service's records. Those that may hold what a template was told in confidence
 * (NoEcho) are sealed whole, under the key that their record names (core/secret.h).
 *
 * Layer: svc/cloudformation. Thread: the transaction's. */
#include "base/clock.h"
#include "base/rng.h"
#include "codec/json.h"
#include "core/secret.h"
#include "core/target.h"
#include "svc/cloudformation/cloudformation_int.h"

/* --- sealed records ----------------------------------------------------------------------------- */

static enum err open_sealed(struct txn *txn, struct str bound, const struct record_type *type,
                            struct str sealed, void *rec, size_t size)
{
    struct str bytes;
    TRY(secret_open(txn->core, txn->arena, bound, sealed, &bytes));
    return record_unpack_sized(type, txn->arena, bytes, rec, size);
}

static enum err read_sealed(struct txn *txn, struct str key, struct str bound,
                            const struct record_type *type, void *rec, size_t size)
{
    struct str sealed;
    TRY(txn_get(txn, key, &sealed));
    return open_sealed(txn, bound, type, sealed, rec, size);
}

static enum err write_sealed(struct txn *txn, struct str key, struct str bound,
                             const struct record_type *type, const void *rec, size_t size)
{
    struct str bytes, sealed;
    TRY(record_make_sized(type, txn->arena, rec, size, &bytes));
    TRY(secret_close(txn->core, txn->arena, bound, bytes, &sealed));
    return txn_put(txn, key, sealed);
}

/* --- stacks ------------------------------------------------------------------------------------- */

static const struct str stack_bound = STR_INIT("cloudformation/stack");

enum err cfn_stack_read(struct txn *txn, struct key_scope scope, struct str uuid,
                        struct cfn_stack *ret)
{
    *ret = (struct cfn_stack){0};
    return read_sealed(txn, key_make(txn->arena, &cloudformation_k_stack, scope, uuid), stack_bound,
                       &cfn_stack_type, ret, sizeof(*ret));
}

enum err cfn_stack_of_name(struct txn *txn, struct key_scope scope, struct str value,
                           struct cfn_stack *ret)
{
    struct str uuid = str_dup(txn->arena, value); /* what follows may move the scan's memory */
    return str_is_set(uuid) ? cfn_stack_read(txn, scope, uuid, ret) : ERR_NOMEM;
}

enum err cfn_stack_write(struct txn *txn, const struct cfn_stack *s)
{
    return write_sealed(txn, key_make(txn->arena, &cloudformation_k_stack, cfn_scope(s), s->uuid),
                        stack_bound, &cfn_stack_type, s, sizeof(*s));
}

enum err cfn_stack_unpack(struct txn *txn, struct str bytes, struct cfn_stack *ret)
{
    *ret = (struct cfn_stack){0};
    return open_sealed(txn, stack_bound, &cfn_stack_type, bytes, ret, sizeof(*ret));
}

enum err cfn_stack_find(struct txn *txn, struct key_scope scope, struct str ref,
                        struct cfn_stack *ret)
{
    struct str uuid;
    struct arn arn;
    if (arn_is(ref)) {
        if (arn_parse_as(ref, "cloudformation", "stack", &arn) != ERR_OK ||
            !str_eq(arn.account, scope.account) || !str_eq(arn.region, scope.region))
            return ERR_NOT_FOUND;
        uuid = arn_segment(&arn, 2);
        if (str_empty(uuid))
            return ERR_NOT_FOUND;
        TRY(cfn_stack_read(txn, scope, uuid, ret));
        return str_eq(ret->id, ref) ? ERR_OK : ERR_NOT_FOUND;
    }
    TRY(txn_get(txn, key_make(txn->arena, &cloudformation_k_name, scope, ref), &uuid));
    return cfn_stack_read(txn, scope, uuid, ret);
}

/* --- resources ---------------------------------------------------------------------------------- */

static const struct str resource_bound = STR_INIT("cloudformation/resource");

enum err cfn_resource_read(struct txn *txn, struct str uuid, struct str id,
                           struct cfn_resource *ret)
{
    *ret = (struct cfn_resource){0};
    return read_sealed(txn, key_make(txn->arena, &cloudformation_k_resource, uuid, id),
                       resource_bound, &cfn_resource_type, ret, sizeof(*ret));
}

enum err cfn_resource_write(struct txn *txn, struct str uuid, const struct cfn_resource *r)
{
    return write_sealed(txn, key_make(txn->arena, &cloudformation_k_resource, uuid, r->id),
                        resource_bound, &cfn_resource_type, r, sizeof(*r));
}

enum err cfn_resource_drop(struct txn *txn, struct str uuid, struct str id)
{
    return txn_del(txn, key_make(txn->arena, &cloudformation_k_resource, uuid, id));
}

struct gathering {
    struct txn *txn;
    struct cfn_resource *v;
    size_t n, cap;
};

static enum err gather(void *arg, struct str key, struct str val)
{
    struct gathering *g = arg;
    struct str sealed = str_dup(g->txn->arena, val);
    (void)key;
    if (!str_is_set(sealed))
        return ERR_NOMEM;
    TRY(ARENA_GROW(g->txn->arena, g->v, g->n, g->cap, 32));
    return open_sealed(g->txn, resource_bound, &cfn_resource_type, sealed, &g->v[g->n++],
                       sizeof(*g->v));
}

enum err cfn_resources(struct txn *txn, struct str uuid, struct cfn_resource **ret, size_t *ret_n)
{
    struct gathering g = {.txn = txn};
    TRY(txn_each(txn, key_range(txn->arena, &cloudformation_k_resource, uuid), gather, &g));
    *ret = g.v;
    *ret_n = g.n;
    return ERR_OK;
}

/* --- templates ---------------------------------------------------------------------------------- */

enum err cfn_template_write(struct txn *txn, struct str uuid, uint64_t no, bool processed,
                            struct str text)
{
    return txn_put(
        txn, key_make(txn->arena, &cloudformation_k_template, uuid, no, (uint8_t)processed), text);
}

enum err cfn_template_read(struct txn *txn, struct str uuid, uint64_t no, bool processed,
                           struct str *ret_text)
{
    for (int stage = processed; stage >= 0; stage--) {
        enum err err =
            txn_get(txn, key_make(txn->arena, &cloudformation_k_template, uuid, no, (uint8_t)stage),
                    ret_text);
        if (err != ERR_NOT_FOUND || stage == 0)
            return err;
    }
    return ERR_NOT_FOUND;
}

enum err cfn_template_drop(struct txn *txn, const struct cfn_stack *s, uint64_t no)
{
    if (!no || no == s->config.template_no || no == s->kept_template_no ||
        (s->previous && no == s->previous->template_no))
        return ERR_OK;
    for (int stage = 0; stage < 2; stage++)
        TRY(txn_del(txn,
                    key_make(txn->arena, &cloudformation_k_template, s->uuid, no, (uint8_t)stage)));
    return ERR_OK;
}

/* --- events ------------------------------------------------------------------------------------- */

/* The letter about an event that the stack's topics get: one line for each member. */
static struct str letter_of(struct arena *a, const struct cfn_stack *s, const struct cfn_event *e)
{
    const struct {
        const char *name;
        struct str value;
    } lines[] = {
        {"EventId", e->id},
        {"LogicalResourceId", e->logical_id},
        {"Namespace", s->account},
        {"PhysicalResourceId", e->physical_id},
        {"ResourceProperties", e->properties},
        {"ResourceStatus", cfn_status_name(e->status)},
        {"ResourceStatusReason", e->reason},
        {"ResourceType", e->type},
        {"StackName", s->name},
        {"ClientRequestToken", e->token},
    };
    struct buf b;
    char at[CLOCK_TEXT_MAX];
    buf_init_arena(&b, a, 256 * 1024);
    buf_add_fmt(&b, "StackId='" STR_FMT "'\nTimestamp='" STR_FMT "'\n", STR_ARG(s->id),
                STR_ARG(clock_iso8601_ms(at, e->ms)));
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        buf_add_fmt(&b, "%s='" STR_FMT "'\n", lines[i].name, STR_ARG(lines[i].value));
    return buf_err(&b) ? STR_NONE : buf_str(&b);
}

/* Who asked for the operation might publish to the topics when he named them (cfn_prepare); one that is gone is
 * passed over. */
static enum err notify(struct txn *txn, const struct cfn_stack *s, const struct cfn_event *e)
{
    if (s->config.n_notification_arns == 0)
        return ERR_OK;
    const struct target_delivery delivery = {
        .payload = letter_of(txn->arena, s, e),
        .subject = STR("AWS CloudFormation Notification"),
    };
    if (!str_is_set(delivery.payload))
        return ERR_NOMEM;
    for (size_t i = 0; i < s->config.n_notification_arns; i++) {
        const struct target target = {
            .arn = s->config.notification_arns[i],
            .source_arn = s->id,
            .source_account = s->account,
        };
        enum err err = target_stage(txn, &target, &delivery);
        if (err && !target_fault(err))
            return err;
    }
    return ERR_OK;
}

enum err cfn_tell(struct txn *txn, const struct cfn_stack *s, const struct cfn_event *event)
{
    struct cfn_event e = *event;
    struct str bytes, sealed, text;
    struct buf key;
    char uuid[RNG_UUID_LEN + 1];
    text = rng_uuid(uuid);
    e.id = str_eq(e.type, STR("AWS::CloudFormation::Stack")) && str_eq(e.logical_id, s->name)
               ? str_dup(txn->arena, text)
               : str_fmt(txn->arena, STR_FMT "-" STR_FMT "-" STR_FMT, STR_ARG(e.logical_id),
                         STR_ARG(cfn_status_name(e.status)), STR_ARG(text));
    e.ms = txn->wall_ms;
    e.stack_id = s->id;
    e.stack_name = s->name;
    e.token = s->token;
    TRY(notify(txn, s, &e));
    TRY(record_make(&cfn_event_type, txn->arena, &e, &bytes));
    TRY(secret_close(txn->core, txn->arena, STR("cloudformation/event"), bytes, &sealed));
    buf_init_arena(&key, txn->arena, KV_KEY_MAX);
    key_put(&key, &cloudformation_k_event, s->uuid);
    size_t at = key.len;
    char *stamp = buf_reserve(&key, KV_STAMP_BYTES);
    if (!stamp)
        return ERR_NOMEM;
    memset(stamp, 0, KV_STAMP_BYTES);
    buf_grew(&key, KV_STAMP_BYTES);
    return txn_put_stamped(txn, buf_str(&key), at, sealed);
}

enum err cfn_event_unpack(struct txn *txn, struct str bytes, struct cfn_event *ret)
{
    struct str copy = str_dup(txn->arena, bytes);
    *ret = (struct cfn_event){0};
    return str_is_set(copy) ? open_sealed(txn, STR("cloudformation/event"), &cfn_event_type, copy,
                                          ret, sizeof(*ret))
                            : ERR_NOMEM;
}

enum err cfn_tell_stack(struct txn *txn, const struct cfn_stack *s)
{
    return cfn_tell(txn, s,
                    &(struct cfn_event){
                        .logical_id = s->name,
                        .physical_id = s->id,
                        .type = STR("AWS::CloudFormation::Stack"),
                        .status = s->status,
                        .reason = s->reason,
                    });
}

/* --- change sets -------------------------------------------------------------------------------- */

static const struct str change_set_bound = STR_INIT("cloudformation/change-set");

enum err cfn_change_set_read(struct txn *txn, struct str uuid, struct str name,
                             struct cfn_change_set *ret)
{
    *ret = (struct cfn_change_set){0};
    return read_sealed(txn, key_make(txn->arena, &cloudformation_k_change_set, uuid, name),
                       change_set_bound, &cfn_change_set_type, ret, sizeof(*ret));
}

static struct str change_set_id_key(struct txn *txn, struct key_scope scope, struct str uuid)
{
    return key_make(txn->arena, &cloudformation_k_change_set_id, scope, uuid);
}

static struct str change_set_uuid(const struct cfn_change_set *cs)
{
    return str_sub(cs->id, cs->id.len - CFN_UUID_LEN, SIZE_MAX);
}

enum err cfn_change_set_write(struct txn *txn, const struct cfn_stack *s,
                              const struct cfn_change_set *cs)
{
    TRY(txn_put(txn, change_set_id_key(txn, cfn_scope(s), change_set_uuid(cs)), s->uuid));
    return write_sealed(txn, key_make(txn->arena, &cloudformation_k_change_set, s->uuid, cs->name),
                        change_set_bound, &cfn_change_set_type, cs, sizeof(*cs));
}

enum err cfn_change_set_drop(struct txn *txn, const struct cfn_stack *s,
                             const struct cfn_change_set *cs)
{
    TRY(cfn_template_drop(txn, s, cs->config.template_no));
    TRY(txn_del(txn, change_set_id_key(txn, cfn_scope(s), change_set_uuid(cs))));
    return txn_del(txn, key_make(txn->arena, &cloudformation_k_change_set, s->uuid, cs->name));
}

enum err cfn_change_set_stack(struct txn *txn, struct key_scope scope, struct str uuid,
                              struct str *ret_uuid)
{
    return txn_get(txn, change_set_id_key(txn, scope, uuid), ret_uuid);
}

enum err cfn_change_set_unpack(struct txn *txn, struct str bytes, struct cfn_change_set *ret)
{
    struct str copy = str_dup(txn->arena, bytes);
    *ret = (struct cfn_change_set){0};
    return str_is_set(copy)
               ? open_sealed(txn, change_set_bound, &cfn_change_set_type, copy, ret, sizeof(*ret))
               : ERR_NOMEM;
}

/* --- JSON --------------------------------------------------------------------------------------- */

enum err cfn_json(struct arena *a, struct str text, const struct json **ret)
{
    struct json *v = NULL;
    if (str_is_set(text)) {
        enum err err = json_parse(a, text, &v, NULL);
        if (err)
            return err == ERR_NOMEM ? err : ERR_CORRUPT;
    }
    *ret = v;
    return ERR_OK;
}

struct str cfn_json_text(struct arena *a, const struct json *v)
{
    struct buf b;
    if (!v)
        return STR_NONE;
    buf_init_arena(&b, a, TPL_EXPANDED_BYTES_MAX);
    json_put(&b, v);
    return buf_err(&b) ? STR_NONE : buf_str(&b);
}
