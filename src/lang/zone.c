/* Zone files. See zone.h.
 *
 *   header  "TZif" version 15*0  isutcnt isstdcnt leapcnt timecnt typecnt charcnt (32 bits each)
 *   v1      skipped: sized by the header, times of 4 bytes
 *   header  again, then with times of 8 bytes:
 *           times[timecnt] index[timecnt] types[typecnt](offset 4, dst 1, name 1) names leaps std ut
 *   rule    '\n' POSIX TZ '\n' */
#include "lang/zone.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/sys.h"
#include "lang/zone_int.h"

enum {
    HEADER_BYTES = 44,
    NAMES_BYTES_MAX = 4096,
    OFFSET_MIN = -25 * 3600, /* exclusive; RFC 8536, section 3.2 */
    OFFSET_MAX = 26 * 3600,
};

struct zone {
    size_t n; /* changes */
    int64_t *times;
    int32_t *offsets; /* from times[i] on */
    int32_t before;   /* before times[0] */
    struct zone_rule rule;
};

struct header {
    char version;
    uint32_t isut, isstd, leaps, times, types, names;
};

static uint64_t big_endian(const char *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

static enum err header_parse(struct str bytes, struct header *h)
{
    if (bytes.len < HEADER_BYTES || memcmp(bytes.p, "TZif", 4) != 0)
        return ERR_CORRUPT;
    h->version = bytes.p[4];
    uint32_t *counts[] = {&h->isut, &h->isstd, &h->leaps, &h->times, &h->types, &h->names};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        *counts[i] = (uint32_t)big_endian(bytes.p + 20 + 4 * i, 4);
    bool sane = h->times <= ZONE_CHANGES_MAX && h->types >= 1 && h->types <= ZONE_TYPES_MAX &&
                h->names >= 1 && h->names <= NAMES_BYTES_MAX && h->leaps <= ZONE_CHANGES_MAX &&
                (h->isut == 0 || h->isut == h->types) && (h->isstd == 0 || h->isstd == h->types);
    return sane ? ERR_OK : ERR_CORRUPT;
}

static size_t body_bytes(const struct header *h, size_t time_bytes)
{
    return h->times * (time_bytes + 1) + h->types * 6 + h->names + h->leaps * (time_bytes + 4) +
           h->isstd + h->isut;
}

/* `p` is at the times of the second block, whose size is checked. */
static enum err changes_parse(struct arena *a, const char *p, const struct header *h,
                              struct zone *z)
{
    const char *indexes = p + h->times * 8, *types = indexes + h->times;
    int32_t offsets[ZONE_TYPES_MAX];
    for (size_t i = 0; i < h->types; i++) {
        offsets[i] = (int32_t)big_endian(types + i * 6, 4);
        bool sane = offsets[i] > OFFSET_MIN && offsets[i] < OFFSET_MAX &&
                    (unsigned char)types[i * 6 + 4] <= 1 &&
                    (unsigned char)types[i * 6 + 5] < h->names;
        if (!sane)
            return ERR_CORRUPT;
    }
    z->before = offsets[0];
    z->n = h->times;
    z->times = ARENA_ARRAY(a, int64_t, z->n);
    z->offsets = ARENA_ARRAY(a, int32_t, z->n);
    if (!z->times || !z->offsets)
        return ERR_NOMEM;
    for (size_t i = 0; i < z->n; i++) {
        unsigned type = (unsigned char)indexes[i];
        z->times[i] = (int64_t)big_endian(p + i * 8, 8);
        if (type >= h->types || (i > 0 && z->times[i] <= z->times[i - 1]))
            return ERR_CORRUPT;
        z->offsets[i] = offsets[type];
    }
    return ERR_OK;
}

enum err zone_parse(struct arena *a, struct str bytes, struct zone **ret_zone)
{
    struct header h;
    TRY(header_parse(bytes, &h));
    size_t skip = HEADER_BYTES + body_bytes(&h, 4);
    if (h.version < '2' || bytes.len < skip)
        return ERR_CORRUPT;
    bytes = str_sub(bytes, skip, bytes.len);
    TRY(header_parse(bytes, &h));
    size_t body = HEADER_BYTES + body_bytes(&h, 8);
    if (bytes.len < body + 2 || h.leaps > 0) /* Z3 */
        return ERR_CORRUPT;
    struct zone *z = ARENA_NEW(a, struct zone);
    if (!z)
        return ERR_NOMEM;
    TRY(changes_parse(a, bytes.p + HEADER_BYTES, &h, z));
    struct str rule = str_sub(bytes, body, bytes.len);
    if (rule.p[0] != '\n' || str_find(str_sub(rule, 1, rule.len), '\n') != rule.len - 2)
        return ERR_CORRUPT;
    TRY(zone_rule_parse(str_sub(rule, 1, rule.len - 2), &z->rule));
    *ret_zone = z;
    return ERR_OK;
}

int32_t zone_offset(const struct zone *z, int64_t utc)
{
    if (z->rule.present && (z->n == 0 || utc >= z->times[z->n - 1]))
        return zone_rule_offset(&z->rule, utc);
    size_t low = 0, high = z->n; /* the changes before `low` are not after utc */
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (z->times[mid] <= utc)
            low = mid + 1;
        else
            high = mid;
    }
    assert(low <= z->n && (low == 0 || z->times[low - 1] <= utc));
    return low == 0 ? z->before : z->offsets[low - 1];
}

