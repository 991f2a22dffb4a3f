/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_SUPPORT_TEST_PLAIN_H
#define TROUPE_TESTS_SUPPORT_TEST_PLAIN_H

/*
 * As much of Criterion's interface as the tests use, on the main of support/test_main.c.
 *
 * Why. See test.h. Each test is registered by a constructor and runs in a process of its own, with
 * a time limit, as under Criterion. An assertion that fails prints where and ends that process,
 * whichever thread it is in.
 *
 * Rules
 *   1. What a test uses here must mean the same under Criterion: this is a subset, no dialect.
 *   2. A message given to an assertion starts with a string literal.
 */

/* An assertion without a message passes no variable argument, which -Wpedantic forbids before C23:
 * its macros count as a system's, as Criterion's do. (clang looks at where a macro is used.) */
#pragma GCC system_header
#ifdef __clang__
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#endif

#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct tri_test_options {
    int unused;                /* lets a test without options have an initialiser */
    const char *description;
    void (*init)(void);
    void (*fini)(void);
    int signal;                /* the test must die of it */
    int exit_code;             /* the test must exit with it */
    bool disabled;
    double timeout;            /* seconds; 0: the default */
};

struct tri_test {
    struct tri_test *next;
    const char *suite;
    const char *name;
    void (*body)(void);
    struct tri_test_options options;
};

struct tri_test_suite {
    struct tri_test_suite *next;
    const char *name;
    struct tri_test_options options;
};

void tri_test_register(struct tri_test *test);
void tri_test_register_suite(struct tri_test_suite *suite);

