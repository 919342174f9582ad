/* Tags: rules, record, operations. See tags.h. Layer: core. */
#include "core/tags.h"

#include <assert.h>
#include <stdlib.h>

#include "base/arn.h"
#include "base/pack.h"
#include "core/core.h"
#include "core/tags_int.h"

enum {
    RECORD_BYTES_MAX = 256 * 1024, /* TAGS_MAX tags of characters of 4 bytes */
    TEXT_BYTES_MAX = 4096,
};

/* --- rules ------------------------------------------------------------------------------------ */

static size_t max_of(const struct tags_rules *rules)
{
    return rules->max ? rules->max : TAGS_MAX;
}

bool tags_reserved(struct str key)
{
    return str_eq_nocase(str_sub(key, 0, 4), STR("aws:"));
}

/* Letters, digits and white space of any script, and _ . : / = + - @. ERR_NOMEM. */
static enum err chars_ok(struct str s, bool *ret_ok)
{
    static struct wire_pattern any_script = {.text = "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*"};
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x80) { /* only then is it worth the regular expression */
            if (str_is_utf8(s))
                return wire_pattern_match(&any_script, s, ret_ok);
            *ret_ok = false;
            return ERR_OK;
        }
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && (c == 0 || !strchr(" _.:/=+-@", c))) {
            *ret_ok = false;
            return ERR_OK;
        }
    }
    *ret_ok = true;
    return ERR_OK;
}

static enum err check_one(struct tag t, enum tags_fault *ret_fault)
{
    bool ok;
    size_t key_len = str_utf8_count(t.key);
    *ret_fault = TAGS_OK;
    if (key_len < 1 || key_len > TAGS_KEY_MAX)
        *ret_fault = TAGS_KEY_LENGTH;
    else if (str_utf8_count(t.value) > TAGS_VALUE_MAX)
        *ret_fault = TAGS_VALUE_LENGTH;
    else if (tags_reserved(t.key))
        *ret_fault = TAGS_RESERVED;
    if (*ret_fault != TAGS_OK)
        return ERR_OK;
    TRY(chars_ok(t.key, &ok));
    if (!ok) {
        *ret_fault = TAGS_KEY_CHARS;
        return ERR_OK;
    }
    TRY(chars_ok(t.value, &ok));
    if (!ok)
        *ret_fault = TAGS_VALUE_CHARS;
    return ERR_OK;
}

static int by_key(const void *a, const void *b)
{
    const struct tag *x = a, *y = b;
    return str_cmp(x->key, y->key);
}

/* Keys as they are compared: folded where case does not count. */
static struct str folded(struct arena *a, const struct tags_rules *rules, struct str key)
{
    return rules->nocase ? str_lower(a, key) : key;
}

/* Sorted copy whose values tell where in `tags` each stood: no O(n^2) on what a request brings. */
static enum err find_duplicate(struct arena *a, const struct tags_rules *rules,
                               struct tag_list tags, bool *ret_found, size_t *ret_at)
{
    struct tag *v = ARENA_ARRAY(a, struct tag, tags.n + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < tags.n; i++) {
        v[i] = (struct tag){folded(a, rules, tags.v[i].key), str_n(NULL, i)};
        if (!str_is_set(v[i].key) && tags.v[i].key.len)
            return ERR_NOMEM;
    }
    qsort(v, tags.n, sizeof(*v), by_key);
    for (size_t i = 1; i < tags.n; i++)
        if (str_eq(v[i - 1].key, v[i].key)) {
            *ret_found = true;
            *ret_at = v[i].value.len;
            return ERR_OK;
        }
    *ret_found = false;
    return ERR_OK;
}

enum err tags_check(struct arena *a, const struct tags_rules *rules, struct tag_list tags,
                    enum tags_fault *ret_fault, size_t *ret_at)
{
    bool twice;
    if (tags.n > max_of(rules)) {
        *ret_fault = TAGS_TOO_MANY;
        *ret_at = max_of(rules);
        return ERR_OK;
    }
    for (size_t i = 0; i < tags.n; i++) {
        TRY(check_one(tags.v[i], ret_fault));
        *ret_at = i;
        if (*ret_fault != TAGS_OK)
            return ERR_OK;
    }
    TRY(find_duplicate(a, rules, tags, &twice, ret_at));
    *ret_fault = twice ? TAGS_DUPLICATE : TAGS_OK;
    return ERR_OK;
}

