/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_SIM_TAPE_H
#define TRI_SIM_TAPE_H

/*
 * The decisions of a run: recorded and played (tape.c), written down and read back (tape_file.c).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More decisions than that a tape does not hold. */
#define TRI_SIM_DECISIONS_MAX ((size_t)1 << 24)

/* Of so many decisions in a row a replay file has one at least: what it asks for in memory is in
 * proportion to its size. */
#define TRI_SIM_GAP 4096u

#define TRI_SIM_TEXT_MAX      1024u
#define TRI_SIM_PROGRAM_BYTES 64u
#define TRI_SIM_TAPE_ERROR    160u

/* One decision: which of how many. */
struct tri_sim_decision {
    uint32_t value;
    uint32_t of; /* 0 in what was read from a replay file */
};

/* What ran: the name of its file, and a sum over its bytes. */
struct tri_sim_program {
    char name[TRI_SIM_PROGRAM_BYTES];
    uint64_t build;
};

/* A run as it is kept. */
struct tri_sim_tape {
    struct tri_sim_program program;
    char text[TRI_SIM_TEXT_MAX]; /* its TROUPE_SIM */
    uint64_t steps;              /* that it took, */
    uint64_t hash;               /* and its hash at the end */
    size_t count;
    struct tri_sim_decision *decisions; /* NULL: none */
};

/* ---- tape.c: the present run ---- */

/* A new run begins: neither recorded nor played. */
void tri_sim_tape_begin(void);

/* The present run is recorded there from now on, as `text`. Errors: negative. */
int tri_sim_record(const char *path, const char *text);

/* The present run decides as the tape says, which becomes its own; behind its end as by 0. */
void tri_sim_replay(struct tri_sim_tape *tape);

/* The tape that is played; NULL: none. */
const struct tri_sim_tape *tri_sim_played(void);

/* Whether the tape decides; then the value, below `of`. */
bool tri_sim_tape_decides(uint32_t of, uint32_t *ret_value);

/* What has been decided, one way or the other. */
void tri_sim_tape_note(uint32_t value, uint32_t of);

/* How far the run has come. */
void tri_sim_tape_progress(uint64_t steps, uint64_t hash);

/* ---- tape_file.c ---- */

void tri_sim_tape_free(struct tri_sim_tape *tape);

/* Reads a recording or a replay file. Errors: negative; what is wrong, and in which line. */
int tri_sim_tape_read(const char *path, struct tri_sim_tape *ret_tape,
                      char ret_error[TRI_SIM_TAPE_ERROR]);

/* The same from memory. */
int tri_sim_tape_parse(const void *bytes, size_t size, struct tri_sim_tape *ret_tape,
                       char ret_error[TRI_SIM_TAPE_ERROR]);

/* Writes a replay file: what differs from 0 alone. Errors: negative. */
int tri_sim_tape_write(const char *path, const struct tri_sim_tape *tape);

/* The sum that the last line of a replay file holds, over all before it. */
uint64_t tri_sim_tape_sum(const void *bytes, size_t size);

/* The program of this process. */
void tri_sim_program_self(struct tri_sim_program *ret_program);

/* The head of a recording; the decisions follow it. */
#define TRI_SIM_RECORDING "troupe recording 1\n"

struct tri_sim_recording {
    char magic[32];
    struct tri_sim_program program;
    char text[TRI_SIM_TEXT_MAX];
    uint64_t steps;
    uint64_t hash;
    uint64_t count;
    struct tri_sim_decision decisions[];
};

#endif
