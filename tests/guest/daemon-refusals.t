#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the daemon refuses: each request gets an error of its own, which names
# the thing and has a sentence, and leaves everything as it was.
# variants: (debug)
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

make_image web
web=$disk
make_disk blank 8
blank=$disk
start_daemon
call AddOrigin "{\"name\":\"web\",\"device\":\"$web\"}" >/dev/null
call CreateView '{"origin":"web","name":"taken"}' >/dev/null

long=$(printf 'v%.0s' {1..128})
longest=${long:1}
context=system_u:object_r:container_file_t:s0

# Everything that a refused request might leave something in.
state()
{
	mounted
	find /run/rootview -xdev | sort
	dmsetup table
	dmsetup message web 0 view_list
}
before=$(state)

# Views.

create()
{
	refused_call "CreateView: $1" "io.rootview.$2" "$3" CreateView "$4"
}
create "a name that is taken" ViewExists \
	'"origin":"web","name":"taken","message":"origin \\"web\\" has a view \\"taken\\" already"' \
	'{"origin":"web","name":"taken"}'
create "an empty name" InvalidName '"name":"".*is empty' '{"origin":"web","name":""}'
create "a name that is too long" InvalidName "\"name\":\"$long\".*longer than 127 bytes" \
	"{\"origin\":\"web\",\"name\":\"$long\"}"
create "a name with a slash" InvalidName '"name":"a/b".*holds a .*/' \
	'{"origin":"web","name":"a/b"}'
create "the folder above" InvalidName '"name":"\.\.".*is ' '{"origin":"web","name":".."}'
create "the folder itself" InvalidName '"name":"\.".*is ' '{"origin":"web","name":"."}'
create "a name with a blank" InvalidName 'not visible ASCII' '{"origin":"web","name":"a b"}'
create "a name with a line feed" InvalidName 'not visible ASCII' \
	'{"origin":"web","name":"a\nb"}'
create "a name beyond ASCII" InvalidName 'not visible ASCII' '{"origin":"web","name":"ä"}'
create "an origin that does not exist" NoSuchOrigin '"name":"db","message":"there is no origin' \
	'{"origin":"db","name":"a"}'
create "an origin without a name" NoSuchOrigin '"name":""' '{"origin":"","name":"a"}'
create "an origin that climbs out" NoSuchOrigin 'no origin' \
	'{"origin":"../web","name":"a"}'
create "a label that is no context" InvalidLabel '"label":"nonsense".*not valid' \
	'{"origin":"web","name":"a","label":"nonsense"}'
create "an empty label" InvalidLabel '"label":"".*is empty' \
	'{"origin":"web","name":"a","label":""}'
create "a label of an unknown type" InvalidLabel 'not valid in the loaded SELinux policy' \
	'{"origin":"web","name":"a","label":"system_u:object_r:no_such_type_t:s0"}'
create "a label with a blank" InvalidLabel 'not visible ASCII' \
	"{\"origin\":\"web\",\"name\":\"a\",\"label\":\"$context:c1, c2\"}"
create "a label that is too long" InvalidLabel 'longer than 4095 bytes' \
	"{\"origin\":\"web\",\"name\":\"a\",\"label\":\"$(printf 'l%.0s' {1..4096})\"}"

delete()
{
	refused_call "DeleteView: $1" "io.rootview.$2" "$3" DeleteView "$4"
}
delete "a view that does not exist" NoSuchView \
	'"origin":"web","name":"absent","message":"origin \\"web\\" has no view \\"absent\\""' \
	'{"origin":"web","name":"absent"}'
delete "an origin that does not exist" NoSuchOrigin '"name":"db"' '{"origin":"db","name":"a"}'
delete "an empty name" InvalidName 'is empty' '{"origin":"web","name":""}'
delete "a name with a slash" InvalidName 'holds a' '{"origin":"web","name":"../web/taken"}'
refused_call "ListViews: an origin that does not exist" io.rootview.NoSuchOrigin '"name":"db"' \
	ListViews '{"origin":"db"}'

# Origins.

add()
{
	refused_call "AddOrigin: $1" "io.rootview.$2" "$3" AddOrigin "$4"
}
add "a name that is taken" OriginExists '"name":"web","message":"there is an origin' \
	"{\"name\":\"web\",\"device\":\"$blank\"}"
add "a device that does not exist" NoSuchDevice \
	'"device":"/dev/absent","message":"the device .*No such file' \
	'{"name":"x","device":"/dev/absent"}'
add "a file" NoSuchDevice 'is no block device' '{"name":"x","device":"/etc/passwd"}'
add "a folder" NoSuchDevice 'is no block device' '{"name":"x","device":"/etc"}'
add "a character device" NoSuchDevice 'is no block device' '{"name":"x","device":"/dev/null"}'
add "no device" NoSuchDevice 'is no absolute path' '{"name":"x","device":""}'
add "a relative path" NoSuchDevice 'is no absolute path' '{"name":"x","device":"dev/vda"}'
add "an empty name" InvalidName '"name":"".*is empty' "{\"name\":\"\",\"device\":\"$blank\"}"
add "a name with a slash" InvalidName 'holds a' "{\"name\":\"a/b\",\"device\":\"$blank\"}"
add "a name with a blank" InvalidName 'neither an ASCII letter' \
	"{\"name\":\"a b\",\"device\":\"$blank\"}"
