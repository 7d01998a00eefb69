#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --timeout 600
#
# The graph driver as a plugin: what it answers to requests, good and bad, that Docker
# might send, and to clients that go away.
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh
. tests/guest/layers.sh

api=/tmp/driver.sock
home=/var/lib/graph
pool=/dev/mapper/graph-pool
make_pool graph "$ROOTVIEW_SCRATCH" 4096 64 error_if_no_space

driver=
start_driver()
{
	rootview-graphdriver --socket "$api" --note /tmp/driver.init 2>>/tmp/driver.log &
	driver=$!
	until [ -S "$api" ]; do
		sleep 0.1
	done
}

stop_driver()
{
	kill -s "${1:-TERM}" "$driver"
	wait "$driver" 2>/dev/null || true
	rm -f "$api"
}

# plugin PATH [CURL_OPTION]...: a request with that path; the answer, its status behind it.
plugin()
{
	curl --silent --max-time 60 --unix-socket "$api" --request POST --header 'Host:' \
		--write-out ' %{http_code}' "http://plugin$1" "${@:2}"
}

# request METHOD JSON: the answer, as JSON.
request()
{
	plugin "/GraphDriver.$1" --data "$2" | sed 's/ [0-9]*$//'
}

# refused_request DESCRIPTION REGULAR_EXPRESSION METHOD JSON
refused_request()
{
	like "$1" "$(request "$3" "$4" | jq -r .Err)" "$2"
}

start_driver
is "it says what it is" "$(plugin /Plugin.Activate)" '{"Implements":["GraphDriver"]} 200'
is "what it is able to" "$(request Capabilities '{}' | jq -c .)" \
	'{"Capabilities":{"ReproducesExactDiffs":false}}'
is "an unknown call is not found" "$(plugin /GraphDriver.Fly --data '{}')" \
	'{"Err":"there is no such call"} 404'
is "a call is no GET" "$(plugin /Plugin.Activate --request GET)" \
	'{"Err":"calls are POST requests"} 405'
refused_request "what is no JSON is refused" 'no JSON object' Get '{"ID":'
refused_request "nor is a list" 'no JSON object' Get '[]'
for method in Get Put Remove Create CreateReadWrite Status GetMetadata Changes DiffSize Diff; do
	refused_request "$method before Init is refused" 'not initialised' "$method" '{"ID":"a"}'
done
is "nothing exists before that" "$(request Exists '{"ID":"a"}')" '{"Exists":false}'
is "a request that is too large is refused" \
	"$(head -c 2M /dev/zero | tr '\0' x | plugin /GraphDriver.Get --data-binary @- | sed 's/.* //')" 413

init()
{
	jq -cn --arg home "$home" '{"Home": $home, "Opts": $ARGS.positional}' --args "$@"
}
refused_request "Init without a pool is refused" 'no thin pool' Init "$(init)"
refused_request "with an unknown option" '"rootview.speed=9" makes no sense' Init \
	"$(init rootview.pool=$pool rootview.speed=9)"
refused_request "with a pool that is none" "$ROOTVIEW_SCRATCH" Init "$(init "rootview.pool=$ROOTVIEW_SCRATCH")"
refused_request "with a strange type" 'vfat' Init "$(init rootview.pool=$pool rootview.fs=vfat)"
refused_request "with options that are no text" 'options make no sense' Init \
	"{\"Home\":\"$home\",\"Opts\":[1]}"
refused_request "with ids to be mapped" 'userns-remap' Init \
	"{\"Home\":\"$home\",\"Opts\":[\"rootview.pool=$pool\"],\"UIDMaps\":[{\"container_id\":0,\"host_id\":100000,\"size\":65536}]}"
nok "nothing is made for those" test -e "$home"
mkdir -p /etc/rootview
echo "POOL=$pool" >/etc/rootview/storage.conf
is "Init takes the pool that was set up" "$(request Init "$(init rootview.size=256M)")" '{}'
is "a second time, with its path, too" "$(request Init "$(init rootview.pool=$pool rootview.size=256M)")" '{}'

