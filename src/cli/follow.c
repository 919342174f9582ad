#include "cli/follow.h"

#include <poll.h>
#include <signal.h>

#include "base/clock.h"

enum { PAGE_ARENA_BYTES = 256 * 1024 * 1024 };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    interrupted = 1;
}

bool follow_pause(const struct aws *aws)
{
    (void)poll(NULL, 0, aws->is_local ? FOLLOW_LOCAL_MS : FOLLOW_AWS_MS);
    return !interrupted;
}

/* Takes the events after *after, which moves on. */
static enum err look(struct aws *aws, struct show *show, struct str *after)
{
    struct arena a;
    struct stack_event *v;
    size_t n = 0;
    arena_init(&a, PAGE_ARENA_BYTES);
    enum err err = stack_events(aws, &a, show->stack_id, *after, &v, &n);
    for (size_t i = 0; !err && i < n; i++)
        err = show_event(show, &v[i]);
    if (!err && n) {
        *after = str_dup(show->arena, v[n - 1].id);
        err = str_is_set(*after) ? ERR_OK : ERR_NOMEM;
        show_draw(show);
    }
    arena_release(&a);
    return err;
}

static bool is_away(enum err err)
{
    return err == ERR_CLOSED || err == ERR_TIMEOUT || err == ERR_INVALID;
}

static bool has_ended(const struct show *show)
{
    return show->status.len && !str_ends(show->status, STR("_IN_PROGRESS"));
}

static enum follow_end until_ended(struct aws *aws, struct show *show, struct str after)
{
    int64_t away_since = 0;
    while (!has_ended(show)) {
        enum err err = look(aws, show, &after);
        int64_t now = clock_mono_ns() / 1000000;
        if (err && !is_away(err) && !interrupted)
            return FOLLOW_LOST;
        if (err && !interrupted && !away_since) {
            fprintf(show->out, "weir: %s; waiting for it\n", aws->why);
            show->drawn = 0;
            away_since = now;
        }
        if (!err)
            away_since = 0;
        if (away_since && now - away_since > FOLLOW_AWAY_MAX_MS)
            return FOLLOW_LOST;
        if (has_ended(show))
            break;
        if (!follow_pause(aws))
            return FOLLOW_INTERRUPTED;
    }
    return FOLLOW_ENDED;
}

enum follow_end follow_stack(struct aws *aws, struct show *show, struct str after)
{
    struct sigaction ours = {.sa_handler = on_interrupt}, before;
    sigemptyset(&ours.sa_mask);
    interrupted = 0;
    (void)sigaction(SIGINT, &ours, &before);
    enum follow_end end = until_ended(aws, show, after);
    (void)sigaction(SIGINT, &before, NULL);
    return end;
}
