/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What TROUPE_SIM may say: a seed, then settings, apart by commas.
 *
 *     TROUPE_SIM=7
 *     TROUPE_SIM=7,strategy=pct:3,crash@feed=0.01,delay=0.05,until=10m,cover
 *
 * A word that is not known is a fault's name, and its value a rate. A rate that makes no sense is
 * an error: a run that silently does less than was asked for proves nothing.
 */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/inside.h"

#define ERROR_BYTES 128
#define WORD_MAX    256

/* Of PCT where nothing is said: most bugs have a depth of 3 at most; most runs fewer steps. */
#define PCT_DEPTH 3u
#define PCT_STEPS 10000u

struct word {
    char name[TRI_SIM_NAME_MAX];
    char value[WORD_MAX];
};

static bool complain(char *ret_error, const char *what, const char *about)
{
    (void)snprintf(ret_error, ERROR_BYTES, "%s: %.60s", what, about);
    return false;
}

static bool parse_number(const char *text, uint64_t *ret_number)
{
    char *end;

    errno = 0;
    if (!isdigit((unsigned char)text[0]))
        return false;
    *ret_number = strtoull(text, &end, 0);
    return errno == 0 && *end == '\0';
}

/* "250us", "10ms", "5s", "10m", "2h" */
static bool parse_duration(const char *text, int64_t *ret_duration)
{
    static const struct {
        const char *name;
        int64_t length;
    } units[] = {
        { "us", TRI_NS_PER_US }, { "ms", TRI_NS_PER_MS }, { "s", TRI_NS_PER_S },
        { "m", 60 * TRI_NS_PER_S }, { "h", 3600 * TRI_NS_PER_S },
    };
    char *end;
    long long count = strtoll(text, &end, 10);

    for (size_t i = 0; i < TRI_COUNT_OF(units); i++) {
        if (strcmp(end, units[i].name) == 0 && end != text && count >= 0
            && count <= INT64_MAX / units[i].length) {
            *ret_duration = count * units[i].length;
            return true;
        }
    }
    return false;
}

/* Digits and a point alone: strtod would take a locale's comma, and more than is meant. */
static bool parse_rate(const char *text, uint32_t *ret_rate)
{
    double rate = 0, place = 1;
    const char *at = text;

    for (; isdigit((unsigned char)*at); at++)
        rate = rate * 10 + (*at - '0');
    if (*at == '.') {
        for (at++; isdigit((unsigned char)*at); at++)
            rate += (place /= 10) * (*at - '0');
    }
    if (at == text || *at != '\0' || rate > 1)
        return false;
    *ret_rate = rate >= 1 ? UINT32_MAX : (uint32_t)(rate * 4294967296.0);
    return true;
}

static bool set_path(char *path, const char *value)
{
    if (value[0] == '\0')
        return false;
    (void)snprintf(path, TRI_SIM_PATH_MAX, "%s", value);
    return true;
}

/* "exhaustive", "exhaustive:3" */
static bool set_exhaustive(struct tri_sim_options *options, const char *value)
{
    uint64_t most = 2;

    if (strncmp(value, "exhaustive", 10) != 0)
        return false;
    if (value[10] != '\0'
        && (value[10] != ':' || !parse_number(value + 11, &most) || most < 1 || most > 1000))
        return false;
    options->deviations = (uint32_t)most;
    options->strategy = TRI_SIM_FIRST;
    return true;
}

/* "pct", "pct:3", "pct:3:500" */
static bool set_pct(struct tri_sim_options *options, const char *value)
{
    uint64_t depth = PCT_DEPTH, steps = PCT_STEPS;
    char text[WORD_MAX];
    char *colon;

    if (strncmp(value, "pct", 3) != 0 || (value[3] != '\0' && value[3] != ':'))
        return false;
    if (value[3] == ':') {
        (void)snprintf(text, sizeof text, "%s", value + 4);
        colon = strchr(text, ':');
        if (colon != NULL)
            *colon = '\0';
        if (!parse_number(text, &depth) || (colon != NULL && !parse_number(colon + 1, &steps)))
            return false;
    }
    if (depth < 1 || depth > TRI_SIM_PCT_DEPTH_MAX || steps < 1 || steps > UINT32_MAX)
        return false;
    options->strategy = TRI_SIM_PCT;
    options->pct_depth = (uint32_t)depth;
    options->pct_steps = (uint32_t)steps;
    return true;
}

static bool set_strategy(struct tri_sim_options *options, const char *value)
{
    if (strcmp(value, "random") == 0)
        options->strategy = TRI_SIM_UNIFORM;
    else if (strcmp(value, "first") == 0)
        options->strategy = TRI_SIM_FIRST;
    else
        return set_pct(options, value) || set_exhaustive(options, value);
    return true;
}

