/* Runs: who is ready, who is busy, who sleeps. See cloudformation_run.h for the states.
 *
 * Layer: svc/cloudformation. Thread: the home loop. */
#include <assert.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "deliver/deliver.h"
#include "svc/cloudformation/cloudformation_run.h"

static void pump(struct cfn_run *run);
static void node_start(struct cfn_node *node);

/* --- nodes -------------------------------------------------------------------------------------- */

static void node_over(struct cfn_node *node, enum cfn_node_state state)
{
    struct cfn_run *run = node->run;
    node->state = state;
    run->left--;
    if (state == CFN_FAILED) {
        bool apart = node->creates && run->stack.status == CFN_UPDATE_IN_PROGRESS;
        struct buf *list = apart ? &run->not_made : &run->failures;
        run->failed = true;
        if (list->len)
            BUF_ADD_LIT(list, ", ");
        buf_add_str(list, node->id);
        return;
    }
    for (size_t i = 0; i < node->n_next; i++) {
        struct cfn_node *next = &run->nodes[node->next[i]];
        assert(next->waits > 0);
        if (--next->waits == 0 && next->state == CFN_WAITING)
            next->state = CFN_READY;
    }
}

static void forget_result(struct cfn_node *node)
{
    node->has_result = node->outside = false;
    node->text = node->wants = STR_NONE;
    arena_release(&node->arena);
    arena_init(&node->arena, CFN_RUN_MEMORY);
}

static enum err dup_all(struct arena *a, struct str *const *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (v[i]->p)
            *v[i] = str_dup(a, *v[i]);
    return a->failed ? ERR_NOMEM : ERR_OK;
}

static void outside_done(void *arg, const struct core_result *r)
{
    struct cfn_node *node = arg;
    struct core_result *kept = &node->result;
    node->inner = NULL;
    *kept = *r;
    struct str *const texts[] = {&kept->output,  &kept->body,    &kept->content_type, &kept->code,
                                 &kept->message, &kept->details, &kept->request_id};
    enum err err = dup_all(&node->arena, texts, ARRAY_LEN(texts));
    if (err == ERR_OK && str_is_set(node->wants)) {
        node->text = r->err == ERR_OK ? (kept->body.p ? kept->body : STR("")) : STR_NONE;
        if (r->err == ERR_OK)
            node->wants = STR_NONE;
    }
    node->has_result = err == ERR_OK && (r->err == ERR_OK || r->err == ERR_FAILED);
    node->run->busy--;
    node->state = CFN_READY;
    if (!node->has_result) {
        node->state = CFN_SLEEPING; /* the environment's: again, later */
        node->wake_ms = clock_now_ms() + CFN_RETRY_MS;
    }
    pump(node->run);
}

/* The call that cannot be in a transaction, or a text by its address. */
static void node_call(struct cfn_node *node)
{
    if (core_call(node->run->c->core, &node->request, outside_done, node, &node->inner) != ERR_OK) {
        node->run->busy--;
        node->state = CFN_SLEEPING;
        node->wake_ms = clock_now_ms() + CFN_RETRY_MS;
        pump(node->run);
    }
}

/* The environment failed a step: it is tried again some times, then it is the resource's failure. */
static void node_error(struct cfn_node *node, enum err err)
{
    struct cfn_run *run = node->run;
    if (err == ERR_CLOSED) {
        node->state = CFN_SLEEPING; /* the run ends, or goes on without it */
        node->wake_ms = 0;
        return;
    }
    node->errors++;
    node->state = CFN_SLEEPING;
    node->wake_ms = clock_now_ms() + CFN_RETRY_MS * node->errors;
    (void)run;
}

static void node_stepped(void *arg, enum err err)
{
    struct cfn_node *node = arg;
    struct cfn_run *run = node->run;
    if (err == ERR_OK && node->end == CFN_STEP_CALL) {
        node_call(node);
        return;
    }
    run->busy--;
    if (err == ERR_FAILED) {
        node->state = CFN_READY; /* again, with what came out */
    } else if (err) {
        node_error(node, err);
    } else {
        node->errors = 0;
        forget_result(node);
        if (node->end == CFN_STEP_MORE)
            node->state = CFN_READY;
        else if (node->end == CFN_STEP_WAIT)
            node->state = CFN_SLEEPING;
        else
            node_over(node, node->end == CFN_STEP_DONE ? CFN_DONE : CFN_FAILED);
    }
    pump(run);
}

