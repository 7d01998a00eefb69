#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# guest: --timeout 1200
#
# rootview-storage-setup: a thin pool out of a spare disk or a volume group; what it
# refuses, what it finishes, and that the layer store can live in the pool.
set -u
. tests/tap.sh
. tests/guest/layers.sh

config=/etc/rootview/storage.conf
disk=$ROOTVIEW_SCRATCH
modprobe brd rd_nr=2 rd_size=$((300 * 1024))
small=/dev/ram0 other=/dev/ram1
# There is no dmeventd, which LVM would complain about each time.
echo 'activation { monitoring = 0 }' >/etc/lvm/lvmlocal.conf

setup()
{
	rootview-storage-setup "$@"
}

# setting KEY: out of the file.
setting()
{
	sed -n "s/^$1=//p" "$config"
}

# lvs_says FIELD: of the pool that the file names.
lvs_says()
{
	lvm lvs --noheadings --units b --nosuffix --options "$1" "$(setting VG)/$(setting LV)" 2>&1 | tr -d ' '
}

# refused_setup DESCRIPTION EXPRESSION ARGUMENT...: it says so in one line.
refused_setup()
{
	local description=$1 wanted=$2 output status=0
	shift 2
	output=$(setup "$@" 2>&1) || status=$?
	is "$description: the status" "$status" 1
	like "$description" "$output" "^rootview-storage-setup: $wanted"
	is "$description: in one line" "$(wc -l <<<"$output")" 1
}

# forget DEVICE...: nothing of a pool is there.
forget()
{
	lvm vgchange --quiet --quiet --activate n >/dev/null
	wipefs --quiet --all --force "$@"
	# A killed LVM leaves links there, and udev does not run.
	rm -rf /etc/rootview /dev/rootview
}

doctor()
{
	rootviewctl --json doctor | jq -r '.[] | select(.check == "pool") | .state + ": " + .message'
}

# The command line.
for arguments in "--none" "more" "--size" "--grow 1G more"; do
	# shellcheck disable=SC2086 # words
	setup $arguments >/dev/null 2>&1
	is "usage: $arguments" "$?" 2
done
refused_setup "without any pool" "$config does not say where to make a pool"
for bad in 0 x 1G% 0% 101% -1 1.5G; do
	refused_setup "size $bad" "\"$bad\" is no size" --vg none "--size=$bad"
done
refused_setup "bad name" "\"a b/.*\" is no name|--vg: the value" --vg 'a b'
refused_setup "injected name" '"a\|\|b/rootview-pool" is no name' --vg 'a||b'
refused_setup "no such group" 'there is no volume group "none"' --vg none
refused_setup "no such device" '/dev/none: No such file' --device /dev/none
refused_setup "a relative device" '"ram0" is no path' --device ram0
refused_setup "no block device" '/dev/null is no block device' --device /dev/null
is "nothing is recorded" "$(ls -A /etc/rootview)" ""
like "doctor knows of no pool" "$(doctor)" '^ok: no thin pool is set up'

# Devices that hold data.

# sums: of all of the small disk; sha256sum takes three times as long.
sums()
{
	cksum <"$small"
}

# refuses_data DESCRIPTION EXPRESSION: the small disk, and it stays as it is.
refuses_data()
{
	local before
	before=$(sums)
	refused_setup "$1" "$small holds data: $2; --wipe destroys that" --device "$small"
	is "$1: it stays as it is" "$(sums)" "$before"
	is "$1: nothing is recorded" "$(ls -A /etc/rootview)" ""
	wipefs --quiet --all --force "$small"
}
mke2fs -q -t ext4 -L mine "$small"
refuses_data "a file system" 'ext4 "mine"'
mkfs.xfs -q -f "$small"
refuses_data "another file system" xfs
echo ,10M | sfdisk --quiet --label dos "$small"
refuses_data "a partition table" 'a partition table \(dos\)'
echo ,10M | sfdisk --quiet --label gpt "$small"
refuses_data "another partition table" 'a partition table \(gpt\).*'
mkswap "$small" >/dev/null
refuses_data "swap" swap
lvm pvcreate --quiet --quiet "$small"
refuses_data "a physical volume" LVM2_member
mke2fs -q -t ext4 "$small"
dd if=/dev/urandom of="$small" bs=1 seek=1100 count=4 conv=notrunc status=none
refuses_data "a damaged file system" '.*'

