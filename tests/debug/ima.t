#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is measured of an origin's table, where IMA is told to measure what device-mapper
# does: see Documentation/admin-guide/device-mapper/dm-ima.rst.  RHEL's kernel has IMA; of
# the guests' kernels only the debugging one.
set -uo pipefail
. "${0%/*}/../tap.sh"
. "${0%/*}/../origins.sh"

ima=/sys/kernel/security/ima
mountpoint -q "${ima%/*}" || mount -t securityfs none "${ima%/*}"
modprobe dm-rootview

# measured EVENT: what the last one measured, in words.
measured() {
	awk -v event="$1" '$5 == event { data = $6 } END { printf "%s", data }' \
		$ima/ascii_runtime_measurements |
		perl -ne 'print pack("H*", $_)'
}

slice backing 0 16
numbers=$(lsblk --noheadings --nodeps --output MAJ:MIN /dev/mapper/backing | tr -d ' ')
ok "IMA measures what device-mapper does" \
	dd of=$ima/policy status=none <<<'measure func=CRITICAL_DATA label=device-mapper'
dmsetup create -r img --table "0 32768 rootview /dev/mapper/backing"
version=$(dmsetup targets | awk '$1 == "rootview" { sub(/^v/, "", $2); print $2 }')
like "the table that was loaded is measured: target, version and origin" \
	"$(measured dm_table_load)" \
	";target_index=0,target_begin=0,target_len=32768,target_name=rootview,target_version=$version,origin=$numbers;\$"
like "that it is the active one, too" "$(measured dm_device_resume)" \
	"name=img,.*active_table_hash=sha256:"
# A view is no part of a table.
before=$(wc -l < $ima/ascii_runtime_measurements)
rvnl create img view >/dev/null
dmsetup message img 0 view_delete view
is "views are not measured" "$(wc -l < $ima/ascii_runtime_measurements)" "$before"
ok "the origin can be removed" dmsetup remove img
like "... which is measured" "$(measured dm_device_remove)" "name=img,"

done_testing
