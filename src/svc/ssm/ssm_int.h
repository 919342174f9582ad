/* Inside the service: records, names, and what the operations share.
 *
 * Invariants
 *   SM1  A parameter's record holds its newest version, so that a get is one point read; the versions
 *        `first` .. last.number - 1 are records of their own, and no others are.
 *   SM2  A label is of one version, which is kept: it is not the one that makes room for a new one.
 *   SM3  The value of a SecureString is sealed with a data key that KMS sealed for the caller, bound to
 *        the parameter's ARN; whoever reads it asks KMS with his own rights.
 *
 * Layer: svc/ssm. Thread: the transaction's. */
#ifndef WEIR_SVC_SSM_SSM_INT_H
#define WEIR_SVC_SSM_SSM_INT_H

#include "ssm_api.h"

#include "base/arn.h"
#include "base/record.h"
#include "core/core.h"
#include "core/page.h"
#include "core/tags.h"
#include "svc/kms/kms_port.h"
#include "svc/ssm/ssm.h"
#include "svc/ssm/ssm_keys.h"

enum {
    SSM_NAME_MAX = 1011, /* with the ARN's part before it */
    SSM_LEVELS_MAX = 15,
    SSM_STANDARD_MAX = 4096, /* bytes of a value */
    SSM_ADVANCED_MAX = 8192,
    SSM_VERSIONS_MAX = 100,
    SSM_VERSION_LABELS_MAX = 10,
    SSM_LABELS_MAX = SSM_VERSIONS_MAX * SSM_VERSION_LABELS_MAX,
    SSM_PATH_PAGE = 10,
    SSM_PAGE = 50,
};

enum ssm_type { SSM_STRING, SSM_STRING_LIST, SSM_SECURE, SSM_TYPES };
enum ssm_tier { SSM_STANDARD, SSM_ADVANCED, SSM_TIERS };

struct ssm_version {
    uint64_t number; /* from 1 on */
    enum ssm_type type;
    enum ssm_tier tier;
    struct str value;    /* of a SecureString sealed (SM3) */
    struct str data_key; /* sealed; absent but of a SecureString */
    struct str key_id;   /* as it was given; absent but of a SecureString */
    struct str user, description, pattern, data_type; /* description, pattern: absent: none */
    int64_t modified_ms;
};

struct ssm_label {
    struct str name;
    uint64_t version;
};

struct ssm_param {
    struct str name; /* as it was made */
    uint64_t first;  /* the oldest version that is kept */
    struct ssm_label *labels;
    size_t n_labels;
    struct ssm_version last;
};

/* What a request calls a parameter. Borrowed. */
struct ssm_ref {
    struct str path;
    struct str selector; /* "3" or a label; absent: the newest version */
    bool public;         /* one that AWS gives everybody */
};

/* --- names: pure (ssm_name.c) -------------------------------------------------------------------- */

/* From a name or an ARN, with or without a selector. ERR_NOT_FOUND: an ARN that is of nothing here. */
enum err ssm_ref_parse(struct key_scope scope, struct str text, struct ssm_ref *ret) WARN_UNUSED;
/* Whether a parameter may be made under this name; otherwise the call's error. */
enum err ssm_name_check(struct call *call, struct str name) WARN_UNUSED;
/* The path that GetParametersByPath and filters name, with the '/' that ends what it is the head of: ""
 * for all. The call's error. */
enum err ssm_path_check(struct call *call, struct str path, struct str *ret_head) WARN_UNUSED;
struct str ssm_arn(struct arena *a, const struct core *core, struct key_scope scope,
                   struct str path);
bool ssm_label_valid(struct str label);
struct str ssm_type_text(enum ssm_type type);
struct str ssm_tier_text(enum ssm_tier tier);
/* ERR_NOT_FOUND. */
enum err ssm_type_of(struct str text, enum ssm_type *ret) WARN_UNUSED;

/* --- records (ssm_record.c) ----------------------------------------------------------------------- */

/* ERR_NOT_FOUND. */
enum err ssm_read(struct txn *txn, struct key_scope scope, struct str path,
                  struct ssm_param *ret) WARN_UNUSED;
enum err ssm_parse(struct arena *a, struct str record, struct ssm_param *ret) WARN_UNUSED;
enum err ssm_write(struct txn *txn, struct key_scope scope, struct str path,
                   const struct ssm_param *p) WARN_UNUSED;
