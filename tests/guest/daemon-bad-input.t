#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Bad input, in a table: every kind for every method, and the error that it
# gets.  Nothing is left of any of it.
# variants: (debug address)
# guest: --timeout 600
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

make_image web
web=$disk
make_disk blank 8
blank=$disk
mount "$web" /mnt
ln -s /absent/file /mnt/dangling
ln -s loop /mnt/loop
ln -s ../../../.. /mnt/up
umount /mnt
start_daemon
call AddOrigin "{\"name\":\"web\",\"device\":\"$web\"}" >/dev/null
call CreateView '{"origin":"web","name":"taken"}' >/dev/null

ln -s empty /tmp/link

# letters N: that many.
letters()
{
	printf "%0$1d" 0 | tr 0 a
}

# times N FORMAT: N elements of a list, with their numbers.
times()
{
	seq "$1" | sed "s|.*|$2|" | paste -sd ,
}

# Everything that a refused request might leave something in.
state()
{
	mounted
	find /run/rootview -xdev | sort
	dmsetup table
	dmsetup message web 0 view_list
	grep -c . /proc/self/mountinfo
}

# bad METHOD ERROR DESCRIPTION PARAMETERS: a row of the table.
rows=()
bad()
{
	rows+=("$2 $1: $3")
	printf '%s %s\n' "$1" "$4" >>/tmp/calls
}

# Parameters that CreateView, an element of CreateViews, and others have in common.
# name ERROR DESCRIPTION TEXT, and so on.
new()
{
	bad CreateView "$1" "$2" "{\"origin\":\"web\",\"name\":\"new\",$3}"
	bad CreateViews "$1" "$2, in a batch" \
		"{\"origin\":\"web\",\"views\":[{\"name\":\"new\",$3}]}"
}
named()
{
	local error=$1 what=$2 name=$3
	bad CreateView "$error" "$what" "{\"origin\":\"web\",\"name\":$name}"
	bad CreateViews "$error" "$what, in a batch" "{\"origin\":\"web\",\"views\":[{\"name\":$name}]}"
	bad DeleteView "$error" "$what" "{\"origin\":\"web\",\"name\":$name}"
	bad DeleteViews "$error" "$what, in a batch" "{\"origin\":\"web\",\"names\":[$name]}"
}
point()
{
	new "$1" "a mount point $2" "\"mountPoints\":[$3]"
	bad CheckMountPoints "$1" "a mount point $2" "{\"origin\":\"web\",\"mountPoints\":[$3]}"
}
ranges()
{
	new InvalidIdMap "an id map $1" "\"idMap\":{\"uid\":$2,\"gid\":[{\"inside\":0,\"outside\":0,\"count\":1}]}"
	new InvalidIdMap "an id map $1, of groups" \
		"\"idMap\":{\"gid\":$2,\"uid\":[{\"inside\":0,\"outside\":0,\"count\":1}]}"
}

# Names of views.

named InvalidName "an empty name" '""'
named InvalidName "a name of 128 bytes" "\"$(letters 128)\""
named InvalidName "a name of 100000 bytes" "\"$(letters 100000)\""
named InvalidName "a name with a slash" '"a/b"'
named InvalidName "a name that climbs" '"../web/taken"'
named InvalidName "the folder itself" '"."'
named InvalidName "the folder above" '".."'
named InvalidName "a name with a blank" '"a b"'
named InvalidName "a name with a line feed" '"a\nb"'
named InvalidName "a name with a tab" '"\t"'
named InvalidName "a name with a delete character" '"a\u007f"'
named InvalidName "a name beyond ASCII" '"\u00e4"'
named InvalidName "a name beyond the first plane" '"\ud83d\ude00"'
for type in 7 -1 1.5 true '[]' '["a"]' '{}' '{"a":1}'; do
	named InvalidParameter "a name that is $type" "$type"
done
for name in '""' '"."' '"a/b"' '"absent"' "\"$(letters 5000)\""; do
	bad OpenView NoSuchView "the name ${name:0:20}" "{\"origin\":\"web\",\"name\":$name}"
	bad ListViews NoSuchView "the name ${name:0:20}" "{\"origin\":\"web\",\"name\":$name}"
	bad GetStats NoSuchView "the name ${name:0:20}" "{\"origin\":\"web\",\"name\":$name}"
