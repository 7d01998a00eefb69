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
batch=$(few 500)		# a batch for each origin

make_image web
image=/tmp/web.img
losetup --detach "$disk"
start_daemon
for i in $(seq "$origins"); do
	echo "AddOrigin {\"name\":\"o$i\",\"device\":\"$(
		losetup --find --show --read-only "$image")\"}"
done >/tmp/adds

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
views="[$(elements "$batch" s '')]"
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
is "for which there is one mount for each origin" "$(mounted | wc -l)" "$origins"
is "the last one has its files" "$(cat "$(path_of "o$origins/s$batch")/etc/greeting")" hello

# A daemon that finds 10,000 views when it starts.

begun=$(now)
kill_daemon KILL
start_daemon
diag "the next daemon answers after $(awk -v a="$begun" -v b="$(now)" 'BEGIN { print b - a }') s"
is "it has them all" "$(rootviewctl --json list | jq '.views | length')" $((origins * batch))
is "and has mounted none again" "$(mounted | wc -l)" "$origins"
diag "it has $(rss) KiB"

# The end.

names=$(seq "$batch" | sed 's/.*/"s&"/' | paste -sd ,)
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