static void node_start(struct cfn_node *node)
{
    struct cfn_run *run = node->run;
    struct core *core = run->c->core;
    node->state = CFN_BUSY;
    node->poked = false;
    run->busy++;
    if (!node->token[0])
        rng_text(node->token, TYPE_TOKEN_LEN,
                 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    if (txn_run(core, core_home_loop(core), cfn_node_step, node, node_stepped) != ERR_OK) {
        run->busy--;
        node_error(node, ERR_NOMEM);
    }
}

/* --- the run ------------------------------------------------------------------------------------ */

static void clear_nodes(struct cfn_run *run)
{
    for (size_t i = 0; i < run->n; i++)
        arena_release(&run->nodes[i].arena);
    run->nodes = NULL;
    run->n = run->busy = run->left = 0;
    arena_release(&run->arena);
}

/* Nothing of it runs any more. */
static void run_over(struct cfn_run *run)
{
    struct due_fire *fire = run->fire;
    io_timer_stop(&run->timer);
    clear_nodes(run);
    run->fire = NULL;
    run->advancing = false;
    job_continue(fire);
}

static void advanced(void *arg, enum err err)
{
    struct cfn_run *run = arg;
    if (err && err != ERR_CLOSED && ++run->errors < CFN_RETRIES &&
        io_timer_start(&run->timer, CFN_RETRY_MS) == ERR_OK) {
        run->advancing = false;
        return;
    }
    run_over(run);
}

static void advance(struct cfn_run *run)
{
    struct core *core = run->c->core;
    run->advancing = true;
    if (txn_run(core, core_home_loop(core), cfn_phase_advance, run, advanced) != ERR_OK)
        run_over(run);
}

static bool is_forward(const struct cfn_run *run)
{
    return run->stack.status == CFN_CREATE_IN_PROGRESS ||
           run->stack.status == CFN_UPDATE_IN_PROGRESS;
}

/* Something failed, so nothing more is begun; deletions go on, where they do not wait for it. */
static bool stops(const struct cfn_run *run)
{
    return run->stale || (run->failed && is_forward(run)) || run->c->core->stopping;
}

/* Wakes whose time has come; the next moment, 0: none. */
static int64_t wake_some(struct cfn_run *run, int64_t now)
{
    int64_t next = 0;
    for (size_t i = 0; i < run->n; i++) {
        struct cfn_node *node = &run->nodes[i];
        if (node->state != CFN_SLEEPING)
            continue;
        if (node->poked || (node->wake_ms && node->wake_ms <= now))
            node->state = CFN_READY;
        else if (node->wake_ms && (!next || node->wake_ms < next))
            next = node->wake_ms;
    }
    return next;
}

static void start_some(struct cfn_run *run)
{
    for (size_t i = 0; i < run->n && run->busy < CFN_RESOURCES_AT_ONCE; i++)
        if (run->nodes[i].state == CFN_READY)
            node_start(&run->nodes[i]);
}

/* Those that sleep are told that the others failed: their work ends as cancelled. True when there were any. */
static bool cancel_sleepers(struct cfn_run *run)
{
    bool any = false;
    for (size_t i = 0; i < run->n; i++) {
        struct cfn_node *node = &run->nodes[i];
        bool begun = node->state == CFN_SLEEPING || (node->state == CFN_READY && node->token[0]);
        if (!begun)
            continue;
        node->cancel = any = true;
        node_start(node);
    }
    return any;
}

static bool has_ready(const struct cfn_run *run)
{
    for (size_t i = 0; i < run->n; i++)
        if (run->nodes[i].state == CFN_READY || run->nodes[i].state == CFN_SLEEPING)
            return true;
    return false;
}

static void pump(struct cfn_run *run)
{
    int64_t now = clock_now_ms(), next;
    if (run->advancing || !run->fire)
        return;
    if (stops(run)) {
        if (run->busy)
            return;
        if (run->stale || run->c->core->stopping)
            run_over(run);
        else if (!cancel_sleepers(run))
            advance(run);
        return;
    }
    if (run->stack.timeout_min > 0 && run->stack.status == CFN_CREATE_IN_PROGRESS) {
        int64_t deadline = run->stack.op_ms + run->stack.timeout_min * 60 * 1000;
        if (now >= deadline) {
            run->failed = true;
            run->why = STR("Stack creation time exceeded the specified timeout. ");
            pump(run);
            return;
        }
        next = deadline;
    }
    next = wake_some(run, now);
    start_some(run);
    if (run->busy == 0 && !has_ready(run))
        advance(run);
    else if (next && io_timer_start(&run->timer, max_i64(next - now, 1)) != ERR_OK)
        run->stale = true; /* the job begins it anew */
}

static void timer_fired(struct io_timer *timer)
{
    pump(timer->arg);
}

static void loaded(void *arg, enum err err)
{
    struct cfn_run *run = arg;
    if (err) { /* nothing is in progress, or the job tries again */
        run_over(run);
        return;
    }
    run->left = run->n;
    for (size_t i = 0; i < run->n; i++) {
        run->nodes[i].run = run;
        arena_init(&run->nodes[i].arena, CFN_RUN_MEMORY);
        run->nodes[i].state = run->nodes[i].waits ? CFN_WAITING : CFN_READY;
    }
    pump(run);
}

/* --- the job ------------------------------------------------------------------------------------ */

static struct cfn_run *run_new(struct cfn *c, struct str uuid, struct str scope)
{
    struct cfn_run *run = mem_calloc(1, sizeof(*run));
    struct str account = str_cut(&scope, '/');
    if (!run)
        return NULL;
    if (uuid.len != CFN_UUID_LEN || account.len != ARN_ACCOUNT_LEN ||
        scope.len >= sizeof(run->region)) {
        mem_free(run);
        return NULL;
    }
    run->c = c;
    memcpy(run->uuid, uuid.p, uuid.len);
    memcpy(run->account, account.p, account.len);
    memcpy(run->region, scope.p, scope.len);
    arena_init(&run->arena, CFN_RUN_MEMORY);
    io_timer_init(&run->timer, core_home_loop(c->core), timer_fired, run);
    run->next = c->runs->first;
    c->runs->first = run;
    return run;
}

static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct cfn *c = self;
    struct cfn_stack s;
    (void)budget;
    enum err err = cfn_stack_read(txn, cfn_job_scope(job->argument), job->key, &s);
    if (err != ERR_NOT_FOUND)
        TRY(err);
    if (err == ERR_NOT_FOUND || !cfn_in_progress(s.status)) {
        *ret_state = JOB_DONE;
        return ERR_OK;
    }
    if (!job->user && !(job->user = run_new(c, job->key, job->argument)))
        return ERR_NOMEM;
    *ret_state = JOB_RUN;
    return ERR_OK;
}