static bool same_key(const struct tags_rules *rules, struct str a, struct str b)
{
    return rules->nocase ? str_eq_nocase(a, b) : str_eq(a, b);
}

/* O(have * add), each at most `max`. */
enum err tags_merge(struct arena *a, const struct tags_rules *rules, struct tag_list have,
                    struct tag_list add, struct tag_list *ret)
{
    struct tag *v = ARENA_ARRAY(a, struct tag, have.n + add.n + 1);
    size_t n = have.n;
    if (!v)
        return ERR_NOMEM;
    if (n)
        memcpy(v, have.v, n * sizeof(*v));
    for (size_t i = 0; i < add.n; i++) {
        size_t at = 0;
        while (at < n && !same_key(rules, v[at].key, add.v[i].key))
            at++;
        v[at] = add.v[i];
        if (!str_is_set(v[at].value))
            v[at].value = STR("");
        n += at == n;
    }
    if (n > max_of(rules))
        return ERR_LIMIT;
    qsort(v, n, sizeof(*v), by_key);
    *ret = (struct tag_list){v, n};
    return ERR_OK;
}

enum err tags_without(struct arena *a, const struct tags_rules *rules, struct tag_list have,
                      const struct str *keys, size_t n_keys, struct tag_list *ret)
{
    struct tag *v = ARENA_ARRAY(a, struct tag, have.n + 1);
    size_t n = 0;
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < have.n; i++) {
        bool drop = false;
        for (size_t k = 0; k < n_keys && !drop; k++)
            drop = same_key(rules, have.v[i].key, keys[k]);
        if (!drop)
            v[n++] = have.v[i];
    }
    *ret = (struct tag_list){v, n};
    return ERR_OK;
}

struct str tags_get(struct tag_list sorted, struct str key)
{
    struct tag wanted = {key, STR_NONE};
    const struct tag *found =
        sorted.n ? bsearch(&wanted, sorted.v, sorted.n, sizeof(wanted), by_key) : NULL;
    return found ? found->value : STR_NONE;
}

/* --- refusing --------------------------------------------------------------------------------- */

static const char *const own_words[TAGS_FAULTS] = {
    [TAGS_TOO_MANY] = "A resource can have no more than {max} tags.",
    [TAGS_KEY_LENGTH] = "Tag keys have 1 to 128 characters.",
    [TAGS_VALUE_LENGTH] = "Tag values have up to 256 characters.",
    [TAGS_KEY_CHARS] = "The tag key {key} has characters that are not allowed: letters, digits, "
                       "spaces and _ . : / = + - @ are.",
    [TAGS_VALUE_CHARS] = "The value of the tag {key} has characters that are not allowed: letters, "
                         "digits, spaces and _ . : / = + - @ are.",
    [TAGS_RESERVED] = "The tag key {key} begins with aws:, which is reserved for AWS.",
    [TAGS_DUPLICATE] = "The tag key {key} is given more than once.",
};

/* The words with the tag's own in place of what stands in braces. */
static enum err put_words(struct arena *a, const char *text, struct tag t, size_t max,
                          struct str *ret_text)
{
    struct buf b;
    struct str rest = str_c(text);
    buf_init_arena(&b, a, TEXT_BYTES_MAX);
    while (str_is_set(rest)) {
        buf_add_str(&b, str_cut(&rest, '{'));
        if (!str_is_set(rest))
            break;
        struct str name = str_cut(&rest, '}');
        if (str_eq_c(name, "key"))
            buf_add_str(&b, str_sub(t.key, 0, TEXT_BYTES_MAX / 4));
        else if (str_eq_c(name, "value"))
            buf_add_str(&b, str_sub(t.value, 0, TEXT_BYTES_MAX / 4));
        else
            buf_add_u64(&b, max);
    }
    TRY(buf_err(&b));
    *ret_text = buf_str(&b);
    return ERR_OK;
}

