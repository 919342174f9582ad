/* GenerateDataKey, GenerateDataKeyPair, both WithoutPlaintext, GenerateRandom.
 *
 * Layer: svc. Thread: the call's; the pool's while a pair of RSA keys is made. */
#include "base/rng.h"
#include "svc/kms/kms_int.h"

enum { BYTES_MAX = 1024, AES_128_BYTES = 16, AES_256_BYTES = 32 };

/* --- symmetric data keys ---------------------------------------------------------------------- */

static enum err length_of(struct call *call, bool has_number, int64_t number, struct str spec,
                          size_t *ret_len)
{
    if (has_number == str_is_set(spec))
        return call_error(call, &kms_err_validation,
                          "Please specify either number of bytes or key spec.");
    *ret_len = has_number                  ? (size_t)number
               : str_eq_c(spec, "AES_128") ? AES_128_BYTES
                                           : AES_256_BYTES;
    return ERR_OK;
}

/* A key that may seal what is generated: symmetric, enabled. */
static enum err wrapping_key(struct call *call, struct str ref, const char *what,
                             struct kms_pairs context, struct kms_key *ret)
{
    TRY(kms_need_for(call, ref, KMS_ENCRYPT_DECRYPT, what, ret));
    if (ret->spec != KMS_SYMMETRIC_DEFAULT) {
        struct str arn = kms_key_arn(call, ret);
        return call_error(call, &kms_err_invalid_key_usage_exception,
                          STR_FMT " key spec is " STR_FMT " which is not valid for %s.",
                          STR_ARG(arn), STR_ARG(kms_specs[ret->spec].name), what);
    }
    return kms_context_check(call, ret, context);
}

static enum err draw(struct arena *a, size_t len, struct str *ret_bytes)
{
    char *p = arena_alloc(a, len);
    if (!p)
        return ERR_NOMEM;
    rng_bytes(p, len);
    *ret_bytes = str_n(p, len);
    return ERR_OK;
}

enum err kms_generate_data_key(struct call *call, const struct kms_generate_data_key_input *in,
                               struct kms_generate_data_key_output *out)
{
    struct kms_key key;
    size_t len;
    struct kms_pairs context = KMS_PAIRS(in->encryption_context);
    TRY(kms_no_recipient(call, in->recipient));
    TRY(wrapping_key(call, in->key_id, "GenerateDataKey", context, &key));
    TRY(length_of(call, in->has_number_of_bytes, in->number_of_bytes, in->key_spec, &len));
    TRY(kms_check_tokens(call, &in->grant_tokens));
    TRY(kms_dry_run(call, in->dry_run));
    TRY(draw(call->arena, len, &out->plaintext));
    TRY(kms_seal_text(call, &key, context, out->plaintext, &out->ciphertext_blob));
    TRY(kms_current_material(call->txn, &key, &out->key_material_id));
    out->key_id = kms_key_arn(call, &key);
    return str_is_set(out->key_id) ? ERR_OK : ERR_NOMEM;
}

enum err kms_generate_data_key_without_plaintext(
    struct call *call, const struct kms_generate_data_key_without_plaintext_input *in,
    struct kms_generate_data_key_without_plaintext_output *out)
{
    struct kms_key key;
    struct str plain;
    size_t len;
    struct kms_pairs context = KMS_PAIRS(in->encryption_context);
    TRY(wrapping_key(call, in->key_id, "GenerateDataKeyWithoutPlaintext", context, &key));
    TRY(length_of(call, in->has_number_of_bytes, in->number_of_bytes, in->key_spec, &len));
    TRY(kms_check_tokens(call, &in->grant_tokens));
    TRY(kms_dry_run(call, in->dry_run));
    TRY(draw(call->arena, len, &plain));
    enum err err = kms_seal_text(call, &key, context, plain, &out->ciphertext_blob);
    kms_wipe(plain);
    TRY(err);
    TRY(kms_current_material(call->txn, &key, &out->key_material_id));
    out->key_id = kms_key_arn(call, &key);
    return str_is_set(out->key_id) ? ERR_OK : ERR_NOMEM;
}

/* --- pairs ------------------------------------------------------------------------------------ */

struct pair_request {
    struct str key_id, spec;
    struct kms_pairs context;
    const struct kms_grant_token_list *tokens;
    bool dry_run;
    const char *what;
};

struct pair {
    struct str private, public, sealed, key_arn, material;
};

static enum err make_pair(struct call *call, const struct pair_request *r, struct pair *ret)
{
    struct kms_key key;
    enum kms_spec spec;
    TRY(wrapping_key(call, r->key_id, r->what, r->context, &key));
    if (kms_spec_of(r->spec, &spec) != ERR_OK)
        return kms_unsupported(call, "This KeyPairSpec is");
    TRY(kms_check_tokens(call, r->tokens));
    TRY(kms_dry_run(call, r->dry_run));
    if (kms_specs[spec].family == KMS_RSA)
        TRY(kms_slow(call));
    TRY(kms_pair_make(spec, call->arena, &ret->private, &ret->public));
    TRY(kms_seal_text(call, &key, r->context, ret->private, &ret->sealed));
    TRY(kms_current_material(call->txn, &key, &ret->material));
    ret->key_arn = kms_key_arn(call, &key);
    return str_is_set(ret->key_arn) ? ERR_OK : ERR_NOMEM;
}

enum err kms_generate_data_key_pair(struct call *call,
                                    const struct kms_generate_data_key_pair_input *in,
                                    struct kms_generate_data_key_pair_output *out)
{
    struct pair pair;
    struct pair_request r = {
        in->key_id,        in->key_pair_spec, KMS_PAIRS(in->encryption_context),
        &in->grant_tokens, in->dry_run,       "GenerateDataKeyPair"};
    TRY(kms_no_recipient(call, in->recipient));
    TRY(make_pair(call, &r, &pair));
    out->private_key_ciphertext_blob = pair.sealed;
    out->private_key_plaintext = pair.private;
    out->public_key = pair.public;
    out->key_id = pair.key_arn;
    out->key_pair_spec = in->key_pair_spec;
    out->key_material_id = pair.material;
    return ERR_OK;
}

enum err kms_generate_data_key_pair_without_plaintext(
    struct call *call, const struct kms_generate_data_key_pair_without_plaintext_input *in,
    struct kms_generate_data_key_pair_without_plaintext_output *out)
{
    struct pair pair = {0};
    struct pair_request r = {
        in->key_id,        in->key_pair_spec, KMS_PAIRS(in->encryption_context),
        &in->grant_tokens, in->dry_run,       "GenerateDataKeyPairWithoutPlaintext"};
    enum err err = make_pair(call, &r, &pair);
    kms_wipe(pair.private);
    TRY(err);
    out->private_key_ciphertext_blob = pair.sealed;
    out->public_key = pair.public;
    out->key_id = pair.key_arn;
    out->key_pair_spec = in->key_pair_spec;
    out->key_material_id = pair.material;
    return ERR_OK;
}

/* --- random bytes ----------------------------------------------------------------------------- */

enum err kms_generate_random(struct call *call, const struct kms_generate_random_input *in,
                             struct kms_generate_random_output *out)
{
    TRY(kms_no_recipient(call, in->recipient));
    if (str_is_set(in->custom_key_store_id))
        return kms_unsupported(call, "Custom key stores are");
    if (!in->has_number_of_bytes)
        return call_error(call, &kms_err_validation, "NumberOfBytes is required.");
    return draw(call->arena, (size_t)in->number_of_bytes, &out->plaintext);
}
