/* Answers of Lambda authorizers, and claims of tokens.
 *
 * Source: API Gateway Developer Guide, "Output from an API Gateway Lambda authorizer". */
#include <time.h>

#include "svc/apigateway/auth_int.h"

enum { MEMBERS_MAX = 1000 };

static enum err text_node(struct arena *a, struct str key, struct str text, struct json ***tail,
                          struct json *parent)
{
    struct json *node = ARENA_NEW(a, struct json);
    if (!node || !str_is_set(text))
        return ERR_NOMEM;
    *node = (struct json){.kind = JSON_STRING, .key = key, .text = text};
    **tail = node;
    *tail = &node->next;
    parent->n++;
    return ERR_OK;
}

/* --- answers ---------------------------------------------------------------------------------- */

/* Values of the context are texts, numbers and booleans; all become text. */
static enum err put_context(struct arena *a, const struct json *context, struct json *object,
                            struct json ***tail, const char **ret_why)
{
    if (context && context->kind != JSON_OBJECT && context->kind != JSON_NULL) {
        *ret_why = "context is no object";
        return ERR_INVALID;
    }
    if (context && context->n > MEMBERS_MAX) {
        *ret_why = "context is too large";
        return ERR_INVALID;
    }
    JSON_EACH (context, it) {
        if (it->kind == JSON_ARRAY || it->kind == JSON_OBJECT) {
            *ret_why = "a value of context is an object or a list";
            return ERR_INVALID;
        }
        if (it->kind == JSON_NULL)
            continue;
        struct str text = it->kind == JSON_BOOL ? (it->b ? STR("true") : STR("false")) : it->text;
        TRY(text_node(a, it->key, text.p ? text : STR(""), tail, object));
    }
    return ERR_OK;
}

static enum err invalid(const char **ret_why, const char *why)
{
    *ret_why = why;
    return ERR_INVALID;
}

static enum err policy_text(struct arena *a, const struct json *policy, struct str *ret_text)
{
    struct buf b;
    buf_init_arena(&b, a, AUTH_EVENT_MAX);
    json_put(&b, policy);
    *ret_text = buf_str(&b);
    return buf_err(&b);
}

enum err auth_answer_read(struct arena *a, struct str json, struct auth_answer *ret_answer,
                          const char **ret_why)
{
    struct json *root;
    struct auth_answer answer = {0};
    enum err err = json_parse(a, json, &root, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (err != ERR_OK || root->kind != JSON_OBJECT)
        return invalid(ret_why, "the answer is no object");
    const struct json *policy = json_get(root, STR("policyDocument"));
    answer.principal_id = json_get_str(root, STR("principalId"));
    answer.usage_key = json_get_str(root, STR("usageIdentifierKey"));
    if (!str_is_set(answer.principal_id))
        return invalid(ret_why, "principalId is missing");
    if (!policy || policy->kind != JSON_OBJECT)
        return invalid(ret_why, "policyDocument is missing");
    TRY(policy_text(a, policy, &answer.policy));
    struct json *object = ARENA_NEW(a, struct json);
    if (!object)
        return ERR_NOMEM;
    object->kind = JSON_OBJECT;
    struct json **tail = &object->child;
    TRY(put_context(a, json_get(root, STR("context")), object, &tail, ret_why));
    TRY(text_node(a, STR("principalId"), answer.principal_id, &tail, object));
    answer.authorizer = object;
    *ret_answer = answer;
    return ERR_OK;
}

/* --- claims ----------------------------------------------------------------------------------- */

/* Lists of names with commas between, as cognito:groups is shown. */
static struct str listed(struct arena *a, const struct json *list)
{
    struct buf b;
    buf_init_arena(&b, a, AUTH_CONTEXT_MAX);
    JSON_EACH (list, it) {
        if (it != list->child)
            buf_add_byte(&b, ',');
        if (it->kind == JSON_STRING)
            buf_add_str(&b, it->text);
        else
            json_put(&b, it);
    }
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}

/* Times of the claims exp and iat are shown as Java's Date does. */
static struct str date(struct arena *a, const struct json *v)
{
    char text[64];
    int64_t s;
    struct tm tm;
    if (json_to_i64(v, &s) != ERR_OK || !gmtime_r(&(time_t){(time_t)s}, &tm))
        return v->text;
    size_t n = strftime(text, sizeof(text), "%a %b %d %H:%M:%S UTC %Y", &tm);
    return str_dup(a, str_n(text, n));
}

static struct str claim_text(struct arena *a, const struct json *v)
{
    struct buf b;
    bool is_time = str_eq_c(v->key, "exp") || str_eq_c(v->key, "iat");
    if (v->kind == JSON_NUMBER && is_time)
        return date(a, v);
    if (v->kind == JSON_ARRAY)
        return listed(a, v);
    if (v->kind == JSON_STRING)
        return v->text.p ? v->text : STR("");
    buf_init_arena(&b, a, AUTH_CONTEXT_MAX);
    json_put(&b, v);
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}

enum err auth_claims(struct arena *a, const struct json *claims, const struct json **ret_authorizer)
{
    struct json *object = ARENA_NEW(a, struct json), *inner = ARENA_NEW(a, struct json);
    if (!object || !inner)
        return ERR_NOMEM;
    *object = (struct json){.kind = JSON_OBJECT, .n = 1, .child = inner};
    *inner = (struct json){.kind = JSON_OBJECT, .key = STR("claims")};
    struct json **tail = &inner->child;
    JSON_EACH (claims, it)
        TRY(text_node(a, it->key, claim_text(a, it), &tail, inner));
    *ret_authorizer = object;
    return ERR_OK;
}
