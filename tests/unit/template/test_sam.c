/* SAM's transform: others' cases (../shared/data/sam) and the project's own (tests/data/sam), each a
 * template and what becomes of it. Lists in tests/data/sam ("name<TAB>reason" a line):
 *   refused.tsv  cases that want what is refused here: the reason must be told, with all else that is wrong, and
 *                nothing that the translator does not say
 *   known.tsv    cases that differ
 *   orders.tsv   cases whose lists stand in another order than the translator's (its own tests sort them)
 *
 * SAM_CASE=name runs one and prints both trees; SAM_FOLDER=dir plays other cases of the same form instead of
 * others'. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "template/sam.h"
#include "template/template.h"

enum { CASES_MAX = 1000, FILE_MAX = 1 << 20, ARENA_MAX = 256 << 20 };

static struct str read_file(struct arena *a, const char *path)
{
    FILE *f = fopen(path, "rb");
    char *p = arena_alloc(a, FILE_MAX);
    if (!f || !p)
        return STR_NONE;
    size_t n = fread(p, 1, FILE_MAX, f);
    fclose(f);
    return str_n(p, n);
}

/* --- equality of trees --------------------------------------------------------------------------- */

static const char *differ(const struct json *want, const struct json *got, struct buf *at,
                          bool sorted);

/* Whether each element has one of its own in the other list. */
static const char *differ_sorted(const struct json *want, const struct json *got, struct buf *at)
{
    bool taken[256] = {false};
    size_t len = at->len, i = 0;
    assert_true(want->n < ARRAY_LEN(taken));
    if (want->n != got->n)
        return "length";
    JSON_EACH (want, it) {
        size_t k = 0, found = SIZE_MAX;
        JSON_EACH (got, other) {
            if (found == SIZE_MAX && !taken[k] && !differ(it, other, at, true))
                found = k;
            at->len = len;
            k++;
        }
        buf_add_fmt(at, "[%zu]", i++);
        if (found == SIZE_MAX)
            return "missing";
        taken[found] = true;
        at->len = len;
    }
    return NULL;
}

/* The path of the first difference, in `at`; NULL: none. */
static const char *differ(const struct json *want, const struct json *got, struct buf *at,
                          bool sorted)
{
    size_t len = at->len;
    if (!want || !got)
        return want ? "missing" : "extra";
    if (want->kind != got->kind)
        return "kind";
    double a, b;
    switch (want->kind) {
    case JSON_BOOL:
        return want->b == got->b ? NULL : "value";
    case JSON_STRING:
        return str_eq(want->text, got->text) ? NULL : "value";
    case JSON_NUMBER:
        return json_to_f64(want, &a) == ERR_OK && json_to_f64(got, &b) == ERR_OK && a == b
                   ? NULL
                   : "value";
    case JSON_ARRAY: {
        if (sorted)
            return differ_sorted(want, got, at);
        const struct json *other = got->child;
        size_t i = 0;
        JSON_EACH (want, it) {
            buf_add_fmt(at, "[%zu]", i++);
            const char *why = differ(it, other, at, sorted);
            if (why)
                return why;
            at->len = len;
            other = other->next;
        }
        return other ? "longer" : NULL;
    }
    case JSON_OBJECT:
        JSON_EACH (want, it) {
            buf_add_fmt(at, "." STR_FMT, STR_ARG(it->key));
            const char *why = differ(it, json_get(got, it->key), at, sorted);
            if (why)
                return why;
            at->len = len;
        }
        JSON_EACH (got, it)
            if (!json_get(want, it->key)) {
                buf_add_fmt(at, "." STR_FMT, STR_ARG(it->key));
                return "extra";
            }
        return NULL;
    default:
        return NULL;
    }
}

static void show(struct arena *a, const char *what, const struct json *v)
{
    struct buf b;
    buf_init_arena(&b, a, 16 << 20);
    json_put(&b, v);
    printf("%s %.*s\n", what, (int)b.len, b.p); /* print_message cuts */
}

/* --- one case ------------------------------------------------------------------------------------ */

