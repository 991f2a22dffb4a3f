/* SPDX-License-Identifier: BSD-2-Clause */
/* links: kv_driver */

/* What the demo's table is made of: percentiles, and figures as people read them. */

#include "support/test.h"

#include "histogram.h"
#include "report.h"
#include "traffic.h"

static struct histogram histogram;

Test(kv_demo_figures, no_value_no_percentile)
{
    cr_assert_eq(histogram_percentile(&histogram, 50), 0u);
    cr_assert_eq(histogram_percentile(&histogram, 100), 0u);
}

Test(kv_demo_figures, one_value_is_every_percentile)
{
    histogram_add(&histogram, 12345);
    cr_assert_eq(histogram_percentile(&histogram, 0), 12345u);
    cr_assert_eq(histogram_percentile(&histogram, 50), 12345u);
    cr_assert_eq(histogram_percentile(&histogram, 99), 12345u);
}

Test(kv_demo_figures, percentiles_are_within_a_sixteenth)
{
    for (uint64_t i = 1; i <= 100000; i++)
        histogram_add(&histogram, i * 1000);
    for (int percent = 1; percent <= 100; percent++) {
        double right = percent * 1e6;
        double said = (double)histogram_percentile(&histogram, percent);
        cr_assert_geq(said, right, "p%d: never better than it was", percent);
        cr_assert_leq(said, right * 1.0626, "p%d", percent);
    }
}

Test(kv_demo_figures, small_values_are_exact)
{
    for (uint64_t i = 0; i < 32; i++)
        histogram_add(&histogram, i);
    cr_assert_eq(histogram_percentile(&histogram, 50), 15u);
    cr_assert_eq(histogram_percentile(&histogram, 100), 31u);
}

Test(kv_demo_figures, the_largest_value_has_a_bucket)
{
    histogram_add(&histogram, UINT64_MAX);
    histogram_add(&histogram, 1);
    cr_assert_eq(histogram_percentile(&histogram, 50), 1u);
    cr_assert_eq(histogram_percentile(&histogram, 99), UINT64_MAX);
}

Test(kv_demo_figures, one_slow_one_in_a_hundred_is_the_p100_not_the_p99)
{
    for (int i = 0; i < 99; i++)
        histogram_add(&histogram, 10);
    histogram_add(&histogram, 1000000);
    cr_assert_eq(histogram_percentile(&histogram, 99), 10u);
    cr_assert_eq(histogram_percentile(&histogram, 99.5), 1000000u);
}

Test(kv_demo_figures, numbers_and_durations_read_well)
{
    char text[REPORT_TEXT_MAX];

    report_number(text, 0);
    cr_assert_str_eq(text, "0");
    report_number(text, 1234567);
    cr_assert_str_eq(text, "1 234 567");
    report_duration(text, 950);
    cr_assert_str_eq(text, "950 ns");
    report_duration(text, 1250000);
    cr_assert_str_eq(text, "1.25 ms");
    report_duration(text, 12300000000);
    cr_assert_str_eq(text, "12.3 s");
}

Test(kv_demo_figures, the_benchmarks_last_word_counts)
{
    const char *output = "SET: rps=100.0 (overall: 99.0) avg_msec=1.0\r"
                         "SET: 12345.67 requests per second, p50=0.1 msec\n"
                         "GET: 54321.00 requests per second, p50=0.1 msec\n";

    cr_assert_float_eq(traffic_rate_in(output, "SET"), 12345.67, 0.01);
    cr_assert_float_eq(traffic_rate_in(output, "GET"), 54321.0, 0.01);
    cr_assert_float_eq(traffic_rate_in("", "SET"), 0, 0.01);
    cr_assert_float_eq(traffic_rate_in("SET: rps=100.0 (", "SET"), 0, 0.01);
}