enum err tags_refuse(struct call *call, const struct tags_rules *rules, enum tags_fault fault,
                     struct tag at)
{
    struct str text;
    assert(fault > TAGS_OK && fault < TAGS_FAULTS);
    const struct tags_words *w = &rules->words[fault];
    const struct wire_error *error = w->error ? w->error : rules->otherwise.error;
    assert(error);
    const char *words = w->text ? w->text : rules->otherwise.text;
    TRY(put_words(call->arena, words ? words : own_words[fault], at, max_of(rules), &text));
    return call_error(call, error, STR_FMT, STR_ARG(text));
}

/* CloudFormation's own, which say whose a resource is; it sets all three itself, whatever a template says. */
static bool is_system(struct str key)
{
    return str_eq(key, STR("aws:cloudformation:stack-id")) ||
           str_eq(key, STR("aws:cloudformation:stack-name")) ||
           str_eq(key, STR("aws:cloudformation:logical-id"));
}

/* Those that the rules are about: without CloudFormation's own, where the call may bring them. */
static enum err without_system(struct call *call, struct tag_list *tags)
{
    if (!call_brings_system_tags(call))
        return ERR_OK;
    struct tag *v = ARENA_ARRAY(call->arena, struct tag, tags->n + 1);
    size_t n = 0;
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < tags->n; i++)
        if (!is_system(tags->v[i].key))
            v[n++] = tags->v[i];
    *tags = (struct tag_list){v, n};
    return ERR_OK;
}

enum err tags_check_call(struct call *call, const struct tags_rules *rules, struct tag_list tags)
{
    enum tags_fault fault;
    size_t at;
    TRY(without_system(call, &tags));
    TRY(tags_check(call->arena, rules, tags, &fault, &at));
    return fault == TAGS_OK
               ? ERR_OK
               : tags_refuse(call, rules, fault, at < tags.n ? tags.v[at] : (struct tag){0});
}

/* --- the record ------------------------------------------------------------------------------- */

/* ERR_INVALID: not an ARN; ERR_NOMEM. */
static enum err key_of(struct txn *txn, struct str arn, struct str *ret_key)
{
    struct arn parts;
    TRY(arn_parse(arn, &parts));
    struct str account = parts.account.len ? parts.account : txn_account(txn);
    *ret_key = tags_key(txn->arena, account, parts.region, arn);
    return str_is_set(*ret_key) ? ERR_OK : ERR_NOMEM;
}

struct str tags_key(struct arena *a, struct str account, struct str region, struct str arn)
{
    struct buf b;
    buf_init_arena(&b, a, KV_KEY_MAX);
    key_start(&b, KEY_TAGS, TAGS_T_RESOURCE);
    key_text(&b, account);
    key_text(&b, region);
    key_raw(&b, arn);
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}

enum err tags_unpack(struct arena *a, struct str bytes, struct tags_record *ret)
{
    struct unpack u;
    unpack_init(&u, bytes);
    if (unpack_u8(&u) != TAGS_RECORD_VERSION)
        return ERR_CORRUPT;
    struct str home = unpack_str(&u);
    uint64_t n = unpack_uint(&u);
    TRY(unpack_end(&u));
    if (n > TAGS_MAX)
        return ERR_CORRUPT;
    struct tag *v = ARENA_ARRAY(a, struct tag, n + 1);
    if (!v)
        return ERR_NOMEM;
    for (uint64_t i = 0; i < n; i++)
        v[i] = (struct tag){unpack_str(&u), unpack_str(&u)};
    TRY(unpack_end(&u));
    *ret = (struct tags_record){home, {v, (size_t)n}};
    return ERR_OK;
}

enum err tags_of(struct txn *txn, struct str arn, struct tag_list *ret_tags)
{
    static const struct tag none = {{0}, {0}}; /* an empty list is told of, an absent one is not */
    struct str bytes, key;
    struct tags_record rec = {0};
    TRY(key_of(txn, arn, &key));
    enum err err = txn_get(txn, key, &bytes);
    if (err == ERR_OK)
        err = tags_unpack(txn->arena, bytes, &rec);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    *ret_tags = rec.tags.v ? rec.tags : (struct tag_list){&none, 0};
    return ERR_OK;
}

