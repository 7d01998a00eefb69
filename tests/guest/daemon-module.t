#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The module is missing, comes and goes: the daemon loads it, or says so, and
# finds it again.
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

# Without a module.

echo 'install dm-rootview /bin/false' >/etc/modprobe.d/rootview-test.conf
output=$(rootviewd 2>&1) && status=0 || status=$?
is "without the module, the daemon ends with status 1" "$status" 1
like "and says what to do" "$output" \
	'^<3>kernel module dm-rootview: cannot reach it: .*try "modprobe dm-rootview"$'
is "and leaves nothing behind" "$(ls -A /run/rootview 2>/dev/null)" ""
rm /etc/modprobe.d/rootview-test.conf

# It loads it.

make_image web
start_daemon
ok "the daemon loads the module" test -d /sys/module/dm_rootview
call AddOrigin "{\"name\":\"web\",\"device\":\"$disk\"}" >/dev/null
nok "which cannot be unloaded while it has an origin" rmmod dm_rootview
rootviewctl origin remove web

# It goes and comes again.

ok "without origins it can" rmmod dm_rootview
dmsetup create -r web --table "0 $(blockdev --getsz "$disk") rootview $disk"
dmsetup message web 0 view_create a
eventually "a view of the module that was loaded again is mounted" is_mounted web/a
ok "and deleted" rootviewctl delete web a
ok "and its origin removed" rootviewctl origin remove web
ok "the module is unloaded again" rmmod dm_rootview
is "asking loads it" "$(call ListOrigins)" '{"origins":[]}'

nothing_left
done_testing