done
bad DeleteView NoSuchView "a view that is not there" '{"origin":"web","name":"absent"}'
bad DeleteViews NoSuchView "a view that is not there" '{"origin":"web","names":["absent"]}'
bad CreateView ViewExists "a name that is taken" '{"origin":"web","name":"taken"}'
bad CreateViews ViewExists "a name that is taken" '{"origin":"web","views":[{"name":"taken"}]}'

# Names of origins.

for name in '""' '"absent"' '"../web"' '"web/"' '"we b"' '"\u00e4"' '"web\n"' "\"$(letters 200)\"" \
	"\"$(letters 100000)\""; do
	what="the origin ${name:0:20}"
	bad CreateView NoSuchOrigin "$what" "{\"origin\":$name,\"name\":\"new\"}"
	bad CreateViews NoSuchOrigin "$what" "{\"origin\":$name,\"views\":[{\"name\":\"new\"}]}"
	bad DeleteView NoSuchOrigin "$what" "{\"origin\":$name,\"name\":\"taken\"}"
	bad DeleteViews NoSuchOrigin "$what" "{\"origin\":$name,\"names\":[\"taken\"]}"
	bad OpenView NoSuchOrigin "$what" "{\"origin\":$name,\"name\":\"taken\"}"
	bad ListViews NoSuchOrigin "$what" "{\"origin\":$name}"
	bad GetStats NoSuchOrigin "$what" "{\"origin\":$name}"
	bad CheckMountPoints NoSuchOrigin "$what" "{\"origin\":$name}"
	bad RemoveOrigin NoSuchOrigin "$what" "{\"name\":$name}"
done
for type in 7 true '[]' '{}'; do
	bad CreateView InvalidParameter "an origin that is $type" "{\"origin\":$type,\"name\":\"new\"}"
	bad CreateViews InvalidParameter "an origin that is $type" \
		"{\"origin\":$type,\"views\":[{\"name\":\"new\"}]}"
	bad DeleteViews InvalidParameter "an origin that is $type" \
		"{\"origin\":$type,\"names\":[\"taken\"]}"
	for method in DeleteView OpenView GetStats; do
		bad "$method" InvalidParameter "an origin that is $type" \
			"{\"origin\":$type,\"name\":\"taken\"}"
	done
	bad ListViews InvalidParameter "an origin that is $type" "{\"origin\":$type}"
	bad CheckMountPoints InvalidParameter "an origin that is $type" "{\"origin\":$type}"
	bad RemoveOrigin InvalidParameter "a name that is $type" "{\"name\":$type}"
	bad AddOrigin InvalidParameter "a name that is $type" "{\"name\":$type,\"device\":\"$blank\"}"
	bad AddOrigin InvalidParameter "a device that is $type" "{\"name\":\"new\",\"device\":$type}"
	bad AddOrigin InvalidParameter "a label that is $type" \
		"{\"name\":\"new\",\"device\":\"$blank\",\"label\":$type}"
done
bad RemoveOrigin OriginBusy "an origin with a view" '{"name":"web"}'
for name in '""' '"a b"' '"a/b"' '".."' '"\u00e4"' '"a,b"' "\"$(letters 120)\"" "\"$(letters 5000)\""; do
	bad AddOrigin InvalidName "the name ${name:0:20}" "{\"name\":$name,\"device\":\"$blank\"}"
done
bad AddOrigin OriginExists "a name that is taken" "{\"name\":\"web\",\"device\":\"$blank\"}"
for device in "" dev/vda /dev/absent /etc/passwd /etc /dev/null /dev/zero /tmp/link /absent/absent \
	"/$(letters 300)" "/$(letters 5000)"; do
	bad AddOrigin NoSuchDevice "the device ${device:0:20}" \
		"{\"name\":\"new\",\"device\":\"$device\"}"
done
bad AddOrigin UnsupportedFileSystem "a device without a file system" \
	"{\"name\":\"new\",\"device\":\"$blank\"}"
