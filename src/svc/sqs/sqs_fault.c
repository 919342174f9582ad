/* The shape of batches, and the errors of their entries. Layer: svc/sqs. */
#include "svc/sqs/sqs_int.h"

struct sqs_batch_result_error_entry sqs_fault_entry(struct str id, const struct fault *f)
{
    struct sqs_batch_result_error_entry e = {.id = id, .message = f->message};
    e.code = fault_code(f);
    WIRE_SET(&e, sender_fault, true);
    return e;
}

bool sqs_word_ok(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return s.len >= 1 && s.len <= SQS_NAME_MAX;
}

enum err sqs_batch_check(struct call *call, const char *entry_name, const struct str *ids, size_t n)
{
    if (n == 0)
        return call_error(call, &sqs_err_empty_batch_request,
                          "There should be at least one %s in the request.", entry_name);
    if (n > SQS_BATCH_MAX)
        return call_error(call, &sqs_err_too_many_entries_in_batch_request,
                          "Maximum number of entries per request are 10. You have sent %zu.", n);
    for (size_t i = 0; i < n; i++) {
        if (!sqs_word_ok(ids[i]))
            return call_error(call, &sqs_err_invalid_batch_entry_id,
                              "A batch entry id can only contain alphanumeric characters, hyphens "
                              "and underscores. It can be at most 80 letters long.");
        for (size_t j = 0; j < i; j++)
            if (str_eq(ids[i], ids[j]))
                return call_error(call, &sqs_err_batch_entry_ids_not_distinct,
                                  "Id " STR_FMT " repeated.", STR_ARG(ids[i]));
    }
    return ERR_OK;
}
