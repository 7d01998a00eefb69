#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Labels: the policy's own for shared files, one of a view's own, and that the
# page cache is shared across them.
# variants: (debug)
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

ro_file=$(sed -n 's/^ro_file = "\(.*\)"/\1/p' /etc/selinux/default/contexts/lxc_contexts)
context=system_u:object_r:container_file_t:s0

label_of()
{
	stat --format=%C "$1"
}

make_image web
start_daemon
origin=$(call AddOrigin "{\"name\":\"web\",\"device\":\"$disk\"}")
is "SELinux is enforcing" "$(getenforce)" Enforcing
is "the origin has the policy's label for shared files" "$(jq -r .origin.label <<<"$origin")" \
	"$ro_file"

a=$(rootviewctl create web a)
is "and so have a view's files" "$(label_of "$a/etc/greeting")" "$ro_file"
is "and folders" "$(label_of "$a/etc")" "$ro_file"

view=$(call CreateView "{\"origin\":\"web\",\"name\":\"b\",\"label\":\"$context:c2,c1\"}")
b=$(jq -r .view.path <<<"$view")
is "a view's own label comes back in the kernel's spelling" "$(jq -r .view.label <<<"$view")" \
	"$context:c1,c2"
is "all its files have it" "$(label_of "$b/etc/greeting")" "$context:c1,c2"
is "and its top folder" "$(label_of "$b")" "$context:c1,c2"
is "the other view's files keep theirs" "$(label_of "$a/etc/greeting")" "$ro_file"
is "the kernel knows the label" "$(dmsetup message web 0 view_list | cut -d ' ' -f 2-3)" \
	$'a -\nb '"$context:c1,c2"
is "its files are the same" "$(sha256sum <"$b/big")" "$(sha256sum <"$a/big")"
is "with the same numbers" "$(stat --format=%i "$b/big")" "$(stat --format=%i "$a/big")"
is "its top folder has the image's owner and mode" "$(stat --format='%a %u %g %Y' "$b")" \
	"$(stat --format='%a %u %g %Y' "$a")"
is "and the same entries" "$(ls -A "$b")" "$(ls -A "$a")"
nok "nobody writes to it" touch "$b/x"

c=$(rootviewctl create --label "$context:c3,c4" web c)
d=$(rootviewctl create --label "$context:c1,c2" web d)
is "another label at the same time" "$(label_of "$c/big")" "$context:c3,c4"
is "the same label is the same superblock" "$(stat --format=%d "$d")" "$(stat --format=%d "$b")"
isnt "another one is another" "$(stat --format=%d "$c")" "$(stat --format=%d "$b")"
e=$(rootviewctl create --label "$ro_file" web e)
is "the origin's own label costs nothing" "$(stat --format=%d "$e")" "$(stat --format=%d "$a")"
rootviewctl delete web e

# One page cache.

echo 3 >/proc/sys/vm/drop_caches
cat "$b/big" >/dev/null
before=$(sectors_read /dev/mapper/web)
cat "$a/big" "$c/big" "$d/big" >/dev/null
is "what one label has read, no other reads again" "$(sectors_read /dev/mapper/web)" "$before"

# The categories separate containers.

container=system_u:system_r:container_t:s0
ok "a container of its categories runs programs from the view" \
	runcon "$container:c1,c2" "$b/bin/true"
nok "one of other categories does not" runcon "$container:c3,c4" "$b/bin/true"
ok "any container runs programs from a shared view" runcon "$container:c3,c4" "$a/bin/true"

# What is left of a label.

variants_are()
{
	[ "$(mounted | grep -c /variants/)" = "$1" ]
}

is "each label is mounted once" "$(mounted | grep -c /variants/)" 2
rootviewctl delete web c
eventually "it goes with its last view" variants_are 1
rootviewctl delete web b
is "and not before" "$(mounted | grep -c /variants/)" 1
rootviewctl delete web d
eventually "the last one goes, too" variants_are 0

rootviewctl delete web a
rootviewctl origin remove web

# An image that stores no labels, and an origin that keeps what it stores.

make_image bare
rootviewctl origin add bare "$disk" --label native
a=$(rootviewctl create bare a)
like "what has no label in the image has none" "$(stat --format=%C "$a/etc/greeting")" \
	':unlabeled_t:'
b=$(rootviewctl create bare b --mount-point /data --mount-point /etc/added/file:file)
is "mount points are supplied all the same" \
	"$(stat --format=%F "$b/data" "$b/etc/added/file" | paste -sd ,)" \
	"directory,regular empty file"
is "with the label that containers share, and so is what is on the way" \
	"$(stat --format=%C "$b" "$b/etc" "$b/data" "$b/etc/added/file" | sort -u)" "$ro_file"
is "the rest is as it was" "$(cat "$b/etc/greeting"; stat --format=%C "$b/etc/greeting")" \
	"hello
$(stat --format=%C "$a/etc/greeting")"
is "a view can ask for the labels of the image" "$(rootviewctl create bare c --label native)" "$a"
is "and says so" "$(call ListViews '{"origin":"bare","name":"c"}' | jq -r '.views[].label')" native
like "beside one that has another" \
	"$(stat --format=%C "$(rootviewctl create bare d --label "$ro_file:c9")/etc/greeting")" "^$ro_file:c9\$"
rootviewctl delete bare a b c d
rootviewctl origin remove bare
rootviewctl origin add bare "$disk"
refused_call "where all files have one label, it cannot" io.rootview.InvalidLabel \
	'add it with the label .*native' CreateView '{"origin":"bare","name":"a","label":"native"}'
is "of which nothing is left" "$(dmsetup message bare 0 view_list)" ""
rootviewctl origin remove bare
nothing_left
done_testing
