/* See sigv4_chunk.h for the format, the states and the invariants.
 *
 * Layer: auth. Thread: one at a time. */
#include "auth/sigv4_chunk.h"

#include "auth/sigv4_int.h"

enum state { ST_SIZE, ST_DATA, ST_DATA_CRLF, ST_TRAILER, ST_DONE };

enum { CHUNK_BYTES_MAX = 1 << 30 };

struct sigv4_chunk {
    struct arena *arena;
    enum state state;
    enum err err; /* sticky */
    bool is_signed;
    bool signed_trailer;
    bool with_trailer;
    struct sigv4_hmac_key key;
    struct str timestamp, scope;
    char previous[SIGV4_HEX_LEN]; /* signature before this one in the chain */
    char expected[SIGV4_HEX_LEN]; /* of the chunk being read, as sent */
    SHA256_CTX hash;              /* of the chunk's data */
    uint64_t left;                /* data bytes of the chunk still to come */
    uint64_t chunk_size;
    uint64_t n_chunks;
    uint64_t small_number, small_bytes; /* number 0: none was too small */
    uint64_t decoded, promised;
    bool has_promised;
    char line[SIGV4_CHUNK_TRAILER_BYTES_MAX]; /* the longer of the two kinds of line */
    size_t line_len;
    size_t trailer_bytes;
    struct sigv4_header trailers[SIGV4_CHUNK_TRAILERS_MAX];
    size_t n_trailers;
    bool trailer_verified;
};

enum err sigv4_chunk_new(struct arena *a, const struct sigv4_request *req, struct str secret,
                         struct sigv4_chunk **ret_c)
{
    bool is_signed =
        req->payload == SIGV4_PAYLOAD_STREAM || req->payload == SIGV4_PAYLOAD_STREAM_TRAILER;
    if (!is_signed && req->payload != SIGV4_PAYLOAD_UNSIGNED_TRAILER)
        return ERR_INVALID;
    if (is_signed && (req->kind != SIGV4_HEADER || req->signature.len != SIGV4_HEX_LEN))
        return ERR_INVALID;
    struct sigv4_chunk *c = ARENA_NEW(a, struct sigv4_chunk);
    if (!c)
        return ERR_NOMEM;
    c->arena = a;
    c->is_signed = is_signed;
    c->signed_trailer = req->payload == SIGV4_PAYLOAD_STREAM_TRAILER;
    c->with_trailer = req->payload != SIGV4_PAYLOAD_STREAM;
    c->has_promised = req->decoded_length >= 0;
    c->promised = c->has_promised ? (uint64_t)req->decoded_length : 0;
    if (is_signed) {
        c->key = *sigv4_signing_key(req->access_key, secret, req->date, req->region, req->service);
        memcpy(c->previous, req->signature.p, SIGV4_HEX_LEN);
        c->timestamp = str_dup(a, req->timestamp);
        c->scope = str_dup(a, req->scope);
        if (!str_is_set(c->timestamp) || !str_is_set(c->scope))
            return ERR_NOMEM;
    }
    *ret_c = c;
    return ERR_OK;
}

/* Checks `expected` against the signature of `algorithm`, the chain so far and `tail`, and moves
 * the chain on. */
static enum err check_link(struct sigv4_chunk *c, struct str algorithm, struct str tail)
{
    char text[512];
    size_t len = algorithm.len + c->timestamp.len + c->scope.len + SIGV4_HEX_LEN + tail.len + 4;
    if (len > sizeof(text))
        return ERR_LIMIT;
    const struct str parts[] = {algorithm, c->timestamp, c->scope,
                                str_n(c->previous, SIGV4_HEX_LEN), tail};
    size_t at = 0;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (i > 0)
            text[at++] = '\n';
        memcpy(text + at, parts[i].p, parts[i].len);
        at += parts[i].len;
    }
    uint8_t mac[SIGV4_HASH_BYTES];
    char hex[SIGV4_HEX_LEN];
    sigv4_hmac(&c->key, str_n(text, at), mac);
    hex_to(hex, mac, sizeof(mac));
    if (!str_eq_consttime(str_n(hex, sizeof(hex)), str_n(c->expected, sizeof(c->expected))))
        return ERR_DENIED;
    memcpy(c->previous, hex, sizeof(hex));
    return ERR_OK;
}

