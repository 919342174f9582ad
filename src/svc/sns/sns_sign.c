/* The key that signs messages, and its certificate. Made at the first message that is signed, sealed
 * in the store (core/secret.h), then in memory for as long as the process lives (SN4).
 *
 * The certificate is served without credentials at /SimpleNotificationService-<digest>.pem, which is
 * where AWS has it under its own host names.
 *
 * Source: SNS developer guide, "Verifying the signatures of Amazon SNS messages".
 * Layer: svc/sns. Thread: any; the signer never changes once it is there. */
#include <assert.h>

#include "auth/cert.h"
#include "base/mem.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "core/secret.h"
#include "svc/sns/sns_int.h"

enum {
    KEY_BITS = 2048,
    CERT_DAYS = 10 * 365,
    CERT_ID_BYTES = 16,      /* of the digest in the certificate's name */
    CERT_PEM_MAX = 8 * 1024, /* of a certificate, with room */
    SIGN_WORK = 64 * 1024,   /* in bytes looked at: 0.4 ms */
};
#define CERT_PATH "/SimpleNotificationService-"

struct sns_signer {
    struct jwt_key *key;
    struct arena arena;
    struct str pem, path;
};

static void signer_free(struct sns_signer *g)
{
    if (!g)
        return;
    jwt_key_free(g->key);
    arena_release(&g->arena);
    mem_free(g);
}

static enum err signer_new(struct sns_signing rec, struct sns_signer **ret)
{
    uint8_t digest[HASH_SHA256_LEN];
    struct sns_signer *g = mem_calloc(1, sizeof(*g));
    if (!g)
        return ERR_NOMEM;
    arena_init(&g->arena, 2 * CERT_PEM_MAX);
    hash_once(HASH_SHA256, rec.cert_pem.p, rec.cert_pem.len, digest);
    g->pem = str_dup(&g->arena, rec.cert_pem);
    struct str hex = hex_encode(&g->arena, digest, CERT_ID_BYTES);
    g->path = str_fmt(&g->arena, CERT_PATH STR_FMT ".pem", STR_ARG(hex));
    enum err err = jwt_key_of_der(rec.key_der, STR_NONE, &g->key);
    if (err == ERR_OK && (!str_is_set(g->pem) || !str_is_set(hex) || !str_is_set(g->path)))
        err = ERR_NOMEM;
    if (err)
        signer_free(g);
    else
        *ret = g;
    return err == ERR_INVALID ? ERR_CORRUPT : err;
}

static struct sns_signer *signer_of(struct sns *s)
{
    pthread_mutex_lock(&s->sign_lock);
    struct sns_signer *g = s->signer;
    pthread_mutex_unlock(&s->sign_lock);
    return g;
}

/* --- making and loading ----------------------------------------------------------------------- */

static enum err generate(struct arena *a, int64_t wall_ms, struct sns_signing *ret)
{
    struct jwt_key *fresh;
    TRY(jwt_key_generate_rsa(KEY_BITS, STR_NONE, &fresh));
    enum err err = jwt_key_der(fresh, a, &ret->key_der);
    if (err == ERR_OK)
        err = cert_make(fresh, SNS_PRINCIPAL, wall_ms, CERT_DAYS, a, &ret->cert_pem);
    jwt_key_free(fresh);
    return err;
}

/* The first messages come at once, maybe: one of them generates, the others wait for it and stage the same, of which one
 * is committed. */
static enum err draft(struct sns *s, int64_t wall_ms, struct sns_signing *ret)
{
    enum err err = ERR_OK;
    pthread_mutex_lock(&s->draft_lock);
    if (!str_is_set(s->draft.cert_pem)) {
        struct sns_signing made = {0};
        arena_clear(&s->draft_arena);
        err = generate(&s->draft_arena, wall_ms, &made);
        if (err == ERR_OK)
            s->draft = made;
    }
    *ret = s->draft;
    pthread_mutex_unlock(&s->draft_lock);
    return err;
}

static enum err make_key(struct sns *s, struct txn *txn, struct str key, struct sns_signing *ret)
{
    struct sns_signing rec = {0};
    struct str plain, sealed;
    TRY(txn_work(txn, TXN_SLICE_WORK + 1)); /* a tenth of a second: not on a loop */
    TRY(draft(s, txn->wall_ms, &rec));
    TRY(record_make(&sns_signing_type, txn->arena, &rec, &plain));
    TRY(secret_close(s->core, txn->arena, STR("sns/signing"), plain, &sealed));
    TRY(txn_put(txn, key, sealed));
    *ret = rec;
    return ERR_OK;
}

