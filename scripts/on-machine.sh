# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What main-job and the benchmark share, on the machine that they are started on:
# a thin pool on $ROOTVIEW_SCRATCH whose devices' names begin with $prefix, the
# image's file system.  Sourced, never run.

: "${prefix:?}"
[ "$(id -u)" = 0 ] || { echo "$(basename "$0"): must be run as root" >&2; exit 1; }

# The machine's file systems are labelled and guarded by SELinux.
selinux()
{
	[ -e /sys/fs/selinux/enforce ]
}

make_pool()
{
	local size metadata=$((128 * 1024))

	size=$(blockdev --getsz "$ROOTVIEW_SCRATCH")
	modprobe --all dm-thin-pool ext4
	dmsetup create "$prefix-metadata" --table "0 $metadata linear $ROOTVIEW_SCRATCH 0"
	dmsetup create "$prefix-data" \
		--table "0 $((size - metadata)) linear $ROOTVIEW_SCRATCH $metadata"
	dd if=/dev/zero of="/dev/mapper/$prefix-metadata" bs=4096 count=1 status=none
	dmsetup create "$prefix-pool" --table "0 $((size - metadata)) thin-pool \
		/dev/mapper/$prefix-metadata /dev/mapper/$prefix-data 128 0 1 skip_block_zeroing"
}

# activate NAME NUMBER SECTORS: the pool's volume or snapshot of that number.
activate()
{
	dmsetup create "$prefix-$1" --table "0 $3 thin /dev/mapper/$prefix-pool $2"
}

# make_volume NAME NUMBER SECTORS FOLDER: with an empty file system, mounted there.
# It is complete, as those are that Docker makes: nothing is left to be written to it
# in the background, and by each of its snapshots.
make_volume()
{
	dmsetup message "/dev/mapper/$prefix-pool" 0 "create_thin $2"
	activate "$1" "$2" "$3"
	mke2fs -q -t ext4 -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 \
		"/dev/mapper/$prefix-$1"
	mkdir -p "$4"
	mount "/dev/mapper/$prefix-$1" "$4"
}

# unpack_image FOLDER: the containers' root file system.
unpack_image()
{
	tar --extract --file "$ROOTVIEW_IMAGE" --directory "$1" --numeric-owner
}
