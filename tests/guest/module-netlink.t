#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The netlink family: requests, refusals with their sentences, who may ask, dumps and events.
#
# kernels: all
set -uo pipefail
. "${0%/*}/../tap.sh"
. "${0%/*}/../origins.sh"

modprobe dm-rootview
slice backing 0 16
table="0 32768 rootview /dev/mapper/backing"
dmsetup create -r img --table "$table"
dmsetup create -r other --table "$table"
dev=$(dmsetup info -c --noheadings -o major,minor img)

# Requests

like "an origin is described" "$(rvnl origin img)" \
	"^origin origin=img dev=$dev origin-id=[0-9]+ generation=1 backing=[0-9:]+ size=32768 views=0 created=0 deleted=0 reads=[0-9]+ read-sectors=[0-9]+ refused=0 errors=0$"
before=$(cut -d. -f1 /proc/uptime)
like "a view is created" "$(rvnl -l some:label -b some-blob create img a)" \
	"^create origin=img dev=$dev .*generation=2 view=a id=[0-9]+ created-ns=[0-9]+$"
like "a view is described with its label and its blob" "$(rvnl view img a)" "view=a .* label=some:label blob=some-blob$"
id=$(rvnl view img a | sed 's/.* id=\([0-9]*\).*/\1/')
like "a view is found by its id" "$(rvnl -i "$id" view img -)" "view=a "
like "an origin is found by its number" "$(rvnl -d "$dev" view - a)" "view=a "
like "messages and netlink see one registry" "$(dmsetup message img 0 view_list)" "^$id a some:label$"
after=$(cut -d. -f1 /proc/uptime)
created=$(rvnl view img a | sed 's/.*created-ns=\([0-9]*\).*/\1/')
created=$((created / 1000000000))
ok "its age is right to the second" test $((before <= created && created <= after)) = 1

# Refusals: the errno and the sentence

nl_refused() { # DESCRIPTION ERRNO SENTENCE COMMAND...
	local what=$1 expected="$2: $3"
	shift 3
	refused_with "$what" "^$expected" "$@"
}
nl_refused "a name that is taken" EEXIST "view name is taken \[attribute\]" rvnl create img a
nl_refused "an empty name" EINVAL "view name is empty \[attribute\]" rvnl create img ""
nl_refused "a name with a slash" EINVAL "view name holds a '/' \[attribute\]" rvnl create img a/b
nl_refused "the name .." EINVAL 'view name is ".*\[attribute\]' rvnl create img ..
nl_refused "a name that is too long" ENAMETOOLONG "view name is longer than 127 bytes" \
	rvnl create img "$(printf '%0128d' 0)"
nl_refused "a label that is too long" ENAMETOOLONG "label is longer than 4095 bytes" \
	rvnl -l "$(printf '%04096d' 0)" create img b
nl_refused "an empty label" EINVAL "label is empty" rvnl -l "" create img b
nl_refused "a blob that is too long" E2BIG "blob is longer than 4096 bytes" \
	rvnl -b "$(printf '%04097d' 0)" create img b
nl_refused "an id that is chosen" EINVAL "the id of a view cannot be chosen" rvnl -i 7 create img b
nl_refused "an id that no view has" ERANGE "" rvnl -i 0 view img -
nl_refused "an origin that is not there" ENODEV "no such origin \[attribute\]" rvnl create none b
nl_refused "a name and a number that differ" ENODEV "no such origin" rvnl -d "$dev" create other b
nl_refused "deleting a view that is not there" ENOENT "no such view \[attribute\]" rvnl delete img b
nl_refused "deleting a view whose name cannot be" EINVAL "view name holds a '/'" rvnl delete img a/b
nl_refused "a name and an id that differ" ENOENT "no such view" rvnl -i 999999 delete img a
nl_refused "a request without an origin" EINVAL "request names no origin" rvnl raw 2
nl_refused "an origin without a name" EINVAL "origin has neither name nor device number" \
	rvnl create - b
nl_refused "a request without a view" EINVAL "request names no view" rvnl create img
nl_refused "a view without a name" EINVAL "view has no name" rvnl create img -
nl_refused "deleting a view without a name" EINVAL "view has neither name nor id" \
	rvnl delete img -
