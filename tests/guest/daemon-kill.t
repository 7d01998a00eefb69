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
# acknowledged and not asked to be deleted, and "may ORIGIN NAME WAY PATH" for each
# way that it may be given out: if an answer was lost, there are two and more.
cat >/tmp/client.pl <<'END'
use strict;
use warnings;
use Varlink;

my ($number) = @ARGV;
my %views;		# name => must or may
my (%origin, %ways);
my ($client, $count) = (undef, 0);
my $context = 'system_u:object_r:container_file_t:s0';
my @kinds = (
	[ attached => '' ],
	[ attached => ',"mount":"attached","path":"/tmp/targets/NAME"' ],
	[ attached => ',"label":"' . $context . ':c1,cCATEGORY"' ],
	[ attached => ',"mountPoints":[{"path":"/none/here"},{"path":"/etc/conf","kind":"file"}]' ],
	[ attached => ',"lists":["docker"],"label":"' . $context . ':c2"' ],
	[ attached => ',"idMap":{"uid":[{"inside":0,"outside":100000,"count":65536}],' .
		      '"gid":[{"inside":0,"outside":100000,"count":65536}]}' ],
	# Too many for the kernel's record: they are kept in a folder.
	[ attached => ',"mountPoints":[' .
		      join(',', map { "{\"path\":\"/many/mount/points/$_\"}" } 1 .. 100) . ']' ],
	[ shared => ',"mount":"shared"' ],
	[ shared => ',"mount":"shared","label":"' . $context . ':c3,cCATEGORY"' ],
	[ detached => ',"mount":"detached"' ],
	[ unmounted => ',"mount":"unmounted"' ],
);

my @changes = (@kinds[0, 1], grep { $_->[1] =~ /^,"mount":"[^"]*"$/ } @kinds);

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

# What is asked for, and how ListViews puts it.
sub ask
{
	my ($name, $way, $more) = @_;
	my $path = $way eq 'attached' ? "/run/rootview/views/$origin{$name}/$name" : '-';

	$more =~ s/CATEGORY/10 + int(rand 5)/e;
	if ($more =~ s/NAME/$name/) {
		$path = "/tmp/targets/$name";
		mkdir $path;
	}
	return ("{\"origin\":\"$origin{$name}\",\"name\":\"$name\"$more}", "$way $path");
}

# After an answer was lost: the view is as it was, or as was asked for.
sub look
{
	my ($name) = @_;
	my $answer = call('ListViews', "{\"origin\":\"$origin{$name}\"}") // return;

	if ($answer !~ /"name":"$name",[^\[{]*?"mount":"(\w+)"(?:,"path":"([^"]*)")?/) {
		wrong("$name is lost") if $views{$name} eq 'must';
		return;
	}
	# One that is not mounted yet has no path.
	my $way = "$1 " . ($1 eq 'attached' ? $2 // '' : '-');
	wrong("$name is $way, and not ", join(' or ', keys %{$ways{$name}}))
		unless grep { index($_, $way) == 0 } keys %{$ways{$name}};
}

sub create
{
	my $name = "c$number-" . ++$count;

	$origin{$name} = rand() < 0.5 ? 'web' : 'db';
	my ($request, $way) = ask($name, @{$kinds[rand @kinds]});
	($views{$name}, $ways{$name}) = ('may', { $way => 1 });
	my $answer = call('CreateView', $request) // return look($name);
	if (Varlink::error($answer)) {
		wrong("create $name: $answer");
		delete $views{$name};
		return;
	}
	syswrite($acknowledged, '.');
	$views{$name} = 'must';
}

sub change
{
	my ($name) = @_;
	my ($request, $way) = ask($name, @{$changes[rand @changes]});

	$request =~ s/}$/,"mount":"attached"}/ unless $request =~ /"mount"/;
	$ways{$name}{$way} = 1;
	my $answer = call('MountView', $request) // return look($name);
	my $error = Varlink::error($answer);
	if ($error) {
		wrong("change $name: $answer") unless $error eq 'NoSuchView' && $views{$name} eq 'may';
		delete $views{$name};
		return;
	}
	syswrite($acknowledged, '.');
	($views{$name}, $ways{$name}) = ('must', { $way => 1 });
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
		change($names[rand @names]);
	} elsif (rand(20) < @names) {
		remove($names[rand @names]);
	} else {
		create();
	}
}
for my $name (keys %views) {
	print "must $origin{$name} $name\n" if $views{$name} eq 'must';
	print "may $origin{$name} $name $_\n" for keys %{$ways{$name}};
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

mkdir /tmp/targets
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
	jq -e 'all(.views[]; .mount != "attached" or .path)' /tmp/views
}
eventually "each attached view has a path" list_views
jq -r '.views[] | [.origin, .name, .mount, if .mount == "attached" then .path else "-" end] |
	join(" ")' /tmp/views | sort >/tmp/have
said()
{
	sed -n "s/^$1 //p" /tmp/said | sort
}
is "nothing is lost" "$(said must | comm -23 - <(cut -d ' ' -f 1,2 /tmp/have | sort))" ""
is "nothing was made that nobody asked for" "$(said may | comm -13 - /tmp/have)" ""
diag "$(wc -l </tmp/have) views, $(said may | cut -d ' ' -f 2 | uniq -d | wc -l) of unknown way"
ok "there are views at all" test -s /tmp/have
for origin in web db; do
	is "the kernel has the same views of $origin" \
		"$(dmsetup message "$origin" 0 view_list | cut -d' ' -f2 | sort)" \
		"$(awk -v origin="$origin" '$1 == origin { print $2 }' /tmp/have | sort)"
done

# Mounts: all below the runtime folder and the targets.
mounts()
{
	awk '$5 ~ "^/(run/rootview|tmp/targets)/" { print $5 }' /proc/self/mountinfo | sort
}
same_mounts()
{
	[ "$(mounts | grep -v '^/run/rootview/\(origins\|mounts\)/')" = \
		"$(jq -r '.views[] | select(.mount == "attached") | .path' /tmp/views | sort)" ]
}
eventually "the trash is emptied" trash_is_empty
eventually "each attached view is mounted, and nothing else" same_mounts
is "nothing is mounted twice" "$(mounts | uniq -d)" ""
is "every path can be used" "$(jq -r '.views[].path // empty' /tmp/views |
	while read -r path; do cat "$path/etc/greeting"; done | sort -u)" hello
is "there is one folder for each view at a default path" \
	"$(cd /run/rootview/views && find . -mindepth 2 -maxdepth 2 | sort)" \
	"$(jq -r '.views[].path // empty' /tmp/views |
		sed -n 's,^/run/rootview/views,.,p' | sort)"
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
is "nothing is mounted on the targets" "$(mounts | grep targets)" ""
nothing_left
is "no process of the daemon's is left" "$(pgrep rootviewd)" ""
done_testing
