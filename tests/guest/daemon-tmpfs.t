#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A container whose root is a view, with a tmpfs where the image has nothing: a user who is
# not root can write there, as runtimes give a tmpfs the mode of the folder that it is on.
# guest: --docker
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

modprobe erofs
mkdir -p /run/versions
mount -t erofs -o ro "$ROOTVIEW_DOCKER" /run/versions
runc=$(find /run/versions/26.1 -name runc -type f | head -n 1)

make_disk web 64
mkfs.ext4 -q "$disk"
mount "$disk" /mnt
mkdir -p /mnt/bin
cp /bin/busybox /mnt/bin/
ln -s busybox /mnt/bin/sh
umount /mnt
start_daemon
rootviewctl origin add web "$disk"
rootviewctl create web c --list docker --mount-point /cache:tmpfs --mount-point /deep/er:tmpfs \
	--mount-point /deep/er/file:file --mount-point /plain >/tmp/path
view=$(cat /tmp/path)
is "a folder for a tmpfs is open to all, and others are not" \
	"$(cd "$view" && stat --format='%n %a' cache deep deep/er plain)" "cache 1777
deep 755
deep/er 1777
plain 755"

# run NAME RUNTIME...: what a user of a container with a tmpfs on /cache and /deep/er sees and does.
run()
{
	local name=$1 bundle=/tmp/bundle-$1
	shift
	mkdir "$bundle"
	crun spec --bundle "$bundle"
	jq --arg root "$view" '.root = { path: $root, readonly: true } | .process.terminal = false
		| .process.user = { uid: 1000, gid: 1000 } | del(.process.capabilities)
		| .process.args = ["/bin/sh", "-c", "busybox touch /cache/a /deep/er/b && echo written;
			busybox touch /plain/c /d 2>/dev/null || echo read-only"]
		| .mounts += [
			{ destination: "/cache", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev"] },
			{ destination: "/deep/er", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev"] }]
		| .linux.namespaces |= map(select(.type != "network")) | del(.linux.resources)' \
		"$bundle/config.json" >"$bundle/new"
	mv "$bundle/new" "$bundle/config.json"
	is "$name: a user who is not root writes there, and nowhere else" \
		"$("$@" run --bundle "$bundle" "$name" 2>&1 </dev/null | paste -sd ' ')" "written read-only"
}
run crun crun --cgroup-manager=cgroupfs
if [ -n "$runc" ]; then
	run runc "$runc"
else
	ok_skip "runc: a user who is not root writes there" "it is not on Docker's disk"
fi
is "the answer says what it is" "$(call ListViews | jq -c '[.views[0].mountPoints[] | select(.kind == "tmpfs").path]')" \
	'["/cache","/deep/er"]'

# modes VIEW FOLDER...
modes()
{
	(cd "$(path_of "web/$1")" && stat --format='%n %a %u' "${@:2}" | paste -sd,)
}

rootviewctl create web both --mount-point /cache:tmpfs --mount-point /cache/x --mount-point /bin:tmpfs >/dev/null
is "what is below it is not, and what the image has stays as it is" "$(modes both cache cache/x bin)" \
	"cache 1777 0,cache/x 755 0,bin 755 0"
rootviewctl create web mapped --mount-point /cache:tmpfs --id-map 0:100000:65536 >/dev/null
is "with an id map, too" "$(modes mapped cache)" "cache 1777 100000"
is "what is missing is told so" "$(rootviewctl check web /cache:tmpfs /bin:tmpfs)" /cache:tmpfs
refused_call "a file is no place for a tmpfs" io.rootview.InvalidMountPoint "/bin/busybox" \
	CreateView '{"origin":"web","name":"bad","mountPoints":[{"path":"/bin/busybox","kind":"tmpfs"}]}'
kill_daemon KILL
umount --lazy /run/rootview/origins/web/variants/*/mount
start_daemon
eventually "a daemon that comes later mounts it again" is_mounted web/mapped
is "with the same mode" "$(modes mapped cache)" "cache 1777 100000"
for view in both mapped; do
	rootviewctl delete web "$view"
done
rootviewctl delete web c
eventually "the origin is removed" rootviewctl origin remove web
nothing_left
done_testing
