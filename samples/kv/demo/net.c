/* SPDX-License-Identifier: BSD-2-Clause */

#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

#define READ_BYTES (64u * 1024)
#define WORDS_MAX  16u

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

void net_open(struct net *net)
{
    *net = (struct net){ .fd = -1 };
}

void net_close(struct net *net)
{
    if (net->fd >= 0)
        close(net->fd);
    net->fd = -1;
    net->connecting = false;
    bytes_clear(&net->in);
    bytes_clear(&net->out);
}

void net_free(struct net *net)
{
    net_close(net);
    bytes_free(&net->in);
    bytes_free(&net->out);
}

static int closed_by(struct net *net, int error)
{
    net_close(net);
    return error;
}

int net_connect(struct net *net, uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    int on = 1;

    net_close(net);
    net->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (net->fd < 0)
        return -errno;
    setsockopt(net->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(net->fd, (struct sockaddr *)&address, sizeof address) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return closed_by(net, -errno);
    net->connecting = true;
    return 0;
}

struct pollfd net_wanted(const struct net *net)
{
    bool writes = net->connecting || net->out.size > 0;

    return (struct pollfd){ net->fd, (short)(POLLIN | (writes ? POLLOUT : 0)), 0 };
}

static int finish_connecting(struct net *net)
{
    int error = 0;
    socklen_t size = sizeof error;

    if (getsockopt(net->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -errno;
    net->connecting = false;
    return -error;
}

static int write_out(struct net *net)
{
    while (net->out.size > 0) {
        ssize_t size = send(net->fd, net->out.data, net->out.size, MSG_NOSIGNAL);
        if (size < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        bytes_consume(&net->out, (size_t)size);
    }
    return 0;
}

static int read_in(struct net *net)
{
    ssize_t size = recv(net->fd, bytes_reserve(&net->in, READ_BYTES), READ_BYTES, 0);

    if (size == 0)
        return -ECONNRESET;
    if (size < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    bytes_grew(&net->in, (size_t)size);
    return 0;
}

int net_serve(struct net *net, short events)
{
    int err = 0;

    if (net->fd < 0)
        return -ENOTCONN;
    if (net->connecting) {
        if (!(events & (POLLOUT | POLLERR | POLLHUP)))
            return 0;
        err = finish_connecting(net);
    }
    if (err == 0)
        err = write_out(net);
    if (err == 0 && (events & (POLLIN | POLLERR | POLLHUP)))
        err = read_in(net);
    return err < 0 ? closed_by(net, err) : 0;
}

long net_reply(const struct net *net, struct resp_reply *ret_reply)
{
    return resp_parse(net->in.data, net->in.size, ret_reply);
}

void net_taken(struct net *net, long size)
{
    bytes_consume(&net->in, (size_t)size);
}

int net_ask(struct net *net, const char *const *words, unsigned limit_ms,
            struct resp_reply *ret_reply)
{
    uint64_t deadline = clock_ns() + limit_ms * MILLISECOND_NS;
    struct text texts[WORDS_MAX];
    size_t count = 0;
    long size;

    for (; words[count] != NULL && count < WORDS_MAX; count++)
        texts[count] = text_of(words[count]);
    bytes_clear(&net->in);
    resp_command(&net->out, texts, count);
    while ((size = net_reply(net, ret_reply)) == 0) {
        struct pollfd wanted = net_wanted(net);
        if (clock_ns() >= deadline)
            return -ETIMEDOUT;
        if (poll(&wanted, 1, clock_poll_ms(deadline)) < 0 && errno != EINTR)
            return -errno;
        int err = net_serve(net, wanted.revents);
        if (err < 0)
            return err;
    }
    return size < 0 ? (int)size : 0;
}

uint16_t net_free_port(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uint16_t port = 0;

    if (fd < 0)
        return 0;
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &size) == 0)
        port = ntohs(address.sin_port);
    close(fd);
    return port;
}