add "a name that is too long" InvalidName 'longer than 119 bytes' \
	"{\"name\":\"${long:8}\",\"device\":\"$blank\"}"
add "a device without a file system" UnsupportedFileSystem \
	'"origin":"blank","message":"origin \\"blank\\" has no file system' \
	"{\"name\":\"blank\",\"device\":\"$blank\"}"

mkdir /tmp/busy
mkfs.ext4 -q "$blank"
mount "$blank" /tmp/busy
add "a device that is mounted" OriginBusy '"name":"x","views":0.*is in use' \
	"{\"name\":\"x\",\"device\":\"$blank\"}"
umount /tmp/busy

remove()
{
	refused_call "RemoveOrigin: $1" "io.rootview.$2" "$3" RemoveOrigin "$4"
}
remove "an origin that does not exist" NoSuchOrigin '"name":"db"' '{"name":"db"}'
remove "an origin with a view" OriginBusy \
	'"name":"web","views":1,"message":"origin \\"web\\" has 1 view"' '{"name":"web"}'

# What is no call of this interface at all.

refused_call "an unknown method" org.varlink.service.MethodNotFound . Nonsense '{}'
refused_call "a parameter is missing" org.varlink.service.InvalidParameter '"parameter":"name"' \
	CreateView '{"origin":"web"}'
refused_call "a parameter is of another type" org.varlink.service.InvalidParameter \
	'"parameter":"name"' CreateView '{"origin":"web","name":7}'
refused_call "there is one parameter too many" org.varlink.service.InvalidParameter \
	'"parameter":"x"' CreateView '{"origin":"web","name":"a","x":1}'

is "after all that, everything is as it was" "$(state)" "$before"

# The command: one sentence, and the right status.

# refused_command DESCRIPTION STATUS SENTENCE ARGUMENT...
refused_command()
{
	local description=$1 wanted=$2 sentence=$3 status=0 output
	shift 3
	output=$(rootviewctl "$@" 2>&1 >/dev/null) || status=$?
	is "rootviewctl $description: status" "$status" "$wanted"
	is "rootviewctl $description: sentence" "$output" "$sentence"
}
refused_command "create, taken" 1 'rootviewctl: origin "web" has a view "taken" already' \
	create web taken
refused_command "delete, absent" 1 'rootviewctl: origin "web" has no view "absent"' \
	delete web absent
refused_command "origin remove, busy" 1 'rootviewctl: origin "web" has 1 view' origin remove web
refused_command "without a daemon" 1 'rootviewctl: /tmp/none: no rootviewd serves this socket' \
	--socket /tmp/none list
refused_command "with a word too many" 2 \
	'rootviewctl: too many arguments for "list"; see rootviewctl --help' list web b
refused_command "with a word too few" 2 \
	'rootviewctl: too few arguments for "create"; see rootviewctl --help' create web
refused_command "with an unknown command" 2 \
	'rootviewctl: no such command: "nonsense"; see rootviewctl --help' nonsense
refused_command "with a label where none belongs" 2 \
	'rootviewctl: --label makes no sense with "delete"; see rootviewctl --help' \
	--label "$context" delete web taken
ok "rootviewctl --help" rootviewctl --help
ok "rootviewctl --version" rootviewctl --version

# The daemon's own command line.

nok "rootviewd refuses an unknown option" rootviewd --nonsense
nok "rootviewd refuses an argument" rootviewd nonsense
ok "rootviewd --help" rootviewd --help
for bad in "--grace -1 0" "--grace 3601 0" "--device-timeout 0 1" "--device-timeout 1s 1"; do
	read -r option value least <<<"$bad"
	status=0
	rootviewd "$option" "$value" 2>/tmp/refusal || status=$?
	is "$option $value is refused" "$status $(cat /tmp/refusal)" \
		"2 rootviewd: $option: \"$value\" is no number from $least to 3600"
done
refused_second=$(rootviewd 2>&1 || true)
like "a second rootviewd is refused" "$refused_second" "another rootviewd has it"
ok "which does not disturb the first" rootviewctl list

# The longest names that are accepted.

ok "a view's name of 127 bytes" rootviewctl create web "$longest"
ok "is deleted" rootviewctl delete web "$longest"
ok "an origin's name of 119 bytes" rootviewctl origin add "${long:9}" "$blank"
ok "gets a view" rootviewctl create "${long:9}" "$longest"
ok "which is deleted" rootviewctl delete "${long:9}" "$longest"
ok "and is removed" rootviewctl origin remove "${long:9}"

ok "the view that was there all the time is deleted" rootviewctl delete web taken
ok "and its origin" rootviewctl origin remove web
nothing_left
done_testing
