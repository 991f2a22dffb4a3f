#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# tidy.sh ROOT: fails on what a reader would stumble over and a machine can see.
#
# Rules, for every C file, script and CMake file:
#   1. Lines of at most 100 columns, no tabs, no space at a line's end, a newline at the file's.
#   2. Files of at most 700 lines, functions of at most 70.
#   3. An SPDX line at the top; in src and include, a file over 100 lines says what it is, and one
#      over 200 has a prologue or names the header that has it.
#   4. No marks left for later.
# and for src:
#   5. Memory comes from base/memory.h; atomics stand in base/ck*.h; no call from the list below.

set -eu
cd "${1:?usage: tidy.sh ROOT}"

# Without a locale awk counts bytes: the second and later ones of a character are left out.
LC_ALL=C
export LC_ALL

{
    find src include samples bench tests cmake tools \
        \( -name '*.[ch]' -o -name '*.sh' -o -name '*.cmake' -o -name CMakeLists.txt \) 2>/dev/null
    for file in CMakeLists.txt run .ci/run; do
        [ ! -f "$file" ] || echo "$file"
    done
} | sort |
while read -r file; do
    [ -z "$(tail -c 1 "$file")" ] || echo "$file: no newline at its end"
    awk -v file="$file" '
        function refuse(why) {
            printf "%s:%d: %s\n", file, FNR, why
        }
        # The line without comments and what stands in quotes.
        function code_of(line,    out, at) {
            if (in_comment) {
                at = index(line, "*/")
                if (!at)
                    return ""
                line = substr(line, at + 2)
                in_comment = 0
            }
            gsub(/\\./, "", line)
            gsub(/"[^"]*"/, "\"\"", line)
            while ((at = index(line, "/*")) > 0) {
                out = out substr(line, 1, at - 1)
                line = substr(line, at + 2)
                at = index(line, "*/")
                if (!at) {
                    in_comment = 1
                    line = ""
                } else
                    line = substr(line, at + 2)
            }
            line = out line
            sub(/\/\/.*/, "", line)
            return line
        }
        function calls(code, names) {
            return code ~ ("(^|[^a-zA-Z0-9_.>])(" names ")[ ]*\\(")
        }
        BEGIN {
            is_c = file ~ /\.[ch]$/
            is_source = file ~ /^src\//
            unsafe = "strcpy|strcat|sprintf|vsprintf|gets|strtok|rand|srand|atoi|atol|alloca"
            heap = "malloc|calloc|realloc|free|strdup|strndup|posix_memalign|aligned_alloc"
            atomic = "(^|[^a-zA-Z0-9_])(__atomic_|__sync_|_Atomic|atomic_|ck_[a-z]+_)"
        }
        {
            columns = $0
            gsub(/[\200-\277]/, "", columns)
            if (length(columns) > 100)
                refuse(length(columns) " columns, more than 100")
        }
        /\t/ { refuse("a tab") }
        /[ \t]$/ { refuse("space at the end of the line") }
        /(^|[^A-Za-z])([T]ODO|[F]IXME|[X]XX|[H]ACK)([^A-Za-z]|$)/ { refuse("a mark for later") }
        FNR <= 3 && /SPDX-License-Identifier: BSD-2-Clause/ { spdx = 1 }
        FNR > 1 && FNR <= 15 && /^\/\*/ { what = 1 }
        FNR <= 15 && (/^ \*($| )/ || /[Ss]ee [a-z_\/]+\.h/) { prologue = 1 }
        is_c {
            code = code_of($0)
            if (/^\{/) {
                opened = FNR
            }
            if (/^\}/) {
                if (opened && FNR - opened - 1 > 70)
                    refuse("a function of " (FNR - opened - 1) " lines, more than 70")
                opened = 0
            }
            if (is_source && calls(code, unsafe))
                refuse("a call that is not allowed: " $0)
            if (is_source && file !~ /^src\/base\/memory\.c$/ && calls(code, heap))
                refuse("memory comes from base/memory.h: " $0)
            if (is_source && file !~ /^src\/base\/ck[a-z_]*\.h$/ && code ~ atomic)
                refuse("atomics stand in base/ck*.h: " $0)
            if (is_source && calls(code, "assert"))
                refuse("tri_assert, not assert: " $0)
        }
        END {
            if (!spdx)
                refuse("no SPDX line at its top")
            if (FNR > 700)
                refuse(FNR " lines, more than 700")
            if (file ~ /^(src|include)\// && FNR > 100 && !what)
                refuse("over 100 lines, and it does not say what it is")
            if (file ~ /^(src|include)\// && FNR > 200 && !prologue)
                refuse("over 200 lines, and no prologue")
        }
    ' "$file"
done | awk '{ print } END { exit NR > 0 }'
