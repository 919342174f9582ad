#include "cli/aws.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/sigv4.h"
#include "base/clock.h"
#include "codec/percent.h"

/* Scope of signatures, variable of its endpoint, version of its API. */
static const struct service {
    const char *name, *variable, *version;
} services[AWS_SERVICES] = {
    [AWS_CLOUDFORMATION] = {"cloudformation", "AWS_ENDPOINT_URL_CLOUDFORMATION", "2010-05-15"},
    [AWS_S3] = {"s3", "AWS_ENDPOINT_URL_S3", NULL},
    [AWS_STS] = {"sts", "AWS_ENDPOINT_URL_STS", "2011-06-15"},
};

static const char default_endpoint[] = "http://127.0.0.1:4566";
static const char default_region[] = "us-east-1";

void aws_say(struct aws *aws, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(aws->why, sizeof(aws->why), fmt, ap);
    va_end(ap);
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* --- where ------------------------------------------------------------------------------------- */

static struct str url_of(const struct aws *aws, const struct aws_where *where,
                         const struct service *s)
{
    const char *told = where->endpoint;
    if (!told)
        told = variable(s->variable);
    if (!told)
        told = variable("AWS_ENDPOINT_URL");
    if (!told)
        told = where->local ? where->local : default_endpoint;
    if (aws->is_aws)
        return str_fmt(aws->arena, "https://%s." STR_FMT ".amazonaws.com", s->name,
                       STR_ARG(aws->region));
    struct str url = str_fmt(aws->arena, "%s%s", strstr(told, "://") ? "" : "http://", told);
    while (url.len && url.p[url.len - 1] == '/')
        url.len--;
    return url;
}

/* The scheme's own port where the URL names none. */
static enum err place_of(struct aws *aws, struct str url, struct ask_at *ret_at)
{
    bool tls = str_starts(url, STR("https://"));
    struct str rest = str_sub(url, tls ? 8 : 7, SIZE_MAX);
    size_t bracket = str_rfind(rest, ']'), colon = str_rfind(rest, ':');
    bool has_port = colon != SIZE_MAX && (bracket == SIZE_MAX || colon > bracket);
    struct str full =
        has_port ? url : str_fmt(aws->arena, STR_FMT ":%d", STR_ARG(url), tls ? 443 : 80);
    if (!str_is_set(full))
        return ERR_NOMEM;
    if (ask_at_parse(full, ret_at) == ERR_OK && !strchr(ret_at->host, ':') == (bracket == SIZE_MAX))
        return ERR_OK;
    aws_say(aws, "the endpoint must look like http://127.0.0.1:4566, not '" STR_FMT "'",
            STR_ARG(url));
    return ERR_INVALID;
}

static bool is_loopback(const struct ask_at *at)
{
    struct str host = str_c(at->host);
    return str_eq_c(host, "localhost") || str_eq_c(host, "::1") || str_starts(host, STR("127.")) ||
           str_ends(host, STR(".localhost"));
}

static struct str region_of(const struct aws_where *where)
{
    const char *told = where->region;
    if (!told)
        told = variable("AWS_REGION");
    if (!told)
        told = variable("AWS_DEFAULT_REGION");
    if (!told)
        told = where->local_region;
    return str_c(told ? told : default_region);
}

enum err aws_open(struct aws *aws, struct arena *a, const struct aws_where *where)
{
    *aws = (struct aws){.arena = a, .region = region_of(where)};
    aws->is_aws = where->endpoint && strcmp(where->endpoint, "aws") == 0;
    for (int i = 0; i < AWS_SERVICES; i++) {
        aws->urls[i] = url_of(aws, where, &services[i]);
        if (!str_is_set(aws->urls[i]))
            return ERR_NOMEM;
        TRY(place_of(aws, aws->urls[i], &aws->at[i]));
    }
    const struct ask_at *at = &aws->at[AWS_CLOUDFORMATION];
    aws->is_local = is_loopback(at);
    aws->ca = variable("AWS_CA_BUNDLE");
    aws->verify = aws->ca || !aws->is_local;
    return ERR_OK;
}

/* --- calls ------------------------------------------------------------------------------------- */

/* Adds what a signature needs to the `n` fields; gives how many there are then. */
static enum err sign(const struct aws *aws, struct arena *a, const struct aws_request *r,
                     struct ask_field *fields, size_t *n)
{
    char host[ASK_AUTHORITY_MAX];
    struct sigv4_header all[2], add[SIGV4_SIGN_HEADERS];
    size_t n_add = 0, question = str_find(r->path, '?');
    ask_authority(&aws->at[r->service], host);
    all[0] = (struct sigv4_header){STR("host"), str_c(host)};
    if (*n)
        all[1] = (struct sigv4_header){STR("content-type"), fields[0].value};
    const struct sigv4_http http = {
        .method = str_c(r->method),
        .path = str_sub(r->path, 0, question),
        .query = question == SIZE_MAX ? STR_NONE : str_sub(r->path, question + 1, SIZE_MAX),
        .headers = all,
        .n_headers = 1 + *n,
    };
    const struct sigv4_sign how = {
        .access_key = aws->keys.access_key,
        .secret = aws->keys.secret,
        .session_token = aws->keys.session_token,
        .region = aws->region,
        .service = str_c(services[r->service].name),
        .now_ms = clock_wall_ms(),
        .s3 = r->service == AWS_S3,
        .body = str_is_set(r->body) ? r->body : STR(""),
    };
    TRY(sigv4_sign(a, &http, &how, add, &n_add));
    for (size_t i = 0; i < n_add; i++)
        fields[(*n)++] = (struct ask_field){add[i].name, add[i].value};
    return ERR_OK;
}

static enum err unreachable(struct aws *aws, const struct aws_request *r, enum err err)
{
    const char *what = err == ERR_CLOSED    ? "nothing answers at"
                       : err == ERR_TIMEOUT ? "no answer in time from"
                       : err == ERR_DENIED
                           ? "not the right certificate (AWS_CA_BUNDLE says whose are trusted) at"
                           : "no HTTP at";
    if (err != ERR_NOMEM)
        aws_say(aws, "%s " STR_FMT, what, STR_ARG(aws->urls[r->service]));
    return err;
}

/* What an error document says: <Error> at the root, or below <ErrorResponse>. */
static void read_error(struct aws_answer *answer)
{
    const struct xml *error = answer->xml;
    if (error && !str_eq_c(error->name, "Error"))
        error = xml_get(error, STR("Error"));
    if (answer->status < 300 || !error)
        return;
    answer->code = xml_get_str(error, STR("Code"));
    answer->message = xml_get_str(error, STR("Message"));
}

static enum err exchange(const struct aws *aws, struct arena *a, const struct aws_request *r,
                         const struct ask_request *request, struct aws_answer *ret_answer)
{
    struct ask *ask = NULL;
    struct buf body;
    struct xml *xml = NULL;
    struct aws_answer answer = {0};
    buf_init_arena(&body, a, ASK_REPLY_MAX);
    enum err err = ask_send(&aws->at[r->service], request, &ask);
    if (!err)
        err = ask_head(ask, &answer.status);
    if (!err && strcmp(r->method, "HEAD") != 0)
        err = ask_body(ask, &body);
    ask_free(ask);
    TRY(err);
    answer.body = buf_str(&body);
    if (body.len && xml_parse(a, answer.body, &xml, NULL) == ERR_OK)
        answer.xml = xml;
    read_error(&answer);
    *ret_answer = answer;
    return a->failed ? ERR_NOMEM : ERR_OK;
}

enum err aws_send(struct aws *aws, struct arena *a, const struct aws_request *r,
                  struct aws_answer *ret_answer)
{
    struct ask_field fields[1 + SIGV4_SIGN_HEADERS];
    size_t n = 0;
    const char *path = str_cstr(a, r->path);
    if (str_is_set(r->type))
        fields[n++] = (struct ask_field){STR("Content-Type"), r->type};
    if (!path)
        return ERR_NOMEM;
    TRY(sign(aws, a, r, fields, &n));
    const struct ask_request request = {.method = r->method,
                                        .path = path,
                                        .fields = fields,
                                        .n_fields = n,
                                        .body = r->body,
                                        .verify = aws->verify,
                                        .ca = aws->ca};
    enum err err = exchange(aws, a, r, &request, ret_answer);
    return err ? unreachable(aws, r, err) : ERR_OK;
}

void aws_form_init(struct aws_form *form, struct arena *a, struct str action)
{
    buf_init_arena(&form->text, a, AWS_FORM_BYTES_MAX);
    buf_add_fmt(&form->text, "Action=" STR_FMT, STR_ARG(action));
}

void aws_field(struct aws_form *form, const char *name, struct str value)
{
    if (!str_is_set(value))
        return;
    buf_add_fmt(&form->text, "&%s=", name);
    percent_put(&form->text, value, false);
}

void aws_member(struct aws_form *form, const char *list, size_t index_from_1, const char *name,
                struct str value)
{
    char full[128];
    int n = snprintf(full, sizeof(full), "%s.member.%zu%s%s", list, index_from_1, *name ? "." : "",
                     name);
    assert(n < (int)sizeof(full)); /* all are literals */
    aws_field(form, full, value);
}

/* A server that starts or stops, or asks for patience: as good as none for the moment. */
static bool is_away(const struct aws_answer *answer)
{
    return answer->status >= 500 || str_starts(answer->code, STR("Throttling"));
}

enum err aws_call(struct aws *aws, struct arena *a, enum aws_service service,
                  const struct aws_form *form, struct aws_answer *ret_answer,
                  const struct xml **ret_result)
{
    struct buf body = form->text;
    buf_add_fmt(&body, "&Version=%s", services[service].version);
    TRY(buf_err(&body));
    const struct aws_request request = {.service = service,
                                        .method = "POST",
                                        .path = STR("/"),
                                        .type = STR("application/x-www-form-urlencoded"),
                                        .body = buf_str(&body)};
    TRY(aws_send(aws, a, &request, ret_answer));
    const struct aws_answer *answer = ret_answer;
    if (answer->status != 200 || !answer->xml) {
        if (str_is_set(answer->message))
            aws_say(aws, STR_FMT, STR_ARG(answer->message));
        else
            aws_say(aws, STR_FMT " answers %d" STR_FMT, STR_ARG(aws->urls[service]), answer->status,
                    STR_ARG(answer->code));
        return is_away(answer) ? ERR_CLOSED : ERR_FAILED;
    }
    *ret_result = answer->xml->child && str_ends(answer->xml->child->name, STR("Result"))
                      ? answer->xml->child
                      : answer->xml;
    return ERR_OK;
}
