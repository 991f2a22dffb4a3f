/* SPDX-License-Identifier: BSD-2-Clause */
/* links: troupe_kv */

/* The small parts of the key-value service: buffers, numbers, patterns, hashes, checksums. */

#include <stdio.h>

#include "kv/buffer.h"
#include "kv/command.h"
#include "kv/crc32c.h"
#include "kv/glob.h"
#include "kv/hash.h"
#include "kv/memory.h"
#include "kv/number.h"
#include "kv/reply.h"
#include "support/test.h"

static struct kv_slice slice(const char *text)
{
    return (struct kv_slice){ text, strlen(text) };
}

Test(kv_buffer, grows_and_keeps_contents)
{
    struct kv_buffer buffer = { 0 };

    for (int i = 0; i < 10000; i++)
        kv_buffer_add(&buffer, "0123456789", 10);
    cr_assert(buffer.size == 100000);
    cr_assert(memcmp(buffer.data + 99990, "0123456789", 10) == 0);
    kv_buffer_clear(&buffer, 10);
    cr_assert(buffer.data == NULL);
}

Test(kv_buffer, without_memory_fails_and_stays_failed)
{
    struct kv_buffer buffer = { 0 };

    kv_memory_fail_after(0);
    kv_reply_bulk(&buffer, slice("hello"));
    kv_memory_fail_after(-1);
    cr_assert(buffer.failed);
    kv_reply_number(&buffer, 1);
    cr_assert(buffer.size == 0);
    cr_assert(kv_buffer_room(&buffer, 1) == NULL);
    kv_buffer_clear(&buffer, 0);
    kv_reply_number(&buffer, -12);
    cr_assert(buffer.size == 6 && memcmp(buffer.data, ":-12\r\n", 6) == 0);
    kv_buffer_release(&buffer);
}

Test(kv_number, one_spelling_each)
{
    static const struct {
        const char *text;
        int64_t number;
    } good[] = {
        { "0", 0 }, { "1", 1 }, { "-1", -1 }, { "9223372036854775807", INT64_MAX },
        { "-9223372036854775808", INT64_MIN }, { "1000000", 1000000 },
    };
    static const char *const bad[] = {
        "", "-", "+1", " 1", "1 ", "01", "-0", "00", "1a", "0x1", "9223372036854775808",
        "-9223372036854775809", "99999999999999999999", "184467440737095516160", "1.0",
    };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char text[KV_NUMBER_MAX];
        int64_t number = 77;
        size_t size = kv_number_write(text, good[i].number);

        cr_assert(kv_number_parse(good[i].text, strlen(good[i].text), &number), "%s", good[i].text);
        cr_assert(number == good[i].number);
        cr_assert(size == strlen(good[i].text) && memcmp(text, good[i].text, size) == 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t number = 77;

        cr_assert(!kv_number_parse(bad[i], strlen(bad[i]), &number), "%s", bad[i]);
        cr_assert(number == 77);
    }
}

Test(kv_glob, as_redis_has_it)
{
    static const struct {
        const char *pattern;
        const char *text;
        bool matches;
    } cases[] = {
        { "*", "", true }, { "*", "abc", true }, { "", "", true }, { "", "a", false },
        { "foo*", "foobar", true }, { "foo*", "fo", false }, { "*bar", "foobar", true },
        { "h?llo", "hello", true }, { "h?llo", "hllo", false }, { "h[ae]llo", "hallo", true },
        { "h[ae]llo", "hillo", false }, { "h[^e]llo", "hallo", true },
        { "h[^e]llo", "hello", false }, { "h[a-b]llo", "hbllo", true },
        { "h[b-a]llo", "hallo", true }, { "h[a-b]llo", "hcllo", false },
        { "a\\*c", "a*c", true }, { "a\\*c", "abc", false }, { "[\\]]", "]", true },
        { "[a-]", "-", false }, { "[a-]", "_", true }, { "\\", "\\", true },
        { "a[", "a", false }, { "a[", "ab", false },
        { "[abc", "b", true }, { "a*b*c*d", "aXbYcZd", true }, { "a*b*c*d", "aXbYcZ", false },
        { "**a**", "bab", true }, { "?", "", false }, { "[^]", "a", true },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert(kv_glob(slice(cases[i].pattern), slice(cases[i].text)) == cases[i].matches,
                  "%s on %s", cases[i].pattern, cases[i].text);
}

/* A pattern of stars takes time in proportion to the text; trying every split would take for
 * ever. */
Test(kv_glob, many_stars_end)
{
    char text[2000];
    char pattern[200];

    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < sizeof pattern; i += 2) {
        pattern[i] = '*';
        pattern[i + 1] = 'a';
    }
    pattern[sizeof pattern - 1] = 'b';
    cr_assert(!kv_glob((struct kv_slice){ pattern, sizeof pattern },
                       (struct kv_slice){ text, sizeof text }));
}

