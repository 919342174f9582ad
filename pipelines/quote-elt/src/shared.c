/* See shared.h. Layer: pipeline. */
#include "shared.h"

#include <dlfcn.h>

static enum err fail(struct arena *a, struct str *ret_why)
{
    const char *text = dlerror();
    *ret_why = str_dup(a, str_c(text ? text : "a library that has it not"));
    return ERR_NOT_FOUND;
}

enum err shared_open(struct arena *a, const char *library, const struct shared_symbol *symbols,
                     size_t n, struct str *ret_why)
{
    void *opened = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    if (!opened)
        return fail(a, ret_why);
    for (size_t i = 0; i < n; i++) {
        void *address = dlsym(opened, symbols[i].name);
        if (!address)
            return fail(a, ret_why);
        memcpy(symbols[i].to, &address, sizeof address);
    }
    return ERR_OK;
}