/* Says what failed; `tri_test_give_up` ends the test's process. */
void tri_test_failed(const char *file, int line, const char *what, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
_Noreturn void tri_test_give_up(void);
_Noreturn void tri_test_skip(void);

#define Test(suite_, name_, ...)                                                     \
    static void suite_##_##name_##_body(void);                                       \
    static struct tri_test suite_##_##name_##_test = {                               \
        NULL, #suite_, #name_, suite_##_##name_##_body, { .unused = 0, __VA_ARGS__ } \
    };                                                                               \
    __attribute__((constructor)) static void suite_##_##name_##_register(void)       \
    {                                                                                \
        tri_test_register(&suite_##_##name_##_test);                                 \
    }                                                                                \
    static void suite_##_##name_##_body(void)

/* The tentative definition comes first so that the user's semicolon ends the real one. */
#define TestSuite(name_, ...)                                             \
    static struct tri_test_suite name_##_suite;                           \
    __attribute__((constructor)) static void name_##_suite_register(void) \
    {                                                                     \
        tri_test_register_suite(&name_##_suite);                          \
    }                                                                     \
    static struct tri_test_suite name_##_suite = {                        \
        NULL, #name_, { .unused = 0, __VA_ARGS__ }                        \
    }

/* `" "` in front makes a message optional. */
#define TRI_TEST_EXPECT(holds_, what_, ...)                                       \
    ((holds_) ? (void)0 : tri_test_failed(__FILE__, __LINE__, what_, " " __VA_ARGS__))
#define TRI_TEST_ASSERT(holds_, what_, ...)                                       \
    ((holds_) ? (void)0                                                           \
              : (tri_test_failed(__FILE__, __LINE__, what_, " " __VA_ARGS__),     \
                 tri_test_give_up()))

#define cr_assert(c_, ...)          TRI_TEST_ASSERT((c_), #c_, __VA_ARGS__)
#define cr_assert_not(c_, ...)      TRI_TEST_ASSERT(!(c_), "not " #c_, __VA_ARGS__)
#define cr_assert_eq(a_, b_, ...)   TRI_TEST_ASSERT((a_) == (b_), #a_ " == " #b_, __VA_ARGS__)
#define cr_assert_neq(a_, b_, ...)  TRI_TEST_ASSERT((a_) != (b_), #a_ " != " #b_, __VA_ARGS__)
#define cr_assert_lt(a_, b_, ...)   TRI_TEST_ASSERT((a_) < (b_), #a_ " < " #b_, __VA_ARGS__)
#define cr_assert_leq(a_, b_, ...)  TRI_TEST_ASSERT((a_) <= (b_), #a_ " <= " #b_, __VA_ARGS__)
#define cr_assert_gt(a_, b_, ...)   TRI_TEST_ASSERT((a_) > (b_), #a_ " > " #b_, __VA_ARGS__)
#define cr_assert_geq(a_, b_, ...)  TRI_TEST_ASSERT((a_) >= (b_), #a_ " >= " #b_, __VA_ARGS__)
#define cr_assert_null(a_, ...)     TRI_TEST_ASSERT((a_) == NULL, #a_ " is NULL", __VA_ARGS__)
#define cr_assert_not_null(a_, ...) TRI_TEST_ASSERT((a_) != NULL, #a_ " is not NULL", __VA_ARGS__)
#define cr_assert_str_eq(a_, b_, ...) \
    TRI_TEST_ASSERT(strcmp((a_), (b_)) == 0, #a_ " reads " #b_, __VA_ARGS__)
#define cr_assert_str_neq(a_, b_, ...) \
    TRI_TEST_ASSERT(strcmp((a_), (b_)) != 0, #a_ " does not read " #b_, __VA_ARGS__)
#define cr_assert_str_empty(a_, ...) \
    TRI_TEST_ASSERT((a_)[0] == '\0', #a_ " is empty", __VA_ARGS__)
#define cr_assert_str_not_empty(a_, ...) \
    TRI_TEST_ASSERT((a_)[0] != '\0', #a_ " is not empty", __VA_ARGS__)
#define cr_assert_arr_eq(a_, b_, size_, ...) \
    TRI_TEST_ASSERT(memcmp((a_), (b_), (size_)) == 0, #a_ " holds " #b_, __VA_ARGS__)
#define cr_assert_arr_neq(a_, b_, size_, ...) \
    TRI_TEST_ASSERT(memcmp((a_), (b_), (size_)) != 0, #a_ " does not hold " #b_, __VA_ARGS__)
#define cr_assert_float_eq(a_, b_, by_, ...) \
    TRI_TEST_ASSERT(fabs((double)(a_) - (double)(b_)) <= (by_), #a_ " ~ " #b_, __VA_ARGS__)
#define cr_assert_fail(...) TRI_TEST_ASSERT(false, "reached", __VA_ARGS__)
#define cr_fatal(...)       TRI_TEST_ASSERT(false, "reached", __VA_ARGS__)

#define cr_expect(c_, ...)          TRI_TEST_EXPECT((c_), #c_, __VA_ARGS__)
#define cr_expect_not(c_, ...)      TRI_TEST_EXPECT(!(c_), "not " #c_, __VA_ARGS__)
#define cr_expect_eq(a_, b_, ...)   TRI_TEST_EXPECT((a_) == (b_), #a_ " == " #b_, __VA_ARGS__)
#define cr_expect_neq(a_, b_, ...)  TRI_TEST_EXPECT((a_) != (b_), #a_ " != " #b_, __VA_ARGS__)
#define cr_expect_lt(a_, b_, ...)   TRI_TEST_EXPECT((a_) < (b_), #a_ " < " #b_, __VA_ARGS__)
#define cr_expect_leq(a_, b_, ...)  TRI_TEST_EXPECT((a_) <= (b_), #a_ " <= " #b_, __VA_ARGS__)
#define cr_expect_gt(a_, b_, ...)   TRI_TEST_EXPECT((a_) > (b_), #a_ " > " #b_, __VA_ARGS__)
#define cr_expect_geq(a_, b_, ...)  TRI_TEST_EXPECT((a_) >= (b_), #a_ " >= " #b_, __VA_ARGS__)
#define cr_expect_null(a_, ...)     TRI_TEST_EXPECT((a_) == NULL, #a_ " is NULL", __VA_ARGS__)
#define cr_expect_not_null(a_, ...) TRI_TEST_EXPECT((a_) != NULL, #a_ " is not NULL", __VA_ARGS__)
#define cr_expect_str_eq(a_, b_, ...) \
    TRI_TEST_EXPECT(strcmp((a_), (b_)) == 0, #a_ " reads " #b_, __VA_ARGS__)

#define cr_skip_test(...) tri_test_skip()
#define cr_skip(...)      tri_test_skip()

/* Notes are for people who watch Criterion. */
#define cr_log_info(...)  ((void)0)
#define cr_log_warn(...)  ((void)0)
#define cr_log_error(...) ((void)0)

#endif
