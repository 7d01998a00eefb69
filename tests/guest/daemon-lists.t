#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The ready-made lists have all that real engines mount: what their specifications name is
# there in a view of an image that has nothing.
# guest: --docker
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

modprobe -a erofs overlay
mkdir -p /run/versions
mount -t erofs -o ro "$ROOTVIEW_DOCKER" /run/versions
make_disk web 64
mkfs.ext4 -q "$disk"
mount "$disk" /mnt
mkdir -p /mnt/bin
cp /bin/busybox /mnt/bin/
ln -s busybox /mnt/bin/sh
umount /mnt
start_daemon
rootviewctl origin add web "$disk"
for list in docker podman kubernetes containerd; do
	rootviewctl create web "$list" --list "$list" >"/tmp/$list"
done

# has LIST ENGINE: the list has all that the specification on stdin mounts.
has()
{
	local view missing='' destinations destination
	view=$(cat "/tmp/$1")
	destinations=$(jq -r '.mounts[].destination')
	for destination in $destinations; do
		[ -e "$view$destination" ] || missing+=" $destination"
	done
	like "the specification of $2 mounts something" "$destinations" "(^|.)/proc"
	is "and the list $1 has all of it" "$missing" ""
}

for version in 20.10 26.1; do
	ctr=$(find "/run/versions/$version" -name ctr -type f)
	for list in containerd kubernetes; do
		has "$list" "containerd ($version's)" < <("$ctr" oci spec)
	done
	runc=$(find "/run/versions/$version" -name runc -type f)
	mkdir "/tmp/runc-$version"
	"$runc" spec --bundle "/tmp/runc-$version"
	for list in docker podman kubernetes containerd; do
		has "$list" "runc ($version's)" <"/tmp/runc-$version/config.json"
	done
done
crun spec --bundle /tmp
for list in docker podman kubernetes containerd; do
	has "$list" crun </tmp/config.json
done

# What "podman create --read-only" of podman 5.4.2 had written into its config.json after "podman init".
has podman podman < <(jq --null-input '{ mounts: ("/tmp /sys /run /proc /dev /dev/mqueue /dev/pts /var/tmp /etc/hosts /dev/shm " +
	"/run/.containerenv /etc/hostname /sys/fs/cgroup" | split(" ") | map({ destination: . })) }')
is "where its tmpfs are for all users, they are" "$(cd "$(cat /tmp/podman)" && stat --format='%n %a' tmp var/tmp run)" \
	"tmp 1777
var/tmp 1777
run 755"

# What a specification does not say: a real container.
cat >/run/containerd.toml <<'TOML'
version = 2
root = "/tmp/containerd-root"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
TOML
PATH=/run/versions/26.1/usr/bin:/run/versions/26.1/usr/sbin:$PATH
export GOGC=off GOMEMLIMIT=256MiB
containerd --config /run/containerd.toml >/tmp/containerd.log 2>&1 &
containerd=$!
eventually "containerd runs" ctr version
ctr run --rm --read-only --rootfs "$(cat /tmp/containerd)" c /bin/sh -c 'echo it runs' >/tmp/out 2>&1 </dev/null || true
is "ctr run --rootfs has a container on a view with the list containerd" "$(cat /tmp/out)" "it runs"
kill "$containerd"
wait "$containerd" || true

for list in docker podman kubernetes containerd; do
	rootviewctl delete web "$list"
done
eventually "the origin is removed" rootviewctl origin remove web
nothing_left
done_testing
