/* Who the command line is. Sources: the AWS SDKs and Tools reference guide, "Shared config and credentials
 * files", "Environment variables". Layer: cli. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/sys.h"
#include "cli/aws.h"
#include "cli/file.h"

static struct str variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? str_c(value) : STR_NONE;
}

enum err aws_keys_read(struct arena *a, struct str text, struct str profile,
                       struct aws_keys *ret_keys)
{
    struct aws_keys keys = {0};
    bool here = false;
    while (str_is_set(text)) {
        struct str value = str_trim(str_cut(&text, '\n'));
        if (value.len > 2 && value.p[0] == '[') {
            here = str_eq(str_trim(str_n(value.p + 1, value.len - 2)), profile);
            continue;
        }
        struct str name = str_trim(str_cut(&value, '='));
        struct str *to = str_eq_c(name, "aws_access_key_id")       ? &keys.access_key
                         : str_eq_c(name, "aws_secret_access_key") ? &keys.secret
                         : str_eq_c(name, "aws_session_token")     ? &keys.session_token
                                                                   : NULL;
        if (here && to && str_is_set(value))
            *to = str_dup(a, str_trim(value));
    }
    if (!str_is_set(keys.access_key) || !str_is_set(keys.secret))
        return a->failed ? ERR_NOMEM : ERR_NOT_FOUND;
    *ret_keys = keys;
    return ERR_OK;
}

static enum err from_file(struct aws *aws, const char *path)
{
    struct str text, profile = variable("AWS_PROFILE");
    if (!str_is_set(profile))
        profile = STR("default");
    enum err err = file_read(aws->arena, path, AWS_FILE_BYTES_MAX, &text);
    if (!err)
        err = aws_keys_read(aws->arena, text, profile, &aws->keys);
    if (err && err != ERR_NOMEM)
        aws_say(
            aws,
            "no credentials: AWS_ACCESS_KEY_ID is not set, and %s has no keys of profile " STR_FMT,
            path, STR_ARG(profile));
    return err == ERR_IO ? ERR_NOT_FOUND : err;
}

static enum err from_profile(struct aws *aws)
{
    struct str file = variable("AWS_SHARED_CREDENTIALS_FILE"), home = variable("HOME");
    if (!str_is_set(file))
        file = str_fmt(aws->arena, STR_FMT "/.aws/credentials", STR_ARG(home));
    return str_is_set(file) ? from_file(aws, file.p) : ERR_NOMEM;
}

enum err aws_keys_find(struct aws *aws, const struct aws_where *where)
{
    struct str key = variable("AWS_ACCESS_KEY_ID"), secret = variable("AWS_SECRET_ACCESS_KEY");
    if (str_is_set(key) && str_is_set(secret)) {
        aws->keys = (struct aws_keys){key, secret, variable("AWS_SESSION_TOKEN")};
        return ERR_OK;
    }
    if (str_is_set(variable("AWS_PROFILE")) ||
        str_is_set(variable("AWS_SHARED_CREDENTIALS_FILE")) || !aws->is_local)
        return from_profile(aws);
    /* Not the default profile: its keys are those of a cloud, which a Weir of this machine does not know. */
    if (where->local_credentials)
        return from_file(aws, where->local_credentials);
    aws->keys = (struct aws_keys){STR("test"), STR("test"), STR_NONE};
    return ERR_OK;
}
