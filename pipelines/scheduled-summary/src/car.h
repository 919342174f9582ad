/* Cars: as the API's clients send them, and as items of the table. What a car may be is said in
 * car.schema.json, for the gateway, and checked here again: a function may be called by others, too.
 *
 *   request   in DynamoDB
 *   id        id          S   hash key; without one the request's own
 *   make      make        S   1 to CAR_TEXT_MAX characters
 *   model     model       S
 *   year      year        N   CAR_YEAR_MIN to CAR_YEAR_MAX
 *   price     price       N   whole units, 0 to CAR_PRICE_MAX; may be missing
 *             created_at  S   "2026-11-29T12:34:56.789Z"
 *
 * Layer: pipeline, pure. Texts live in the trees that were read. */
#ifndef CARS_CAR_H
#define CARS_CAR_H

#include "codec/json.h"

enum {
    CAR_ID_MAX = 64,
    CAR_TEXT_MAX = 64, /* characters */
    CAR_YEAR_MIN = 1886,
    CAR_YEAR_MAX = 2100,
    CAR_PRICE_MAX = 1000 * 1000 * 1000,
    CAR_NO_PRICE = -1,
};

struct car {
    struct str id; /* absent: the client named none */
    struct str make, model;
    int64_t year, price; /* CAR_NO_PRICE */
};

/* Reads a request's body. ERR_INVALID: *ret_why (in the arena or static) says what is wrong. ERR_NOMEM. */
enum err car_read(struct arena *a, struct str body, struct car *ret_car,
                  struct str *ret_why) WARN_UNUSED;

/* {"id":{"S":..},..} */
void car_put_item(struct json_out *o, const struct car *car, int64_t created_ms);

/* Whether the item is this car, whenever it was made. */
bool car_is_item(const struct car *car, const struct json *item);

#endif
