/* See password.h.
 *
 * Of the choices that OWASP's password storage cheat sheet holds for equal this is the one that takes least memory,
 * because as many hashes run at once as the worker pool has places for long work, on machines that serve other things
 * too.
 *
 * Layer: auth. Thread: any. */
#include "auth/password.h"

#include <argon2.h>

#include "base/rng.h"

/* What RFC 9106 and OWASP recommend at the least. Builds with a sanitizer are for tests, which hash by the
 * hundred; a stored hash says what it was made with. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { ARGON_KIB = 64, ARGON_PASSES = 1 };
#else
enum { ARGON_KIB = 7 * 1024, ARGON_PASSES = 5 };
#endif
enum { ARGON_SALT = 16, ARGON_HASH = 32, ARGON_TEXT_MAX = 256 };

enum err password_hash(struct arena *a, struct str password, struct str *ret_hash)
{
    uint8_t salt[ARGON_SALT];
    char text[ARGON_TEXT_MAX];
    rng_bytes(salt, sizeof(salt));
    int rc = argon2id_hash_encoded(ARGON_PASSES, ARGON_KIB, 1, password.p, password.len, salt,
                                   sizeof(salt), ARGON_HASH, text, sizeof(text));
    if (rc != ARGON2_OK)
        return ERR_NOMEM;
    *ret_hash = str_dup(a, str_c(text));
    return str_is_set(*ret_hash) ? ERR_OK : ERR_NOMEM;
}

enum err password_verify(struct arena *a, struct str hash, struct str password)
{
    char *text = str_cstr(a, hash);
    int rc =
        text ? argon2id_verify(text, password.p, password.len) : ARGON2_MEMORY_ALLOCATION_ERROR;
    if (rc == ARGON2_OK)
        return ERR_OK;
    return rc == ARGON2_VERIFY_MISMATCH ? ERR_DENIED : ERR_NOMEM;
}
