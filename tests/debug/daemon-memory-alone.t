#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# As daemon-memory.t, for what the daemon does by itself: it follows the kernel, and
# catches up; it empties its trash; it begins, with views to take over, and ends.
# variants: address (thread)
# guest: --timeout 600
set -euo pipefail
. tests/tap.sh
. tests/debug/lack.sh

lack memory <<'LIST'
created-by-hand 8 0
deleted-by-hand 3 0
process-ends 3 0
trash 5 0
lost-events/2 60 10
start/12 30 12
stop/3 2 0
LIST
done_testing
