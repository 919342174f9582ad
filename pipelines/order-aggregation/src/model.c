/* See model.h. Rows live in three arrays, linked by position; ids are found through open-addressed
 * tables of positions. One pass over each file; memory is proportional to the rows.
 *
 * Layer: pipeline. */
#include "model.h"

#include "base/mem.h"
#include "codec/json.h"
#include "csv.h"
#include "money.h"

enum { COLUMNS_MAX = 3, FIRST_CAP = 1024, HEADER_FAULT_MAX = 256 };

const char *const kind_names[KINDS] = {"customers", "orders", "items"};

static const struct {
    const char *columns[COLUMNS_MAX];
    size_t n;
    size_t row_size;
    const char *duplicate, *no_id;
} kinds[KINDS] = {
    {{"customer_id", "customer_name"},
     2,
     sizeof(struct customer),
     "duplicate customer_id",
     "empty customer_id"},
    {{"order_id", "customer_id", "amount"},
     3,
     sizeof(struct order),
     "duplicate order_id",
     "empty order_id"},
    {{"item_id", "order_id"}, 2, sizeof(struct item), "duplicate item_id", "empty item_id"},
};

enum err model_parse_name(struct str key, enum kind *ret_kind, struct str *ret_date)
{
    size_t slash = str_rfind(key, '/');
    struct str name = slash == SIZE_MAX ? key : str_sub(key, slash + 1, SIZE_MAX);
    for (int k = 0; k < KINDS; k++) {
        struct str prefix = str_c(kind_names[k]);
        if (!str_starts(name, prefix) || name.len != prefix.len + 1 + DATE_LEN + 4 ||
            name.p[prefix.len] != '_' || !str_ends(name, STR(".csv")))
            continue;
        struct str date = str_sub(name, prefix.len + 1, DATE_LEN);
        for (size_t i = 0; i < DATE_LEN; i++)
            if (date.p[i] < '0' || date.p[i] > '9')
                return ERR_INVALID;
        *ret_kind = (enum kind)k;
        *ret_date = date;
        return ERR_OK;
    }
    return ERR_INVALID;
}

void model_init(struct model *m, struct arena *arena, reject_fn *reject, void *arg)
{
    *m = (struct model){.arena = arena, .reject = reject, .reject_arg = arg};
}

void model_release(struct model *m)
{
    mem_free(m->customers);
    mem_free(m->orders);
    mem_free(m->items);
    for (int k = 0; k < KINDS; k++)
        mem_free(m->index[k].slots);
    *m = (struct model){0};
}

/* --- rows and their ids ----------------------------------------------------------------------- */

static struct str id_at(const struct model *m, enum kind kind, uint32_t position)
{
    return kind == KIND_CUSTOMERS ? m->customers[position - 1].id
           : kind == KIND_ORDERS  ? m->orders[position - 1].id
                                  : m->items[position - 1].id;
}

/* Slot of `id`: holds its position, or 0 where it would go. */
static uint32_t *slot_of(struct model *m, enum kind kind, struct str id)
{
    struct id_index *x = &m->index[kind];
    for (size_t at = str_hash(id) & (x->cap - 1);; at = (at + 1) & (x->cap - 1))
        if (x->slots[at] == 0 || str_eq(id_at(m, kind, x->slots[at]), id))
            return &x->slots[at];
}

static uint32_t find(struct model *m, enum kind kind, struct str id)
{
    return m->index[kind].cap ? *slot_of(m, kind, id) : 0;
}