static enum err end_of_chunk(struct sigv4_chunk *c)
{
    if (!c->is_signed)
        return ERR_OK;
    char tail[SIGV4_HEX_LEN * 2 + 1];
    uint8_t hash[SIGV4_HASH_BYTES];
    memcpy(tail, sigv4_empty_sha256, SIGV4_HEX_LEN);
    tail[SIGV4_HEX_LEN] = '\n';
    SHA256_Final(hash, &c->hash);
    hex_to(tail + SIGV4_HEX_LEN + 1, hash, sizeof(hash));
    return check_link(c, STR("AWS4-HMAC-SHA256-PAYLOAD"), str_n(tail, sizeof(tail)));
}

static enum err parse_size(struct str text, uint64_t *ret)
{
    uint64_t v = 0;
    if (text.len == 0 || text.len > 8)
        return ERR_INVALID;
    for (size_t i = 0; i < text.len; i++) {
        char ch = text.p[i];
        unsigned d;
        if (ch >= '0' && ch <= '9')
            d = (unsigned)(ch - '0');
        else if (ch >= 'a' && ch <= 'f')
            d = (unsigned)(ch - 'a') + 10;
        else if (ch >= 'A' && ch <= 'F')
            d = (unsigned)(ch - 'A') + 10;
        else
            return ERR_INVALID;
        v = v * 16 + d;
    }
    if (v > CHUNK_BYTES_MAX)
        return ERR_LIMIT;
    *ret = v;
    return ERR_OK;
}

/* A chunk with data begins: the one before it was not the last. */
static void count_chunk(struct sigv4_chunk *c, uint64_t before)
{
    if (c->n_chunks > 0 && before < SIGV4_CHUNK_BYTES_MIN && c->small_number == 0) {
        c->small_number = c->n_chunks;
        c->small_bytes = before;
    }
    c->n_chunks++;
}

/* "hex-size[;chunk-signature=...]". */
static enum err size_line(struct sigv4_chunk *c, struct str line)
{
    struct str extension = line;
    struct str size = str_cut(&extension, ';');
    uint64_t before = c->chunk_size;
    TRY(parse_size(size, &c->chunk_size));
    if (c->is_signed) {
        if (!str_is_set(extension))
            return ERR_INVALID;
        struct str value = extension;
        struct str name = str_cut(&value, '=');
        if (!str_eq_c(name, "chunk-signature") || value.len != SIGV4_HEX_LEN)
            return ERR_INVALID;
        memcpy(c->expected, value.p, SIGV4_HEX_LEN);
        SHA256_Init(&c->hash);
    }
    c->left = c->chunk_size;
    if (c->has_promised && c->left > c->promised - c->decoded)
        return ERR_LIMIT;
    if (c->chunk_size > 0) {
        count_chunk(c, before);
        c->state = ST_DATA;
        return ERR_OK;
    }
    TRY(end_of_chunk(c));
    c->state = ST_TRAILER;
    return ERR_OK;
}

/* The trailer's signature covers "name:value\n" of each field, in the order sent. */
static enum err verify_trailer(struct sigv4_chunk *c, struct str signature)
{
    if (signature.len != SIGV4_HEX_LEN)
        return ERR_INVALID;
    memcpy(c->expected, signature.p, SIGV4_HEX_LEN);
    SHA256_CTX h;
    SHA256_Init(&h);
    for (size_t i = 0; i < c->n_trailers; i++) {
        SHA256_Update(&h, c->trailers[i].name.p, c->trailers[i].name.len);
        SHA256_Update(&h, ":", 1);
        SHA256_Update(&h, c->trailers[i].value.p, c->trailers[i].value.len);
        SHA256_Update(&h, "\n", 1);
    }
    uint8_t hash[SIGV4_HASH_BYTES];
    char hex[SIGV4_HEX_LEN];
    SHA256_Final(hash, &h);
    hex_to(hex, hash, sizeof(hash));
    TRY(check_link(c, STR("AWS4-HMAC-SHA256-TRAILER"), str_n(hex, sizeof(hex))));
    c->trailer_verified = true;
    return ERR_OK;
}

