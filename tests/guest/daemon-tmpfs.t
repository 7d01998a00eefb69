#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A tmpfs where the image has no directory: whoever the container runs as may write to it, as a
# runtime gives a tmpfs the mode of what it finds there.
# variants: (debug)
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

make_disk web 64
mkfs.ext4 -q "$disk"
mount "$disk" /mnt
mkdir -p /mnt/bin /mnt/srv
cp /bin/busybox /mnt/bin/
ln -s busybox /mnt/bin/sh
umount /mnt
start_daemon
rootviewctl origin add web "$disk"

# run VIEW: in a container from the view at $path, user 1000 writes to a tmpfs on /cache/x.
run()
{
	local bundle=/tmp/bundles/$1
	mkdir -p "$bundle"
	crun spec --bundle "$bundle"
	jq --arg root "$path" '.root = { path: $root, readonly: true } | .process.terminal = false |
		.process.user = { uid: 1000, gid: 1000 } |
		.process.args = [ "/bin/sh", "-c",
			"echo kept >/cache/x/file && /bin/busybox cat /cache/x/file" ] |
		.mounts += [ { destination: "/cache/x", type: "tmpfs", source: "tmpfs",
			options: [ "nosuid", "nodev" ] } ]' "$bundle/config.json" >"$bundle/new"
	mv "$bundle/new" "$bundle/config.json"
	crun --cgroup-manager=cgroupfs run --bundle "$bundle" "$1" </dev/null 2>&1 || true
}

path=$(rootviewctl create web folder --list podman --mount-point /cache/x)
like "a tmpfs on a directory is its owner's to write" "$(run folder)" denied
path=$(rootviewctl create web tmpfs --list podman --mount-point /cache/x:tmpfs)
is "one on a directory for a tmpfs is everybody's" "$(run tmpfs)" kept

modes()
{
	(cd "$path" && stat --format='%n %a %U' "$@")
}

is "that directory alone is" "$(modes cache cache/x srv | paste -sd,)" \
	"cache 755 root,cache/x 1777 root,srv 755 root"
is "the view tells of it" "$(rootviewctl inspect web tmpfs | grep /cache)" "mount point: /cache/x:tmpfs"
path=$(rootviewctl create web both --mount-point /cache:tmpfs --mount-point /cache/x \
	--mount-point /srv:tmpfs)
is "with another below it, too; what the image has stays as it is" \
	"$(modes cache cache/x srv | paste -sd,)" "cache 1777 root,cache/x 755 root,srv 755 root"
path=$(rootviewctl create web mapped --mount-point /cache:tmpfs --id-map 0:100000:65536)
is "with an id map, too" "$(cd "$path" && stat --format='%a %u' cache)" "1777 100000"
is "what is missing is told so" "$(rootviewctl check web /cache:tmpfs /srv:tmpfs)" /cache:tmpfs
refused_call "a file is no place for a tmpfs" io.rootview.InvalidMountPoint "/bin/busybox" \
	CreateView '{"origin":"web","name":"bad","mountPoints":[{"path":"/bin/busybox","kind":"tmpfs"}]}'

kill_daemon KILL
umount --lazy /run/rootview/origins/web/variants/*/mount
start_daemon
path=$(rootviewctl create web again --mount-point /cache/x:tmpfs)
is "a daemon that comes later makes it again" "$(modes cache/x)" "cache/x 1777 root"
for view in folder tmpfs both mapped again; do
	rootviewctl delete web "$view"
done
rootviewctl origin remove web
nothing_left
done_testing
