#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Long names, and long labels: what is allowed works with everything, and what the kernel
# cannot be given is refused by a sentence.
# variants: (debug)
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

# letters N LETTER: that many of it.
letters()
{
	printf "%0$1d" 0 | tr 0 "$2"
}

# label N: one of at least N bytes, as the kernel spells it.
label()
{
	local text=system_u:object_r:container_file_t:s0:c0 i=2
	while ((${#text} < $1)); do
		text+=,c$i
		i=$((i + 2))
	done
	echo "$text"
}

make_image web
origin=$(letters 119 o)
view=$(letters 120 v)
range='[{"inside":0,"outside":100000,"count":65536}]'
context=$(label 250)
start_daemon
ok "an origin with a name of 119 bytes" rootviewctl origin add "$origin" "$disk"
# create WHAT MORE: a view with all that MORE asks for; its path is then in $path.
create()
{
	local answer
	if answer=$(call CreateView "{\"origin\":\"$origin\",\"name\":\"$view$1\",$2}"); then
		path=$(jq -r .view.path <<<"$answer")
		is "and a view with $1" "$(cat "$path/etc/greeting")" hello
	else
		fail "and a view with $1" "$answer"
		path=/none
	fi
}
map="\"idMap\":{\"uid\":$range,\"gid\":$range}"
points='"mountPoints":[{"path":"/etc/new"},{"path":"/etc/conf","kind":"file"}]'
create label "\"label\":\"$context\""
is "which has that of ${#context} bytes" "$(stat --format=%C "$path/etc" 2>/dev/null)" "$context"
create points "$points"
ok "which are there" test -d "$path/etc/new" -a -f "$path/etc/conf"
create map "$map"
is "which is followed" "$(stat --format=%u "$path/etc" 2>/dev/null)" 100000
create all "$map,$points,\"label\":\"$context\""
is "which has all of it" "$(stat --format='%u %C' "$path/etc/new" 2>/dev/null)" "100000 $context"

long=$(label 256)
refused_call "a label of ${#long} bytes is refused" io.rootview.InvalidLabel \
	"has ${#long} bytes, and the kernel takes 255 for a mount" \
	CreateView "{\"origin\":\"$origin\",\"name\":\"x\",\"label\":\"$long\"}"
refused_call "and so is an origin's" io.rootview.InvalidLabel \
	"has ${#long} bytes, and the kernel takes 255 for a mount" \
	AddOrigin "{\"name\":\"other\",\"device\":\"$disk\",\"label\":\"$long\"}"
dmsetup message "$origin" 0 view_create byhand "$long"
eventually "that of a view made by hand is in the log" grep -q "has ${#long} bytes, and the kernel takes 255" "$log"
is "which stays without a mount" "$(call ListViews | jq -r '.views[] | select(.name == "byhand").path')" null
dmsetup message "$origin" 0 view_delete byhand
for what in label points map all; do
	ok "the view with $what is deleted" rootviewctl delete "$origin" "$view$what"
done
eventually "the origin is removed" rootviewctl origin remove "$origin"
nothing_left
done_testing
