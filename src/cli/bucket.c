#include "cli/bucket.h"

#include "codec/percent.h"

static enum err refused(struct aws *aws, struct str bucket, const struct aws_answer *answer)
{
    aws_say(aws, "bucket " STR_FMT ": " STR_FMT " (%d " STR_FMT ")", STR_ARG(bucket),
            STR_ARG(answer->message), answer->status, STR_ARG(answer->code));
    return ERR_FAILED;
}

static enum err drop(struct aws *aws, struct arena *a, struct str bucket, const struct xml *version)
{
    struct aws_answer answer;
    struct aws_request request = {.service = AWS_S3, .method = "DELETE"};
    struct str key = percent_encode(a, xml_get_str(version, STR("Key")), true);
    struct str id = percent_encode(a, xml_get_str(version, STR("VersionId")), false);
    request.path = str_fmt(a, "/" STR_FMT "/" STR_FMT "?versionId=" STR_FMT, STR_ARG(bucket),
                           STR_ARG(key), STR_ARG(id));
    if (a->failed)
        return ERR_NOMEM;
    TRY(aws_send(aws, a, &request, &answer));
    return answer.status < 300 || answer.status == 404 ? ERR_OK : refused(aws, bucket, &answer);
}

/* Drops a page of versions and delete markers; *ret_more: there may be others. */
static enum err drop_page(struct aws *aws, struct arena *a, struct str bucket, bool *ret_more)
{
    struct aws_answer answer;
    struct aws_request request = {.service = AWS_S3, .method = "GET"};
    request.path = str_fmt(a, "/" STR_FMT "?versions=", STR_ARG(bucket));
    *ret_more = false;
    if (a->failed)
        return ERR_NOMEM;
    TRY(aws_send(aws, a, &request, &answer));
    if (answer.status == 404)
        return ERR_OK;
    if (answer.status != 200)
        return refused(aws, bucket, &answer);
    XML_EACH(answer.xml, m)
    {
        if (!str_eq_c(m->name, "Version") && !str_eq_c(m->name, "DeleteMarker"))
            continue;
        TRY(drop(aws, a, bucket, m));
        *ret_more = true;
    }
    return ERR_OK;
}

enum err bucket_empty(struct aws *aws, struct str bucket)
{
    enum err err = ERR_OK;
    for (bool more = true; more && !err;) {
        struct arena a;
        arena_init(&a, 64 * ASK_REPLY_MAX); /* a page, and an answer for each of its objects */
        err = drop_page(aws, &a, bucket, &more);
        arena_release(&a);
    }
    return err;
}

enum err bucket_remove(struct aws *aws, struct str bucket, bool *ret_was_there)
{
    struct aws_answer answer;
    struct aws_request request = {.service = AWS_S3, .method = "DELETE"};
    *ret_was_there = false;
    TRY(bucket_empty(aws, bucket));
    request.path = str_fmt(aws->arena, "/" STR_FMT, STR_ARG(bucket));
    if (!str_is_set(request.path))
        return ERR_NOMEM;
    TRY(aws_send(aws, aws->arena, &request, &answer));
    if (answer.status >= 300 && answer.status != 404)
        return refused(aws, bucket, &answer);
    *ret_was_there = answer.status < 300;
    return ERR_OK;
}