nl_refused "a command that is none" EOPNOTSUPP "" rvnl raw 99
# Whether the start of a dump can say why it is none depends on the kernel.
says_why=$(rvodd says-why)
sentence_of_dump() { [ "$says_why" = no ] || echo "$1"; }
diag "a dump that is refused can say why: $says_why"
nl_refused "dumping the views of an origin that is not there" ENODEV \
	"$(sentence_of_dump "no such origin")" rvnl views none
# Which makes the kernel look at all that they say of an attribute.
like "whoever asks is shown what requests may have in them" \
	"$(genl ctrl policy name rootview 2>&1)" "attr\[[0-9]+\]: type=NUL_STRING"
is "refused requests have changed nothing" "$(status_field img generation)" 2

# Who may

as_nobody() { setpriv --reuid 65534 --clear-groups --bounding-set -all --inh-caps -all "$@"; }
privileged="asking and changing take CAP_SYS_ADMIN"
for request in "create img b" "delete img a" "view img a" "origin img"; do
	# shellcheck disable=SC2086
	nl_refused "only CAP_SYS_ADMIN may '$request'" EPERM "$privileged" as_nobody rvnl $request
done
for request in views "views img" origin; do
	# shellcheck disable=SC2086
	nl_refused "only CAP_SYS_ADMIN may dump: '$request'" EPERM \
		"$(sentence_of_dump "$privileged")" as_nobody rvnl $request
done
nl_refused "whether there is an origin, nobody else is told" EPERM "$privileged" \
	as_nobody rvnl view none a
refused_with "not even CAP_NET_ADMIN may" "EPERM" setpriv --reuid 65534 --clear-groups \
	--bounding-set -all,+net_admin --inh-caps -all,+net_admin --ambient-caps -all,+net_admin rvnl create img b
refused_with "another network namespace has no such family" "family rootview" unshare -n rvnl origin
is "the views are what they were" "$(rvnl views | wc -l)" 1

# Several requests in one sendmsg(), each with an answer of its own

like "each has its own answer" "$(rvnl batch img +b +c +b +d/e -b -zz 2>&1)" \
	"^create .* view=b .*
create .* view=c .*
EEXIST: view name is taken.*
EINVAL: view name holds a '/'.*
delete .* view=b .*
ENOENT: no such view"
is "... and what can be done is done" "$(rvnl views img | grep -o 'view=[a-z]*' | paste -sd' ')" \
	"view=a view=c"
# shellcheck disable=SC2046
is "there may be many" "$(rvnl batch img $(seq -f +x%.0f 200) | grep -c '^create ')" 200
# shellcheck disable=SC2046
is "... of either kind" "$(rvnl batch img $(seq -f -x%.0f 200) | grep -c '^delete ')" 200
# Dumps

many_views img 5000
later=$(rvodd views img "rvnl create img later > /dev/null && rvnl delete img many4999 > /dev/null")
is "what comes while a dump is under way is not in it" "$(grep -c '^view later$' <<< "$later")" 0
is "... nor is what goes, and it says that something changed" \
	"$(grep -c '^view many4999$' <<< "$later") ${later##*$'\n'}" "0 interrupted"
is "... all else is" "$(grep -c '^view ' <<< "$later")" 5001
dmsetup create -r brief --table "$table"
many_views brief 1000
going=$(rvodd views brief "dmsetup remove brief")
ok "an origin that goes while it is dumped ends the dump" test "$(grep -c '^view ' <<< "$going")" -lt 1000
is "... which says that something changed" "${going##*$'\n'}" interrupted
rvnl -l "$(printf '%04095d' 0)" -b "$(printf '%04096d' 0)" create img large > /dev/null
is "5000 views and more are dumped, the largest possible among them" "$(rvnl views img | wc -l)" 5003
rvnl create other a > /dev/null
is "a dump can be of one origin" "$(rvnl views other | wc -l)" 1
is "a dump can be of all" "$(rvnl views | wc -l)" 5004
is "a dump is in the order of ids" "$(rvnl views img | sed 's/.* id=\([0-9]*\).*/\1/' | sort -nc && echo sorted)" sorted
is "origins are dumped" "$(rvnl origin | grep -o 'origin=[a-z]*' | sort | paste -sd' ')" \
	"origin=img origin=other"
