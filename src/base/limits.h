/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_BASE_LIMITS_H
#define TRI_BASE_LIMITS_H

/*
 * Every limit of the library, with its reason. Nothing grows without one.
 *
 * A build with TRI_TINY shrinks them, so that tests reach what lies at each limit in milliseconds;
 * TRI_LIMIT(usual, tiny) says both.
 */

#ifdef TRI_TINY
#define TRI_LIMIT(usual, tiny) (tiny)
#else
#define TRI_LIMIT(usual, tiny) (usual)
#endif

/* ---- base ---- */

/* Tries of a small lock before each one gives the processor up: about 2 us, longer than anybody
 * holds one and shorter than a switch to another thread. */
#define TRI_SPIN_TRIES TRI_LIMIT(100u, 2u)

/* Free blocks a magazine holds: with its two words it fills 1 KiB. */
#define TRI_MAGAZINE_BLOCKS TRI_LIMIT(126u, 3u)

/* Memory for new blocks is mapped in pieces of a huge page … */
#define TRI_POOL_CHUNK_BYTES (2u << 20)

/* … and handed to a thread's cache in these, so that many threads share a chunk. */
#define TRI_POOL_SPAN_BYTES TRI_LIMIT(64u << 10, 1u << 10)

/* ---- messages ---- */

/* A message, header included, above which a buffer shared by reference does better. */
#define TRI_MESSAGE_BYTES_MAX TRI_LIMIT(16u << 20, 64u << 10)

/* Types of messages one process may use: the table of tags is scanned by nobody, but kept. */
#define TRI_MESSAGE_TYPES_MAX TRI_LIMIT(1024u, 64u)

/* ---- mailboxes ---- */

/* Unsolicited messages a mailbox takes unless its type says otherwise: a burst, not a backlog. */
#define TRI_CAPACITY_DEFAULT TRI_LIMIT(1024u, 4u)

/* ---- scheduling ---- */

/* Workers of one system: they are named by a byte. */
#define TRI_WORKERS_MAX TRI_LIMIT(256u, 8u)

/* Messages an actor handles in one turn: some 2 us of small ones. Fewer cost the switch from actor
 * to actor (1 costs two thirds more), more make the others wait and win nothing. */
#define TRI_TURN_MESSAGES TRI_LIMIT(100u, 2u)

/* How long one turn may go on, looked at by the coarse clock. */
#define TRI_TURN_MS 1u

/* Runnable actors a worker keeps to itself before the rest goes to all; a power of two. */
#define TRI_RUN_QUEUE_LENGTH TRI_LIMIT(1024u, 4u)

/* Turns after which a worker looks at the work given from outside, however busy it is: a few
 * microseconds of short ones; long ones see the coarse clock's tick before. */
#define TRI_INJECTOR_TURNS TRI_LIMIT(256u, 2u)

/* What it then takes of it. More of them push its own out into the injector again: with one for
 * each turn every task of a large tree was moved, cold, there and back, which took more than half
 * of the time. */
#define TRI_INJECTED_AT_A_LOOK TRI_LIMIT(16u, 1u)

/* Most of another worker's queue taken at once: the thief runs them for some hundred us. */
#define TRI_STEAL_MAX TRI_LIMIT(256u, 2u)

/* Sends of one turn after which a worker looks whether somebody could help it. At the second look a
 * turn has lasted long enough for its lone task to be stolen: see TRI_LONE_STEAL_US. */
#define TRI_SENDS_PER_LOOK TRI_LIMIT(256u, 2u)

/* How long a worker without work searches before it sleeps: about what being woken costs. */
#define TRI_SEARCH_US TRI_LIMIT(20u, 1u)

/* Spins between two looks of such a search: under 1 us, so that those it looks at can work. */
#define TRI_SEARCH_SPINS TRI_LIMIT(30, 0)

/* A lone task is stolen from a turn that lasts longer than this: what moving it costs. */
#define TRI_LONE_STEAL_US TRI_LIMIT(5u, 1u)

/* A busy worker looks into the poller this often at most: a look costs about 1 us. */
#define TRI_POLL_EVERY_US TRI_LIMIT(50u, 1u)

/* Timers a worker fires at one go, before it runs tasks again. */
#define TRI_TIMERS_AT_ONCE TRI_LIMIT(1024u, 2u)

/* Loot that lasts less was not worth it, loot that lasts longer was. */
#define TRI_LOOT_POOR_US 20u
#define TRI_LOOT_RICH_US 100u

/* A thief's pauses that are longer than this are slept, not spun: about what a sleep costs. */
#define TRI_THIEF_SPIN_US 50u

/* Pauses of a thief whose loot ran out at once: they double from the one to the other. */
#define TRI_THIEF_PAUSE_MIN_US 2u
#define TRI_THIEF_PAUSE_MAX_US 1000u

/* How often the watcher looks, and advances the coarse clock, while any worker is awake. */
#define TRI_WATCHER_TICK_MS 1u

/* Ticks it stays awake after the last worker went to sleep: waking it costs that worker 9 us. */
#define TRI_WATCHER_LINGER TRI_LIMIT(8u, 1u)

/* A turn that lasts longer is reported, if the watcher has found it going on so often: after
 * TRI_TURN_MS ticks only a handler that does not return can keep a turn from ending. */
