/* A generated struct as JSON by the names of its members, and back: how a service keeps what has the
 * shape of the API (the settings of a user pool) without a record that says every member again.
 *
 * Members that a later spec adds read as absent in what an older one wrote, and what a spec has
 * dropped is passed over: the rules of base/record.h, by name.
 *
 * Layer: wire. Thread: pure. */
#ifndef WEIR_WIRE_KEPT_H
#define WEIR_WIRE_KEPT_H

#include "wire/wire.h"

/* The shape of a member by its name, which the shape has: a bug otherwise. */
const struct wire_shape *wire_shape_of(const struct wire_shape *of, struct str member);

/* The struct as a JSON object in the arena. ERR_NOMEM, ERR_LIMIT over WIRE_REPLY_MAX. */
enum err wire_keep(const struct wire_shape *shape, const void *from, struct arena *arena,
                   struct str *ret_json) WARN_UNUSED;
/* Fills the zeroed struct at `to`; borrows from `json`. ERR_CORRUPT: of another shape; ERR_NOMEM. */
enum err wire_kept(const struct wire_service *service, const struct wire_shape *shape,
                   struct str json, struct arena *arena, void *to) WARN_UNUSED;

/* Copies every member that is set in `from` and that `to_shape` has under the same name and with the
 * same shape: of a request into what is kept of it. What it points to stays shared. */
void wire_copy_same(const struct wire_shape *from_shape, const void *from,
                    const struct wire_shape *to_shape, void *to);

#endif
