#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Who holds a lock of the module's waits for no I/O when it wants memory: that might be I/O of a
# suspended device, whose resume waits for the lock.
#
# Each lock that the module takes, and each page that anybody gets, is traced: a page that its
# holder got must have been asked for without __GFP_IO and __GFP_FS.  What an operation allocates
# comes out of slabs most of the time, so each is done until it has needed pages.
#
# kernels: all
set -uo pipefail
. "${0%/*}/../tap.sh"
. "${0%/*}/../origins.sh"

tracing=/sys/kernel/tracing
mountpoint -q $tracing || mount -t tracefs tracefs $tracing
if [ ! -e $tracing/kprobe_events ] || [ ! -d $tracing/events/kmem ]; then
	skip_all "this kernel traces neither locks nor pages"
fi

modprobe dm-rootview
slice backing 0 16
table="0 32768 rootview /dev/mapper/backing"

# By the address that they return to, calls of the module's are told from others: it lies between
# its first function and a little behind its last.
read -r start end < <(awk '$4 == "[dm_rootview]" && tolower($2) == "t" { print $1 }' /proc/kallsyms |
	sort | sed -n '1p; $p' | paste -sd' ')
in_module="ret >= 0x$start && ret < $(printf '0x%x' $((0x$end + 4096)))"
cd $tracing || exit 1
echo 0 > tracing_on
echo 32768 > buffer_size_kb
# Not the stack of whoever traces: what is on top of it at a function's first instruction.
# shellcheck disable=SC2016
{
	echo 'p:rv/locked mutex_lock lock=%di ret=$stack0'
	echo 'p:rv/unlocked mutex_unlock lock=%di ret=$stack0'
} >> kprobe_events
for event in locked unlocked; do
	echo "$in_module" > events/rv/$event/filter
	echo 1 > events/rv/$event/enable
done
echo 1 > events/kmem/mm_page_alloc/enable
# Device-mapper itself gets memory for what it is asked, in the same way; before 5.13 the trace
# has what was asked for, and not what the way makes of it.
echo 1 > tracing_on
dmsetup info > /dev/null
echo 0 > tracing_on
! grep -q 'dmsetup-.*mm_page_alloc: .*gfp_flags=GFP_KERNEL|__GFP_HIGH|' trace ||
	skip_all "this kernel's trace does not tell whether pages are got without I/O"
cd - > /dev/null || exit 1

# A listener that takes nothing, so that what it is told needs memory each time.
rvnl monitor 1000000 > /tmp/heard & listener=$!
eventually grep -q listening /tmp/heard
kill -STOP "$listener"

# traced DESCRIPTION COMMAND...: what whoever holds a lock gets pages for is in no need of I/O;
# in $pages is how often that was.
traced() {
	local description=$1 bad
	shift

	echo > $tracing/trace
	echo 1 > $tracing/tracing_on
	"$@" > /dev/null
	echo 0 > $tracing/tracing_on
	# What is left of GFP_KERNEL without the two is called GFP_NOIO.
	read -r pages bad < <(perl -ne '
		my ($task) = /^.{16}-(\d+)\s/ or next;
		if (/ locked: .* lock=(\S+)/) { $held{$task}{$1} = 1 }
		elsif (/ unlocked: .* lock=(\S+)/) { delete $held{$task}{$1} }
		elsif (/ mm_page_alloc: .* gfp_flags=(\S+)/ && %{$held{$task} // {}}) {
			$pages++;
			next if $1 !~ /GFP_(KERNEL|USER|HIGHUSER|NOFS|IO|FS)/;
			$bad++;
			print STDERR "# $_" if $bad <= 3;
		}
		END { printf "%d %d\n", $pages, $bad }' $tracing/trace)
	is "$description: memory is got without I/O ($pages times in pages)" "$bad" 0
}

# As long as that has not been, nothing was seen.
seen() {
	ok "... of which there were some" test "$pages" -gt 0
}

many=80
label=$(printf '%04095d' 0)
blob=$(printf '%04096d' 0)

each() { # COMMAND...: for each number
	local i

	for ((i = 1; i <= many; i++)); do
		"$@" "$i"
	done
}
created() { dmsetup message img0 0 view_create "message$1" "$label"; }
deleted() { dmsetup message img0 0 view_delete "message$1"; }
deleted_by_netlink() {
	local i

	for i in {1..3}; do
		# shellcheck disable=SC2046
		rvnl batch img0 $(seq -f -netlink%.0f $((i * 100 - 99)) $((i * 100)))
	done
}
made() { dmsetup create -r "img$1" --table "$table"; }
reloaded() { dmsetup load -r "img$1" --table "$table" && dmsetup resume "img$1"; }
failed() { dd if="/dev/mapper/img$1" of=/dev/null bs=4k count=1 iflag=direct 2> /dev/null; }
removed() { dmsetup remove "img$1"; }
all_failed() {
	each failed
	# They are told of by a worker.
	eventually eval '[ "$(status_field "img$many" generation)" = 2 ]'
}

made 0
traced "views that are created by messages" each created
seen
traced "views that are created by netlink" rvnl -l "$label" -b "$blob" many img0 netlink 300
seen
traced "views that are deleted by messages" each deleted
seen
traced "views that are deleted by netlink" deleted_by_netlink
seen
# What they are told by is little, and may fit into what was got before.
traced "origins that come" each made
traced "tables that are loaded again, and resumed" each reloaded
below=$(dmsetup table backing)
exchange backing "0 32768 error"
traced "origins that fail" all_failed
exchange backing "$below"
traced "origins that go" each removed

# With views in them.
views_too() {
	made 1
	rvnl -l "$label" -b "$blob" many img1 view 300
	removed 1
}
traced "an origin that comes, has views and goes" views_too
seen

removed 0
for event in locked unlocked; do
	echo 0 > $tracing/events/rv/$event/enable
done
echo 0 > $tracing/events/kmem/mm_page_alloc/enable
echo > $tracing/kprobe_events
kill -CONT "$listener"
kill "$listener"
wait "$listener" 2> /dev/null
ok "the module can be unloaded" rmmod dm_rootview
done_testing
