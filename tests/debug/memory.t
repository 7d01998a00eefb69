#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The module goes on when there is next to no memory: what it is asked for is done or
# refused, and what it holds adds up.
# guest: --memory 384 --timeout 400
set -uo pipefail
. "${0%/*}/../tap.sh"
. "${0%/*}/../origins.sh"

# How often somebody had to make room for what he wanted to allocate.
stalls() {
	awk '/^allocstall_(normal|dma32|movable) / { n += $2 } END { print n }' /proc/vmstat
}

available() {
	awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo
}

# Takes all memory but 24 MiB, and what becomes free, until it is killed.
hog() {
	# shellcheck disable=SC2016 # Perl
	exec perl -e '
		open my $score, ">", "/proc/self/oom_score_adj"; print $score 1000; close $score;
		my @held;
		while (1) {
			open my $file, "<", "/proc/meminfo";
			my ($available) = map { /^MemAvailable: *(\d+)/ ? $1 : () } <$file>;
			if ($available > 24 << 10) { push @held, "x" x (1 << 20) }
			else { select undef, undef, undef, 0.05 }
		}'
}

slice backing 0 96
mke2fs -q -t ext4 -O ^has_journal /dev/mapper/backing
mount /dev/mapper/backing /mnt
head -c 64M /dev/urandom > /mnt/file
sum=$(sha256sum < /mnt/file)
umount /mnt
modprobe dm-rootview
dmsetup create -r img --table "0 196608 rootview /dev/mapper/backing"
mount -t ext4 -o ro,noload /dev/mapper/img /mnt

before=$(stalls)
hog & hog=$!
eventually eval '[ "$(available)" -le 32 ]'
diag "$(available) MiB of memory are available"

# More is read than fits, while views come and go.
sha256sum < /mnt/file > /tmp/sum & reader=$!
result=$(rvnl stress img 4 500)
wait $reader
like "views were created and deleted, or refused" "$result" \
	"^operations=2000 created=[1-9][0-9]* deleted=[1-9][0-9]* failed=[0-9]+$"
is "what was read is right" "$(cat /tmp/sum)" "$sum"
times=$(($(stalls) - before))
ok "there was no memory, time and again ($times times)" test $times -ge 10

read -r _ created deleted _ <<< "$result"
created=${created#*=} deleted=${deleted#*=}
is "the counters add up" "$(status_field img created) $(status_field img deleted)" "$created $deleted"
is "... and so do the views" "$(rvnl views img | wc -l)" $((created - deleted))

many_views img 4000 more 2> /tmp/error
diag "of 4000 views, each with little memory: $(status_field img created); $(cat /tmp/error)"
is "each that was made is there" "$(rvnl views img | wc -l)" "$(status_field img views)"
kill $hog
wait $hog 2> /dev/null
ok "with memory, views can be made" dmsetup message img 0 view_create last
umount /mnt
ok "the device can be removed" dmsetup remove img
ok "the module can be unloaded" rmmod dm_rootview
done_testing