/* Twice the room, at most half full. */
static enum err grow(struct model *m, enum kind kind)
{
    void **rows = kind == KIND_CUSTOMERS ? (void **)&m->customers
                  : kind == KIND_ORDERS  ? (void **)&m->orders
                                         : (void **)&m->items;
    size_t cap = m->cap[kind] ? 2 * m->cap[kind] : FIRST_CAP;
    if (m->n[kind] >= MODEL_ROWS_MAX)
        return ERR_LIMIT;
    void *bigger = mem_realloc(*rows, cap * kinds[kind].row_size);
    if (!bigger)
        return ERR_NOMEM;
    *rows = bigger;
    uint32_t *slots = mem_calloc(2 * cap, sizeof *slots);
    if (!slots)
        return ERR_NOMEM;
    mem_free(m->index[kind].slots);
    m->index[kind] = (struct id_index){slots, 2 * cap};
    m->cap[kind] = cap;
    for (uint32_t i = 1; i <= m->n[kind]; i++)
        *slot_of(m, kind, id_at(m, kind, i)) = i;
    return ERR_OK;
}

/* --- one row ---------------------------------------------------------------------------------- */

static const char *add_customer(struct model *m, struct str id, struct str name)
{
    if (name.len == 0)
        return "empty customer_name";
    m->customers[m->n[KIND_CUSTOMERS]] = (struct customer){.id = id, .name = name};
    return NULL;
}

/* Puts an order of whole amount `value` at the end of its customer's. */
static const char *link_order(struct model *m, struct customer *owner, uint32_t position,
                              int64_t value)
{
    if (money_add(&owner->total, value) != ERR_OK)
        return "amount out of range";
    if (owner->last_order)
        m->orders[owner->last_order - 1].next = position;
    else
        owner->first_order = position;
    owner->last_order = position;
    owner->n_orders++;
    return NULL;
}

static const char *add_order(struct model *m, struct str id, struct str customer_id,
                             struct str amount, bool alone)
{
    int64_t value = 0;
    uint32_t position = (uint32_t)m->n[KIND_ORDERS] + 1;
    if (money_parse(amount, &value) != ERR_OK)
        return "bad amount";
    m->orders[position - 1] = (struct order){.id = id, .amount = value};
    if (alone)
        return NULL;
    uint32_t c = find(m, KIND_CUSTOMERS, customer_id);
    return c ? link_order(m, &m->customers[c - 1], position, value) : "unknown customer_id";
}

static const char *add_item(struct model *m, struct str id, struct str order_id, bool alone)
{
    uint32_t position = (uint32_t)m->n[KIND_ITEMS] + 1;
    m->items[position - 1] = (struct item){.id = id};
    if (alone)
        return NULL;
    uint32_t o = find(m, KIND_ORDERS, order_id);
    if (o == 0)
        return "unknown order_id";
    struct order *order = &m->orders[o - 1];
    if (order->last_item)
        m->items[order->last_item - 1].next = position;
    else
        order->first_item = position;
    order->last_item = position;
    return NULL;
}

/* NULL, or why the row is rejected. `f` are the fields of the kind's columns, in their order. */
static const char *add_row(struct model *m, enum kind kind, const struct str f[COLUMNS_MAX],
                           bool alone)
{
    uint32_t *slot = slot_of(m, kind, f[0]);
    const char *why;
    if (f[0].len == 0)
        return kinds[kind].no_id;
    if (*slot)
        return kinds[kind].duplicate;
    switch (kind) {
    case KIND_CUSTOMERS:
        why = add_customer(m, f[0], f[1]);
        break;
    case KIND_ORDERS:
        why = add_order(m, f[0], f[1], f[2], alone);
        break;
    default:
        why = add_item(m, f[0], f[1], alone);
        break;
    }
    if (!why)
        *slot = (uint32_t)++m->n[kind];
    return why;
}

/* --- files ------------------------------------------------------------------------------------ */

static void reject(struct model *m, enum kind kind, uint64_t line, const char *reason)
{
    m->rejects[kind]++;
    if (m->reject)
        m->reject(m->reject_arg, kind, line, reason);
}

/* NULL when every column was found, else a sentence in the arena that names those that were not. */
static const char *missing_columns(struct arena *a, enum kind kind, const size_t at[COLUMNS_MAX])
{
    struct buf b;
    size_t missing = 0;
    buf_init_arena(&b, a, HEADER_FAULT_MAX);
    buf_add_c(&b, "the header row lacks the column ");
    for (size_t c = 0; c < kinds[kind].n; c++)
        if (at[c] == SIZE_MAX)
            buf_add_fmt(&b, "%s%s", missing++ ? " and the column " : "", kinds[kind].columns[c]);
    buf_add_byte(&b, 0);
    if (missing == 0)
        return NULL;
    return buf_err(&b) == ERR_OK ? b.p : "the header row lacks a column";
}