static bool managed_policy(void *arg, struct str name, struct str *ret_arn)
{
    static const char *const service[] = {"AWSLambdaRole", "AWSLambdaBasicExecutionRole"};
    static const char *const plain[] = {"AmazonDynamoDBFullAccess", "AmazonDynamoDBReadOnlyAccess",
                                        "AmazonS3ReadOnlyAccess",
                                        "CloudWatchLambdaInsightsExecutionRolePolicy"};
    for (size_t i = 0; i < ARRAY_LEN(service) + ARRAY_LEN(plain); i++) {
        bool in_service = i < ARRAY_LEN(service);
        const char *known = in_service ? service[i] : plain[i - ARRAY_LEN(service)];
        if (!str_eq_c(name, known))
            continue;
        *ret_arn =
            str_fmt(arg, "arn:aws:iam::aws:policy/%s%s", in_service ? "service-role/" : "", known);
        return true;
    }
    return false;
}

struct outcome {
    const char *why;   /* NULL: as wanted */
    struct str wanted; /* the fault that is wanted; absent: none is */
    struct str told;   /* what is told, where something is refused */
};

static struct outcome compare(struct arena *a, struct str input, const struct json *want,
                              bool sorted, bool loud)
{
    struct json *tree, *got = NULL;
    struct tpl_fault read_fault;
    struct sam_fault fault = {STR_NONE};
    struct sam_world world = {.region = STR("ap-southeast-1"),
                              .partition = STR("aws"),
                              .managed_policy = managed_policy,
                              .arg = a};
    struct outcome o = {NULL, json_get_str(want, STR("errorMessage")), STR_NONE};
    struct buf at;
    buf_init_arena(&at, a, 4096);
    if (tpl_read(a, input, &tree, &read_fault) != ERR_OK) {
        o.why = str_fmt(a, "unreadable: " STR_FMT, STR_ARG(read_fault.message)).p;
        return o;
    }
    enum err err = sam_transform(a, tree, &world, &got, &fault);
    if (loud) {
        show(a, "want", want);
        show(a, "got ", got);
    }
    if (err == ERR_UNSUPPORTED)
        o.told = fault.message;
    if (err && (err != ERR_INVALID || !str_eq(fault.message, o.wanted)))
        o.why = str_fmt(a, "%s: " STR_FMT "\n      want: " STR_FMT, err_name(err),
                        STR_ARG(fault.message), STR_ARG(o.wanted))
                    .p;
    else if (!err && str_is_set(o.wanted))
        o.why = str_fmt(a, "no error\n      want: " STR_FMT, STR_ARG(o.wanted)).p;
    const char *why = err ? NULL : o.why ? o.why : differ(want, got, &at, sorted);
    if (why && !o.why)
        o.why = str_fmt(a, "%s at " STR_FMT, why, STR_ARG(buf_str(&at))).p;
    return o;
}

static struct outcome run_case(struct arena *a, const char *folder, const char *name, bool sorted,
                               bool loud)
{
    struct json *want;
    struct str input = read_file(a, str_fmt(a, "%s/input/%s.yaml", folder, name).p);
    struct str output = read_file(a, str_fmt(a, "%s/output/%s.json", folder, name).p);
    if (!str_is_set(input) || json_parse(a, output, &want, NULL) != ERR_OK)
        return (struct outcome){.why = "cannot read the case"};
    return compare(a, input, want, sorted, loud);
}

/* --- what is refused ----------------------------------------------------------------------------- */

/* The next fault of a message: "Resource with id [A] is invalid. ..". */
static struct str next_fault(struct str *message)
{
    struct str mark = STR(" Resource with id [");
    size_t at = str_find_str(*message, mark);
    if (at == SIZE_MAX)
        return STR_NONE;
    struct str rest = str_sub(*message, at + 1, SIZE_MAX);
    size_t end = str_find_str(rest, mark);
    *message = end == SIZE_MAX ? STR_NONE : str_sub(rest, end, SIZE_MAX);
    return end == SIZE_MAX ? rest : str_sub(rest, 0, end);
}

static struct str id_of(struct str fault)
{
    struct str id = str_sub(fault, str_find(fault, '[') + 1, SIZE_MAX);
    return str_sub(id, 0, str_find(id, ']'));
}

static bool is_refusal(struct str fault)
{
    return str_find_str(fault, STR(" not supported.")) != SIZE_MAX;
}

/* Whether a fault of the translator's is one of what is refused, which the refusal stands for. */
static bool stands_for(struct str told, struct str fault)
{
    if (str_find_str(told, STR("GraphQLApi is not")) != SIZE_MAX)
        return true; /* its functions and resolvers are told by their own names */
    for (struct str one; str_is_set(one = next_fault(&told));)
        if (is_refusal(one) && str_starts(id_of(fault), id_of(one)))
            return true;
    return false;
}

