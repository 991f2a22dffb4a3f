/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The name of the function that an address is in. The dynamic linker knows exported names alone;
 * those of a program, and of what is static, stand in the file's symbol table.
 */

#include "symbol.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct image {
    const char *bytes;
    size_t size;
};

static int map_image(const char *path, struct image *ret_image)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    void *bytes = MAP_FAILED;

    if (file < 0)
        return -1;
    if (fstat(file, &status) == 0 && (size_t)status.st_size > sizeof(ElfW(Ehdr)))
        bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    (void)close(file);
    if (bytes == MAP_FAILED)
        return -1;
    *ret_image = (struct image){ bytes, (size_t)status.st_size };
    return 0;
}

/* `size` bytes at `at`; NULL: the file has no such place. */
static const void *part(const struct image *image, uint64_t at, uint64_t size)
{
    return at <= image->size && size <= image->size - at ? image->bytes + at : NULL;
}

static const ElfW(Shdr) * find_section(const struct image *image, const ElfW(Ehdr) * head,
                                       unsigned type)
{
    const ElfW(Shdr) *sections =
        part(image, head->e_shoff, (uint64_t)head->e_shnum * sizeof(ElfW(Shdr)));

    for (unsigned i = 0; sections != NULL && i < head->e_shnum; i++) {
        if (sections[i].sh_type == type && sections[i].sh_link < head->e_shnum)
            return &sections[i];
    }
    return NULL;
}

static void copy_name(const struct image *image, const ElfW(Shdr) * strings, uint64_t at,
                      struct symbol *symbol)
{
    uint64_t left = at < strings->sh_size ? strings->sh_size - at : 0;
    const char *name = part(image, strings->sh_offset + at, left);

    if (name != NULL && memchr(name, '\0', left) != NULL)
        (void)snprintf(symbol->name, sizeof symbol->name, "%.127s", name);
}

/* `value` is the address as the file has it. */
static void look_up(const struct image *image, uint64_t value, struct symbol *symbol)
{
    const ElfW(Ehdr) *head = part(image, 0, sizeof *head);
    const ElfW(Shdr) *table = find_section(image, head, SHT_SYMTAB);
    const ElfW(Sym) *symbols =
        table != NULL ? part(image, table->sh_offset, table->sh_size) : NULL;

    if (symbols == NULL)
        return;
    const ElfW(Shdr) *strings = (const ElfW(Shdr) *)(const void *)(image->bytes + head->e_shoff)
                                + table->sh_link;
    for (size_t i = 0; i < table->sh_size / sizeof *symbols; i++) {
        if ((symbols[i].st_info & 0xf) == STT_FUNC && value >= symbols[i].st_value
            && value - symbols[i].st_value < symbols[i].st_size) {
            copy_name(image, strings, symbols[i].st_name, symbol);
            return;
        }
    }
}

void find_symbol(const void *address, struct symbol *ret_symbol)
{
    struct symbol symbol = { "?", "?" };
    uintptr_t at = (uintptr_t)address - 1; /* of a return address: in the call before it */
    struct image image;
    Dl_info info;

    if (dladdr((const void *)at, &info) != 0 && info.dli_fname != NULL) {
        const char *path = strcmp(info.dli_fname, program_invocation_name) == 0
                               ? "/proc/self/exe" : info.dli_fname;
        uintptr_t offset = at - (uintptr_t)info.dli_fbase;
        (void)snprintf(symbol.object, sizeof symbol.object, "%.255s", info.dli_fname);
        (void)snprintf(symbol.name, sizeof symbol.name, "+0x%lx", (unsigned long)offset);
        if (info.dli_sname != NULL)
            (void)snprintf(symbol.name, sizeof symbol.name, "%.127s", info.dli_sname);
        if (map_image(path, &image) == 0) {
            const ElfW(Ehdr) *head = part(&image, 0, sizeof *head);
            look_up(&image, head->e_type == ET_EXEC ? at : offset, &symbol);
            (void)munmap((void *)(uintptr_t)image.bytes, image.size);
        }
    }
    *ret_symbol = symbol;
}
