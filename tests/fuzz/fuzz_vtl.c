/* Velocity templates: the first line is a JSON object of variables, the rest a template. */
// link: weir_lang
#include <assert.h>
#include <stdint.h>

#include "lang/vtl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(struct arena *a, struct str context, const struct vtl_template *t)
{
    struct vtl_run run;
    struct vtl_error e;
    struct json *root;
    struct str out;
    if (json_parse(a, context, &root, NULL) != ERR_OK || vtl_run_init(&run, a) != ERR_OK)
        return;
    JSON_EACH (root, it) {
        struct vtl_value v;
        if (vtl_of_json(&run, it, &v) != ERR_OK || vtl_set(&run, it->key, v) != ERR_OK)
            return;
    }
    run.quiet = context.len % 2;
    if (vtl_evaluate(&run, t, &out, &e) == ERR_OK)
        assert(out.len <= VTL_OUTPUT_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    const struct vtl_template *t;
    struct vtl_error e = {0};
    struct str rest = str_n((const char *)data, size);
    struct str context = str_cut(&rest, '\n');
    arena_init(&a, 64 << 20);
    enum err err = vtl_parse(&a, rest, &t, &e);
    if (err == ERR_OK)
        run(&a, context, t);
    else
        assert(err == ERR_NOMEM || (e.message.len && e.line <= rest.len + 1));
    arena_release(&a);
    return 0;
}
