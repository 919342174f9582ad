/* See car.h. Layer: pipeline, pure. */
#include "car.h"

#include "base/clock.h"
#include "item.h"

/* Where the member of that name goes; NULL: there is none. */
static struct str *text_of(struct car *car, struct str name)
{
    if (str_eq_c(name, "id"))
        return &car->id;
    if (str_eq_c(name, "make"))
        return &car->make;
    return str_eq_c(name, "model") ? &car->model : NULL;
}

static int64_t *number_of(struct car *car, struct str name)
{
    if (str_eq_c(name, "year"))
        return &car->year;
    return str_eq_c(name, "price") ? &car->price : NULL;
}

static bool is_id(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '-')
            return false;
    }
    return s.len >= 1 && s.len <= CAR_ID_MAX;
}

static enum err read_member(struct arena *a, const struct json *member, struct car *car,
                            struct str *ret_why)
{
    struct str *text = text_of(car, member->key);
    int64_t *number = number_of(car, member->key);
    if (text && member->kind == JSON_STRING) {
        *text = member->text;
        return ERR_OK;
    }
    /* Draft 4's integers are written without a point; a number too large is not one that is allowed. */
    if (number && member->kind == JSON_NUMBER && str_to_i64(member->text, number) == ERR_OK)
        return ERR_OK;
    *ret_why = text     ? str_fmt(a, STR_FMT " must be a text", STR_ARG(member->key))
               : number ? str_fmt(a, STR_FMT " must be a whole number", STR_ARG(member->key))
                        : str_fmt(a, "a car has no " STR_FMT, STR_ARG(member->key));
    return str_is_set(*ret_why) ? ERR_INVALID : ERR_NOMEM;
}

static bool is_text(struct str s)
{
    return s.len >= 1 && str_utf8_count(s) <= CAR_TEXT_MAX;
}

static struct str fault_of(const struct car *car, bool has_price)
{
    if (str_is_set(car->id) && !is_id(car->id))
        return STR("id must be 1 to 64 letters, digits and hyphens");
    if (!is_text(car->make))
        return STR("make must be a text of 1 to 64 characters");
    if (!is_text(car->model))
        return STR("model must be a text of 1 to 64 characters");
    if (car->year < CAR_YEAR_MIN || car->year > CAR_YEAR_MAX)
        return STR("year must be a whole number from 1886 to 2100");
    if (has_price && (car->price < 0 || car->price > CAR_PRICE_MAX))
        return STR("price must be a whole number from 0 to 1000000000");
    return STR_NONE;
}

enum err car_read(struct arena *a, struct str body, struct car *ret_car, struct str *ret_why)
{
    struct json *doc = NULL;
    struct car car = {.price = CAR_NO_PRICE};
    enum err err = json_parse(a, body, &doc, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (err != ERR_OK || doc->kind != JSON_OBJECT) {
        *ret_why = STR("the body must be a JSON object");
        return ERR_INVALID;
    }
    JSON_EACH (doc, member)
        TRY(read_member(a, member, &car, ret_why));
    *ret_why = fault_of(&car, json_get(doc, STR("price")) != NULL);
    if (str_is_set(*ret_why))
        return ERR_INVALID;
    *ret_car = car;
    return ERR_OK;
}

void car_put_item(struct json_out *o, const struct car *car, int64_t created_ms)
{
    char at[CLOCK_TEXT_MAX];
    json_open(o, '{');
    item_put_s(o, "id", car->id);
    item_put_s(o, "make", car->make);
    item_put_s(o, "model", car->model);
    item_put_n(o, "year", car->year);
    if (car->price != CAR_NO_PRICE)
        item_put_n(o, "price", car->price);
    item_put_s(o, "created_at", clock_iso8601_ms(at, created_ms));
    json_close(o, '}');
}

bool car_is_item(const struct car *car, const struct json *item)
{
    int64_t price = json_get(item, STR("price")) ? item_get_n(item, "price") : CAR_NO_PRICE;
    return str_eq(car->make, item_get_s(item, "make")) &&
           str_eq(car->model, item_get_s(item, "model")) && car->year == item_get_n(item, "year") &&
           car->price == price;
}
