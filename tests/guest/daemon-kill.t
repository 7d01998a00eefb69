#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The daemon is killed 200 times while clients create, change and delete views of
# all kinds.  What was acknowledged holds, nothing else is left, and nothing is
# mounted twice.
# guest: --timeout 600
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

[[ $(uname -r) == *-debug ]] && kills=8 || kills=200
clients=4

make_image web
web=$disk
make_image db
start_daemon
call AddOrigin "{\"name\":\"web\",\"device\":\"$web\"}" >/dev/null
call AddOrigin "{\"name\":\"db\",\"device\":\"$disk\"}" >/dev/null
kill_daemon TERM
make_image spare
spare=$disk

# Writes, at the end, for each view that it had "must ORIGIN NAME" if it was
# acknowledged and not asked to be deleted, and "may ORIGIN NAME" for each that may be there.
cat >/tmp/client.pl <<'END'
use strict;
use warnings;
use Varlink;

my ($number) = @ARGV;
my %views;		# name => must or may
my %origin;
my ($client, $count) = (undef, 0);
my $context = 'system_u:object_r:container_file_t:s0';
my @kinds = (
	'',
	',"label":"' . $context . ':c1,cCATEGORY"',
	',"mountPoints":[{"path":"/none/here"},{"path":"/etc/conf","kind":"file"}]',
	',"lists":["docker"],"label":"' . $context . ':c2"',
	',"idMap":{"uid":[{"inside":0,"outside":100000,"count":65536}],' .
		'"gid":[{"inside":0,"outside":100000,"count":65536}]}',
	',"idMap":{"uid":[{"inside":0,"outside":200000,"count":65536}],' .
		'"gid":[{"inside":0,"outside":200000,"count":65536}]},' .
		'"label":"' . $context . ':c3,cCATEGORY","mountPoints":[{"path":"/none"}]',
	# Too many for the kernel's record: they are kept in a folder.
	',"mountPoints":[' .
		join(',', map { "{\"path\":\"/many/mount/points/$_\"}" } 1 .. 100) . ']',
	',"deviceOnly":true',
);

srand($number);
open(my $acknowledged, '>>', '/tmp/acknowledged') or die;
sub wrong { print "wrong @_\n"; }

# The answer, or undef if the daemon went without one.
sub call
{
	my $answer;

	while (!$client) {
		return undef if -e '/tmp/enough';
		$client = Varlink->new or select(undef, undef, undef, 0.005);
	}
	$answer = $client->call(@_);
	$client = undef unless defined $answer;
	return $answer;
}

# After an answer was lost: the view is there, or may not be.
sub look
{
	my ($name) = @_;
	my $answer = call('ListViews', "{\"origin\":\"$origin{$name}\"}") // return;

	wrong("$name is lost") if $views{$name} eq 'must' && $answer !~ /"name":"$name"/;
}

sub create
{
	my $name = "c$number-" . ++$count;

	$origin{$name} = rand() < 0.5 ? 'web' : 'db';
	my $more = $kinds[rand @kinds];
	$more =~ s/CATEGORY/10 + int(rand 5)/e;
	my $request = "{\"origin\":\"$origin{$name}\",\"name\":\"$name\"$more}";
	$views{$name} = 'may';
	my $answer = call('CreateView', $request) // return look($name);
	if (Varlink::error($answer)) {
		wrong("create $name: $answer");
		delete $views{$name};
		return;
	}
	syswrite($acknowledged, '.');
	$views{$name} = 'must';
}

# Opening takes and gives nothing, but has to have a mount.
sub open_view
{
	my ($name) = @_;
	my $answer = call('OpenView', "{\"origin\":\"$origin{$name}\",\"name\":\"$name\"}")
		// return look($name);
	my $error = Varlink::error($answer);
	return if $error eq 'InvalidRequest' && $answer =~ /device alone/;
	return delete $views{$name} if $error eq 'NoSuchView' && $views{$name} eq 'may';
	return wrong("open $name: $answer") if $error || $answer !~ /"descriptor":0/;
	syswrite($acknowledged, '.');
	$views{$name} = 'must';
}

sub remove
{
	my ($name) = @_;
	my $before = $views{$name};

	$views{$name} = 'may';
	my $answer = call('DeleteView', "{\"origin\":\"$origin{$name}\",\"name\":\"$name\"}")
		// return look($name);
	my $error = Varlink::error($answer);
	wrong("delete $name: $answer")
		if $error && !($error eq 'NoSuchView' && $before eq 'may');
	syswrite($acknowledged, '.');
	delete $views{$name};
}

while (!-e '/tmp/enough') {
	my @names = keys %views;
	if (@names && rand() < 0.3) {
		open_view($names[rand @names]);
	} elsif (rand(20) < @names) {
		remove($names[rand @names]);
	} else {
		create();
	}
}
for my $name (keys %views) {
	print "must $origin{$name} $name\n" if $views{$name} eq 'must';
	print "may $origin{$name} $name\n";
}
END

# One more adds and removes an origin.
cat >/tmp/origins.pl <<'END'
use strict;
use warnings;
use Varlink;

my ($device) = @ARGV;
my ($client, $sure, $there) = (undef, 1, 0);

