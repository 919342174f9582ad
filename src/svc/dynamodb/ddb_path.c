/* Document paths: text, walking, overlap, projection. */
#include <assert.h>

#include "svc/dynamodb/ddb_expr.h"

struct str ddb_path_text(struct arena *a, const struct ddb_path *path)
{
    struct buf b;
    buf_init_arena(&b, a, 2 * DDB_EXPR_BYTES_MAX + DDB_NAME_BYTES_MAX * 2);
    buf_add_byte(&b, '[');
    for (size_t i = 0; i < path->n; i++) {
        if (i)
            BUF_ADD_LIT(&b, ", ");
        if (str_is_set(path->steps[i].name))
            buf_add_str(&b, path->steps[i].name);
        else
            buf_add_fmt(&b, "[%u]", path->steps[i].index);
    }
    buf_add_byte(&b, ']');
    return buf_str(&b);
}

static const struct ddb_av *step_into(const struct ddb_av *v, const struct ddb_step *step)
{
    return str_is_set(step->name) ? ddb_av_get(v, step->name) : ddb_av_at(v, step->index);
}

const struct ddb_av *ddb_path_walk(const struct ddb_av *root, const struct ddb_path *path)
{
    const struct ddb_av *v = root;
    for (size_t i = 0; i < path->n && v; i++)
        v = step_into(v, &path->steps[i]);
    return v;
}

static bool step_equal(const struct ddb_step *a, const struct ddb_step *b)
{
    if (str_is_set(a->name) != str_is_set(b->name))
        return false;
    return str_is_set(a->name) ? str_eq(a->name, b->name) : a->index == b->index;
}

static enum err overlap_error(struct ddb_diag *diag, const char *kind, const char *how,
                              const struct ddb_path *a, const struct ddb_path *b)
{
    struct str one = ddb_path_text(diag->arena, a), two = ddb_path_text(diag->arena, b);
    return ddb_invalid(diag,
                       "Invalid %s: Two document paths %s with each other; must remove or rewrite "
                       "one of these paths; path one: " STR_FMT ", path two: " STR_FMT,
                       kind, how, STR_ARG(one), STR_ARG(two));
}

/* Overlap: one leads through the other. Conflict: the same step taken as a list's and a map's. */
static enum err check_pair(struct ddb_diag *diag, const char *kind, const struct ddb_path *a,
                           const struct ddb_path *b)
{
    size_t i = 0, n = min_size(a->n, b->n);
    assert(n > 0);
    while (i < n && step_equal(&a->steps[i], &b->steps[i]))
        i++;
    if (i == n)
        return overlap_error(diag, kind, "overlap", a, b);
    if (str_is_set(a->steps[i].name) != str_is_set(b->steps[i].name))
        return overlap_error(diag, kind, "conflict", a, b);
    return ERR_OK;
}

enum err ddb_paths_check_overlap(struct ddb_diag *diag, const char *kind,
                                 const struct ddb_path *const *paths, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            TRY(check_pair(diag, kind, paths[i], paths[j]));
    return ERR_OK;
}

/* Whether `step` of some path leads to this child. */
static bool leads_to(const struct ddb_step *step, const struct ddb_av *child, uint32_t index)
{
    return str_is_set(step->name) ? str_eq(step->name, child->name) : step->index == index;
}

/* The part of `v` below `depth` steps that the given paths select; NULL in *ret_part when none of
 * them leads anywhere. Recursion is bounded by the paths' length. */
static enum err project(struct arena *a, const struct ddb_path *const *paths, size_t n,
                        size_t depth, const struct ddb_av *v, struct ddb_av **ret_part)
{
    *ret_part = NULL;
    if (v->type != DDB_M && v->type != DDB_L)
        return ERR_OK;
    const struct ddb_path **sub = ARENA_ARRAY(a, const struct ddb_path *, n);
    struct ddb_av *part = ddb_av_new(a, v->type);
    if (!sub || !part)
        return ERR_NOMEM;
    uint32_t index = 0;
    for (const struct ddb_av *c = v->child; c; c = c->next, index++) {
        size_t n_sub = 0;
        bool whole = false;
        for (size_t i = 0; i < n; i++) {
            assert(depth < paths[i]->n); /* a path that ends here went as a whole */
            const struct ddb_step *step = &paths[i]->steps[depth];
            if (str_is_set(step->name) != (v->type == DDB_M) || !leads_to(step, c, index))
                continue;
            if (paths[i]->n == depth + 1)
                whole = true;
            else
                sub[n_sub++] = paths[i];
        }
        struct ddb_av *kept = NULL;
        if (whole) {
            kept = ddb_av_clone(a, c);
            if (!kept)
                return ERR_NOMEM;
        } else if (n_sub) {
            TRY(project(a, sub, n_sub, depth + 1, c, &kept));
        }
        if (kept) {
            kept->name = c->name;
            ddb_av_append(part, kept);
        }
    }
    if (part->n || depth == 0)
        *ret_part = part;
    return ERR_OK;
}

enum err ddb_project(struct arena *a, const struct ddb_paths *paths, const struct ddb_av *item,
                     struct ddb_av **ret_part)
{
    const struct ddb_path **all = ARENA_ARRAY(a, const struct ddb_path *, paths->n);
    if (!all)
        return ERR_NOMEM;
    for (size_t i = 0; i < paths->n; i++)
        all[i] = &paths->v[i];
    struct ddb_av *part;
    TRY(project(a, all, paths->n, 0, item, &part));
    *ret_part = part;
    return ERR_OK;
}