bad AddOrigin OriginBusy "an origin's own device" '{"name":"new","device":"/dev/mapper/web"}'

# Labels.

labels=('""' '"nonsense"' '"a:b:c"' '"system_u:object_r:container_file_t"'
	'"system_u:object_r:no_such_type_t:s0"' '"no_such_u:object_r:container_file_t:s0"'
	'"system_u:object_r:container_file_t:s99"'
	'"system_u:object_r:container_file_t:s0:c1,c99999"'
	'"system_u:object_r:container_file_t:s0:c2.c1"'
	'"system_u:object_r:container_file_t:s0 "' '"system_u:object_r:container_file_t:s0\n"'
	'"system_u:object_r:container_file_t:s0,lowerdir=/etc"'
	'"system_u:object_r:container_file_t:s0\""' '"\u00e4"' "\"$(letters 4096)\""
	"\"$(letters 100000)\"")
for label in "${labels[@]}"; do
	new InvalidLabel "the label ${label:0:50}" "\"label\":$label"
	bad AddOrigin InvalidLabel "the label ${label:0:50}" \
		"{\"name\":\"new\",\"device\":\"$blank\",\"label\":$label}"
done
new InvalidLabel "the label native" '"label":"native"'
for type in 7 true '[]' '{}'; do
	new InvalidParameter "a label that is $type" "\"label\":$type"
done

# Devices alone, and ids.

for type in 7 '"true"' '[]' '{}'; do
	new InvalidParameter "a device alone that is $type" "\"deviceOnly\":$type"
done
for method in OpenView DeleteView ListViews; do
	for id in 4711 18446744073709551615; do
		bad "$method" NoSuchView "the id $id" "{\"origin\":\"web\",\"id\":$id}"
	done
	for type in -1 1.5 true '"a"' '[]' '{}'; do
		bad "$method" InvalidParameter "an id that is $type" "{\"origin\":\"web\",\"id\":$type}"
	done
done
for method in OpenView DeleteView; do
	bad "$method" InvalidRequest "neither a name nor an id" '{"origin":"web"}'
	bad "$method" InvalidRequest "both of them null" '{"origin":"web","name":null,"id":null}'
	bad "$method" InvalidParameter "no origin" '{"name":"taken"}'
done
for key in '"name":"taken"' '"id":1'; do
	bad ListViews InvalidRequest "$key without an origin" "{$key}"
done
bad DeleteViews InvalidRequest "names and ids" '{"origin":"web","names":["taken"],"ids":[1]}'
bad DeleteViews NoSuchView "an id that none has" '{"origin":"web","ids":[4711]}'
for type in 7 '"a"' '{}' '[0]' '[-1]' '["taken"]' '[null]' '[[1]]'; do
	bad DeleteViews InvalidParameter "ids that are $type" "{\"origin\":\"web\",\"ids\":$type}"
done

# Mount points.

point InvalidMountPoint "that is empty" '{"path":""}'
point InvalidMountPoint "that is relative" '{"path":"etc"}'
point InvalidMountPoint "that is the root" '{"path":"/"}'
point InvalidMountPoint "with a .." '{"path":"/a/../b"}'
point InvalidMountPoint "that climbs out" '{"path":"/../../etc"}'
point InvalidMountPoint "with a line feed" '{"path":"/a\nb"}'
point InvalidMountPoint "with a delete character" '{"path":"/a\u007fb"}'
point InvalidMountPoint "of 4096 bytes" "{\"path\":\"/$(letters 200 | sed 's|$|/|')$(
	printf '/%.0s' {1..3900})\"}"
point InvalidMountPoint "with a long component" "{\"path\":\"/$(letters 256)\"}"
point InvalidMountPoint "that is too deep" "{\"path\":\"$(printf '/a%.0s' {1..65})\"}"
point InvalidMountPoint "below a file of the image" '{"path":"/etc/greeting/x"}'
point InvalidMountPoint "through a link to itself" '{"path":"/loop/x"}'
point InvalidMountPoint "that is a link without target" '{"path":"/x","kind":"link"}'
point InvalidMountPoint "that is a link with an empty target" \
	'{"path":"/x","kind":"link","target":""}'
