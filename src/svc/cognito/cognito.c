/* The service as a whole: life, port, what core asks it. Layer: svc/cognito. */
#include "svc/cognito/cognito.h"

#include "base/arn.h"
#include "base/mem.h"
#include "deliver/deliver.h"
#include "svc/cognito/cognito_int.h"

static void release(void *self)
{
    struct cognito *c = self;
    catalogue_free(c->pools);
    catalogue_free(c->clients);
    catalogue_free(c->keys);
    cognito_rates_free(c->rates);
    jwt_seen_free(c->seen);
    mem_free(c);
}

static enum err port_check(void *self, struct txn *txn, struct str arn)
{
    const struct cognito_pool *pool;
    struct arn parts;
    if (arn_parse_as(arn, "cognito-idp", "userpool", &parts) != ERR_OK)
        return ERR_INVALID;
    TRY(cognito_pool_find(self, txn, arn_segment(&parts, 1), &pool));
    return str_eq(pool->arn, arn) ? ERR_OK : ERR_NOT_FOUND;
}

static enum err make(struct core *core, void **ret_self)
{
    struct cognito *c = mem_calloc(1, sizeof(*c));
    if (!c)
        return ERR_NOMEM;
    c->core = core;
    c->port = (struct cognito_port){.self = c, .verify = cognito_verify, .check = port_check};
    enum err err = cognito_catalogues_new(c);
    if (err == ERR_OK)
        err = cognito_marks_register(c);
    if (err == ERR_OK)
        err = cognito_removal_register(c);
    if (err == ERR_OK)
        err = cognito_rates_new(COGNITO_UNSIGNED_PER_S, &c->rates);
    if (err == ERR_OK)
        err = jwt_seen_new(&c->seen);
    if (err)
        release(c);
    else
        *ret_self = c;
    return err;
}

static enum err start(void *self)
{
    struct cognito *c = self;
    c->mail = sns_port_of(c->core);
    TRY(txn_run_now(c->core, cognito_catalogues_load, c));
    TRY(cognito_claims_register(c));
    return cognito_pages_register(c);
}

static const void *port(void *self)
{
    struct cognito *c = self;
    return &c->port;
}

/* What needs no signature proves itself by a token, a code or a password, which the handler judges. */
static enum err authorize_more(struct call *call, const void *in)
{
    return ERR_OK;
}

const struct svc_def cognito_def = {
    .wire = &cognito_service,
    .make = make,
    .start = start,
    .release = release,
    .port = port,
    .authorize_more = authorize_more,
    .tags = &cognito_tags,
};
