/* What net*.c share. See net.h. */
#ifndef WEIR_NET_NET_INT_H
#define WEIR_NET_NET_INT_H

#include "base/list.h"
#include "net/net.h"

/* A function's part of the network. Lives until its last handle is closed. */
struct net_function {
    struct net *net; /* NULL once it is closing */
    struct io_loop *loop;
    size_t handles; /* open in the loop */
    struct net_door {
        struct net_function *f;
        uv_poll_t poll;
        int fd;
    } doors[NET_LISTENERS_MAX + 1]; /* the resolver's first */
    size_t n_doors;
    struct list relays, peeks, questions;
    size_t n_relays, n_peeks, n_questions;
};

/* net.c */
/* A handle of f's was closed. */
void net_function_handle_gone(struct net_function *f);
/* Closes with a reset, so that the other side sees a failure and not an end. */
void net_reset(int fd);
/* Whether host name `host` is Weir's in this network. */
bool net_leads_here(const struct net *net, struct str host);

/* net_relay.c: forwards `fd` (taken) to `to`. Whatever fails resets it. */
void net_relay_open(struct net_function *f, int fd, const struct sockaddr_storage *to);
void net_relays_close(struct net_function *f);

/* net_resolve.c: the resolver's socket can be read. */
void net_resolve_readable(struct net_function *f);
void net_questions_close(struct net_function *f);

#endif