/* Where each column stands in the header row; NULL, or what is wrong with it. */
static const char *read_header(struct csv *csv, enum kind kind, size_t at[COLUMNS_MAX],
                               size_t *ret_width)
{
    struct csv_record r;
    if (!csv_next(csv, &r))
        return "the file is empty: a header row is needed";
    if (r.fault)
        return r.fault;
    for (size_t c = 0; c < kinds[kind].n; c++) {
        at[c] = SIZE_MAX;
        for (size_t i = 0; i < r.n; i++)
            if (str_eq_c(str_trim(r.fields[i]), kinds[kind].columns[c])) {
                if (at[c] != SIZE_MAX)
                    return "the header row has a column twice";
                at[c] = i;
            }
    }
    *ret_width = r.n;
    return missing_columns(csv->arena, kind, at);
}

static enum err add_file(struct model *m, enum kind kind, struct str text, bool alone)
{
    struct csv csv;
    struct csv_record r;
    size_t at[COLUMNS_MAX], width = 0;
    csv_init(&csv, m->arena, text);
    const char *why = read_header(&csv, kind, at, &width);
    if (why) {
        reject(m, kind, 1, why);
        return ERR_INVALID;
    }
    while (csv_next(&csv, &r)) {
        struct str f[COLUMNS_MAX] = {{0}};
        m->rows[kind]++;
        if (m->n[kind] == m->cap[kind])
            TRY(grow(m, kind));
        why = r.fault ? r.fault : r.n != width ? "wrong number of columns" : NULL;
        for (size_t c = 0; !why && c < kinds[kind].n; c++)
            f[c] = r.fields[at[c]];
        if (!why)
            why = add_row(m, kind, f, alone);
        if (why)
            reject(m, kind, r.line, why);
    }
    return ERR_OK;
}

enum err model_add(struct model *m, enum kind kind, struct str text)
{
    return add_file(m, kind, text, false);
}

enum err model_check(struct arena *arena, enum kind kind, struct str text, reject_fn *reject_cb,
                     void *arg, uint64_t *ret_rows, uint64_t *ret_rejects)
{
    struct model m;
    model_init(&m, arena, reject_cb, arg);
    enum err err = add_file(&m, kind, text, true);
    *ret_rows = m.rows[kind];
    *ret_rejects = m.rejects[kind];
    model_release(&m);
    return err;
}

static void put_amount(struct json_out *o, struct str key, int64_t hundredths)
{
    char text[MONEY_TEXT_MAX];
    json_key(o, key);
    json_raw(o, money_text(text, hundredths));
}

void model_put_message(const struct model *m, size_t customer, struct buf *out)
{
    const struct customer *c = &m->customers[customer];
    struct json_out o;
    json_out_init(&o, out);
    json_open(&o, '{');
    json_kv_str(&o, STR("id"), c->id);
    json_kv_str(&o, STR("name"), c->name);
    put_amount(&o, STR("total_amount_spent"), c->total);
    json_key(&o, STR("orders"));
    json_open(&o, '[');
    for (uint32_t at = c->first_order; at; at = m->orders[at - 1].next) {
        const struct order *order = &m->orders[at - 1];
        json_open(&o, '{');
        json_kv_str(&o, STR("id"), order->id);
        put_amount(&o, STR("amount"), order->amount);
        json_key(&o, STR("item_ids"));
        json_open(&o, '[');
        for (uint32_t i = order->first_item; i; i = m->items[i - 1].next)
            json_str(&o, m->items[i - 1].id);
        json_close(&o, ']');
        json_close(&o, '}');
    }
    json_close(&o, ']');
    json_close(&o, '}');
}
