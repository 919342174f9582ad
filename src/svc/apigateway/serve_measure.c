/* What CloudWatch hears of requests to APIs: namespace AWS/ApiGateway, by API, by stage, and where the
 * stage's settings ask for it by method.
 *
 * Source: API Gateway Developer Guide, "Amazon API Gateway dimensions and metrics".
 * Layer: svc. Thread: the call's loop. */
#include "core/measure.h"
#include "core/observe.h"
#include "svc/apigateway/serve_request.h"

enum { NS_PER_MS = 1000 * 1000 };

static void put_all(const struct serve_req *r, const struct measure *what,
                    const struct core_seen *seen)
{
    struct core *core = r->serve->core;
    measure_put(core, what, STR("Count"), MEASURE_COUNT, 1);
    measure_put(core, what, STR("4XXError"), MEASURE_COUNT, seen->status / 100 == 4);
    measure_put(core, what, STR("5XXError"), MEASURE_COUNT, seen->status / 100 == 5);
    measure_put(core, what, STR("Latency"), MEASURE_MILLISECONDS,
                (double)(seen->duration_ns / NS_PER_MS));
    if (r->integration_ns)
        measure_put(core, what, STR("IntegrationLatency"), MEASURE_MILLISECONDS,
                    (double)(r->integration_ns / NS_PER_MS));
    if (r->cache_hit)
        measure_put(core, what, STR("CacheHitCount"), MEASURE_COUNT, 1);
    else if (str_is_set(r->cache_key) && r->begun) /* by the integration, not refused */
        measure_put(core, what, STR("CacheMissCount"), MEASURE_COUNT, 1);
}

void serve_measure(void *self, const struct core_seen *seen)
{
    const struct serve_req *r = seen->call->state;
    if (!serve_is_request(seen->call) || !r || !r->stage)
        return;
    bool by_method = r->settings && r->settings->metrics;
    const struct measure_dim dims[] = {
        {STR("ApiName"), r->stage->api->name},
        {STR("Stage"), r->stage_name},
    };
    const struct str region = r->now.scope.region, space = STR("AWS/ApiGateway");
    put_all(r, &(struct measure){region, space, dims, 1, r->now.scope.account}, seen);
    put_all(r, &(struct measure){region, space, dims, 2, r->now.scope.account}, seen);
    if (!by_method)
        return;
    const struct measure_dim all[] = {
        dims[0],
        {STR("Method"), r->http.method},
        {STR("Resource"), r->route.resource->path},
        dims[1],
    };
    put_all(r, &(struct measure){region, space, all, ARRAY_LEN(all), r->now.scope.account}, seen);
}