/* Offsets that may hold around `local` are those a day before and after, since no zone is further
 * than that from UTC, and those that these lead to. */
bool zone_utc(const struct zone *z, int64_t local, int64_t *ret_utc)
{
    int32_t offsets[4];
    offsets[0] = zone_offset(z, local - 86400);
    offsets[1] = zone_offset(z, local + 86400);
    offsets[2] = zone_offset(z, local - offsets[0]);
    offsets[3] = zone_offset(z, local - offsets[1]);
    bool found = false;
    int64_t first = local - offsets[0];
    for (size_t i = 0; i < ARRAY_LEN(offsets); i++) {
        int64_t utc = local - offsets[i];
        if (zone_offset(z, utc) == offsets[i] && (!found || utc < first)) {
            first = utc;
            found = true;
        }
    }
    *ret_utc = first;
    return found;
}

/* TZ2 */
static bool is_name(struct str name)
{
    if (name.len == 0 || name.len > ZONE_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        bool capital = c >= 'A' && c <= 'Z';
        bool starts = i == 0 || name.p[i - 1] == '/';
        bool inner = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
                     c == '-' || (c == '/' && i + 1 < name.len);
        if (!capital && (starts || !inner))
            return false;
    }
    return true;
}

static enum err read_file(int fd, char *bytes, size_t *ret_n)
{
    size_t n = 0;
    for (;;) {
        ssize_t got = sys.read(fd, bytes + n, ZONE_FILE_BYTES_MAX + 1 - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno == EISDIR ? ERR_NOT_FOUND : ERR_IO;
        n += (size_t)got;
        if (got == 0 || n > ZONE_FILE_BYTES_MAX)
            break;
    }
    *ret_n = n;
    return n > ZONE_FILE_BYTES_MAX ? ERR_CORRUPT : ERR_OK;
}

enum err zone_load(struct arena *a, struct str name, struct zone **ret_zone)
{
    char path[sizeof(ZONE_FOLDER) + 1 + ZONE_NAME_MAX];
    if (!is_name(name))
        return ERR_NOT_FOUND;
    snprintf(path, sizeof(path), "%s/" STR_FMT, ZONE_FOLDER, STR_ARG(name));
    int fd = sys.open(path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO;
    char *bytes = mem_alloc(ZONE_FILE_BYTES_MAX + 1);
    size_t n = 0;
    enum err err = bytes ? read_file(fd, bytes, &n) : ERR_NOMEM;
    sys.close(fd);
    if (err == ERR_OK)
        err = zone_parse(a, str_n(bytes, n), ret_zone);
    mem_free(bytes);
    return err;
}

void zone_cache_init(struct zone_cache *c)
{
    arena_init(&c->arena, ZONE_CACHE_BYTES_MAX);
    map_init(&c->by_name);
}

void zone_cache_release(struct zone_cache *c)
{
    map_release(&c->by_name);
    arena_release(&c->arena);
}

enum err zone_cache_get(struct zone_cache *c, struct str name, const struct zone **ret_zone)
{
    struct zone *z = map_get(&c->by_name, name);
    if (!z) {
        if (c->by_name.n == ZONE_CACHE_MAX)
            return ERR_LIMIT;
        TRY(zone_load(&c->arena, name, &z));
        TRY(map_put(&c->by_name, name, z, NULL));
    }
    *ret_zone = z;
    return ERR_OK;
}
