/* The program of a folder's tests: UNIT_FOLDER begins its names, UNITS lists its tests as UNIT(test_x). */
#include <stdio.h>
#include <string.h>

#define UNIT(name) int name##_main(void);
UNITS
#undef UNIT
#define UNIT(name) {UNIT_FOLDER #name, name##_main},
static const struct {
    const char *name;
    int (*main)(void);
} tests[] = {UNITS};

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash ? slash + 1 : argv[0];
    for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
        if (strcmp(name, tests[i].name) == 0)
            return tests[i].main();
    fprintf(stderr, "%s: no such test; call me by one of these names:\n", name);
    for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
        fprintf(stderr, "  %s\n", tests[i].name);
    return 2;
}
