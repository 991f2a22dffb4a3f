/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What. Tapes as files. A recording is the binary form, which a run writes as it goes. A replay
 * file is for people and version control: text, with the decisions that are not 0 alone, and one
 * of each TRI_SIM_GAP that are.
 *
 *     troupe replay 1
 *     program sim_stale_cache 62c1b2cbb4d91b2f
 *     options 7,crash@feed=0.01
 *     run 43 steps, hash fbfa92d9aaf96a6b
 *     3:1 17:2 18:1
 *     end a3c59ac2f0c1b0de
 *
 * Why a sum in the last line. A file that was cut short, or of which a digit was lost, would still
 * be some run, and whoever is told that it passes would believe it.
 *
 * Rules
 *   1. A file is read by two passes: nothing is allocated before all of it makes sense.
 *   2. What is wrong is told with the number of the line.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/memory.h"
#include "base/random.h"
#include "sim/tape.h"

#define TITLE      "troupe replay 1"
#define LINE_BYTES 1100u

/* ---- sums and programs ---------------------------------------------------------------------- */

uint64_t tri_sim_tape_sum(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint64_t sum = size, word;

    for (; size > 0; at += tri_min(size, sizeof word), size -= tri_min(size, sizeof word)) {
        word = 0;
        memcpy(&word, at, tri_min(size, sizeof word));
        word ^= sum;
        sum = tri_random_spread(&word);
    }
    return sum;
}

struct mapped {
    void *bytes;
    size_t size;
};

static int map_file(const char *path, struct mapped *ret_mapped)
{
    struct mapped mapped = { .bytes = NULL };
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0)
        return -errno;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
        mapped.size = (size_t)status.st_size;
        mapped.bytes = mmap(NULL, mapped.size, PROT_READ, MAP_PRIVATE, file, 0);
    }
    (void)close(file);
    if (mapped.bytes == MAP_FAILED)
        return -ENOMEM;
    *ret_mapped = mapped;
    return 0;
}

static void unmap(struct mapped *mapped)
{
    if (mapped->bytes != NULL)
        (void)munmap(mapped->bytes, mapped->size);
}

void tri_sim_program_self(struct tri_sim_program *ret_program)
{
    struct tri_sim_program program = { .build = 0 };
    struct mapped mapped;
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);

    path[length > 0 ? length : 0] = '\0';
    const char *slash = strrchr(path, '/');
    (void)snprintf(program.name, sizeof program.name, "%.63s", slash != NULL ? slash + 1 : path);
    for (char *at = program.name; *at != '\0'; at++)
        *at = *at > ' ' && *at < 127 ? *at : '_';
    if (map_file("/proc/self/exe", &mapped) == 0) {
        program.build = tri_sim_tape_sum(mapped.bytes, mapped.size);
        unmap(&mapped);
    }
    *ret_program = program;
}

void tri_sim_tape_free(struct tri_sim_tape *tape)
{
    tri_free(tape->decisions);
    *tape = (struct tri_sim_tape){ .count = 0 };
}

/* ---- lines ---------------------------------------------------------------------------------- */

/* A text that is read line by line. */
struct text {
    const char *bytes;
    size_t size;
    size_t at;        /* where the next line begins */
    unsigned number;  /* of the present line */
    char line[LINE_BYTES];
    char *ret_error;
};

__attribute__((format(printf, 2, 3)))
static int complain(const struct text *text, const char *format, ...)
{
    char what[TRI_SIM_TAPE_ERROR - 24];
    va_list words;

    va_start(words, format);
    (void)vsnprintf(what, sizeof what, format, words);
    va_end(words);
    (void)snprintf(text->ret_error, TRI_SIM_TAPE_ERROR, "line %u: %s", text->number, what);
    return -EINVAL;
}

static int next_line(struct text *text)
{
    const char *from = text->bytes + text->at;
    size_t left = text->size - text->at;
    const char *end = left > 0 ? memchr(from, '\n', left) : NULL;

    text->number++;
    if (left == 0)
        return complain(text, "the file is cut short: a line \"end\" comes last");
    if (end == NULL)
        return complain(text, "the file is cut short within the line");
    size_t length = (size_t)(end - from);
    if (length >= sizeof text->line)
        return complain(text, "too long");
    if (memchr(from, '\0', length) != NULL)
        return complain(text, "a zero byte: this is not text");
    memcpy(text->line, from, length);
    text->line[length] = '\0';
    text->at += length + 1;
    return 0;
}

/* What follows the word with which the line must begin. */
static int next_named(struct text *text, const char *word, const char **ret_rest)
{
    size_t length = strlen(word);
    int error = next_line(text);

    if (error < 0)
        return error;
    if (strncmp(text->line, word, length) != 0 || text->line[length] != ' ')
        return complain(text, "begins with \"%s\" in a replay file", word);
    *ret_rest = text->line + length + 1;
    return 0;
}