# Layers, and what comes back of a stream.
mkdir -p /tmp/tree/dir
echo text >/tmp/tree/dir/file
head -c 3M /dev/urandom >/tmp/tree/large
tar --create --file /tmp/layer.tar --directory /tmp/tree .
apply()
{
	plugin "/GraphDriver.ApplyDiff?id=$1&parent=" --header 'Transfer-Encoding: chunked' \
		--data-binary "@$2"
}
is "a layer is made" "$(request Create '{"ID":"base","Parent":""}')" '{}'
is "a stream fills it" "$(apply base /tmp/layer.tar)" '{"Size":3145733} 200'
is "it exists" "$(request Exists '{"ID":"base"}')" '{"Exists":true}'
refused_request "it cannot be made again" 'base' Create '{"ID":"base","Parent":""}'
refused_request "one of no layer cannot be made" 'none' Create '{"ID":"new","Parent":"none"}'
for id in '' . .. a/b $'a\nb' "$(printf 'n%.0s' {1..300})"; do
	refused_request "nor one with such a name" . Create "$(jq -cn --arg id "$id" '{"ID": $id}')"
done
refused_request "nor with an option that is misspelt" 'siez=1G makes no sense' CreateReadWrite \
	'{"ID":"new","Parent":"base","StorageOpt":{"siez":"1G"}}'
refused_request "nor of a size that is none" 'size=big makes no sense' CreateReadWrite \
	'{"ID":"new","Parent":"base","StorageOpt":{"size":"big"}}'
refused_request "nor with mount points that it cannot have" 'mount-points is for shared-rootfs=true' \
	CreateReadWrite '{"ID":"new","Parent":"base","StorageOpt":{"mount-points":"/a"}}'
for points in a / /a: :/a /a::/b; do
	refused_request "nor with mount points that are none, $points" 'no list of absolute paths' CreateReadWrite \
		"{\"ID\":\"new\",\"Parent\":\"base\",\"StorageOpt\":{\"shared-rootfs\":\"true\",\"mount-points\":\"$points\"}}"
done
like "a layer's stream comes back" \
	"$(curl --silent --unix-socket "$api" --data '{"ID":"base"}' http://plugin/GraphDriver.Diff |
		tar --list --verbose | sed 's/.* //' | sort | paste -sd ' ')" '^\./? *dir/ dir/file large$|^dir/ dir/file large$'
is "one that there is not is an error" "$(plugin /GraphDriver.Diff --data '{"ID":"none"}' | sed 's/.* //')" 500

# Streams that are no layers.
head -c 100000 /dev/urandom >/tmp/noise
like "noise is no layer" "$(request Create '{"ID":"noise"}'; apply noise /tmp/noise)" '"Err":.*200$'
is "and leaves none" "$(request Exists '{"ID":"noise"}')" '{"Exists":false}'
tar --create --file /tmp/way-out.tar --absolute-names --transform='s,.*,../../out,' /tmp/tree/dir/file
like "nor is one that leads out" "$(request Create '{"ID":"out"}'; apply out /tmp/way-out.tar)" '"Err":.*out'
is "and leaves none" "$(request Exists '{"ID":"out"}')" '{"Exists":false}'
nok "nor anything else" test -e "$home/out" -o -e /var/lib/out

# A client that goes away in the middle: here, between two files of its stream.
request Create '{"ID":"half"}' >/dev/null
blocks=$(tar --list --block-number --file /tmp/layer.tar | sed -n 's/^block \([0-9]*\): \*\* .*/\1/p' | head -n 1)
mkfifo /tmp/feed
curl --silent --unix-socket "$api" --request POST --upload-file /tmp/feed \
	"http://plugin/GraphDriver.ApplyDiff?id=half&parent=" >/dev/null &
