#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# expect_failure.sh WORDS COMMAND...: passes when the command fails and says WORDS (a basic regular
# expression). "Fails" alone would also hold for a program that cannot be started.

set -u
words=$1
shift
output=$("$@" 2>&1)
status=$?
printf '%s\n' "$output"
if [ "$status" -eq 0 ]; then
    echo "passed, and should have failed"
    exit 1
fi
printf '%s\n' "$output" | grep -q "$words" || {
    echo "failed with status $status, but did not say: $words"
    exit 1
}
