/* The manager: makes the helper process, says what the host refuses, stops everything. See
 * sandbox.h.
 *
 * Layer: sandbox. Thread: the home loop. */
#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "sandbox/sandbox_int.h"

enum err sandbox_new(struct core *core, const struct sandbox_options *opts,
                     struct sandbox **ret_sandbox)
{
    struct sandbox *sb = mem_calloc(1, sizeof *sb);
    if (!sb)
        return ERR_NOMEM;
    sb->core = core;
    sb->told = &sandbox_instance_told;
    sb->fd = -1;
    sb->network = opts ? opts->network : SANDBOX_NETWORK_HOST;
    sb->real_aws = opts && opts->real_aws;
    sb->allow_unisolated = opts && opts->allow_unisolated;
    sb->require_isolation = (opts && opts->require_isolation) || core->cfg.require_isolation;
    list_init(&sb->instances);
    int n = opts && opts->work_dir
                ? snprintf(sb->work_dir, sizeof sb->work_dir, "%s", opts->work_dir)
                : snprintf(sb->work_dir, sizeof sb->work_dir, STR_FMT "/sandbox",
                           STR_ARG(core->cfg.data_dir));
    sandbox_plan_find_runtime_dir(sb->runtime_dir, opts ? opts->runtime_dir : NULL);
    sb->places.data_dir = core->cfg.data_dir;
    if (opts) {
        sb->places.given = opts->runtimes;
        sb->places.n_given = opts->n_runtimes;
        sb->substitutes = opts->runtime_substitutes;
    }
    int pid = 0;
    enum err err =
        n < 0 || n >= (int)sizeof sb->work_dir
            ? ERR_LIMIT
            : sandbox_zygote_fork(sb->work_dir, sb->network != SANDBOX_NETWORK_HOST, &sb->fd, &pid);
    if (err != ERR_OK) {
        mem_free(sb);
        return err;
    }
    sb->pid = pid;
    *ret_sandbox = sb;
    return ERR_OK;
}

static const char *stage_name(int stage)
{
    static const char *const names[] = {"clone",  "network", "mounts",       "root folder",
                                        "/proc",  "user",    "capabilities", "system call filter",
                                        "limits", "fork",    "exec",         "running"};
    return stage >= 0 && (size_t)stage < ARRAY_LEN(names) ? names[stage] : "?";
}

static bool log_network(const struct sandbox *sb)
{
    const struct zygote_ready *r = &sb->ready;
    if (r->host.network)
        return true;
    if (sb->network == SANDBOX_NETWORK_HOST) {
        log_warn("sandbox", "functions share the host's network, as was asked for: they reach what "
                            "listens on its loopback, and AWS's names lead to AWS");
        return false;
    }
    log_warn(
        "sandbox",
        "functions share the host's network: this host refuses them one of their own (%s: %s). "
        "They reach what listens on its loopback, and AWS's names lead to AWS",
        stage_name(r->failed_stage), strerror(r->failed_errno));
    return false;
}

/* One line for each kind of isolation that this host refuses; whether there was none. */
static bool log_refused(const struct sandbox *sb)
{
    const struct zygote_ready *r = &sb->ready;
    bool complete = true;
    if (!r->host.namespaces) {
        const char *why = strerror(r->failed_errno), *stage = stage_name(r->failed_stage);
        const char *open = r->host.own_uid
                               ? "every file that is open to all users, the arguments of every "
                                 "process"
                               : "all that Weir's user may: root-credentials and the whole data "
                                 "folder, that user's own files, and Weir's process";
        if (sb->allow_unisolated)
            log_warn("sandbox",
                     "functions run without namespaces: this host refuses them (%s: %s). They can "
                     "reach %s",
                     stage, why, open);
        else
            log_warn(
                "sandbox",
                "functions are refused: this host allows no namespaces (%s: %s), and without "
                "them they could reach %s. --allow-unisolated-functions runs them nevertheless",
                stage, why, open);
        complete = false;
    } else {
        if (!r->host.userns)
            log_warn("sandbox",
                     "functions run without a user namespace: this host refuses it (%s: "
                     "%s); the other kinds hold",
                     stage_name(r->failed_stage), strerror(r->failed_errno));
        if (!r->host.proc)
            log_warn("sandbox", "functions have no /proc: this host refuses to mount one");
        complete = r->host.userns && r->host.proc;
    }
    complete = log_network(sb) && complete;
    if (!r->host.own_uid) {
        log_warn("sandbox", "%s",
                 geteuid() == 0
                     ? "functions cannot be started: this container has too few user ids for them"
                     : "functions share Weir's own user id on the host: Weir is not root, and its "
                       "user has no range of subordinate ids (/etc/subuid and /etc/subgid, package "
                       "uidmap)");
        complete = false;
    }
    if (!r->host.seccomp) {
        log_warn("sandbox", "functions run without a system call filter: this host refuses it");
        complete = false;
    }
    if (!sb->peers_told && !r->host.network) {
        log_warn("sandbox",
                 "this host does not tell whose a connection is (sock_diag): any local process can "
                 "use a function's Runtime API");
        complete = false;
    }
    static const char *const limits[] = {"memory", "cpu", "pids"};
    for (int c = 0; c < CGROUP_CONTROLLERS; c++)
        if (!r->cgroups.base[c][0]) {
            log_warn("sandbox",
                     "the %s limit of functions is not enforced: this host gives Weir no "
                     "such control group",
                     limits[c]);
            complete = false;
        }
    return complete;
}

enum err sandbox_start(struct sandbox *sb)
{
    assert(!sb->started && sb->fd >= 0);
    TRY(sandbox_helper_wait(sb));
    sb->peers_told = sandbox_peers_are_told();
    sb->core->from_function = sandbox_peer_in_function;
    if (!log_refused(sb) && sb->require_isolation) {
        log_error("sandbox", "complete isolation is required and this host refuses some of it");
        return ERR_UNSUPPORTED;
    }
    if (sb->network == SANDBOX_NETWORK_NONE && !sb->ready.host.network) {
        log_error("sandbox", "functions are to have no network, and this host cannot take it away");
        return ERR_UNSUPPORTED;
    }
    sb->started = true;
    return sandbox_helper_watch(sb);
}

bool sandbox_able(const struct sandbox *sb)
{
    return sb->able;
}

struct sandbox_isolation sandbox_isolation(const struct sandbox *sb)
{
    const struct zygote_ready *r = &sb->ready;
    return (struct sandbox_isolation){
        .namespaces = r->host.namespaces,
        .network = r->host.network,
        .uid = r->host.own_uid,
        .memory = r->cgroups.base[CGROUP_MEMORY][0] != 0,
        .cpu = r->cgroups.base[CGROUP_CPU][0] != 0,
        .pids = r->cgroups.base[CGROUP_PIDS][0] != 0,
        .cgroup_version = r->cgroups.version,
        .seccomp = r->host.seccomp,
    };
}

/* --- end -------------------------------------------------------------------------------------- */

void sandbox_stop(struct sandbox *sb, void (*done)(void *arg), void *arg)
{
    assert(!sb->stopping);
    sb->stopping = true;
    sb->stop_done = done;
    sb->stop_arg = arg;
    sandbox_guests_close(sb);
    sandbox_check_stopped(sb);
    LIST_EACH_SAFE (&sb->instances, it, tmp)
        sandbox_instance_kill(CONTAINER_OF(it, struct sandbox_instance, link));
}

void sandbox_free(struct sandbox *sb)
{
    if (!sb)
        return;
    sandbox_network_free(sb);
    sandbox_helper_free(sb);
}
