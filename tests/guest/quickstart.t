#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# guest: --timeout 600
#
# The main job: what its table shows, and that it leaves nothing behind.
set -u
. "$(dirname "$0")/../tap.sh"

mounts=$(cat /proc/self/mountinfo)
output=$("$(dirname "$0")/../../scripts/main-job" 2>&1)
is "the main job succeeds" $? 0
diag "$output"

header='container +view +process label +file label +create ms +start ms +sectors read +page cache KiB'
like "the table has its columns" "$output" "$header"
is "a container for each row, in order" \
	"$(awk '$2 ~ /^\/run/ { printf "%s ", $1 }' <<<"$output")" "one two three "

number='[0-9]+\.[0-9]'
i=0
for name in one two three; do
	categories=c$((2 * i + 1)),c$((2 * i + 2))
	row=$(grep "^$name " <<<"$output")
	like "$name: has a view, ran in container_t with its own categories, on files that no container may write" \
		"$row" "^$name +/run/rootview/origins/quickstart/[^ ]+ +system_u:system_r:container_t:s0:$categories +system_u:object_r:container_ro_file_t:s0 +$number +$number +[0-9]+ +-?[0-9]+\$"
	read -r _ _ _ _ _ _ sectors growth <<<"$row"
	if [ "$i" = 0 ]; then
		ok "$name: reads the origin from disk" test "${sectors:-0}" -gt 10000
		ok "$name: fills the page cache" test "${growth:-0}" -gt 5000
	else
		is "$name: reads nothing from disk" "$sectors" 0
		ok "$name: finds all of it in the page cache" test "${growth:-999999}" -lt 2000
	fi
	i=$((i + 1))
done

is "no device is left" "$(dmsetup ls)" "No devices found"
is "no mount is left" "$(cat /proc/self/mountinfo)" "$mounts"
nok "no daemon is left" pgrep rootviewd
nok "no container is left" pgrep -f rootview-quickstart

done_testing
