/* scheduled-summary: the function behind the API. POST /cars puts a car into the table.
 *
 * Invariants
 *   A1  Nothing is written that car.h does not allow, whatever the gateway let through.
 *   A2  A car is there once for its id: sent again as it was, the answer is the same; another one
 *       under its id is refused.
 *
 * Layer: pipeline. Thread: one. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "car.h"
#include "dynamodb.h"
#include "item.h"
#include "lambda.h"
#include "rest.h"

enum { REQUEST_MAX = 64 * 1024 };

static struct {
    struct aws *aws;
    struct str table, allow_origin;
} app;

static enum err put_car(struct arena *a, const struct car *car, struct str *ret_why)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, a, REQUEST_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("TableName"), app.table);
    json_kv_str(&o, STR("ConditionExpression"), STR("attribute_not_exists(id)"));
    json_key(&o, STR("Item"));
    car_put_item(&o, car, clock_wall_ms());
    json_close(&o, '}');
    return dynamodb_call(app.aws, a, "PutItem", &b, NULL, ret_why);
}

static enum err is_there(struct arena *a, const struct car *car, bool *ret_same,
                         struct str *ret_why)
{
    struct buf b;
    struct json_out o;
    const struct json *reply = NULL;
    buf_init_arena(&b, a, REQUEST_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("TableName"), app.table);
    json_kv_bool(&o, STR("ConsistentRead"), true);
    json_key(&o, STR("Key"));
    json_open(&o, '{');
    item_put_s(&o, "id", car->id);
    json_close(&o, '}');
    json_close(&o, '}');
    TRY(dynamodb_call(app.aws, a, "GetItem", &b, &reply, ret_why));
    *ret_same = car_is_item(car, json_get(reply, STR("Item")));
    return ERR_OK;
}

/* ERR_INVALID: *ret_why is for the client; other errors' is for the log. */
static enum err take_car(struct arena *a, const struct rest_request *request, struct car *ret_car,
                         struct str *ret_why)
{
    bool same = false;
    TRY(car_read(a, str_is_set(request->body) ? request->body : STR(""), ret_car, ret_why));
    if (!str_is_set(ret_car->id))
        ret_car->id = request->request_id;
    enum err err = put_car(a, ret_car, ret_why);
    if (err != ERR_CONFLICT)
        return err;
    TRY(is_there(a, ret_car, &same, ret_why));
    if (same)
        return ERR_OK;
    *ret_why = STR("another car has this id");
    return ERR_INVALID;
}

static void tell_id(struct arena *a, const struct car *car, struct buf *reply)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, a, REQUEST_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("id"), car->id);
    json_close(&o, '}');
    rest_reply(reply, 200, buf_str(&b), app.allow_origin);
}

static int handle(struct lambda_context *ctx, struct str event, struct buf *reply)
{
    struct rest_request request;
    struct car car;
    struct str why = STR_NONE;
    if (rest_read(ctx->arena, event, &request) != ERR_OK)
        return lambda_fail(ctx, "Pipeline.BadEvent", "the event is no request to a REST API");
    if (!str_eq_c(request.resource, "/cars"))
        rest_reply_message(reply, 404, STR("there is nothing here"), app.allow_origin);
    else if (!str_eq_c(request.method, "POST"))
        rest_reply_message(reply, 405, STR("cars are sent by POST"), app.allow_origin);
    else {
        enum err err = take_car(ctx->arena, &request, &car, &why);
        if (err == ERR_OK) {
            tell_id(ctx->arena, &car, reply);
        } else if (err == ERR_INVALID) {
            rest_reply_message(reply, 400, why, app.allow_origin);
        } else {
            printf("not put: %s: " STR_FMT "\n", err_name(err), STR_ARG(why));
            rest_reply_message(reply, 500, STR("the car could not be put, try again"),
                               app.allow_origin);
        }
    }
    return 0;
}

int main(void)
{
    app.table = str_c(getenv("TABLE"));
    app.allow_origin = getenv("ALLOW_ORIGIN") ? str_c(getenv("ALLOW_ORIGIN")) : STR_NONE;
    if (!app.table.len)
        return lambda_init_error("Pipeline.Configuration", "TABLE must be set"), 1;
    if (aws_new(&app.aws) != ERR_OK)
        return lambda_init_error("Pipeline.Configuration", "no credentials or region"), 1;
    return lambda_run(handle);
}
