/* Packing and unpacking of S3's records. See s3_record.h. Layer: svc. Thread: pure. */
#include "svc/s3/s3_record.h"

enum { RECORD_V1 = 1 };

static void pack_id(struct buf *b, const struct s3_id *id)
{
    buf_add(b, id->b, S3_ID_LEN);
}

static struct s3_id unpack_id(struct unpack *u)
{
    struct s3_id id = {{0}};
    if (u->bad || u->rest.len < S3_ID_LEN) {
        u->bad = true;
        return id;
    }
    memcpy(id.b, u->rest.p, S3_ID_LEN);
    u->rest = str_sub(u->rest, S3_ID_LEN, u->rest.len);
    return id;
}

/* False when the record is of another version than this build reads. */
static bool starts_v1(struct unpack *u, struct str bytes)
{
    unpack_init(u, bytes);
    return unpack_u8(u) == RECORD_V1;
}

void s3_pack_bucket(struct buf *b, const struct s3_bucket_rec *rec)
{
    pack_u8(b, RECORD_V1);
    pack_uint(b, rec->id);
    pack_str(b, rec->region);
    pack_int(b, rec->created_ms);
    pack_uint(b, rec->versioning);
    pack_uint(b, rec->flags);
}

enum err s3_unpack_bucket(struct str bytes, struct s3_bucket_rec *ret_rec)
{
    struct unpack u;
    if (!starts_v1(&u, bytes))
        return ERR_CORRUPT;
    struct s3_bucket_rec rec = {.id = unpack_uint(&u), .region = unpack_str(&u)};
    rec.created_ms = unpack_int(&u);
    rec.versioning = (enum s3_versioning)unpack_uint(&u);
    rec.flags = unpack_uint(&u);
    TRY(unpack_end(&u));
    *ret_rec = rec;
    return ERR_OK;
}

void s3_pack_pairs(struct buf *b, struct s3_pairs pairs)
{
    pack_uint(b, pairs.n);
    for (size_t i = 0; i < pairs.n; i++) {
        pack_str(b, pairs.v[i].key);
        pack_str(b, pairs.v[i].value);
    }
}

enum err s3_unpack_pairs(struct arena *a, struct unpack *u, struct s3_pairs *ret_pairs)
{
    uint64_t n = unpack_uint(u);
    if (u->bad || n > u->rest.len)
        return ERR_CORRUPT;
    struct s3_pair *v = ARENA_ARRAY(a, struct s3_pair, n);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        v[i].key = unpack_str(u);
        v[i].value = unpack_str(u);
    }
    *ret_pairs = (struct s3_pairs){v, n};
    return ERR_OK;
}

static void pack_sum(struct buf *b, const struct s3_sum *sum)
{
    pack_u8(b, (uint8_t)sum->algo);
    pack_u8(b, sum->composite);
    pack_str(b, sum->text);
}

static struct s3_sum unpack_sum(struct unpack *u)
{
    struct s3_sum sum;
    sum.algo = (enum s3_algo)unpack_u8(u);
    sum.composite = unpack_u8(u) != 0;
    sum.text = unpack_str(u);
    if (sum.algo >= S3_ALGOS)
        u->bad = true;
    return sum;
}

static void pack_attrs(struct buf *b, const struct s3_attrs *t)
{
    pack_str(b, t->content_type);
    pack_str(b, t->cache_control);
    pack_str(b, t->content_disposition);
    pack_str(b, t->content_encoding);
    pack_str(b, t->content_language);
    pack_str(b, t->expires);
    pack_str(b, t->website_redirect);
    s3_pack_pairs(b, t->metadata);
    s3_pack_pairs(b, t->tags);
}

static enum err unpack_attrs(struct arena *a, struct unpack *u, struct s3_attrs *t)
{
    t->content_type = unpack_str(u);
    t->cache_control = unpack_str(u);
    t->content_disposition = unpack_str(u);
    t->content_encoding = unpack_str(u);
    t->content_language = unpack_str(u);
    t->expires = unpack_str(u);
    t->website_redirect = unpack_str(u);
    TRY(s3_unpack_pairs(a, u, &t->metadata));
    return s3_unpack_pairs(a, u, &t->tags);
}

void s3_pack_object(struct buf *b, const struct s3_object_rec *rec)
{
    pack_u8(b, RECORD_V1);
    pack_uint(b, rec->seq);
    pack_str(b, rec->version_id);
    pack_u8(b, rec->delete_marker);
    pack_int(b, rec->modified_ms);
    pack_uint(b, rec->size);
    pack_str(b, rec->etag);
    pack_sum(b, &rec->sum);
    pack_u8(b, (uint8_t)rec->body.kind);
    pack_id(b, &rec->body.id);
    pack_uint(b, rec->body.n_parts);
    pack_attrs(b, &rec->attrs);
}