static enum err trailer_line(struct sigv4_chunk *c, struct str line)
{
    if (line.len == 0) {
        c->state = ST_DONE;
        return ERR_OK;
    }
    if (!c->with_trailer || c->trailer_verified)
        return ERR_INVALID;
    struct str value = line;
    struct str name = str_trim(str_cut(&value, ':'));
    if (!str_is_set(value) || name.len == 0)
        return ERR_INVALID;
    value = str_trim(value);
    if (str_eq_nocase(name, STR("x-amz-trailer-signature")))
        return c->signed_trailer ? verify_trailer(c, value) : ERR_INVALID;
    if (c->n_trailers == SIGV4_CHUNK_TRAILERS_MAX)
        return ERR_LIMIT;
    struct sigv4_header h = {str_lower(c->arena, name), str_dup(c->arena, value)};
    if (!str_is_set(h.name) || !str_is_set(h.value))
        return ERR_NOMEM;
    c->trailers[c->n_trailers++] = h;
    return ERR_OK;
}

/* Gathers a line up to LF; a CR before it is dropped. Outside the trailer CR is required: there,
 * some clients end fields with LF alone. */
static enum err take_line(struct sigv4_chunk *c, const char *p, size_t len, size_t *ret_used)
{
    bool trailer = c->state == ST_TRAILER;
    size_t max = trailer ? SIGV4_CHUNK_TRAILER_BYTES_MAX : SIGV4_CHUNK_LINE_MAX;
    const char *lf = memchr(p, '\n', len);
    size_t take = lf ? (size_t)(lf - p) : len;
    if (take > max - c->line_len)
        return ERR_LIMIT;
    memcpy(c->line + c->line_len, p, take);
    c->line_len += take;
    *ret_used = take + (lf != NULL);
    if (!lf)
        return ERR_OK;
    if (trailer) {
        c->trailer_bytes += c->line_len + 1;
        if (c->trailer_bytes > SIGV4_CHUNK_TRAILER_BYTES_MAX)
            return ERR_LIMIT;
    }
    struct str line = str_n(c->line, c->line_len);
    c->line_len = 0;
    if (line.len > 0 && line.p[line.len - 1] == '\r')
        line.len--;
    else if (!trailer)
        return ERR_INVALID;
    if (c->state == ST_SIZE)
        return size_line(c, line);
    if (c->state == ST_TRAILER)
        return trailer_line(c, line);
    /* ST_DATA_CRLF */
    if (line.len != 0)
        return ERR_INVALID;
    c->state = ST_SIZE;
    return end_of_chunk(c);
}

static enum err step(struct sigv4_chunk *c, const char *p, size_t len, size_t *ret_used,
                     enum err (*out)(void *arg, const void *p, size_t len), void *arg)
{
    if (c->state == ST_DONE)
        return ERR_INVALID; /* bytes after the end */
    if (c->state != ST_DATA)
        return take_line(c, p, len, ret_used);
    size_t n = len < c->left ? len : (size_t)c->left;
    if (c->is_signed)
        SHA256_Update(&c->hash, p, n);
    TRY(out(arg, p, n));
    c->decoded += n;
    c->left -= n;
    if (c->left == 0)
        c->state = ST_DATA_CRLF;
    *ret_used = n;
    return ERR_OK;
}

enum err sigv4_chunk_feed(struct sigv4_chunk *c, const void *p, size_t len,
                          enum err (*out)(void *arg, const void *p, size_t len), void *arg)
{
    const char *at = p;
    while (len > 0 && c->err == ERR_OK) {
        size_t used = 0;
        c->err = step(c, at, len, &used, out, arg);
        at += used;
        len -= used;
    }
    return c->err;
}

enum err sigv4_chunk_finish(struct sigv4_chunk *c)
{
    if (c->err != ERR_OK)
        return c->err;
    /* Clients of the trailer-less form may leave out the empty line after the last chunk. */
    bool ended =
        c->state == ST_DONE || (c->state == ST_TRAILER && c->line_len == 0 && !c->with_trailer);
    if (!ended || (c->has_promised && c->decoded != c->promised))
        c->err = ERR_INVALID;
    else if (c->signed_trailer && !c->trailer_verified)
        c->err = ERR_DENIED;
    return c->err;
}

bool sigv4_chunk_small(const struct sigv4_chunk *c, uint64_t *ret_number, uint64_t *ret_bytes)
{
    if (c->small_number == 0)
        return false;
    *ret_number = c->small_number;
    *ret_bytes = c->small_bytes;
    return true;
}

const struct sigv4_header *sigv4_chunk_trailers(const struct sigv4_chunk *c, size_t *ret_n)
{
    *ret_n = c->n_trailers;
    return c->trailers;
}

uint64_t sigv4_chunk_decoded(const struct sigv4_chunk *c)
{
    return c->decoded;
}
