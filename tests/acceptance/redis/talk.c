/* SPDX-License-Identifier: BSD-2-Clause */

#include "talk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

#define READ_BYTES (256u * 1024)
#define WORDS_MAX  8u

bool talk_open(struct talk *talk, uint16_t port, int receive_bytes)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int on = 1;

    *talk = (struct talk){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    if (talk->fd < 0)
        return false;
    if (receive_bytes > 0)
        setsockopt(talk->fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    setsockopt(talk->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(talk->fd, (struct sockaddr *)&address, sizeof address) == 0)
        return true;
    talk_close(talk);
    return false;
}

void talk_close(struct talk *talk)
{
    if (talk->fd >= 0)
        close(talk->fd);
    talk->fd = -1;
    talk->taken = 0;
    bytes_free(&talk->in);
}

void talk_reset(struct talk *talk)
{
    struct linger linger = { .l_onoff = 1, .l_linger = 0 };

    setsockopt(talk->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    talk_close(talk);
}

void talk_finish(struct talk *talk)
{
    shutdown(talk->fd, SHUT_WR);
}

long talk_send_some(struct talk *talk, const void *data, size_t size)
{
    ssize_t sent = send(talk->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    return sent;
}

bool talk_send(struct talk *talk, const void *data, size_t size)
{
    uint64_t deadline = clock_ns() + TALK_LIMIT_MS * MILLISECOND_NS;
    const char *rest = data;

    while (size > 0) {
        long sent = talk_send_some(talk, rest, size);
        if (sent < 0 || clock_ns() >= deadline)
            return false;
        rest += sent;
        size -= (size_t)sent;
        if (sent == 0)
            poll(&(struct pollfd){ talk->fd, POLLOUT, 0 }, 1, clock_poll_ms(deadline));
    }
    return true;
}

/* More bytes: 0, -ECONNRESET, -ETIMEDOUT. */
static int read_more(struct talk *talk, uint64_t deadline)
{
    for (;;) {
        struct pollfd wanted = { talk->fd, POLLIN, 0 };
        if (poll(&wanted, 1, clock_poll_ms(deadline)) > 0)
            break;
        if (clock_ns() >= deadline)
            return -ETIMEDOUT;
    }
    ssize_t size = recv(talk->fd, bytes_reserve(&talk->in, READ_BYTES), READ_BYTES, MSG_DONTWAIT);
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR))
        return -ECONNRESET;
    if (size > 0)
        bytes_grew(&talk->in, (size_t)size);
    return 0;
}

int talk_reply(struct talk *talk, struct resp_reply *ret_reply)
{
    uint64_t deadline = clock_ns() + TALK_LIMIT_MS * MILLISECOND_NS;
    long size;

    if (talk->fd < 0)
        return -ECONNRESET;
    bytes_consume(&talk->in, talk->taken);
    talk->taken = 0;
    while ((size = resp_parse(talk->in.data, talk->in.size, ret_reply)) == 0) {
        int err = read_more(talk, deadline);
        if (err < 0)
            return err;
    }
    if (size < 0)
        return -EPROTO;
    talk->taken = (size_t)size;
    return 0;
}

int talk_ask(struct talk *talk, const char *const *words, struct resp_reply *ret_reply)
{
    struct text texts[WORDS_MAX];
    struct bytes out = { .data = NULL };
    size_t count = 0;

    for (; count < WORDS_MAX && words[count] != NULL; count++)
        texts[count] = text_of(words[count]);
    resp_command(&out, texts, count);
    bool sent = talk_send(talk, out.data, out.size);
    bytes_free(&out);
    return sent ? talk_reply(talk, ret_reply) : -ECONNRESET;
}
