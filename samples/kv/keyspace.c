/* SPDX-License-Identifier: BSD-2-Clause */

/* See keyspace.h for the shape and the rules. */

#include "keyspace.h"

#include "memory.h"

#define SMALLEST       16u  /* buckets */
#define EMPTY_SKIPPED  16u  /* empty buckets that one rehashing step passes over */
#define RANDOM_TRIES   64u
#define SPARSE         8u   /* buckets per entry from which on the table shrinks */

/* ---- tables ---- */

static struct kv_entry **bucket_of(const struct kv_table *table, uint64_t hash)
{
    return &table->buckets[hash & table->mask];
}

static bool make_table(struct kv_keyspace *space, struct kv_table *table, uint64_t buckets)
{
    struct kv_entry **array = kv_alloc_zeroed(buckets * sizeof *array);

    if (array == NULL)
        return false;
    *table = (struct kv_table){ .buckets = array, .mask = buckets - 1 };
    space->bytes += buckets * sizeof *array;
    return true;
}

static void drop_table(struct kv_keyspace *space, struct kv_table *table)
{
    if (table->buckets != NULL)
        space->bytes -= (table->mask + 1) * sizeof *table->buckets;
    kv_free(table->buckets);
    *table = (struct kv_table){ 0 };
}

static void move_bucket(struct kv_keyspace *space)
{
    struct kv_table *from = &space->tables[0];
    struct kv_table *to = &space->tables[1];
    struct kv_entry *entry = from->buckets[space->moved];

    while (entry != NULL) {
        struct kv_entry *next = entry->next;
        struct kv_entry **bucket = bucket_of(to, entry->hash);

        entry->next = *bucket;
        *bucket = entry;
        from->used--;
        to->used++;
        entry = next;
    }
    from->buckets[space->moved++] = NULL;
}

/* One step of REHASHING; the last one leads back to STEADY. */
static void rehash_step(struct kv_keyspace *space)
{
    struct kv_table *from = &space->tables[0];
    unsigned skipped = 0;

    while (from->used > 0 && from->buckets[space->moved] == NULL) {
        space->moved++;
        if (++skipped == EMPTY_SKIPPED)
            return;
    }
    if (from->used > 0)
        move_bucket(space);
    if (from->used > 0)
        return;
    drop_table(space, from);
    space->tables[0] = space->tables[1];
    space->tables[1] = (struct kv_table){ 0 };
    space->rehashing = false;
}

static uint64_t fitting(uint64_t entries)
{
    uint64_t buckets = SMALLEST;

    while (buckets < entries)
        buckets *= 2;
    return buckets;
}

/* STEADY to REHASHING, when the table is too full or too empty. */
static void fit(struct kv_keyspace *space)
{
    struct kv_table *table = &space->tables[0];
    uint64_t buckets = table->mask + 1;
    uint64_t wanted = buckets;

    if (space->rehashing || space->scanning || table->buckets == NULL)
        return;
    if (table->used >= buckets)
        wanted = buckets * 2;
    else if (buckets > SMALLEST && table->used < buckets / SPARSE)
        wanted = fitting(table->used);
    if (wanted == buckets || !make_table(space, &space->tables[1], wanted))
        return;
    space->moved = 0;
    space->rehashing = true;
}

static inline void go_on_rehashing(struct kv_keyspace *space)
{
    if (space->rehashing && !space->scanning)
        rehash_step(space);
}

/* ---- entries ---- */

static size_t block_size(size_t key, size_t value)
{
    return sizeof(struct kv_entry) + key + value;
}

/* The allocator would round to 16 anyway: what is left over is room for the value to grow. */
static uint32_t rounded_capacity(size_t key, size_t value)
{
    size_t rounded = (block_size(key, value) + 15) & ~(size_t)15;
    size_t capacity = rounded - sizeof(struct kv_entry) - key;

    return capacity <= UINT32_MAX ? (uint32_t)capacity : (uint32_t)value;
}

static inline bool is_key(const struct kv_entry *entry, uint64_t hash, struct kv_slice key)
{
    return entry->hash == hash && entry->key_size == key.size &&
           memcmp(entry->bytes, key.data, key.size) == 0;
}

static struct kv_entry *find_in(const struct kv_table *table, uint64_t hash, struct kv_slice key)
{
    struct kv_entry *entry = table->buckets == NULL ? NULL : *bucket_of(table, hash);

    while (entry != NULL && !is_key(entry, hash, key))
        entry = entry->next;
    return entry;
}

