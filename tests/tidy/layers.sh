#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# layers.sh ROOT: fails on an #include that the architecture does not allow.
#
# Why. Layers that only a document knows are gone in a month. The table below is the one truth;
# docs/ARCHITECTURE.md explains it.
#
# Rules
#   1. A file of src/LAYER includes what its line in the table names, the public headers, and the
#      system's. No arrow points up or sideways.
#   2. ck's headers are for base/ck*.h, libuv's for src/io; nobody includes <stdatomic.h>.
#   3. Public headers include <stddef.h>, <stdint.h>, <stdbool.h> and each other.
#   4. Samples and bench/suite are users: they see public headers and their own folder. bench/micro
#      measures parts, and sees them.

set -eu
cd "${1:?usage: layers.sh ROOT}"

find src include samples bench/suite \( -name '*.c' -o -name '*.h' \) 2>/dev/null | LC_ALL=C sort |
while read -r file; do
    awk -v file="$file" '
        BEGIN {
            may["base"]    = "base"
            may["sim"]     = "sim base"
            may["mailbox"] = "mailbox base"
            may["sched"]   = "sched sim base"
            may["actors"]  = "actors mailbox sched sim base"
            may["io"]      = "io actors mailbox sched sim base"
            may["isolate"] = "isolate actors mailbox sched sim base"
            may["observe"] = "observe actors mailbox sched sim base"
            may["cluster"] = "cluster actors mailbox sched sim base"
            split(file, part, "/")
            top = part[1]
            layer = part[2]
        }
        function refuse(why) {
            printf "%s:%d: %s: %s\n", file, FNR, why, $0
        }
        function has(words, word) {
            return index(" " words " ", " " word " ") > 0
        }
        /^[ \t]*#[ \t]*include/ {
            name = $0
            sub(/^[^<"]*[<"]/, "", name)
            sub(/[>"].*$/, "", name)
            folder = name
            if (!sub(/\/.*$/, "", folder))
                folder = ""

            if (name == "stdatomic.h")
                refuse("atomics go through base/ck.h")
            else if (name ~ /^ck_/ && file !~ /^src\/base\/ck[a-z_]*\.h$/)
                refuse("only base/ck.h sees ck")
            else if (name ~ /^(uv\.h|uv\/)/ && top == "src" && layer != "io")
                refuse("only src/io sees libuv")
            else if (top == "include") {
                if (name !~ /^(stddef|stdint|stdbool)\.h$/ && folder != "troupe")
                    refuse("a public header includes only the three and its own kind")
            } else if (top == "src" && !(layer in may))
                refuse("no such layer: add it to tests/tidy/layers.sh")
            else if (top == "src") {
                if ((folder in may) && !has(may[layer], folder))
                    refuse(layer " must not see " folder)
                else if (/"/ && !(folder in may) && folder != "troupe")
                    refuse("write it as \"layer/file.h\"")
            } else if (folder in may)
                refuse("a user of the library sees public headers only")
        }
    ' "$file"
done | awk '{ print } END { exit NR > 0 }'
