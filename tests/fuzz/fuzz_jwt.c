/* JSON web tokens and key sets: no input that nobody signed may verify; nothing may crash or leak.
 * First byte: even, a token; odd, a set of keys. */
// link: weir_auth
#include <assert.h>
#include <stdint.h>

#include "auth/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct jwt jwt;
    struct jwt_keys keys;
    static struct jwt_key *secret;
    if (!secret) {
        enum err e = jwt_key_secret(STR("a secret that nobody can guess, ever"), STR("k"), &secret);
        assert(e == ERR_OK);
    }
    if (size == 0)
        return 0;
    struct str text = str_n((const char *)data + 1, size - 1);
    arena_init(&a, 16 << 20);
    if (data[0] % 2 == 0 && jwt_parse(text, &a, &jwt) == ERR_OK) {
        assert(jwt_verify(&jwt, secret) != ERR_OK);
        (void)!jwt_check_times(&jwt, 1000, 10, true);
        (void)!jwt_claim_has(&jwt, STR("aud"), STR("x"));
    } else if (data[0] % 2 == 1 && jwt_keys_parse(text, &a, &keys) == ERR_OK) {
        assert(keys.n <= JWT_KEYS_MAX);
        jwt_keys_release(&keys);
    }
    arena_release(&a);
    return 0;
}
