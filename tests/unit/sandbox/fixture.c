/* The function that the sandbox's tests run as `bootstrap`: a Runtime API client on bare sockets
 * that does what the event's "do" says. Linked statically, without sanitizers. INIT in its
 * environment makes it misbehave before the first event. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT = 8 << 20 };
static char in[TEXT], out[TEXT], id[128];
static int fd = -1;
extern char **environ;

static int dial(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;
    if (s < 0 || connect(s, (struct sockaddr *)&a, sizeof a) != 0 ||
        setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        exit(99);
    return s;
}

static void put(int s, const char *p, size_t n)
{
    while (n) {
        ssize_t w = write(s, p, n);
        if (w <= 0)
            exit(98);
        p += w;
        n -= (size_t)w;
    }
}

/* Sends a request, reads a reply with Content-Length into `in`; returns the status. */
static int call(int s, const char *method, const char *path, const char *headers, const char *body,
                size_t len)
{
    static char head[4096];
    int n =
        snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n",
                 method, path, headers, len);
    put(s, head, (size_t)n);
    put(s, body, len);
    size_t got = 0;
    char *end = NULL;
    while (!end) {
        ssize_t r = read(s, in + got, sizeof in - 1 - got);
        if (r <= 0)
            exit(97);
        got += (size_t)r;
        in[got] = 0;
        end = strstr(in, "\r\n\r\n");
    }
    char *cl = strcasestr(in, "content-length:");
    size_t want = cl ? strtoul(cl + 15, NULL, 10) : 0, have = got - (size_t)(end + 4 - in);
    char *rid = strcasestr(in, "lambda-runtime-aws-request-id:");
    if (rid)
        sscanf(rid + 30, "%127s", id);
    int status = atoi(in + 9);
    memmove(in, end + 4, have);
    while (have < want) {
        ssize_t r = read(s, in + have, sizeof in - 1 - have);
        if (r <= 0)
            exit(96);
        have += (size_t)r;
    }
    in[have] = 0;
    return status;
}

static int reply(const char *what, const char *headers, const char *body, size_t len)
{
    char path[256];
    snprintf(path, sizeof path, "/2018-06-01/runtime/invocation/%s/%s", id, what);
    return call(fd, "POST", path, headers, body, len);
}

static const char *argument(const char *name)
{
    static char value[4096];
    char key[64];
    snprintf(key, sizeof key, "\"%s\":\"", name);
    char *at = strstr(in, key);
    value[0] = 0;
    if (at)
        sscanf(at + strlen(key), "%4095[^\"]", value);
    return value;
}

static void do_files(const char *what)
{
    const char *path = argument("path");
    struct stat st;
    int f = strcmp(what, "write") == 0 ? open(path, O_WRONLY | O_CREAT, 0600)
                                       : open(path, O_RDONLY | O_NONBLOCK);
    int n = snprintf(out, sizeof out, "\"%s\"",
                     f < 0                ? strerror(errno)
                     : fstat(f, &st) == 0 ? "ok"
                                          : "?");
    if (f >= 0)
        close(f);
    reply("response", "", out, (size_t)n);
}

static void do_forks(void)
{
    int made = 0, n;
    for (; made < 3000; made++) {
        pid_t p = fork();
        if (p < 0)
            break;
        if (p == 0) {
            pause();
            _exit(0);
        }
    }
    n = snprintf(out, sizeof out, "%d", made);
    reply("response", "", out, (size_t)n);
}

static void do_print(long bytes)
{
    static char line[1000];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    for (long sent = 0; sent < bytes; sent += (long)sizeof line)
        put(1, line, sizeof line);
    reply("response", "", "true", 4);
}

static void do_env(void)
{
    size_t n = 0;
    for (char **e = environ; *e; e++)
        n += (size_t)snprintf(out + n, sizeof out - n, "%s\n", *e);
    reply("response", "", out, n);
}

static void hog(void)
{
    for (;;) {
        char *p = malloc(1 << 20);
        if (!p)
            exit(5);
        memset(p, 1, 1 << 20);
    }
}

