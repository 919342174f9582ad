/* The composition root: commands, configuration, and the one place that names every service and
 * driver. */
#ifndef WEIR_MAIN_MAIN_H
#define WEIR_MAIN_MAIN_H

#include "base/str.h"
#include "cli/options.h"

struct serve_options {
    char **argv;            /* of the process, for a restart in place */
    const char *listen;     /* ADDR:PORT */
    const char *data;       /* folder */
    const char *endpoint;   /* URL that functions and queue URLs are told; NULL: from listen */
    const char *url_suffix; /* AWS::URLSuffix */
    const char *tls_cert, *tls_key;
    const char *region;
    const char *account;
    const char *log_level;
    bool require_isolation, allow_unisolated;
    const char *function_network; /* world, none or host */
    const char *function_aws;     /* weir or real */
    struct option_list runtimes;  /* NAME=PATH */
    bool runtime_substitutes;
    const char *allow_hosts, *allow_origins; /* lists with commas; NULL: none */
    bool no_dev_key;
    bool insecure_network;
    bool outgoing_loopback;
    int64_t threads;   /* event loops; 0: one a core */
    int64_t cache_mib; /* of the store's blocks; 0: an eighth of the machine's memory */
    int64_t calls_max;
    int64_t connections_max;
    int64_t queue_reuse_wait_s;  /* how long the name of a deleted queue is held */
    int64_t async_retry_base_ms; /* pause before the first retry of an asynchronous invocation */
};

/* Runs until SIGTERM or SIGINT. Exit code. */
int serve(const struct serve_options *options);

#endif
