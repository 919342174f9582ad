/* Tokens that confirm a subscription: a page's sealed position (core/page.h), bound to the topic, that
 * holds for SNS_PENDING_MS. Layer: svc/sns. */
#include "core/page.h"
#include "svc/sns/sns_int.h"

static const struct record_field token_fields[] = {
    REC_STR(struct sns_token, sub_id),
    REC_UINT(struct sns_token, protocol),
    REC_STR(struct sns_token, endpoint),
};
static const struct record_type token_type = RECORD_TYPE(struct sns_token, 1, token_fields);

/* A topic that was made anew has another id: old tokens do not fit it. */
static enum err bind_to_topic(struct txn *txn, const struct sns_topic_ref *t, struct page_bind *ret)
{
    struct str scope =
        str_fmt(txn->arena, STR_FMT "/%llu", STR_ARG(t->name), (unsigned long long)t->rec.id);
    if (!str_is_set(scope))
        return ERR_NOMEM;
    *ret = (struct page_bind){
        .core = txn->core,
        .arena = txn->arena,
        .operation = STR("ConfirmSubscription"),
        .account = t->scope.account,
        .region = t->scope.region,
        .scope = scope,
        .now_ms = txn->now_ms,
        .valid_ms = SNS_PENDING_MS,
    };
    return ERR_OK;
}

enum err sns_token_make(struct txn *txn, const struct sns_topic_ref *t,
                        const struct sns_token *token, struct str *ret_text)
{
    struct page_bind b;
    struct str position;
    TRY(bind_to_topic(txn, t, &b));
    TRY(record_make(&token_type, txn->arena, token, &position));
    return page_seal(&b, position, ret_text);
}

enum err sns_token_open(struct txn *txn, const struct sns_topic_ref *t, struct str text,
                        struct sns_token *ret)
{
    struct page_bind b;
    struct str position;
    TRY(bind_to_topic(txn, t, &b));
    TRY(page_open(&b, text, &position));
    enum err err = record_unpack(&token_type, txn->arena, position, ret);
    return err == ERR_CORRUPT ? ERR_INVALID : err;
}
