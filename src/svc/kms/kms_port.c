/* The port: inner calls (core/inner.h) of this service's own operations. See kms_port.h.
 *
 * Layer: svc. Thread: the transaction's. */
#include "svc/kms/kms_port.h"

#include <openssl/crypto.h>

#include "base/arn.h"
#include "base/pack.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "core/inner.h"
#include "svc/kms/kms_int.h"

enum { INPUT_MAX = 64 * 1024, NAME_MAX_BYTES = 256 * 1024 };

/* --- asking ----------------------------------------------------------------------------------- */

static void put_context(struct json_out *o, struct str name, const struct kms_use *use)
{
    json_key(o, name);
    json_open(o, '{');
    json_kv_str(o, use->context.key, use->context.value);
    for (size_t i = 0; i < use->more.n; i++)
        json_kv_str(o, use->more.v[i].key, use->more.v[i].value);
    json_close(o, '}');
}

/* {"<name>": "<text>", "<more>": "<its text>", "EncryptionContext": {...}}; an absent text is left out. */
static enum err make_input(struct txn *txn, const struct kms_use *use, struct str name,
                           struct str text, struct str more, struct str more_text,
                           struct str *ret_input)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, txn->arena, INPUT_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, name, text);
    json_kv_str(&o, more, more_text);
    put_context(&o, STR("EncryptionContext"), use);
    json_close(&o, '}');
    TRY(buf_err(&b));
    *ret_input = buf_str(&b);
    return ERR_OK;
}

static enum kms_why why_of(struct str code)
{
    static const struct {
        struct str code;
        enum kms_why why;
    } rows[] = {
        {STR_INIT("AccessDeniedException"), KMS_WHY_DENIED},
        {STR_INIT("DisabledException"), KMS_WHY_DISABLED},
        {STR_INIT("KMSInvalidStateException"), KMS_WHY_INVALID_STATE},
        {STR_INIT("NotFoundException"), KMS_WHY_NOT_FOUND},
        {STR_INIT("InvalidArnException"), KMS_WHY_NOT_FOUND},
        {STR_INIT("InvalidKeyUsageException"), KMS_WHY_INVALID_USAGE},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq(rows[i].code, code))
            return rows[i].why;
    return KMS_WHY_OTHER;
}

/* Runs the operation; its output as a tree. */
static enum err ask(struct txn *txn, const struct kms_use *use, struct str operation,
                    struct str input, const struct json **ret_out, struct kms_refusal *ret_why)
{
    struct core_result result;
    struct json *out;
    const struct core_request req = {
        .service = STR("kms"),
        .operation = operation,
        .input = input,
        .who = use->who,
        .region = use->region,
        .via = use->via,
        .source_arn = use->source_arn,
        .source_account = use->source_account,
    };
    enum err err = core_call_in_txn(txn, &req, &result);
    if (err == ERR_FAILED) {
        *ret_why = (struct kms_refusal){why_of(result.code), result.code, result.message, 0};
        return ERR_DENIED;
    }
    TRY(err);
    TRY(json_parse(txn->arena, result.output, &out, NULL));
    *ret_out = out;
    return ERR_OK;
}

/* What both operations give. A data key that does not have its size was made by nobody here. */
static enum err read_key(struct txn *txn, const struct json *out, struct kms_data_key *ret_key)
{
    struct arena *a = txn->arena;
    TRY(base64_decode(a, json_get_str(out, STR("Plaintext")), &ret_key->plain));
    ret_key->key_arn = json_get_str(out, STR("KeyId"));
    return ret_key->plain.len == KMS_DATA_KEY_BYTES ? ERR_OK : ERR_CORRUPT;
}