# A message takes some sixty.
more=$(seq -f "more%.0f,,,ro,0 32768 rootview /dev/mapper/backing" 100)
dmsetup create --concise "${more//$'\n'/;}"
is "... more of them than a message takes" "$(rvnl origin | wc -l)" 102
# shellcheck disable=SC2046
ok "... and can all be removed" dmsetup remove $(seq -f more%.0f 100)
interrupted() { # DUMP...: while views come and go on $churn
	local i

	rvnl churn "$churn" 20000 > /dev/null & local pid=$!
	for i in {1..50}; do
		"$@" > /dev/null 2>&1
		[ $? != 3 ] || break
	done
	[ "$i" -lt 50 ] && i=interrupted || i=never
	kill "$pid" 2> /dev/null
	wait "$pid" 2> /dev/null
	echo "$i"
}
churn=img
is "a dump during which something changed says so" "$(interrupted rvnl views img)" interrupted
churn=other
is "... not when it was another origin" "$(interrupted rvnl views img)" never

# Device numbers have the form of user space, whatever their size

far=70000
dmsetup create -r far --major "${dev%:*}" --minor "$far" --table "$table"
rvnl create far a > /dev/null
like "an origin may have a number that needs more than 8 bits" "$(rvnl origin far)" "dev=${dev%:*}:$far "
like "... and is found by it" "$(rvnl -d "${dev%:*}:$far" view - a)" "^view origin=far dev=${dev%:*}:$far .*view=a "
dmsetup create -r near --table "0 32768 rootview /dev/mapper/far"
like "... and is told as what is beneath another" "$(rvnl origin near)" "backing=${dev%:*}:$far "
dmsetup remove near
dmsetup remove far

# Answers

like "whoever has no room for an answer is told so" "$(rvodd unanswered img unheard)" \
	"^told=ENOBUFS answer=none$"
like "... and what he asked for is done" "$(rvnl view img unheard)" "view=unheard "

# Events

# Who may listen cannot be asked on some kernels; then events tell no secrets.
as_nobody rvnl monitor 2 > /tmp/anybody 2>&1 & anybody=$!
joined() { grep -q listening /tmp/anybody || ! kill -0 "$anybody" 2> /dev/null; }
eventually joined
if grep -q listening /tmp/anybody; then
	secrets=withheld
else
	secrets="label=some:label blob=some-blob"
fi

dmsetup remove other
listen 5
rvnl -l some:label -b some-blob create img new > /dev/null
dmsetup message img 0 view_delete new
dmsetup create -r other --table "$table"
dmsetup remove other
generation=$(status_field img generation)
rvnl create img last > /dev/null
heard
like "each change is an event, whichever way it came, with its generation" "$events_heard" \
	"^view-created origin=img .*generation=$((generation - 1)) view=new id=[0-9]+ created-ns=[0-9]+ $secrets
view-deleted origin=img .*generation=$generation view=new id=[0-9]+ created-ns=[0-9]+
origin-added origin=other .*generation=1
origin-removed origin=other .*generation=2
view-created origin=img .*generation=$((generation + 1)) view=last"

dmsetup create broken --table "0 32768 error"
dmsetup create -r failing --table "0 32768 rootview /dev/mapper/broken"
listen 1
dd if=/dev/mapper/failing of=/dev/null bs=4k count=1 iflag=direct 2> /dev/null
heard
like "a read error is announced" "$events_heard" "^origin-failed origin=failing"
if [ "$secrets" = withheld ]; then
	wait "$anybody"
	heard=$(cat /tmp/anybody)
	like "anybody may listen on this kernel" "$heard" "view-created origin=img .*view=new "
	is "... and hears neither label nor blob" "$(grep -c -e some:label -e some-blob <<< "$heard")" 0
else
	like "nobody else may listen" "$(cat /tmp/anybody)" "join|permi"
fi
listen 1
rvnl create img plain > /dev/null
heard
is "of a view without secrets nothing is withheld" \
	"$(grep -c -e withheld -e label= -e blob= <<< "$events_heard")" 0

dmsetup remove failing
dmsetup remove img
ok "the module can be unloaded" rmmod dm_rootview
done_testing
