/* Authenticated encryption of small texts: AES-256-GCM (NIST SP 800-38D) over OpenSSL, with a random
 * nonce a text. What a text is sealed for (`bound`) is authenticated with it, so that it opens in no
 * other place.
 *
 * Shape: version (1), nonce (12), the text encrypted, tag (16).
 *
 * Layer: codec. Thread: any; a cipher context is kept per thread, since making one costs more than a
 * text. */
#ifndef WEIR_CODEC_SEAL_H
#define WEIR_CODEC_SEAL_H

#include "base/str.h"

enum { SEAL_KEY_BYTES = 32, SEAL_HEAD_BYTES = 13, SEAL_MORE_BYTES = SEAL_HEAD_BYTES + 16 };

/* Writes plain.len + SEAL_MORE_BYTES to `out`. ERR_NOMEM. */
enum err seal_close(const uint8_t key[SEAL_KEY_BYTES], struct str bound, struct str plain,
                    uint8_t *out) WARN_UNUSED;
/* Writes sealed.len - SEAL_MORE_BYTES to `out`. ERR_INVALID: not sealed with this key for this;
 * ERR_NOMEM. */
enum err seal_open(const uint8_t key[SEAL_KEY_BYTES], struct str bound, struct str sealed,
                   uint8_t *out) WARN_UNUSED;

/* Long contents in pieces: the same cipher, with the piece's number and whether it is the last as the
 * nonce, so that pieces cannot be moved, left out or cut off behind (the STREAM construction of Hoang,
 * Reyhanitabar, Rogaway and Vizar, 2015). A key seals one content only. */
enum { SEAL_PIECE_MORE_BYTES = 16 };
struct seal_piece {
    uint64_t number; /* from 0 */
    bool last;
};
/* Writes plain.len + SEAL_PIECE_MORE_BYTES to `out`. ERR_NOMEM. */
enum err seal_piece_close(const uint8_t key[SEAL_KEY_BYTES], struct seal_piece piece,
                          struct str plain, uint8_t *out) WARN_UNUSED;
/* Writes sealed.len - SEAL_PIECE_MORE_BYTES to `out`, which may be where `sealed` is. ERR_INVALID: not
 * this piece of what was sealed with this key; ERR_NOMEM. */
enum err seal_piece_open(const uint8_t key[SEAL_KEY_BYTES], struct seal_piece piece,
                         struct str sealed, uint8_t *out) WARN_UNUSED;

#endif