static void begin_run(void *self, struct due_fire *fire)
{
    struct cfn *c = self;
    struct cfn_run *run = fire->user;
    run->fire = fire;
    run->stale = run->failed = run->cancelled = false;
    run->why = STR_NONE;
    run->errors = 0;
    if (txn_run(c->core, core_home_loop(c->core), cfn_phase_load, run, loaded) != ERR_OK)
        run_over(run);
}

static void release_run(void *self, void *user)
{
    struct cfn_run *run = user; /* the service may be gone by now, and then has let go of it */
    (void)self;
    for (struct cfn_run **at = run->c ? &run->c->runs->first : NULL; at && *at; at = &(*at)->next)
        if (*at == run) {
            *at = run->next;
            break;
        }
    io_timer_stop(&run->timer);
    clear_nodes(run);
    mem_free(run);
}

enum err cfn_run_register(struct cfn *c)
{
    const struct job_def def = {
        .name = "cloudformation.stack",
        .self = c,
        .step = step,
        .run = begin_run,
        .release = release_run,
        .at_once = CFN_STACKS_AT_ONCE,
    };
    c->runs = mem_calloc(1, sizeof(*c->runs));
    if (!c->runs)
        return ERR_NOMEM;
    c->runs->pump = pump;
    return job_register(deliver_due(c->core->deliver), &def, &c->jobs);
}

void cfn_run_release(struct cfn *c)
{
    for (struct cfn_run *run = c->runs ? c->runs->first : NULL; run; run = run->next)
        run->c = NULL;
    mem_free(c->runs);
    c->runs = NULL;
}
