/* SPDX-License-Identifier: BSD-2-Clause */
/* links: troupe_kv */

#include "kv/keyspace.h"

#include <stdio.h>

#include "kv/hash.h"
#include "kv/memory.h"
#include "support/test.h"

static const struct kv_hash_key hash_key = { 5, 6 };

static struct kv_slice numbered(char text[24], int i)
{
    return (struct kv_slice){ text, (size_t)snprintf(text, 24, "key:%d", i) };
}

static uint64_t hash_of(struct kv_slice key)
{
    return kv_hash(&hash_key, key.data, key.size);
}

static struct kv_entry *find(struct kv_keyspace *space, int i)
{
    char text[24];
    struct kv_slice key = numbered(text, i);

    return kv_keyspace_find(space, hash_of(key), key);
}

static struct kv_entry *put(struct kv_keyspace *space, int i, struct kv_slice value)
{
    char text[24];
    struct kv_slice key = numbered(text, i);

    return kv_keyspace_put(space, hash_of(key), key, value);
}

static void fill(struct kv_keyspace *space, int from, int to)
{
    for (int i = from; i < to; i++)
        cr_assert(put(space, i, KV_SLICE("value")) != NULL);
}

static void empty(struct kv_keyspace *space, int from, int to)
{
    for (int i = from; i < to; i++)
        kv_keyspace_remove(space, find(space, i));
}

Test(kv_keyspace, grows_and_shrinks_and_loses_nothing)
{
    struct kv_keyspace space = { 0 };

    cr_assert(find(&space, 1) == NULL);
    fill(&space, 0, 50000);
    cr_assert(kv_keyspace_count(&space) == 50000);
    for (int i = 0; i < 50000; i++)
        cr_assert(find(&space, i) != NULL);
    cr_assert(space.tables[0].mask + 1 >= 50000);
    empty(&space, 100, 50000);
    for (int i = 0; i < 10000; i++)
        cr_assert((find(&space, i) != NULL) == (i < 100));
    cr_assert(space.tables[0].mask + 1 <= 1024);
    empty(&space, 0, 100);
    cr_assert(kv_keyspace_count(&space) == 0);
    kv_keyspace_clear(&space);
    cr_assert(space.bytes == 0);
}

Test(kv_keyspace, values_change_size)
{
    struct kv_keyspace space = { 0 };
    char *big = malloc(100000);

    memset(big, 'b', 100000);
    cr_assert(put(&space, 1, KV_SLICE("")) != NULL);
    cr_assert(kv_entry_value(find(&space, 1)).size == 0);
    cr_assert(put(&space, 1, (struct kv_slice){ big, 100000 }) != NULL);
    cr_assert(kv_slice_equal(kv_entry_value(find(&space, 1)), (struct kv_slice){ big, 100000 }));
    cr_assert(space.bytes > 100000);
    cr_assert(put(&space, 1, KV_SLICE("small")) != NULL);
    cr_assert(kv_slice_equal(kv_entry_value(find(&space, 1)), KV_SLICE("small")));
    cr_assert(space.bytes < 1000, "room was given back");
    kv_keyspace_clear(&space);
    free(big);
}

Test(kv_keyspace, binary_keys)
{
    struct kv_keyspace space = { 0 };
    static const struct kv_slice keys[] = {
        { "", 0 }, { "\0", 1 }, { "\0\0", 2 }, { "a\0b", 3 }, { "a\0c", 3 }, { "\r\n", 2 },
        { "\xff\xfe", 2 },
    };
    const size_t count = sizeof keys / sizeof keys[0];

    for (size_t i = 0; i < count; i++)
        cr_assert(kv_keyspace_put(&space, hash_of(keys[i]), keys[i], keys[count - 1 - i]) != NULL);
    cr_assert(kv_keyspace_count(&space) == count);
    for (size_t i = 0; i < count; i++) {
        struct kv_entry *entry = kv_keyspace_find(&space, hash_of(keys[i]), keys[i]);

        cr_assert(kv_slice_equal(kv_entry_key(entry), keys[i]));
        cr_assert(kv_slice_equal(kv_entry_value(entry), keys[count - 1 - i]));
    }
    kv_keyspace_clear(&space);
}

Test(kv_keyspace, appending)
{
    struct kv_keyspace space = { 0 };
    struct kv_entry *entry = put(&space, 1, KV_SLICE("a"));

    put(&space, 2, KV_SLICE("x"));
    for (int i = 0; i < 10000; i++) {
        entry = kv_keyspace_append(&space, find(&space, 1), KV_SLICE("bc"));
        cr_assert(entry != NULL);
    }
    cr_assert(entry->value_size == 20001);
    cr_assert(memcmp(kv_entry_value(entry).data + 19999, "bc", 2) == 0);
    cr_assert(kv_slice_equal(kv_entry_value(find(&space, 2)), KV_SLICE("x")));
    kv_keyspace_clear(&space);
}

