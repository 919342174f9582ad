/* Requests to a deployed API, from their bytes to what an integration would be asked and back: a request line,
 * headers, an empty line, a body. The API has a method of each kind. */
// link: weir_svc_apigateway
#include <assert.h>
#include <stdint.h>

#include "svc/apigateway/integrate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADERS_MAX = 32, ARENA_MAX = 64 << 20 };

/* JSON with ' for ". */
static const char API[] =
    "{'restApi':{'id':'a','name':'n','binaryMediaTypes':['image/*']},"
    "'models':[{'id':'1','name':'Car','schema':'{\\'type\\':\\'object\\',\\'required\\':[\\'make\\'"
    "],"
    "\\'properties\\':{\\'make\\':{\\'type\\':\\'string\\',\\'pattern\\':\\'^[a-z]+$\\'},\\'n\\':{"
    "\\'type\\':\\'integer\\',"
    "\\'minimum\\':1},\\'of\\':{\\'type\\':\\'array\\',\\'uniqueItems\\':true,\\'maxItems\\':3}}}'}"
    "],"
    "'requestValidators':[{'id':'v','validateRequestBody':true,'validateRequestParameters':true}],"
    "'resources':["
    "{'id':'r','path':'/"
    "','resourceMethods':{'ANY':{'methodIntegration':{'type':'MOCK','requestTemplates':{"
    "'application/json':'{\\'statusCode\\': $input.params(\\'s\\')}'}}}}},"
    "{'id':'c','path':'/"
    "cars','resourceMethods':{'POST':{'requestValidatorId':'v','requestModels':{'application/"
    "json':'Car'},"
    "'requestParameters':{'method.request.querystring.q':true,'method.request.header.X-H':true},'"
    "methodIntegration':{"
    "'type':'AWS','uri':'arn:aws:apigateway:us-east-1:sqs:path/q','requestParameters':{"
    "'integration.request.header.A':'method.request.header.X-H','integration.request.querystring.b'"
    ":'method.request.body.make',"
    "'integration.request.querystring.c':'method.request.multivaluequerystring.q'},'"
    "requestTemplates':{'application/json':"
    "'#set($r=$input.path(\\'$\\'))Action=SendMessage&M=$util.urlEncode($input.json(\\'$\\'))#"
    "foreach($x in $r.of)$foreach.count:"
    "$util.escapeJavaScript($x)#end','text/"
    "plain':''},'passthroughBehavior':'NEVER','integrationResponses':{'200':{'statusCode':"
    "'200','responseTemplates':{'application/"
    "json':'$input.path(\\'$.make\\')'}},'400':{'statusCode':'400','selectionPattern':"
    "'.*\\\\[bad.*'}}}}}},"
    "{'id':'i','path':'/cars/"
    "{id}','resourceMethods':{'GET':{'requestParameters':{'method.request.path.id':true},"
    "'methodIntegration':{'type':'HTTP','uri':'http://h/{id}/"
    "${stageVariables.v}','requestParameters':{"
    "'integration.request.path.id':'method.request.path.id'}}}}},"
    "{'id':'b','path':'/cars/"
    "best','resourceMethods':{'GET':{'methodIntegration':{'type':'MOCK'}}}},"
    "{'id':'w','path':'/{x}/"
    "wheels','resourceMethods':{'GET':{'methodIntegration':{'type':'MOCK'}}}},"
    "{'id':'p','path':'/"
    "{proxy+}','resourceMethods':{'ANY':{'methodIntegration':{'type':'HTTP_PROXY','uri':'http://h/"
    "{proxy}',"
    "'requestParameters':{'integration.request.path.proxy':'method.request.path.proxy'}}}}}]}";

/* Compiled once: it never changes (GV1). */
static const struct serve_api *api(void)
{
    static struct serve_api *it;
    static char text[sizeof(API)];
    if (it)
        return it;
    for (size_t i = 0; i < sizeof(API) - 1; i++)
        text[i] = API[i] == '\'' ? '"' : API[i];
    enum err err = serve_compile(STR("a"), str_n(text, sizeof(API) - 1), &it);
    assert(err == ERR_OK);
    return it;
}

static struct str line_of(struct str *rest)
{
    struct str line = str_cut(rest, '\n');
    return str_is_set(line) ? line : STR("");
}

/* False: it is none that the parser of HTTP would let through. */
static bool read_request(struct str text, struct wire_header *h, struct wire_request *ret)
{
    struct str line = line_of(&text), method = str_cut(&line, ' '), path = str_cut(&line, '?');
    *ret = (struct wire_request){.method = method, .path = path, .query = line, .headers = h};
    while (text.len && text.p[0] != '\n') {
        struct str value = line_of(&text), name = str_cut(&value, ':');
        if (!str_is_set(value) || ret->n_headers == HEADERS_MAX)
            return false;
        h[ret->n_headers++] = (struct wire_header){name, str_trim(value)};
    }
    ret->body = str_is_set(text) ? str_sub(text, 1, SIZE_MAX) : STR("");
    return method.len && str_starts(path, STR("/"));
}

