/* A server process under test. */
#ifndef WEIR_BENCH_PROCESS_H
#define WEIR_BENCH_PROCESS_H

#include "load.h"

struct process {
    struct load_target target;
    int out;          /* read end of its standard output */
    int64_t start_ns; /* just before the fork */
};

/* Starts `argv` (argv[0] a path) and waits for its "listening on http://ADDR:PORT" line. Its log
 * goes to `log_path`. ERR_IO; a sentence is on stderr. */
enum err process_start(struct process *p, char *const argv[], const char *log_path) WARN_UNUSED;
/* SIGTERM, then waits; SIGKILL after 20 s. */
void process_stop(struct process *p);

#endif