# Devices in use.
refuses_busy()
{
	refused_setup "$1" "$small is in use: $2" --device "$small" --wipe
	is "$1: nothing is recorded" "$(ls -A /etc/rootview)" ""
}
mke2fs -q -t ext4 "$small"
mkdir -p /tmp/mnt
mount "$small" /tmp/mnt
refuses_busy "a mounted one" "it is mounted on /tmp/mnt"
umount /tmp/mnt
mkswap --force "$small" >/dev/null 2>&1
swapon "$small"
refuses_busy "swap in use" "it is used as swap"
swapoff "$small"
dmsetup create on-it --table "0 2048 linear $small 0"
refuses_busy "below device-mapper" "it is used by /dev/mapper/on-it"
dmsetup remove on-it
echo ,100M | sfdisk --quiet --label dos "$disk"
partx --update "$disk"
mke2fs -q -t ext4 "${disk}1"
mount "${disk}1" /tmp/mnt
refused_setup "a partition in use" "$disk is in use: its partition ${disk#/dev/}1 is mounted on /tmp/mnt" \
	--device "$disk" --wipe
umount /tmp/mnt

# A pool.
output=$(setup --device "$disk" --wipe --size 3G 2>&1)
is "a pool is made of a disk that is to be wiped" "$output" "/dev/mapper/rootview-rootview--pool is ready"
is "its partitions are gone" "$(find /sys/class/block/"${disk#/dev/}"/ -name partition)" ""
pool=$(setting POOL)
is "the file has the path" "$pool" /dev/mapper/rootview-rootview--pool
is "and everything else" "$(sed 's/UUID=.*/UUID=/' "$config")" "# The thin pool of rootview's layers, by rootview-storage-setup.
DEVICE=$disk
VG=rootview
LV=rootview-pool
SIZE=3G
POOL=$pool
UUID="
is "it is marked as finished" "$(lvs_says lv_tags)" ""
is "the UUID is the volume's" "$(setting UUID)" "$(lvs_says lv_uuid)"
is "the size is right" "$(lvs_says lv_size)" $((3 << 30))
is "its metadata are 1/128 of that" "$(lvs_says lv_metadata_size)" $((3 << 23))
is "as are its other properties" "$(lvs_says chunk_size,zero,transaction_id,discards)" 65536zero0passdown
like "it fails when it is full, and does not wait" "$(dmsetup status "$pool")" error_if_no_space
nok "new blocks are zeroed" grep -q skip_block_zeroing <<<"$(dmsetup table "$pool")"
is "everybody may read the file" "$(stat --format=%a "$config")" 644
is "nothing else is in its folder" "$(ls -A /etc/rootview)" storage.conf
like "doctor finds it" "$(doctor)" "^ok: thin pool $pool is active, 0 % of its data"

# Once more.
cp "$config" /tmp/before
uuid=$(setting UUID)
for arguments in "" "--device $disk" "--device $disk --wipe" "--vg rootview --pool rootview-pool" \
	"--size 3G" "--grow 3G" "--grow 2G"; do
	# shellcheck disable=SC2086 # words
	is "again with: $arguments" "$(setup $arguments 2>&1)" "$pool is ready; nothing had to be done"
done
ln -s "$disk" /tmp/link
is "again by another name of the disk" "$(setup --device /tmp/link)" "$pool is ready; nothing had to be done"
ok "the file is as it was" cmp "$config" /tmp/before
is "the pool is" "$(lvs_says lv_uuid)" "$uuid"
refused_setup "another device" "--device $small: $config has DEVICE=$disk;" --device "$small"
refused_setup "another group" "--vg more: $config has VG=rootview;" --vg more
refused_setup "another pool" "--pool more: $config has LV=rootview-pool;" --pool more
refused_setup "another size" "--size 4G: $config has SIZE=3G; there is one pool, which only grows" --size 4G
refused_setup "a device in use" "$disk holds data: volume group \"rootview\"|$disk is in use" \
	--device "$disk" --wipe --config /tmp/other/storage.conf

# Layers in it.
ok "a layer is made" layers create a
ok "and one of that" layers create b a
path=$(layers mount b)
echo before >"$path/file"
total=$(status data_total)
is "the store has the pool's size" "$total" $((3 << 30))
is "it is not on a loop device" "$(status on_loop)" 0
nok "a pool in use is not deactivated" lvm vgchange --activate n rootview

# Larger, while a layer is written to.
dd if=/dev/urandom of=/tmp/data bs=1M count=64 status=none
while :; do cp /tmp/data "$path/data" && sync -f "$path"; done &
writer=$!
is "it grows to a size" "$(setup --grow 4G 2>&1)" "$pool is ready"
is "that it has then" "$(status data_total)" $((4 << 30))
is "its metadata are more, too" "$(status metadata_total)" $((4 << 23))
is "not once more" "$(setup --grow 4G 2>&1)" "$pool is ready; nothing had to be done"
free=$(lvm vgs --noheadings --units b --nosuffix -o vg_free rootview | tr -d ' ')
ok "it grows by half of what is free" setup --grow 50%
grown=$(($(status data_total) - (4 << 30)))
ok "which is so much ($grown of $free)" test $((grown * 100 / free)) -ge 47 -a $((grown * 100 / free)) -le 50
ok "and by most of it" setup --grow
refused_setup "more than there is" 'volume group "rootview" has [0-9]+ MiB free, too little' --grow 1T
kill "$writer"
wait "$writer" 2>/dev/null
cp /tmp/data "$path/data"
ok "layers work meanwhile" cmp /tmp/data "$path/data"
ok "and are made" layers create c b
layers unmount b
ok "a group can have another disk" lvm vgextend --quiet --quiet rootview "$other"
before=$(status data_total)
ok "and the pool grow onto it" setup --grow 100%
ok "by that" test $(($(status data_total) - before)) -ge $((250 << 20))
is "the file is as it was" "$(cmp "$config" /tmp/before)" ""

# After a reboot.
ok "the group is deactivated" lvm vgchange --quiet --quiet --activate n rootview
nok "the pool is gone then" test -e "$pool"
like "which doctor finds" "$(doctor)" "^problem: \"$pool\" is no active thin pool: \"rootview-storage-setup\" activates it"
is "it is activated" "$(setup 2>&1)" "$pool is ready"
is "once" "$(setup 2>&1)" "$pool is ready; nothing had to be done"
is "the layers are there" "$(layers each | cut -d ' ' -f 1 | paste -sd ' ')" "a b c"
is "with what they have" "$(cat "$(layers mount c)/file")" before
ok "wholly" cmp /tmp/data "$store/mnt/c/data"
layers unmount c
lvm vgchange --quiet --quiet --activate n rootview
ok "LVM activates it, too, as when it boots" lvm vgchange --quiet --quiet --activate y rootview
is "with the layers" "$(cat "$(layers mount c)/file"; layers unmount c)" before
is "LVM has nothing to say against it" "$(lvs_says transaction_id,lv_health_status)" 0

# Lost, or another one.
sed -i 's/^UUID=.*/UUID=another/' "$config"
refused_setup "another pool of that name" "the thin pool rootview/rootview-pool is another one than $config says"
cp /tmp/before "$config"
lvm lvrename --quiet --quiet rootview rootview-pool renamed
refused_setup "a pool that is gone" "the thin pool rootview/rootview-pool, which $config names, is gone"
lvm lvrename --quiet --quiet rootview renamed rootview-pool
is "it is found again" "$(setup 2>&1)" "$pool is ready; nothing had to be done"
forget "$disk" "$other"
mkdir -p /etc/rootview
cp /tmp/before "$config"
refused_setup "a group that is gone" "volume group \"rootview\", which $config names, is not there"
is "nothing is made in its stead" "$(wipefs --noheadings "$disk")" ""
rm -r /etc/rootview

# By hand, in a group that is there.
lvm vgcreate --yes --quiet --quiet group "$small" "$other"
mkdir -p /etc/rootview
printf '%s\n' '# Mine.' 'VG=group' '' 'LV=layers' 'SIZE=50%' 'METADATA_SIZE=20M' >"$config"
is "a file written by hand is done" "$(setup 2>&1)" "/dev/mapper/group-layers is ready"
is "and completed" "$(sed 's/UUID=.*/UUID=/' "$config")" "# Mine.

VG=group
LV=layers
SIZE=50%
METADATA_SIZE=20M
POOL=/dev/mapper/group-layers
UUID="
is "with that metadata" "$(lvs_says lv_metadata_size)" $((20 << 20))
rm "$config"
is "without the file the pool is taken as it is" "$(setup --vg group --pool layers 2>&1)" \
	"/dev/mapper/group-layers is ready"
lvm lvchange --quiet --quiet --errorwhenfull n --zero n group/layers 2>/dev/null
is "one that waits when it is full is changed" "$(setup 2>&1)" "/dev/mapper/group-layers is ready"
like "to one that does not" "$(dmsetup status group-layers)" error_if_no_space

# Nearly full
read -r _ _ _ _ _ blocks _ <<<"$(dmsetup status group-layers)"
dmsetup message group-layers 0 "create_thin 16000000"
dmsetup create filler --table "0 $((2048 * 1024)) thin /dev/mapper/group-layers 16000000"
dd if=/dev/zero of=/dev/mapper/filler bs=64k count=$(((${blocks#*/} - ${blocks%/*}) * 95 / 100)) oflag=direct status=none
like "doctor finds that it is nearly full" "$(doctor)" \
	"^warning: thin pool /dev/mapper/group-layers is nearly full, 9[0-9] %"
dmsetup remove filler
dmsetup message group-layers 0 "delete 16000000"

rm "$config"
lvm lvcreate --quiet --quiet --name volume --size 32M group
refused_setup "a volume that is no pool" 'group/volume is no thin pool' --vg group --pool volume
lvm lvcreate --quiet --quiet --thin --virtualsize 1G --name thin group/layers 2>/dev/null
refused_setup "a pool with volumes of LVM's" "the thin pool group/layers has, or had, thin volumes" \
	--vg group --pool layers
refused_setup "a group with too little room" 'volume group "group" has [0-9]+ MiB free, too little' \
	--vg group --size 10G
refused_setup "a new group of a name that is there" \
	'there is a volume group "group" already, and not on' --device "$disk" --vg group
refused_setup "a group on the device" \
	"$small holds data: volume group \"group\"; without --device, --vg group" --device "$small" --vg group
is "nothing is recorded" "$(ls -A /etc/rootview)" ""
printf 'VG=group\nWIPE=yes\n' >"$config"
refused_setup "a bad file" "$config: line 2 has no key that is known"
like "doctor says so" "$(doctor)" "^problem: $config: line 2 has no key"
forget "$small" "$other"

# On a loop device.
truncate --size=400M /tmp/loop.img
loop=$(losetup --find --show /tmp/loop.img)
output=$(setup --device "$loop" 2>&1)
is "a pool on a loop device is made" "$?" 0
like "with a warning" "$output" "rootview-storage-setup: warning: /dev/mapper/rootview-rootview--pool lies on a loop device"
like "each time" "$(setup 2>&1)" "warning: .* lies on a loop device"
like "which doctor has, too" "$(doctor)" "^warning: thin pool .* is on a loop device"
forget "$loop"
losetup --detach "$loop"

# It is killed after each of LVM's commands; the next run finishes.
mkdir -p /tmp/bin
cat >/tmp/bin/lvm <<'END'
#!/bin/bash
echo >>/tmp/count
/usr/sbin/lvm "$@"
status=$?
[ "$(wc -l </tmp/count)" != "$(cat /tmp/kill)" ] || kill -9 "$PPID"
exit "$status"
END
chmod +x /tmp/bin/lvm

# killed NUMBER: a run that is killed after so many commands; its status.
killed()
{
	rm -f /tmp/count
	echo "$1" >/tmp/kill
	(PATH=/tmp/bin:$PATH exec rootview-storage-setup --device "$small" --wipe) >/dev/null 2>&1
}

for n in {1..20}; do
	mke2fs -q -t ext4 -F "$small"
	killed "$n" 2>/dev/null
	status=$?
	if [ "$status" = 0 ]; then
		forget "$small"
		break
	fi
	is "killed after LVM's command $n" "$status" 137
	recorded=$([ -e "$config" ] && echo 1)
	arguments=(--device "$small" --wipe)
	[ -z "$recorded" ] || [ -n "$(setting UUID)" ] || arguments=()
	like "... the next run, with: ${arguments[*]}" "$(setup "${arguments[@]}" 2>&1)" \
		"^/dev/mapper/rootview-rootview--pool is ready"
	is "... has the pool" "$(lvs_says lv_uuid,lv_when_full)" "$(setting UUID)error"
	forget "$small"
done
ok "it was killed often enough ($n)" test "$n" -ge 6

# LVM itself is killed, while it makes the pool.
cat >/tmp/bin/lvm <<'END'
#!/bin/bash
[ "$1" = lvcreate ] || exec /usr/sbin/lvm "$@"
read -r call n </tmp/kill
exec strace --follow-forks --output=/dev/null --trace="$call" --inject="$call:signal=KILL:when=$n" \
	/usr/sbin/lvm "$@"
END
for when in "io_submit 9" "io_submit 13" "io_submit 15" "ioctl 45" "ioctl 75" "ioctl 100"; do
	echo "$when" >/tmp/kill
	like "LVM is killed at $when" \
		"$(PATH=/tmp/bin:$PATH rootview-storage-setup --device "$small" 2>&1)" \
		'"lvm lvcreate" was killed by signal 9'
	diag "left: $(lvm lvs --all --noheadings --options lv_name,lv_layout,lv_active 2>&1 | tr -s ' ' |
		paste -sd ,); $(dmsetup ls | cut -f 1 | paste -sd ' ')"
	is "... the next run finishes" "$(setup --device "$small" 2>&1)" \
		"/dev/mapper/rootview-rootview--pool is ready"
	forget "$small"
done

# Two at a time.
for _ in 1 2 3; do
	setup --device "$small" >>/tmp/results 2>&1 &
done
wait
is "of several runs, one makes the pool" "$(sort /tmp/results)" \
	"/dev/mapper/rootview-rootview--pool is ready
/dev/mapper/rootview-rootview--pool is ready; nothing had to be done
/dev/mapper/rootview-rootview--pool is ready; nothing had to be done"
forget "$small"

done_testing
