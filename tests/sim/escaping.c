/* SPDX-License-Identifier: BSD-2-Clause */

/* A program that does behind the simulation's back what it should not: for libtroupe-escapes.so.
 *
 *     escaping [nothing | quickly]
 */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <troupe/troupe.h>

struct flight_go { uint32_t unused; };

#define FLIGHT_MESSAGES(M) M(flight_go)
TR_PROTOCOL(flight, 9204, FLIGHT_MESSAGES);

static long sum;

__attribute__((noinline)) static void look_at_clock(void)
{
    struct timespec now = { 0 };

    for (int i = 0; i < 3; i++) {
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        sum += now.tv_nsec;
    }
}

__attribute__((noinline)) static void sleep_a_while(void)
{
    (void)usleep(1);
    (void)nanosleep(&(struct timespec){ .tv_nsec = 1 }, NULL);
}

static void *do_nothing(void *argument)
{
    return argument;
}

__attribute__((noinline)) static void start_thread(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, do_nothing, NULL) == 0)
        (void)pthread_join(thread, NULL);
}

__attribute__((noinline)) static void use_sockets(void)
{
    int pair[2], file = socket(AF_UNIX, SOCK_STREAM, 0);
    char byte = 'x';

    (void)close(file);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && write(pair[0], &byte, 1) == 1)
        sum += read(pair[1], &byte, 1);
    if (pipe(pair) == 0 && write(pair[1], &byte, 1) == 1) /* no sockets */
        sum += read(pair[0], &byte, 1);
}

__attribute__((noinline)) static void draw_lots(void)
{
    char byte;

    sum += rand();
    sum += getrandom(&byte, 1, 0);
}

struct flier { uint32_t unused; };

TR_ON(flier, flight_go, self, me, msg)
{
    look_at_clock();
    sleep_a_while();
    start_thread();
    use_sockets();
    draw_lots();
    return TR_OK;
}

static const tr_actor_type flier_actor = {
    TR_STATE(flier), .on = TR_TABLE(TR_HANDLES(flier, flight_go)),
};

int main(int count, char **words)
{
    tr_system *sys = tr_system_start(NULL);
    tr_ref flier = tr_spawn(sys, flier, .unused = 0);

    if (count < 2 || strcmp(words[1], "nothing") != 0)
        (void)tr_send(sys, flier, flight_go, .unused = 0);
    int error = tr_system_stop(sys, TR_SEC(5));
    if (count > 1 && strcmp(words[1], "quickly") == 0)
        _exit(0);
    return error == 0 && sum != 1 ? 0 : 1;
}