point InvalidMountPoint "that is a folder with a target" '{"path":"/x","target":"/y"}'
point InvalidMountPoint "that is a file with a target" '{"path":"/x","kind":"file","target":"/y"}'
point InvalidMountPoint "with a target of 4096 bytes" \
	"{\"path\":\"/x\",\"kind\":\"link\",\"target\":\"/$(letters 4095)\"}"
point InvalidMountPoint "of two kinds" '{"path":"/x"},{"path":"/x","kind":"file"}'
point InvalidMountPoint "with two targets" \
	'{"path":"/x","kind":"link","target":"a"},{"path":"/x","kind":"link","target":"b"}'
point InvalidMountPoint "below a new file" '{"path":"/x","kind":"file"},{"path":"/x/y"}'
point InvalidMountPoint "below a new link" \
	'{"path":"/x","kind":"link","target":"/etc"},{"path":"/x/y"}'
point InvalidMountPoint "that is a file, and a folder in the image" '{"path":"/etc","kind":"file"}'
point InvalidMountPoint "that is a folder, and a file in the image" '{"path":"/etc/greeting"}'
point TooMany "too many" "$(times 1025 '{"path":"/p&"}')"
point InvalidParameter "without a path" '{}'
point InvalidParameter "of an unknown kind" '{"path":"/x","kind":"socket"}'
point InvalidParameter "with an unknown field" '{"path":"/x","mode":448}'
for type in 7 true '"/x"' '[]'; do
	point InvalidParameter "that is $type" "$type"
	point InvalidParameter "whose path is ${type//\"/}" "{\"path\":${type//\"\/x\"/null}}"
	new InvalidParameter "mount points that are $type" \
		"\"mountPoints\":${type//[[]]/\{\}}"
done
for list in '""' '"rkt"' '"Docker"' '"docker "'; do
	new InvalidRequest "the list $list" "\"lists\":[$list]"
	bad CheckMountPoints InvalidRequest "the list $list" "{\"origin\":\"web\",\"lists\":[$list]}"
done
for type in 7 '"docker"' '{}' '[7]' '[null]' '[["docker"]]'; do
	new InvalidParameter "lists that are $type" "\"lists\":$type"
	bad CheckMountPoints InvalidParameter "lists that are $type" "{\"origin\":\"web\",\"lists\":$type}"
done

# Id maps.

range='{"inside":%d,"outside":%d,"count":%d}'
# shellcheck disable=SC2059 # $range is a format
{
ranges "without ranges" '[]'
ranges "with an empty range" "[$(printf "$range" 0 0 0)]"
ranges "with a negative id" "[$(printf "$range" -1 0 1)]"
ranges "with a negative id on the host" "[$(printf "$range" 0 -1 1)]"
ranges "with a negative count" "[$(printf "$range" 0 0 -1)]"
ranges "with an id that is none" "[$(printf "$range" 4294967295 0 1)]"
ranges "with an id that is none on the host" "[$(printf "$range" 0 4294967295 1)]"
ranges "that runs over the end" "[$(printf "$range" 1 0 4294967295)]"
ranges "with a huge count" "[$(printf "$range" 0 0 9223372036854775807)]"
ranges "with ranges that overlap" "[$(printf "$range" 0 100 10),$(printf "$range" 9 200 10)]"
ranges "with ranges that overlap on the host" \
	"[$(printf "$range" 0 100 10),$(printf "$range" 20 109 10)]"
}
ranges "with 33 ranges" "[$(times 33 '{"inside":&0,"outside":&0,"count":1}')]"
new InvalidParameter "an id map without ranges of groups" \
	'"idMap":{"uid":[{"inside":0,"outside":0,"count":1}]}'
new InvalidParameter "an id map with nothing in it" '"idMap":{}'
new InvalidParameter "a range without a count" \
	'"idMap":{"uid":[{"inside":0,"outside":0}],"gid":[{"inside":0,"outside":0,"count":1}]}'
new InvalidParameter "a range with a fraction" \
	'"idMap":{"uid":[{"inside":0.5,"outside":0,"count":1}],"gid":[{"inside":0,"outside":0,"count":1}]}'
