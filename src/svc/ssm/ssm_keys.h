/* The key layouts of the service; nobody else builds its keys (kv/key.h says the letters). */
#ifndef WEIR_SVC_SSM_SSM_KEYS_H
#define WEIR_SVC_SSM_SSM_KEYS_H

#include "kv/key.h"

/* scope, path -> parameter record, with its newest version. A path is a name without the '/' that it may
 * begin with: "a" and "/a" have one ARN, so they are one parameter. */
static const struct key_layout ssm_k_parameter = {KEY_SSM, 1, "St"};
/* scope, path, number -> version record, of every version but the newest */
static const struct key_layout ssm_k_version = {KEY_SSM, 2, "Stu"};

#endif