/* Digits alone: strtoull would take signs and blanks. */
static bool parse_digits(const char **at, unsigned base, uint64_t *ret_number)
{
    static const char digits[] = "0123456789abcdef";
    const char *from = *at;
    uint64_t number = 0;

    for (; **at != '\0'; (*at)++) {
        const char *digit = memchr(digits, **at, base);
        if (digit == NULL)
            break;
        if (number > (UINT64_MAX - 15) / base)
            return false;
        number = number * base + (uint64_t)(digit - digits);
    }
    *ret_number = number;
    return *at != from;
}

/* Sixteen figures, and nothing behind them. */
static bool parse_sum(const char *at, uint64_t *ret_sum)
{
    uint64_t high, low;
    char half[9] = { 0 };
    const char *first = half, *second = at + 8;

    if (strlen(at) != 16)
        return false;
    memcpy(half, at, 8);
    if (!parse_digits(&first, 16, &high) || *first != '\0' || !parse_digits(&second, 16, &low)
        || *second != '\0')
        return false;
    *ret_sum = high << 32 | low;
    return true;
}

/* ---- a replay file -------------------------------------------------------------------------- */

static int parse_program(struct text *text, struct tri_sim_program *program)
{
    const char *rest, *blank;
    int error = next_named(text, "program", &rest);

    if (error < 0)
        return error;
    blank = strchr(rest, ' ');
    if (blank == NULL || blank == rest || (size_t)(blank - rest) >= sizeof program->name
        || !parse_sum(blank + 1, &program->build))
        return complain(text, "a program's name and 16 figures are expected");
    (void)snprintf(program->name, sizeof program->name, "%.*s", (int)(blank - rest), rest);
    return 0;
}

static int parse_head(struct text *text, struct tri_sim_tape *tape)
{
    const char *rest = NULL;
    int error = next_line(text);

    if (error < 0 || strcmp(text->line, TITLE) != 0)
        return complain(text, "neither a recording nor a file that begins with \"%s\"", TITLE);
    error = parse_program(text, &tape->program);
    if (error == 0)
        error = next_named(text, "options", &rest);
    if (error < 0)
        return error;
    if (rest[0] == '\0' || strlen(rest) >= sizeof tape->text)
        return complain(text, "a seed and its options are expected");
    memcpy(tape->text, rest, strlen(rest) + 1);
    error = next_named(text, "run", &rest);
    if (error < 0)
        return error;
    if (!parse_digits(&rest, 10, &tape->steps) || strncmp(rest, " steps, hash ", 13) != 0
        || !parse_sum(rest + 13, &tape->hash))
        return complain(text, "\"run N steps, hash H\" is expected");
    return 0;
}

/* One "index:value"; with decisions it is put there. */
static int parse_entry(struct text *text, const char **at, struct tri_sim_tape *tape)
{
    uint64_t index, value;

    if (!parse_digits(at, 10, &index) || *(*at)++ != ':' || !parse_digits(at, 10, &value)
        || (**at != ' ' && **at != '\0'))
        return complain(text, "decisions like \"17:2\", apart by blanks, are expected");
    if (index >= TRI_SIM_DECISIONS_MAX || value > UINT32_MAX)
        return complain(text, "a decision out of bounds");
    if (index < tape->count)
        return complain(text, "decision %" PRIu64 " is not behind the one before it", index);
    if (index - tape->count >= TRI_SIM_GAP)
        return complain(text, "more than %u decisions are left out", TRI_SIM_GAP - 1);
    tape->count = (size_t)index + 1;
    if (tape->decisions != NULL)
        tape->decisions[index].value = (uint32_t)value;
    return 0;
}

/* The lines up to the last one, which holds the sum. */
static int parse_entries(struct text *text, struct tri_sim_tape *tape)
{
    size_t begin = text->at;
    uint64_t sum;
    int error;

    while ((error = next_line(text)) == 0 && strncmp(text->line, "end ", 4) != 0) {
        const char *at = text->line;
        do {
            error = parse_entry(text, &at, tape);
            if (error < 0)
                return error;
        } while (*at++ == ' ');
        begin = text->at;
    }
    if (error < 0)
        return error;
    if (!parse_sum(text->line + 4, &sum))
        return complain(text, "\"end\" and 16 figures are expected");
    if (sum != tri_sim_tape_sum(text->bytes, begin))
        return complain(text, "the sum is not that of the lines above: one of them is damaged");
    if (text->at != text->size)
        return complain(text, "more follows behind the end");
    return 0;
}

static int parse_replay(struct text *text, struct tri_sim_tape *tape)
{
    struct text again;
    int error = parse_head(text, tape);

    again = *text;
    if (error == 0)
        error = parse_entries(text, tape);
    if (error < 0 || tape->count == 0)
        return error;
    tape->decisions = tri_alloc_zeroed(tape->count * sizeof *tape->decisions);
    if (tape->decisions == NULL)
        return -ENOMEM;
    tape->count = 0;
    return parse_entries(&again, tape);
}