client=$!
exec 9>/tmp/feed
head -c "$((blocks * 512))" /tmp/layer.tar >&9
# Only the driver sees the mount.
half_is_unpacked()
{
	local fd
	for fd in /proc/"$driver"/fd/*; do
		! cmp /tmp/tree/large "$fd/large" || return 0
	done
	return 1
}
eventually "all files of a stream are unpacked" half_is_unpacked
kill "$client"
wait "$client" 2>/dev/null || true
exec 9>&-
half_is_gone()
{
	[ "$(request Exists '{"ID":"half"}')" = '{"Exists":false}' ]
}
eventually "if its end never comes, it is no layer" half_is_gone
nok "and the driver has nothing of it" half_is_unpacked

# A client that does not read what it asked for.
timeout 1 curl --silent --limit-rate 1k --unix-socket "$api" --data '{"ID":"base"}' \
	http://plugin/GraphDriver.Diff >/dev/null || true
is "who reads no further holds nobody up" "$(request DiffSize '{"ID":"base"}')" '{"Size":3145733}'
not_mounted()
{
	! grep -q " $home/mnt/" /proc/self/mountinfo
}
eventually "and leaves nothing mounted" not_mounted

# Containers.
is "a container's layers are made" "$(request CreateReadWrite '{"ID":"c-init","Parent":"base"}')" '{}'
is "both of them" "$(request CreateReadWrite '{"ID":"c","Parent":"c-init","StorageOpt":{"size":"512M"}}')" '{}'
path=$(request Get '{"ID":"c"}' | jq -r .Dir)
is "it reads its image" "$(cat "$path/dir/file")" text
is "a second Get has the same path" "$(request Get '{"ID":"c"}' | jq -r .Dir)" "$path"
echo new >"$path/new"
rm "$path/dir/file"
is "what it changes is told" "$(request Changes '{"ID":"c","Parent":"c-init"}' | jq -c '.Changes | map("\(.Kind)\(.Path)")')" \
	'["0/dir","2/dir/file","1/new"]'
like "what is known of it, too" "$(request GetMetadata '{"ID":"c"}')" '"DeviceSize":"536870912"'
request Put '{"ID":"c"}' >/dev/null
ok "as long as one has it, it is mounted" mountpoint -q "$path"
request Put '{"ID":"c"}' >/dev/null
nok "then no more" mountpoint -q "$path"
is "one Put too many does no harm" "$(request Put '{"ID":"c"}')" '{}'
refused_request "an image in use cannot be removed" 'base' Remove '{"ID":"base"}'
like "the pool's state is told" "$(request Status '{}' | jq -c .)" '"Pool State","writable"'

# Many at once, each on a connection of its own.
seq 1 20 | xargs --max-procs=10 --replace curl --silent --unix-socket "$api" \
	--data '{"ID":"many-{}","Parent":"base"}' http://plugin/GraphDriver.CreateReadWrite >/tmp/many
is "twenty at once are made" "$(cat /tmp/many)" "$(printf '{}%.0s' {1..20})"
seq 1 20 | xargs --max-procs=10 --replace curl --silent --unix-socket "$api" \
	--data '{"ID":"many-{}"}' http://plugin/GraphDriver.Get >/tmp/many
is "and mounted" "$(grep -o "$home/mnt/many-[0-9]*" /tmp/many | sort -u | wc -l)" 20
seq 1 20 | xargs --max-procs=10 --replace curl --silent --unix-socket "$api" \
	--data '{"ID":"many-{}"}' http://plugin/GraphDriver.Remove >/tmp/many
is "and removed" "$(cat /tmp/many)" "$(printf '{}%.0s' {1..20})"

# A shared one with mount points of its own.
start_daemon
shared_with()
{
	request CreateReadWrite "{\"ID\":\"$1\",\"Parent\":\"base\",\"StorageOpt\":{\"shared-rootfs\":\"true\"$2}}" >/dev/null
}
shared_with plain ''
shared_with points ',"mount-points":"/new/deep:/dir/below"'
ok "mount points that the image lacks are there" \
	test -d "$(request Get '{"ID":"points"}' | jq -r .Dir)/new/deep"
nok "for whoever asked for them" test -e "$(request Get '{"ID":"plain"}' | jq -r .Dir)/new"
kill_daemon TERM
umount --recursive /run/rootview
start_daemon
stop_driver KILL
start_driver
ok "also when all is new after a reboot" \
	test -d "$(request Get '{"ID":"points"}' | jq -r .Dir)/dir/below"
request Remove '{"ID":"plain"}' >/dev/null
is "they are removed" "$(request Remove '{"ID":"points"}')" '{}'

# Another driver in its place, which no Init has reached.
request Get '{"ID":"c"}' >/dev/null
stop_driver KILL
start_driver
is "another driver knows where the layers are" "$(request Get '{"ID":"c"}' | jq -r .Dir)" "$path"
is "and what is in them" "$(cat "$path/new")" new
request Put '{"ID":"c"}' >/dev/null
for layer in c c-init base; do
	is "$layer is removed" "$(request Remove "{\"ID\":\"$layer\"}")" '{}'
done
is "no volume is active then" "$(devices)" ""
stop_driver
dmsetup remove graph-pool
start_driver
refused_request "without its pool it says so" 'not initialised' Get '{"ID":"c"}'
like "and why, to its log" "$(tail -n 1 /tmp/driver.log)" "$pool"
stop_driver
done_testing
