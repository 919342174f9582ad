#include "main/exec.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "main/running.h"
#include "net/net.h"
#include "sandbox/guest.h"

__attribute__((format(printf, 1, 2))) static int complain(const char *format, ...)
{
    va_list args;
    fputs("weir exec: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return EXEC_FAILED;
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

/* Whatever names credentials already wins; elsewhere the operator's, as weir env prints them. */
static bool set_credentials(const struct running *r, const char *data_dir)
{
    static const char *const own[] = {"AWS_ACCESS_KEY_ID", "AWS_PROFILE",
                                      "AWS_SHARED_CREDENTIALS_FILE"};
    char path[PATH_MAX];
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (is_set(own[i]))
            return true;
    unsetenv("AWS_SESSION_TOKEN");
    if (r->dev_key)
        return setenv("AWS_ACCESS_KEY_ID", "test", 1) == 0 &&
               setenv("AWS_SECRET_ACCESS_KEY", "test", 1) == 0;
    return snprintf(path, sizeof(path), "%s/root-credentials", data_dir) < (int)sizeof(path) &&
           setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1) == 0;
}

/* Clients differ in which of the two they read. */
static bool set_region(const struct running *r)
{
    const char *region = is_set("AWS_REGION")           ? getenv("AWS_REGION")
                         : is_set("AWS_DEFAULT_REGION") ? getenv("AWS_DEFAULT_REGION")
                                                        : r->region;
    return setenv("AWS_REGION", region, !is_set("AWS_REGION")) == 0 &&
           setenv("AWS_DEFAULT_REGION", region, !is_set("AWS_DEFAULT_REGION")) == 0;
}

static int find(const char *data_dir, struct running *ret_running, struct guest_place *ret_place)
{
    struct str host;
    bool tls;
    struct guest_place place = {.data_dir = data_dir};
    enum err err = running_read(data_dir, ret_running);
    if (err == ERR_NOT_FOUND)
        return complain("nothing serves from %s: start weir serve, or name its folder with --data "
                        "or WEIR_DATA",
                        data_dir);
    if (err)
        return complain("cannot read %s/running: %s", data_dir,
                        err == ERR_IO ? strerror(errno) : err_name(err));
    if (strcmp(ret_running->network, "world") != 0 && strcmp(ret_running->network, "none") != 0)
        return complain("functions of the Weir that serves from %s share the host's network, so "
                        "there is none to run a command in: --function-network=host was asked for, "
                        "or its log says what the host refused",
                        data_dir);
    place.net.world = strcmp(ret_running->network, "world") == 0;
    if (net_split_url(str_c(ret_running->endpoint), &host, &place.net.endpoint_port, &tls) !=
        ERR_OK)
        return complain("%s/running names no endpoint", data_dir);
    if (!net_parse_address(host, place.net.endpoint_port, &place.net.endpoint))
        place.net.endpoint.ss_family = AF_UNSPEC;
    *ret_place = place;
    return 0;
}

int exec_command(const char *data_dir, char **argv)
{
    char folder[PATH_MAX], why[GUEST_WHY_MAX] = "";
    struct running r;
    struct guest_place place;
    /* A folder that is not there serves nobody either. */
    int code = find(realpath(data_dir, folder) ? folder : data_dir, &r, &place);
    if (code)
        return code;
    if (!sandbox_guest_enter(&place, why))
        return complain("%s", why);
    if (!set_credentials(&r, folder) || !set_region(&r))
        return complain("cannot set the environment: %s", strerror(errno));
    execvp(argv[0], argv);
    int failed = errno;
    complain("%s: %s", argv[0], strerror(failed));
    return failed == ENOENT ? EXEC_NOT_FOUND : EXEC_NOT_EXECUTABLE;
}
