#include "help_fault.h"

#include <assert.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

enum {
    STATE_MAX = 256 * 1024,
    TAKEN_MAX = 1024,
    PAD_MAX = 3500, /* with more the head gets a chunk of memory of its own */
    PAD_STEP = 700, /* $FAULT_PAD_STEP: finer, for a thorough and slow run */
    N_MAX = 400,    /* a request that makes more events of a kind than this is sampled no further */
};

struct run {
    const struct fault_case *c;
    struct world w;
    struct reply reply;
    char taken[TAKEN_MAX], taken_too[TAKEN_MAX];
    /* What the probes saw: at first, before the request, after it undisturbed, and now. */
    char first[STATE_MAX], old[STATE_MAX], after[STATE_MAX], now[STATE_MAX];
    char answer[STATE_MAX]; /* of an undisturbed run */
    int status;
    size_t attempts;
    bool as_first; /* what the probes saw last is the first state */
    /* Of the request's head: moves the chunk boundaries of its memory, where allocations fail. */
    size_t pad;
    int64_t passed_ms; /* of steps that say so */
};

/* Members whose values differ from run to run. */
static const char *const volatile_names[] = {
    "RequestId",
    "MessageId",
    "SubscriptionArn",
    "EventSourceMappingArn",
    "ReceiptHandle",
    "SequenceNumber",
    "LastModified",
    "CreationDate",
    "CreationDateTime",
    "LatestStreamLabel",
    "LatestStreamArn",
    "CreateDate",
    "UpdateDate",
    "AttachmentDate",
    "CreatedTimestamp",
    "TaskHandle",
    "LastModifiedTimestamp",
    "UploadId",
    "VersionId",
    "RoleId",
    "GroupId",
    "InstanceProfileId",
    "DeletionTaskId",
    "UserId",
    "PolicyId",
    "AccessKeyId",
    "SecretAccessKey",
    "SessionToken",
    "Expiration",
    "TableId",
    "nextSequenceToken",
    "ingestionTime",
    "eventId",
    "creationTime",
    "lastIngestionTime",
    "HostId",
    "Initiated",
    "IndexCreated",
    "LastUpdateDateTime",
    "LastIncreaseDateTime",
    "RevisionId",
    "LastDecreaseDateTime",
    "AssumedRoleId",
    "UUID",
    "uploadSequenceToken",
    "LastUpdateToPayPerRequestDateTime",
    "LastUpdatedDate",
    "CreatedDate",
    "CurrentKeyMaterialId",
    "KeyMaterialId",
    "CiphertextBlob",
    "DeletionDate",
    "NextRotationDate",
    "GrantId",
    "GrantToken",
    "RotationDate",
    "CreationTime",
    "FunctionUrl",
    "LastModifiedTime",
    "EventId",
    "LastModificationDate",
    "ConnectionArn",
    "LastAuthorizedTime",
    "AlarmConfigurationUpdatedTimestamp",
    "StateUpdatedTimestamp",
    "StateTransitionedTimestamp",
};

/* What a service draws at random, and when it did. */
static const char *const drawn_names[] = {
    "id",          "rootResourceId",  "parentId",          "deploymentId", "cacheNamespace",
    "createdDate", "lastUpdatedDate", "queryDefinitionId", "lastModified", "GeneratedTime",
};

/* Of a case that is `numbered`, these, too. */
static const char *const number_names[] = {"Version", "LayerVersionArn"};

/* Whether one of the names, quoted or tagged, begins at s[1]; its length. */
static size_t name_at(const char *s, const char *const *names, size_t n)
{
    if (*s != '"' && *s != '<')
        return 0;
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(names[i]);
        if (strncmp(s + 1, names[i], len) == 0 && s[1 + len] == (*s == '"' ? '"' : '>'))
            return len;
    }
    return 0;
}

static const char *skip_value(const char *s, bool json)
{
    if (!json)
        return s + strcspn(s, "<");
    s += strspn(s, ": ");
    if (*s != '"')
        return s + strcspn(s, ",}]");
    for (s++; *s && *s != '"'; s++)
        if (*s == '\\' && s[1])
            s++;
    return *s ? s + 1 : s;
}

