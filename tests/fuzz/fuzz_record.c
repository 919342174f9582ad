// link: weir_base
/* Record tables: any bytes unpack or are corrupt; what unpacks packs again, and unpacks to a record
 * that packs to the same bytes (the first bytes may have spelled a varint longer). */
#include <assert.h>
#include <stdint.h>

#include "base/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tree {
    struct str name;
    uint16_t n16;
    int i32;
    unsigned kind;
    bool flag;
    double ratio;
    uint8_t id[3];
    struct tree *left;
    struct tree *children;
    size_t n_children;
    struct str room[2];
    size_t n_room;
    struct str note;
};

extern const struct record_type tree_type;
static const struct record_field tree_fields[] = {
    REC_STR(struct tree, name),
    REC_UINT(struct tree, n16),
    REC_INT(struct tree, i32),
    REC_ENUM(struct tree, kind, 3),
    REC_BOOL(struct tree, flag),
    REC_F64(struct tree, ratio),
    REC_BYTES(struct tree, id),
    REC_PTR(struct tree, left, &tree_type),
    REC_LIST(struct tree, children, n_children, 100, &tree_type),
    REC_ARRAY(struct tree, room, n_room, &record_str),
    REC_SINCE(2, REC_STR(struct tree, note)),
};
const struct record_type tree_type = RECORD_TYPE(struct tree, 2, tree_fields);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct tree t, again;
    struct str once, twice;
    arena_init(&a, 64 * 1024 * 1024);
    if (record_unpack(&tree_type, &a, str_n((const char *)data, size), &t) == ERR_OK) {
        assert(record_make(&tree_type, &a, &t, &once) == ERR_OK);
        assert(record_unpack_copy(&tree_type, &a, once, &again) == ERR_OK);
        assert(record_make(&tree_type, &a, &again, &twice) == ERR_OK);
        assert(str_eq(once, twice));
    }
    arena_release(&a);
    return 0;
}
