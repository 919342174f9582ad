/* What the objects of a mapping template are made of. See map.h.
 *
 * Layer: svc, private. Thread: pure. */
#ifndef WEIR_SVC_APIGATEWAY_MAP_RENDER_H
#define WEIR_SVC_APIGATEWAY_MAP_RENDER_H

#include "svc/apigateway/map_int.h"

/* $input. Zeroed but for the first members. */
struct map_source {
    const struct map_message *message;
    bool is_reply;
    bool parsed, bad_body;
    struct json *doc;      /* the body; NULL: it is plain text */
    struct vtl_value root; /* of it */
    uint64_t changes;      /* of the run, when `doc` was made */
    struct vtl_value params;
};

/* vtl_object's call, of struct map_source. */
enum err map_input_call(struct vtl_run *run, void *self, struct str name,
                        const struct vtl_value *args, size_t n,
                        struct vtl_value *ret_v) WARN_UNUSED;
/* The same of $util; self is not looked at. */
enum err map_util_call(struct vtl_run *run, void *self, struct str name,
                       const struct vtl_value *args, size_t n, struct vtl_value *ret_v) WARN_UNUSED;

#endif
