#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Lets every explorer search as far as it can in minutes: what the suite only begins.
#
#     thorough.sh FOLDER     where the explorers were built: build/dev/tests/model
#
# Exit: 0 nothing found.

set -u
status=0
for explorer in "$1"/model_*; do
    "$explorer" --thorough || status=1
done
exit $status