static enum err read_key(struct sns *s, struct txn *txn, struct str key, struct sns_signing *ret)
{
    struct str sealed, plain;
    TRY(txn_get(txn, key, &sealed));
    TRY(secret_open(s->core, txn->arena, STR("sns/signing"), sealed, &plain));
    return record_unpack(&sns_signing_type, txn->arena, plain, ret);
}

/* A signer on its way through the commit that made its key. */
struct fresh {
    struct sns *s;
    struct sns_signer *signer;
};

static void drop_fresh(void *arg)
{
    struct fresh *f = arg;
    signer_free(f->signer);
}

static void take_fresh(void *arg)
{
    struct fresh *f = arg;
    pthread_mutex_lock(&f->s->sign_lock);
    if (!f->s->signer) {
        f->s->signer = f->signer;
        f->signer = NULL;
    }
    pthread_mutex_unlock(&f->s->sign_lock);
    signer_free(f->signer);
}

/* The signer as the store has it, or with a new key: known to others once that is committed. */
static enum err signer_of_store(struct sns *s, struct txn *txn, struct sns_signer **ret)
{
    struct sns_signing rec;
    struct str key = key_prefix_vals(txn->arena, &sns_k_signing, NULL, 0);
    struct fresh *f = ARENA_NEW(txn->arena, struct fresh);
    if (!f)
        return ERR_NOMEM;
    f->s = s;
    enum err err = read_key(s, txn, key, &rec);
    if (err == ERR_NOT_FOUND)
        err = make_key(s, txn, key, &rec);
    TRY(err);
    TRY(signer_new(rec, &f->signer));
    err = txn_on_abort(txn, drop_fresh, f);
    if (err) {
        drop_fresh(f);
        return err;
    }
    TRY(txn_on_commit(txn, take_fresh, f));
    *ret = f->signer;
    return ERR_OK;
}

/* Within one transaction the key made first serves all. */
static enum err signer_need(struct sns *s, struct txn *txn, struct sns_signer **ret)
{
    *ret = signer_of(s);
    return *ret ? ERR_OK : signer_of_store(s, txn, ret);
}

enum err sns_sign(struct sns *s, struct txn *txn, int64_t version, struct str text,
                  struct str *ret_signature, struct str *ret_cert_url)
{
    struct sns_signer *g;
    struct str bytes;
    TRY(txn_work(txn, SIGN_WORK));
    TRY(signer_need(s, txn, &g));
    TRY(cert_sign(g->key, version == 2 ? HASH_SHA256 : HASH_SHA1, text, txn->arena, &bytes));
    *ret_signature = base64_encode(txn->arena, bytes.p, bytes.len);
    *ret_cert_url =
        str_fmt(txn->arena, STR_FMT STR_FMT, STR_ARG(s->core->cfg.endpoint), STR_ARG(g->path));
    return str_is_set(*ret_signature) && str_is_set(*ret_cert_url) ? ERR_OK : ERR_NOMEM;
}

/* --- serving the certificate ------------------------------------------------------------------ */

static enum err serve(struct call *call, const void *in, void *out)
{
    struct sns *s = call->svc;
    struct sns_signer *g = signer_of(s);
    if (!g || !str_eq(call->request->path, g->path))
        return call_error(call, &sns_err_not_found_exception, "No such certificate");
    call_reply_raw(call, STR("application/x-pem-file"), g->pem);
    return ERR_OK;
}

static const struct wire_op cert_op = {
    .name = STR_INIT("GetSigningCertificate"),
    .service = &sns_service,
    .flags = WIRE_OP_UNSIGNED,
    .run = serve,
};

static enum err load(struct txn *txn, void *arg)
{
    struct sns *s = arg;
    struct sns_signing rec;
    struct str key = key_prefix_vals(txn->arena, &sns_k_signing, NULL, 0);
    enum err err = read_key(s, txn, key, &rec);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    assert(!s->signer);
    return signer_new(rec, &s->signer);
}

void sns_sign_init(struct sns *s)
{
    pthread_mutex_init(&s->sign_lock, NULL);
    pthread_mutex_init(&s->draft_lock, NULL);
    arena_init(&s->draft_arena, 2 * CERT_PEM_MAX);
}

enum err sns_sign_start(struct sns *s)
{
    TRY(txn_run_now(s->core, load, s));
    s->cert_claim = (struct core_claim){
        .path_prefix = STR(CERT_PATH),
        .op = &cert_op,
        .self = s,
    };
    return core_claim(s->core, &s->cert_claim);
}

void sns_sign_release(struct sns *s)
{
    signer_free(s->signer);
    arena_release(&s->draft_arena);
    pthread_mutex_destroy(&s->sign_lock);
    pthread_mutex_destroy(&s->draft_lock);
}