/* Appends `text` to `out` without what differs from run to run. */
static void add_stable(const struct run *r, char *out, const char *text)
{
    char *o = out + strlen(out);
    for (const char *s = text; *s;) {
        size_t len = name_at(s, volatile_names, ARRAY_LEN(volatile_names));
        if (!len && r->c->numbered)
            len = name_at(s, number_names, ARRAY_LEN(number_names));
        if (!len && r->c->drawn)
            len = name_at(s, drawn_names, ARRAY_LEN(drawn_names));
        assert((size_t)(o - out) + len + 3 < STATE_MAX);
        if (!len) {
            *o++ = *s++;
            continue;
        }
        bool json = *s == '"';
        memcpy(o, s, len + 2);
        o += len + 2;
        s = skip_value(s + len + 2, json);
    }
    *o = '\0';
}

/* `text` with the values for every "%s" and "%t". */
static const char *expand(const char *text, const struct run *r, char *space, size_t size)
{
    size_t n = 0;
    if (!text || !(strstr(text, "%s") || strstr(text, "%t")))
        return text;
    for (; *text; text++) {
        bool mark = text[0] == '%' && (text[1] == 's' || text[1] == 't');
        const char *value = text[1] == 's' ? r->taken : r->taken_too;
        if (mark)
            n += (size_t)snprintf(space + n, size - n, "%s", value);
        else if (n < size)
            space[n++] = *text;
        text += mark;
        assert(n < size);
    }
    space[n] = '\0';
    return space;
}

/* Remembers the text behind `mark` in the reply, if it is there. */
static void take(const struct run *r, const char *mark, char taken[TAKEN_MAX])
{
    const char *at = mark ? strstr(r->reply.body, mark) : NULL;
    if (!at)
        return;
    at += strlen(mark);
    size_t len = strcspn(at, "\"<");
    assert(len < TAKEN_MAX);
    memcpy(taken, at, len);
    taken[len] = '\0';
}

static void play(struct run *r, const struct step *s)
{
    char path[2 * TAKEN_MAX], body[8192];
    struct request req = s->req;
    if (s->pass_ms) {
        r->passed_ms += s->pass_ms;
        clock_fake_skew_ms(r->passed_ms);
    }
    req.path = expand(req.path, r, path, sizeof(path));
    req.body = expand(req.body, r, body, sizeof(body));
    req.pad = r->pad;
    world_call(&r->w, &req, &r->reply);
    take(r, s->take, r->taken);
    take(r, s->take_too, r->taken_too);
}

static void play_all(struct run *r, const struct step *steps, bool must_work)
{
    for (size_t i = 0; i < FAULT_STEPS_MAX && steps[i].req.service; i++) {
        play(r, &steps[i]);
        if (must_work && (r->reply.status < 200 || r->reply.status >= 300)) {
            fprintf(stderr, "%s: setup step %zu: %d %s\n", r->c->name, i, r->reply.status,
                    r->reply.body);
            abort();
        }
    }
}

static void probe(struct run *r, char state[STATE_MAX])
{
    state[0] = '\0';
    for (size_t i = 0; i < FAULT_STEPS_MAX && r->c->probe[i].req.service; i++) {
        char line[32];
        play(r, &r->c->probe[i]);
        snprintf(line, sizeof(line), "\n%d ", r->reply.status);
        strcat(state, line);
        add_stable(r, state, r->reply.body);
    }
}

static void complain(struct run *r, enum fault_kind kind, uint64_t n, const char *what)
{
    fprintf(stderr,
            "%s: %s %llu: %s\n--- reply %d %s\n--- answer when undisturbed %d %s\n--- before %s\n"
            "--- after when undisturbed %s\n--- now %s\n",
            r->c->name, fault_name(kind), (unsigned long long)n, what, r->reply.status,
            r->reply.body, r->status, r->answer, r->old, r->after, r->now);
    abort();
}

/* Back to the first state. After a failure that left it, what follows is the client's next try of the same. */
static void rewind_(struct run *r, enum fault_kind kind, uint64_t n)
{
    if (r->as_first)
        return;
    play_all(r, r->c->undo, false);
    probe(r, r->now);
    if (strcmp(r->now, r->first) != 0)
        complain(r, kind, n, "the state of before cannot be had back");
    if (!r->c->before[0].req.service) {
        strcpy(r->old, r->now);
        return;
    }
    play_all(r, r->c->before, true);
    probe(r, r->old);
}

static bool may_hang_up(enum fault_kind kind)
{
    return kind == FAULT_MEMORY || kind == FAULT_READ || kind == FAULT_PREAD ||
           kind == FAULT_OPEN || kind == FAULT_FSTAT;
}

