#include "cli/show.h"

#include <ctype.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { NAMES_BYTES_MAX = 64 * 1024, WIDTH_MIN = 40, NAME_WIDTH_MAX = 40 };

#define RED "\x1b[31m"
#define GREEN "\x1b[32m"
#define YELLOW "\x1b[33m"
#define PLAIN "\x1b[0m"
#define ERASE_BELOW "\x1b[J"

void show_text(FILE *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        putc((unsigned char)text.p[i] < ' ' || text.p[i] == 127 ? ' ' : text.p[i], out);
}

enum err show_init(struct show *s, struct arena *a, FILE *out, struct str stack_id)
{
    struct winsize size = {0};
    *s = (struct show){.arena = a, .out = out, .width = 80, .height = 24};
    s->terminal = isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &size) == 0;
    if (size.ws_col >= WIDTH_MIN && size.ws_row > 2) {
        s->width = size.ws_col;
        s->height = size.ws_row;
    }
    s->colours = s->terminal && !getenv("NO_COLOR");
    buf_init_arena(&s->undone, a, NAMES_BYTES_MAX);
    buf_init_arena(&s->left, a, NAMES_BYTES_MAX);
    s->stack_id = str_dup(a, stack_id);
    s->rows = ARENA_ARRAY(a, struct show_row, SHOW_ROWS_MAX);
    return s->rows && str_is_set(s->stack_id) ? ERR_OK : ERR_NOMEM;
}

/* --- events ----------------------------------------------------------------------------------------- */

static bool is_failure(struct str status)
{
    return str_ends(status, STR("_FAILED"));
}

static struct show_row *row_of(struct show *s, struct str logical)
{
    for (size_t i = 0; i < s->n; i++)
        if (str_eq(s->rows[i].logical, logical))
            return &s->rows[i];
    if (s->n == SHOW_ROWS_MAX)
        return NULL;
    s->rows[s->n].logical = str_dup(s->arena, logical);
    return &s->rows[s->n++];
}

static void add_name(struct buf *b, struct str name)
{
    buf_add_fmt(b, "%s" STR_FMT, b->len ? ", " : "", STR_ARG(name));
}

/* Who was stopped because another failed says "Resource creation cancelled". */
static bool failed_by_itself(const struct stack_event *e)
{
    return is_failure(e->status) && str_find_str(e->reason, STR("cancelled")) == SIZE_MAX;
}

static void learn(struct show *s, const struct stack_event *e, const struct show_row *kept)
{
    if (str_eq(e->physical, s->stack_id)) {
        s->status = kept->status;
        s->going_back |= str_find_str(e->status, STR("ROLLBACK_IN_PROGRESS")) != SIZE_MAX;
        if (is_failure(e->status) && !str_is_set(s->fault.logical))
            s->fault = *kept;
        return;
    }
    if (failed_by_itself(e) && !str_is_set(s->fault.logical))
        s->fault = *kept;
    if (s->going_back && is_failure(e->status))
        add_name(&s->left, e->logical);
    else if (s->going_back && str_ends(e->status, STR("_COMPLETE")))
        add_name(&s->undone, e->logical);
}

static const char *colour(const struct show *s, struct str status)
{
    if (!s->colours)
        return "";
    return is_failure(status) || str_find_str(status, STR("ROLLBACK")) != SIZE_MAX ? RED
           : str_ends(status, STR("_COMPLETE"))                                    ? GREEN
                                                                                   : YELLOW;
}

static void print_line(const struct show *s, const struct show_row *row)
{
    show_text(s->out, row->logical);
    fputs("  ", s->out);
    show_text(s->out, row->type);
    fputs("  ", s->out);
    show_text(s->out, row->status);
    if (row->reason.len) {
        fputs("  ", s->out);
        show_text(s->out, row->reason);
    }
    fputc('\n', s->out);
    fflush(s->out);
}

enum err show_event(struct show *s, const struct stack_event *e)
{
    struct show_row now = {str_dup(s->arena, e->logical), str_dup(s->arena, e->type),
                           str_dup(s->arena, e->status), str_dup(s->arena, e->reason)};
    if (s->arena->failed)
        return ERR_NOMEM;
    learn(s, e, &now);
    if (!s->terminal)
        print_line(s, &now);
    struct show_row *row = row_of(s, e->logical);
    if (row)
        *row = now;
    return s->arena->failed ? ERR_NOMEM : ERR_OK;
}

