#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# guest: --timeout 900
#
# The layer store: layers of layers, in a thin pool.
set -u
. tests/tap.sh
. tests/guest/layers.sh

make_pool layers "$ROOTVIEW_SCRATCH" 4096 64 error_if_no_space

# Nothing without a pool.
for path in /dev/mapper/none "$ROOTVIEW_SCRATCH" /dev/mapper/layers-data; do
	nok "$path is no pool" layerstore-tool --pool "$path" "$store" each
	is "... and nothing is made" "$(ls "$store" 2>&1)" "ls: cannot access '$store': No such file or directory"
done
type=vfat
refused_layers "there is no such type of layers" INVALID each
type=ext4
is "a new store has no layers" "$(layers each)" ""
is "its folder is for root alone" "$(stat --format=%a "$store")" 700
is "of an empty layer the pool has the volume" "$(numbers_in_pool layers)" 0
is "nothing is active" "$(devices)" ""
is "nothing is mounted" "$(mounts)" ""

# A chain of layers.
ok "a layer is made" layers create a
ok "one of it" layers create b a
ok "and one of that" layers create c b
is "they are listed, parents first" "$(layers each)" "a - 1
b a 2
c b 3"
is "the pool has them, too" "$(numbers_in_pool layers)" "0 1 2 3"
is "one has its parent" "$(about b parent)" a
is "and the size of its parent" "$(about c size)" "$size"
is "nothing is active" "$(devices)" ""

path=$(layers mount b)
is "a layer is mounted at a path of its own" "$path" "$store/mnt/b"
ok "it is a mount" mountpoint -q "$path"
is "only its device is active" "$(devices)" rootview-layer-2
echo b >"$path/file"
is "another process mounts it at the same path" "$(layers mount b)" "$path"
is "once" "$(mounts | grep -c /b)" 1
ok "it is unmounted" layers unmount b
is "nothing is mounted then" "$(mounts)" ""
is "and nothing is active" "$(devices)" ""
is "the folder is gone" "$(ls "$store/mnt")" ""
refused_layers "it cannot be unmounted once more" INVALID unmount b
ok "a layer is made of it" layers create d b
path=$(layers mount d)
is "it has what its parent has" "$(cat "$path/file")" b
echo d >"$path/file"
ok "it is unmounted" layers unmount d
path=$(layers mount b - ro)
is "its parent has what it had" "$(cat "$path/file")" b
nok "it is mounted read-only: nothing can be written" touch "$path/new"
refused_layers "and it cannot be mounted writable as well" IN_USE mount b
ok "it is unmounted" layers unmount b
path=$(layers mount c)
nok "what is written to a parent later is not in its children" test -e "$path/file"
layers unmount c

# Counted, within a process.
is "mounts are counted" "$(printf '%s\n' 'mount c' 'mount c' 'unmount c' 'info c' 'unmount c' \
	'unmount c' 'info c' | layers script | sed 's/: .*//; s/number.*path=/path=/')" "$store/mnt/c
ok
$store/mnt/c
ok
ok
path=$store/mnt/c active=0
ok
ok
error INVALID
path= active=0
ok"

# A snapshot of a layer that is being written to.
path=$(layers mount b)
echo mounted >"$path/later"
ok "a layer can be made of one that is mounted" layers create e b
echo again >"$path/later"
layers unmount b
path=$(layers mount e)
is "it has what was written until then" "$(cat "$path/later")" mounted
layers unmount e

# SELinux
if [ -e /sys/fs/selinux/enforce ]; then
	is "SELinux is enforcing" "$(cat /sys/fs/selinux/enforce)" 1
	label=system_u:object_r:container_file_t:s0:c1,c2
	path=$(layers mount d "$label")
	is "a layer can be mounted with a label" "$(stat --format=%C "$path/file")" "$label"
	touch "$path/labelled"
	is "what is new has it" "$(stat --format=%C "$path/labelled")" "$label"
	layers unmount d
	is "another one within a process is refused" "$(printf '%s\n' "mount d $label" \
		"mount d $context" "mount d" "mount d $label" "unmount d" "unmount d" |
		layers script | sed 's/: .*//' | paste -sd ' ')" \
		"$store/mnt/d ok error IN_USE error IN_USE $store/mnt/d ok ok ok"
	path=$(layers mount d)
	isnt "and none of it is written to the layer" "$(stat --format=%C "$path/labelled")" "$label"
	layers unmount d
fi

# Removing
refused_layers "a layer that has children cannot be removed" HAS_CHILDREN remove b
layers mount c >/dev/null
refused_layers "nor can one that is mounted" IN_USE remove c
layers unmount c
ok "others can be removed" layers remove c
refused_layers "and are gone then" NO_SUCH remove c
refused_layers "cannot be mounted" NO_SUCH mount c
is "do not exist" "$(layers exists c) $(layers exists b)" "no yes"
is "the pool does not have it either" "$(numbers_in_pool layers)" "$(numbers_in_store 0)"

