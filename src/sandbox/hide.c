#include "sandbox/hide.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    STAT_TEXT_MAX = 2048,
    STAT_FIELD_STATE = 3, /* the first behind the name: the manual numbers from 1 */
    STAT_FIELD_ARG_START = 48,
    STAT_FIELD_ENV_END = 51,
};

/* The numbers of /proc/self/stat from `first` on. */
static bool read_stat(int first, uintptr_t *ret, int n)
{
    char text[STAT_TEXT_MAX];
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (len <= 0)
        return false;
    text[len] = 0;
    /* The name may hold anything, a parenthesis too; nothing behind it does. */
    char *p = strrchr(text, ')');
    for (int field = STAT_FIELD_STATE - 1; p && field < first; field++)
        p = strchr(p + 1, ' ');
    for (int i = 0; i < n; i++) {
        char *end = NULL;
        if (!p)
            return false;
        ret[i] = strtoull(p + 1, &end, 10);
        p = end != p + 1 && (*end == ' ' || *end == '\n') ? end : NULL;
    }
    return true;
}

enum err sandbox_hide_arguments(const char *name)
{
    enum { N = STAT_FIELD_ENV_END - STAT_FIELD_ARG_START + 1 };
    uintptr_t at[N];
    if (!read_stat(STAT_FIELD_ARG_START, at, N))
        return ERR_IO;
    for (int i = 0; i < N; i += 2) {
        if (at[i] == 0 || at[i + 1] < at[i])
            return ERR_IO;
        explicit_bzero((void *)at[i], at[i + 1] - at[i]);
    }
    size_t room = at[1] - at[0];
    if (room > 1)
        memcpy((void *)at[0], name, min_size(strlen(name), room - 1));
    return clearenv() == 0 ? ERR_OK : ERR_IO;
}