/* --- the table --------------------------------------------------------------------------------------- */

static size_t name_width(const struct show *s)
{
    size_t width = 0;
    for (size_t i = 0; i < s->n; i++)
        if (s->rows[i].logical.len > width)
            width = s->rows[i].logical.len;
    return min_size(width, NAME_WIDTH_MAX);
}

/* At most `max` characters of a text, of which `*left` is what the line still holds. */
static void put_cut(const struct show *s, struct str text, size_t max, size_t *left)
{
    struct str piece = str_sub(text, 0, min_size(max, *left));
    show_text(s->out, piece);
    *left -= piece.len;
}

static void put_spaces(const struct show *s, size_t n, size_t *left)
{
    for (n = min_size(n, *left); n; n--, --*left)
        fputc(' ', s->out);
}

static void draw_row(const struct show *s, const struct show_row *row, size_t names)
{
    static const size_t status_width = sizeof("UPDATE_ROLLBACK_IN_PROGRESS") - 1;
    size_t left = s->width - 1;
    put_cut(s, row->logical, names, &left);
    put_spaces(s, names + 2 - min_size(names, row->logical.len), &left);
    fputs(colour(s, row->status), s->out);
    put_cut(s, row->status, status_width, &left);
    fputs(s->colours ? PLAIN : "", s->out);
    put_spaces(s, status_width + 2 - min_size(status_width, row->status.len), &left);
    put_cut(s, row->reason.len ? row->reason : row->type, SIZE_MAX, &left);
    fputc('\n', s->out);
}

/* Resources that are done go first when the terminal is too low for all. */
static bool is_shown(const struct show *s, const struct show_row *row)
{
    return s->n + 2 <= s->height || !str_ends(row->status, STR("_COMPLETE"));
}

void show_draw(struct show *s)
{
    if (!s->terminal)
        return;
    size_t names = name_width(s), lines = 0, done = 0;
    if (s->drawn)
        fprintf(s->out, "\x1b[%zuA" ERASE_BELOW, s->drawn);
    for (size_t i = 0; i < s->n; i++) {
        if (lines + 3 <= s->height && is_shown(s, &s->rows[i])) {
            draw_row(s, &s->rows[i], names);
            lines++;
        } else {
            done++;
        }
    }
    if (done)
        fprintf(s->out, "(and %zu more)\n", done);
    s->drawn = lines + (done != 0);
    fflush(s->out);
}

/* --- failure ----------------------------------------------------------------------------------------- */

static const char *state_now(struct str status)
{
    static const struct {
        const char *status, *words;
    } rows[] = {
        {"ROLLBACK_COMPLETE",
         "nothing of it is left but its record: deploying again makes it anew"},
        {"UPDATE_ROLLBACK_COMPLETE", "it is what it was before"},
        {"ROLLBACK_FAILED", "what could not be removed is still there: see weir destroy"},
        {"UPDATE_ROLLBACK_FAILED",
         "it is between two states: remedy the reason, then aws cloudformation "
         "continue-update-rollback"},
        {"DELETE_FAILED",
         "what could not be removed is still there: remedy the reason, and do it again"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq_c(status, rows[i].status))
            return rows[i].words;
    return "it stays as it is now";
}

static void print_names(FILE *out, const char *what, const struct buf *names)
{
    if (!names->len)
        return;
    fprintf(out, "  %s: ", what);
    show_text(out, buf_str(names));
    fputc('\n', out);
}

void show_failure(struct show *s, struct str stack_name)
{
    FILE *out = s->out;
    fprintf(out, "weir: " STR_FMT " is " STR_FMT ": %s\n", STR_ARG(stack_name), STR_ARG(s->status),
            state_now(s->status));
    if (str_is_set(s->fault.logical)) {
        fputs("  ", out);
        print_line(s, &s->fault);
    }
    print_names(out, "rolled back", &s->undone);
    print_names(out, "not rolled back", &s->left);
    fflush(out);
}
