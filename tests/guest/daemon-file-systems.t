#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Which file systems can be shared, and which are refused because a journal
# would have to be replayed first.
# variants: (debug)
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

start_daemon

# Copies a mounted file system as it is in the middle of writing: a snapshot.
# snapshot DEVICE MOUNT_OPTIONS: the copy's path is then in $disk.
snapshot()
{
	local mount
	mount=$(mktemp -d)
	mount -o "$2" "$1" "$mount"
	head -c 1M /dev/urandom >"$mount/late"
	sync -f "$mount"
	# The journal is written, and its contents not yet where they belong.
	rm "$mount/late"
	mkdir "$mount/later"
	sync "$mount/later"
	cp --sparse=always "$1" /tmp/snapshot.img
	umount "$mount"
	disk=$(losetup --find --show /tmp/snapshot.img)
}

# shared TYPE DEVICE: an origin of that type, with a file that can be read.
shared()
{
	is "$1 can be shared" \
		"$(call AddOrigin "{\"name\":\"$1\",\"device\":\"$2\"}" | jq -r .origin.fileSystem)" "$1"
	is "its files are there" "$(cat "$(rootviewctl create "$1" a)/etc/greeting")" hello
	is "with a label of their own, too" "$(cat "$(rootviewctl create "$1" b \
		--label system_u:object_r:container_file_t:s0:c5)/etc/greeting")" hello
	is "nothing was written" "$(call ListOrigins |
		jq '.origins[0] | .refusedRequests, .readErrors' | paste -sd ' ')" "0 0"
	rootviewctl delete "$1" a
	rootviewctl delete "$1" b
	ok "it is removed" rootviewctl origin remove "$1"
}

# needs_recovery TYPE DEVICE
needs_recovery()
{
	refused_call "$1 with a journal to replay is refused" io.rootview.NeedsRecovery \
		"\"origin\":\"dirty\",\"fileSystem\":\"$1\",\"message\":\".*mount the original device" \
		AddOrigin "{\"name\":\"dirty\",\"device\":\"$2\"}"
	is "and nothing is left of it" "$(dmsetup ls --target rootview) $(mounted)" \
		"No devices found "
}

# recover TYPE DEVICE: what the sentence says to do.
recover()
{
	mount "$2" /mnt
	umount /mnt
	ok "after a recovery it is accepted" rootviewctl origin add "$1" "$2"
	ok "and removed" rootviewctl origin remove "$1"
}

make_image ext4
shared ext4 "$disk"
ext4=$disk
snapshot "$ext4" defaults
needs_recovery ext4 "$disk"
recover ext4 "$disk"

make_disk xfs 320
# Without what the oldest kernels do not know.
mkfs.xfs -q -c options=/usr/share/xfsprogs/mkfs/lts_5.10.conf "$disk" >/dev/null
fill_disk "$disk"
xfs=$disk
shared xfs "$xfs"
snapshot "$xfs" defaults
needs_recovery xfs "$disk"
recover xfs "$disk"

cp --sparse=always /tmp/xfs.img /tmp/copy.img
copy=$(losetup --find --show /tmp/copy.img)
ok "an xfs" rootviewctl origin add xfs "$xfs"
ok "and a copy with the same uuid at the same time" rootviewctl origin add copy "$copy"
ok "can be removed" rootviewctl origin remove copy
ok "both" rootviewctl origin remove xfs

mkdir -p /tmp/tree/etc
echo hello >/tmp/tree/etc/greeting
for type in squashfs erofs; do
	if [ "$type" = squashfs ] && command -v mksquashfs >/dev/null; then
		mksquashfs /tmp/tree /tmp/squashfs.img -quiet >/dev/null
	elif [ "$type" = erofs ] && command -v mkfs.erofs >/dev/null; then
		mkfs.erofs --quiet /tmp/erofs.img /tmp/tree
	else
		ok_skip "$type can be shared" "its mkfs is not installed"
		continue
	fi
	shared "$type" "$(losetup --find --show "/tmp/$type.img")"
done

# unsupported DESCRIPTION TYPE_OR_EMPTY DEVICE
unsupported()
{
	refused_call "$1 is refused" io.rootview.UnsupportedFileSystem \
		"\"origin\":\"odd\",${2:+\"fileSystem\":\"$2\",}\"message\"" \
		AddOrigin "{\"name\":\"odd\",\"device\":\"$3\"}"
	is "and nothing is left of it" "$(dmsetup ls --target rootview) $(mounted)" \
		"No devices found "
}