/* ---- a recording ---------------------------------------------------------------------------- */

static bool is_recording(const void *bytes, size_t size)
{
    size_t length = sizeof TRI_SIM_RECORDING;

    return size >= length && memcmp(bytes, TRI_SIM_RECORDING, length) == 0;
}

static int copy_recording(const void *bytes, size_t size, struct tri_sim_tape *tape,
                          char *ret_error)
{
    struct tri_sim_recording head;
    size_t room = size >= sizeof head ? (size - sizeof head) / sizeof *tape->decisions : 0;

    if (size >= sizeof head)
        memcpy(&head, bytes, sizeof head);
    if (size < sizeof head || head.count > tri_min(room, TRI_SIM_DECISIONS_MAX)) {
        (void)snprintf(ret_error, TRI_SIM_TAPE_ERROR, "a recording that is cut short");
        return -EINVAL;
    }
    if (head.text[sizeof head.text - 1] != '\0'
        || head.program.name[sizeof head.program.name - 1] != '\0') {
        (void)snprintf(ret_error, TRI_SIM_TAPE_ERROR, "a recording that is damaged");
        return -EINVAL;
    }
    tape->program = head.program;
    memcpy(tape->text, head.text, sizeof tape->text);
    tape->steps = head.steps;
    tape->hash = head.hash;
    tape->count = (size_t)head.count;
    if (tape->count == 0)
        return 0;
    tape->decisions = tri_alloc(tape->count * sizeof *tape->decisions);
    if (tape->decisions == NULL)
        return -ENOMEM;
    memcpy(tape->decisions, (const char *)bytes + sizeof head,
           tape->count * sizeof *tape->decisions);
    return 0;
}

/* ---- reading and writing -------------------------------------------------------------------- */

int tri_sim_tape_parse(const void *bytes, size_t size, struct tri_sim_tape *ret_tape,
                       char ret_error[TRI_SIM_TAPE_ERROR])
{
    struct text text = { .bytes = bytes, .size = size, .ret_error = ret_error };
    struct tri_sim_tape tape = { .count = 0 };
    int error = is_recording(bytes, size) ? copy_recording(bytes, size, &tape, ret_error)
                                          : parse_replay(&text, &tape);

    if (error == -ENOMEM)
        (void)snprintf(ret_error, TRI_SIM_TAPE_ERROR, "no memory");
    if (error < 0)
        tri_sim_tape_free(&tape);
    else
        *ret_tape = tape;
    return error;
}

int tri_sim_tape_read(const char *path, struct tri_sim_tape *ret_tape,
                      char ret_error[TRI_SIM_TAPE_ERROR])
{
    struct mapped mapped;
    int error = map_file(path, &mapped);

    if (error < 0) {
        (void)snprintf(ret_error, TRI_SIM_TAPE_ERROR, "%s", strerror(-error));
        return error;
    }
    error = tri_sim_tape_parse(mapped.bytes, mapped.size, ret_tape, ret_error);
    unmap(&mapped);
    return error;
}

/* How many there are without the zeros at the end. */
static size_t count_of(const struct tri_sim_tape *tape)
{
    size_t count = tape->count;

    while (count > 0 && tape->decisions[count - 1].value == 0)
        count--;
    return count;
}

static void print(FILE *file, const struct tri_sim_tape *tape)
{
    size_t count = count_of(tape), next = 0;
    unsigned written = 0;

    (void)fprintf(file, "%s\nprogram %s %016" PRIx64 "\noptions %s\n", TITLE, tape->program.name,
                  tape->program.build, tape->text);
    (void)fprintf(file, "run %" PRIu64 " steps, hash %016" PRIx64 "\n", tape->steps, tape->hash);
    for (size_t i = 0; i < count; i++) {
        if (tape->decisions[i].value == 0 && i - next < TRI_SIM_GAP - 1)
            continue;
        next = i + 1;
        (void)fprintf(file, "%s%zu:%" PRIu32,
                      written == 0 ? "" : written % 10 == 0 ? "\n" : " ",
                      i, tape->decisions[i].value);
        written++;
    }
    if (written > 0)
        (void)fputc('\n', file);
}

/* The sum comes last: it is made of what has been written. */
static int print_sum(FILE *file, const char *path)
{
    struct mapped mapped;
    int error = fflush(file) == 0 ? map_file(path, &mapped) : -EIO;

    if (error < 0)
        return error;
    (void)fprintf(file, "end %016" PRIx64 "\n", tri_sim_tape_sum(mapped.bytes, mapped.size));
    unmap(&mapped);
    return ferror(file) != 0 ? -EIO : 0;
}

int tri_sim_tape_write(const char *path, const struct tri_sim_tape *tape)
{
    FILE *file = fopen(path, "we");
    int error;

    if (file == NULL)
        return -errno;
    print(file, tape);
    error = print_sum(file, path);
    return fclose(file) != 0 && error == 0 ? -EIO : error;
}
