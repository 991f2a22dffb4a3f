/* SPDX-License-Identifier: BSD-2-Clause */

/* Replay files and recordings of simulated runs: as they are, and with a last line whose sum is
 * right. What is read is written, and read again as it was. */

#include <inttypes.h>
#include <unistd.h>

#include "fuzz.h"
#include "sim/tape.h"

static char error[TRI_SIM_TAPE_ERROR];

/* Tapes that claim many decisions are not written: it takes long, and shows nothing more. */
#define WRITTEN_MAX 100000u

static void write_again(const struct tri_sim_tape *tape)
{
    struct tri_sim_tape again;
    char path[] = "/tmp/troupe.fuzz.XXXXXX";
    int file = mkstemp(path);

    FUZZ_CHECK(file >= 0);
    (void)close(file);
    FUZZ_CHECK(tri_sim_tape_write(path, tape) == 0);
    FUZZ_CHECK(tri_sim_tape_read(path, &again, error) == 0);
    (void)unlink(path);
    FUZZ_CHECK(again.hash == tape->hash && again.steps == tape->steps);
    FUZZ_CHECK(again.program.build == tape->program.build);
    FUZZ_CHECK(strcmp(again.program.name, tape->program.name) == 0);
    FUZZ_CHECK(strcmp(again.text, tape->text) == 0);
    FUZZ_CHECK(again.count <= tape->count); /* zeros at the end are not written */
    for (size_t i = 0; i < tape->count; i++) {
        uint32_t value = i < again.count ? again.decisions[i].value : 0;
        FUZZ_CHECK(value == tape->decisions[i].value);
    }
    tri_sim_tape_free(&again);
}

static void parse(const char *bytes, size_t size, bool is_text)
{
    struct tri_sim_tape tape;

    error[0] = '\0';
    if (tri_sim_tape_parse(bytes, size, &tape, error) < 0) {
        FUZZ_CHECK(error[0] != '\0' && memchr(error, '\0', sizeof error) != NULL);
        return;
    }
    FUZZ_CHECK(tape.count <= TRI_SIM_DECISIONS_MAX);
    FUZZ_CHECK((tape.count == 0) == (tape.decisions == NULL));
    if (is_text) {
        FUZZ_CHECK(tape.count <= size / 4 * TRI_SIM_GAP); /* no entry is shorter than "0:1" */
    }
    if (is_text && tape.count <= WRITTEN_MAX)
        write_again(&tape);
    tri_sim_tape_free(&tape);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size), *ended = malloc(size + 32);
    bool is_text = size < 16 || memcmp(bytes, TRI_SIM_RECORDING, 16) != 0;
    size_t line = size;

    FUZZ_CHECK(ended != NULL);
    parse(bytes, size, is_text);
    /* Its last line, if it is one that ends it, is replaced by a right one. */
    while (line > 0 && (line == size || bytes[line - 1] != '\n'))
        line--;
    if (size - line < 4 || memcmp(bytes + line, "end ", 4) != 0)
        line = size;
    memcpy(ended, bytes, line);
    (void)snprintf(ended + line, 32, "end %016" PRIx64 "\n", tri_sim_tape_sum(bytes, line));
    parse(ended, line + 21, is_text);
    free(ended);
    free(bytes);
    return 0;
}
