#include "main/runtime.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sandbox/runtimes.h"
#include "sandbox/sandbox.h"

static void print(void *arg, const struct runtime_found *found)
{
    printf("%-12s %-10s %-18s %s\n", found->name, found->version, found->from, found->path);
}

int runtime_list(const char *data_dir)
{
    const struct runtime_places places = {.data_dir = str_c(data_dir)};
    printf("%-12s %-10s %-18s %s\n", "provided.*", "-", "the package", "bootstrap");
    sandbox_runtimes_each(&places, print, NULL);
    return 0;
}

int runtime_add(const char *data_dir, const char *name)
{
    char dir[BOX_PATH_MAX], script[PATH_MAX], to[PATH_MAX];
    sandbox_runtime_dir(dir, sizeof dir);
    (void)snprintf(script, sizeof script, "%s/add.sh", dir);
    (void)snprintf(to, sizeof to, "%s/runtimes", data_dir);
    if (!dir[0] || access(script, R_OK) != 0) {
        fprintf(stderr, "weir: the runtime folder with add.sh was not found beside the binary; set "
                        "WEIR_RUNTIME_DIR\n");
        return 1;
    }
    execl("/bin/sh", "sh", script, name, to, (char *)NULL);
    perror("weir: /bin/sh");
    return 1;
}
