/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What. A run is the list of its decisions: which step, which batch, which fault strikes. Recorded,
 * it can be repeated without its seed, and made smaller.
 *
 * Why a mapped file. A recording must survive the crash that it is made for: what stands in a file
 * that is mapped the kernel keeps, whatever becomes of the process. The file grows as the run does:
 * a search makes thousands of short ones.
 *
 * A decision of 0 is what happens when nothing special does: a tape with fewer others is a simpler
 * run, and whatever is missing is 0. A value that does not fit is 0 too: a run that was changed may
 * come to other decisions than the recorded one.
 *
 * Partners: sim/choice.c asks; sim/tape_file.c reads and writes; sim/search.c changes tapes and
 * runs them.
 */

#include "sim/tape.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/memory.h"

#define ROOM_FIRST ((size_t)1 << 12)

static struct {
    struct tri_sim_recording *map; /* NULL: not recorded */
    size_t room;                   /* in decisions */
    int file;
} recording;

static struct {
    struct tri_sim_tape tape;
    size_t position;
    bool is_on;
} playing;

static size_t size_of(size_t room)
{
    return sizeof *recording.map + room * sizeof(struct tri_sim_decision);
}

void tri_sim_tape_begin(void)
{
    if (recording.map != NULL) {
        (void)munmap(recording.map, size_of(recording.room));
        (void)close(recording.file);
    }
    recording.map = NULL;
    tri_sim_tape_free(&playing.tape);
    playing.is_on = false;
}

/* ---- recording ------------------------------------------------------------------------------ */

int tri_sim_record(const char *path, const char *text)
{
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    void *map = MAP_FAILED;

    if (file < 0)
        return -errno;
    if (ftruncate(file, (off_t)size_of(ROOM_FIRST)) == 0)
        map = mmap(NULL, size_of(ROOM_FIRST), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (map == MAP_FAILED) {
        int error = errno;
        (void)close(file);
        return -error;
    }
    recording.map = map;
    recording.room = ROOM_FIRST;
    recording.file = file;
    (void)snprintf(recording.map->magic, sizeof recording.map->magic, "%s", TRI_SIM_RECORDING);
    (void)snprintf(recording.map->text, sizeof recording.map->text, "%s", text);
    tri_sim_program_self(&recording.map->program);
    return 0;
}

/* Where it cannot grow the recording ends: the run goes on. */
static TRI_COLD bool grow(void)
{
    size_t room = recording.room * 2;
    void *map;

    if (room > TRI_SIM_DECISIONS_MAX || ftruncate(recording.file, (off_t)size_of(room)) != 0)
        return false;
    map = mremap(recording.map, size_of(recording.room), size_of(room), MREMAP_MAYMOVE);
    if (map == MAP_FAILED)
        return false;
    recording.map = map;
    recording.room = room;
    return true;
}

void tri_sim_tape_note(uint32_t value, uint32_t of)
{
    if (recording.map == NULL || (recording.map->count == recording.room && !grow()))
        return;
    recording.map->decisions[recording.map->count] = (struct tri_sim_decision){ value, of };
    recording.map->count++;
}

void tri_sim_tape_progress(uint64_t steps, uint64_t hash)
{
    if (recording.map == NULL)
        return;
    recording.map->steps = steps;
    recording.map->hash = hash;
}

/* ---- playing -------------------------------------------------------------------------------- */

void tri_sim_replay(struct tri_sim_tape *tape)
{
    tri_sim_tape_free(&playing.tape);
    playing.tape = *tape;
    playing.position = 0;
    playing.is_on = true;
    *tape = (struct tri_sim_tape){ .count = 0 };
}

const struct tri_sim_tape *tri_sim_played(void)
{
    return playing.is_on ? &playing.tape : NULL;
}

bool tri_sim_tape_decides(uint32_t of, uint32_t *ret_value)
{
    uint32_t value = 0;

    if (TRI_LIKELY(!playing.is_on))
        return false;
    if (playing.position < playing.tape.count)
        value = playing.tape.decisions[playing.position++].value;
    *ret_value = value < of ? value : 0;
    return true;
}