static bool take_message(struct arena *a, const struct serve_input *in, struct map_message *ret)
{
    size_t n = in->route->n_params + in->n_query + in->http->n_headers;
    struct map_pair *v = ARENA_ARRAY(a, struct map_pair, n);
    if (!v)
        return false;
    *ret = (struct map_message){.body = in->http->body, .path = {v, in->route->n_params}};
    for (size_t i = 0; i < in->route->n_params; i++)
        *v++ = (struct map_pair){in->route->params[i].name, in->route->params[i].value};
    ret->query = (struct map_pairs){v, in->n_query};
    for (size_t i = 0; i < in->n_query; i++)
        *v++ = (struct map_pair){in->query[i].key,
                                 in->query[i].value.p ? in->query[i].value : STR("")};
    ret->header = (struct map_pairs){v, in->http->n_headers};
    for (size_t i = 0; i < in->http->n_headers; i++)
        *v++ = (struct map_pair){in->http->headers[i].name, in->http->headers[i].value};
    return true;
}

/* The integration answers with what it was asked. */
static void answer(struct arena *a, const struct serve_integration *in,
                   const struct map_scope *scope, struct str body, const struct map_rendered *made)
{
    const struct map_response *response = map_responses_select(&in->responses, body);
    const struct map_message message = {.body = body};
    struct map_rendered reply = {0};
    struct map_fault f = {0};
    const struct map_template *t =
        response ? map_choose_response(&response->templates, STR("application/json")) : NULL;
    if (t && !t->passes)
        (void)!map_render(a, t, scope, &message, made, &reply, &f);
}

static void map(struct arena *a, const struct serve_integration *in,
                const struct map_message *message)
{
    static const struct json none = {.kind = JSON_OBJECT};
    const struct map_scope scope = {&none, &none};
    const struct map_template *t;
    struct map_targets targets = {0};
    struct map_rendered made = {.body = message->body};
    struct map_fault f = {0};
    struct str type = STR_NONE, uri;
    for (size_t i = 0; i < message->header.n; i++)
        if (str_eq_nocase(message->header.v[i].name, STR("content-type")))
            type = message->header.v[i].value;
    if (map_choose_request(&in->templates, type, in->passthrough, &t) != ERR_OK)
        return;
    if (t && !t->passes && map_render(a, t, &scope, message, NULL, &made, &f) != ERR_OK)
        return;
    if (map_parameters_apply(a, &in->parameters, &scope, message, &targets, &f) != ERR_OK)
        return;
    if (in->uri.len && map_stage_variables(a, in->uri, &none, &uri) == ERR_OK &&
        integrate_fill_path(a, uri, &targets.path, &uri) == ERR_OK)
        assert(str_find(uri, '{') == SIZE_MAX && str_find(uri, ' ') == SIZE_MAX);
    answer(a, in, &scope, made.body, &made);
}

static void serve(struct arena *a, struct serve_input *in)
{
    struct serve_route route;
    struct percent_pair *query = NULL;
    struct map_message message;
    struct str text;
    if (serve_find(api(), in->http->method, in->http->path, &route) != ERR_OK)
        return;
    assert(route.method && route.n_params <= SERVE_PARAMS_MAX);
    for (size_t i = 0; i < route.n_params; i++) /* borrowed of the path */
        assert(route.params[i].value.p >= in->http->path.p &&
               route.params[i].value.p + route.params[i].value.len <=
                   in->http->path.p + in->http->path.len);
    if (in->http->query.len &&
        percent_parse_query(a, in->http->query, true, &query, &in->n_query) != ERR_OK)
        return;
    in->route = &route;
    in->query = query;
    struct str type = wire_header_get(in->http, STR("content-type"));
    (void)serve_is_binary(api(), type);
    if (serve_check_params(a, route.method, in, &text) == ERR_OK &&
        serve_check_body(a, route.method, type, in->http->body, &text) == ERR_OK &&
        take_message(a, in, &message) && route.method->integration)
        map(a, route.method->integration, &message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct wire_header headers[HEADERS_MAX];
    struct wire_request http;
    struct serve_input in = {.http = &http};
    arena_init(&a, ARENA_MAX);
    if (read_request(str_n((const char *)data, size), headers, &http))
        serve(&a, &in);
    arena_release(&a);
    return 0;
}
