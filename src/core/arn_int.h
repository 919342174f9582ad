/* The parts of an ARN that say whose it is. Layer: core. Thread: pure. */
#ifndef WEIR_CORE_ARN_INT_H
#define WEIR_CORE_ARN_INT_H

#include "base/str.h"

struct arn_parts {
    struct str service, region, account, rest;
};

/* "arn:partition:service:region:account:rest"; region and account may be empty. */
static inline bool arn_split(struct str arn, struct arn_parts *ret)
{
    if (!str_eq_c(str_cut(&arn, ':'), "arn"))
        return false;
    struct str partition = str_cut(&arn, ':');
    ret->service = str_cut(&arn, ':');
    ret->region = str_cut(&arn, ':');
    ret->account = str_cut(&arn, ':');
    ret->rest = arn;
    return partition.len > 0 && ret->service.len > 0 && arn.len > 0;
}

/* What stands before the first ':' or '/' of the last part; absent when there is neither. */
static inline struct str arn_type(const struct arn_parts *arn)
{
    for (size_t i = 0; i < arn->rest.len; i++)
        if (arn->rest.p[i] == ':' || arn->rest.p[i] == '/')
            return str_sub(arn->rest, 0, i);
    return STR_NONE;
}

#endif
