/* SPDX-License-Identifier: BSD-2-Clause */
/* links: troupe_kv */

/* COMMAND INFO's flags. */

#include "kv/catalogue.h"
#include "kv/command.h"
#include "support/test.h"

Test(kv_catalogue, flags_are_found_by_whole_names)
{
    cr_assert(strcmp(kv_catalogue_flags("get"), "readonly fast") == 0);
    cr_assert(strcmp(kv_catalogue_flags("set"), "write denyoom") == 0);
    cr_assert(strcmp(kv_catalogue_flags("shutdown"),
                     "admin noscript loading stale no_multi allow_busy") == 0);
    cr_assert(strcmp(kv_catalogue_flags("object"), "") == 0);
    cr_assert(strcmp(kv_catalogue_flags("ge"), "") == 0);
    cr_assert(strcmp(kv_catalogue_flags(""), "") == 0);
}

Test(kv_catalogue, what_writes_is_said_to_and_nothing_else)
{
    for (uint32_t i = 0; i < kv_command_count(); i++) {
        const struct kv_command *command = kv_command_at((uint8_t)i);
        const char *flags = kv_catalogue_flags(command->name);

        cr_assert((strstr(flags, "write") != NULL) == command->writes, "%s", command->name);
        cr_assert(command->first_key == 0 || flags[0] != '\0', "%s", command->name);
    }
}
