/* Bytes of SQS's records; see sqs_record.h. Layer: svc/sqs. */
#include "svc/sqs/sqs_record.h"

enum {
    VERSION = 1,
    FLAG_FIFO = 1,
    FLAG_CONTENT_DEDUP = 2,
    FLAG_SSE = 4,
    FLAG_DEDUP_PER_GROUP = 8,
    FLAG_LIMIT_PER_GROUP = 16,
};

static void start(struct buf *b, struct arena *a, size_t hint)
{
    buf_init_arena(b, a, SQS_RECORD_MAX);
    (void)buf_reserve(b, hint);
    pack_u8(b, VERSION);
}

static struct str done(const struct buf *b)
{
    return buf_err(b) == ERR_OK ? buf_str(b) : STR_NONE;
}

/* Any other version is from a later Weir. */
static enum err open_record(struct unpack *u, struct str bytes)
{
    unpack_init(u, bytes);
    return unpack_u8(u) == VERSION ? ERR_OK : ERR_CORRUPT;
}

struct str sqs_config_pack(struct arena *a, const struct sqs_config *c)
{
    struct buf b;
    start(&b, a, 128 + c->policy.len);
    pack_uint(&b, c->id);
    pack_int(&b, c->created_ms);
    pack_int(&b, c->modified_ms);
    pack_uint(&b, c->purge_seq);
    pack_int(&b, c->purged_ms);
    pack_u8(&b,
            (uint8_t)((c->fifo ? FLAG_FIFO : 0) | (c->content_dedup ? FLAG_CONTENT_DEDUP : 0) |
                      (c->sse ? FLAG_SSE : 0) | (c->dedup_per_group ? FLAG_DEDUP_PER_GROUP : 0) |
                      (c->limit_per_group ? FLAG_LIMIT_PER_GROUP : 0)));
    pack_int(&b, c->delay_s);
    pack_int(&b, c->size_max);
    pack_int(&b, c->retention_s);
    pack_int(&b, c->wait_s);
    pack_int(&b, c->visibility_s);
    pack_str(&b, c->policy);
    pack_str(&b, c->dlq_arn);
    pack_int(&b, c->receives_max);
    pack_str(&b, c->redrive_allow);
    return done(&b);
}

enum err sqs_config_unpack(struct arena *a, struct str bytes, struct sqs_config *ret_c)
{
    struct unpack u;
    struct sqs_config c = {0};
    TRY(open_record(&u, bytes));
    c.id = unpack_uint(&u);
    c.created_ms = unpack_int(&u);
    c.modified_ms = unpack_int(&u);
    c.purge_seq = unpack_uint(&u);
    c.purged_ms = unpack_int(&u);
    uint8_t flags = unpack_u8(&u);
    c.fifo = flags & FLAG_FIFO;
    c.content_dedup = flags & FLAG_CONTENT_DEDUP;
    c.sse = flags & FLAG_SSE;
    c.dedup_per_group = flags & FLAG_DEDUP_PER_GROUP;
    c.limit_per_group = flags & FLAG_LIMIT_PER_GROUP;
    c.delay_s = unpack_int(&u);
    c.size_max = unpack_int(&u);
    c.retention_s = unpack_int(&u);
    c.wait_s = unpack_int(&u);
    c.visibility_s = unpack_int(&u);
    c.policy = unpack_str(&u);
    c.dlq_arn = unpack_str(&u);
    c.receives_max = unpack_int(&u);
    c.redrive_allow = unpack_str(&u);
    TRY(unpack_end(&u));
    *ret_c = c;
    return ERR_OK;
}

struct str sqs_body_pack(struct arena *a, const struct sqs_body *m)
{
    struct buf b;
    start(&b, a, 160 + m->body.len);
    pack_str(&b, m->id);
    pack_int(&b, m->sent_ms);
    pack_str(&b, m->sender);
    pack_str(&b, m->body);
    pack_str(&b, m->md5);
    pack_str(&b, m->trace);
    pack_str(&b, m->group);
    pack_str(&b, m->dedup);
    pack_str(&b, m->dlq_source);
    pack_uint(&b, m->fifo_seq);
    pack_uint(&b, m->n_attrs);
    for (size_t i = 0; i < m->n_attrs; i++) {
        pack_str(&b, m->attrs[i].name);
        pack_str(&b, m->attrs[i].type);
        pack_str(&b, m->attrs[i].value);
    }
    return done(&b);
}

enum err sqs_body_unpack(struct arena *a, struct str bytes, struct sqs_body *ret_m)
{
    struct unpack u;
    struct sqs_body m = {0};
    TRY(open_record(&u, bytes));
    m.id = unpack_str(&u);
    m.sent_ms = unpack_int(&u);
    m.sender = unpack_str(&u);
    m.body = unpack_str(&u);
    m.md5 = unpack_str(&u);
    m.trace = unpack_str(&u);
    m.group = unpack_str(&u);
    m.dedup = unpack_str(&u);
    m.dlq_source = unpack_str(&u);
    m.fifo_seq = unpack_uint(&u);
    m.n_attrs = unpack_uint(&u);
    TRY(unpack_end(&u));
    if (m.n_attrs > SQS_ATTRIBUTES_MAX || !m.body.p || !m.id.p || m.md5.len != 16)
        return ERR_CORRUPT;
    m.attrs = ARENA_ARRAY(a, struct sqs_attr, m.n_attrs + 1);
    if (!m.attrs)
        return ERR_NOMEM;
    for (size_t i = 0; i < m.n_attrs; i++) {
        m.attrs[i].name = unpack_str(&u);
        m.attrs[i].type = unpack_str(&u);
        m.attrs[i].value = unpack_str(&u);
    }
    TRY(unpack_end(&u));
    *ret_m = m;
    return ERR_OK;
}

struct str sqs_state_pack(struct arena *a, const struct sqs_state *st)
{
    struct buf b;
    start(&b, a, 48 + st->group.len);
    pack_uint(&b, st->receives);
    pack_int(&b, st->due_ms);
    pack_int(&b, st->first_receive_ms);
    pack_int(&b, st->last_receive_ms);
    pack_str(&b, st->group);
    return done(&b);
}

enum err sqs_state_unpack(struct str bytes, struct sqs_state *ret_st)
{
    struct unpack u;
    struct sqs_state st = {0};
    TRY(open_record(&u, bytes));
    st.receives = (uint32_t)unpack_uint(&u);
    st.due_ms = unpack_int(&u);
    st.first_receive_ms = unpack_int(&u);
    st.last_receive_ms = unpack_int(&u);
    st.group = unpack_str(&u);
    TRY(unpack_end(&u));
    *ret_st = st;
    return ERR_OK;
}

struct str sqs_dedup_pack(struct arena *a, const struct sqs_dedup *d)
{
    struct buf b;
    start(&b, a, 64);
    pack_int(&b, d->sent_ms);
    pack_str(&b, d->id);
    pack_uint(&b, d->seq);
    return done(&b);
}

enum err sqs_dedup_unpack(struct str bytes, struct sqs_dedup *ret_d)
{
    struct unpack u;
    struct sqs_dedup d = {0};
    TRY(open_record(&u, bytes));
    d.sent_ms = unpack_int(&u);
    d.id = unpack_str(&u);
    d.seq = unpack_uint(&u);
    TRY(unpack_end(&u));
    *ret_d = d;
    return ERR_OK;
}