#define TRI_STUCK_AFTER_MS 100u
#define TRI_STUCK_AFTER_TICKS 8u

/* Timers moved inside a wheel at one go: 20 us or so. */
#define TRI_TIMER_MOVES TRI_LIMIT(1024u, 4u)

/* Bits of a digit in a wheel: 64 slots a level, so that a word tells which are occupied. */
#define TRI_TIMER_LEVEL_BITS TRI_LIMIT(6, 2)

/* Timers outstanding in one system. */
#define TRI_TIMERS_MAX TRI_LIMIT(16u << 20, 256u)

/* ---- actors ---- */

/* Actors that live at one time: slots are 128 bytes of address space each, 2 GiB in all. */
#define TRI_SLOTS_MAX TRI_LIMIT(16u << 20, 1u << 10)

/* Free slots a worker keeps before it shares half of them. A million actors made and ended at once
 * stay with their worker for the most part; an idle worker keeps no more than half a MiB. */
#define TRI_SLOTS_KEPT TRI_LIMIT(4096u, 8u)

/* Slots that are taken into use at a time. */
#define TRI_SLOTS_FRESH TRI_LIMIT(64u, 4u)

/* Types of actors in one process: each has counters in every worker. */
#define TRI_TYPES_MAX TRI_LIMIT(1024u, 256u)

/* Asks, timers, monitors and callers on hold that one actor has open: a place takes 24 bits. */
#define TRI_TOKENS_MAX TRI_LIMIT(1u << 22, 64u)

/* Systems that live in one process at one time. */
#define TRI_SYSTEMS_MAX TRI_LIMIT(64u, 4u)

/* An actor's state: larger ones belong behind a pointer that the actor owns. */
#define TRI_STATE_BYTES_MAX TRI_LIMIT(1u << 20, 4u << 10)

/* Names registered in one system, and the length of one with its end. */
#define TRI_NAMES_MAX      TRI_LIMIT(1u << 20, 16u)
#define TRI_NAME_BYTES_MAX 64u

/* Children of one supervisor, and supervisors nested in one another. */
#define TRI_CHILDREN_MAX TRI_LIMIT(1u << 20, 64u)
#define TRI_NESTING_MAX  32u

/* Restarts a supervisor remembers, each with its time; one that forgives more forgives all. */
#define TRI_RESTARTS_MAX TRI_LIMIT(4096u, 16u)

/* The window of restarts, a child's time between stop and kill, and how long a thread from outside
 * waits for one to start or to stop, unless said otherwise: OTP's five seconds. */
#define TRI_CHILD_USUAL_MS TRI_LIMIT(5000u, 2000u)

/* After the deadline of a stop: how long those that were killed may take to come out of their
 * handlers, and then how long the threads may take to end. */
#define TRI_STOP_LINGER_MS TRI_LIMIT(1000u, 200u)

/* Actors that a stop names as those that had to be killed. */
#define TRI_STOP_NAMED_MAX TRI_LIMIT(16u, 2u)

/* Steps of the walk along who waits for whom; past it the limit of the pause decides. */
#define TRI_WAITS_WALK_MAX TRI_LIMIT(64u, 4u)

/* How long an actor may be suspended from outside: nobody may be left there to resume it. */
#define TRI_SUSPENSION_LIMIT_MS TRI_LIMIT(60000u, 50u)

/* How long a sender may be paused by one receiver. */
#define TRI_PAUSE_LIMIT_MS TRI_LIMIT(1000u, 20u)

/* ---- input and output ---- */

/* Handles that are open at one time in the process; descriptors run out before. */
#define TRI_HANDLES_MAX TRI_LIMIT(1u << 20, 256u)

/* Connections that wait in the kernel to be accepted: what redis-server asks for. */
#define TRI_BACKLOG_DEFAULT 511u

/* The most that one read takes: a socket's usual receive buffer. */
#define TRI_READ_BYTES TRI_LIMIT(64u << 10, 512u)

/* A read up to this size is copied out of the buffer it came in, which is then used again. */
#define TRI_READ_COPY_MAX TRI_LIMIT(16u << 10, 128u)

/* Credits of a handle. */
#define TRI_CREDITS_MAX (1u << 30)

/* Bytes queued on a connection from which on writes are refused. */
#define TRI_WRITE_QUEUE_MAX TRI_LIMIT(1u << 20, 4u << 10)

/* How long a closed connection may take to send what is queued. */
#define TRI_LINGER_MS TRI_LIMIT(5000u, 100u)

/* Operations that wait on one file. */
#define TRI_FILE_QUEUE_MAX TRI_LIMIT(1024u, 16u)

/* The most that one operation on a file moves. */
#define TRI_FILE_BYTES_MAX TRI_LIMIT(1u << 30, 1u << 20)

/* What a simulated connection holds on its way, in each direction: as the smallest kernel does, and
 * as usual ones do. */
#define TRI_SIM_BUFFER_MIN TRI_LIMIT(1u << 10, 64u)
#define TRI_SIM_BUFFER_MAX TRI_LIMIT(256u << 10, 1u << 10)

/* Changes of a simulated file that are not on its disk: past them the oldest is written back. */
#define TRI_DISK_CHANGES_MAX TRI_LIMIT(4096u, 64u)

/* When an event could not be delivered for lack of memory: tried again after. */
#define TRI_IO_RETRY_MS 10u

#endif
