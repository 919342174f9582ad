/* Whom a stored policy names: ids in place of ARNs, so that a user or role that is deleted and made
 * again under its old name is nobody to it, and one that is renamed stays who he was.
 *
 *   given   "arn:aws:iam::ACCT:role/r"              -> stored "AROA..."
 *           "arn:aws:sts::ACCT:assumed-role/r/s"    -> stored "AROA...:s"
 *   shown   the ARN of who has the id now; the id itself once nobody has
 *
 * Principals of accounts that are not here stay ARNs: nobody can know them.
 *
 * Source: IAM User Guide, "AWS JSON policy elements: Principal".
 * Layer: core. Thread: the transaction's. */
#include "core/core.h"

enum {
    ID_BYTES = 21,         /* as they are made */
    SHOWN_ID_BYTES = 1536, /* an ARN with a path of 512 signs that need escapes, name and session */
    /* What was stored can be shown, though it were ids alone, each with its quotes and a comma. */
    SHOWN_MAX = POLICY_TEXT_MAX / (ID_BYTES + 3) * SHOWN_ID_BYTES,
};

struct naming {
    struct core *core;
    struct txn *txn;
    struct arena *a;
    const char **why; /* of an unknown principal */
};

/* What is said of a principal whose ARN needs escapes (those of a path may): it cannot be replaced. */
static const char UNNAMED[] = "Invalid principal in policy.";

static enum err unknown(const struct naming *n, struct str text)
{
    struct str why =
        str_fmt(n->a, "Invalid principal in policy: \"AWS\":\"" STR_FMT "\"", STR_ARG(text));
    if (!str_is_set(why))
        return ERR_NOMEM;
    *n->why = why.p; /* str_fmt ends it with NUL */
    return ERR_DENIED;
}

static enum err to_id(void *arg, struct str text, struct str *ret_text)
{
    const struct naming *n = arg;
    const struct identity_port *id = &n->core->identity;
    *ret_text = text;
    enum err err = ERR_OK;
    if (policy_is_id(text) || str_starts(text, STR("arn:")))
        err = id->id_of_arn(id->self, n->txn, text, ret_text);
    return err == ERR_NOT_FOUND ? unknown(n, text) : err;
}

static enum err to_arn(void *arg, struct str text, struct str *ret_text)
{
    const struct naming *n = arg;
    const struct identity_port *id = &n->core->identity;
    *ret_text = text;
    if (!policy_is_id(text))
        return ERR_OK;
    enum err err = id->arn_of_id(id->self, text, n->a, ret_text);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err core_principal_stored(struct txn *txn, struct str text, const char **ret_why,
                               struct str *ret_text)
{
    struct naming n = {txn->core, txn, txn->arena, ret_why};
    *ret_why = UNNAMED;
    enum err err = to_id(&n, text, ret_text);
    return err == ERR_DENIED ? ERR_INVALID : err;
}

enum err core_policy_stored(struct txn *txn, struct str json, const char **ret_why,
                            struct str *ret_json)
{
    struct naming n = {txn->core, txn, txn->arena, ret_why};
    *ret_why = UNNAMED;
    enum err err = policy_map_principals(txn->arena, json, to_id, &n, POLICY_TEXT_MAX, ret_json);
    return err == ERR_DENIED ? ERR_INVALID : err;
}

enum err core_policy_shown(struct core *core, struct arena *a, struct str json,
                           struct str *ret_json)
{
    struct naming n = {core, NULL, a, NULL};
    *ret_json = json;
    if (str_find_str(json, STR("\"AIDA")) == SIZE_MAX &&
        str_find_str(json, STR("\"AROA")) == SIZE_MAX)
        return ERR_OK;
    return policy_map_principals(a, json, to_arn, &n, SHOWN_MAX, ret_json);
}