static enum err generate(struct txn *txn, const struct kms_use *use, struct str key,
                         struct kms_data_key *ret_key, struct kms_refusal *ret_why)
{
    struct str input;
    const struct json *out;
    TRY(make_input(txn, use, STR("KeyId"), key, STR("KeySpec"), STR("AES_256"), &input));
    TRY(ask(txn, use, STR("GenerateDataKey"), input, &out, ret_why));
    TRY(base64_decode(txn->arena, json_get_str(out, STR("CiphertextBlob")), &ret_key->sealed));
    return read_key(txn, out, ret_key);
}

static enum err decrypt(struct txn *txn, const struct kms_use *use, struct str sealed,
                        struct kms_data_key *ret_key, struct kms_refusal *ret_why)
{
    struct str input, text = base64_encode(txn->arena, sealed.p, sealed.len);
    const struct json *out;
    if (!str_is_set(text))
        return ERR_NOMEM;
    TRY(make_input(txn, use, STR("CiphertextBlob"), text, STR(""), STR_NONE, &input));
    TRY(ask(txn, use, STR("Decrypt"), input, &out, ret_why));
    ret_key->sealed = sealed;
    return read_key(txn, out, ret_key);
}

/* --- reuse ------------------------------------------------------------------------------------ */

/* In whose account names of keys are looked up: the owner's of what is encrypted, which services say in
 * their part of the encryption context; else the principal's. */
static struct str owner_of(const struct txn *txn, const struct kms_use *use)
{
    struct str own = wire_account_in(use->context.value);
    for (size_t i = 0; !str_is_set(own) && i < use->more.n; i++)
        if (str_starts(use->more.v[i].key, STR("aws:")))
            own = wire_account_in(use->more.v[i].value);
    if (str_is_set(own))
        return own;
    if (use->who && str_is_set(use->who->account))
        return use->who->account;
    return str_is_set(use->source_account) ? use->source_account : txn_account(txn);
}

static struct key_scope scope_of(const struct txn *txn, const struct kms_use *use)
{
    const struct core *core = txn->core;
    return (struct key_scope){owner_of(txn, use),
                              str_is_set(use->region) ? use->region : core->cfg.region};
}

/* Parsed policies are kept by their text, so another text is another place. */
static void put_policies(struct buf *b, const struct principal *who)
{
    buf_add(b, &who->boundary, sizeof(const struct policy *));
    pack_uint(b, who->n_identity_policies);
    for (size_t i = 0; i < who->n_identity_policies; i++)
        buf_add(b, &who->identity_policies[i], sizeof(const struct policy *));
    pack_uint(b, who->n_session_policies);
    for (size_t i = 0; i < who->n_session_policies; i++)
        buf_add(b, &who->session_policies[i], sizeof(const struct policy *));
}

/* Names what is asked (`text`: a key, or a sealed data key) by whom, with all that a policy may look at
 * but time. */
static enum err name_of(struct txn *txn, const struct kms_use *use, struct str operation,
                        struct str text, uint8_t out[HASH_SHA256_LEN])
{
    const struct principal *who = use->who;
    struct buf b;
    buf_init_arena(&b, txn->arena, NAME_MAX_BYTES);
    pack_str(&b, operation);
    pack_str(&b, text);
    pack_u8(&b, (uint8_t)who->kind);
    pack_str(&b, who->arn);
    pack_str(&b, who->user_id);
    pack_str(&b, who->service);
    pack_str(&b, who->access_key);
    put_policies(&b, who);
    for (size_t i = 0; i < who->n_tags; i++) {
        pack_str(&b, who->tags[i].key);
        pack_str(&b, who->tags[i].value);
    }
    pack_str(&b, use->via);
    pack_str(&b, use->source_arn);
    pack_str(&b, use->source_account);
    pack_str(&b, use->region);
    pack_str(&b, use->context.key);
    pack_str(&b, use->context.value);
    for (size_t i = 0; i < use->more.n; i++) {
        pack_str(&b, use->more.v[i].key);
        pack_str(&b, use->more.v[i].value);
    }
    TRY(buf_err(&b));
    struct str s = buf_str(&b);
    hash_once(HASH_SHA256, s.p, s.len, out);
    return ERR_OK;
}

