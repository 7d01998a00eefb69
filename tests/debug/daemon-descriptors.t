#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The daemon may open no file more, or one, or two: what it is asked for then is done or
# refused, and nothing is left of what was not done.  Who connects is served, or waits.
# No mount goes because the daemon cannot look at it.
# variants: address (thread)
# guest: --timeout 600
set -euo pipefail
. tests/tap.sh
. tests/debug/lack.sh

lack descriptors <<'LIST'
list-origins 2 0
list-views 2 0
check 4 2
stats 2 0
connect 2 0
monitor 2 0
add-origin 5 3
remove-origin 4 2
create-plain 2 0
create-label 5 3
create-points 5 3
create-map 5 3
create-many-points 5 3
create-device 2 0
create-tied 4 1
create-batch 2 0
delete 2 0
delete-batch 2 0
open 3 1
created-by-hand 2 0
deleted-by-hand 2 0
process-ends 2 0
trash 2 0
lost-events 3 1
start 7 4
LIST
done_testing
