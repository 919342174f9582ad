/* What users write into an API and send to it: the first line says which kind, the second is the
 * template, mapping or answer, the rest a body. */
// link: weir_svc_apigateway
#include <assert.h>
#include <stdint.h>

#include "svc/apigateway/auth_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct map_pair PAIRS[] = {{STR_INIT("a"), STR_INIT("1")},
                                        {STR_INIT("A"), STR_INIT("2")}};

/* {"application/json": text} or {text: text} */
static const struct json *object_of(struct arena *a, struct str key, struct str text)
{
    struct json *object = ARENA_NEW(a, struct json), *member = ARENA_NEW(a, struct json);
    if (!object || !member)
        return NULL;
    *object = (struct json){.kind = JSON_OBJECT, .n = 1, .child = member};
    *member = (struct json){.kind = JSON_STRING, .key = key, .text = text};
    return object;
}

static void render(struct arena *a, struct str text, const struct map_scope *scope,
                   const struct map_message *message)
{
    struct map_templates t;
    struct map_rendered made = {0}, reply = {0};
    struct map_fault fault = {0};
    if (map_templates_compile(a, object_of(a, STR("application/json"), text), &t) != ERR_OK ||
        t.v[0].passes)
        return;
    enum err err = map_render(a, &t.v[0], scope, message, NULL, &made, &fault);
    if (err == ERR_OK)
        err = map_render(a, &t.v[0], scope, message, &made, &reply, &fault);
    assert(err == ERR_OK || err == ERR_NOMEM || fault.message.len);
}

static void parameters(struct arena *a, struct str text, const struct map_scope *scope,
                       const struct map_message *message)
{
    struct map_parameters p;
    struct map_targets targets = {0};
    struct map_fault fault = {0};
    struct str source = text, target = str_cut(&source, '=');
    if (!str_is_set(source) ||
        map_parameters_compile(a, object_of(a, target, source), &p) != ERR_OK)
        return;
    if (map_parameters_apply(a, &p, scope, message, &targets, &fault) == ERR_OK)
        assert(targets.header.n + targets.query.n + targets.path.n <= 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct str body = str_n((const char *)data, size), kind = str_cut(&body, '\n');
    struct str text = str_cut(&body, '\n'), out;
    struct auth_answer answer;
    const char *why;
    arena_init(&a, 64 << 20);
    const struct json *tree = object_of(&a, STR("a"), STR("v"));
    struct map_scope scope = {tree, tree};
    struct map_message message = {{PAIRS, 2}, {PAIRS, 2}, {PAIRS, 2}, body};
    switch (kind.len ? kind.p[0] : 0) {
    case 't':
        render(&a, text, &scope, &message);
        break;
    case 'p':
        parameters(&a, text, &scope, &message);
        break;
    case 'l':
        if (map_plain(&a, text, &scope, &message, &out) == ERR_OK)
            assert(out.len <= MAP_PLAIN_MAX);
        if (map_log_line(&a, text, tree, &out) == ERR_OK)
            assert(out.len <= MAP_LOG_LINE_MAX);
        (void)!map_stage_variables(&a, text, tree, &out);
        break;
    case 'a':
        if (auth_answer_read(&a, body, &answer, &why) == ERR_OK)
            assert(answer.authorizer && str_is_set(answer.policy));
        break;
    default:
        break;
    }
    arena_release(&a);
    return 0;
}