enum err s3_unpack_object(struct arena *a, struct str bytes, struct s3_object_rec *ret_rec)
{
    struct unpack u;
    struct s3_object_rec rec = {0};
    if (!starts_v1(&u, bytes))
        return ERR_CORRUPT;
    rec.seq = unpack_uint(&u);
    rec.version_id = unpack_str(&u);
    rec.delete_marker = unpack_u8(&u) != 0;
    rec.modified_ms = unpack_int(&u);
    rec.size = unpack_uint(&u);
    rec.etag = unpack_str(&u);
    rec.sum = unpack_sum(&u);
    rec.body.kind = (enum s3_body_kind)unpack_u8(&u);
    rec.body.id = unpack_id(&u);
    rec.body.n_parts = unpack_uint(&u);
    TRY(unpack_attrs(a, &u, &rec.attrs));
    TRY(unpack_end(&u));
    *ret_rec = rec;
    return ERR_OK;
}

void s3_pack_upload(struct buf *b, const struct s3_upload_rec *rec)
{
    pack_u8(b, RECORD_V1);
    pack_int(b, rec->initiated_ms);
    pack_u8(b, (uint8_t)rec->algo);
    pack_u8(b, rec->algo_given);
    pack_u8(b, rec->composite);
    pack_attrs(b, &rec->attrs);
}

enum err s3_unpack_upload(struct arena *a, struct str bytes, struct s3_upload_rec *ret_rec)
{
    struct unpack u;
    struct s3_upload_rec rec = {0};
    if (!starts_v1(&u, bytes))
        return ERR_CORRUPT;
    rec.initiated_ms = unpack_int(&u);
    rec.algo = (enum s3_algo)unpack_u8(&u);
    rec.algo_given = unpack_u8(&u) != 0;
    rec.composite = unpack_u8(&u) != 0;
    TRY(unpack_attrs(a, &u, &rec.attrs));
    TRY(unpack_end(&u));
    if (rec.algo >= S3_ALGOS)
        return ERR_CORRUPT;
    *ret_rec = rec;
    return ERR_OK;
}

static void pack_part_fields(struct buf *b, const struct s3_part_rec *rec)
{
    pack_int(b, rec->number);
    pack_uint(b, rec->size);
    pack_int(b, rec->modified_ms);
    pack_str(b, rec->etag);
    pack_sum(b, &rec->sum);
    pack_id(b, &rec->file);
}

static struct s3_part_rec unpack_part_fields(struct unpack *u)
{
    struct s3_part_rec rec = {.number = unpack_int(u)};
    rec.size = unpack_uint(u);
    rec.modified_ms = unpack_int(u);
    rec.etag = unpack_str(u);
    rec.sum = unpack_sum(u);
    rec.file = unpack_id(u);
    return rec;
}

void s3_pack_done(struct buf *b, const struct s3_done_rec *rec)
{
    pack_u8(b, RECORD_V1);
    pack_uint(b, rec->seq);
}

enum err s3_unpack_done(struct str bytes, struct s3_done_rec *ret_rec)
{
    struct unpack u;
    unpack_init(&u, bytes);
    if (unpack_u8(&u) != RECORD_V1)
        return ERR_CORRUPT;
    ret_rec->seq = unpack_uint(&u);
    return unpack_end(&u);
}

void s3_pack_part(struct buf *b, const struct s3_part_rec *rec)
{
    pack_u8(b, RECORD_V1);
    pack_part_fields(b, rec);
}

enum err s3_unpack_part(struct str bytes, struct s3_part_rec *ret_rec)
{
    struct unpack u;
    if (!starts_v1(&u, bytes))
        return ERR_CORRUPT;
    struct s3_part_rec rec = unpack_part_fields(&u);
    TRY(unpack_end(&u));
    *ret_rec = rec;
    return ERR_OK;
}

void s3_pack_manifest(struct buf *b, const struct s3_part_rec *parts, size_t n)
{
    pack_u8(b, RECORD_V1);
    pack_uint(b, n);
    for (size_t i = 0; i < n; i++)
        pack_part_fields(b, &parts[i]);
}

enum err s3_unpack_manifest(struct arena *a, struct str bytes, struct s3_manifest *ret_manifest)
{
    struct unpack u;
    if (!starts_v1(&u, bytes))
        return ERR_CORRUPT;
    uint64_t n = unpack_uint(&u);
    if (u.bad || n > u.rest.len)
        return ERR_CORRUPT;
    struct s3_part_rec *parts = ARENA_ARRAY(a, struct s3_part_rec, n);
    if (!parts)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        parts[i] = unpack_part_fields(&u);
    TRY(unpack_end(&u));
    *ret_manifest = (struct s3_manifest){parts, n};
    return ERR_OK;
}