/* The newest version makes room for another: it becomes a record of its own. */
enum err ssm_version_keep(struct txn *txn, struct key_scope scope, struct str path,
                          const struct ssm_version *v) WARN_UNUSED;
enum err ssm_version_drop(struct txn *txn, struct key_scope scope, struct str path,
                          uint64_t number) WARN_UNUSED;
/* ERR_NOT_FOUND. */
enum err ssm_version_read(struct txn *txn, struct key_scope scope, struct str path,
                          const struct ssm_param *p, uint64_t number,
                          struct ssm_version *ret) WARN_UNUSED;
/* The label's version; 0: there is none. */
uint64_t ssm_label_version(const struct ssm_param *p, struct str label);
size_t ssm_label_count(const struct ssm_param *p, uint64_t version);
/* What goes with the parameter goes: versions, tags, and itself. */
enum err ssm_remove(struct call *call, struct str path, const struct ssm_param *p) WARN_UNUSED;

/* For operations: ParameterNotFound. */
enum err ssm_need(struct call *call, struct str text, struct ssm_ref *ret_ref,
                  struct ssm_param *ret) WARN_UNUSED;
/* ParameterVersionNotFound. */
enum err ssm_need_version(struct call *call, const struct ssm_ref *ref, const struct ssm_param *p,
                          struct ssm_version *ret) WARN_UNUSED;

/* --- secrets (ssm_cipher.c) ----------------------------------------------------------------------- */

/* Seals v->value under v->key_id as the caller. The call's error. */
enum err ssm_seal(struct call *call, struct str path, struct ssm_version *v) WARN_UNUSED;
/* The value as it is shown: opened as the caller, or the sealed bytes as text. The call's error. */
enum err ssm_shown(struct call *call, struct str path, const struct ssm_version *v, bool open,
                   struct str *ret_value) WARN_UNUSED;

/* --- filters (ssm_filter.c) ------------------------------------------------------------------------ */

enum ssm_filter_key {
    SSM_BY_NAME,
    SSM_BY_TYPE,
    SSM_BY_KEY_ID,
    SSM_BY_PATH,
    SSM_BY_LABEL,
    SSM_BY_TIER,
    SSM_BY_DATA_TYPE,
    SSM_BY_TAG,
};
enum ssm_filter_option { SSM_EQUALS, SSM_BEGINS_WITH, SSM_CONTAINS, SSM_RECURSIVE, SSM_ONE_LEVEL };

struct ssm_filter {
    enum ssm_filter_key key;
    enum ssm_filter_option option;
    struct str tag;
    const struct str *values; /* paths: as ssm_path_check gives them */
    size_t n;
};
struct ssm_filters {
    struct ssm_filter *v;
    size_t n;
};

/* `by_path`: of GetParametersByPath, which has fewer. The call's error. */
enum err ssm_filters_take(struct call *call, struct ssm_parameter_string_filter_list list,
                          bool by_path, struct ssm_filters *ret) WARN_UNUSED;
/* The older form of DescribeParameters. */
enum err ssm_filters_take_old(struct call *call, struct ssm_parameters_filter_list list,
                              struct ssm_filters *ret) WARN_UNUSED;
/* *ret_version: the one that a label asked for; otherwise the newest. */
enum err ssm_filters_match(struct call *call, const struct ssm_filters *f, struct str path,
                           const struct ssm_param *p, bool *ret_match,
                           uint64_t *ret_version) WARN_UNUSED;
/* Whether the path is below the head, and if not `recursive` directly so. */
bool ssm_is_below(struct str path, struct str head, bool recursive);

/* --- what AWS gives everybody (ssm_public.c) ------------------------------------------------------- */

/* ERR_NOT_FOUND. */
enum err ssm_public_read(struct arena *a, struct str region, struct str path,
                         struct str *ret_value) WARN_UNUSED;
/* All paths, sorted. */
enum err ssm_public_paths(struct arena *a, const struct str **ret_v, size_t *ret_n) WARN_UNUSED;
bool ssm_path_is_public(struct str path);

/* --- the rest --------------------------------------------------------------------------------------- */

extern const struct tags_service ssm_tags;
/* page_start's and page_scan's ERR_INVALID as the service says it. */
enum err ssm_paged(struct call *call, enum err err) WARN_UNUSED;

#endif
