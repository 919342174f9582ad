/* map.h: mapping templates with $input, $util, $context and $stageVariables, and what they override. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "svc/apigateway/map.h"

enum { ARENA_MAX = 128 << 20 };

static const char BODY[] =
    "{\"id\":7,\"name\":\"O'Neil \\\"x\\\"\",\"tags\":[\"a\",{\"b\":\"c\"}],\"o\":{\"k\":"
    "[1,2],\"z\":{\"q\":1.0}},\"nil\":null,\"yes\":true,\"price\":1.50,\"e\":{},\"es\":\"\"}";
static const char CONTEXT[] =
    "{\"requestId\":\"r-1\",\"stage\":\"prod\",\"identity\":{\"sourceIp\":\"10.0.0.1\"},"
    "\"authorizer\":{\"principalId\":\"me\",\"n\":\"5\"}}";

static const struct map_pair PATH[] = {{STR_INIT("id"), STR_INIT("from path")}};
static const struct map_pair QUERY[] = {{STR_INIT("q"), STR_INIT("1")},
                                        {STR_INIT("q"), STR_INIT("2")},
                                        {STR_INIT("id"), STR_INIT("from query")}};
static const struct map_pair HEADER[] = {{STR_INIT("X-One"), STR_INIT("h\"1")},
                                         {STR_INIT("id"), STR_INIT("from header")}};

struct outcome {
    enum err err;
    struct map_rendered made;
    struct map_fault fault;
};

static struct outcome run(struct arena *a, const char *text, const char *body,
                          const struct map_rendered *earlier)
{
    struct outcome o = {0};
    struct map_templates t;
    struct buf b;
    struct json *templates, *context, *stage;
    buf_init_arena(&b, a, 1 << 20);
    buf_add_c(&b, "{\"application/json\":");
    json_put_str(&b, str_c(text));
    buf_add_c(&b, "}");
    assert_int_equal(json_parse(a, buf_str(&b), &templates, NULL), ERR_OK);
    assert_int_equal(json_parse(a, str_c(CONTEXT), &context, NULL), ERR_OK);
    assert_int_equal(json_parse(a, STR("{\"table\":\"cars\"}"), &stage, NULL), ERR_OK);
    assert_int_equal(map_templates_compile(a, templates, &t), ERR_OK);
    struct map_scope scope = {context, stage};
    struct map_message message = {.path = {PATH, 1},
                                  .query = {QUERY, ARRAY_LEN(QUERY)},
                                  .header = {HEADER, ARRAY_LEN(HEADER)},
                                  .body = str_c(body)};
    o.err = map_render(a, &t.v[0], &scope, &message, earlier, &o.made, &o.fault);
    return o;
}

static struct str shown(struct arena *a, const struct outcome *o)
{
    if (o->err == ERR_OK)
        return o->made.body;
    return str_fmt(a, "%s %u:%u " STR_FMT "%s", err_name(o->err), o->fault.line, o->fault.column,
                   STR_ARG(o->fault.message), o->fault.bad_body ? " (body)" : "");
}

struct row {
    const char *template, *result;
};

static void check(const struct row *rows, size_t n, const char *body,
                  const struct map_rendered *earlier)
{
    for (size_t i = 0; i < n; i++) {
        struct arena a;
        arena_init(&a, ARENA_MAX);
        struct outcome o = run(&a, rows[i].template, body, earlier);
        struct str got = shown(&a, &o);
        if (!str_eq_c(got, rows[i].result))
            fail_msg("%s\ngave " STR_FMT "\nnot  %s", rows[i].template, STR_ARG(got),
                     rows[i].result);
        arena_release(&a);
    }
}

static void test_input(void **state)
{
    static const struct row rows[] = {
        {"$input.json('$.id') $input.json('$.name') $input.json('$.tags')",
         "7 \"O'Neil \\\"x\\\"\" [\"a\",{\"b\":\"c\"}]"},
        {"$input.json('$.o') $input.json('$.nil') $input.json('$.yes') $input.json('$.price')",
         "{\"k\":[1,2],\"z\":{\"q\":1.0}} null true 1.50"},
        {"$input.json('$.missing')|$input.path('$.missing')|$input.path('$.nil')", "\"\"||"},
        {"$input.path('$.id') $input.path('$.name') $input.path('$.price') $input.path('$.yes')",
         "7 O'Neil \"x\" 1.5 true"},
        {"$input.path('$.o') $input.path('$.tags') $input.path('$.e')",
         "{k=[1,2], z={q=1.0}} [\"a\",{\"b\":\"c\"}] {}"},
        {"$input.path('$').name|$input.path('$').none|$input.path('$.o').k[1]|$input.path('$.o.z')."
         "q",
         "O'Neil \"x\"||2|1.0"},
        {"$input.path('$.tags[0]') $input.path('$.tags[-1].b') $input.path('$..q') "
         "$input.json('$.tags[*].b')",
         "a c [1.0] [\"c\"]"},
        {"$input.path('id') $input.json('o.k')", "7 [1,2]"},
        {"$input.path('$.tags').size() $input.path('$.o').keySet() $input.path('$.es').length()",
         "2 [k, z] 0"},
        {"$input.body.length() $input.body.startsWith(\"{\")", "133 true"},
        {"$input.params('id') $input.params('q') $input.params('x-one') [$input.params('none')]",
         "from path 2 h\"1 []"},
        {"$input.params().path $input.params().querystring $input.params().header",
         "{id=from path} {q=2, id=from query} {X-One=h\"1, id=from header}"},
        {"$input.params('header') $input.params('path').id $input.params('querystring').get('q') "
         "$input.params().keySet()",
         "{X-One=h\"1, id=from header} from path 2 [path, querystring, header]"},
        {"#set($in = $input.path('$'))$in.id#set($in.url = \"u/$in.id\")$input.json('$.url')"
         "$input.json('$.o.k')",
         "7\"u/7\"[1,2]"},
        {"#set($o = $input.path('$.o'))#set($x = $o.put('n', [1, 'a']))$input.json('$.o')"
         "#set($k = $input.path('$.o.n'))#set($y = $k.add(2))$input.json('$.o.n')",
         "{\"k\":[1,2],\"z\":{\"q\":1.0},\"n\":[1,\"a\"]}[1,\"a\",2]"},
        {"$input.nope() $input.nope $input", "  $input"},
        {"x\n $input.path('$[')", "invalid 2:8 not a JSONPath: $["},
    };
    check(rows, ARRAY_LEN(rows), BODY, NULL);
}

static void test_bodies(void **state)
{
    static const struct {
        const char *body;
        bool reply;
        struct row row;
    } rows[] = {
        {"",
         false,
         {"$input.body|$input.json('$')|$input.path('$')|$input.path('$.a')", "{}|{}|{}|"}},
        {"", true, {"$input.body|$input.json('$')|$input.path('$')", "|\"\"|"}},
        {"plain",
         false,
         {"$input.body|$input.json('$')|$input.path('$')|$input.path('$.a')",
          "plain|\"plain\"|plain|"}},
        {"a=1&b=2", false, {"#foreach($p in $input.path('$').split('&'))$p;#end", "a=1;b=2;"}},
        {"\"text\"", false, {"$input.path('$') $input.json('$')", "text \"text\""}},
        {"[1,2.0,\"x\"]",
         false,
         {"$input.path('$') $input.path('$[2]') $input.json('$')",
          "[1,2.0,\"x\"] x [1,2.0,\"x\"]"}},
        {" {broken", false, {"$input.body", " {broken"}},
        {" {broken",
         false,
         {"$input.json('$')", "invalid 1:7 Could not parse request body into json (body)"}},
        {" {broken",
         true,
         {"$input.json('$')", "invalid 1:7 Could not parse response body into json"}},
        {"{\"a\":12345678901234567890,\"b\":1e400}",
         false,
         {"$input.path('$.a') $input.json('$')",
          "12345678901234567890 {\"a\":12345678901234567890,\"b\":1e400}"}},
    };
    static const struct map_rendered none;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check(&rows[i].row, 1, rows[i].body, rows[i].reply ? &none : NULL);
}

static void test_util(void **state)
{
    static const struct row rows[] = {
        {"$util.escapeJavaScript($input.path('$.name'))", "O\\'Neil \\\"x\\\""},
        {"$util.escapeJavaScript(\"a/b\\c\u20ac\U0001F600\")", "a\\/b\\\\c\\u20AC\\uD83D\\uDE00"},
        {"$util.escapeJavaScript('a\nb\tc')", "a\\nb\\tc"},
        {"$util.escapeJavaScript($input.json('$.tags'))", "[\\\"a\\\",{\\\"b\\\":\\\"c\\\"}]"},
        {"$util.escapeJavaScript(5)|$util.escapeJavaScript($nope)|$util.escapeJavaScript('')",
         "5||"},
        {"#set($j = $util.parseJson('{\"a\":[1,{\"b\":null}]}'))$j.a[0] $j $j.a.size()",
         "1 {a=[1,{\"b\":null}]} 2"},
        {"$util.parseJson('\"s\"') $util.parseJson('3') $util.parseJson('[]')", "s 3 []"},
        {"$util.parseJson('{')", "invalid 1:6 parseJson: the text is no JSON"},
        {"$util.urlEncode('a b&c=d/\u20ac*') $util.urlDecode('a+b%26%E2%82%AC')",
         "a+b%26c%3Dd%2F%E2%82%AC* a b&\u20ac"},
        {"$util.urlDecode('%zz')", "invalid 1:6 urlDecode: illegal escape"},
        {"$util.base64Encode('hello') $util.base64Decode('aGVsbG8=')", "aGVsbG8= hello"},
        {"$util.base64Decode('a')", "invalid 1:6 base64Decode: the text is not base64"},
        {"$util.base64Encode($input.path('$.id'))", "Nw=="},
        {"$util.nope('x')|$util.urlEncode('a','b')|$util.escapeJavaScript", "||"},
    };
    check(rows, ARRAY_LEN(rows), BODY, NULL);
}

static void test_context(void **state)
{
    static const struct row rows[] = {
        {"$context.requestId $context.identity.sourceIp $context.authorizer.principalId "
         "[$context.authorizer.claims.sub] [$context.nope]",
         "r-1 10.0.0.1 me [] []"},
        {"$stageVariables.table $stageVariables.get('table') [$stageVariables.nope]",
         "cars cars []"},
        {"#foreach($k in $stageVariables.keySet())\"$k\": \"$stageVariables.get($k)\"#end",
         "\"table\": \"cars\""},
        {"#set($r = $context.authorizer.n + 1)$r", "51"},
        {"#if($context.identity.user)u#{else}none#end", "none"},
    };
    check(rows, ARRAY_LEN(rows), BODY, NULL);
}

/* Templates as they are found in the world. */
static void test_whole(void **state)
{
    static const struct row rows[] = {
        {"#set($allParams = $input.params())\n{\n\"body-json\" : $input.json('$.id'),\n\"params\" "
         ": {\n"
         "#foreach($type in $allParams.keySet())\n    #set($params = "
         "$allParams.get($type))\n\"$type\" : {\n"
         "    #foreach($paramName in $params.keySet())\n    \"$paramName\" : "
         "\"$util.escapeJavaScript($params.get($paramName))\"\n        "
         "#if($foreach.hasNext),#end\n    #end\n}\n"
         "    #if($foreach.hasNext),#end\n#end\n},\n\"context\" : {\n    \"stage\" : "
         "\"$context.stage\",\n"
         "    \"user\" : \"$context.identity.user\"\n    }\n}\n",
         "{\n\"body-json\" : 7,\n\"params\" : {\n\"path\" : {\n        \"id\" : \"from path\"\n    "
         "        }\n"
         "    ,\"querystring\" : {\n        \"q\" : \"2\"\n        ,        \"id\" : \"from "
         "query\"\n            }\n"
         "    ,\"header\" : {\n        \"X-One\" : \"h\\\"1\"\n        ,        \"id\" : \"from "
         "header\"\n            }\n"
         "    },\n\"context\" : {\n    \"stage\" : \"prod\",\n    \"user\" : \"\"\n    }\n}\n"},
        {"{\"TableName\":\"$stageVariables.table\",\"Item\":{\"id\":{\"S\":\"$context.requestId\"},"
         "\"n\":{\"N\":\"$input.path('$.id')\"},\"tags\":{\"L\":[#foreach($t in "
         "$input.path('$.tags'))"
         "{\"S\":\"$util.escapeJavaScript($t)\"}#if($foreach.hasNext),#end#end]}}}",
         "{\"TableName\":\"cars\",\"Item\":{\"id\":{\"S\":\"r-1\"},\"n\":{\"N\":\"7\"},\"tags\":{"
         "\"L\":[{\"S\":\"a\"},"
         "{\"S\":\"{b=c}\"}]}}}"},
        {"Action=SendMessage&MessageBody=$util.urlEncode($input.json('$.o'))",
         "Action=SendMessage&MessageBody=%7B%22k%22%3A%5B1%2C2%5D%2C%22z%22%3A%7B%22q%22%3A1.0%7D%"
         "7D"},
        {"#define($loop)\n{#foreach($k in "
         "$map.keySet())\"$k\":\"$map.get($k)\"#if($foreach.hasNext),#end#end}"
         "#end\n#set($map = $input.params().path)\n{\"p\":$loop#set($map = "
         "$stageVariables),\"s\":$loop}",
         "{\"p\":{\"id\":\"from path\"},\"s\":{\"table\":\"cars\"}}"},
        {"{\"statusCode\": 200}", "{\"statusCode\": 200}"},
    };
    check(rows, ARRAY_LEN(rows), BODY, NULL);
}

