#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Users who may not ask the daemon: what they can open, lock, watch, fill and copy is
# nothing that it depends on.
# variants: (debug)
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

# as_nobody COMMAND...
as_nobody()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all -- "$@"
}

# hold FILE: nobody locks it for as long as the test runs, if it can be.
hold()
{
	as_nobody flock --nonblock "$1" sh -c 'echo locked; exec sleep infinity' >/tmp/held 2>/dev/null &
	eventually "nobody has locked $1" grep -q locked /tmp/held
}

make_image web

# A folder that others can open was there before.
mkdir -m 755 /run/rootview
hold /run/rootview
start_daemon
pass "a lock on the runtime folder does not keep the daemon from starting"
status=0
rootviewd >/tmp/second 2>&1 || status=$?
like "which still is the only one" "$status $(cat /tmp/second)" "^1 .*another rootviewd has it"
nok "nobody locks what the daemon locks" as_nobody flock --nonblock /run/rootview/lock true
kill_daemon KILL
start_daemon
pass "one that was killed has a successor"
kill_daemon TERM
rmdir /run/rootview

start_daemon
nok "nobody opens the folder that the daemon makes" as_nobody flock --nonblock /run/rootview true
nok "nor sees what is in it" as_nobody ls /run/rootview
ok "but goes through it to the socket" as_nobody test -S /run/rootview/io.rootview
nok "which refuses" as_nobody rootviewctl list
rootviewctl origin add web "$disk"
rootviewctl create web plain >/dev/null
rootviewctl create web other --mount-point /added >/dev/null
is "all that lies there is root's alone, but for the socket" \
	"$(find /run/rootview -mindepth 1 -maxdepth 1 -perm /077 -printf '%f %M %u\n')" "io.rootview srw-rw---- root"

# A user's own mount name space has a copy of all mounts.
as_nobody unshare --user --map-root-user --mount sh -c \
	'cat /proc/self/mountinfo >/tmp/copied; echo ready; exec sleep infinity' >/tmp/unshared &
eventually "nobody has a copy of the mounts" grep -q ready /tmp/unshared
like "with the origin's" "$(cat /tmp/copied)" /run/rootview/origins/web/plain
# A user whom the socket was given to leaves something for others.
chmod 666 "$socket"
cat >/tmp/connections.pl <<'END'
use strict;
use warnings;
use Varlink;

my @clients = grep { defined } map { Varlink->new } 1 .. 1100;
my @errors = map { Varlink::error($_->call('ListOrigins') // '{"error":"x.Closed"}') } @clients;
$| = 1;
print scalar(grep { $_ eq '' } @errors), " served, ", scalar(grep { $_ eq 'TooMany' } @errors) > 0, " told\n";
sleep;
END
ulimit -n 4096
as_nobody perl -Itests/guest /tmp/connections.pl >/tmp/taken 2>&1 &
hoarder=$!
eventually "a user takes all the connections that they can" grep -q served /tmp/taken
is "which is half of them, and the next ones are told so" "$(cat /tmp/taken)" "512 served, 1 told"
ok "another user is served" rootviewctl list
cat >/tmp/other.pl <<'END'
use Varlink;
print Varlink::error(Varlink->new->call('ListOrigins'));
END
is "and one who is not root, too" "$(setpriv --reuid=1234 --clear-groups perl -Itests/guest /tmp/other.pl)" ""
kill "$hoarder"
wait "$hoarder" || true
chmod 660 "$socket"

# Nor does who may ask write lines of its own into the log.
line='<2>rootviewd: all is lost'
call AddOrigin "{\"name\":\"x\",\"device\":\"/dev/none\\n$line\\u001b[31m\"}" >/dev/null || true
call CreateView "{\"origin\":\"web\",\"name\":\"x\",\"label\":\"a\\n$line\"}" >/dev/null || true
like "what was asked for is in the log" "$(cat "$log")" "/dev/none.$line"
is "but makes no line of it" "$(grep -c "^$line" "$log")" 0
is "and has no control character" "$(tr -d '\n' <"$log" | grep -c '[[:cntrl:]]')" 0

rootviewctl delete web plain
rootviewctl delete web other
ok "which does not keep the origin from being removed" rootviewctl origin remove web

nothing_left

# A folder that is not the daemon's alone.
mkdir -m 777 /tmp/open
status=0
rootviewd --runtime-dir /tmp/open >/tmp/refusal 2>&1 || status=$?
like "a folder that others can fill is refused" "$status $(cat /tmp/refusal)" \
	"^1 .*/tmp/open: cannot use this folder: others than root can write to it"
install -d -o 65534 /tmp/theirs
status=0
rootviewd --runtime-dir /tmp/theirs >/tmp/refusal 2>&1 || status=$?
like "and so is one that is theirs" "$status $(cat /tmp/refusal)" "^1 .*/tmp/theirs: cannot use this folder: it is not root's"
for folder in /run /; do
	status=0
	before=$(cat /proc/self/mountinfo; ls "$folder")
	rootviewd --runtime-dir "$folder" >/tmp/refusal 2>&1 || status=$?
	like "and $folder, which has much else in it" "$status $(cat /tmp/refusal)" \
		"^1 .*$folder: cannot use this folder: it is to be rootviewd's alone, and has \".*\" in it"
	is "which stays as it is" "$(cat /proc/self/mountinfo; ls "$folder")" "$before"
done
is "nothing is left in them" "$(find /tmp/open /tmp/theirs -mindepth 1)" ""
done_testing
