/* SPDX-License-Identifier: BSD-2-Clause */
/* links: troupe_kv */

/* What a client sends: however it is cut into pieces, the same commands are found in it. */

#include "kv/resp.h"

#include "fuzz.h"

struct outcome {
    uint64_t sum;
    unsigned commands;
    enum kv_resp_found last;
};

static void note_command(struct outcome *outcome, const struct kv_resp *resp, const char *data,
                         size_t size)
{
    outcome->commands++;
    fuzz_mix(&outcome->sum, &resp->count, sizeof resp->count);
    for (uint32_t i = 0; i < resp->count; i++) {
        struct kv_arg arg = resp->args[i];
        FUZZ_CHECK(arg.at <= size && arg.size <= size - arg.at);
        fuzz_mix(&outcome->sum, data + arg.at, arg.size);
    }
}

/* `piece` bytes at a time; what is not needed any more is moved away where `shifts`. */
static struct outcome read_in_pieces(const uint8_t *data, size_t size, size_t piece, bool shifts)
{
    struct outcome outcome = { .last = KV_RESP_MORE };
    struct kv_resp resp = { .count = 0 };
    size_t held = 0, taken = 0;
    char *buffer = fuzz_copy(data, size);

    while (outcome.last != KV_RESP_ERROR && taken < size) {
        size_t more = piece < size - taken ? piece : size - taken;
        memcpy(buffer + held, data + taken, more);
        held += more;
        taken += more;
        while ((outcome.last = kv_resp_next(&resp, buffer, held)) == KV_RESP_COMMAND)
            note_command(&outcome, &resp, buffer, held);
        FUZZ_CHECK(outcome.last == KV_RESP_ERROR || kv_resp_wanted(&resp, held) >= 1);
        uint32_t kept = kv_resp_kept(&resp);
        FUZZ_CHECK(kept <= held);
        if (shifts && outcome.last == KV_RESP_MORE) {
            memmove(buffer, buffer + kept, held - kept);
            held -= kept;
            kv_resp_shift(&resp, kept);
        }
    }
    if (outcome.last == KV_RESP_ERROR) {
        FUZZ_CHECK(memchr(resp.error, '\0', sizeof resp.error) != NULL);
        fuzz_mix(&outcome.sum, resp.error, strlen(resp.error));
    }
    kv_resp_release(&resp);
    free(buffer);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole = read_in_pieces(data, size, size, false);

    for (size_t piece = 1; piece <= 8; piece += piece == 1 ? 2 : 5) {
        for (unsigned shifts = 0; shifts <= 1; shifts++) {
            struct outcome pieces = read_in_pieces(data, size, piece, shifts != 0);
            FUZZ_CHECK(pieces.commands == whole.commands);
            FUZZ_CHECK(pieces.last == whole.last);
            FUZZ_CHECK(pieces.sum == whole.sum);
        }
    }
    return 0;
}
