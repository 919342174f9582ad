/* Policies of posted forms: any bytes, as they are and in base64, are judged, and what does not fit says why. A policy that
 * fits names every field. */
// link: weir_svc_s3
#include <assert.h>
#include <stdint.h>

#include "codec/base64.h"
#include "svc/s3/s3_form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(struct arena *a, struct str policy)
{
    static const struct s3_form_fields fields = {.v = {{STR_INIT("key"), STR_INIT("a/b")},
                                                       {STR_INIT("content-type"), STR_INIT("c, d")},
                                                       {STR_INIT("policy"), STR_INIT("p")}},
                                                 .n = 3};
    struct s3_form_verdict v;
    if (s3_form_judge(a, policy, &fields, STR("b"), 1800000000000, &v) != ERR_OK)
        return;
    assert((v.outcome == S3_FORM_FITS) == !str_is_set(v.message));
    assert(v.min >= 0 && v.max >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    arena_init(&a, 16 << 20);
    struct str text = str_n((const char *)data, size);
    judge(&a, text);
    struct str policy = base64_encode(&a, data, size);
    if (str_is_set(policy))
        judge(&a, policy);
    (void)s3_form_key(&a, text, text);
    arena_release(&a);
    return 0;
}
