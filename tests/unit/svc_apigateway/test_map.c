/* map.h: parameters, choices, integration responses, plain texts. Templates: test_map_render.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "svc/apigateway/map.h"

enum { ARENA_MAX = 16 << 20 };

static const char CONTEXT[] =
    "{\"requestId\":\"r-1\",\"httpMethod\":\"GET\",\"status\":200,\"flag\":true,"
    "\"identity\":{\"sourceIp\":\"10.0.0.1\",\"user\":null},"
    "\"authorizer\":{\"principalId\":\"me\",\"a-b\":\"hyphen\"},"
    "\"error\":{\"messageString\":\"\\\"no\\\"\"}}";
static const char STAGE[] = "{\"host\":\"example.com\",\"empty\":\"\"}";
static const char BODY[] =
    "{\"a\":{\"b\":[1,{\"c\":\"deep\"}]},\"n\":null,\"t\":\"text\",\"o\":1.50}";

static const struct map_pair PATH[] = {{STR_INIT("id"), STR_INIT("p1")}};
static const struct map_pair QUERY[] = {{STR_INIT("q"), STR_INIT("1")},
                                        {STR_INIT("q"), STR_INIT("2")},
                                        {STR_INIT("x.y"), STR_INIT("dotted")}};
static const struct map_pair HEADER[] = {{STR_INIT("X-One"), STR_INIT("h1")},
                                         {STR_INIT("x-one"), STR_INIT("h2")},
                                         {STR_INIT("Accept"), STR_INIT("*/*")}};

static struct json *json_of(struct arena *a, const char *text)
{
    struct json *root;
    assert_int_equal(json_parse(a, str_c(text), &root, NULL), ERR_OK);
    return root;
}

static struct map_scope scope_of(struct arena *a)
{
    return (struct map_scope){json_of(a, CONTEXT), json_of(a, STAGE)};
}

static struct map_message message_of(const char *body)
{
    return (struct map_message){.path = {PATH, 1},
                                .query = {QUERY, ARRAY_LEN(QUERY)},
                                .header = {HEADER, ARRAY_LEN(HEADER)},
                                .body = str_c(body)};
}

static void put_made(struct buf *b, const char *kind, const struct map_made *made)
{
    for (size_t i = 0; i < made->n; i++)
        buf_add_fmt(b, "%s:" STR_FMT "=" STR_FMT ";", kind, STR_ARG(made->v[i].name),
                    STR_ARG(made->v[i].value));
}

static struct str apply(struct arena *a, const char *mappings, const char *body)
{
    struct map_parameters p;
    struct map_targets targets = {0};
    struct map_fault fault = {0};
    struct map_scope scope = scope_of(a);
    struct map_message message = message_of(body);
    struct buf b;
    assert_int_equal(map_parameters_compile(a, json_of(a, mappings), &p), ERR_OK);
    enum err err = map_parameters_apply(a, &p, &scope, &message, &targets, &fault);
    buf_init_arena(&b, a, 1 << 20);
    if (err != ERR_OK)
        buf_add_fmt(&b, "%s " STR_FMT "%s", err_name(err), STR_ARG(fault.message),
                    fault.bad_body ? " (body)" : "");
    put_made(&b, "h", &targets.header);
    put_made(&b, "q", &targets.query);
    put_made(&b, "p", &targets.path);
    return buf_str(&b);
}

