/* Runs a fuzz target over every file of a corpus folder, and over cheap mutations of each (cut,
 * flipped, doubled), so that the kept corpus is exercised by every test run without libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MUTATIONS_PER_FILE = 400, FILE_MAX = 1 << 20 };

static uint64_t state = 88172645463325252ull;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void mutate_and_run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size * 2 + 1);
    if (!copy)
        abort();
    for (int i = 0; i < MUTATIONS_PER_FILE; i++) {
        size_t n = size;
        memcpy(copy, data, size);
        for (uint64_t k = next() % 4 + 1; k > 0 && n > 0; k--) {
            size_t at = next() % n;
            switch (next() % 4) {
            case 0:
                copy[at] ^= (uint8_t)(1u << (next() % 8));
                break;
            case 1:
                copy[at] = (uint8_t)next();
                break;
            case 2:
                n = at;
                break;
            case 3:
                if (n < size * 2) {
                    memmove(copy + at + 1, copy + at, n - at);
                    n++;
                }
                break;
            }
        }
        /* An exact-size heap block, so that the sanitizer sees one byte too many. */
        uint8_t *exact = malloc(n ? n : 1);
        if (!exact)
            abort();
        memcpy(exact, copy, n);
        LLVMFuzzerTestOneInput(exact, n);
        free(exact);
    }
    free(copy);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    DIR *dir = opendir(argv[1]);
    if (!dir) {
        fprintf(stderr, "no corpus at %s\n", argv[1]);
        return 1;
    }
    size_t files = 0;
    struct dirent *e;
    static uint8_t data[FILE_MAX];
    while ((e = readdir(dir)) != NULL) {
        char path[4096];
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", argv[1], e->d_name);
        FILE *f = fopen(path, "rb");
        if (!f)
            continue;
        size_t n = fread(data, 1, sizeof(data), f);
        fclose(f);
        LLVMFuzzerTestOneInput(data, n);
        mutate_and_run(data, n);
        files++;
    }
    closedir(dir);
    printf("%zu corpus files, %d mutations each\n", files, MUTATIONS_PER_FILE);
    return files ? 0 : 1;
}
