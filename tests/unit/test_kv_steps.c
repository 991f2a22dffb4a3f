/* SPDX-License-Identifier: BSD-2-Clause */
/* links: troupe_kv */

/* Commands in several rounds: their order among others, and what can happen between two steps. */

#include "support/kv_service.h"

/* Two keys that two shards have: found, not assumed. */
static void two_keys(const struct service *s, char from[8], char to[8])
{
    uint32_t shard = 0;

    strcpy(from, "from");
    strcpy(to, "a");
    shard = kv_hash_shard(kv_hash(&s->settings.hash_key, from, 4), s->settings.shards);
    while (kv_hash_shard(kv_hash(&s->settings.hash_key, to, 1), s->settings.shards) == shard)
        to[0]++;
}

static struct kv_store *store_of(struct service *s, const char *key, uint64_t *ret_hash)
{
    *ret_hash = kv_hash(&s->settings.hash_key, key, strlen(key));
    return &s->stores[kv_hash_shard(*ret_hash, s->settings.shards)];
}

static void put(struct service *s, const char *key, const char *value)
{
    struct kv_place place = { { key, strlen(key) }, 0, 0 };
    struct kv_store *store = store_of(s, key, &place.hash);

    cr_assert(kv_store_set(store, &place, (struct kv_slice){ value, strlen(value) }, KV_NEVER));
}

static bool has(struct service *s, const char *key, const char *value)
{
    struct kv_place place = { { key, strlen(key) }, 0, 0 };
    const struct kv_entry *entry = kv_store_find(store_of(s, key, &place.hash), &place);

    if (entry == NULL || value == NULL)
        return entry == NULL && value == NULL;
    return kv_slice_equal(kv_entry_value(entry), (struct kv_slice){ value, strlen(value) });
}

/* One round; false: there is nothing to do. */
static bool round_of(struct service *s)
{
    uint64_t mask = kv_session_parse(&s->session);

    for (uint64_t left = mask; left != 0; left &= left - 1) {
        struct kv_work *work = kv_session_take(&s->session, (uint32_t)__builtin_ctzll(left));

        kv_work_run(work, &s->stores[work->shard], s->refusal);
        kv_session_answered(&s->session, work);
    }
    return mask != 0;
}

static void begin(struct service *s, const char *command, const char *from, const char *to)
{
    char line[64];
    int size = snprintf(line, sizeof line, "%s %s %s\r\n", command, from, to);

    cr_assert(kv_session_feed(&s->session, line, (size_t)size));
}

Test(kv_steps, commands_behind_wait)
{
    struct service s;
    char from[8], to[8], line[200];

    service_start(&s, 4);
    two_keys(&s, from, to);
    snprintf(line, sizeof line, "set %s 1\r\nrename %s %s\r\nget %s\r\nget %s\r\n"
             "copy %s %s\r\nmget %s %s\r\n", from, from, to, from, to, to, from, from, to);
    service_send(&s, line, strlen(line));
    cr_assert(strcmp(service_replies(&s), "+OK\r\n+OK\r\n$-1\r\n$1\r\n1\r\n:1\r\n"
                                          "*2\r\n$1\r\n1\r\n$1\r\n1\r\n") == 0);
    service_stop(&s);
}

Test(kv_steps, the_source_is_there_until_the_destination_is)
{
    struct service s;
    char from[8], to[8];

    service_start(&s, 4);
    two_keys(&s, from, to);
    put(&s, from, "1");
    begin(&s, "rename", from, to);
    cr_assert(round_of(&s) && has(&s, from, "1") && has(&s, to, NULL));
    cr_assert(!kv_session_is_idle(&s.session) && s.session.output.size == 0);
    cr_assert(round_of(&s) && has(&s, from, "1") && has(&s, to, "1"));
    cr_assert(round_of(&s) && has(&s, from, NULL) && has(&s, to, "1"));
    cr_assert(kv_session_is_idle(&s.session) && !round_of(&s));
    cr_assert(strcmp(service_replies(&s), "+OK\r\n") == 0);
    service_stop(&s);
}

Test(kv_steps, a_source_that_has_changed_is_copied_again)
{
    struct service s;
    char from[8], to[8];

    service_start(&s, 4);
    two_keys(&s, from, to);
    put(&s, from, "1");
    begin(&s, "renamenx", from, to);
    cr_assert(round_of(&s) && round_of(&s));
    put(&s, from, "2");
    service_run(&s);
    cr_assert(has(&s, from, NULL) && has(&s, to, "2"));
    cr_assert(strcmp(service_replies(&s), ":1\r\n") == 0);
    service_stop(&s);
}

Test(kv_steps, a_destination_that_has_come_is_left)
{
    struct service s;
    char from[8], to[8];

    service_start(&s, 4);
    two_keys(&s, from, to);
    put(&s, from, "1");
    begin(&s, "renamenx", from, to);
    cr_assert(round_of(&s));
    put(&s, to, "other");
    service_run(&s);
    cr_assert(has(&s, from, "1") && has(&s, to, "other"));
    cr_assert(strcmp(service_replies(&s), ":0\r\n") == 0);
    service_stop(&s);
}

Test(kv_steps, a_write_that_is_refused_ends_it)
{
    struct service s;
    char from[8], to[8];

    service_start(&s, 4);
    two_keys(&s, from, to);
    put(&s, from, "1");
    begin(&s, "rename", from, to);
    cr_assert(round_of(&s));
    s.refusal = "-MISCONF no\r\n";
    service_run(&s);
    cr_assert(strcmp(service_replies(&s), "-MISCONF no\r\n") == 0);
    cr_assert(has(&s, from, "1") && has(&s, to, NULL));
    s.refusal = NULL;
    EXPECT(&s, "ping", "+PONG");
    service_stop(&s);
}

Test(kv_steps, a_shard_that_is_lost_ends_it)
{
    struct service s;
    char from[8], to[8];
    uint64_t mask;

    service_start(&s, 4);
    two_keys(&s, from, to);
    put(&s, from, "1");
    begin(&s, "rename", from, to);
    mask = kv_session_parse(&s.session);
    kv_work_free(kv_session_take(&s.session, (uint32_t)__builtin_ctzll(mask)));
    cr_assert(kv_session_lost(&s.session, (uint32_t)__builtin_ctzll(mask)));
    cr_assert(strncmp(service_replies(&s), "-ERR shard ", 11) == 0);
    cr_assert(kv_session_is_idle(&s.session));
    EXPECT(&s, "ping", "+PONG");
    service_stop(&s);
}

Test(kv_steps, a_client_may_not_want_the_reply)
{
    struct service s;
    char from[8], to[8], line[128];

    service_start(&s, 4);
    two_keys(&s, from, to);
    put(&s, from, "1");
    snprintf(line, sizeof line, "client reply skip\r\nrename %s %s\r\nping\r\n", from, to);
    service_send(&s, line, strlen(line));
    cr_assert(strcmp(service_replies(&s), "+PONG\r\n") == 0);
    cr_assert(has(&s, to, "1"));
    service_stop(&s);
}

Test(kv_steps, without_memory_a_client_is_told)
{
    for (long n = 0; n < 40; n++) {
        struct service s;
        char from[8], to[8];

        service_start(&s, 4);
        two_keys(&s, from, to);
        put(&s, from, "1");
        begin(&s, "rename", from, to);
        kv_memory_fail_after(n);
        service_run(&s);
        kv_memory_fail_after(-1);
        service_replies(&s);
        cr_assert(has(&s, from, "1") || has(&s, to, "1"));
        service_stop(&s);
    }
}
