/* Time zones: the system's compiled files (TZif version 2 and later, RFC 8536; Debian's tzdata), with
 * the rule at their end for times after the last listed change. Our own reader, because libc's knows
 * one zone at a time, in global state.
 *
 *   TZ1 A file is taken whole or not at all: counts, order, indexes, offsets and the rule are checked.
 *   TZ2 Names are paths below the zone folder, of letters, digits, '_', '+', '-' in '/'-separated
 *       parts that start with a capital letter; so no name leaves the folder.
 *   TZ3 Leap seconds are not counted ("right/" zones are refused, as AWS does not have them).
 *
 * Layer: lang (includes base). A zone is made in an arena, never changes, and may be shared by
 * threads; a cache belongs to one thread at a time. Reading a zone blocks on the disk once. */
#ifndef WEIR_LANG_ZONE_H
#define WEIR_LANG_ZONE_H

#include "base/map.h"

#define ZONE_FOLDER "/usr/share/zoneinfo"

enum {
    ZONE_NAME_MAX = 64,
    ZONE_FILE_BYTES_MAX = 64 * 1024,
    ZONE_CHANGES_MAX = 4096, /* listed changes of the offset */
    ZONE_TYPES_MAX = 256,
    ZONE_CACHE_MAX = 1024,                  /* zones in a cache */
    ZONE_CACHE_BYTES_MAX = 8 * 1024 * 1024, /* of a cache */
};

struct zone;

/* From the bytes of a file; nothing is borrowed. ERR_CORRUPT, ERR_NOMEM. */
enum err zone_parse(struct arena *a, struct str bytes, struct zone **ret_zone) WARN_UNUSED;
/* The zone named e.g. "Europe/Paris". ERR_NOT_FOUND (also for a name against TZ2), ERR_CORRUPT, ERR_IO,
 * ERR_NOMEM. */
enum err zone_load(struct arena *a, struct str name, struct zone **ret_zone) WARN_UNUSED;

/* Seconds that local time is ahead of UTC at `utc` (seconds since 1970). O(log changes). */
int32_t zone_offset(const struct zone *z, int64_t utc);

/* When clocks first show `local` (seconds as if local time were UTC): true and the earlier of two
 * moments after a change back; false when they skip it, and *ret_utc is then the moment that the
 * offset before the change gives, i.e. as much after the change as `local` is into the gap. */
bool zone_utc(const struct zone *z, int64_t local, int64_t *ret_utc);

/* Zones by name, loaded at first use. */
struct zone_cache {
    struct arena arena;
    struct map by_name;
};
void zone_cache_init(struct zone_cache *c);
void zone_cache_release(struct zone_cache *c);
/* As zone_load; the zone lives as long as the cache. ERR_LIMIT when the cache is full. */
enum err zone_cache_get(struct zone_cache *c, struct str name,
                        const struct zone **ret_zone) WARN_UNUSED;

#endif