/* Everything that must be refused, as one digit each: 0 is refused. */
static void do_forbidden(void)
{
    int n =
        snprintf(out, sizeof out, "%d%d%d%d", mount("x", "/tmp", "tmpfs", 0, NULL) == 0,
                 unshare(CLONE_NEWUSER) == 0, setuid(0) == 0, kill(-1, 0) == 0 && getpid() == 1);
    reply("response", "", out, (size_t)n);
}

static void act(void)
{
    char what[64];
    snprintf(what, sizeof what, "%s", argument("do"));
    int n;
    if (strcmp(what, "echo") == 0) {
        reply("response", "", strcpy(out, in), strlen(in));
    } else if (strcmp(what, "error") == 0) {
        const char *doc = "{\"errorType\":\"Oops\",\"errorMessage\":\"it broke\"}";
        reply("error", "Lambda-Runtime-Function-Error-Type: Own.Oops\r\n", doc, strlen(doc));
    } else if (strcmp(what, "exit") == 0) {
        exit(atoi(argument("n")));
    } else if (strcmp(what, "abort") == 0) {
        abort();
    } else if (strcmp(what, "hang") == 0) {
        for (;;)
            pause();
    } else if (strcmp(what, "hog") == 0) {
        hog();
    } else if (strcmp(what, "print") == 0) {
        do_print(atol(argument("n")));
    } else if (strcmp(what, "say") == 0) {
        const char *s = argument("path");
        put(2, s, strlen(s));
        reply("response", "", "1", 1);
    } else if (strcmp(what, "forks") == 0) {
        do_forks();
    } else if (strcmp(what, "env") == 0) {
        do_env();
    } else if (strcmp(what, "forbidden") == 0) {
        do_forbidden();
    } else if (strcmp(what, "ids") == 0) {
        n = snprintf(out, sizeof out, "%d %d %d", (int)getuid(), (int)getppid(), (int)getpid());
        reply("response", "", out, (size_t)n);
    } else if (strcmp(what, "big") == 0) {
        size_t len = (size_t)atol(argument("n"));
        memset(out, '1', len);
        if (reply("response", "", out, len) == 413)
            fd = dial(atoi(strchr(getenv("AWS_LAMBDA_RUNTIME_API"), ':') + 1));
    } else if (strcmp(what, "badid") == 0) {
        char kept[128];
        strcpy(kept, id);
        strcpy(id, "not-mine");
        n = reply("response", "", "1", 1);
        strcpy(id, kept);
        n = snprintf(out, sizeof out, "%d", n);
        reply("response", "", out, (size_t)n);
    } else if (strcmp(what, "steal") == 0) {
        char kept[128];
        strcpy(kept, id);
        n = call(dial(atoi(argument("n"))), "GET", "/2018-06-01/runtime/invocation/next", "", "",
                 0);
        strcpy(id, kept);
        n = snprintf(out, sizeof out, "%d", n);
        reply("response", "", out, (size_t)n);
    } else {
        do_files(what);
    }
}

int main(void)
{
    const char *init = getenv("INIT");
    if (init && strcmp(init, "exit0") == 0)
        return 0;
    if (init && strcmp(init, "exit3") == 0)
        return 3;
    if (init && strcmp(init, "hang") == 0)
        for (;;)
            pause();
    fd = dial(atoi(strchr(getenv("AWS_LAMBDA_RUNTIME_API"), ':') + 1));
    if (init && strcmp(init, "error") == 0) {
        const char *doc = "{\"errorType\":\"Init.Bad\",\"errorMessage\":\"no way\"}";
        call(fd, "POST", "/2018-06-01/runtime/init/error",
             "Lambda-Runtime-Function-Error-Type: Init.Bad\r\n", doc, strlen(doc));
        for (;;)
            pause();
    }
    for (;;) {
        if (call(fd, "GET", "/2018-06-01/runtime/invocation/next", "", "", 0) != 200)
            return 50;
        act();
    }
}
