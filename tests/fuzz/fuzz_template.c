/* Templates: whatever is read is refused with a message, or is a plan: resources that come after others of
 * the list and never after themselves, with properties that resolve or are refused. */
// link: weir_template
#include <assert.h>
#include <stdint.h>

#include "codec/json_edit.h"
#include "template/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_MAX = 256 << 20 };

static enum err parameter(void *arg, struct arena *a, struct str name, int64_t version,
                          bool decrypt, struct str *ret_value, struct str *ret_type,
                          struct tpl_fault *ret_fault)
{
    *ret_value = str_fmt(a, "v%d", (int)(version % 10));
    *ret_type = decrypt ? STR("SecureString") : STR("String");
    return name.len % 3 ? ERR_OK : ERR_NOT_FOUND;
}

static enum err export_value(void *arg, struct arena *a, struct str name, struct str *ret_value,
                             struct tpl_fault *ret_fault)
{
    *ret_value = name;
    return name.len % 3 ? ERR_OK : ERR_NOT_FOUND;
}

/* What is included is the template itself. */
static enum err text(void *arg, struct arena *a, struct str location, struct str *ret_text,
                     struct tpl_fault *ret_fault)
{
    *ret_text = *(const struct str *)arg;
    return ERR_OK;
}

static enum err lookup(void *arg, struct arena *a, struct str id, struct str attribute,
                       const struct json **ret_v)
{
    if (id.len % 4 == 0)
        return ERR_SUSPENDED;
    struct json *v = attribute.len % 5 == 4 ? json_new(a, JSON_ARRAY) : json_new_str(a, id);
    *ret_v = v;
    return v ? ERR_OK : ERR_NOMEM;
}

static void check_outcome(enum err err, const struct tpl_fault *fault)
{
    assert(err == ERR_OK || err == ERR_NOMEM || (err == ERR_INVALID && str_is_set(fault->message)));
}

static void resolve(struct arena *a, struct tpl *tpl, const struct json *v)
{
    struct tpl_fault fault = {0};
    const struct json *made;
    bool whole;
    struct buf b;
    enum err err = tpl_resolve(tpl, a, v, lookup, NULL, &made, &whole, &fault);
    check_outcome(err, &fault);
    if (err != ERR_OK || !made)
        return;
    buf_init_arena(&b, a, 64 << 20);
    json_put(&b, made); /* asserts that it is no deeper than JSON may be */
}

static void check_plan(struct arena *a, struct tpl *tpl)
{
    size_t n;
    const struct tpl_resource *all = tpl_resources(tpl, &n);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < all[i].after_n; j++)
            assert(all[i].after[j] < n && all[i].after[j] != i);
        assert(tpl_resource(tpl, all[i].id) == &all[i]);
        if (all[i].properties)
            resolve(a, tpl, all[i].properties);
    }
    const struct tpl_output *outputs = tpl_outputs(tpl, &n);
    for (size_t i = 0; i < n; i++)
        resolve(a, tpl, outputs[i].value);
}

static void open_it(struct arena *a, const struct json *tree, struct str source, bool check_only)
{
    static const struct tpl_host host = {parameter, export_value, text, NULL, NULL};
    const struct json *declared = json_get(tree, STR("Parameters"));
    struct tpl_given *given = ARENA_ARRAY(a, struct tpl_given, declared ? declared->n : 0);
    struct tpl_world w = {.region = STR("eu-west-1"),
                          .account = STR("123456789012"),
                          .partition = STR("aws"),
                          .url_suffix = STR("amazonaws.com"),
                          .stack_name = STR("s"),
                          .given = given,
                          .host = &host,
                          .host_arg = &source,
                          .check_only = check_only};
    struct tpl_fault fault = {0};
    const struct str *names;
    struct tpl *tpl;
    size_t n;
    if (!given)
        return;
    JSON_EACH (declared, it)
        if (!json_get(it, STR("Default")))
            given[w.given_n++] = (struct tpl_given){.key = it->key, .value = STR("7")};
    enum err err = tpl_open(a, tree, &w, &tpl, &fault);
    check_outcome(err, &fault);
    if (err != ERR_OK)
        return;
    check_plan(a, tpl);
    check_outcome(tpl_imports(tpl, a, &names, &n, &fault), &fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str source = str_n((const char *)data, size);
    struct tpl_summary summary;
    struct tpl_fault fault = {0};
    struct json *tree;
    struct arena a;
    arena_init(&a, ARENA_MAX);
    enum err err = tpl_read(&a, source, &tree, &fault);
    check_outcome(err, &fault);
    if (err == ERR_OK) {
        struct buf b;
        buf_init_arena(&b, &a, 64 << 20);
        json_put(&b, tree);
        err = tpl_summarise(&a, tree, &summary, &fault);
        check_outcome(err, &fault);
        open_it(&a, tree, source, false);
        open_it(&a, tree, source, true);
    }
    arena_release(&a);
    return 0;
}