/* What the key is now: its record tells its state and the number of its grants. ERR_NOT_FOUND: gone. */
static enum err look(struct txn *txn, const struct kms_use *use, struct str sealed,
                     struct str *ret_arn, uint8_t out[HASH_SHA256_LEN])
{
    struct arena *a = txn->arena;
    struct key_scope scope = scope_of(txn, use);
    struct kms_blob blob;
    struct str record, policy;
    struct buf b;
    if (kms_blob_read(sealed, &blob) != ERR_OK)
        return ERR_CORRUPT;
    struct str id = str_c(blob.key_id);
    TRY(kms_owner_of(txn, id, &scope.account));
    TRY(txn_get(txn, key_make(a, &kms_k_key, scope, id), &record));
    TRY(txn_get(txn, key_make(a, &kms_k_policy, scope, id), &policy));
    buf_init_arena(&b, a, NAME_MAX_BYTES);
    pack_str(&b, record);
    pack_str(&b, policy);
    TRY(buf_err(&b));
    hash_once(HASH_SHA256, buf_str(&b).p, buf_str(&b).len, out);
    *ret_arn = kms_arn(a, txn->core, scope, id);
    return str_is_set(*ret_arn) ? ERR_OK : ERR_NOMEM;
}

/* ERR_NOT_FOUND: KMS is to be asked. */
static enum err reuse(struct kms *kms, struct txn *txn, const struct kms_use *use,
                      const uint8_t name[HASH_SHA256_LEN], struct kms_data_key *ret_key)
{
    struct kms_cached e;
    uint8_t now[HASH_SHA256_LEN];
    if (!kms_cache_get(&kms->cache, name, txn->now_ms, &e))
        return ERR_NOT_FOUND;
    struct str sealed = str_n((const char *)e.sealed, sizeof(e.sealed)), arn;
    enum err err = look(txn, use, sealed, &arn, now);
    if (err == ERR_OK && memcmp(now, e.seen, sizeof(now)) != 0)
        err = ERR_NOT_FOUND;
    if (err == ERR_OK) {
        ret_key->plain = str_dup(txn->arena, str_n((const char *)e.plain, sizeof(e.plain)));
        ret_key->sealed = str_dup(txn->arena, sealed);
        ret_key->key_arn = arn;
        if (!str_is_set(ret_key->plain) || !str_is_set(ret_key->sealed))
            err = ERR_NOMEM;
    }
    OPENSSL_cleanse(&e, sizeof(e));
    return err;
}

static enum err keep(struct kms *kms, struct txn *txn, const struct kms_use *use,
                     const uint8_t name[HASH_SHA256_LEN], const struct kms_data_key *key)
{
    struct kms_cached e;
    struct str arn;
    memcpy(e.name, name, sizeof(e.name));
    if (key->sealed.len != sizeof(e.sealed))
        return ERR_CORRUPT;
    TRY(look(txn, use, key->sealed, &arn, e.seen));
    e.until_ms = txn->now_ms + use->reuse_ms;
    memcpy(e.plain, key->plain.p, sizeof(e.plain));
    memcpy(e.sealed, key->sealed.p, sizeof(e.sealed));
    kms_cache_put(&kms->cache, &e);
    OPENSSL_cleanse(&e, sizeof(e));
    return ERR_OK;
}

/* --- what services finish --------------------------------------------------------------------- */

static enum err refuse(struct kms_refusal *ret_why, enum kms_why why, const char *message)
{
    ret_why->why = why;
    ret_why->code = STR_NONE;
    ret_why->message = str_c(message);
    return ERR_DENIED;
}

