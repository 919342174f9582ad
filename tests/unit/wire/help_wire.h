/* Requests written as text, routed and decoded against the tables of every service. */
#ifndef WEIR_TESTS_HELP_WIRE_H
#define WEIR_TESTS_HELP_WIRE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "all_services.h"
#include "wire/wire.h"

extern const struct wire_service *const all_services[];
extern const size_t n_all_services;

struct exchange {
    struct arena arena;
    struct wire_request req;
    struct wire_routed routed;
    struct wire_fault fault;
    void *in;
    struct wire_reply reply;
};

/* "POST /path?query\nHeader: value\n\nbody" to a request in the arena. Without the empty line the
 * body is not read. */
void exchange_parse(struct exchange *x, const char *text);
/* The same of any bytes. */
void exchange_parse_n(struct exchange *x, struct str text);
/* Parses and routes; `scope` NULL: unsigned. */
void exchange_route(struct exchange *x, const char *scope, const char *text);
/* And decodes, into x->in or x->fault. */
enum err exchange_decode(struct exchange *x, const char *scope, const char *text);
/* Encodes x->routed's success with request id "RID" and host id "HID". */
void exchange_encode(struct exchange *x, const void *out);
void exchange_fail(struct exchange *x, const struct wire_error *error, const char *message);
/* Reply header or "". NUL-terminated. */
const char *exchange_header(struct exchange *x, const char *name);
const char *exchange_body(struct exchange *x);
void exchange_release(struct exchange *x);

/* Every present member of a struct that the tables describe: {Name:value,List:[..],Map:{k:v}}.
 * Blobs as text, timestamps in milliseconds. NUL-terminated. */
const char *dump(struct exchange *x, const struct wire_shape *shape, const void *v);

/* NUL-terminated copy, "(absent)" for an absent one. */
const char *cstr(struct exchange *x, struct str s);

#endif
