#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The units, under a systemd: its socket starts the daemon, and what the unit leaves
# to it is enough for all that it does.
#
# The systemd is process 1 of a PID namespace, as it is in containers; it starts
# nothing but what is asked for.  The test runs there, too.
# variants: (debug)
set -euo pipefail

if [ $# -eq 0 ]; then
	units=/run/systemd/system
	mkdir -p "$units"/{rootviewd,rootview-graphdriver}.{socket,service}.d
	printf '[Unit]\nDefaultDependencies=no\n' | tee "$units/test.target" \
		"$units"/{rootviewd,rootview-graphdriver}.{socket,service}.d/test.conf >/dev/null
	exec unshare --pid --fork --kill-child --mount-proc "$0" begin
fi
if [ "$1" = begin ]; then
	{
		until systemctl start rootviewd.socket 2>/dev/null; do
			sleep 0.1
		done
		status=0
		"$0" test || status=$?
		systemctl exit "$status"
	} &
	exec env container=test /lib/systemd/systemd --system --unit=test.target \
		--log-target=null --show-status=no
fi

. tests/tap.sh
. tests/guest/daemon.sh

# property NAME [UNIT]
property()
{
	systemctl show --property="$1" --value "${2:-rootviewd.service}"
}

make_image web
modprobe dm-rootview
is "the socket's unit starts no daemon" "$(property ActiveState)" inactive
is "the socket is for root and its group" "$(stat --format='%a %U %G' "$socket")" "660 root root"
is "a request does" "$(call ListOrigins | jq -c .)" '{"origins":[]}'
is "and the daemon says that it is ready" "$(property ActiveState)" active
daemon=$(property MainPID)
isnt "its memory has a bound" "$(property MemoryMax)" infinity
isnt "and so have its processes" "$(property TasksMax)" infinity
like "system calls are filtered" "$(cat "/proc/$daemon/status")" $'\nSeccomp:\t2\n'
is "the daemon lacks some capabilities" "$(sed -n 's/^CapBnd:\t//p' "/proc/$daemon/status")" \
	"$(sed -n 's/^CapEff:\t//p' "/proc/$daemon/status")"
isnt "that others have" "$(sed -n 's/^CapBnd:\t//p' "/proc/$daemon/status")" \
	"$(sed -n 's/^CapBnd:\t//p' /proc/self/status)"
is "it adds an origin" "$(call AddOrigin "{\"name\":\"web\",\"device\":\"$disk\"}" | jq -r .origin.name)" web

context=system_u:object_r:container_file_t:s0
map='[{"inside":0,"outside":100000,"count":65536}]'
create_with plain '"lists":[]'
is "mounts a view" "$(cat "$path/etc/greeting")" hello
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

systemctl kill --signal=KILL rootviewd.service
is_another()
{
	[ "$(property ActiveState)" = active ] && [ "$(property MainPID)" != "$daemon" ]
}
eventually "one that is killed is started again" is_another
is "and finds them all" "$(call ListViews | jq '.views | length')" 5
systemctl stop rootviewd.service 2>/dev/null
is "views outlive one that is stopped" "$(cat /run/rootview/origins/web/plain/etc/greeting)" hello
is "the next one finds them, too" "$(call ListViews | jq '.views | length')" 5
for view in plain label points mapped same; do
	call DeleteView "{\"origin\":\"web\",\"name\":\"$view\"}" >/dev/null
done
is "removes the origin" "$(call RemoveOrigin '{"name":"web"}')" "{}"
eventually "with no origin left, nothing is mounted" nothing_is_mounted
systemctl stop rootviewd.{socket,service}
is "the daemon ends well" "$(property Result) $(property ExecMainStatus)" "success 0"
is "with both stopped, no mount is left" "$(grep rootview /proc/self/mountinfo)" ""
is "and no device" "$(dmsetup ls --target rootview)" "No devices found"

# A daemon whose mounts nobody else would see does not start.
drop_in=/run/systemd/system/rootviewd.service.d/private.conf
# private SETTING...: rootviewd.service with these settings does not start; what it says is in $said.
private()
{
	printf '%s\n' '[Service]' Restart=no StandardError=truncate:/tmp/said "$@" >"$drop_in"
	systemctl daemon-reload
	nok "with $* the daemon does not start" systemctl start rootviewd.service
	said=$(cat /tmp/said)
	# Or doctor's question would have it tried again, and for the next settings as well.
	systemctl stop rootviewd.{socket,service}
	systemctl reset-failed rootviewd.{socket,service} 2>/dev/null || true
	like "and says which setting it is" "$said" \
		"cannot serve from it: nobody else .*: $(printf '%s\n' "$@" | sed 's/=.*/=/' | paste -sd , | sed 's/,/, /g')"
	like "as does doctor" "$(rootviewctl doctor || true)" \
		"problem +namespace .*, and remove ${said##*: }"
}
private PrivateMounts=yes
private ProtectSystem=full
private PrivateTmp=yes ProtectHome=read-only ReadOnlyPaths=/etc
rm "$drop_in"
systemctl daemon-reload
systemctl reset-failed
ok "without it does" systemctl start rootviewd.service
like "and doctor is content" "$(rootviewctl doctor || true)" "ok +namespace"
systemctl stop rootviewd.{socket,service}

# Its folder passes no mount on, whatever it was before.
mount -t tmpfs -o mode=711 rootview /run/rootview --mkdir
mount --make-shared /run/rootview
systemctl start rootviewd.service
rootviewctl origin add web "$disk"
is "a folder that was a shared mount is private, with all that is in it" \
	"$(awk '$5 ~ "^/run/rootview(/|$)" && $7 ~ "^(shared|master):" { print $5 }' /proc/self/mountinfo)" ""
rootviewctl origin remove web
systemctl stop rootviewd.{socket,service}
umount /run/rootview

# The graph driver: a layer with all that a file may have, and a view of it.
. tests/guest/layers.sh
driver=rootview-graphdriver.service
request()
{
	curl --silent --unix-socket /run/docker/plugins/rootview.sock "http://plugin/GraphDriver.$1" "${@:2}"
}
make_pool unit "$ROOTVIEW_SCRATCH" 2048 64 error_if_no_space
systemctl start rootview-graphdriver.socket
is "the driver's socket is for root" \
	"$(stat --format='%a %U' /run/docker/plugins/rootview.sock)" "600 root"
is "its unit starts no driver" "$(property ActiveState $driver)" inactive
is "a request does" "$(request Init --data '{"Home":"/var/lib/graph",
	"Opts":["rootview.pool=/dev/mapper/unit-pool","rootview.size=256M"]}')" '{}'