static void put_made(struct buf *b, const char *kind, const struct map_made *made)
{
    for (size_t i = 0; i < made->n; i++)
        buf_add_fmt(b, "%s:" STR_FMT "=" STR_FMT ";", kind, STR_ARG(made->v[i].name),
                    STR_ARG(made->v[i].value));
}

static void test_overrides(void **state)
{
    static const struct row rows[] = {
        {"#set($context.requestOverride.header.A = \"1\")", "h:A=1;0"},
        {"#set($context.requestOverride.header['X-B'] = 2)#set($context.requestOverride.path.id = "
         "$input.path('$.id'))",
         "h:X-B=2;p:id=7;0"},
        {"#set($context.requestOverride.querystring.q = [\"a\", \"b\"])", "q:q=a;q:q=b;0"},
        {"#set($context.responseOverride.status = 404)#set($context.responseOverride.header.H = "
         "'v')",
         "r:H=v;404"},
        {"#set($context.responseOverride.status = '201')", "201"},
        {"#set($context.responseOverride.status = 'nope')", "0"},
        {"#set($context.responseOverride.status = $input.path('$.id'))", "7"},
        {"#set($context.requestOverride = 'gone')#set($context.responseOverride = [1])", "0"},
        {"#set($context.requestOverride.header.A = $nope)", "0"},
        {"$context.requestOverride.header.put('a', 'b')", "h:a=b;0"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct buf b;
        arena_init(&a, ARENA_MAX);
        struct outcome o = run(&a, rows[i].template, BODY, NULL);
        assert_int_equal(o.err, ERR_OK);
        buf_init_arena(&b, &a, 10000);
        put_made(&b, "h", &o.made.header);
        put_made(&b, "p", &o.made.path);
        put_made(&b, "q", &o.made.query);
        put_made(&b, "r", &o.made.reply_header);
        buf_add_i64(&b, o.made.status);
        if (!str_eq_c(buf_str(&b), rows[i].result))
            fail_msg("%s: " STR_FMT, rows[i].template, STR_ARG(buf_str(&b)));
        arena_release(&a);
    }
}

/* What the request's template overrides of the reply, the reply's sees and may change. */
static void test_overrides_carried(void **state)
{
    struct arena a;
    arena_init(&a, ARENA_MAX);
    struct outcome first = run(&a,
                               "#set($context.responseOverride.status = "
                               "201)#set($context.responseOverride.header.A = 'x')",
                               BODY, NULL);
    struct outcome second =
        run(&a,
            "$context.responseOverride.status $context.responseOverride.header.A"
            "#set($context.responseOverride.header.A = 'y')",
            BODY, &first.made);
    assert_int_equal(second.err, ERR_OK);
    assert_true(str_eq_c(second.made.body, "201 x"));
    assert_int_equal(second.made.status, 201);
    assert_int_equal(second.made.reply_header.n, 1);
    assert_true(str_eq_c(second.made.reply_header.v[0].value, "y"));
    arena_release(&a);
}

static void test_faults(void **state)
{
    static const struct row rows[] = {
        {"a\n#if($x)", "invalid 2:8 #if has no #end"},
        {"a\nb $input.path('$.name').substring(99)",
         "invalid 2:24 index out of range in substring()"},
    };
    check(rows, ARRAY_LEN(rows), BODY, NULL);
}

static void test_endless(void **state)
{
    struct arena a;
    arena_init(&a, (size_t)512 << 20);
    struct outcome o = run(&a,
                           "#foreach($i in [1..1000])#foreach($j in [1..1000])"
                           "$util.urlEncode('xxxxxxxxx')#end#end",
                           BODY, NULL);
    assert_int_equal(o.err, ERR_LIMIT);
    assert_true(str_eq_c(o.fault.message, "the template takes too many steps"));
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_input),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_util),
        cmocka_unit_test(test_context),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_overrides),
        cmocka_unit_test(test_overrides_carried),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_endless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
