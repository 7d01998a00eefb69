#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# No descriptor is to be had, or no room in the runtime folder: clients wait or are told
# so, nothing that is mounted goes, and afterwards all goes on by itself.
# variants: (debug)
# guest: --timeout 300
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

# may_open N: descriptors with numbers below that; what is open stays open.
may_open()
{
	prlimit --pid "$daemon" --nofile="$1:"
}

# A client that is connected before, and asks when it is told to.
cat >/tmp/client.pl <<'END'
use strict;
use warnings;
use Varlink;

my $client = Varlink->new or die;
$| = 1;
while (<STDIN>) {
	my ($method, $parameters) = split ' ', $_, 2;
	print $client->call($method, $parameters) // 'no answer', "\n";
}
END

# ask METHOD PARAMETERS
ask()
{
	local answer
	echo "$@" >&"${client[1]}"
	read -r answer <&"${client[0]}"
	echo "$answer"
}

# zombies: of the daemon.
zombies()
{
	pgrep --count --parent "$daemon" --runstates Z || true
}

# ticks: processor time that the daemon has used.
ticks()
{
	awk '{ print $14 + $15 }' "/proc/$daemon/stat"
}

mount -t tmpfs -o mode=755,nr_inodes=1000 rootview /run/rootview --mkdir
mount --make-private /run/rootview
make_image web
start_daemon
call AddOrigin "{\"name\":\"web\",\"device\":\"$disk\"}" >/dev/null
create_with plain '"lists":[]'
coproc client { perl -Itests/guest /tmp/client.pl; }
ask ListViews >/dev/null
before=$(mounted)

# Descriptors.

may_open 3
like "without descriptors a view is refused, with the reason" \
	"$(ask CreateView '{"origin":"web","name":"late","mountPoints":[{"path":"/none"}]}')" \
	'OperationFailed.*Too many open files'
like "so is a mount" "$(ask OpenView '{"origin":"web","name":"plain"}')" \
	'OperationFailed.*Too many open files'
like "and the removal of what is in use" "$(ask RemoveOrigin '{"name":"web"}')" OriginBusy
nok "of which nothing is left" grep -q late <<<"$(dmsetup message web 0 view_list)"
is "nor a process" "$(zombies)" 0
dmsetup message web 0 view_create hand
is "all that was mounted stays" "$(mounted)" "$before"
rootviewctl list >/tmp/late 2>&1 &
late=$!
before=$(ticks)
sleep 2
ok "who connects waits" kill -0 "$late"
is "and the daemon does not ask again and again" "$((($(ticks) - before) > 100))" 0
may_open 1024
status=0
wait "$late" || status=$?
like "until there are descriptors" "$status $(cat /tmp/late)" "^0 .*plain"
eventually "a view that was made meanwhile is mounted" is_mounted web/hand
like "clients that were there go on" "$(ask ListViews '{"origin":"web"}')" '"hand"'

# Room in the runtime folder.

fill()
{
	local i=0
	while : 2>/dev/null >"/run/rootview/fill$i"; do
		i=$((i + 1))
	done
}

before=$(mounted)
folders=$(cd /run/rootview && find . | sort)
fill
like "where no folder can be made, none is made" \
	"$(ask CreateView '{"origin":"web","name":"late","mountPoints":[{"path":"/none"}]}')" \
	'OperationFailed.*No space left'
like "what needs none goes on" "$(ask CreateView '{"origin":"web","name":"more"}')" '"more"'
is "what was mounted is as before" "$(mounted)" "$before"
rm /run/rootview/fill*
is "and nothing is left" "$(cd /run/rootview && find . | sort)" "$folders"
like "when there is room again, the views are made" "$(ask CreateView \
	'{"origin":"web","name":"late","mountPoints":[{"path":"/none"}]}')" '"late"'
is "no process has been left" "$(zombies)" 0

for view in hand plain more late; do
	rootviewctl delete web "$view"
done
ok "the origin is removed" rootviewctl origin remove web
eventually "with nothing left, nothing is mounted" nothing_is_mounted
kill_daemon TERM
is "SIGTERM ends the daemon with status 0" "$status" 0
done_testing
