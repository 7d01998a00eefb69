#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The daemon is killed 200 times while clients create and delete views of all
# kinds.  What was acknowledged holds, nothing else is left, and nothing is
# mounted twice.
# guest: --timeout 600
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

kills=200
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

# Writes, at the end, each view that it had: "must ORIGIN NAME WAY" if it was
# acknowledged and not asked to be deleted, "may ..." if the answer was lost.
cat >/tmp/client.pl <<'END'
use strict;
use warnings;
use Varlink;

my ($number) = @ARGV;
my %views;		# name => must or may
my (%origin, %way);
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

sub create
{
	my $name = "c$number-" . ++$count;
	my $kind = $kinds[rand @kinds];
	my ($way, $more) = @$kind;
	my $origin = rand() < 0.5 ? 'web' : 'db';

	$more =~ s/NAME/$name/;
	$more =~ s/CATEGORY/10 + int(rand 5)/e;
	mkdir "/tmp/targets/$name" if $more =~ /targets/;
	($origin{$name}, $way{$name}, $views{$name}) = ($origin, $way, 'may');
	my $answer = call('CreateView', "{\"origin\":\"$origin\",\"name\":\"$name\"$more}")
		// return;
	if (Varlink::error($answer)) {
		wrong("create $name: $answer");
		delete $views{$name};
		return;
	}
	syswrite($acknowledged, '.');
	$views{$name} = 'must';
}

sub remove
{
	my ($name) = @_;
	my $before = $views{$name};

	$views{$name} = 'may';
	my $answer = call('DeleteView', "{\"origin\":\"$origin{$name}\",\"name\":\"$name\"}")
		// return;
	my $error = Varlink::error($answer);
	wrong("delete $name: $answer")
		if $error && !($error eq 'NoSuchView' && $before eq 'may');
	syswrite($acknowledged, '.');
	delete $views{$name};
}

while (!-e '/tmp/enough') {
	my @names = keys %views;
	if (rand(20) < @names) {
		remove($names[rand @names]);
	} else {
		create();
	}
}
print "$views{$_} $origin{$_} $_ $way{$_}\n" for keys %views;
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
for ((i = 0; i < kills || $(stat --format=%s /tmp/acknowledged) < kills; i++)); do
	rootviewd --grace "$((i % 2))" >>"$log" 2>&1 &
	daemon=$!
	sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
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
diag "$(stat --format=%s /tmp/acknowledged) requests were acknowledged"
is "every answer was as it should" "$(cat /tmp/said /tmp/clients-origins |
	grep -vE '^(must|may) ' | head)" ""

# What there is.

call ListViews >/tmp/views
jq -r '.views[] | [.origin, .name, .mount] | join(" ")' /tmp/views | sort >/tmp/have
must()
{
	sed -n "s/^$1 //p" /tmp/said | sort
}
is "nothing is lost" "$(must must | comm -23 - /tmp/have)" ""
is "nothing was made that nobody asked for" "$(must '\(must\|may\)' | comm -13 - /tmp/have)" ""
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
not_trashed()
{
	! mounts | grep -q /trash/
}
same_mounts()
{
	[ "$(mounts | grep -v '^/run/rootview/\(origins\|mounts\)/')" = \
		"$(jq -r '.views[] | select(.mount == "attached") | .path' /tmp/views | sort)" ]
}
eventually "the trash is emptied" not_trashed
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
