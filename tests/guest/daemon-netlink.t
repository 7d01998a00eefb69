#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The daemon and the module's netlink family: what an event withholds is asked for, little
# room for answers loses none of them, and a view that the module refuses is refused well.
#
# kernels: 5.10 6.12
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

context=system_u:object_r:container_file_t:s0

make_image web
start_daemon
call AddOrigin "{\"name\":\"web\",\"device\":\"$disk\"}" >/dev/null

# path_of VIEW: where it is mounted.
path_of()
{
	call ListViews '{"origin":"web"}' | jq -r ".views[] | select(.name == \"$1\") | .path // empty"
}

has_path()
{
	[ -n "$(path_of "$1")" ]
}

listed()
{
	call ListViews '{"origin":"web"}' | jq -r '[.views[].name] | sort | join(" ")'
}

# paused COMMAND: the daemon hears of it all at once, when it is over.
paused()
{
	kill -s STOP "$daemon"
	bash -ec "$1"
	kill -s CONT "$daemon"
}

# Events.  Where the kernel cannot guard them, they have neither labels nor blobs.

rvnl monitor 1 >/tmp/event &
eventually "somebody listens" grep -q listening /tmp/event
dmsetup message web 0 view_create hand "$context:c1,c2"
wait $!
event=$(sed 1d /tmp/event)
if [[ $event == *withheld* ]]; then
	nok "this kernel's events do not tell labels" grep -q c1,c2 /tmp/event
else
	like "this kernel's events tell all" "$event" "label=$context:c1,c2"
fi
eventually "a view with a label, made by hand, is mounted" has_path hand
is "with its label" "$(stat --format=%C "$(path_of hand)/big")" "$context:c1,c2"
call CreateView "{\"origin\":\"web\",\"name\":\"both\",\"label\":\"$context:c3\",
	\"mountPoints\":[{\"path\":\"/new/place\"}]}" >/tmp/both
both=$(jq -r .view.path /tmp/both)
ok "one that asked for a mount point has it" test -d "$both/new/place"
is "and its label" "$(stat --format=%C "$both/big")" "$context:c3"
paused "
	rvnl -l $context:c4 -b '{\"mountPoints\":[{\"path\":\"/late\"}]}' create web late
	rvnl -l $context:c5 -b '{\"mountPoints\":[{\"path\":\"/gone\"}]}' create web gone
	rvnl delete web gone
	rvnl -l $context:c6 create web last" >/dev/null
eventually "one that another program made is mounted" has_path last
ok "with what its blob says" test -d "$(path_of late)/late"
is "and its label" "$(stat --format=%C "$(path_of late)/big")" "$context:c4"
is "one that had gone before its event was read is not there" "$(listed)" "both hand last late"
paused "rvnl -l $context:c7 create web named; dmsetup rename web new" >/dev/null
is "one is found when its origin was renamed meanwhile" \
	"$(call ListViews | jq -r '.views[] | select(.name == "named") | .label')" "$context:c7"
nok "no event counts as lost for that" grep -q "were lost" "$log"
dmsetup rename new web
for view in both hand last late named; do
	ok "view $view is deleted" rootviewctl delete web "$view"
done

# Room for answers.

# set_room BYTES: for those to the daemon's requests.
set_room()
{
	perl -MSocket -e '
		my ($pid, $bytes) = @ARGV;
		my ($getfd, $n) = (438, 0);
		my $pidfd = syscall(434, $pid + 0, 0);
		for my $number (3 .. 63) {
			my $fd = syscall($getfd, $pidfd, $number, 0);
			next if $fd < 0;
			open(my $socket, "+<&=", $fd) or die;
			# AF_NETLINK, of generic netlink, which listens to no group.
			my ($family, $pad, $port, $groups) =
				unpack "S S L L", getsockname($socket) // next;
			next if $family != 16 || $groups;
			next if unpack("i", getsockopt($socket, SOL_SOCKET, 38)) != 16;
			setsockopt($socket, SOL_SOCKET, 33, pack "i", $bytes) or die "$!";
			$n++;
		}
		print $n' "$daemon" "$1"
}

# many FORMAT: a list of 300.
many()
{
	seq 300 | sed "s|.*|$1|" | paste -sd ,
}

is "the daemon is left with room for one answer" "$(set_room 1)" 1
for round in 1 2; do
	is "300 views are created, but for one whose name is taken ($round)" "$(
		call CreateView '{"origin":"web","name":"v200"}' >/dev/null
		call CreateViews "{\"origin\":\"web\",\"views\":[$(many '{"name":"v&"}')]}" |
			jq -c '[.results[] | .refusal.error // "made"] | group_by(.) | map([.[0], length])')" \
		'[["io.rootview.ViewExists",1],["made",299]]'
	is "and are there ($round)" "$(call ListViews | jq '[.views[] | select(.path)] | length') $(
		rvnl views web | wc -l)" "300 300"
	is "and are deleted, but for one that is not there ($round)" "$(
		call DeleteView '{"origin":"web","name":"v100"}' >/dev/null
		call DeleteViews "{\"origin\":\"web\",\"names\":[$(many '"v&"')]}" |
			jq -c '[.results[] | .refusal.error // "gone"] | group_by(.) | map([.[0], length])')" \
		'[["gone",299],["io.rootview.NoSuchView",1]]'
	is "and are not there ($round)" "$(listed)$(rvnl views web)" ""
	# As much as it had.
	[ "$round" = 2 ] || set_room $((256 * 1024)) >/dev/null
done

# More views than the module takes.

limit=/sys/module/dm_rootview/parameters/max_views
sentence='the kernel refuses view \"d\" of origin \"web\": origin has as many views as'
default=$(cat $limit)
echo 3 >$limit
is "of four views, three are created" "$(
	call CreateViews '{"origin":"web","views":[{"name":"a"},{"name":"b"},{"name":"a"},{"name":"c"},
		{"name":"d","mountPoints":[{"path":"/data"}]},{"name":"b"}]}' |
		jq -r '.results[] | [.name, .refusal.error // "made"] | join(" ")' | paste -sd ,)" \
	"a made,b made,a io.rootview.ViewExists,c made,d io.rootview.TooMany,b io.rootview.ViewExists"
refused_call "one more is refused" io.rootview.TooMany \
	"\"what\":\"views\",\"limit\":3,\"message\":\"${sentence//\\/\\\\\\}" \
	CreateView '{"origin":"web","name":"d","mountPoints":[{"path":"/data"}]}'
is "the others are there" "$(listed)" "a b c"
ok "they can be used" cat "$(path_of a)/etc/greeting"
ok "when one has gone" rootviewctl delete web b
ok "there is room for another" rootviewctl create web d
is "which is there" "$(listed)" "a c d"
echo "$default" >$limit
ok "all can be deleted" rootviewctl delete web a c d

ok "and the origin" rootviewctl origin remove web
nothing_left
done_testing
