/* JSON trees that are built and changed in place, for services that keep documents: a tree of the
 * caller's own (parsed or built), never one that something else reads.
 *
 * An edited container's `raw` no longer tells its text: write it with json_put.
 *
 * Layer: codec. Lifetime: nodes live in the arena; texts and keys are borrowed. Thread: pure. */
#ifndef WEIR_CODEC_JSON_EDIT_H
#define WEIR_CODEC_JSON_EDIT_H

#include "codec/json.h"

/* NULL on exhaustion, which json_set and json_push answer with ERR_NOMEM. */
struct json *json_new(struct arena *a, enum json_kind kind);
struct json *json_new_str(struct arena *a, struct str text);
struct json *json_new_bool(struct arena *a, bool v);
struct json *json_new_i64(struct arena *a, int64_t v);
/* A copy of its own, all levels. */
struct json *json_copy(struct arena *a, const struct json *v);

/* The same as json_get, to be changed. */
struct json *json_at(struct json *obj, struct str key);
/* Makes `v`, which is in no other container, the member `key`: in the place of the one there is, or
 * the last. `v` NULL: ERR_NOMEM. O(members). */
enum err json_set(struct json *obj, struct str key, struct json *v) WARN_UNUSED;
/* Takes the member out; false: there was none. O(members). */
bool json_unset(struct json *obj, struct str key);
/* Adds `v` at the end of an array. `v` NULL: ERR_NOMEM. O(elements). */
enum err json_push(struct json *array, struct json *v) WARN_UNUSED;
/* The index of a text in an array, or SIZE_MAX; and without that element. O(elements). */
size_t json_index_of(const struct json *array, struct str text);
void json_drop(struct json *array, size_t index);

#endif