struct kv_entry *kv_keyspace_find(struct kv_keyspace *space, uint64_t hash, struct kv_slice key)
{
    struct kv_entry *entry;

    go_on_rehashing(space);
    entry = find_in(&space->tables[0], hash, key);
    if (entry == NULL && space->rehashing)
        entry = find_in(&space->tables[1], hash, key);
    return entry;
}

/* The link that holds the entry, which is in one of the tables, and that table. */
static struct kv_entry **link_of(struct kv_keyspace *space, const struct kv_entry *entry,
                                 struct kv_table **ret_table)
{
    for (unsigned i = 0; i < 2; i++) {
        struct kv_table *table = &space->tables[i];
        struct kv_entry **link = table->buckets == NULL ? NULL : bucket_of(table, entry->hash);

        while (link != NULL && *link != NULL && *link != entry)
            link = &(*link)->next;
        if (link != NULL && *link == entry) {
            *ret_table = table;
            return link;
        }
    }
    return NULL;
}

/* Gives the entry room for `capacity` bytes of value; it may move. */
static struct kv_entry *resize(struct kv_keyspace *space, struct kv_entry *entry, uint32_t capacity)
{
    struct kv_table *table;
    struct kv_entry **link = link_of(space, entry, &table);
    uint32_t before = entry->capacity;

    entry = kv_resize(entry, block_size(entry->key_size, capacity));
    if (entry == NULL)
        return NULL;
    space->bytes += (uint64_t)capacity - before;
    entry->capacity = capacity;
    *link = entry;
    return entry;
}

static struct kv_entry *insert(struct kv_keyspace *space, uint64_t hash, struct kv_slice key,
                               struct kv_slice value)
{
    uint32_t capacity = rounded_capacity(key.size, value.size);
    struct kv_table *table = &space->tables[space->rehashing ? 1 : 0];
    struct kv_entry **bucket;
    struct kv_entry *entry;

    if (table->buckets == NULL && !make_table(space, table, SMALLEST))
        return NULL;
    entry = kv_alloc(block_size(key.size, capacity));
    if (entry == NULL)
        return NULL;
    bucket = bucket_of(table, hash);
    *entry = (struct kv_entry){
        .next = *bucket, .hash = hash, .expires = KV_NEVER, .key_size = (uint32_t)key.size,
        .value_size = (uint32_t)value.size, .capacity = capacity,
    };
    if (key.size > 0)
        memcpy(entry->bytes, key.data, key.size);
    if (value.size > 0)
        memcpy(entry->bytes + key.size, value.data, value.size);
    *bucket = entry;
    table->used++;
    space->bytes += block_size(key.size, capacity);
    fit(space);
    return entry;
}

struct kv_entry *kv_keyspace_put(struct kv_keyspace *space, uint64_t hash, struct kv_slice key,
                                 struct kv_slice value)
{
    struct kv_entry *entry = kv_keyspace_find(space, hash, key);
    uint32_t capacity = rounded_capacity(key.size, value.size);

    if (entry == NULL)
        return insert(space, hash, key, value);
    /* A value that has become much smaller gives its room back. */
    if (entry->capacity < value.size || entry->capacity / 2 > capacity)
        entry = resize(space, entry, capacity);
    if (entry == NULL)
        return NULL;
    entry->value_size = (uint32_t)value.size;
    if (value.size > 0)
        memcpy(entry->bytes + entry->key_size, value.data, value.size);
    kv_keyspace_expire(space, entry, KV_NEVER);
    return entry;
}

struct kv_entry *kv_keyspace_append(struct kv_keyspace *space, struct kv_entry *entry,
                                    struct kv_slice more)
{
    size_t size = entry->value_size + more.size;

    if (size > UINT32_MAX / 2)
        return NULL;
    if (size > entry->capacity) {
        /* By half again, so that a value built up by appending is not copied each time. */
        entry = resize(space, entry, rounded_capacity(entry->key_size, size + size / 2));
        if (entry == NULL)
            return NULL;
    }
    if (more.size > 0)
        memcpy(entry->bytes + entry->key_size + entry->value_size, more.data, more.size);
    entry->value_size = (uint32_t)size;
    return entry;
}

void kv_keyspace_expire(struct kv_keyspace *space, struct kv_entry *entry, int64_t when)
{
    if (entry->expires != KV_NEVER)
        space->expiring--;
    if (when != KV_NEVER)
        space->expiring++;
    entry->expires = when;
}

static void free_entry(struct kv_keyspace *space, struct kv_entry *entry)
{
    space->bytes -= block_size(entry->key_size, entry->capacity);
    if (entry->expires != KV_NEVER)
        space->expiring--;
    kv_free(entry);
}