/* One attempt with one failure; whether it came to the failure. */
static bool attempt(struct run *r, enum fault_kind kind, uint64_t n, size_t pad)
{
    static char answer[STATE_MAX];
    rewind_(r, kind, n);
    fault_arm(&r->w, kind, n);
    r->pad = pad;
    play(r, &r->c->act);
    r->pad = 0;
    bool hit = fault_disarm(&r->w);
    int status = r->reply.status;
    answer[0] = '\0';
    add_stable(r, answer, r->reply.body);
    r->attempts++;
    bool good = status == r->status;
    if (!good && status < 500 && !(status == 0 && may_hang_up(kind)))
        complain(r, kind, n, "neither the right reply nor an error of the server");
    if (good && !r->c->any_reply && strcmp(answer, r->answer) != 0)
        complain(r, kind, n, "the reply says something else");
    if (!hit && !good)
        complain(r, kind, n, "an error without a failure");
    probe(r, r->now);
    bool is_new = strcmp(r->now, r->after) == 0, is_old = strcmp(r->now, r->old) == 0;
    if (good ? !is_new : !is_new && !is_old) {
        r->reply.status = status;
        strcpy(r->reply.body, answer);
        complain(r, kind, n, good ? "success, but not done" : "half done");
    }
    r->as_first = !good && is_old && !is_new && !r->c->before[0].req.service;
    return hit;
}

/* An undisturbed run: what is right. */
static void learn(struct run *r)
{
    probe(r, r->first);
    play_all(r, r->c->before, true);
    play(r, &r->c->act);
    r->status = r->reply.status;
    add_stable(r, r->answer, r->reply.body);
    if (r->status < 200 || r->status >= 300) {
        fprintf(stderr, "%s: undisturbed: %d %s\n", r->c->name, r->status, r->reply.body);
        abort();
    }
    probe(r, r->after);
}

/* No failure may leave a file that belongs to nothing, once the cleaner had its turn. */
static void check_files(struct run *r)
{
    int64_t until = clock_mono_ns() + INT64_C(20000000000);
    while (world_files(&r->w) != r->c->n_files) {
        if (clock_mono_ns() > until) {
            fprintf(stderr, "%s: %zu files are left instead of %zu\n", r->c->name,
                    world_files(&r->w), r->c->n_files);
            abort();
        }
        sched_yield();
    }
}

/* Every kind, every n; then a restart must show what was there. */
static void run_case(const struct fault_case *c)
{
    static struct run run;
    struct run *r = &run;
    struct timespec t0, t1;
    clock_gettime(CLOCK_MONOTONIC, &t0);
    *r = (struct run){.c = c};
    snprintf(r->taken, sizeof(r->taken), "%lld", (long long)time(NULL)); /* for log events */
    world_make(&r->w);
    world_up(&r->w);
    r->w.core.cfg.queue_held_ms = c->queue_held_ms;
    play_all(r, c->setup, true);
    learn(r);
    const char *step = getenv("FAULT_PAD_STEP");
    for (size_t pad = 0; pad < PAD_MAX; pad += step ? strtoul(step, NULL, 10) : PAD_STEP)
        for (uint64_t n = 1; n < N_MAX && attempt(r, FAULT_MEMORY, n, pad); n++)
            ;
    for (enum fault_kind kind = FAULT_KV; kind < (c->files ? FAULT_KINDS : FAULT_OPEN); kind++)
        for (uint64_t n = 1; n < N_MAX && attempt(r, kind, n, 0); n++)
            ;
    r->as_first = false;
    rewind_(r, FAULT_MEMORY, 0);
    play(r, &c->act);
    probe(r, r->now);
    if (strcmp(r->now, r->after) != 0)
        complain(r, FAULT_MEMORY, 0, "no longer works");
    world_down(&r->w);
    world_up(&r->w);
    r->w.core.cfg.queue_held_ms = c->queue_held_ms;
    probe(r, r->now);
    if (strcmp(r->now, r->after) != 0)
        complain(r, FAULT_MEMORY, 0, "a restart shows something else");
    if (c->files)
        check_files(r);
    world_down(&r->w);
    world_remove(&r->w);
    if (r->passed_ms)
        clock_fake_skew_ms(0);
    reply_free(&r->reply);
    clock_gettime(CLOCK_MONOTONIC, &t1);
    fprintf(stderr, "%s: %zu attempts, %ld ms\n", c->name, r->attempts,
            (t1.tv_sec - t0.tv_sec) * 1000 + (t1.tv_nsec - t0.tv_nsec) / 1000000);
}

void fault_run(const struct fault_case *cases, size_t n)
{
    const char *only = getenv("FAULT_CASE");
    for (size_t i = 0; i < n; i++)
        if (!only || strcmp(only, cases[i].name) == 0)
            run_case(&cases[i]);
}
