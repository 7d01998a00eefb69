#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# guest: --docker --timeout 900 --memory 2048
#
# The benchmark with a few containers: what its results look like, not how fast
# anything is; and that it leaves nothing.
set -u
. tests/tap.sh

mounts=$(cat /proc/self/mountinfo)
log=$(mktemp)
results=$(tests/bench/containers --containers 2 --rounds 1 --batch 2 2>"$log")
is "storage drivers and whole containers are measured" $? 0
diag "$(cat "$log")"

# about FILTER
about()
{
	jq --compact-output "$1" <<<"$results"
}

modes='["dm-rw","overlay2","vfs","rootview-attached","rootview-detached","rootview-shared","rootview-batch"]'
for level in storage container; do
	is "each mode has a result: $level" \
		"$(about "[.results[] | select(.level == \"$level\") | .mode]")" "$modes"
done
is "levels are not mixed" "$(about '[.results[].level] | unique')" '["container","storage"]'
is "all have as many containers as were asked for" "$(about '[.results[].containers] | unique')" '[2]'

times='[.median, .p95, .max | type == "number" and . > 0] | all'
for list in create_ms delete_ms; do
	is "$list has times" "$(about "[.results[].$list | $times] | all")" true
	is "$list: in their order" \
		"$(about "[.results[].$list | .median <= .p95 and .p95 <= .max] | all")" true
done
is "growth is a number" "$(about '[.results[].growth | type == "number" and . > 0] | all')" true
is "memory is a number" \
	"$(about '[.results[].memory_kib_per_container | type == "number"] | all')" true
is "of what kind it is, too" \
	"$(about '[.results[].memory_kib_per_container_by_kind | keys] | unique')" \
	'[["anonymous","available","free","page_cache","per_cpu","slab_reclaimable","slab_unreclaimable"]]'
for list in sectors each_create_ms each_delete_ms; do
	is "$list has a number for each container" \
		"$(about "[.results[] | (.$list | map(numbers) | length) == .containers] | all")" true
done
is "the settling of what is deleted is a number" \
	"$(about '[.results[].settle_ms | type == "number" and . >= 0] | all')" true
is "the total is that of all, and has its spread" "$(about \
	'[.results[].total_ms | .least <= .median and .median <= .most] | all')" true

# What is no matter of time: a mount each, or none, and one for the origin.
is "mounts are counted" "$(about '[.results[] | select(.level == "storage") |
	[.mode, .host_mounts_added]]')" \
	'[["dm-rw",2],["overlay2",2],["vfs",0],["rootview-attached",3],["rootview-detached",1],["rootview-shared",1],["rootview-batch",1]]'
is "the first container of a view reads from disk, the others nothing" \
	"$(about '[.results[] | select(.mode | startswith("rootview")) |
		[.sectors[0] > 0, (.sectors[1:] | add)]] | unique')" '[[true,0]]'

is "the machine is described" "$(about '.machine | keys')" \
	'["clock","cpu_model","cpus","date","disk","emulated","kernel","memory_mib","pinned_to_cpu","selinux","system","versions","virtualisation"]'
is "as it is" "$(about '.machine | [.kernel, .cpus]')" "[\"$(uname -r)\",$(nproc)]"

refused_option()
{
	local output
	output=$(tests/bench/containers "$@" 2>&1) && diag "succeeded: $*"
	like "refused: $*" "$output" 'rootview-bench: '
}
refused_option --modes overlay3
refused_option --levels memory
refused_option --levels docker --modes vfs

# An image with nothing but what the benchmark adds, as importing one takes long.
tar --create --file /tmp/empty.tar --files-from /dev/null
results=$(ROOTVIEW_IMAGE=/tmp/empty.tar tests/bench/containers --levels docker \
	--modes overlay2,rootview-shared --containers 2 --rounds 1 2>"$log")
is "containers through Docker are measured" $? 0
diag "$(cat "$log")"
is "in the modes that are named" "$(about '[.results[] | [.level, .mode]]')" \
	'[["docker","overlay2"],["docker","rootview-shared"]]'
is "starting is a part of creating" "$(about \
	'[.results[] | .start_ms.median > 0 and .start_ms.total < .create_ms.total] | all')" true
# Docker reads a block of its own file system now and then.
is "one that shares its image adds no block device, and reads nothing of it" \
	"$(about '.results[1] | [.host_devices_added, .sectors[1] < 64]')" '[2,true]'

is "no device is left" "$(dmsetup ls)" "No devices found"
is "no mount is left" "$(cat /proc/self/mountinfo)" "$mounts"
is "no view's folder is left" "$(find /run/rootview /run/rootview-bench -mindepth 1 2>/dev/null)" ""
nok "no daemon is left" pgrep -x 'rootviewd|rootview-graphd|dockerd|containerd'
nok "no container is left" pgrep pause

done_testing