struct tri_sim_rule *tri_sim_options_rule(struct tri_sim_options *options, const char *name)
{
    const char *at = strchr(name, '@');
    struct tri_sim_rule wanted = { .rate = 0 }, *rule = options->rules;
    size_t length = at != NULL ? (size_t)(at - name) : strlen(name);

    if (strlen(name) >= TRI_SIM_NAME_MAX)
        return NULL;
    memcpy(wanted.fault, name, length);
    if (at != NULL)
        memcpy(wanted.subject, at + 1, strlen(at + 1));
    for (; rule < &options->rules[options->rule_count]; rule++) {
        if (strcmp(rule->fault, wanted.fault) == 0 && strcmp(rule->subject, wanted.subject) == 0)
            return rule;
    }
    if (options->rule_count == TRI_SIM_RULES_MAX)
        return NULL;
    options->rule_count++;
    *rule = wanted;
    return rule;
}

static bool add_rule(struct tri_sim_options *options, const struct word *word, char *ret_error)
{
    struct tri_sim_rule *rule = tri_sim_options_rule(options, word->name);

    if (rule == NULL)
        return complain(ret_error, "too many faults", word->name);
    if (rule->fault[0] == '\0' || !parse_rate(word->value, &rule->rate))
        return complain(ret_error, "a fault wants a rate from 0 to 1", word->name);
    return true;
}

static bool set(struct tri_sim_options *options, const struct word *word, char *ret_error)
{
    const char *name = word->name, *value = word->value;
    bool is_good;

    if (strcmp(name, "strategy") == 0)
        is_good = set_strategy(options, value);
    else if (strcmp(name, "steps") == 0)
        is_good = parse_number(value, &options->steps_max);
    else if (strcmp(name, "until") == 0)
        is_good = parse_duration(value, &options->until);
    else if (strcmp(name, "record") == 0)
        is_good = set_path(options->record, value);
    else if (strcmp(name, "shrink") == 0)
        is_good = set_path(options->shrink, value);
    else if (strcmp(name, "cover") == 0)
        is_good = value[0] == '\0' && (options->prints_cover = true);
    else if (strcmp(name, "quiet") == 0)
        is_good = value[0] == '\0' && (options->is_quiet = true);
    else
        return add_rule(options, word, ret_error);
    return is_good || complain(ret_error, "a value that makes no sense for", name);
}

/* Copies the word up to the next comma; what follows, or NULL when it is too long. */
static const char *split(const char *text, struct word *ret_word)
{
    size_t length = strcspn(text, ","), name = strcspn(text, ",=");
    size_t value = name < length ? length - name - 1 : 0;

    if (name >= sizeof ret_word->name || value >= sizeof ret_word->value)
        return NULL;
    memcpy(ret_word->name, text, name);
    ret_word->name[name] = '\0';
    memcpy(ret_word->value, text + length - value, value);
    ret_word->value[value] = '\0';
    return text + length + (text[length] == ',');
}

/* Whether the word says what is done with a run, not which run it is. */
static bool is_about_use(const char *word)
{
    static const char *const others[] = {
        "record=", "shrink=", "cover", "quiet", "strategy=exhaustive",
    };

    for (size_t i = 0; i < TRI_COUNT_OF(others); i++) {
        if (strncmp(word, others[i], strlen(others[i])) == 0)
            return true;
    }
    return false;
}

bool tri_sim_options_essence(const char *text, char *ret, size_t size)
{
    size_t length = 0;

    for (size_t word; *text != '\0'; text += word + (text[word] == ',')) {
        word = strcspn(text, ",");
        if (is_about_use(text))
            continue;
        if (length + word + 2 > size)
            return false;
        if (length > 0)
            ret[length++] = ',';
        memcpy(ret + length, text, word);
        length += word;
    }
    ret[length] = '\0';
    return true;
}

bool tri_sim_options_parse(const char *text, struct tri_sim_options *ret_options,
                           char ret_error[ERROR_BYTES])
{
    struct tri_sim_options options = { .until = INT64_MAX, .steps_max = UINT64_MAX };
    struct word word;
    const char *rest = split(text, &word);

    if (rest == NULL || word.value[0] != '\0' || !parse_number(word.name, &options.seed))
        return complain(ret_error, "a seed, a number, comes first", text);
    while (*rest != '\0') {
        const char *here = rest;
        rest = split(rest, &word);
        if (rest == NULL)
            return complain(ret_error, "too long", here);
        if (!set(&options, &word, ret_error))
            return false;
    }
    *ret_options = options;
    return true;
}
