# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the tests of the layer store share: a thin pool, a store, what is left of
# them.  Sourced by layerstore*.t, behind tap.sh.

pool=/dev/mapper/layers-pool
store=/tmp/store
context=system_u:object_r:container_file_t:s0
# Of a new store.
type=ext4
size=$((256 * 1024 * 1024))

modprobe --all dm-thin-pool ext4 xfs loop

# make_pool NAME DEVICE MIB METADATA_MIB [FEATURE]...: a thin pool at the beginning
# of the device.
make_pool()
{
	local name=$1 device=$2 metadata=$(($4 * 2048)) data=$((($3 - $4) * 2048))
	shift 4
	dmsetup create "$name-metadata" --table "0 $metadata linear $device 0"
	dmsetup create "$name-data" --table "0 $data linear $device $metadata"
	dd if=/dev/zero of="/dev/mapper/$name-metadata" bs=4096 count=1 status=none
	dmsetup create "$name-pool" --table "0 $data thin-pool /dev/mapper/$name-metadata \
		/dev/mapper/$name-data 128 0 $# $*"
}

remove_pool()
{
	dmsetup remove "$1-pool" && dmsetup remove "$1-data" && dmsetup remove "$1-metadata"
}

# layers COMMAND...: in the store.
layers()
{
	layerstore-tool --pool "$pool" --type "$type" --size "$size" --context "$context" "$store" "$@"
}

# refused_layers DESCRIPTION CODE COMMAND...
refused_layers()
{
	local description=$1 code=$2 output
	shift 2
	if output=$(layers "$@" 2>&1); then
		fail "$description" "succeeded: $output"
	else
		like "$description" "$(tail -n 1 <<<"$output")" "^layerstore-tool: $code: "
	fi
}

# about LAYER KEY: one of the things that "info" says.
about()
{
	layers info "$1" | sed "s/.*\b$2=\([^ ]*\).*/\1/"
}

# status KEY: the same of the store.
status()
{
	layers status | sed "s/.*\b$1=\([^ ]*\).*/\1/"
}

# numbers_in_pool NAME: the devices that the pool has, by its metadata.
numbers_in_pool()
{
	dmsetup message "/dev/mapper/$1-pool" 0 reserve_metadata_snap
	thin_dump --metadata-snap --skip-mappings "/dev/mapper/$1-metadata" |
		sed -n 's/.*<device dev_id="\([0-9]*\)".*/\1/p' | sort -n | paste -sd ' '
	dmsetup message "/dev/mapper/$1-pool" 0 release_metadata_snap
}

# numbers_in_store BASE: the devices that it knows; the base has the first of its range.
numbers_in_store()
{
	{
		echo "$1"
		layers each | cut -d ' ' -f 3
	} | sort -n | paste -sd ' '
}

# devices: those of layers.
devices()
{
	dmsetup ls --target thin | sed '/^No devices/d; s/[[:blank:]].*//' | sort | paste -sd ' '
}

# mounts: of layers.
mounts()
{
	awk -v "store=$store/" 'index($5, store) == 1 { print $5 }' /proc/self/mountinfo
}