for type in 7 true '"0:0:1"' '[]' '[{}]'; do
	new InvalidParameter "an id map that is $type" "\"idMap\":$type"
done

# Cgroups, processes, descriptors.

for cgroup in '""' '"absent"' '"/absent"' '"/../cgroup"' '"../../etc"' "\"/$(letters 300)\"" \
	"\"/$(letters 4095)\""; do
	new NoSuchCgroup "the cgroup ${cgroup:0:20}" "\"cgroup\":$cgroup"
done
for process in 0 -1 4194304 2147483647 2147483648 -2147483648 9223372036854775807; do
	new NoSuchProcess "the process $process" "\"process\":$process"
done
for type in true 1.5 '[]' '{}'; do
	new InvalidParameter "a process that is $type" "\"process\":$type"
	new InvalidParameter "a descriptor that is $type" "\"processDescriptor\":$type"
	new InvalidParameter "a user namespace that is $type" "\"userNamespace\":$type"
	new InvalidParameter "a cgroup that is $type" "\"cgroup\":$type"
done
new InvalidParameter "a cgroup that is a number" '"cgroup":7'
# systemd's library takes the digits for a number, the daemon does not.
for field in process processDescriptor userNamespace; do
	new InvalidRequest "a number as text, as $field" "\"$field\":\"1\""
done
for index in 0 1 -1 253 2147483648 9223372036854775807; do
	new InvalidRequest "the descriptor $index, which did not come" "\"processDescriptor\":$index"
	new InvalidRequest "the user namespace $index, which did not come" "\"userNamespace\":$index"
done

# Batches.

bad CreateViews InvalidRequest "no views" '{"origin":"web","views":[]}'
bad DeleteViews InvalidRequest "no names" '{"origin":"web","names":[]}'
bad CreateViews TooMany "1025 views" "{\"origin\":\"web\",\"views\":[$(times 1025 '{"name":"v&"}')]}"
bad DeleteViews TooMany "1025 names" "{\"origin\":\"web\",\"names\":[$(times 1025 '"v&"')]}"
bad DeleteViews TooMany "1025 ids" "{\"origin\":\"web\",\"ids\":[$(times 1025 '&')]}"
for type in 7 '"a"' true '{}' '{"name":"new"}' '[7]' '["new"]' '[[]]' '[{}]' '[null]' \
	'[{"name":null}]' '[{"name":"new","x":1}]' '[{"name":"new","origin":"web"}]'; do
	bad CreateViews InvalidParameter "views that are $type" "{\"origin\":\"web\",\"views\":$type}"
done
for type in 7 '"a"' true '{}' '[7]' '[null]' '[["new"]]' '[{}]' '["taken",7]'; do
	bad DeleteViews InvalidParameter "names that are $type" "{\"origin\":\"web\",\"names\":$type}"
done

# Parameters that are missing, null, or unknown; methods that are.

for missing in '{}' '{"origin":"web"}' '{"origin":null,"name":null}' '{"name":"taken"}' \
	'{"origin":"web","name":null}'; do
	bad CreateView InvalidParameter "only $missing" "$missing"
done
bad CreateViews InvalidParameter "no views at all" '{"origin":"web"}'
bad CreateViews InvalidParameter "no origin at all" '{"views":[{"name":"new"}]}'
bad DeleteViews InvalidRequest "no names at all" '{"origin":"web"}'
bad DeleteViews InvalidParameter "no origin at all" '{"names":["taken"]}'
bad AddOrigin InvalidRequest "no device" '{"name":"new"}'
bad AddOrigin InvalidParameter "no name" "{\"device\":\"$blank\"}"
bad RemoveOrigin InvalidParameter "no name" '{}'
bad CheckMountPoints InvalidParameter "no origin" '{"lists":["docker"]}'
bad GetStats InvalidRequest "a view without its origin" '{"name":"taken"}'
bad ListOrigins InvalidParameter "an unknown parameter" '{"x":1}'
bad ListViews InvalidParameter "an unknown parameter" '{"x":1}'
bad GetStats InvalidParameter "an unknown parameter" '{"x":1}'
bad CheckMountPoints InvalidParameter "an unknown parameter" '{"origin":"web","x":1}'
bad AddOrigin InvalidParameter "an unknown parameter" "{\"name\":\"new\",\"device\":\"$blank\",\"x\":1}"
bad RemoveOrigin InvalidParameter "an unknown parameter" '{"name":"web","x":1}'
for method in CreateView DeleteView OpenView; do
	bad "$method" InvalidParameter "an unknown parameter" '{"origin":"web","name":"taken","x":1}'
	bad "$method" InvalidParameter "a parameter of another case" \
		'{"Origin":"web","name":"taken"}'
