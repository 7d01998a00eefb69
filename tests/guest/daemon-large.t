#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Answers larger than a message may be: lists come in parts, and requests that
# would have such an answer are refused before anything is done.
# variants: (debug)
# guest: --timeout 400 --memory 1536
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

make_image web
start_daemon
call AddOrigin "{\"name\":\"web\",\"device\":\"$disk\"}" >/dev/null

# Long, but few: some 14 KiB for each view.
name=$(printf '%0240d' 0)
points=$(for i in 1 2 3 4; do
	echo "{\"path\":\"/data$i$(for _ in {1..14}; do echo -n "/$name"; done)\"}"
done | paste -sd ,)

# views FROM TO: elements of a batch.
views()
{
	seq -f %.0f "$1" "$2" |
		sed "s|.*|{\"name\":\"v&\",\"deviceOnly\":true,\"mountPoints\":[$points]}|" |
		paste -sd ,
}

# A call with more parameters than fit on a command line.
long_call()
{
	printf '%s %s\n' "$1" "$2" | perl -Itests/guest -MVarlink -e Varlink::filter
}

# create FROM TO
create()
{
	long_call CreateViews "{\"origin\":\"web\",\"views\":[$(views "$1" "$2")]}"
}

# refused_bytes DESCRIPTION ANSWER
refused_bytes()
{
	like "$1" "${2:0:400}" '"error":"io.rootview.TooMany".*"what":"bytes"'
}

# Requests.

answer=$(create 1 400)
refused_bytes "a batch that is too large is refused" "$answer"
is "nothing of it is done" "$(call ListViews)" '{"views":[]}'
is "nor left" "$(find /run/rootview/origins -name wanted)" ""
is "the limit is said" "$(jq .parameters.limit <<<"$answer")" $((4 * 1024 * 1024))
refused_bytes "so is one view" "$(long_call CreateView "{\"origin\":\"web\",\"name\":\"x\",\"cgroup\":\"/$(
	head -c 5M /dev/zero | tr '\0' x)\"}")"
refused_bytes "so are names" "$(long_call DeleteViews "{\"origin\":\"web\",\"names\":[\"$(
	head -c 5M /dev/zero | tr '\0' x)\"]}")"
refused_bytes "so are mount points" "$(long_call CheckMountPoints "{\"origin\":\"web\",\"mountPoints\":[{\"path\":\"/$(
	head -c 5M /dev/zero | tr '\0' x)\"}]}")"

is "smaller ones are carried out" "$(create 1 256 | jq '[.parameters.results[].view // empty] | length')" 256
create 257 512 >/dev/null
create 513 768 >/dev/null

# Answers that somebody leaves unread: here 11 MiB are.
cat >/tmp/unread.pl <<'END'
use strict;
use warnings;
use Varlink;

# Sends lines of "METHOD PARAMETERS", and reads then.
my $client = Varlink->new or die;
my $n = 0;
while (<STDIN>) {
	chomp;
	$client->send(Varlink::message(split / /, $_, 2)) or die;
	$n++;
}
sleep 3;
print $client->receive // 'the connection has ended', "\n" while $n--;
END
{
	echo 'ListViews {}'
	echo "CreateViews {\"origin\":\"web\",\"views\":[$(views 769 1024),{\"name\":\"last\",\"deviceOnly\":true}]}"
	echo 'ListViews {}'
	echo 'ListOrigins {}'
} | perl -Itests/guest /tmp/unread.pl >/tmp/answers
is "an answer that waits to be read comes as it was" \
	"$(sed -n 1p /tmp/answers | jq '.parameters.views | length')" 768
eventually "what was asked for with it is done" rootviewctl inspect web last
refused_bytes "and if there is no room for its answer, that is the answer" \
	"$(sed -n 3p /tmp/answers)"
is "later calls are answered" "$(sed -n 4p /tmp/answers | jq '.parameters.origins[].views')" 1025
create 1025 1280 >/dev/null

# Lists.

refused_call "a list that is too large for one answer is refused" io.rootview.TooMany \
	'"what":"bytes"' ListViews
refused_call "that of one origin, too" io.rootview.TooMany 'call with .*more' \
	ListViews '{"origin":"web"}'
# call_more METHOD: a line for each answer.
call_more()
{
	varlinkctl call --more --json=short "$socket" "io.rootview.$1" '{}' | tr -d '\036'
}
call_more ListViews >/tmp/parts
ok "to who calls with \"more\" it comes in several answers" test "$(wc -l </tmp/parts)" -gt 10
is "which are small" "$(awk 'length($0) > 2 * 1024 * 1024' /tmp/parts | wc -l)" 0
is "and have each view once, in order" "$(jq -r '.views[].name' /tmp/parts | cksum)" \
	"$( (seq -f v%.0f 1024; echo last; seq -f v%.0f 1025 1280) | cksum)"
is "a short list comes in one" "$(call_more ListOrigins | jq '.origins | length')" 1
is "and so does an empty one" "$(call_more GetStats)" '{"stats":[]}'
like "an error is one" "$(varlinkctl call --more "$socket" io.rootview.ListViews \
	'{"origin":"none"}' 2>&1)" 'io.rootview.NoSuchOrigin'

is "rootviewctl lists all" "$(rootviewctl list web | wc -l)" 1282
ok "and finds the last one" rootviewctl inspect web v1280
is "the library lists all" "$(/usr/libexec/rootview-tests/library count web)" 1281

# Whoever takes a list slowly, or goes away.

cat >/tmp/slow.pl <<'END'
use strict;
use warnings;
use Varlink;

my $client = Varlink->new or die;
my $n = 0;
$client->send("{\"method\":\"io.rootview.ListViews\",\"more\":true}\0") or die;
$client->receive;
sleep $ARGV[0];
exit 0 if $ARGV[1] eq 'leave';
while (my $part = $client->receive) {
	$n += () = $part =~ /"name":/g;
	last unless $part =~ /"continues":true/;
}
print "$n\n";
END
descriptors()
{
	find "/proc/$daemon/fd" -mindepth 1 | wc -l
}
before=$(descriptors)
perl -Itests/guest /tmp/slow.pl 3 leave &
leaver=$!
perl -Itests/guest /tmp/slow.pl 3 stay >/tmp/slow &
stayer=$!
sleep 1
is "others are served while a list is under way" "$(call ListOrigins | jq '.origins | length')" 1
long_call DeleteViews "{\"origin\":\"web\",\"names\":[$(
	seq -f '"v%.0f"' 1 500 | paste -sd ,)]}" >/dev/null
wait "$leaver" "$stayer"
ok "a list goes on where it was" test "$(cat /tmp/slow)" -gt 700
ok "without what was deleted meanwhile" test "$(cat /tmp/slow)" -lt 1281
same_descriptors()
{
	[ "$(descriptors)" -le "$before" ]
}
eventually "and nothing is kept for who went away" same_descriptors

perl -Itests/guest /tmp/slow.pl 5 leave &
leaver=$!
sleep 1
for from in 501 900; do
	long_call DeleteViews "{\"origin\":\"web\",\"names\":[$(
		seq -f '"v%.0f"' "$from" $((from + 398)) | paste -sd ,),\"last\"]}" >/dev/null
done
is "the views are deleted" "$(call ListViews | jq -c '.views | length')" 0
is "the origin is removed" "$(call RemoveOrigin '{"name":"web"}')" "{}"
nothing_left
wait "$leaver"
done_testing