/* The first of the paper's vectors for SipHash-2-4, and that fewer rounds are another function. */
Test(kv_hash, the_papers_vectors)
{
    struct kv_hash_key key = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
    unsigned char data[15];

    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)i;
    /* absorb by 2, finish by 4: kv_hash_rounds finishes by two more than it absorbs by */
    cr_assert(kv_hash_rounds(&key, data, 15, 2) == UINT64_C(0xa129ca6149be45e5));
    cr_assert(kv_hash_rounds(&key, data, 0, 2) == UINT64_C(0x726fdb47dd0e0e31));
    cr_assert(kv_hash_rounds(&key, data, 8, 2) == UINT64_C(0x93f5f5799a932462));
    cr_assert(kv_hash(&key, data, 15) == kv_hash_rounds(&key, data, 15, 1));
    cr_assert(kv_hash(&key, data, 15) != kv_hash_rounds(&key, data, 15, 2));
}

Test(kv_hash, shards_get_about_as_much)
{
    struct kv_hash_key key = { 3, 4 };
    unsigned counts[5] = { 0 };

    for (int i = 0; i < 50000; i++)
        counts[kv_hash_shard(kv_hash(&key, &i, sizeof i), 5)]++;
    for (int i = 0; i < 5; i++)
        cr_assert(counts[i] > 9000 && counts[i] < 11000);
}

Test(kv_crc32c, known_values_and_both_ways)
{
    unsigned char data[300];

    cr_assert(kv_crc32c(0, "123456789", 9) == 0xe3069283);
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 7);
    for (size_t size = 0; size < sizeof data; size++) {
        cr_assert(kv_crc32c(0, data, size) == kv_crc32c_plain(0, data, size));
        cr_assert(kv_crc32c(kv_crc32c(0, data, size / 3), data + size / 3, size - size / 3) ==
                  kv_crc32c(0, data, size));
    }
}

/* Every command is found by its name, in any case: the table is in the order the lookup relies
 * on. */
Test(kv_command, every_name_is_found)
{
    for (uint32_t i = 0; i < kv_command_count(); i++) {
        const struct kv_command *command = kv_command_at((uint8_t)i);
        char upper[16] = { 0 };

        for (size_t j = 0; command->name[j] != '\0'; j++)
            upper[j] = (char)(command->name[j] - 'a' + 'A');
        cr_assert(kv_command_find(slice(command->name)) == command, "%s", command->name);
        cr_assert(kv_command_find(slice(upper)) == command, "%s", upper);
        cr_assert(command->run != NULL || command->here != NULL ||
                  command->route == KV_ROUTE_EACH_KEY || command->route == KV_ROUTE_STEPS);
    }
    cr_assert(strcmp(kv_command_at(kv_command_get())->name, "get") == 0);
    cr_assert(kv_command_find(slice("")) == NULL);
    cr_assert(kv_command_find(slice("ge")) == NULL);
    cr_assert(kv_command_find(slice("gets")) == NULL);
    cr_assert(kv_command_find(slice("averyveryverylongcommandname")) == NULL);
    cr_assert(kv_command_find((struct kv_slice){ "get\0", 4 }) == NULL);
}