Test(kv_keyspace, counts_keys_with_a_time)
{
    struct kv_keyspace space = { 0 };

    kv_keyspace_expire(&space, put(&space, 1, KV_SLICE("a")), 10);
    kv_keyspace_expire(&space, put(&space, 2, KV_SLICE("a")), 10);
    kv_keyspace_expire(&space, find(&space, 2), 20);
    cr_assert(space.expiring == 2);
    put(&space, 1, KV_SLICE("b"));
    cr_assert(space.expiring == 1, "a new value has no time");
    kv_keyspace_remove(&space, find(&space, 2));
    cr_assert(space.expiring == 0);
    kv_keyspace_clear(&space);
}

/* ---- scanning ---- */

#define SEEN 3000

static void note_seen(void *context, struct kv_entry *entry)
{
    unsigned char *seen = context;
    char text[24] = { 0 };

    memcpy(text, entry->bytes, entry->key_size);
    seen[atoi(text + 4)] = 1;
}

/* Scans while `change` is done at each step; the keys below `kept` stay there all the time. */
static void scan_under_change(struct kv_keyspace *space, int kept,
                              void (*change)(struct kv_keyspace *, int))
{
    unsigned char seen[200000] = { 0 };
    uint64_t cursor = 0;
    int step = 0;

    do {
        cursor = kv_keyspace_scan(space, cursor, note_seen, seen);
        change(space, step++);
    } while (cursor != 0 && step < 1000000);
    cr_assert(cursor == 0);
    for (int i = 0; i < kept; i++)
        cr_assert(seen[i], "%d was there all the time", i);
    kv_keyspace_clear(space);
}

static void no_change(struct kv_keyspace *space, int step)
{
    (void)space;
    (void)step;
}

static void grow(struct kv_keyspace *space, int step)
{
    if (step < 1000)
        fill(space, SEEN + step * 20, SEEN + step * 20 + 20);
}

static void shrink(struct kv_keyspace *space, int step)
{
    if (step < 1000)
        empty(space, SEEN + step * 20, SEEN + step * 20 + 20);
}

Test(kv_keyspace, scan_sees_all)
{
    struct kv_keyspace space = { 0 };
    unsigned char seen[1] = { 0 };

    cr_assert(kv_keyspace_scan(&space, 0, note_seen, seen) == 0, "an empty one");
    fill(&space, 0, SEEN);
    scan_under_change(&space, SEEN, no_change);
}

Test(kv_keyspace, scan_sees_all_while_the_table_grows)
{
    struct kv_keyspace space = { 0 };

    fill(&space, 0, SEEN);
    scan_under_change(&space, SEEN, grow);
}

Test(kv_keyspace, scan_sees_all_while_the_table_shrinks)
{
    struct kv_keyspace space = { 0 };

    fill(&space, 0, SEEN + 20000);
    scan_under_change(&space, SEEN, shrink);
}

Test(kv_keyspace, scan_takes_any_cursor)
{
    struct kv_keyspace space = { 0 };
    unsigned char seen[SEEN] = { 0 };

    fill(&space, 0, SEEN);
    for (uint64_t cursor = 1; cursor < UINT64_MAX / 3; cursor *= 3)
        kv_keyspace_scan(&space, cursor, note_seen, seen);
    kv_keyspace_clear(&space);
}

static void remove_shown(void *context, struct kv_entry *entry)
{
    kv_keyspace_remove(context, entry);
}

Test(kv_keyspace, a_visitor_may_remove_what_it_is_shown)
{
    struct kv_keyspace space = { 0 };
    uint64_t cursor = 0;

    fill(&space, 0, SEEN);
    do
        cursor = kv_keyspace_scan(&space, cursor, remove_shown, &space);
    while (cursor != 0);
    cr_assert(kv_keyspace_count(&space) == 0);
    kv_keyspace_clear(&space);
}

/* ---- no memory ---- */

Test(kv_keyspace, without_memory_nothing_changes)
{
    struct kv_keyspace space = { 0 };
    char big[4096] = { 0 };

    kv_memory_fail_after(0);
    cr_assert(put(&space, 1, KV_SLICE("a")) == NULL);
    kv_memory_fail_after(-1);
    fill(&space, 0, 16);  /* the next one wants a larger table */
    kv_memory_fail_after(0);
    cr_assert(put(&space, 77, KV_SLICE("a")) == NULL);
    cr_assert(put(&space, 1, (struct kv_slice){ big, sizeof big }) == NULL);
    cr_assert(kv_keyspace_append(&space, find(&space, 1),
                                 (struct kv_slice){ big, sizeof big }) == NULL);
    kv_memory_fail_after(1);
    cr_assert(put(&space, 78, KV_SLICE("a")) != NULL, "the table stays small and works");
    kv_memory_fail_after(-1);
    cr_assert(kv_keyspace_count(&space) == 17);
    for (int i = 0; i < 16; i++)
        cr_assert(kv_slice_equal(kv_entry_value(find(&space, i)), KV_SLICE("value")));
    kv_keyspace_clear(&space);
}
