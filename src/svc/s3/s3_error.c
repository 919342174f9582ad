/* Errors that say which argument of a request they mean. Layer: svc. */
#include "svc/s3/s3_int.h"

enum err s3_bad_argument(struct call *call, const char *name, struct str value, const char *message)
{
    TRY(call_error_detail(call, "ArgumentName", str_c(name)));
    TRY(call_error_detail(call, "ArgumentValue", value));
    return call_error(call, &s3_err_invalid_argument, "%s", message);
}