static void test_parameters(void **state)
{
#define H(source) "{\"integration.request.header.X\":\"" source "\"}"
#define Q(source) "{\"integration.request.querystring.X\":\"" source "\"}"
#define R(source) "{\"method.response.header.X\":\"" source "\"}"
    static const struct {
        const char *mappings, *body, *result;
    } rows[] = {
        {H("method.request.path.id"), BODY, "h:X=p1;"},
        {H("method.request.path.none"), BODY, ""},
        {H("method.request.querystring.q"), BODY, "h:X=2;"},
        {H("method.request.querystring.Q"), BODY, ""},
        {H("method.request.querystring.x.y"), BODY, "h:X=dotted;"},
        {H("method.request.header.x-ONE"), BODY, "h:X=h2;"},
        {H("method.request.multivalueheader.X-One"), BODY, "h:X=h1,h2;"},
        {H("method.request.multivaluequerystring.q"), BODY, "h:X=1,2;"},
        {Q("method.request.multivaluequerystring.q"), BODY, "q:X=1;q:X=2;"},
        {Q("method.request.multivalueheader.X-One"), BODY, "q:X=h1,h2;"},
        {Q("method.request.multivaluequerystring.none"), BODY, ""},
        {H("method.request.body"), BODY,
         "h:X={\"a\":{\"b\":[1,{\"c\":\"deep\"}]},\"n\":null,"
         "\"t\":\"text\",\"o\":1.50};"},
        {H("method.request.body"), "", "h:X={};"},
        {H("method.request.body"), "plain", "h:X=plain;"},
        {H("method.request.body"), "\n{wrong", "invalid Invalid JSON in request body (body)"},
        {H("method.request.body.a"), "{wrong", "invalid Invalid JSON in request body (body)"},
        {H("method.request.body.a"), "plain", ""},
        {H("method.request.body.t"), BODY, "h:X=text;"},
        {H("method.request.body.a.b[1].c"), BODY, "h:X=deep;"},
        {H("method.request.body.a.b"), BODY, "h:X=[1,{\"c\":\"deep\"}];"},
        {H("method.request.body.o"), BODY, "h:X=1.50;"},
        {H("method.request.body.n"), BODY, ""},
        {H("method.request.body.zz"), BODY, ""},
        {H("method.request.body.["), BODY, ""},
        {H("context.requestId"), BODY, "h:X=r-1;"},
        {H("context.identity.sourceIp"), BODY, "h:X=10.0.0.1;"},
        {H("context.identity.user"), BODY, ""},
        {H("context.status"), BODY, "h:X=200;"},
        {H("context.flag"), BODY, "h:X=true;"},
        {H("context.none.x"), BODY, ""},
        {H("stageVariables.host"), BODY, "h:X=example.com;"},
        {H("stageVariables.none"), BODY, ""},
        {H("'fixed'"), BODY, "h:X=fixed;"},
        {H("''"), BODY, "h:X=;"},
        {H("fixed"), BODY, ""},
        {H("'open"), BODY, ""},
        {H("integration.response.header.Accept"), BODY, ""},
        {R("integration.response.header.accept"), BODY, "h:X=*/*;"},
        {R("integration.response.multivalueheader.X-One"), BODY, "h:X=h1,h2;"},
        {R("integration.response.body.t"), BODY, "h:X=text;"},
        {R("method.request.header.Accept"), BODY, ""},
        {R("'*'"), BODY, "h:X=*;"},
        {"{\"gatewayresponse.header.Y\":\"method.request.header.Accept\"}", BODY, "h:Y=*/*;"},
        {"{\"integration.request.path.id\":\"method.request.path.id\",\"integration.request.header."
         "\":"
         "\"'x'\",\"other\":\"'x'\",\"integration.request.header.Z\":1}",
         BODY, "p:id=p1;"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        arena_init(&a, ARENA_MAX);
        struct str got = apply(&a, rows[i].mappings, rows[i].body);
        if (!str_eq_c(got, rows[i].result))
            fail_msg("%s: " STR_FMT, rows[i].mappings, STR_ARG(got));
        arena_release(&a);
    }
}

static void test_valid(void **state)
{
    static const struct {
        const char *target, *source;
        bool request, response, gateway;
    } rows[] = {
        {"integration.request.header.a", "method.request.header.b", true, false, false},
        {"integration.request.path.a", "method.request.body.x[0]", true, false, false},
        {"integration.request.header.a", "integration.response.header.b", false, false, false},
        {"integration.request.header.", "'x'", false, false, false},
        {"integration.request.cookie.a", "'x'", false, false, false},
        {"method.response.header.a", "integration.response.body", false, true, false},
        {"method.response.header.a", "context.requestId", false, true, false},
        {"method.response.header.a", "method.request.header.b", false, false, false},
        {"gatewayresponse.header.a", "method.request.querystring.b", false, false, true},
        {"gatewayresponse.header.a", "method.request.body", false, false, false},
        {"gatewayresponse.header.a", "stageVariables.b", false, false, true},
        {"gatewayresponse.header.a", "nonsense", false, false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str t = str_c(rows[i].target), s = str_c(rows[i].source);
        assert_int_equal(map_parameter_is_request(t, s), rows[i].request);
        assert_int_equal(map_parameter_is_response(t, s), rows[i].response);
        assert_int_equal(map_parameter_is_gateway(t, s), rows[i].gateway);
    }
}

static void test_parameter_limits(void **state)
{
    struct arena a;
    struct map_parameters p;
    struct buf b;
    arena_init(&a, ARENA_MAX);
    for (int over = 0; over < 2; over++) {
        buf_init_arena(&b, &a, 1 << 20);
        for (int i = 0; i < MAP_PARAMETERS_MAX + over; i++)
            buf_add_fmt(&b, "%c\"integration.request.header.h%d\":\"'v'\"", i ? ',' : '{', i);
        buf_add_byte(&b, '}');
        assert_int_equal(map_parameters_compile(&a, json_of(&a, str_cstr(&a, buf_str(&b))), &p),
                         over ? ERR_LIMIT : ERR_OK);
    }
    buf_init_arena(&b, &a, 1 << 20);
    for (int i = 0; i <= MAP_VALUE_MAX; i++)
        buf_add_byte(&b, 'x');
    struct str got = apply(&a, H("method.request.body"), str_cstr(&a, buf_str(&b)));
    assert_true(str_starts(got, STR("limit")));
    assert_int_equal(map_parameters_compile(&a, NULL, &p), ERR_OK);
    assert_int_equal(p.n, 0);
    arena_release(&a);
}

static void test_made(void **state)
{
    struct arena a;
    struct map_made m = {0};
    struct buf b;
    arena_init(&a, ARENA_MAX);
    for (int i = 0; i < 20; i++)
        assert_int_equal(map_made_add(&a, &m, i % 2 ? STR("Odd") : STR("even"), STR("v")), ERR_OK);
    assert_int_equal(map_made_set(&a, &m, STR("ODD"), STR("w"), false), ERR_OK);
    assert_int_equal(map_made_set(&a, &m, STR("odd"), STR("x"), true), ERR_OK);
    assert_int_equal(map_made_set(&a, &m, STR("even"), STR("y"), false), ERR_OK);
    buf_init_arena(&b, &a, 1000);
    put_made(&b, "h", &m);
    assert_string_equal(str_cstr(&a, buf_str(&b)), "h:even=y;h:odd=x;");
    arena_release(&a);
}

/* --- choices ---------------------------------------------------------------------------------- */

static const char *chosen(const struct map_templates *t, const char *type, enum map_passthrough p)
{
    const struct map_template *found;
    enum err err = map_choose_request(t, str_c(type), p, &found);
    return err ? err_name(err) : found ? found->content_type.p : "pass";
}

static void test_choice(void **state)
{
    static const struct {
        const char *templates, *type, *no_match, *no_templates, *never, *reply;
    } rows[] = {
#define J "application/json"
#define X "application/xml"
        {"{}", J, "pass", "pass", "unsupported", "pass"},
        {"{}", NULL, "pass", "pass", "unsupported", "pass"},
        {"{\"" J "\":\"t\"}", J, J, J, J, J},
        {"{\"" J "\":\"t\"}", "Application/JSON; charset=utf-8", J, J, J, J},
        {"{\"" J "\":\"t\"}", NULL, J, J, J, J},
        {"{\"" J "\":\"t\"}", "", J, J, J, J},
        {"{\"" J "\":\"t\"}", X, "pass", "unsupported", "unsupported", J},
        {"{\"" X "\":\"t\"}", "text/plain", "pass", "unsupported", "unsupported", X},
        {"{\"" X "\":\"t\",\"" J "\":\"t\"}", "text/plain", "pass", "unsupported", "unsupported",
         J},
        {"{\"" J "\":\"\"}", J, "pass", "pass", "pass", "pass"},
        {"{\"" J "\":null}", J, "pass", "pass", "pass", "pass"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct map_templates t;
        arena_init(&a, ARENA_MAX);
        assert_int_equal(map_templates_compile(&a, json_of(&a, rows[i].templates), &t), ERR_OK);
        assert_string_equal(chosen(&t, rows[i].type, MAP_WHEN_NO_MATCH), rows[i].no_match);
        assert_string_equal(chosen(&t, rows[i].type, MAP_WHEN_NO_TEMPLATES), rows[i].no_templates);
        assert_string_equal(chosen(&t, rows[i].type, MAP_NEVER), rows[i].never);
        const struct map_template *reply = map_choose_response(&t, str_c(rows[i].type));
        assert_string_equal(reply ? reply->content_type.p : "pass", rows[i].reply);
        arena_release(&a);
    }
    assert_int_equal(map_passthrough_of(STR("NEVER")), MAP_NEVER);
    assert_int_equal(map_passthrough_of(STR("WHEN_NO_TEMPLATES")), MAP_WHEN_NO_TEMPLATES);
    assert_int_equal(map_passthrough_of(STR("WHEN_NO_MATCH")), MAP_WHEN_NO_MATCH);
    assert_int_equal(map_passthrough_of(STR_NONE), MAP_WHEN_NO_MATCH);
}

static void test_responses(void **state)
{
    static const struct {
        const char *responses, *text, *status;
    } rows[] = {
        {"{}", "200", NULL},
        {"{\"200\":{}}", "200", "200"},
        {"{\"200\":{}}", "500", "200"},
        {"{\"200\":{\"selectionPattern\":\"\"},\"400\":{\"selectionPattern\":\"4\\\\d{2}\"}}",
         "404", "400"},
        {"{\"200\":{},\"400\":{\"selectionPattern\":\"4\\\\d{2}\"}}", "4040", "200"},
        {"{\"200\":{},\"400\":{\"selectionPattern\":\"4\\\\d{2}\"}}", NULL, "200"},
        {"{\"400\":{\"selectionPattern\":\"4\\\\d{2}\"}}", "200", NULL},
        {"{\"500\":{\"selectionPattern\":\".*\"},\"404\":{\"selectionPattern\":\".*missing.*\"}}",
         "item is missing!", "404"},
        {"{\"500\":{\"selectionPattern\":\".*\"},\"404\":{\"selectionPattern\":\".*missing.*\"}}",
         "two\nlines", NULL},
        {"{\"200\":{},\"500\":{\"selectionPattern\":\"(broken\"}}", "(broken", "200"},
        {"{\"200\":{},\"500\":{\"selectionPattern\":\"(a+)+[bd]\"}}",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", "200"},
        {"{\"302\":{},\"200\":{}}", "x", "200"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct map_responses r;
        arena_init(&a, ARENA_MAX);
        assert_int_equal(map_responses_compile(&a, json_of(&a, rows[i].responses), &r), ERR_OK);
        const struct map_response *found = map_responses_select(&r, str_c(rows[i].text));
        if ((found != NULL) != (rows[i].status != NULL) ||
            (found && !str_eq_c(found->status, rows[i].status)))
            fail_msg("%s %s", rows[i].responses, rows[i].text);
        assert_true(!found || found->status_code > 0);
        arena_release(&a);
    }
}

/* --- plain texts ------------------------------------------------------------------------------ */

static void test_plain(void **state)
{
    static const struct {
        const char *text, *plain, *log;
    } rows[] = {
        {"", "", ""},
        {"{\"message\":$context.error.messageString}", "{\"message\":\"no\"}",
         "{\"message\":\"no\"}"},
        {"$context.identity.sourceIp $context.identity.user [$context.requestTime]", "10.0.0.1  []",
         "10.0.0.1 - [-]"},
        {"${context.requestId}x", "r-1x", "r-1x"},
        {"$context.requestId.", "r-1.", "r-1."},
        {"$context.requestId-$context.status", "r-1-200", "r-1-200"},
        {"$context.authorizer.a-b", "hyphen", "hyphen"},
        {"$stageVariables.host/$stageVariables.none/${stageVariables.host}",
         "example.com//example.com",
         "-stageVariables.host/-stageVariables.none/-{stageVariables.host}"},
        {"$method.request.header.accept $method.request.path.id $method.request.querystring.q",
         "*/* p1 2", NULL},
        {"$5 $$ $context $contextual $context. #if($x)y#end $input.body",
         "$5 $$ $context $contextual "
         "$context. #if($x)y#end $input.body",
         NULL},
        {"${context.requestId", "${context.requestId", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct str got;
        arena_init(&a, ARENA_MAX);
        struct map_scope scope = scope_of(&a);
        struct map_message message = message_of(BODY);
        assert_int_equal(map_plain(&a, str_c(rows[i].text), &scope, &message, &got), ERR_OK);
        if (!str_eq_c(got, rows[i].plain))
            fail_msg("%s: " STR_FMT, rows[i].text, STR_ARG(got));
        assert_int_equal(map_log_line(&a, str_c(rows[i].text), scope.context, &got), ERR_OK);
        if (rows[i].log && !strstr(rows[i].text, "stageVariables") && !str_eq_c(got, rows[i].log))
            fail_msg("%s: " STR_FMT, rows[i].text, STR_ARG(got));
        arena_release(&a);
    }
}

static void test_stage_variables(void **state)
{
    static const char *const rows[][2] = {
        {"http://${stageVariables.host}/x", "http://example.com/x"},
        {"${stageVariables.host}${stageVariables.none}!", "example.com!"},
        {"${stageVariables.empty}", ""},
        {"none at all", "none at all"},
        {"${stageVariables.host", "${stageVariables.host"},
        {"$stageVariables.host", "$stageVariables.host"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct str got;
        arena_init(&a, ARENA_MAX);
        assert_int_equal(map_stage_variables(&a, str_c(rows[i][0]), json_of(&a, STAGE), &got),
                         ERR_OK);
        assert_string_equal(str_cstr(&a, got), rows[i][1]);
        assert_int_equal(map_stage_variables(&a, STR_NONE, NULL, &got), ERR_OK);
        assert_false(str_is_set(got));
        arena_release(&a);
    }
}

/* A line is cut at its limit, not lost. */
static void test_log_limit(void **state)
{
    struct arena a;
    struct buf b;
    struct str got;
    arena_init(&a, ARENA_MAX);
    buf_init_arena(&b, &a, 2 * MAP_LOG_LINE_MAX);
    for (int i = 0; i < MAP_LOG_LINE_MAX - 2; i++)
        buf_add_byte(&b, 'x');
    buf_add_c(&b, "$context.identity.sourceIp$context.requestId");
    assert_int_equal(map_log_line(&a, buf_str(&b), json_of(&a, CONTEXT), &got), ERR_OK);
    assert_int_equal(got.len, MAP_LOG_LINE_MAX);
    assert_true(str_ends(got, STR("x10")));
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_parameter_limits),
        cmocka_unit_test(test_made),
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_responses),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_stage_variables),
        cmocka_unit_test(test_log_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
