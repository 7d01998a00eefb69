#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every allocation of the daemon fails in turn, those of its libraries and of its jobs as
# well: what it is asked for then is done or refused, or the connection ends, and nothing
# is left of what was not done.  It goes on, or says why it ends; the views' mounts stay.
# variants: address (thread)
# guest: --timeout 600
set -euo pipefail
. tests/tap.sh
. tests/debug/lack.sh

# Where the same is done for each of many mount points, or lines of SELinux' file contexts,
# or where it has been seen to fail already, not every allocation needs to.
lack memory <<'LIST'
list-origins/2 30 30
list-views 70 65
check/13 30 20
stats 40 30
connect 60 60
monitor/2 30 20
add-origin/401 15 0
remove-origin/3 10 10
create-plain 70 60
create-label/3 30 20
create-points/31 30 20
create-map/9 25 15
create-many-points/251 30 20
create-device/5 15 10
create-tied/5 15 10
create-batch/9 25 15
delete 30 30
delete-batch/4 10 10
open 15 10
LIST
done_testing
