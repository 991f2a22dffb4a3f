#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# kv_town.sh BUILD: the key-value service under seeds, with clients that remember what was
# acknowledged; each run loses the power, the process, connections and actors by its seed. Some of
# them twice: the same seed gives the same hash. Nothing escapes the simulation.

set -eu
build=${1:?usage: kv_town.sh BUILD}
program=$build/tests/sim/sim_kv_town
[ -x "$program" ] || { echo "no town was built"; exit 77; }

"$program" --seeds 1-1500
"$program" --seeds 1501-1600 --twice
"$program" --seeds 1-400 --options strategy=pct:3

library=$build/tools/escapes/libtroupe-escapes.so
[ -e "$library" ] || exit 0
if LD_PRELOAD=$library TROUPE_SIM=3 "$program" 2>&1 | grep 'escaped'; then
    exit 1
fi