enum err tags_set(struct txn *txn, const struct tags_resource *resource, struct tag_list tags)
{
    struct buf b;
    struct str key;
    struct tag *v = ARENA_ARRAY(txn->arena, struct tag, tags.n + 1);
    if (!v)
        return ERR_NOMEM;
    TRY(key_of(txn, resource->arn, &key));
    assert(tags.n <= TAGS_MAX);
    assert(tags.n == 0 || tags.v);
    if (tags.n)
        memcpy(v, tags.v, tags.n * sizeof(*v));
    qsort(v, tags.n, sizeof(*v), by_key);
    buf_init_arena(&b, txn->arena, RECORD_BYTES_MAX);
    pack_u8(&b, TAGS_RECORD_VERSION);
    pack_str(&b, resource->home);
    pack_uint(&b, tags.n);
    for (size_t i = 0; i < tags.n; i++) {
        pack_str(&b, v[i].key);
        pack_str(&b, str_is_set(v[i].value) ? v[i].value : STR(""));
    }
    TRY(buf_err(&b));
    return txn_put(txn, key, buf_str(&b));
}

enum err tags_drop(struct txn *txn, struct str arn)
{
    struct str key;
    TRY(key_of(txn, arn, &key));
    return txn_del(txn, key);
}

/* --- operations ------------------------------------------------------------------------------- */

enum err tags_op_by_arn(struct call *call, const struct tags_service *service,
                        const struct wire_error *missing, struct str text,
                        struct tags_resource *ret)
{
    struct arn arn;
    enum err err = ERR_NOT_FOUND;
    if (arn_parse(text, &arn) == ERR_OK &&
        (str_empty(arn.account) || str_eq(arn.account, call->account)) &&
        str_eq(arn.region, call->region))
        err = service->find(call->svc, call->txn, text, ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, missing, "Resource " STR_FMT " does not exist.", STR_ARG(text));
    return err;
}

enum err tags_op_add(struct call *call, const struct tags_service *service, struct str ref,
                     struct tag_list add)
{
    struct tags_resource resource = {0};
    struct tag_list have, all;
    TRY(tags_check_call(call, &service->rules, add));
    TRY(service->resource(call, ref, &resource));
    TRY(tags_of(call->txn, resource.arn, &have));
    enum err err = tags_merge(call->arena, &service->rules, have, add, &all);
    if (err == ERR_LIMIT)
        return tags_refuse(call, &service->rules, TAGS_TOO_MANY, (struct tag){0});
    TRY(err);
    return tags_set(call->txn, &resource, all);
}

enum err tags_op_remove(struct call *call, const struct tags_service *service, struct str ref,
                        const struct str *keys, size_t n_keys)
{
    struct tags_resource resource = {0};
    struct tag_list have, left;
    for (size_t i = 0; i < n_keys; i++)
        if (tags_reserved(keys[i]))
            return tags_refuse(call, &service->rules, TAGS_RESERVED,
                               (struct tag){keys[i], STR("")});
    TRY(service->resource(call, ref, &resource));
    TRY(tags_of(call->txn, resource.arn, &have));
    TRY(tags_without(call->arena, &service->rules, have, keys, n_keys, &left));
    return left.n == have.n ? ERR_OK : tags_set(call->txn, &resource, left);
}

enum err tags_op_list(struct call *call, const struct tags_service *service, struct str ref,
                      struct tag_list *ret_tags)
{
    struct tags_resource resource = {0};
    TRY(service->resource(call, ref, &resource));
    return tags_of(call->txn, resource.arn, ret_tags);
}

enum err tags_op_create(struct call *call, const struct tags_service *service,
                        const struct tags_resource *resource, struct tag_list tags)
{
    TRY(tags_check_call(call, &service->rules, tags));
    return tags.n ? tags_set(call->txn, resource, tags) : ERR_OK;
}