/* What is wrong with how it was refused: NULL: nothing. */
static const char *check_refusal(struct arena *a, const struct outcome *o, struct str reason)
{
    struct str rest = o->told;
    if (!str_is_set(o->told) || str_find_str(o->told, reason) == SIZE_MAX)
        return str_fmt(a, "not refused for its reason: %s", o->why).p;
    for (struct str one; str_is_set(one = next_fault(&rest));)
        if (!is_refusal(one) && str_find_str(o->wanted, one) == SIZE_MAX)
            return str_fmt(a, "nobody wants: " STR_FMT, STR_ARG(one)).p;
    rest = o->wanted;
    for (struct str one; str_is_set(rest) && str_is_set(one = next_fault(&rest));)
        if (str_find_str(o->told, one) == SIZE_MAX && !stands_for(o->told, one))
            return str_fmt(a, "hidden: " STR_FMT, STR_ARG(one)).p;
    return NULL;
}

/* --- all of a folder ----------------------------------------------------------------------------- */

/* The reason that a list has for the case, absent: it is not there. */
static struct str listed(struct str list, const char *name)
{
    while (str_is_set(list)) {
        struct str line = str_cut(&list, '\n');
        if (str_eq_c(str_cut(&line, '\t'), name))
            return str_is_set(line) ? line : STR("");
    }
    return STR_NONE;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t names_of(struct arena *a, const char *folder, char **names)
{
    DIR *dir = opendir(str_fmt(a, "%s/input", folder).p);
    size_t n = 0;
    for (struct dirent *e; dir && (e = readdir(dir)) && n < CASES_MAX;) {
        struct str name = str_c(e->d_name);
        if (str_ends(name, STR(".yaml")))
            names[n++] = str_cstr(a, str_sub(name, 0, name.len - 5));
    }
    if (dir)
        closedir(dir);
    qsort(names, n, sizeof(*names), by_name);
    return n;
}

static void play(const char *folder)
{
    static char *names[CASES_MAX];
    struct arena a, one;
    size_t passed = 0, refused = 0, different = 0, failed = 0;
    arena_init(&a, ARENA_MAX);
    arena_init(&one, ARENA_MAX);
    struct str refused_list = read_file(&a, SOURCE_DIR "/tests/data/sam/refused.tsv");
    struct str known = read_file(&a, SOURCE_DIR "/tests/data/sam/known.tsv");
    struct str orders = read_file(&a, SOURCE_DIR "/tests/data/sam/orders.tsv");
    size_t n = names_of(&a, folder, names);
    const char *only = getenv("SAM_CASE");
    if (n == 0) {
        print_message("[  SKIPPED ] no cases in %s\n", folder);
        arena_release(&a);
        skip();
    }
    for (size_t i = 0; i < n; i++) {
        if (only && strcmp(only, names[i]))
            continue;
        bool sorted = str_is_set(listed(orders, names[i]));
        struct outcome o = run_case(&one, folder, names[i], sorted, only != NULL);
        bool in_order = sorted && !run_case(&one, folder, names[i], false, false).why;
        struct str reason = listed(refused_list, names[i]);
        bool differs = str_is_set(listed(known, names[i]));
        const char *why = o.why;
        if (str_is_set(reason))
            why = why ? check_refusal(&one, &o, reason) : "as wanted, take it off the list";
        else if (differs)
            why = why ? NULL : "as wanted, take it off the list";
        if (in_order)
            why = "in order, take it off the list";
        passed += !str_is_set(reason) && !differs && !why;
        different += differs && !why;
        refused += str_is_set(reason) && !why;
        failed += why != NULL;
        if (why)
            fprintf(stderr, "%s: %s\n", names[i], why);
        arena_clear(&one);
    }
    print_message("%zu cases: %zu as wanted, %zu refused, %zu differ, %zu wrong\n", n, passed,
                  refused, different, failed);
    arena_release(&one);
    arena_release(&a);
    assert_int_equal(failed, 0);
}

static void others_cases(void **state)
{
    const char *folder = getenv("SAM_FOLDER");
    play(folder ? folder : SHARED_DATA "/sam");
}

static void own_cases(void **state)
{
    play(SOURCE_DIR "/tests/data/sam");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_cases),
        cmocka_unit_test(others_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
