/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What. A library to be preloaded under a simulated program. It names what the program does behind
 * the simulation's back: threads, clocks, sleeps, sockets and chance of its own.
 *
 *     LD_PRELOAD=libtroupe-escapes.so TROUPE_SIM=7 ./program
 *     troupe: escaped the simulation: clock_gettime by look_at_clock (./program), 3 times
 *
 *     TROUPE_ESCAPES=fail    if there was any, a run that would end with 0 ends with 71
 *
 * Why. What escapes is the same in no two runs, and a hash that differs does not say why. The calls
 * are let through: the run is as it would be without the library.
 *
 * Why so and not by tracing. The names that a program calls go through the dynamic linker, which
 * takes ours first; libc's own calls do not, so that what it does for printf is not told. A program
 * that is linked statically, or calls the kernel by itself, is not seen.
 *
 * Rules
 *   1. Without TROUPE_SIM nothing is noted.
 *   2. Nothing that is called here is replaced here, and no memory is asked for.
 *   3. What calls from libc and its kin is not told; the program's libraries are the program.
 *   4. Each function is defined under a name of ours and given libc's by the assembler: headers
 *      declare some of them in ways that a definition cannot repeat.
 */

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "symbol.h"

#define ESCAPED     71
#define ESCAPES_MAX 512u

/* A function that was called from one place. */
struct escape {
    const char *name;
    const void *caller;
    unsigned long count;
};

static struct escape escapes[ESCAPES_MAX];
static unsigned escape_count;
static unsigned long more; /* for which there was no place */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* threads are what may escape */

/* ---- noting --------------------------------------------------------------------------------- */

static bool is_simulated(void)
{
    const char *text = getenv("TROUPE_SIM");

    return text != NULL && text[0] != '\0';
}

static void count(const char *name, const void *caller)
{
    unsigned i = 0;

    while (i < escape_count && (escapes[i].name != name || escapes[i].caller != caller))
        i++;
    if (i == ESCAPES_MAX) {
        more++;
        return;
    }
    escapes[i] = (struct escape){ name, caller, escapes[i].count + 1 };
    escape_count = i == escape_count ? i + 1 : escape_count;
}

static void note(const char *name, const void *caller)
{
    int error = errno;

    if (is_simulated()) {
        (void)pthread_mutex_lock(&lock);
        count(name, caller);
        (void)pthread_mutex_unlock(&lock);
    }
    errno = error;
}

static bool is_socket(int file)
{
    int error = errno;
    struct stat status;
    bool is = fstat(file, &status) == 0 && S_ISSOCK(status.st_mode);

    errno = error;
    return is;
}

/* ---- telling -------------------------------------------------------------------------------- */

static bool is_systems(const char *object)
{
    static const char *const kin[] = {
        "libc.so", "libc-", "ld-", "libpthread", "librt.", "libdl.", "libm.", "libresolv", "libnss",
        "libtroupe-escapes",
    };
    const char *slash = strrchr(object, '/');
    const char *name = slash != NULL ? slash + 1 : object;

    for (size_t i = 0; i < sizeof kin / sizeof kin[0]; i++) {
        if (strncmp(name, kin[i], strlen(kin[i])) == 0)
            return true;
    }
    return false;
}

static bool tell(const struct escape *escape)
{
    struct symbol symbol;

    find_symbol(escape->caller, &symbol);
    if (is_systems(symbol.object))
        return false;
    (void)fprintf(stderr, "troupe: escaped the simulation: %s by %s (%s), %lu time%s\n",
                  escape->name, symbol.name, symbol.object, escape->count,
                  escape->count == 1 ? "" : "s");
    return true;
}

