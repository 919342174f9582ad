/* libcurl at first use (FE1). */
#include <dlfcn.h>

#include "fetch/fetch_int.h"

enum err fetch_curl_load(struct fetch_curl *c)
{
    if (c->library)
        return ERR_OK;
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return ERR_UNSUPPORTED;
#define X(name)                                                                                    \
    *(void **)&c->name##_ = dlsym(library, #name);                                                 \
    if (!c->name##_)                                                                               \
        goto bad;
    FETCH_SYMBOLS(X)
#undef X
    if (c->curl_global_init_(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        goto bad;
    c->library = library;
    return ERR_OK;
bad:
    dlclose(library);
    return ERR_UNSUPPORTED;
}
