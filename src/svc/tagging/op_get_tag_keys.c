/* GetTagKeys and GetTagValues: what the region's resources are tagged with, each text once a page.
 * Layer: svc. */
#include <assert.h>

#include "base/map.h"
#include "svc/tagging/tagging_int.h"

/* Texts of one page, in the order of their resources. */
struct texts {
    struct map seen;
    struct str *v;
    size_t n, cap;
};

static enum err add(struct arena *a, struct texts *t, struct str text)
{
    if (map_get(&t->seen, text))
        return ERR_OK;
    TRY(ARENA_GROW(a, t->v, t->n, t->cap, 64));
    TRY(map_put(&t->seen, text, t, NULL));
    t->v[t->n++] = text;
    return ERR_OK;
}

/* The keys of a resource, or the value of one key. */
static enum err add_of(struct arena *a, struct texts *t, struct tag_list tags, struct str key)
{
    if (str_is_set(key)) {
        struct str value = tags_get(tags, key);
        return str_is_set(value) ? add(a, t, value) : ERR_OK;
    }
    for (size_t i = 0; i < tags.n; i++)
        TRY(add(a, t, tags.v[i].key));
    return ERR_OK;
}

static enum err collect(struct call *call, struct str token, struct str key, struct texts *t,
                        struct str *ret_token)
{
    struct tags_scan *s;
    struct tags_entry e;
    struct str after, last = STR_NONE;
    TRY(tagging_token_read(call, token, &after));
    TRY(tags_scan_open(call->txn, call->account, call->region, after, &s));
    size_t looked = 0;
    enum err err = ERR_OK;
    while (err == ERR_OK && looked < TAGGING_SCAN_MAX) {
        err = tags_scan_next(s, &e);
        if (err != ERR_OK)
            break;
        looked++;
        last = e.arn;
        err = add_of(call->arena, t, e.tags, key);
    }
    assert(err != ERR_OK || looked == TAGGING_SCAN_MAX);
    tags_scan_close(s);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    return tagging_token_make(call, err == ERR_OK ? last : STR_NONE, ret_token);
}

static enum err run(struct call *call, struct str token, struct str key, struct texts *t,
                    struct str *ret_token)
{
    *t = (struct texts){0};
    map_init(&t->seen);
    enum err err = collect(call, token, key, t, ret_token);
    map_release(&t->seen);
    return err;
}

enum err tagging_get_tag_keys(struct call *call, const struct tagging_get_tag_keys_input *in,
                              struct tagging_get_tag_keys_output *out)
{
    struct texts t;
    TRY(run(call, in->pagination_token, STR_NONE, &t, &out->pagination_token));
    out->tag_keys = (struct tagging_tag_key_list){t.n ? t.v : &STR_NONE, t.n};
    return ERR_OK;
}

enum err tagging_get_tag_values(struct call *call, const struct tagging_get_tag_values_input *in,
                                struct tagging_get_tag_values_output *out)
{
    struct texts t;
    TRY(run(call, in->pagination_token, in->key, &t, &out->pagination_token));
    out->tag_values = (struct tagging_tag_values_output_list){t.n ? t.v : &STR_NONE, t.n};
    return ERR_OK;
}