static enum err open_text(struct txn *txn, const struct kms_use *use, const struct kms_key *key,
                          const struct kms_blob *blob, struct str *ret_plain)
{
    struct str secret;
    struct kms_pair *pairs = ARENA_ARRAY(txn->arena, struct kms_pair, use->more.n + 1);
    if (!pairs)
        return ERR_NOMEM;
    pairs[0] = use->context;
    for (size_t i = 0; i < use->more.n; i++)
        pairs[i + 1] = use->more.v[i];
    TRY(kms_material_open(txn, key, blob->material, &secret));
    enum err err = kms_blob_open(txn->arena, blob, secret,
                                 (struct kms_pairs){pairs, use->more.n + 1}, ret_plain);
    kms_wipe(secret);
    return err == ERR_INVALID ? ERR_CORRUPT : err;
}

static enum err finish(struct txn *txn, const struct kms_use *use, struct str sealed,
                       struct kms_data_key *ret_key, struct kms_refusal *ret_why)
{
    struct kms_blob blob;
    struct kms_key key;
    struct key_scope scope = scope_of(txn, use);
    ret_why->since_ms = 0;
    if (kms_blob_read(sealed, &blob) != ERR_OK)
        return ERR_CORRUPT;
    struct str id = str_dup(txn->arena, str_c(blob.key_id));
    if (!str_is_set(id))
        return ERR_NOMEM;
    TRY(kms_owner_of(txn, id, &scope.account));
    enum err err = kms_key_read(txn, scope, id, &key);
    if (err == ERR_NOT_FOUND)
        return refuse(ret_why, KMS_WHY_NOT_FOUND, "The key does not exist any more.");
    TRY(err);
    ret_why->since_ms = key.state_ms;
    if (key.state == KMS_DISABLED)
        return refuse(ret_why, KMS_WHY_DISABLED, "The key is disabled.");
    if (key.state != KMS_ENABLED)
        return refuse(ret_why, KMS_WHY_INVALID_STATE, "The key cannot be used in its state.");
    TRY(open_text(txn, use, &key, &blob, &ret_key->plain));
    ret_key->sealed = sealed;
    ret_key->key_arn = kms_arn(txn->arena, txn->core, scope, id);
    return ret_key->plain.len == KMS_DATA_KEY_BYTES ? ERR_OK : ERR_CORRUPT;
}

/* --- the port --------------------------------------------------------------------------------- */

static enum err port_open(void *self, struct txn *txn, const struct kms_use *use, struct str sealed,
                          struct kms_data_key *ret_key, struct kms_refusal *ret_why)
{
    uint8_t name[HASH_SHA256_LEN];
    if (!use->who)
        return finish(txn, use, sealed, ret_key, ret_why);
    if (use->reuse_ms == 0)
        return decrypt(txn, use, sealed, ret_key, ret_why);
    TRY(name_of(txn, use, STR("Decrypt"), sealed, name));
    enum err err = reuse(self, txn, use, name, ret_key);
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(decrypt(txn, use, sealed, ret_key, ret_why));
    return keep(self, txn, use, name, ret_key);
}

/* A key of the owner's by its ARN: KMS is asked in the principal's account, where a name would be another's. */
static struct str named(struct txn *txn, const struct kms_use *use, struct str key)
{
    struct key_scope scope = scope_of(txn, use);
    if (!txn->core->more_accounts || arn_is(key))
        return key;
    return str_fmt(txn->arena, "arn:" STR_FMT ":kms:" STR_FMT ":" STR_FMT ":%s" STR_FMT,
                   STR_ARG(txn->core->cfg.partition), STR_ARG(scope.region), STR_ARG(scope.account),
                   str_starts(key, STR("alias/")) ? "" : "key/", STR_ARG(key));
}

static enum err make_key(struct kms *kms, struct txn *txn, const struct kms_use *use,
                         struct str key, struct kms_data_key *ret_key, struct kms_refusal *ret_why,
                         bool *ret_made)
{
    struct kms_data_key again;
    TRY(kms_managed_need(kms, txn, scope_of(txn, use), key, ret_made));
    key = named(txn, use, key);
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(generate(txn, use, key, ret_key, ret_why));
    return use->proves ? decrypt(txn, use, ret_key->sealed, &again, ret_why) : ERR_OK;
}

