/* SAM's transform: others' cases (../shared/data/sam) and the project's own (tests/data/sam), each a
 * template and what becomes of it. Cases that want what is refused here are listed, with the reason, in
 * tests/data/sam/refused.tsv; a case of that list must be refused. known.tsv: differences.
 *
 * SAM_CASE=name runs one and prints both trees. */
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

/* The path of the first difference, in `at`; NULL: none. */
static const char *differ(const struct json *want, const struct json *got, struct buf *at)
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
        const struct json *other = got->child;
        size_t i = 0;
        JSON_EACH (want, it) {
            buf_add_fmt(at, "[%zu]", i++);
            const char *why = differ(it, other, at);
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
            const char *why = differ(it, json_get(got, it->key), at);
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
    const char *why; /* NULL: as wanted */
    bool refused;
};

static struct outcome compare(struct arena *a, struct str input, const struct json *want, bool loud)
{
    struct json *tree, *got = NULL;
    struct tpl_fault read_fault;
    struct sam_fault fault = {STR_NONE};
    struct sam_world world = {STR("ap-southeast-1"), STR("aws"), NULL, managed_policy, a};
    struct str message = json_get_str(want, STR("errorMessage"));
    struct buf at;
    buf_init_arena(&at, a, 4096);
    if (tpl_read(a, input, &tree, &read_fault) != ERR_OK)
        return (struct outcome){str_fmt(a, "unreadable: " STR_FMT, STR_ARG(read_fault.message)).p,
                                false};
    enum err err = sam_transform(a, tree, &world, &got, &fault);
    if (loud) {
        show(a, "want", want);
        show(a, "got ", got);
    }
    if (err == ERR_UNSUPPORTED)
        return (struct outcome){str_fmt(a, "refused: " STR_FMT, STR_ARG(fault.message)).p, true};
    if (err == ERR_INVALID && str_is_set(message) && str_eq(fault.message, message))
        return (struct outcome){NULL, false};
    if (err)
        return (struct outcome){str_fmt(a, "%s: " STR_FMT "\n      want: " STR_FMT, err_name(err),
                                        STR_ARG(fault.message), STR_ARG(message))
                                    .p,
                                false};
    if (str_is_set(message))
        return (struct outcome){str_fmt(a, "no error\n      want: " STR_FMT, STR_ARG(message)).p,
                                false};
    const char *why = differ(want, got, &at);
    return (struct outcome){why ? str_fmt(a, "%s at " STR_FMT, why, STR_ARG(buf_str(&at))).p : NULL,
                            false};
}

static struct outcome run_case(struct arena *a, const char *folder, const char *name, bool loud)
{
    struct json *want;
    struct str input = read_file(a, str_fmt(a, "%s/input/%s.yaml", folder, name).p);
    struct str output = read_file(a, str_fmt(a, "%s/output/%s.json", folder, name).p);
    if (!str_is_set(input) || json_parse(a, output, &want, NULL) != ERR_OK)
        return (struct outcome){"cannot read the case", false};
    return compare(a, input, want, loud);
}

/* --- all of a folder ----------------------------------------------------------------------------- */

/* Whether a list ("name<TAB>reason" a line) has this case. */
static bool listed(struct str list, const char *name)
{
    while (str_is_set(list)) {
        struct str line = str_cut(&list, '\n');
        if (str_eq_c(str_cut(&line, '\t'), name))
            return true;
    }
    return false;
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
    size_t passed = 0, refused = 0, known = 0, failed = 0;
    arena_init(&a, ARENA_MAX);
    arena_init(&one, ARENA_MAX);
    struct str refused_list = read_file(&a, SOURCE_DIR "/tests/data/sam/refused.tsv");
    struct str known_list = read_file(&a, SOURCE_DIR "/tests/data/sam/known.tsv");
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
        struct outcome o = run_case(&one, folder, names[i], only != NULL);
        bool is_refused = listed(refused_list, names[i]), is_known = listed(known_list, names[i]);
        passed += !o.why;
        refused += o.why && is_refused;
        known += o.why && is_known;
        if ((o.why && !is_refused && !is_known) || (!o.why && (is_refused || is_known))) {
            failed++;
            fprintf(stderr, "%s: %s\n", names[i],
                    o.why ? o.why : "as wanted, take it off the list");
        }
        arena_clear(&one);
    }
    print_message("%zu cases: %zu as wanted, %zu refused, %zu known differences, %zu wrong\n", n,
                  passed, refused, known, failed);
    arena_release(&one);
    arena_release(&a);
    assert_int_equal(failed, 0);
}

static void others_cases(void **state)
{
    play(SHARED_DATA "/sam");
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