make_disk odd 8
unsupported "nothing at all" "" "$disk"
mkfs.ext2 -q "$disk"
unsupported "ext2" ext2 "$disk"
wipefs --all --quiet "$disk"
mkswap "$disk" >/dev/null
unsupported "swap" swap "$disk"
mkfs.ext4 -q -F "$disk"
dd if=/dev/zero of="$disk" bs=1k seek=1 count=1 conv=notrunc status=none
unsupported "an ext4 without its superblock" "" "$disk"
mkfs.ext4 -q -F -b 1024 "$disk"
printf XFSB | dd of="$disk" conv=notrunc status=none
head -c 400k /dev/urandom | dd of="$disk" bs=1k seek=16 conv=notrunc status=none
refused_call "a damaged ext4 is refused" io.rootview '"message"' \
	AddOrigin "{\"name\":\"odd\",\"device\":\"$disk\"}"
is "and nothing is left of it" "$(dmsetup ls --target rootview) $(mounted)" "No devices found "

# An image does not choose what else is read: kernels before 6.4 open the devices that an erofs names.
if command -v mkfs.erofs >/dev/null; then
	mkdir -p /tmp/chunks
	head -c 64k /dev/urandom >/tmp/chunks/file
	truncate --size=1M /tmp/blob.img
	mkfs.erofs --quiet --chunksize=4096 --blobdev=/tmp/blob.img /tmp/chunked.img /tmp/chunks
	truncate --size=1M /tmp/chunked.img
	unsupported "an erofs that names another device" erofs "$(losetup --find --show /tmp/chunked.img)"
else
	ok_skip "an erofs that names another device is refused" "its mkfs is not installed"
fi

# Nor what becomes of the host: what a superblock asks for is overridden.
make_image hostile
tune2fs -e panic -E mount_opts=warn_on_error "$disk" >/dev/null 2>&1
rootviewctl origin add hostile "$disk"
path=$(rootviewctl create hostile a)
options=/proc/fs/ext4/dm-$(stat --dereference --format=%Lr /dev/mapper/hostile)/options
is "a superblock that asks for a panic gets none" "$(grep ^errors= "$options")" errors=remount-ro
is "nor a warning" "$(grep warn_on_error "$options")" nowarn_on_error
# A folder's block that is no folder any more, as the kernel will notice.
block=$(debugfs -R 'blocks /etc' "$disk" 2>/dev/null | tr -d ' ')
size=$(dumpe2fs -h "$disk" 2>/dev/null | sed -n 's/^Block size: *//p')
dd if=/dev/urandom of="$disk" bs="$size" seek="$block" count=1 conv=notrunc,fsync status=none
echo 3 >/proc/sys/vm/drop_caches
nok "a damaged folder cannot be read" ls "$path/etc"
is "and the rest can" "$(head -c 4 "$path/big" | wc -c)" 4
rootviewctl delete hostile a
rootviewctl origin remove hostile

# No device node of an image opens anything, wherever it is seen; set-user-ID programs go on to work.
make_image nodes
mount "$disk" /mnt
mknod /mnt/node b 7 0
cp /usr/bin/id /mnt/bin/id
chmod u+s /mnt/bin/id
umount /mnt
rootviewctl origin add nodes "$disk"
for view in "plain" "label --label system_u:object_r:container_file_t:s0:c5" "points --mount-point /new"; do
	read -r name options <<<"$view"
	# shellcheck disable=SC2086 # several words
	path=$(rootviewctl create nodes "$name" $options)
	nok "of a $name view no device node can be opened" dd if="$path/node" count=1
	refused "for that reason" EACCES dd if="$path/node" count=1
	nok "nor of a descriptor" rootviewctl exec nodes "$name" -- dd if=/mnt/node count=1
	is "a set-user-ID program of a $name view is one" \
		"$(rootviewctl exec nodes "$name" -- setpriv --reuid=65534 --clear-groups /mnt/bin/id --user)" 0
	rootviewctl delete nodes "$name"
done
is "every mount of the daemon's is nodev" "$(awk '$5 ~ "^/run/rootview/" && $6 !~ "nodev" { print $5 }' \
	/proc/self/mountinfo)" ""
rootviewctl origin remove nodes

# Which types are mounted at all can be chosen.

kill_daemon TERM
status=0
rootviewd --types ext4,nfs 2>/tmp/refusal || status=$?
is "a type that nobody can mount is no choice" "$status" 2
like "and named" "$(cat /tmp/refusal)" '"nfs" is none of ext4,xfs,erofs,squashfs'
start_daemon --types xfs,erofs
mkfs.ext4 -q -F "$disk"
unsupported "an ext4 where it is not listed" ext4 "$disk"

nothing_left
done_testing
