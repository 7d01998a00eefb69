#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# One device is one origin: a second one on the same device would have a superblock and a page
# cache of its own.  And devices that come as descriptors; and calls that nobody wants answered.
# variants: (debug)
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh
. tests/hold.sh

make_image web
ln -s "$disk" /dev/another-name
start_daemon

# One device, one origin.

call AddOrigin "{\"name\":\"one\",\"device\":\"$disk\"}" >/dev/null
for path in "$disk" /dev/another-name; do
	refused_call "a second origin on $path is refused, and told of the first" \
		io.rootview.OriginExists '"name":"one".*the device of .*two.* is origin .*one.* already' \
		AddOrigin "{\"name\":\"two\",\"device\":\"$path\"}"
done
is "of which nothing is left" "$(dmsetup ls --target rootview | cut -f1)" one
dmsetup create -r two --table "0 $(blockdev --getsz "$disk") rootview $disk"
is "by hand it can be done" "$(call ListOrigins | jq -r '[.origins[].name] | sort | join(" ")')" "one two"
like "but the log says so" "$(cat "$log")" 'origins one and two are one device'
like "and doctor, too" "$(rootviewctl doctor)" 'origins "one" and "two" are one device, 7:'
kill_daemon KILL
: >"$log"
start_daemon
like "and that of the next daemon" "$(cat "$log")" 'origins one and two are one device'
dmsetup remove two
call RemoveOrigin '{"name":"one"}' >/dev/null

# Two at once.

asked=()
for name in one two; do
	call AddOrigin "{\"name\":\"$name\",\"device\":\"$disk\"}" >"/tmp/$name" 2>&1 &
	asked+=($!)
done
wait "${asked[0]}" || true
wait "${asked[1]}" || true
is "of two at once, there is one" "$(call ListOrigins | jq '.origins | length')" 1
is "and the other is refused" "$(cat /tmp/one /tmp/two | grep -c 'io.rootview.OriginExists')" 1
call RemoveOrigin "{\"name\":\"$(call ListOrigins | jq -r '.origins[0].name')\"}" >/dev/null

# What it is asked for with is there before the device is, and nothing stays of one that was given up.

# add_held LABEL: the device is about to be live when this returns; the request is in the background.
add_held()
{
	hold dm_swap_table rootviewd
	call AddOrigin "{\"name\":\"late\",\"device\":\"$disk\",\"label\":\"$1\"}" >/tmp/late 2>&1 &
	adder=$!
	until is_held; do
		sleep 0.1
	done
}

# It is live, and has a view, before the daemon can know.
view_first()
{
	kill -STOP "$daemon"
	let_go
	until dmsetup status late | grep -q rootview; do
		sleep 0.1
	done
	dmsetup message late 0 view_create first
}

label_of_late()
{
	call ListOrigins | jq -r '.origins[] | select(.name == "late").label'
}

if can_hold; then
	wanted=system_u:object_r:container_file_t:s0:c7
	add_held "$wanted"
	view_first
	kill -CONT "$daemon"
	wait "$adder"
	is "a view that is there before its origin is known has that one's label" \
		"$(stat --format=%C "$(call OpenView '{"origin":"late","name":"first"}' | jq -r .view.path)")" \
		"$wanted"
	rootviewctl delete late first
	rootviewctl origin remove late

	add_held "$wanted"
	view_first
	kill_daemon KILL
	wait "$adder" || true
	start_daemon
	is "as has one that a killed daemon was adding" \
		"$(stat --format=%C "$(call OpenView '{"origin":"late","name":"first"}' | jq -r .view.path)")" \
		"$wanted"
	is "which is listed with it" "$(label_of_late)" "$wanted"
	rootviewctl delete late first
	kill_daemon KILL
	start_daemon
	is "and by the next daemon, too" "$(label_of_late)" "$wanted"
	rootviewctl origin remove late
	is "of the label nothing is left" "$(ls /run/rootview/added)" ""

	kill_daemon TERM
	start_daemon --device-timeout 1
	add_held "$wanted"
	wait "$adder" || true
	like "who waits too long for a device is refused" "$(cat /tmp/late)" 'it has not answered for 1 s'
	let_go
	no_device()
	{
		! dmsetup info late >/dev/null 2>&1
	}
	eventually "and the device goes, though the kernel made it in the end" no_device
	is "with all that was written down" "$(ls /run/rootview/added)" ""
	kill_daemon TERM
	start_daemon
fi

# A rename leaves the label alone, and so do jobs that have to wait for their turn.

wanted=system_u:object_r:container_file_t:s0:c7
rootviewctl origin add before "$disk" --label "$wanted"
path=$(rootviewctl create before a)
dmsetup rename before after
label_of_view()
{
	call OpenView "{\"origin\":\"$1\",\"name\":\"a\"}" | jq -r .view.path | xargs stat --format=%C
}
is "an origin that was renamed has its label" "$(label_of_view after)" "$wanted"
kill_daemon KILL
start_daemon
is "and with the next daemon" "$(label_of_view after)" "$wanted"
refused_call "the name that it was added with is not free" io.rootview.OriginExists \
	'"name":"after".*was added as .*before' AddOrigin '{"name":"before","device":"/dev/loop7"}'
is "and it keeps its label" "$(cat /run/rootview/added/*)" "$wanted"
rootviewctl delete after a
rootviewctl origin remove after
is "which goes with it" "$(ls /run/rootview/added)" ""