static enum err port_data_key(void *self, struct txn *txn, const struct kms_use *use,
                              struct str key, struct kms_data_key *ret_key,
                              struct kms_refusal *ret_why)
{
    uint8_t name[HASH_SHA256_LEN];
    bool made = false;
    if (use->reuse_ms == 0)
        return make_key(self, txn, use, key, ret_key, ret_why, &made);
    TRY(name_of(txn, use, STR("GenerateDataKey"), key, name));
    enum err err = reuse(self, txn, use, name, ret_key);
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(make_key(self, txn, use, key, ret_key, ret_why, &made));
    /* A key that this transaction makes may never come to be. */
    return made ? ERR_OK : keep(self, txn, use, name, ret_key);
}

static enum err port_wrap(void *self, struct txn *txn, const struct kms_use *use, struct str key,
                          struct str plain, struct kms_data_key *ret_key,
                          struct kms_refusal *ret_why)
{
    struct str input, text = base64_encode(txn->arena, plain.p, plain.len);
    const struct json *out;
    bool made = false;
    if (!str_is_set(text))
        return ERR_NOMEM;
    TRY(kms_managed_need(self, txn, scope_of(txn, use), key, &made));
    key = named(txn, use, key);
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(make_input(txn, use, STR("KeyId"), key, STR("Plaintext"), text, &input));
    TRY(ask(txn, use, STR("Encrypt"), input, &out, ret_why));
    TRY(base64_decode(txn->arena, json_get_str(out, STR("CiphertextBlob")), &ret_key->sealed));
    ret_key->key_arn = json_get_str(out, STR("KeyId"));
    ret_key->plain = plain;
    return ERR_OK;
}

static enum err port_grant(void *self, struct txn *txn, const struct kms_use *use, struct str key,
                           const struct kms_grantee *grantee, struct kms_refusal *ret_why)
{
    const struct json *out;
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, txn->arena, INPUT_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("KeyId"), key);
    json_kv_str(&o, STR("GranteePrincipal"), grantee->arn);
    json_kv_str(&o, STR("Name"), grantee->name);
    json_key(&o, STR("Operations"));
    json_open(&o, '[');
    json_str(&o, grantee->operation);
    json_close(&o, ']');
    json_key(&o, STR("Constraints"));
    json_open(&o, '{');
    put_context(&o, STR("EncryptionContextEquals"), use);
    json_close(&o, '}');
    json_close(&o, '}');
    TRY(buf_err(&b));
    return ask(txn, use, STR("CreateGrant"), buf_str(&b), &out, ret_why);
}

static struct str port_arn_of(void *self, struct txn *txn, struct str region, struct str key)
{
    struct key_scope scope = scope_of(txn, &(struct kms_use){.region = region});
    struct kms_alias alias;
    if (arn_is(key))
        return key;
    if (!str_starts(key, STR("alias/")))
        return kms_arn(txn->arena, txn->core, scope, key);
    if (kms_alias_read(txn, scope, key, &alias) == ERR_OK)
        return kms_arn(txn->arena, txn->core, scope, alias.key_id);
    return str_fmt(txn->arena, "arn:" STR_FMT ":kms:" STR_FMT ":" STR_FMT ":" STR_FMT,
                   STR_ARG(txn->core->cfg.partition), STR_ARG(scope.region), STR_ARG(scope.account),
                   STR_ARG(key));
}

void kms_port_fill(struct kms *kms)
{
    kms->port = (struct kms_port){.self = kms,
                                  .data_key = port_data_key,
                                  .open = port_open,
                                  .wrap = port_wrap,
                                  .grant = port_grant,
                                  .arn_of = port_arn_of};
}
