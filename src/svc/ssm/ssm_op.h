/* What operations give in the same form. Layer: svc/ssm. Thread: the call's. */
#ifndef WEIR_SVC_SSM_SSM_OP_H
#define WEIR_SVC_SSM_SSM_OP_H

#include "svc/ssm/ssm_int.h"

/* A version as GetParameter shows it; `open`: decrypted. `ret` is zeroed. The call's error. */
enum err ssm_give(struct call *call, struct str path, const struct ssm_param *p,
                  const struct ssm_version *v, bool open, struct ssm_parameter *ret) WARN_UNUSED;
/* The same of one that AWS gives everybody. ERR_NOT_FOUND. */
enum err ssm_give_public(struct call *call, struct str path, struct ssm_parameter *ret) WARN_UNUSED;

#endif
