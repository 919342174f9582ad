/* What metrics are called, and their records.
 *
 * Layer: svc/cloudwatch. Thread: the transaction's. */
#include <assert.h>
#include <stdlib.h>

#include "base/pack.h"
#include "svc/cloudwatch/cloudwatch_int.h"

enum { DIMS_BYTES_MAX = 64 * 1024 };

/* In the order of the model's enumeration; numbers are in keys, so they never change. */
static const char *const units[CW_UNITS] = {
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
};

unsigned cw_unit_of(struct str name)
{
    for (unsigned i = 0; i < CW_UNITS; i++)
        if (str_eq_c(name, units[i]))
            return i;
    return CW_ANY_UNIT;
}

struct str cw_unit_name(unsigned unit)
{
    return unit < CW_UNITS ? str_c(units[unit]) : STR_NONE;
}

/* --- names as keys ------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
    const struct cw_dim *x = a, *y = b;
    int order = str_cmp(x->name, y->name);
    return order ? order : str_cmp(x->value, y->value);
}

enum err cw_metric_sort(struct arena *a, struct cw_metric *m)
{
    struct cw_dim *v = ARENA_ARRAY(a, struct cw_dim, m->n_dims + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < m->n_dims; i++)
        v[i] = m->dims[i];
    qsort(v, m->n_dims, sizeof(*v), by_name);
    m->dims = v;
    return ERR_OK;
}

struct str cw_metric_key(struct arena *a, struct key_scope scope, const struct cw_metric *m)
{
    struct buf dims;
    buf_init_arena(&dims, a, DIMS_BYTES_MAX);
    for (size_t i = 0; i < m->n_dims; i++) {
        pack_str(&dims, m->dims[i].name);
        pack_str(&dims, m->dims[i].value);
    }
    if (buf_err(&dims) != ERR_OK)
        return STR_NONE;
    return key_make(a, &cw_k_metric, scope, m->space, m->name, buf_str(&dims));
}

enum err cw_metric_of_key(struct arena *a, struct str key, struct key_scope *ret_scope,
                          struct cw_metric *ret)
{
    struct unpack u;
    struct str dims;
    TRY(key_read(&cw_k_metric, key, a, ret_scope, &ret->space, &ret->name, &dims));
    ret->dims = ARENA_ARRAY(a, struct cw_dim, CW_DIMS_MAX);
    ret->n_dims = 0;
    if (!ret->dims)
        return ERR_NOMEM;
    unpack_init(&u, dims);
    while (unpack_more(&u) && ret->n_dims < CW_DIMS_MAX) {
        struct cw_dim *d = &ret->dims[ret->n_dims++];
        d->name = unpack_str(&u);
        d->value = unpack_str(&u);
    }
    return unpack_end(&u);
}

/* --- records ------------------------------------------------------------------------------------ */

static const struct record_field metric_fields[] = {
    REC_UINT(struct cw_metric_rec, id),
    REC_INT(struct cw_metric_rec, newest_ms),
    REC_INT(struct cw_metric_rec, put_ms),
};
const struct record_type cw_metric_type = RECORD_TYPE(struct cw_metric_rec, 1, metric_fields);

enum err cw_metric_parse(struct arena *a, struct str record, struct cw_metric_rec *ret)
{
    return record_unpack(&cw_metric_type, a, record, ret);
}

enum err cw_metric_read(struct txn *txn, struct str key, struct cw_metric_rec *ret)
{
    struct str record;
    TRY(txn_get(txn, key, &record));
    return cw_metric_parse(txn->arena, record, ret);
}

enum err cw_paged(struct call *call, enum err err)
{
    if (err != ERR_INVALID)
        return err;
    return call_error(call, &cloudwatch_err_invalid_next_token, "The next token is not valid.");
}
