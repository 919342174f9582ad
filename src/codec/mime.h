/* Encoded words of mail (RFC 2047), which S3 takes in headers of metadata and answers with: text outside of
 * US-ASCII as "=?UTF-8?B?...?=".
 *
 * Layer: codec. Thread: pure. */
#ifndef WEIR_CODEC_MIME_H
#define WEIR_CODEC_MIME_H

#include "base/buf.h"

/* The text that a header's value stands for, in UTF-8: encoded words (UTF-8, ISO-8859-1 and US-ASCII, as B or
 * Q) are decoded, white space between two of them is none (section 6.2), and bytes outside of US-ASCII are
 * ISO-8859-1, as HTTP's were. What is no encoded word stays as it is. The value itself where nothing is to be
 * done. ERR_NOMEM. */
enum err mime_words_decode(struct arena *a, struct str value, struct str *ret_text) WARN_UNUSED;
/* The header's value for a text: itself, where it is printable US-ASCII, or one encoded word. STR_NONE on
 * exhaustion. */
struct str mime_words_encode(struct arena *a, struct str text);

#endif
