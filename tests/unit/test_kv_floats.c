/* SPDX-License-Identifier: BSD-2-Clause */
/* links: troupe_kv */

/* INCRBYFLOAT. */

#include "support/kv_service.h"

#define NOT_A_FLOAT "-ERR value is not a valid float"

Test(kv_floats, sums_are_written_short)
{
    struct service s;

    service_start(&s, 2);
    EXPECT(&s, "incrbyfloat a 1", "$1 1");
    EXPECT(&s, "incrbyfloat a 0.25", "$4 1.25");
    EXPECT(&s, "incrbyfloat a -1.25", "$1 0");
    EXPECT(&s, "incrbyfloat a -0", "$1 0");
    EXPECT(&s, "incrbyfloat a 3.0e3", "$4 3000");
    EXPECT(&s, "set a 17179869184", "+OK");
    EXPECT(&s, "incrbyfloat a 1.5", "$13 17179869185.5");
    EXPECT(&s, "get a", "$13 17179869185.5");
    service_stop(&s);
}

Test(kv_floats, what_is_no_number_is_refused)
{
    struct service s;

    service_start(&s, 2);
    EXPECT(&s, "incrbyfloat a ''", NOT_A_FLOAT);
    EXPECT(&s, "incrbyfloat a ' 1'", NOT_A_FLOAT);
    EXPECT(&s, "incrbyfloat a '1 '", NOT_A_FLOAT);
    EXPECT(&s, "incrbyfloat a nan", NOT_A_FLOAT);
    EXPECT(&s, "incrbyfloat a \"1\\x00\"", NOT_A_FLOAT);
    EXPECT(&s, "incrbyfloat a 1e5000", NOT_A_FLOAT);
    EXPECT(&s, "incrbyfloat a inf", "-ERR increment would produce NaN or Infinity");
    EXPECT(&s, "exists a", ":0");
    EXPECT(&s, "set a abc", "+OK");
    EXPECT(&s, "incrbyfloat a 1", NOT_A_FLOAT);
    service_stop(&s);
}

Test(kv_floats, the_time_is_kept)
{
    struct service s;

    service_start(&s, 1);
    EXPECT(&s, "set a 1 ex 10", "+OK");
    EXPECT(&s, "incrbyfloat a 1", "$1 2");
    EXPECT(&s, "ttl a", ":10");
    service_stop(&s);
}
