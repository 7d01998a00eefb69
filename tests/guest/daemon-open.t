#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# OpenView gives out a view as a descriptor, by name, by id, or by both, as often as asked; and an
# id never means a successor of the same name, also where it is to be deleted.
# variants: (debug)
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

# opened KEY: what a view's answer says, for a key as JSON.
opened()
{
	call OpenView "{\"origin\":\"web\",$1}" |
		jq -c '[.view.origin, .view.name, .view.id, .descriptor]'
}

make_image web
start_daemon
call AddOrigin "{\"name\":\"web\",\"device\":\"$disk\"}" >/dev/null
create_with a '"lists":["docker"]'
a=$(call ListViews | jq '.views[0].id')

# Opening.

wanted="[\"web\",\"a\",$a,0]"
is "a view is opened by name" "$(opened '"name":"a"')" "$wanted"
is "by id" "$(opened "\"id\":$a")" "$wanted"
is "by both" "$(opened "\"name\":\"a\",\"id\":$a")" "$wanted"
is "again and again" "$(for _ in 1 2 3; do opened "\"id\":$a"; done | uniq -c | xargs)" \
	"3 ${wanted//\"/}"
refused_call "not one that is not there" io.rootview.NoSuchView '"name":"b"' \
	OpenView '{"origin":"web","name":"b"}'
refused_call "nor by an id that none has" io.rootview.NoSuchView '"id":4711' \
	OpenView '{"origin":"web","id":4711}'
refused_call "nor if name and id are of two" io.rootview.NoSuchView '"name":"b".*"id":' \
	OpenView "{\"origin\":\"web\",\"name\":\"b\",\"id\":$a}"
refused_call "nor without both" io.rootview.InvalidRequest 'neither a name nor an id' \
	OpenView '{"origin":"web"}'
refused_call "nor of an origin that is not there" io.rootview.NoSuchOrigin '"name":"none"' \
	OpenView '{"origin":"none","name":"a"}'

# Lists.

is "ListViews has one by name" "$(call ListViews '{"origin":"web","name":"a"}' |
	jq -c '[.views[].id]')" "[$a]"
is "or by id" "$(call ListViews "{\"origin\":\"web\",\"id\":$a}" | jq -c '[.views[].name]')" '["a"]'
refused_call "not one that is not there" io.rootview.NoSuchView '"name":"b"' \
	ListViews '{"origin":"web","name":"b"}'
refused_call "nor a name without an origin" io.rootview.InvalidRequest '"parameter":"origin"' \
	ListViews '{"name":"a"}'

# A successor.

ok "a view is deleted by name and id" call DeleteView "{\"origin\":\"web\",\"name\":\"a\",\"id\":$a}"
create_with a '"lists":["docker"]'
second=$(call ListViews | jq '.views[0].id')
for key in "\"id\":$a" "\"name\":\"a\",\"id\":$a"; do
	refused_call "its successor is not opened by $key" io.rootview.NoSuchView "\"id\":$a" \
		OpenView "{\"origin\":\"web\",$key}"
	refused_call "nor deleted" io.rootview.NoSuchView "\"id\":$a" \
		DeleteView "{\"origin\":\"web\",$key}"
done
is "nor in a batch" "$(call DeleteViews "{\"origin\":\"web\",\"ids\":[$a,4711]}" |
	jq -c '[.results[] | [.name, .refusal.error]] | unique')" '[[null,"io.rootview.NoSuchView"]]'
like "of which the log counts none" "$(tail -n 3 "$log")" 'deleted views: 0 of origin web'
is "it is still there" "$(opened '"name":"a"')" "[\"web\",\"a\",$second,0]"
for bad in '"names":["a"],"ids":[1]|both names and ids' '"names":[]|empty' '"ids":[]|empty'; do
	refused_call "views cannot be deleted by ${bad%|*}" io.rootview.InvalidRequest "${bad#*|}" \
		DeleteViews "{\"origin\":\"web\",${bad%|*}}"
done
refused_call "nor without any" io.rootview.InvalidRequest 'is empty' DeleteViews '{"origin":"web"}'
refused_call "nor by an id that is none" org.varlink.service.InvalidParameter '"ids"' \
	DeleteViews '{"origin":"web","ids":[0]}'
is "a batch deletes by id" "$(call DeleteViews "{\"origin\":\"web\",\"ids\":[$second]}")" \
	'{"results":[{"name":"a"}]}'
is "and nothing is left" "$(call ListViews)" '{"views":[]}'

call RemoveOrigin '{"name":"web"}' >/dev/null
nothing_left
done_testing
