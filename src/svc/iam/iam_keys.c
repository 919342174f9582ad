/* See iam_keys.h for the layouts. */
#include "svc/iam/iam_keys.h"

#include "kv/key.h"

enum { T_ENTITY = 1, T_MANAGED, T_ATTACHED, T_BOUNDARY, T_TOKEN_KEY };

enum { TEXT_END_LEN = 2 };

static struct buf start(struct arena *a, uint8_t table)
{
    struct buf b;
    buf_init_arena(&b, a, KV_KEY_MAX);
    key_start(&b, KEY_IAM, table);
    return b;
}

static struct str end(const struct buf *b)
{
    return buf_err(b) == ERR_OK ? buf_str(b) : STR_NONE;
}

static void put_name(struct buf *b, struct arena *a, struct str name)
{
    struct str lower = str_lower(a, name);
    if (!str_is_set(lower))
        b->err = ERR_NOMEM;
    key_text(b, lower);
}

struct str iam_key_entities(struct arena *a, enum iam_kind kind)
{
    struct buf b = start(a, T_ENTITY);
    key_u8(&b, (uint8_t)kind);
    return end(&b);
}

struct str iam_key_entity(struct arena *a, enum iam_kind kind, struct str name)
{
    struct buf b = start(a, T_ENTITY);
    key_u8(&b, (uint8_t)kind);
    put_name(&b, a, name);
    return end(&b);
}

struct str iam_key_managed(struct arena *a, struct str name)
{
    struct buf b = start(a, T_MANAGED);
    put_name(&b, a, name);
    return end(&b);
}

struct str iam_key_all_managed(struct arena *a)
{
    struct buf b = start(a, T_MANAGED);
    return end(&b);
}

struct str iam_key_uses(struct arena *a, enum iam_use use, struct str policy_arn)
{
    struct buf b = start(a, use == IAM_ATTACHED ? T_ATTACHED : T_BOUNDARY);
    key_text(&b, policy_arn);
    return end(&b);
}

struct str iam_key_aws_uses(struct arena *a, enum iam_use use, struct str partition)
{
    struct str text = str_fmt(a, "arn:" STR_FMT ":iam::aws:", STR_ARG(partition));
    struct str key = str_is_set(text) ? iam_key_uses(a, use, text) : STR_NONE;
    return str_is_set(key) ? str_sub(key, 0, key.len - TEXT_END_LEN) : STR_NONE;
}

enum err iam_key_read_policy(struct str key, struct arena *a, struct str *ret_arn)
{
    struct str rest = key;
    uint8_t space, table;
    TRY(key_read_u8(&rest, &space));
    TRY(key_read_u8(&rest, &table));
    return key_read_text(&rest, a, ret_arn);
}

struct str iam_key_use(struct arena *a, enum iam_use use, struct str policy_arn, enum iam_kind kind,
                       struct str name)
{
    struct buf b = start(a, use == IAM_ATTACHED ? T_ATTACHED : T_BOUNDARY);
    key_text(&b, policy_arn);
    key_u8(&b, (uint8_t)kind);
    put_name(&b, a, name);
    return end(&b);
}

enum err iam_key_read_use(struct str key, struct arena *a, enum iam_kind *ret_kind,
                          struct str *ret_name)
{
    struct str rest = key, arn;
    uint8_t space, table, kind;
    TRY(key_read_u8(&rest, &space));
    TRY(key_read_u8(&rest, &table));
    TRY(key_read_text(&rest, a, &arn));
    TRY(key_read_u8(&rest, &kind));
    TRY(key_read_text(&rest, a, ret_name));
    if (kind > IAM_ROLE)
        return ERR_CORRUPT;
    *ret_kind = kind;
    return ERR_OK;
}

struct str iam_key_token_key(struct arena *a)
{
    struct buf b = start(a, T_TOKEN_KEY);
    return end(&b);
}
