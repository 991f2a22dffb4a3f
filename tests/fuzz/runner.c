/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The main of a target where there is no libFuzzer: every file of its corpus, then so many inputs
 * made of them by a fixed seed, so that a failure is there again at the next run.
 *
 *     fuzz_resp CORPUS [MUTATIONS]     the suite
 *     fuzz_resp FILE                   one input again
 *
 * The input that fails is kept in the working directory: failed-input.
 */

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "fuzz.h"

enum { FILES_MAX = 256, INPUT_MAX = 4096, MUTATIONS = 20000 };

struct input {
    uint8_t bytes[INPUT_MAX];
    size_t size;
};

static struct input *files[FILES_MAX];
static unsigned file_count;
static struct input present;
static struct tri_random chance;

/* ---- failures ------------------------------------------------------------------------------- */

static void keep_input(int number)
{
    int file = open("failed-input", O_WRONLY | O_CREAT | O_TRUNC, 0666);

    if (file >= 0 && write(file, present.bytes, present.size) == (ssize_t)present.size)
        (void)!write(STDERR_FILENO, "the input is in failed-input\n", 29);
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void try(const struct input *input)
{
    if (input != &present)
        present = *input;
    (void)LLVMFuzzerTestOneInput(present.bytes, present.size);
}

/* ---- the corpus ----------------------------------------------------------------------------- */

static void read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct input *input = calloc(1, sizeof *input);

    FUZZ_CHECK(file != NULL && input != NULL && file_count < FILES_MAX);
    input->size = fread(input->bytes, 1, sizeof input->bytes, file);
    (void)fclose(file);
    files[file_count++] = input;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void read_folder(const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_visible, alphasort);

    FUZZ_CHECK(count > 0);
    for (int i = 0; i < count; i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        read_file(path);
        free(entries[i]);
    }
    free(entries);
}

/* ---- mutations ------------------------------------------------------------------------------ */

static size_t draw(size_t below)
{
    return tri_random_below(&chance, (uint32_t)below);
}

static void insert(size_t at, const void *bytes, size_t size)
{
    if (size > sizeof present.bytes - present.size)
        return;
    memmove(present.bytes + at + size, present.bytes + at, present.size - at);
    memcpy(present.bytes + at, bytes, size);
    present.size += size;
}

static void cut(size_t at, size_t size)
{
    memmove(present.bytes + at, present.bytes + at + size, present.size - at - size);
    present.size -= size;
}

/* Of what decoders look at: ends of lines, lengths, numbers at their bounds. */
static void insert_word(size_t at)
{
    static const char *const words[] = {
        "\r\n", "\n", "*3\r\n", "$-1\r\n", "$0\r\n\r\n", "-1", "0", "4294967296", "2147483647", " ",
        "\"", "\\x", ":", "end ", "*0\r\n", "9223372036854775808", "\t", "'", "1048577",
    };
    const char *word = words[draw(sizeof words / sizeof words[0])];

    insert(at, word, strlen(word));
}

static void insert_piece(size_t at)
{
    const struct input *other = files[draw(file_count)];
    uint8_t piece[INPUT_MAX];
    size_t from = draw(other->size + 1), size = draw(other->size - from + 1);

    memcpy(piece, other->bytes + from, size);
    insert(at, piece, size);
}

static void mutate(void)
{
    size_t at = draw(present.size + 1);

    switch (draw(6)) {
    case 0:
        if (at < present.size)
            present.bytes[at] ^= (uint8_t)(1u << draw(8));
        break;
    case 1:
        if (at < present.size)
            present.bytes[at] = (uint8_t)draw(256);
        break;
    case 2:
        cut(at, draw(present.size - at + 1));
        break;
    case 3:
        insert_word(at);
        break;
    case 4:
        insert_piece(at);
        break;
    default:
        if (at < present.size)
            cut(at, 1);
    }
}

int main(int count, char **words)
{
    unsigned long mutations = count > 2 ? strtoul(words[2], NULL, 10) : MUTATIONS;
    struct stat status;

    if (count < 2 || stat(words[1], &status) != 0) {
        (void)fprintf(stderr, "usage: %s CORPUS [MUTATIONS] | FILE\n", words[0]);
        return 2;
    }
    if (S_ISDIR(status.st_mode))
        read_folder(words[1]);
    else
        read_file(words[1]);
    (void)signal(SIGABRT, keep_input);
    (void)signal(SIGSEGV, keep_input);
    for (unsigned i = 0; i < file_count; i++)
        try(files[i]);
    if (!S_ISDIR(status.st_mode))
        mutations = 0;
    tri_random_seed(&chance, 1);
    for (unsigned long i = 0; i < mutations; i++) {
        present = *files[draw(file_count)];
        for (size_t changes = 1 + draw(4); changes > 0; changes--)
            mutate();
        try(&present);
    }
    (void)printf("%u files and %lu inputs made of them\n", file_count, mutations);
    for (unsigned i = 0; i < file_count; i++)
        free(files[i]);
    return 0;
}
