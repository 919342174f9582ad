/* Quotes: as the API's documents have them, and as items of the raw table.
 *
 *   API               column          in DynamoDB
 *   _id               quote_id        S
 *   content           quote           S
 *   author            author          S    from here on what the document lacks, has as null or as
 *   authorSlug        author_slug     S    an empty text is no attribute
 *   tags              tags            L of S
 *   length            quote_length    N
 *   dateAdded         added_on        S    "2023-04-14"
 *   dateModified      modified_on     S
 *                     ingested_date   S    hash key, "2026-11-28"
 *                     ingested_at     S    range key, "2026-11-28T12:34:00.000Z"
 *
 * A document is one quote, or an array of them. It is taken whole or refused whole, with a sentence
 * that says what is wrong; members that are not listed are ignored.
 *
 * Layer: pipeline, pure. Texts live in the trees that were read. */
#ifndef QUOTES_QUOTE_H
#define QUOTES_QUOTE_H

#include "base/clock.h"
#include "codec/json.h"
#include "when.h"

enum {
    QUOTES_MAX = 100,          /* in a document: each is a millisecond of its ingested_at */
    QUOTE_TEXT_MAX = 8 * 1024, /* bytes of each text, so that an item stays below 400 KB */
    QUOTE_TAGS_MAX = 32,
    QUOTE_LENGTH_MAX = 1000000,
    QUOTES_DATE_LEN = 10, /* "2026-11-28" */
};

struct quote {
    struct str id, text;                                   /* always */
    struct str author, author_slug, added_on, modified_on; /* absent where there is none */
    struct str tags[QUOTE_TAGS_MAX];
    size_t n_tags;
    int64_t length; /* -1: none */
};

/* Reads a document. ERR_INVALID: *ret_why says what is wrong with it. ERR_NOMEM. */
enum err quotes_read(struct arena *a, struct str document, struct quote **ret_quotes, size_t *ret_n,
                     struct str *ret_why) WARN_UNUSED;

/* {"ingested_date":{"S":..},..}: the nth of its document, which was asked for at `at_ms`. */
void quote_put_item(struct json_out *o, const struct quote *quote, size_t nth, int64_t at_ms);

/* The quote of an item of the raw table. ERR_INVALID: it is none. */
enum err quote_of_item(const struct json *item, struct quote *ret_quote,
                       struct str *ret_ingested_at) WARN_UNUSED;

/* --- when: what the functions are told by their events --------------------------------------------
 * {"time":"2026-11-28T12:34:00Z"}, as the scheduler sends it, or nothing of the kind: now. */

/* The day to work on: `date` of the event, else the one before its time. ERR_INVALID. */
enum err event_date(const struct json *event, int64_t now_ms,
                    char ret_date[QUOTES_DATE_LEN + 1]) WARN_UNUSED;

#endif