# Bad names and sizes
for id in . .. a/b "$(printf 'a\tb')" "$(printf 'x%.0s' {1..256})" ""; do
	refused_layers "a bad id: ${id:0:10}" INVALID create "$id"
done
refused_layers "an id that is in use" EXISTS create a
refused_layers "a parent that is none" NO_SUCH create x nobody
refused_layers "less than the parent's size" INVALID create x a 1048576
long=$(printf 'x%.0s' {1..255})
ok "a long id" layers create "$long" a
ok "is as good" layers mount "$long"
layers unmount "$long"
ok "as any" layers remove "$long"

# Growing
blocks()
{
	local path result
	path=$(layers mount "$1")
	result=$(($(stat --file-system --format='%b * %S' "$path") / 1048576))
	layers unmount "$1"
	echo "$result"
}
before=$(blocks d)
ok "a layer can be larger than its parent" layers create big d $((2 * size))
is "its device is" "$(about big size)" $((2 * size))
ok "its file system is ($before, $(blocks big) MiB)" test "$(blocks big)" -gt $((before * 19 / 10))
is "its content is its parent's" "$(cat "$(layers mount big)/file"; layers unmount big)" d
ok "its children are as large" layers create bigger big
is "as it is" "$(blocks bigger)" "$(blocks big)"
dmsetup create check --table "0 $((2 * size / 512)) thin $pool $(about bigger number)"
ok "the file system is sound" e2fsck -f -n /dev/mapper/check
dmsetup remove check

# Notes
ok "a layer can have notes" layers set a some-key some-value
is "which are found again" "$(layers get a some-key)" some-value
is "others are not there" "$(layers get a other; layers get b some-key)" ""
ok "they can be removed" layers set a some-key
is "and are gone" "$(layers get a some-key)" ""
refused_layers "of no layer there are none" NO_SUCH get nobody key

# Archives; what of them is right is archive.h's business.
mkdir -p /tmp/tree/folder
head -c 5M /dev/urandom >/tmp/tree/folder/data
echo new >/tmp/tree/file
tar --create --file /tmp/layer.tar --directory /tmp/tree .
ok "a layer is made of another" layers create f d
ok "and filled with an archive" layers apply f /tmp/layer.tar
path=$(layers mount f "$context" ro)
ok "it has what the archive has" cmp /tmp/tree/folder/data "$path/folder/data"
is "instead of its parent's" "$(cat "$path/file")" new
layers unmount f
like "the changes are those" "$(layers changes f d | sort)" 'A /folder'
ok "an archive is made of it" layers diff f d /tmp/out.tar
like "that has them" "$(tar --list --file /tmp/out.tar)" 'folder/data'
ok "they have a size" test "$(layers size f d)" -ge 0
is "nothing is active or mounted afterwards" "$(devices)$(mounts)" ""
layers mount f >/dev/null
refused_layers "a mounted layer cannot be filled" IN_USE apply f /tmp/layer.tar
ok "but can be looked at" layers diff f d /tmp/out.tar
ok "and is mounted still" mountpoint -q "$store/mnt/f"
layers unmount f
refused_layers "a parent cannot be filled" HAS_CHILDREN apply d /tmp/layer.tar
layers create g f
head -c 3M /tmp/layer.tar >/tmp/half.tar
refused_layers "half an archive is refused" INVALID apply g /tmp/half.tar
is "and the layer is gone" "$(layers exists g)" no
is "of the pool, too" "$(numbers_in_pool layers)" "$(numbers_in_store 0)"

# Several threads, of which each has layers of its own, and all the same parent.
is "threads do not disturb one another" "$(layers threads f /tmp/layer.tar | sort -u | wc -l)" 1
is "and leave nothing" "$(numbers_in_pool layers)$(devices)$(mounts)" "$(numbers_in_store 0)"

# As a device for others
device=$(layers activate f)
is "a layer can be a device" "$device" "/dev/mapper/rootview-layer-$(about f number)-origin"
is "that is read-only" "$(blockdev --getro "$device")" 1
mkdir /tmp/look
ok "and has its file system" mount -o ro "$device" /tmp/look
is "with its files" "$(cat /tmp/look/file)" new
refused_layers "it cannot be removed" IN_USE remove f
refused_layers "nor mounted writable" IN_USE mount f
refused_layers "nor given up while somebody uses it" IN_USE deactivate f
ok "but be looked at" layers diff f d /tmp/out.tar
is "with its files" "$(cat "$(layers mount f "$context" ro)/file"; layers unmount f)" new
ok "and have children" layers create g f
umount /tmp/look
dmsetup remove "$(basename "$device")"
layers each >/dev/null
ok "when it is missing, it is made again" test -e "$device"
ok "it is given up" layers deactivate f
is "and gone" "$(devices)" ""
ok "then it can be mounted writable" layers mount f
layers unmount f

