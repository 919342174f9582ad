/* Who claims which request. See claim.h.
 *
 * Layer: core. Thread: registration before the loops serve; the rest any loop's. */
#include "core/claim.h"

#include <assert.h>

#include "core/call_int.h"
#include "core/web.h"

enum err core_claim(struct core *core, struct core_claim *claim)
{
    struct core_claim **end = &core->impl->claims;
    assert(claim->op && claim->op->service && claim->op->run && !claim->next);
    assert(str_is_set(claim->host_suffix) || str_is_set(claim->host_kind) ||
           str_is_set(claim->path_prefix) || claim->match);
    TRY(metrics_claim(claim));
    while (*end)
        end = &(*end)->next;
    *end = claim;
    return ERR_OK;
}

static struct str host_of(const struct wire_request *head)
{
    struct str host = wire_header_get(head, STR("host"));
    size_t colon = str_rfind(host, ':');
    bool in_brackets =
        colon != SIZE_MAX && str_find(str_sub(host, colon, SIZE_MAX), ']') != SIZE_MAX;
    return colon == SIZE_MAX || in_brackets ? host : str_n(host.p, colon);
}

/* The label after the first; absent: it has one at most. */
static struct str kind_of(struct str host)
{
    (void)str_cut(&host, '.');
    return str_cut(&host, '.');
}

static bool takes(const struct core_claim *claim, struct str host, const struct wire_request *head)
{
    struct str suffix = claim->host_suffix;
    if (str_is_set(suffix) &&
        (host.len < suffix.len ||
         !str_eq_nocase(str_sub(host, host.len - suffix.len, SIZE_MAX), suffix)))
        return false;
    if (str_is_set(claim->host_kind) && !str_eq_nocase(kind_of(host), claim->host_kind))
        return false;
    if (str_is_set(claim->path_prefix) && !str_starts(head->path, claim->path_prefix))
        return false;
    return !claim->match || claim->match(claim->self, head);
}

bool claim_find(struct call_impl *c)
{
    struct core_claim *claim = c->core->impl->claims;
    if (!claim)
        return false;
    struct str host = host_of(&c->request);
    while (claim && !takes(claim, host, &c->request))
        claim = claim->next;
    if (!claim)
        return false;
    const struct wire_op *op = claim->op;
    assert(!c->claim && !c->authorized);
    c->claim = claim;
    c->routed = (struct wire_routed){
        .outcome = WIRE_ROUTED,
        .service = op->service,
        .op = op,
        .op_name = op->name,
        .protocol = (enum wire_protocol)op->service->protocol,
        .head = str_eq(c->request.method, STR("HEAD")),
    };
    c->call.service = op->service;
    c->call.op = op;
    c->call.svc = claim->self;
    c->authorized = true; /* run's to do */
    return true;
}

enum err call_authenticate(struct call *call)
{
    assert(call->impl->claim);
    TRY(web_check(call->impl));
    return authn_check(call->impl, false);
}

enum err call_claim_authorize(struct call *call, const void *in)
{
    struct call_impl *c = call->impl;
    assert(c->claim && c->routed.op->input);
    c->in = (void *)in;
    return authz_check(c, core_svc(c->core, c->routed.service));
}

bool call_is_operator(const struct call *call)
{
    struct call_impl *c = call->impl;
    assert(c->claim); /* so that the asker is a request of HTTP */
    return c->asker && web_is_operator(c->core, c->asker);
}
