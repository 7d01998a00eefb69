#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# 10,000 views on 20 origins: what they cost the daemon, and that the last ones
# are made, and 1,000 deleted, like the first.
# variants: (debug)
# guest: --timeout 600 --memory 2048
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

origins=20
batch=$(few 500)		# a batch for each origin, of which
attached=$(few 50)		# so many are attached

make_image web
image=/tmp/web.img
losetup --detach "$disk"
start_daemon
for i in $(seq "$origins"); do
	echo "AddOrigin {\"name\":\"o$i\",\"device\":\"$(
		losetup --find --show --read-only "$image")\"}"
done >/tmp/adds

more=$(few 1000)

# A connection of its own, so that what is measured is the daemon.
cat >/tmp/timed.pl <<'END'
use strict;
use warnings;
use Time::HiRes 'time';
use Varlink;

# Prints what each call took, in microseconds for each of N, and what came.
my ($n) = @ARGV;
my $client = Varlink->new or die;
while (<STDIN>) {
	chomp;
	my ($method, $parameters) = split / /, $_, 2;
	my $begun = time;
	my $answer = $client->call($method, $parameters) // 'none';
	my $took = time - $begun;
	printf "%d %d %s\n", $took * 1e6 / $n, scalar(() = $answer =~ /"view":/g),
		$answer =~ /"error":/ ? substr($answer, 0, 500) : 'fine';
}
END
timed()
{
	perl -Itests/guest /tmp/timed.pl "$1"
}

# elements N PREFIX MORE: of a batch.
elements()
{
	seq "$1" | sed "s|.*|{\"name\":\"$2&\"$3}|" | paste -sd ,
}

# rss: of the daemon, in KiB.
rss()
{
	awk '$1 == "VmRSS:" { print $2 }' "/proc/$daemon/status"
}

# now: seconds since boot, with a fraction.
now()
{
	cut -d' ' -f1 /proc/uptime
}

is "$origins origins are added" "$(timed 1 </tmp/adds | cut -d' ' -f3- | sort | uniq -c | xargs)" \
	"$origins fine"
views="[$(elements $((batch - attached)) s ',"mount":"shared"'),$(elements "$attached" a '')]"
for i in $(seq "$origins"); do
	printf 'CreateViews {"origin":"o%d","views":%s}\n' "$i" "$views"
done >/tmp/creates

# What an answer to such a batch takes is there from the first one on; it is no
# part of what a view takes.
sed -n 1p /tmp/creates | timed "$batch" >/tmp/took
before=$(rss)
diag "the first $batch views: $(rss) KiB"
sed 1d /tmp/creates | timed "$batch" >>/tmp/took
after=$(rss)
is "each origin gets its $batch views" "$(cut -d' ' -f2- /tmp/took | sort | uniq -c | xargs)" \
	"$origins $batch fine"
made=$(((origins - 1) * batch))
each=$(((after - before) * 1024 / made))
diag "$made more: $after KiB, $each bytes each"
ok "the daemon takes less than 2 KiB of memory for a view" test "$each" -lt 2048
diag "microseconds for each view of the first batch: $(head -n 1 /tmp/took | cut -d' ' -f1)," \
	"of the last: $(tail -n 1 /tmp/took | cut -d' ' -f1)"
is "the kernel has them all" \
	"$(for i in $(seq "$origins"); do dmsetup message "o$i" 0 view_list; done | wc -l)" \
	$((origins * batch))
is "the attached ones are mounted, and one file system for each origin" "$(mounted | wc -l)" \
	$((origins * (attached + 1)))
is "the last one has its files" "$(cat "/run/rootview/views/o$origins/a$attached/etc/greeting")" hello

# More attached views, of one origin.

echo "CreateViews {\"origin\":\"o1\",\"views\":[$(elements "$more" m '')]}" | timed "$more" >/tmp/took
is "$more more are attached" "$(cut -d' ' -f2- /tmp/took)" "$more fine"
diag "microseconds for each: $(cut -d' ' -f1 /tmp/took)"
gone()
{
	! mounted | grep -q -e '/o1/[mn]' -e /trash/
}
begun=$(now)
echo "DeleteViews {\"origin\":\"o1\",\"names\":[$(seq "$more" | sed 's/.*/"m&"/' | paste -sd ,)]}" |
	timed "$more" >/tmp/took
is "and deleted in one call" "$(cut -d' ' -f3- /tmp/took)" "fine"
is "their paths are gone with the answer" "$(mounted | grep -c '/o1/m')" 0
eventually "they are unmounted" gone
diag "microseconds for each: $(cut -d' ' -f1 /tmp/took) until the answer;" \
	"$(awk -v a="$begun" -v b="$(now)" 'BEGIN { print int((b - a) * 1000) }') ms until all were unmounted"

# The same one by one: unmounting has to wait for all processors, but not for each.

seq -f n%.0f "$more" | xargs rootviewctl create o1 >/dev/null
tracing=/sys/kernel/tracing
mount -t tracefs tracefs $tracing
echo synchronize_rcu synchronize_rcu_expedited >$tracing/set_ftrace_filter
echo function >$tracing/current_tracer
seq "$more" | sed 's/.*/DeleteView {"origin":"o1","name":"n&"}/' |
	perl -Itests/guest -MVarlink -e Varlink::filter | sort | uniq -c >/tmp/took
eventually "those that are deleted one by one are unmounted, too" gone
echo 0 >$tracing/tracing_on
is "$more more are deleted, each by a call of its own" \
	"$(sed 's/^ *//' /tmp/took)" "$more {\"parameters\":{}}"
waits=$(grep -c namespace_unlock $tracing/trace)
diag "grace periods that were waited for: $waits"
ok "grace periods are shared" test "$waits" -gt 0 -a "$waits" -lt 40
umount $tracing

# A daemon that finds 10,000 views when it starts.

begun=$(now)
kill_daemon KILL
start_daemon
diag "the next daemon answers after $(awk -v a="$begun" -v b="$(now)" 'BEGIN { print b - a }') s"
is "it has them all" "$(rootviewctl --json list | jq '.views | length')" $((origins * batch))
is "and has mounted none again" "$(mounted | wc -l)" $((origins * (attached + 1)))
diag "it has $(rss) KiB"

# The end.

names=$({ seq $((batch - attached)) | sed 's/.*/"s&"/'; seq "$attached" | sed 's/.*/"a&"/'; } |
	paste -sd ,)
for i in $(seq "$origins"); do
	echo "DeleteViews {\"origin\":\"o$i\",\"names\":[$names]}"
done | timed "$batch" >/tmp/took
is "all are deleted" "$(cut -d' ' -f3- /tmp/took | sort | uniq -c | xargs)" "$origins fine"
is "the kernel has none" \
	"$(for i in $(seq "$origins"); do dmsetup message "o$i" 0 view_list; done | wc -l)" 0
for i in $(seq "$origins"); do
	echo "RemoveOrigin {\"name\":\"o$i\"}"
done | timed 1 >/tmp/took
is "all origins are removed" "$(cut -d' ' -f3- /tmp/took | sort | uniq -c | xargs)" "$origins fine"
nothing_left
done_testing
