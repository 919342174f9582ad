/* ListObjectVersions. Layer: svc. */
#include <inttypes.h>

#include "svc/s3/s3_acl.h"
#include "svc/s3/s3_list.h"

struct page {
    struct s3_object_version *versions;
    struct s3_delete_marker_entry *markers;
    struct s3_common_prefix *prefixes;
    size_t n_versions, n_markers, n_prefixes;
    bool truncated;
    struct str last_key, last_version; /* of the last entry; last_version absent after a group */
    struct str latest_of;              /* key whose newest version was seen */
    uint64_t last_seq;
};

struct request {
    struct s3_bucket_ref b;
    struct str prefix, delimiter;
    struct str key_marker;
    bool within; /* go on inside the marker's key, behind `seq` */
    uint64_t seq;
    uint64_t newest_seq; /* of the marker's key as it is now */
    bool promoted;       /* its current version is behind the marker: what was newer is gone */
    size_t max;
    bool url;
    const struct s3_owner *owner;
};

/* What the marker's key has become since the page that ended in it (PG1 of core/page.h). */
static enum err look_at_key(struct call *call, struct request *rq)
{
    struct s3_object_rec rec;
    enum err err = s3_current(call->txn, rq->b.rec.id, rq->key_marker, false, &rec);
    rq->promoted = err == ERR_OK && rec.seq < rq->seq;
    if (err == ERR_NOT_FOUND)
        err = s3_newest_old(call->txn, rq->b.rec.id, rq->key_marker, &rec);
    if (err == ERR_OK)
        rq->newest_seq = rec.seq;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Turns a version-id-marker into its place in the order. */
static enum err find_marker(struct call *call, struct request *rq, struct str version_id)
{
    struct s3_object_rec rec;
    bool current;
    if (!str_is_set(version_id))
        return ERR_OK;
    if (!str_is_set(rq->key_marker))
        return s3_bad_argument(call, "version-id-marker", version_id,
                               "A version-id marker cannot be specified without a key marker.");
    if (version_id.len == 0)
        return s3_bad_argument(call, "version-id-marker", version_id,
                               "A version-id marker cannot be empty.");
    rq->within = true;
    if (s3_version_id_seq(version_id, &rq->seq) == ERR_OK)
        return look_at_key(call, rq);
    if (!str_eq(version_id, S3_NULL_VERSION))
        return s3_bad_argument(call, "version-id-marker", version_id,
                               "Invalid version id specified");
    enum err err =
        s3_version(call->txn, rq->b.rec.id, rq->key_marker, version_id, false, &rec, &current);
    if (err == ERR_OK ||
        err == ERR_NOT_FOUND) /* gone, and nothing says where it was: the whole key */
        rq->seq = err == ERR_OK ? rec.seq : UINT64_MAX;
    else
        return err;
    return look_at_key(call, rq);
}

static enum err give_version(struct call *call, const struct request *rq, struct str key,
                             const struct s3_object_rec *rec, bool latest, struct page *p)
{
    struct str shown = s3_list_text(call->arena, key, rq->url);
    struct str version = str_dup(call->arena, rec->version_id);
    if (rec->delete_marker) {
        struct s3_delete_marker_entry *m = &p->markers[p->n_markers++];
        *m = (struct s3_delete_marker_entry){
            .owner = rq->owner, .key = shown, .version_id = version};
        WIRE_SET(m, is_latest, latest);
        WIRE_SET(m, last_modified, rec->modified_ms);
        return ERR_OK;
    }
    struct s3_object_version *v = &p->versions[p->n_versions++];
    *v = (struct s3_object_version){.e_tag = s3_quote(call->arena, rec->etag),
                                    .storage_class = s3_class_name(rec->attrs.storage_class),
                                    .key = shown,
                                    .version_id = version,
                                    .owner =
                                        s3_object_owner(call, &rq->b.rec, &rec->attrs, rq->owner)};
    WIRE_SET(v, size, (int64_t)rec->size);
    WIRE_SET(v, is_latest, latest);
    WIRE_SET(v, last_modified, rec->modified_ms);
    if (rec->sum.algo != S3_NO_CHECKSUM) {
        struct str *name = ARENA_NEW(call->arena, struct str);
        if (!name)
            return ERR_NOMEM;
        *name = s3_algo_name(rec->sum.algo);
        v->checksum_algorithm = (struct s3_checksum_algorithm_list){name, 1};
        v->checksum_type = s3_sum_type(&rec->sum);
    }
    return ERR_OK;
}

static enum err take_entry(struct call *call, const struct request *rq, const struct s3_entry *e,
                           struct page *p)
{
    if (str_is_set(e->common_prefix)) {
        p->prefixes[p->n_prefixes++].prefix = s3_list_text(call->arena, e->common_prefix, rq->url);
        p->last_key = e->common_prefix;
        p->last_version = STR_NONE;
        return ERR_OK;
    }
    struct s3_object_rec rec;
    TRY(record_unpack(&s3_object_type, call->arena, e->value, &rec));
    bool latest = !str_is_set(p->latest_of) || !str_eq(p->latest_of, e->key);
    if (rq->within && str_eq(rq->key_marker, e->key))
        latest = rec.seq == rq->newest_seq;
    p->latest_of = e->key;
    p->last_key = e->key;
    p->last_version = rec.version_id;
    p->last_seq = rec.seq;
    return give_version(call, rq, e->key, &rec, latest, p);
}

static enum err fill(struct call *call, const struct request *rq, struct s3_walk *w, struct page *p)
{
    for (;;) {
        struct s3_entry e;
        enum err err = s3_walk_next(w, &e);
        if (err == ERR_NOT_FOUND)
            return ERR_OK;
        TRY(err);
        if (p->n_versions + p->n_markers + p->n_prefixes == rq->max) {
            p->truncated = true;
            return ERR_OK;
        }
        TRY(take_entry(call, rq, &e, p));
    }
}

static enum err list(struct call *call, const struct request *rq, struct page *p)
{
    static const struct key_layout *const tables[] = {&s3_k_current, &s3_k_version};
    struct s3_walk w;
    *p = (struct page){
        .versions = ARENA_ARRAY(call->arena, struct s3_object_version, rq->max),
        .markers = ARENA_ARRAY(call->arena, struct s3_delete_marker_entry, rq->max),
        .prefixes = ARENA_ARRAY(call->arena, struct s3_common_prefix, rq->max),
    };
    if (!p->versions || !p->markers || !p->prefixes)
        return ERR_NOMEM;
    if (rq->max == 0)
        return ERR_OK;
    /* Inside the marker's key its current version was shown, and the older ones down to `seq`. */
    uint64_t id = rq->b.rec.id;
    struct str current = key_make(call->arena, &s3_k_current, id, rq->key_marker);
    struct str from[] = {rq->promoted ? current : key_successor(call->arena, current),
                         key_successor(call->arena, key_make(call->arena, &s3_k_version, id,
                                                             rq->key_marker, ~rq->seq))};
    enum err err = s3_walk_open(&w, call->txn, tables, ARRAY_LEN(tables), rq->b.rec.id, rq->prefix,
                                rq->delimiter, rq->key_marker, rq->within ? from : NULL);
    if (err == ERR_OK)
        err = fill(call, rq, &w, p);
    s3_walk_close(&w);
    return err;
}

enum err s3_list_object_versions(struct call *call, const struct s3_list_object_versions_input *in,
                                 struct s3_list_object_versions_output *out)
{
    struct request rq = {
        .prefix = in->prefix, .delimiter = in->delimiter, .key_marker = in->key_marker};
    struct page p;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &rq.b));
    S3_TELL_CHARGED(out, in, rq.b.rec.flags);
    TRY(s3_check_key_text(call, in->key_marker));
    TRY(s3_list_size(call, "maxKeys", in->has_max_keys, in->max_keys, &rq.max));
    TRY(find_marker(call, &rq, in->version_id_marker));
    TRY(s3_check_encoding(call, in->encoding_type, &rq.url));
    TRY(s3_check_list_text(call, "prefix", in->prefix));
    TRY(s3_check_list_text(call, "key-marker", in->key_marker));
    rq.owner = s3_owner_of(call);
    TRY(list(call, &rq, &p));
    struct str none = STR("");
    out->versions = (struct s3_object_version_list){p.versions, p.n_versions};
    out->delete_markers = (struct s3_delete_markers){p.markers, p.n_markers};
    out->common_prefixes = (struct s3_common_prefix_list){p.prefixes, p.n_prefixes};
    out->name = in->bucket;
    out->prefix = s3_list_text(call->arena, str_is_set(in->prefix) ? in->prefix : none, rq.url);
    out->key_marker =
        s3_list_text(call->arena, str_is_set(in->key_marker) ? in->key_marker : none, rq.url);
    out->version_id_marker = str_is_set(in->version_id_marker) ? in->version_id_marker : none;
    out->delimiter = s3_list_delimiter(call->arena, in->delimiter, rq.url);
    out->encoding_type = in->encoding_type;
    WIRE_SET(out, max_keys, (int64_t)rq.max);
    WIRE_SET(out, is_truncated, p.truncated);
    if (p.truncated) {
        out->next_key_marker = s3_list_text(call->arena, p.last_key, rq.url);
        /* "null" would not say where to go on once that version is gone: its place does. */
        out->next_version_id_marker =
            str_eq(p.last_version, S3_NULL_VERSION)
                ? str_fmt(call->arena, "%016" PRIx64 "%016x", p.last_seq, 0)
                : p.last_version;
    }
    return ERR_OK;
}
