/* See work.h. Layer: pipeline, pure. */
#include "work.h"

#include <stdlib.h>

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Takes the next word off the front; false at the end. */
static bool next_word(struct str *rest, struct str *ret_word)
{
    size_t from = 0, to;
    while (from < rest->len && is_space(rest->p[from]))
        from++;
    for (to = from; to < rest->len && !is_space(rest->p[to]); to++)
        ;
    *ret_word = str_sub(*rest, from, to - from);
    *rest = str_sub(*rest, to, SIZE_MAX);
    return to > from;
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static enum err count_words(struct arena *a, struct str input, struct work_result *ret_result)
{
    struct str rest = input, word;
    size_t n = 0, at = 0, distinct = 0;
    while (next_word(&rest, &word))
        n++;
    struct str *words = ARENA_ARRAY(a, struct str, n + 1);
    if (!words)
        return ERR_NOMEM;
    for (rest = input; next_word(&rest, &word); at++)
        words[at] = word;
    qsort(words, n, sizeof *words, by_text);
    for (size_t i = 0; i < n; i++)
        distinct += i == 0 || !str_eq(words[i - 1], words[i]);
    *ret_result = (struct work_result){{{"words", (int64_t)n}, {"distinct", (int64_t)distinct}}};
    return ERR_OK;
}

static enum err add_numbers(struct arena *a, struct str input, struct work_result *ret_result,
                            struct str *ret_reason)
{
    struct str rest = input, word;
    int64_t n = 0, sum = 0, v;
    while (next_word(&rest, &word)) {
        n++;
        if (str_to_i64(word, &v) != ERR_OK)
            *ret_reason = str_fmt(a, "number %lld of the input is not a whole number of 64 bits",
                                  (long long)n);
        else if (__builtin_add_overflow(sum, v, &sum))
            *ret_reason =
                str_fmt(a, "with number %lld the sum takes more than 64 bits", (long long)n);
        else
            continue;
        return str_is_set(*ret_reason) ? ERR_INVALID : ERR_NOMEM;
    }
    *ret_result = (struct work_result){{{"numbers", n}, {"sum", sum}}};
    return ERR_OK;
}

enum err work_run(struct arena *a, struct str kind, struct str input,
                  struct work_result *ret_result, struct str *ret_reason)
{
    bool words = str_eq(kind, WORK_WORDS), sum = str_eq(kind, WORK_SUM);
    if (!words && !sum)
        *ret_reason = STR("its kind is neither words nor sum");
    else if (!str_is_set(input))
        *ret_reason = STR("it has no input that is text");
    else
        return words ? count_words(a, input, ret_result)
                     : add_numbers(a, input, ret_result, ret_reason);
    return ERR_INVALID;
}
