/* Comma-separated values (RFC 4180) over bytes in memory: records of fields, with line numbers.
 *
 * Accepts LF and CRLF ends, a UTF-8 byte order mark, quoted fields with doubled quotes and line
 * ends inside, a last record without an end. Whatever else is malformed is told record by record,
 * and reading goes on after it.
 *
 * Layer: pipeline, pure. Fields borrow from the text, or from the arena where a quote was doubled.
 */
#ifndef ORDERS_CSV_H
#define ORDERS_CSV_H

#include "base/str.h"

enum {
    CSV_FIELDS_MAX = 32,
    CSV_FIELD_BYTES_MAX = 512,
};

struct csv {
    struct str rest;
    struct arena *arena;
    uint64_t line; /* of the next record's first byte, from 1 */
};

struct csv_record {
    struct str fields[CSV_FIELDS_MAX];
    size_t n;
    uint64_t line;     /* where it starts */
    const char *fault; /* NULL, or why the record is malformed (static text) */
};

void csv_init(struct csv *csv, struct arena *arena, struct str text);
/* The next record that is not an empty line. False at the end. A record with a fault has no usable
 * fields. */
bool csv_next(struct csv *csv, struct csv_record *ret_record);

#endif
