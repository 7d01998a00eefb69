#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The capabilities that the unit leaves to the daemon are enough for all that it
# does.  No systemd runs here; setpriv takes the others away.
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

unit=/usr/lib/systemd/system/rootviewd.service
read -r -a kept <<<"$(sed -n 's/^CapabilityBoundingSet=//p' "$unit" | tr '[:upper:]' '[:lower:]')"
ok "the unit leaves some capabilities" test ${#kept[@]} -gt 0
daemon_path=$(sed -n 's/^ExecStart=//p' "$unit")
ok "what it starts is there" test -x "$daemon_path"
# In the place of the function's command.
rootviewd()
{
	exec setpriv --no-new-privs --bounding-set "-all$(printf ',+%s' "${kept[@]#cap_}")" \
		--inh-caps=-all -- "$daemon_path" "$@"
}

make_image web
start_daemon
is "the daemon lacks the others" "$(sed -n 's/^CapBnd:\t//p' "/proc/$daemon/status")" \
	"$(sed -n 's/^CapEff:\t//p' "/proc/$daemon/status")"
isnt "which are some" "$(sed -n 's/^CapBnd:\t//p' "/proc/$daemon/status")" \
	"$(sed -n 's/^CapBnd:\t//p' /proc/self/status)"
is "it adds an origin" "$(call AddOrigin "{\"name\":\"web\",\"device\":\"$disk\"}" | jq -r .origin.name)" web

context=system_u:object_r:container_file_t:s0
map='[{"inside":0,"outside":100000,"count":65536}]'
mkdir /tmp/there
create_with plain '"mount":"attached"'
is "attaches a view" "$(cat "$path/etc/greeting")" hello
create_with there '"path":"/tmp/there"'
is "elsewhere" "$(cat "$path/etc/greeting")" hello
create_with label "\"label\":\"$context:c1,c2\""
is "with a label" "$(stat --format=%C "$path/etc")" "$context:c1,c2"
create_with points '"mountPoints":[{"path":"/etc/volume/deep"},{"path":"/etc/conf","kind":"file"}],"lists":["docker"]'
ok "with mount points" test -d "$path/etc/volume/deep" -a -f "$path/etc/conf"
create_with mapped "\"idMap\":{\"uid\":$map,\"gid\":$map},\"label\":\"$context:c3\",\"mountPoints\":[{\"path\":\"/new\"}]"
is "with ids mapped, too" "$(stat --format=%u "$path/etc")" 100000
identity='[{"inside":0,"outside":0,"count":1000}]'
create_with same "\"idMap\":{\"uid\":$identity,\"gid\":$identity}"
is "and with a map of root itself" "$(stat --format=%u "$path/etc")" 0
sleep infinity &
process=$!
create_with tied "\"process\":$process"
kill "$process"
is_deleted()
{
	! dmsetup message web 0 view_list | grep -q ' tied '
}
eventually "deletes a view with its process" is_deleted
is "checks mount points" "$(call CheckMountPoints \
	'{"origin":"web","mountPoints":[{"path":"/etc"},{"path":"/none"}]}' | jq -c '[.missing[].path]')" '["/none"]'
like "gives a view as a descriptor" "$(rootviewctl exec web plain -- cat /mnt/etc/greeting)" hello

kill_daemon TERM
start_daemon
is "the next one finds them all" "$(call ListViews | jq '.views | length')" 6
for view in plain there label points mapped same; do
	call DeleteView "{\"origin\":\"web\",\"name\":\"$view\"}" >/dev/null
done
is "removes the origin" "$(call RemoveOrigin '{"name":"web"}')" "{}"
nothing_left
done_testing
