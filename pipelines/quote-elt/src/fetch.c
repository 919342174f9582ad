/* See fetch.h. Layer: pipeline. */
#include "fetch.h"

#include <curl/curl.h>
#include <poll.h>

#include "shared.h"

/* The header's checking macros name the functions; these are pointers to them. */
#undef curl_easy_setopt
#undef curl_easy_getinfo
static struct {
    CURL *(*init)(void);
    CURLcode (*setopt)(CURL *handle, CURLoption option, ...);
    CURLcode (*perform)(CURL *handle);
    CURLcode (*getinfo)(CURL *handle, CURLINFO info, ...);
    const char *(*strerror)(CURLcode code);
    void (*cleanup)(CURL *handle);
} curl;

static enum err load(struct arena *a, struct str *ret_why)
{
    const struct shared_symbol symbols[] = {
        {"curl_easy_init", &curl.init},         {"curl_easy_setopt", &curl.setopt},
        {"curl_easy_perform", &curl.perform},   {"curl_easy_getinfo", &curl.getinfo},
        {"curl_easy_strerror", &curl.strerror}, {"curl_easy_cleanup", &curl.cleanup},
    };
    if (curl.cleanup) /* the last: all are there */
        return ERR_OK;
    return shared_open(a, "libcurl.so.4", symbols, ARRAY_LEN(symbols), ret_why);
}

/* libcurl's write callback: taking less than all ends the transfer. */
static size_t receive(char *p, size_t size, size_t n, void *arg)
{
    struct buf *body = arg;
    buf_add(body, p, size * n);
    return buf_err(body) == ERR_OK ? size * n : 0;
}

static bool set_up(CURL *handle, const char *url, struct buf *body)
{
    return curl.setopt(handle, CURLOPT_URL, url) == CURLE_OK &&
           curl.setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl.setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl.setopt(handle, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK &&
           curl.setopt(handle, CURLOPT_MAXREDIRS, (long)FETCH_REDIRECTS_MAX) == CURLE_OK &&
           curl.setopt(handle, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl.setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_TIMEOUT_MS) ==
               CURLE_OK &&
           curl.setopt(handle, CURLOPT_TIMEOUT_MS, (long)FETCH_TIMEOUT_MS) == CURLE_OK &&
           curl.setopt(handle, CURLOPT_USERAGENT, "quote-elt") == CURLE_OK &&
           curl.setopt(handle, CURLOPT_WRITEFUNCTION, receive) == CURLE_OK &&
           curl.setopt(handle, CURLOPT_WRITEDATA, body) == CURLE_OK;
}

/* One try; *ret_again says whether another may do better. */
static enum err attempt(struct arena *a, CURL *handle, const char *url, struct buf *body,
                        bool *ret_again, struct str *ret_why)
{
    long status = 0;
    buf_clear(body);
    if (!set_up(handle, url, body))
        return ERR_NOMEM;
    CURLcode code = curl.perform(handle);
    *ret_again = code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT ||
                 code == CURLE_OPERATION_TIMEDOUT || code == CURLE_GOT_NOTHING ||
                 code == CURLE_RECV_ERROR || code == CURLE_PARTIAL_FILE;
    if (buf_err(body) == ERR_LIMIT) {
        *ret_why = str_fmt(a, "its answer is longer than %d bytes", FETCH_BYTES_MAX);
        return ERR_FAILED;
    }
    if (code != CURLE_OK) {
        *ret_why = str_dup(a, str_c(curl.strerror(code)));
        return ERR_FAILED;
    }
    (void)curl.getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200)
        return ERR_OK;
    *ret_again = status == 429 || status >= 500;
    *ret_why = str_fmt(a, "it answered with status %ld", status);
    return ERR_FAILED;
}

enum err fetch_get(struct arena *a, const char *url, struct buf *body, struct str *ret_why)
{
    enum err err = ERR_FAILED;
    bool again = true;
    TRY(load(a, ret_why));
    CURL *handle = curl.init();
    if (!handle)
        return ERR_NOMEM;
    for (int tries = 0; tries < FETCH_TRIES_MAX && err != ERR_OK && again; tries++) {
        if (tries)
            (void)poll(NULL, 0, FETCH_PAUSE_MS << (tries - 1));
        again = false;
        err = attempt(a, handle, url, body, &again, ret_why);
    }
    curl.cleanup(handle);
    return err;
}
