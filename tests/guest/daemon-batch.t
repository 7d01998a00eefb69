#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Many at once: batches whose parts stand for themselves, calls that do not wait
# for each other's answers, and fifty clients.
# variants: (debug)
# guest: --timeout 600
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

context=system_u:object_r:container_file_t:s0

make_image web
web=$disk
start_daemon
call AddOrigin "{\"name\":\"web\",\"device\":\"$web\"}" >/dev/null
call CreateView '{"origin":"web","name":"taken"}' >/dev/null
empty=$(mounted | wc -l)

# times N FORMAT: N elements of a list, with their numbers.
times()
{
	seq "$1" | sed "s|.*|$2|" | paste -sd ,
}

# A call with more parameters than fit on a command line.
long_call()
{
	printf '%s %s\n' "$1" "$2" | perl -Itests/guest -MVarlink -e Varlink::filter
}

# Good and bad parts.  Each line: what became of one.
results()
{
	jq -r '.results[] | [.name, .view.path // "-",
		(.refusal.error // "-" | ltrimstr("io.rootview."))] | join(" ")'
}
answer=$(call CreateViews "{\"origin\":\"web\",\"views\":[
	{\"name\":\"a\"}, {\"name\":\"taken\"}, {\"name\":\"b\"}, {\"name\":\"x/y\"},
	{\"name\":\"c\",\"deviceOnly\":true}, {\"name\":\"a\"},
	{\"name\":\"d\",\"label\":\"nonsense\"}, {\"name\":\"e\",\"label\":\"$context:c1\"},
	{\"name\":\"f\",\"label\":\"$context:c1\"}, {\"name\":\"g\"},
	{\"name\":\"h\",\"mountPoints\":[{\"path\":\"/etc/greeting/x\"}]},
	{\"name\":\"i\",\"mountPoints\":[{\"path\":\"/data\"}]},
	{\"name\":\"j\",\"cgroup\":\"/absent\"}, {\"name\":\"k\",\"process\":4194304},
	{\"name\":\"l\",\"idMap\":{\"uid\":[],\"gid\":[]}}, {\"name\":\"m\",\"lists\":[\"rkt\"]},
	{\"name\":\"n\"}]}" | tee /tmp/answer | results)
plain=/run/rootview/origins/web/plain
other=/run/rootview/origins/web/variants
is "each view of a batch has a result of its own" "$answer" "a $plain -
taken - ViewExists
b $plain -
x/y - InvalidName
c - -
a - ViewExists
d - InvalidLabel
e $other/1/mount -
f $other/1/mount -
g $plain -
h - InvalidMountPoint
i $other/2/mount -
j - NoSuchCgroup
k - NoSuchProcess
l - InvalidIdMap
m - InvalidRequest
n $plain -"
is "each refusal has a sentence" \
	"$(jq '[.results[].refusal // empty | select(.message == "")] | length' /tmp/answer)" 0
is "those that were created are there, and no others" \
	"$(call ListViews | jq -r '[.views[].name] | sort | join(" ")')" "a b c e f g i n taken"
is "each can be used at its path" "$(jq -r '.results[].view.path // empty' /tmp/answer |
	while read -r path; do cat "$path/etc/greeting"; done | sort | uniq -c | xargs)" "7 hello"

answer=$(call DeleteViews '{"origin":"web","names":["a","absent","b","b","","c","e","f","g","x/y","i","n"]}' |
	results)
is "each name of a deletion has a result of its own" "$answer" "a - -
absent - NoSuchView
b - -
b - NoSuchView
 - InvalidName
c - -
e - -
f - -
g - -
x/y - InvalidName
i - -
n - -"
is "the other view stays" "$(call ListViews | jq -r '[.views[].name] | join(" ")')" taken
as_before()
{
	[ "$(mounted | wc -l)" = "$empty" ]
}
eventually "what belonged to the deleted ones is unmounted" as_before
is "a name of a deleted one can be taken again" \
	"$(call CreateViews '{"origin":"web","views":[{"name":"a"}]}' | results)" \
	"a $plain -"
ok "and that is deleted" rootviewctl delete web a

# Limits.

refused_call "no views" io.rootview.InvalidRequest '"parameter":"views"' \
	CreateViews '{"origin":"web","views":[]}'
refused_call "no names" io.rootview.InvalidRequest '"parameter":"names"' \
	DeleteViews '{"origin":"web","names":[]}'
like "1025 views are too many" \
	"$(long_call CreateViews "{\"origin\":\"web\",\"views\":[$(times 1025 '{"name":"v&"}')]}")" \
	'"error":"io.rootview.TooMany".*"what":"views","limit":1024'
like "1025 names, too" \
	"$(long_call DeleteViews "{\"origin\":\"web\",\"names\":[$(times 1025 '"v&"')]}")" \
	'"error":"io.rootview.TooMany".*"what":"views","limit":1024'
is "none of them was created" "$(call ListViews | jq '.views | length')" 1
is "1024 views are not, and all of them share one mount" \
	"$(long_call CreateViews "{\"origin\":\"web\",\"views\":[$(times 1024 '{"name":"v&"}')]}" |
		jq -c '[.parameters.results[] | .refusal.error // .view.path] |
			group_by(.) | map([.[0], length])')" \
	"[[\"$plain\",1024]]"
is "they are deleted in one call" \
	"$(long_call DeleteViews "{\"origin\":\"web\",\"names\":[$(times 1024 '"v&"')]}" |
		jq -c '[.parameters.results[] | select(.refusal)] | length')" 0
refused_call "a batch of what is no view" org.varlink.service.InvalidParameter \
	'"parameter":"views"' CreateViews '{"origin":"web","views":[7]}'
refused_call "of a view with a wrong type" org.varlink.service.InvalidParameter '"parameter"' \
	CreateViews '{"origin":"web","views":[{"name":"a"},{"name":7}]}'
refused_call "of names that are none" org.varlink.service.InvalidParameter '"parameter":"names"' \
	DeleteViews '{"origin":"web","names":["taken",7]}'
is "of these batches nothing was done" "$(call ListViews | jq -r '[.views[].name] | join(" ")')" taken

# Pipelining: one write, many calls, some of which have to wait for a disk.

cat >/tmp/pipeline.pl <<'END'
use strict;
use warnings;
use Varlink;

my $client = Varlink->new or die;
my $calls = '';
my $context = 'system_u:object_r:container_file_t:s0';
sub add { $calls .= Varlink::message(@_); }

for my $i (1 .. 20) {
	# With a label of its own, that is a mount that has to be made first.
	add('CreateView', "{\"origin\":\"web\",\"name\":\"p$i\",\"label\":\"$context:c$i\"}");
	add('ListViews', '{"origin":"web"}');
	add('DeleteView', "{\"origin\":\"web\",\"name\":\"p$i\"}");
	add('DeleteView', "{\"origin\":\"web\",\"name\":\"p$i\"}");
}
$client->send($calls);
for my $i (1 .. 20) {
	my $answer = $client->receive;
	print "create $i: $answer\n" unless $answer =~ /"name":"p$i"/ && !Varlink::error($answer);
	$answer = $client->receive;
	print "list $i: $answer\n" unless $answer =~ /"name":"p$i"/ && !Varlink::error($answer);
	$answer = $client->receive;
	print "delete $i: $answer\n" unless $answer eq '{"parameters":{}}';
	$answer = $client->receive;
	print "delete $i again: $answer\n" unless Varlink::error($answer) eq 'NoSuchView';
}
# An answer that nobody waits for does not stand in anybody's way.
$client->send(Varlink::message('CreateView', '{"origin":"web","name":"unheard"}'));
close $client->{socket};
print "done\n";
END
is "80 calls in one write are answered in their order" \
	"$(perl -Itests/guest /tmp/pipeline.pl 2>&1)" "done"
as_asked()
{
	local views
	views=$(call ListViews | jq -r '[.views[].name] | join(" ")')
	[ "$views" = taken ] || { [ "$views" = "taken unheard" ] && is_mounted web/unheard; }
}
eventually "a request whose client has gone is carried out, or not at all" as_asked
rootviewctl delete web unheard >/dev/null 2>&1 || true

# Fifty clients at once, each with views and labels of its own.

cat >/tmp/client.pl <<'END'
use strict;
use warnings;
use Varlink;

my ($number) = @ARGV;
my @more = ('', ',"deviceOnly":true', ',"cgroup":"/"',
	    ",\"label\":\"system_u:object_r:container_file_t:s0:c$number\"",
	    ",\"mountPoints\":[{\"path\":\"/of/client/$number\"}]");
my $client = Varlink->new or die "cannot connect\n";

sub call
{
	my $answer = $client->call(@_) // 'no answer';
	print "client $number: @_: $answer\n" if $answer eq 'no answer' || Varlink::error($answer);
	return $answer;
}

for my $round (1 .. 2) {
	for my $i (0 .. $#more) {
		my $name = "client$number-$i";
		my $answer = call('CreateView', "{\"origin\":\"web\",\"name\":\"$name\"$more[$i]}");
		print "another view: $answer\n" unless $answer =~ /"name":"$name"/;
	}
	my $answer = call('ListViews', '{"origin":"web"}');
	for my $i (0 .. $#more) {
		my $name = "client$number-$i";
		print "$name is not listed\n" unless $answer =~ /"name":"$name"/;
		$answer =~ /"name":"$name"[^{}]*?"path":"([^"]*)"/ && !-e "$1/etc/greeting" and
			print "$1 is not mounted\n";
		call('DeleteView', "{\"origin\":\"web\",\"name\":\"$name\"}");
	}
}
print "done\n";
END
running=()
for i in {1..50}; do
	perl -Itests/guest /tmp/client.pl "$i" >"/tmp/client$i" 2>&1 &
	running+=($!)
done
wait "${running[@]}" || true
is "fifty clients get what they ask for" "$(sort /tmp/client[0-9]* | uniq -c | xargs -n 2 | head)" \
	"50 done"
is "nothing of them is left" "$(call ListViews | jq -r '[.views[].name] | join(" ")')" taken
eventually "and none of their mounts" as_before

# More connections than there may be: those that are too many get an error, and
# the others go on.

cat >/tmp/connections.pl <<'END'
use strict;
use warnings;
use Varlink;

my @clients = map { Varlink->new or die "connection $_" } 1 .. 1025;
my @errors = map { Varlink::error($_->call('ListOrigins') // die 'no answer') } @clients;
print "$errors[0],$errors[1023],$errors[1024]";
END
ulimit -n 4096
is "1024 connections are served, and one more is told so" \
	"$(perl -Itests/guest /tmp/connections.pl 2>&1)" ",,TooMany"
eventually "when they have gone, others come" rootviewctl list

ok "the view that was there all the time is deleted" rootviewctl delete web taken
ok "and its origin" rootviewctl origin remove web
nothing_left
done_testing
