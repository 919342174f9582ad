/* What the operations of the tagging API share. Layer: svc. */
#ifndef WEIR_SVC_TAGGING_INT_H
#define WEIR_SVC_TAGGING_INT_H

#include "svc/tagging/tagging.h"
#include "tagging_api.h"

enum {
    TAGGING_PAGE_DEFAULT = 50,
    TAGGING_PAGE_MAX = 100,
    TAGGING_PAGE_TAGS_MAX = 500, /* TagsPerPage: 100 to 500 in hundreds */
    TAGGING_SCAN_MAX = 10000,    /* resources looked at for one page of any listing */
};

/* A page's token is the last ARN that was looked at, in base64. */
/* *ret_after: STR_NONE for the first page. The service's error for what is no token of ours. */
enum err tagging_token_read(struct call *call, struct str token, struct str *ret_after) WARN_UNUSED;
/* `last` absent: there is no further page, and the token is empty, as AWS gives it. ERR_NOMEM. */
enum err tagging_token_make(struct call *call, struct str last, struct str *ret_token) WARN_UNUSED;

#endif
