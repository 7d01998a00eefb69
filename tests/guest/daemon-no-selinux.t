#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The same daemon on a machine without SELinux: no labels, and it says so.
# variants: (debug)
# guest: --selinux off
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

make_image web
start_daemon
origin=$(call AddOrigin "{\"name\":\"web\",\"device\":\"$disk\"}")
is "an origin has no label" "$(jq .origin.label <<<"$origin")" null
is "a view is created" "$(cat "$(rootviewctl create web a)/etc/greeting")" hello
refused_call "a label is refused" io.rootview.LabelsUnavailable \
	'"label":"u:r:t:s0","message":"SELinux is off' \
	CreateView '{"origin":"web","name":"b","label":"u:r:t:s0"}'
is "and nothing is left of that view" "$(dmsetup message web 0 view_list | cut -d ' ' -f 2)" a

dmsetup message web 0 view_create hand u:r:t:s0
is "a view with a label made by hand is not mounted" \
	"$(call ListViews | jq -r '.views[] | select(.name == "hand") | .path')" null
like "which the log explains" "$(cat "$log")" "view hand of origin web is not mounted: SELinux is off"

rootviewctl delete web hand
rootviewctl delete web a
rootviewctl origin remove web
nothing_left
done_testing
