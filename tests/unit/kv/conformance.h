/* The promises of kv.h as tests, run unchanged on every driver. */
#ifndef TESTS_KV_CONFORMANCE_H
#define TESTS_KV_CONFORMANCE_H

#include "kv/kv.h"

struct conformance_driver {
    const char *name;
    struct kv *(*open_new)(void); /* an empty store */
    struct kv *(*reopen)(void);   /* after kv_close: the same store again */
    void (*wipe)(void);           /* after kv_close: removes it */
};

/* Runs the suite; the result is main's. */
int conformance_run(const struct conformance_driver *driver);

#endif