sectors=$(blockdev --getsz "$disk")
for i in {1..70}; do
	dmsetup create "part$i" --table "0 $sectors linear $disk 0"
done
{
	for i in {1..70}; do
		rootviewctl origin add "o$i" "/dev/mapper/part$i" --label "system_u:object_r:container_file_t:s0:c$i" &
	done
	wait
} | cat >/dev/null
all_labels()
{
	[ "$(call ListOrigins | jq -r '.origins[] | select(.label == "system_u:object_r:container_file_t:s0:c" +
		.name[1:]) | .name' | wc -l)" = 70 ]
}
ok "seventy origins at once have their labels" all_labels
kill_daemon KILL
umount /run/rootview/origins/*/plain
start_daemon
eventually "and have them when a new daemon mounts them all at once" all_labels
{
	for i in {1..70}; do
		rootviewctl origin remove "o$i" &
	done
	wait
} | cat
for i in {1..70}; do
	dmsetup remove "part$i"
done

# By descriptor.

cat >/tmp/descriptor.pl <<'END'
use strict;
use warnings;
use Varlink;

# with_descriptor PATH PARAMETERS: an AddOrigin with a descriptor of that file; perl has no
# sendmsg() but the system call.
my ($path, $parameters) = @ARGV;
my $sendmsg = 46;		# on x86-64
my $client = Varlink->new or die;
open(my $file, '<', $path) or die;
my $message = Varlink::message('AddOrigin', $parameters);
my $data = pack('P Q', $message, length $message);
my $control = pack('Q l l l x4', 20, 1, 1, fileno $file);
my $header = pack('Q L x4 P Q P Q l x4', 0, 0, $data, 1, $control, length $control, 0);
syscall($sendmsg, fileno $client->{socket}, $header, 0) == length $message or die "sendmsg: $!";
print $client->receive // 'none';
END
with_descriptor()
{
	perl -Itests/guest /tmp/descriptor.pl "$@"
}
is "a device comes as a descriptor" \
	"$(with_descriptor "$disk" '{"name":"web","deviceDescriptor":0}' |
		jq -r '.parameters.origin | .backing + " " + .fileSystem')" \
	"$(stat --format='%Hr:%Lr' "$disk") ext4"
refused_call "not twice" io.rootview.OriginExists '"name":"web"' \
	AddOrigin "{\"name\":\"two\",\"device\":\"$disk\"}"
like "a file is no device" "$(with_descriptor /etc/passwd '{"name":"bad","deviceDescriptor":0}')" \
	'"error":"io.rootview.NoSuchDevice"'
refused_call "nor is nothing" io.rootview.InvalidRequest 'by its path or by a descriptor' \
	AddOrigin '{"name":"bad"}'
refused_call "nor what did not come" io.rootview.InvalidRequest 'deviceDescriptor' \
	AddOrigin '{"name":"bad","deviceDescriptor":3}'

# Calls that nobody wants answered.

cat >/tmp/oneway.pl <<'END'
use strict;
use warnings;
use Varlink;

my $client = Varlink->new or die;
sub oneway
{
	my ($method, $parameters) = @_;
	return "{\"method\":\"io.rootview.$method\",\"parameters\":$parameters,\"oneway\":true}\0";
}
my $view = '"origin":"web","name":"v';
# What has to wait for a disk, what fails, and what is done at once, with others between them.
$client->send(oneway('CreateView', "{${view}1\",\"mountPoints\":[{\"path\":\"/none\"}]}") .
	Varlink::message('ListOrigins', '{}') .
	oneway('CreateView', "{${view}1\"}") . oneway('OpenView', "{${view}1\"}") .
	oneway('CreateView', "{${view}/\"}") . oneway('Nonsense', '{}') .
	oneway('CreateView', '{"origin":7}') . oneway('ListViews', '{}') .
	Varlink::message('CreateView', "{${view}2\"}") .
	oneway('DeleteViews', '{"origin":"web","names":["v2","none"]}') .
	Varlink::message('CreateView', "{${view}3\"}"));
for my $want ('"origins":', '"name":"v2"', '"name":"v3"') {
	my $answer = $client->receive // 'none';
	print $answer =~ /$want/ ? "as asked\n" : "$answer\n";
}
END
is "who asks without a wish for an answer gets none, and others get theirs" \
	"$(perl -Itests/guest /tmp/oneway.pl | uniq -c | xargs)" "3 as asked"
as_asked()
{
	[ "$(call ListViews | jq -r '[.views[] | select(.path).name] | sort | join(" ")')" = "v1 v3" ]
}
eventually "and all is carried out" as_asked
for view in v1 v3; do
	rootviewctl delete web "$view"
done

# Refusals of parts have what errors have.

is "each refusal of a batch has its parameters" "$(call CreateViews '{"origin":"web","views":[
	{"name":"a/b"},{"name":"l","label":"nonsense"},{"name":"c","cgroup":"/none"}]}' |
	jq -c '[.results[].refusal.parameters]')" \
	'[{"name":"a/b"},{"label":"nonsense"},{"cgroup":"/none"}]'
is "also by id" "$(call DeleteViews '{"origin":"web","ids":[4711]}' |
	jq -c '.results[0].refusal.parameters')" '{"origin":"web","id":4711}'

call RemoveOrigin '{"name":"web"}' >/dev/null
nothing_left
done_testing
