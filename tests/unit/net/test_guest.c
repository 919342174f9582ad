/* Guests: who is taken in, who is not, and until when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those */
#include <cmocka.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/net.h"

enum { WHY_MAX = 128 };

static struct {
    char dir[64];
    struct io_loop *loop;
    struct net net;
    struct net_guests *guests;
    size_t max;                     /* guests that this process has room for */
    int fds[NET_LISTENERS_MAX + 2]; /* a resolver's, and listeners */
} t;

static int made(int type)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)(const void *)&in, sizeof in), 0);
    assert_true(type != SOCK_STREAM || listen(fd, 1) == 0);
    return fd;
}

static int set_up(void **state)
{
    strcpy(t.dir, "/tmp/weir-guests-XXXXXX");
    assert_non_null(mkdtemp(t.dir));
    assert_int_equal(io_loop_new(0, &t.loop), ERR_OK);
    const struct net_config cfg = {.loop = t.loop, .mark = 1, .endpoint_host = STR("127.0.0.1")};
    net_init(&t.net, &cfg);
    for (size_t i = 0; i < ARRAY_LEN(t.fds); i++)
        t.fds[i] = made(i == 0 ? SOCK_DGRAM : SOCK_STREAM);
    assert_int_equal(net_guests_open(&t.net, t.dir, &t.guests), ERR_OK);
    assert_int_equal(io_loop_start(t.loop), ERR_OK);
    return 0;
}

static int tear_down(void **state)
{
    io_loop_stop(t.loop);
    io_loop_join(t.loop);
    net_guests_close(t.guests);
    io_loop_free(t.loop);
    net_release(&t.net);
    for (size_t i = 0; i < ARRAY_LEN(t.fds); i++)
        close(t.fds[i]);
    assert_int_equal(rmdir(t.dir), 0); /* the socket went */
    return 0;
}

static enum err join(size_t n, const char *why)
{
    char said[WHY_MAX];
    enum err err = net_guest_join(t.dir, t.fds, n, said, sizeof said);
    if (err == ERR_DENIED)
        assert_non_null(strstr(said, why));
    return err;
}

static void sockets(void **state)
{
    assert_int_equal(join(2, ""), ERR_OK);
    assert_int_equal(join(NET_LISTENERS_MAX + 1, ""), ERR_OK);
    assert_int_equal(join(NET_LISTENERS_MAX + 2, ""), ERR_LIMIT);
    assert_int_equal(join(0, ""), ERR_LIMIT);
}

static void no_sockets(void **state)
{
    int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    char said[WHY_MAX];
    assert_int_equal(net_guest_join(t.dir, &file, 1, said, sizeof said), ERR_DENIED);
    assert_non_null(strstr(said, "short of resources"));
    close(file);
}

static void nobody_serves(void **state)
{
    char said[WHY_MAX];
    assert_int_equal(net_guest_join("/proc", t.fds, 2, said, sizeof said), ERR_CLOSED);
    assert_int_equal(net_guest_join("/nonexistent", t.fds, 2, said, sizeof said), ERR_CLOSED);
}

static void socket_is_private(void **state)
{
    struct stat st;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/" NET_GUESTS_SOCKET, t.dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

/* A datagram of `n` descriptors, the first of which an answer comes by; "" without one. */
static void send_raw(const char *bytes, size_t len, size_t n, char answer[WHY_MAX])
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(3 * sizeof(int))];
    } control = {.bytes = {0}};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct iovec iov = {(void *)(uintptr_t)bytes, len};
    struct msghdr msg = {
        .msg_name = &un, .msg_namelen = sizeof un, .msg_iov = &iov, .msg_iovlen = 1};
    int pair[2], fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)snprintf(un.sun_path, sizeof un.sun_path, "%s/" NET_GUESTS_SOCKET, t.dir);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    if (n > 0) {
        const int fds[3] = {pair[1], t.fds[0], t.fds[1]};
        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        c->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(c), fds, n * sizeof(int));
    }
    assert_int_equal(sendmsg(fd, &msg, 0), len);
    close(pair[1]);
    ssize_t got = n > 0 ? recv(pair[0], answer, WHY_MAX - 1, 0) : 0;
    answer[got > 0 ? got : 0] = '\0';
    close(pair[0]);
    close(fd);
}

static void other_agreements(void **state)
{
    char answer[WHY_MAX];
    send_raw("\x01", 1, 0, answer);
    send_raw("\x02", 1, 3, answer);
    assert_non_null(strstr(answer, "version"));
    send_raw("\x01more", 5, 3, answer);
    assert_non_null(strstr(answer, "version"));
    send_raw("\x01", 1, 1, answer);
    assert_non_null(strstr(answer, "version"));
    send_raw("\x01", 1, 2, answer);
    assert_non_null(strstr(answer, "version"));
    assert_int_equal(join(2, ""), ERR_OK); /* and the socket still serves */
}

/* One that lives until its pipe closes. */
static pid_t other_process(int *ret_pipe)
{
    int go[2], up[2];
    char byte;
    assert_int_equal(pipe(go) | pipe(up), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(go[1]);
        if (join(2, "") != ERR_OK || write(up[1], "", 1) != 1)
            _exit(1);
        _exit(read(go[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(up[1]);
    close(go[0]);
    assert_int_equal(read(up[0], &byte, 1), 1);
    close(up[0]);
    *ret_pipe = go[1];
    return pid;
}

/* `max`: how many are taken in. */
static void fill(size_t max)
{
    int pipe_fd, status;
    pid_t pid = other_process(&pipe_fd);
    for (size_t i = 1; i < max; i++)
        assert_int_equal(join(2, ""), ERR_OK);
    assert_int_equal(join(2, "too many"), ERR_DENIED);
    close(pipe_fd);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    /* The loop hears of both in one turn, or of the end before. */
    enum err err = ERR_DENIED;
    for (int i = 0; i < 1000 && err == ERR_DENIED; i++)
        err = join(2, "too many");
    assert_int_equal(err, ERR_OK);
    assert_int_equal(join(2, "too many"), ERR_DENIED);
}

static void until_the_process_ends(void **state)
{
    fill(t.max);
}

/* Fewer where the process may have few files. */
static int set_up_few(void **state)
{
    struct rlimit was, few;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    few = (struct rlimit){3 * NET_FILES_PER_GUEST - 1, was.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    (void)set_up(state);
    return setrlimit(RLIMIT_NOFILE, &was);
}

static void few_files(void **state)
{
    fill(2);
}

/* As the server does, or there would be no room for the most. */
static int raise_limit(void **state)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    t.max = min_size(limit.rlim_max / NET_FILES_PER_GUEST, NET_GUESTS_MAX);
    return setrlimit(RLIMIT_NOFILE, &limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sockets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_sockets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_serves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(socket_is_private, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_agreements, set_up, tear_down),
        cmocka_unit_test_setup_teardown(until_the_process_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(few_files, set_up_few, tear_down),
    };
    return cmocka_run_group_tests(tests, raise_limit, NULL);
}