# Only one process at a time.
coproc layers script
# Bash forgets it as soon as it has ended.
holder=$COPROC_PID
echo each >&"${COPROC[1]}"
read -r _ <&"${COPROC[0]}"
refused_layers "another process cannot have the store open" IN_USE each
kill "$holder"
wait "$holder"

# Status
is "the pool is told" "$(status pool) $(status fs_type) $(status block_size)" "layers-pool ext4 65536"
is "its size" "$(status data_total) $(status metadata_total)" \
	"$(((4096 - 64) * 1048576)) $((64 * 1048576))"
is "its use" "$(($(status data_used) / 65536)) $(($(status metadata_used) / 4096))" \
	"$(dmsetup status layers-pool |
		awk '{ split($6, data, "/"); split($5, metadata, "/"); print data[1], metadata[1] }')"
is "how many layers there are" "$(status layers)" "$(layers each | wc -l)"
is "that it is well" "$(status on_loop)$(status out_of_space)$(status read_only)$(status needs_check)" 0000
is "and what it does when it is full" "$(status waits_when_full)" 0

# Two stores on a pool, and what is a store's stays that.
numbers=$(numbers_in_store 0)
store=/tmp/second type=xfs size=$((512 * 1024 * 1024))
ok "another store in the pool, of xfs" layers create a
is "has numbers of its own" "$(about a number)" 262145
is "and the pool has both" "$(numbers_in_pool layers)" "$numbers 262144 262145"
type=ext4
is "it stays xfs" "$(status fs_type)" xfs
path=$(layers mount a)
echo xfs >"$path/file"
is "layers of it" "$(stat --file-system --format=%T "$path")" xfs
ok "can be mounted" layers create b a
is "at the same time" "$(cat "$(layers mount b "$context")/file")" xfs
layers unmount a
layers unmount b
before=$(blocks b)
ok "can be made larger" layers create c b $((2 * size))
ok "by far ($before, $(blocks c) MiB)" test "$(blocks c)" -gt $((before * 17 / 10))
is "with its content" "$(cat "$(layers mount c)/file"; layers unmount c)" xfs
ok "and be devices" layers activate c
layers deactivate c
for layer in c b a; do
	ok "$layer is removed" layers remove "$layer"
done
is "and the other store has what it had" "$(numbers_in_pool layers)" "$numbers 262144"
store=/tmp/store size=$((256 * 1024 * 1024))
is "and knows it" "$(numbers_in_store 0)" "$numbers"

# A pool on a loop device is told, however deep that lies.
dmsetup create files --table "0 $((2048 * 2048)) linear $ROOTVIEW_SCRATCH $((4096 * 2048))"
mke2fs -q -t ext4 /dev/mapper/files
mkdir /tmp/files
mount /dev/mapper/files /tmp/files
truncate --size=1G /tmp/files/loop.img
loop=$(losetup --find --show /tmp/files/loop.img)
dmsetup create below --table "0 $((1024 * 2048)) linear $loop 0"
make_pool small /dev/mapper/below 256 16 error_if_no_space
pool=/dev/mapper/small-pool
refused_layers "a store has one pool" INVALID each
store=/tmp/third size=$((512 * 1024 * 1024))
is "that it lies on a loop device is told" "$(status on_loop)" 1

# A pool that is full.
for layer in a b; do
	layers create "$layer"
	ok "a layer in a small pool" layers apply "$layer" /tmp/layer.tar
done
layers create c a
mkdir /tmp/files/tree
yes | head -c 300M >/tmp/files/tree/huge
tar --create --file /tmp/files/huge.tar --directory /tmp/files/tree .
refused_layers "an archive that does not fit" POOL_FULL apply c /tmp/files/huge.tar
is "is not there" "$(layers exists c)" no
is "the others are" "$(numbers_in_pool small)" "$(numbers_in_store 0)"
for layer in a b; do
	ok "with what they had" cmp /tmp/tree/folder/data "$(layers mount "$layer")/folder/data"
	layers unmount "$layer"
done
is "the pool is well again" "$(status out_of_space)$(status read_only)$(status needs_check)" 000
ok "and has room" layers create c a
ok "for more" layers apply c /tmp/layer.tar
path=$(layers mount c)
dd if=/dev/urandom of="$path/most" bs=1M count=$((($(status data_total) - $(status data_used)) / 1048576 - 6)) \
	conv=fsync status=none
layers unmount c
refused_layers "of a pool that is nearly full nothing is made" POOL_FULL create d a
refused_layers "nor filled" POOL_FULL apply c /tmp/layer.tar
ok "but something can be removed" layers remove c
ok "and then made" layers create d a
is "nothing is active or mounted" "$(devices)$(mounts)" ""

done_testing