/* The status with which the process ends that would end with this one. */
static int tell_all(int status)
{
    static bool is_told;
    const char *wish = getenv("TROUPE_ESCAPES");
    bool any = false;

    if (is_told || !is_simulated())
        return status;
    is_told = true;
    (void)fflush(stdout);
    for (unsigned i = 0; i < escape_count; i++)
        any = tell(&escapes[i]) || any;
    if (more > 0)
        (void)fprintf(stderr, "troupe: escaped the simulation: and %lu more\n", more);
    return any && status == 0 && wish != NULL && strcmp(wish, "fail") == 0 ? ESCAPED : status;
}

/* ---- the functions -------------------------------------------------------------------------- */

/* libc's function of that name; an object's address does not become a function's otherwise. */
static void find_real(const char *name, void *ret_function)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (found == NULL) {
        (void)fprintf(stderr, "troupe: escapes: there is no %s\n", name);
        abort();
    }
    memcpy(ret_function, &found, sizeof found);
}

#define ESCAPE_IF(condition, type, name, parameters, arguments)                                    \
    __attribute__((visibility("default"))) type escape_##name parameters __asm__(#name);           \
    type escape_##name parameters                                                                  \
    {                                                                                              \
        type(*real) parameters;                                                                    \
        if (condition)                                                                             \
            note(#name, __builtin_return_address(0));                                              \
        find_real(#name, &real);                                                                   \
        return real arguments;                                                                     \
    }

#define ESCAPE(type, name, parameters, arguments) ESCAPE_IF(true, type, name, parameters, arguments)

ESCAPE(int, pthread_create,
       (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument),
       (thread, attributes, run, argument))

ESCAPE(int, clock_gettime, (clockid_t clock, struct timespec *time), (clock, time))
ESCAPE(int, gettimeofday, (struct timeval * time, void *zone), (time, zone))
ESCAPE(time_t, time, (time_t * time), (time))
ESCAPE(int, nanosleep, (const struct timespec *time, struct timespec *left), (time, left))
ESCAPE(int, clock_nanosleep,
       (clockid_t clock, int flags, const struct timespec *time, struct timespec *left),
       (clock, flags, time, left))
ESCAPE(int, usleep, (useconds_t time), (time))
ESCAPE(unsigned, sleep, (unsigned time), (time))

ESCAPE(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
ESCAPE(int, connect, (int file, const void *address, socklen_t size), (file, address, size))
ESCAPE(int, accept, (int file, void *address, socklen_t *size), (file, address, size))
ESCAPE(int, accept4, (int file, void *address, socklen_t *size, int flags),
       (file, address, size, flags))
ESCAPE(ssize_t, send, (int file, const void *bytes, size_t size, int flags),
       (file, bytes, size, flags))
ESCAPE(ssize_t, recv, (int file, void *bytes, size_t size, int flags), (file, bytes, size, flags))
ESCAPE_IF(is_socket(file), ssize_t, read, (int file, void *bytes, size_t size),
          (file, bytes, size))
ESCAPE_IF(is_socket(file), ssize_t, write, (int file, const void *bytes, size_t size),
          (file, bytes, size))
ESCAPE(int, poll, (struct pollfd * files, nfds_t count, int timeout), (files, count, timeout))
ESCAPE(int, select, (int count, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout),
       (count, r, w, e, timeout))
ESCAPE(int, epoll_wait, (int file, struct epoll_event *events, int count, int timeout),
       (file, events, count, timeout))

ESCAPE(ssize_t, getrandom, (void *bytes, size_t size, unsigned flags), (bytes, size, flags))
ESCAPE(int, getentropy, (void *bytes, size_t size), (bytes, size))
ESCAPE(int, rand, (void), ())
ESCAPE(long, random, (void), ())

/* ---- the end -------------------------------------------------------------------------------- */

__attribute__((visibility("default"))) _Noreturn void escape_exit(int status) __asm__("_exit");

_Noreturn void escape_exit(int status)
{
    void (*real)(int);

    find_real("_exit", &real);
    real(tell_all(status));
    abort();
}

__attribute__((destructor)) static void end(void)
{
    if (tell_all(0) == 0)
        return;
    (void)fflush(NULL);
    escape_exit(ESCAPED);
}
