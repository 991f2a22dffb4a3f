#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Lets every explorer search as far as it can in minutes, which the suite only begins; then weakens
# every memory order, one at a time.
#
#     thorough.sh FOLDER     where the explorers were built: build/dev/tests/model
#
# Exit: 0 nothing found.

set -u
status=0
for explorer in "$1"/model_*; do
    "$explorer" --thorough || status=1
done
sh "$(dirname "$0")/mutants.sh" cc || status=1
exit $status
