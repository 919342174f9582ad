/* What fetch*.c share. See fetch.h. */
#ifndef WEIR_FETCH_FETCH_INT_H
#define WEIR_FETCH_FETCH_INT_H

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "fetch/fetch.h"

#define FETCH_SYMBOLS(X)                                                                           \
    X(curl_global_init)                                                                            \
    X(curl_easy_init)                                                                              \
    X(curl_easy_setopt)                                                                            \
    X(curl_easy_getinfo)                                                                           \
    X(curl_easy_pause)                                                                             \
    X(curl_easy_strerror)                                                                          \
    X(curl_easy_cleanup)                                                                           \
    X(curl_slist_append)                                                                           \
    X(curl_slist_free_all)                                                                         \
    X(curl_multi_init)                                                                             \
    X(curl_multi_setopt)                                                                           \
    X(curl_multi_add_handle)                                                                       \
    X(curl_multi_remove_handle)                                                                    \
    X(curl_multi_socket_action)                                                                    \
    X(curl_multi_info_read)                                                                        \
    X(curl_multi_assign)                                                                           \
    X(curl_multi_cleanup)

/* libcurl's functions, under their own names without "curl_" being linked. */
struct fetch_curl {
    void *library; /* NULL: not loaded */
#define X(name) __typeof__(&name) name##_;
    FETCH_SYMBOLS(X)
#undef X
};

/* Loads it once; stays loaded for the process's life. ERR_UNSUPPORTED, ERR_IO. */
enum err fetch_curl_load(struct fetch_curl *c) WARN_UNUSED;
/* FE4. ERR_INVALID, ERR_LIMIT. */
enum err fetch_check(const struct fetch_call *call) WARN_UNUSED;

#endif