done
bad OpenView InvalidParameter "a parameter of CreateView" \
	'{"origin":"web","name":"taken","label":"nonsense"}'
bad Monitor ExpectedMore "no wish for more" '{}'
bad Nonsense MethodNotFound "an unknown method" '{}'
bad createView MethodNotFound "a method of another case" '{"origin":"web","name":"new"}'
bad org.example.CreateView MethodNotFound "a method of another interface" '{}'
bad CreateView ended "a string with a NUL" '{"origin":"web","name":"a\u0000b"}'
bad CreateView ended "half of a pair of surrogates" '{"origin":"web","name":"\ud83d"}'
bad CreateView ended "bytes that are no UTF-8" '{"origin":"web","name":"'$'\xff''"}'
bad CreateView ended "parameters that are no object" '[]'
bad CreateView ended "parameters that end early" '{"origin":"web"'
bad CreateView ended "no JSON" 'nonsense'

before=$(state)
descriptors=$(find "/proc/$daemon/fd" | wc -l)
perl -Itests/guest -MVarlink -e Varlink::filter </tmp/calls >/tmp/answers
is "each call is answered" "$(wc -l </tmp/answers)" "${#rows[@]}"

while IFS= read -r answer; do
	row=${rows[0]}
	rows=("${rows[@]:1}")
	case ${row%% *} in
	ended) wanted='^the connection has ended$' ;;
	InvalidParameter | ExpectedMore | MethodNotFound)
		wanted="^\{\"error\":\"org\.varlink\.service\.${row%% *}\"" ;;
	*) wanted="\"error\":\"io\.rootview\.${row%% *}\".*\"message\":\"[^\"]" ;;
	esac
	if [[ $answer =~ $wanted ]]; then
		pass "${row#* } (${row%% *})"
	else
		fail "${row#* }" "wanted: ${row%% *}" "got:    ${answer:0:600}"
	fi
done </tmp/answers

is "after all that, everything is as it was" "$(state)" "$before"
is "also the daemon's open files" "$(find "/proc/$daemon/fd" | wc -l)" "$descriptors"
is "a daemon that answers, too" "$(call ListViews '{"origin":"web"}' | jq -r '.views[].path')" \
	/run/rootview/origins/web/plain

# What is at the limits is accepted.

is "a name of 127 bytes, 1024 mount points, 32 ranges and a folder 64 deep" \
	"$(call CreateView "{\"origin\":\"web\",\"name\":\"$(letters 127)\",\"mountPoints\":[$(
		times 1023 '{"path":"/p&"}'),{\"path\":\"$(printf '/a%.0s' {1..64})\"}]}" |
		jq -r '.view.mountPoints | length')" 1024
is "also in a batch of 1024" \
	"$(echo "CreateViews {\"origin\":\"web\",\"views\":[$(
		times 1024 '{"name":"v&","deviceOnly":true}')]}" |
		perl -Itests/guest -MVarlink -e Varlink::filter | jq '[.parameters.results[].view] | length')" \
	1024
is "which are deleted" \
	"$(echo "DeleteViews {\"origin\":\"web\",\"names\":[$(times 1024 '"v&"')]}" |
		perl -Itests/guest -MVarlink -e Varlink::filter | grep -c refusal)" 0
ok "the long name is deleted" rootviewctl delete web "$(letters 127)"

ok "the view that was there all the time is deleted" rootviewctl delete web taken
ok "and its origin" rootviewctl origin remove web
nothing_left
done_testing