while (!-e '/tmp/enough') {
	my $add = rand() < 0.5;
	$client //= Varlink->new // (select(undef, undef, undef, 0.005), next);
	my $answer = $add ?
		$client->call('AddOrigin', "{\"name\":\"spare\",\"device\":\"$device\"}") :
		$client->call('RemoveOrigin', '{"name":"spare"}');
	if (!defined $answer) {
		($client, $sure) = (undef, 0);
		next;
	}
	my $error = Varlink::error($answer);
	my $expected = !$add ? 'NoSuchOrigin' : 'OriginExists';
	print "wrong origin, add $add, sure $sure, there $there: $answer\n"
		if $error && $error ne $expected || $sure && ($add == $there) != !!$error;
	# When it is unknown what became of a request, the next one tells.
	($sure, $there) = (1, $add) if !$error || $error eq $expected;
}
END

touch /tmp/acknowledged
running=()
for i in $(seq "$clients"); do
	perl -Itests/guest /tmp/client.pl "$i" >"/tmp/client$i" 2>&1 &
	running+=($!)
done
perl -Itests/guest /tmp/origins.pl "$spare" >/tmp/clients-origins 2>&1 &
running+=($!)

# Of those that were killed before they answered anything, there are some, too; on
# a busy machine it is most of them, so it goes on until there was enough to lose.
begun=$SECONDS ended=0
acknowledged()
{
	stat --format=%s /tmp/acknowledged
}
for ((i = 0; i < kills || (i < 5 * kills && $(acknowledged) < kills); i++)); do
	rootviewd --grace "$((i % 2))" >>"$log" 2>&1 &
	daemon=$!
	pause=$((RANDOM % 400 * 200 / kills))
	sleep "$((pause / 1000)).$(printf %03d $((pause % 1000)))"
	status=0
	kill -s KILL "$daemon" 2>/dev/null || true
	wait "$daemon" 2>/dev/null || status=$?
	if [ "$status" != 137 ]; then
		ended=$((ended + 1))
		diag "kill $i: status $status: $(tail -n 1 "$log")"
	fi
done
is "no daemon ended by itself" "$ended" 0
diag "$i kills took $((SECONDS - begun)) s"

# The last one goes on; the clients end after their next answer.
start_daemon
touch /tmp/enough
wait "${running[@]}"
cat /tmp/client[0-9]* >/tmp/said
diag "$(acknowledged) requests were acknowledged"
ok "the clients got something done" test "$(acknowledged)" -ge "$kills"
is "every answer was as it should" "$(cat /tmp/said /tmp/clients-origins |
	grep -vE '^(must|may) ' | head)" ""

# What there is.

# Those that wait for their variants have no paths yet.
list_views()
{
	call ListViews >/tmp/views
	jq -e 'all(.views[]; .deviceOnly or .path)' /tmp/views
}
eventually "each view that is to be mounted has a path" list_views
jq -r '.views[] | "\(.origin) \(.name)"' /tmp/views | sort >/tmp/have
said()
{
	sed -n "s/^$1 //p" /tmp/said | sort
}
is "nothing is lost" "$(said must | comm -23 - <(cut -d ' ' -f 1,2 /tmp/have | sort))" ""
is "nothing was made that nobody asked for" "$(said may | comm -13 - /tmp/have)" ""
diag "$(wc -l </tmp/have) views"
ok "there are views at all" test -s /tmp/have
for origin in web db; do
	is "the kernel has the same views of $origin" \
		"$(dmsetup message "$origin" 0 view_list | cut -d' ' -f2 | sort)" \
		"$(awk -v origin="$origin" '$1 == origin { print $2 }' /tmp/have | sort)"
done

# Mounts: all below the runtime folder.
mounts()
{
	awk '$5 ~ "^/run/rootview/" { print $5 }' /proc/self/mountinfo | sort
}
# Nothing but the mounts of variants; those of the origins that no view has may be there.
same_mounts()
{
	[ "$(mounts | grep -v '/plain$')" = \
		"$(jq -r '.views[].path // empty' /tmp/views | grep -v '/plain$' | sort -u)" ]
}
eventually "the trash is emptied" trash_is_empty
eventually "the variant of each view is mounted, and nothing else" same_mounts
is "nothing is mounted twice" "$(mounts | uniq -d)" ""
is "every path can be used" "$(jq -r '.views[].path // empty' /tmp/views |
	while read -r path; do cat "$path/etc/greeting"; done | sort -u)" hello
diag "variants: $(mounts | grep -c '/variants/[0-9]*/mount$')"
for origin in web db; do
	variants=/run/rootview/origins/$origin/variants
	is "a folder of a variant of $origin is mounted, or has a view's mount points" \
		"$(find "$variants" -mindepth 1 -maxdepth 1 | while read -r folder; do
			mountpoint --quiet "$folder/mount" || [ -e "$folder/wanted" ] || echo "$folder"
		done)" ""
	is "there are as many lists of mount points as views of $origin with a long one" \
		"$(find "$variants" -name wanted | wc -l)" \
		"$(jq "[.views[] | select(.origin == \"$origin\" and (.mountPoints // [] | length) == 100)] |
			length" /tmp/views)"
done

# All of it goes.

while read -r origin name _; do
	echo "DeleteView {\"origin\":\"$origin\",\"name\":\"$name\"}"
done </tmp/have >/tmp/deletes
is "all views are deleted" \
	"$(perl -Itests/guest -MVarlink -e Varlink::filter </tmp/deletes | sort -u)" '{"parameters":{}}'
rootviewctl origin remove spare >/dev/null 2>&1 || true
is "no device is left half made" "$(dmsetup info --columns --noheadings -o name,attr --sort name |
	paste -sd ' ')" "db:L--r web:L--r"
ok "an origin is removed" rootviewctl origin remove web
ok "the other, too" rootviewctl origin remove db
nothing_left
is "no process of the daemon's is left" "$(pgrep rootviewd)" ""
done_testing
