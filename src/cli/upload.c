#include "cli/upload.h"

#include "cli/bucket.h"

void upload_init(struct upload *u, struct aws *aws, const char *bucket, FILE *out)
{
    *u = (struct upload){.aws = aws, .out = out};
    u->store = (struct package_store){.put = upload_put, .arg = u, .bucket = str_c(bucket)};
}

static enum err name_by_account(struct upload *u)
{
    struct aws *aws = u->aws;
    struct aws_form form;
    struct aws_answer answer;
    const struct xml *result;
    aws_form_init(&form, aws->arena, STR("GetCallerIdentity"));
    TRY(aws_call(aws, aws->arena, AWS_STS, &form, &answer, &result));
    struct str account = xml_get_str(result, STR("Account"));
    if (str_empty(account)) {
        aws_say(aws, STR_FMT " does not say which account this is", STR_ARG(aws->urls[AWS_STS]));
        return ERR_FAILED;
    }
    u->store.bucket = str_fmt(aws->arena, "weir-deploy-" STR_FMT "-" STR_FMT, STR_ARG(account),
                              STR_ARG(aws->region));
    return str_is_set(u->store.bucket) ? ERR_OK : ERR_NOMEM;
}

static enum err find_bucket(struct upload *u)
{
    if (!str_is_set(u->store.bucket))
        TRY(name_by_account(u));
    if (!str_is_set(u->store.url))
        u->store.url = str_fmt(u->aws->arena, STR_FMT "/" STR_FMT, STR_ARG(u->aws->urls[AWS_S3]),
                               STR_ARG(u->store.bucket));
    return str_is_set(u->store.url) ? ERR_OK : ERR_NOMEM;
}

enum err upload_remove(struct upload *u)
{
    bool was_there;
    TRY(find_bucket(u));
    TRY(bucket_remove(u->aws, u->store.bucket, &was_there));
    if (was_there)
        fprintf(u->out, "removed the deployment bucket " STR_FMT "\n", STR_ARG(u->store.bucket));
    return ERR_OK;
}

/* A refusal of S3 in one sentence. */
static enum err refused(struct upload *u, const char *what, const struct aws_answer *answer)
{
    aws_say(u->aws, "%s the deployment bucket " STR_FMT ": " STR_FMT " (%d " STR_FMT ")", what,
            STR_ARG(u->store.bucket), STR_ARG(answer->message), answer->status,
            STR_ARG(answer->code));
    return ERR_FAILED;
}

static enum err make_bucket(struct upload *u, struct arena *a)
{
    struct aws_answer answer;
    struct aws_request request = {.service = AWS_S3, .method = "PUT", .body = STR("")};
    request.path = str_fmt(a, "/" STR_FMT, STR_ARG(u->store.bucket));
    if (!str_eq_c(u->aws->region, "us-east-1"))
        request.body = str_fmt(
            a,
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<LocationConstraint>" STR_FMT "</LocationConstraint></CreateBucketConfiguration>",
            STR_ARG(u->aws->region));
    if (a->failed)
        return ERR_NOMEM;
    TRY(aws_send(u->aws, a, &request, &answer));
    if (answer.status != 200 && !str_eq_c(answer.code, "BucketAlreadyOwnedByYou"))
        return refused(u, "cannot make", &answer);
    return ERR_OK;
}

static void tell(struct upload *u, struct str what, struct str bytes)
{
    u->sent++;
    fprintf(u->out, "uploaded " STR_FMT " (%zu KiB)\n", STR_ARG(what), (bytes.len + 1023) / 1024);
}

static enum err put_in(struct upload *u, struct arena *a, struct str what, struct str key,
                       struct str bytes)
{
    struct aws_answer answer;
    struct aws_request request = {.service = AWS_S3, .method = "HEAD"};
    request.path = str_fmt(a, "/" STR_FMT "/" STR_FMT, STR_ARG(u->store.bucket), STR_ARG(key));
    if (!str_is_set(request.path))
        return ERR_NOMEM;
    TRY(aws_send(u->aws, a, &request, &answer));
    if (answer.status == 200) {
        u->kept++;
        return ERR_OK;
    }
    if (answer.status != 404)
        return refused(u, "cannot look into", &answer);
    request.method = "PUT";
    request.type = STR("application/octet-stream");
    request.body = bytes;
    TRY(aws_send(u->aws, a, &request, &answer));
    if (str_eq_c(answer.code, "NoSuchBucket")) {
        TRY(make_bucket(u, a));
        TRY(aws_send(u->aws, a, &request, &answer));
    }
    if (answer.status != 200)
        return refused(u, "cannot put something into", &answer);
    tell(u, what, bytes);
    return ERR_OK;
}

enum err upload_put(void *arg, struct str what, struct str key, struct str bytes)
{
    struct upload *u = arg;
    struct arena a;
    TRY(find_bucket(u));
    arena_init(&a, 2 * ASK_REPLY_MAX);
    enum err err = put_in(u, &a, what, key, bytes);
    arena_release(&a);
    return err;
}