is "and it says that it is ready" "$(property ActiveState $driver)" active
mkdir -p /tmp/tree/dir
cp /bin/true /tmp/tree/capable
setfattr --name=trusted.key --value=value /tmp/tree/dir
setfattr --name=user.key --value=value /tmp/tree/dir
chown 70000:70000 /tmp/tree/dir
mknod /tmp/tree/device c 4 300
chmod 6755 /tmp/tree/capable
setcap cap_net_raw+ep /tmp/tree/capable
sum_of()
{
	tar --create --directory "$1" --exclude=./lost+found --sort=name --format=posix --xattrs \
		--xattrs-include='user.*' --xattrs-include='trusted.*' \
		--xattrs-include=security.capability --pax-option=delete=atime,delete=ctime,exthdr.name=x \
		./capable ./device ./dir | sha256sum
}
tar --create --file /tmp/layer.tar --directory /tmp/tree --format=posix --xattrs \
	--xattrs-include='*' .
request Create --data '{"ID":"base"}' >/dev/null
like "it fills a layer" "$(request "ApplyDiff?id=base&parent=" --data-binary @/tmp/layer.tar)" '"Size":[0-9]+'
request CreateReadWrite --data '{"ID":"c","Parent":"base"}' >/dev/null
path=$(request Get --data '{"ID":"c"}' | jq -r .Dir)
is "with all that a file may have" "$(sum_of "$path")" "$(sum_of /tmp/tree)"
request CreateReadWrite --data '{"ID":"v","Parent":"base","StorageOpt":{"shared-rootfs":"true"}}' >/dev/null
path=$(request Get --data '{"ID":"v"}' | jq -r .Dir)
is "a view of it starts the daemon" "$(sum_of "$path")" "$(sum_of /tmp/tree)"
process=$(property MainPID $driver)
systemctl kill --signal=KILL $driver
is_another_driver()
{
	[ "$(property ActiveState "$driver")" = active ] && [ "$(property MainPID "$driver")" != "$process" ]
}
eventually "one that is killed is started again" is_another_driver
is "and knows its layers" "$(request Exists --data '{"ID":"c"}')" '{"Exists":true}'
for layer in v c base; do
	is "removes $layer" "$(request Remove --data "{\"ID\":\"$layer\"}")" '{}'
done
systemctl stop rootview-graphdriver.{socket,service} rootviewd.{socket,service}
is "the driver ends well" "$(property Result $driver) $(property ExecMainStatus $driver)" "success 0"
is "no layer is mounted" "$(grep ' /var/lib/graph/mnt/' /proc/self/mountinfo)" ""
is "and no view has a device" "$(dmsetup ls --target rootview)" ""
done_testing
