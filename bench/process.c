/* See process.h. */
#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { START_MS = 20000, STOP_MS = 20000 };

static void child(char *const argv[], const char *log_path, int out)
{
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    /* Nothing is left running when the benchmark is interrupted. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (log < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
        _exit(126);
    execv(argv[0], argv);
    _exit(127);
}

/* Reads lines until the one that names the port. */
static bool read_port(struct process *p)
{
    char line[512];
    size_t n = 0;
    static char host[64];
    for (;;) {
        struct pollfd pfd = {.fd = p->out, .events = POLLIN};
        if (poll(&pfd, 1, START_MS) <= 0 || n + 1 >= sizeof(line) || read(p->out, line + n, 1) != 1)
            return false;
        if (line[n++] != '\n')
            continue;
        line[n] = '\0';
        n = 0;
        unsigned port;
        if (sscanf(line, "listening on http://%63[0-9.]:%u", host, &port) == 2) {
            p->target.host = host;
            p->target.port = (uint16_t)port;
            return true;
        }
    }
}

enum err process_start(struct process *p, char *const argv[], const char *log_path)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return ERR_IO;
    p->start_ns = clock_mono_ns();
    int pid = fork();
    if (pid == 0)
        child(argv, log_path, fds[1]);
    close(fds[1]);
    p->out = fds[0];
    p->target.pid = pid;
    if (pid > 0 && read_port(p))
        return ERR_OK;
    fprintf(stderr, "%s did not start; its log is %s\n", argv[0], log_path);
    if (pid > 0)
        process_stop(p);
    return ERR_IO;
}

void process_stop(struct process *p)
{
    int pid = p->target.pid;
    int status;
    kill(pid, SIGTERM);
    /* Its end closes the pipe: that is the event to wait for. */
    struct pollfd pfd = {.fd = p->out, .events = 0};
    char scratch[4096];
    int64_t until = clock_mono_ns() + (int64_t)STOP_MS * 1000000;
    pfd.events = POLLIN;
    for (;;) {
        int64_t left_ms = (until - clock_mono_ns()) / 1000000;
        if (left_ms <= 0 || poll(&pfd, 1, (int)left_ms) <= 0) {
            kill(pid, SIGKILL);
            break;
        }
        if (read(p->out, scratch, sizeof(scratch)) <= 0)
            break;
    }
    (void)waitpid(pid, &status, 0);
    close(p->out);
    p->target.pid = 0;
}