void kv_keyspace_remove(struct kv_keyspace *space, struct kv_entry *entry)
{
    struct kv_table *table;
    struct kv_entry **link = link_of(space, entry, &table);

    *link = entry->next;
    table->used--;
    free_entry(space, entry);
    fit(space);
}

void kv_keyspace_clear(struct kv_keyspace *space)
{
    for (unsigned i = 0; i < 2; i++) {
        struct kv_table *table = &space->tables[i];

        for (uint64_t b = 0; table->used > 0 && b <= table->mask; b++) {
            struct kv_entry *entry = table->buckets[b];

            while (entry != NULL) {
                struct kv_entry *next = entry->next;

                free_entry(space, entry);
                entry = next;
            }
        }
        drop_table(space, table);
    }
    *space = (struct kv_keyspace){ 0 };
}

/* ---- by chance ---- */

static uint64_t buckets_of(const struct kv_table *table)
{
    return table->buckets == NULL ? 0 : table->mask + 1;
}

/* Bucket `at` of both tables, one behind the other. */
static struct kv_entry *bucket_at(const struct kv_keyspace *space, uint64_t at)
{
    uint64_t first = buckets_of(&space->tables[0]);

    return at < first ? space->tables[0].buckets[at] : space->tables[1].buckets[at - first];
}

/* An empty bucket is passed over for another one by chance, lest an entry behind a long gap be the
 * likeliest; in a table that is nearly empty, after some tries, for the next. */
static struct kv_entry *chain_by_chance(const struct kv_keyspace *space, uint64_t chance)
{
    uint64_t all = buckets_of(&space->tables[0]) + buckets_of(&space->tables[1]);
    unsigned tries = 0;
    struct kv_entry *first;
    uint64_t at = 0;

    do {
        if (++tries <= RANDOM_TRIES) {
            chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            at = (chance >> 24) % all;
        } else {
            at = at + 1 < all ? at + 1 : 0;
        }
        first = bucket_at(space, at);
    } while (first == NULL);
    return first;
}

struct kv_entry *kv_keyspace_random(struct kv_keyspace *space, uint64_t chance)
{
    struct kv_entry *first;
    struct kv_entry *entry;
    uint64_t length = 0;

    if (kv_keyspace_count(space) == 0)
        return NULL;
    first = chain_by_chance(space, chance);
    for (entry = first; entry != NULL; entry = entry->next)
        length++;
    entry = first;
    for (uint64_t skip = (chance >> 32) % length; skip > 0; skip--)
        entry = entry->next;
    return entry;
}

/* ---- scanning ---- */

static void visit_bucket(const struct kv_table *table, uint64_t cursor, kv_visitor *visit,
                         void *context)
{
    struct kv_entry *entry = table->buckets[cursor & table->mask];

    while (entry != NULL) {
        struct kv_entry *next = entry->next;

        visit(context, entry);
        entry = next;
    }
}

static uint64_t reversed(uint64_t word)
{
    static const uint64_t ones = UINT64_C(0x5555555555555555);
    static const uint64_t twos = UINT64_C(0x3333333333333333);
    static const uint64_t fours = UINT64_C(0x0f0f0f0f0f0f0f0f);

    word = ((word >> 1) & ones) | ((word & ones) << 1);
    word = ((word >> 2) & twos) | ((word & twos) << 2);
    word = ((word >> 4) & fours) | ((word & fours) << 4);
    return __builtin_bswap64(word);
}

/* Adds one at the mask's highest bit, carrying downwards. */
static uint64_t advanced(uint64_t cursor, uint64_t mask)
{
    return reversed(reversed(cursor | ~mask) + 1);
}

uint64_t kv_keyspace_scan(struct kv_keyspace *space, uint64_t cursor, kv_visitor *visit,
                          void *context)
{
    const struct kv_table *small = &space->tables[0];
    const struct kv_table *large = &space->tables[1];

    if (small->buckets == NULL)
        return 0;
    space->scanning = true;
    if (!space->rehashing) {
        visit_bucket(small, cursor, visit, context);
        cursor = advanced(cursor, small->mask);
    } else {
        if (small->mask > large->mask) {
            small = &space->tables[1];
            large = &space->tables[0];
        }
        visit_bucket(small, cursor, visit, context);
        do {  /* all buckets that the small table's one is split into */
            visit_bucket(large, cursor, visit, context);
            cursor = advanced(cursor, large->mask);
        } while (cursor & (small->mask ^ large->mask));
    }
    space->scanning = false;
    return cursor;
}
