/* The key layouts of the service; nobody else builds its keys (kv/key.h says the letters). */
#ifndef WEIR_SVC_ECR_ECR_KEYS_H
#define WEIR_SVC_ECR_ECR_KEYS_H

#include "kv/key.h"

/* scope, name -> repository record */
static const struct key_layout ecr_k_repository = {KEY_ECR, 1, "St"};

#endif
