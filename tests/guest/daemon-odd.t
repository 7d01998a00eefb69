#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What is odd in one place fails nothing elsewhere: names that are no UTF-8, and ACLs that
# name somebody whom an id map lacks.
# variants: (debug)
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

make_image web
image=$disk
mount "$image" /mnt
# acl ID: of the owner, the user ID, the group, the mask, and others; as the kernel stores it.
acl()
{
	local id
	id=$(printf '%08x' "$1" | sed 's/\(..\)\(..\)\(..\)\(..\)/\4\3\2\1/')
	echo "0x0200000001000700ffffffff02000700${id}04000500ffffffff10000700ffffffff20000500ffffffff"
}
mkdir /mnt/inside /mnt/outside
setfattr --name=system.posix_acl_access --value="$(acl 1000)" /mnt/inside
setfattr --name=system.posix_acl_access --value="$(acl 70000)" /mnt/outside
umount /mnt
start_daemon
rootviewctl origin add web "$image"

# Names, by hand.
rootviewctl create web good >/dev/null
make_disk odd 8
mkfs.ext4 -q "$disk"
name=$'odd\xff'
dmsetup --manglename none create -r "$name" --table "0 16384 rootview $disk"
view=''
! dmsetup --manglename none message web 0 view_create $'view\xff' 2>/dev/null || view=1
is "a list has an origin whose name is no UTF-8" "$(call ListOrigins | jq -r ".origins[].name" | sort | paste -sd " ")" "odd? web"
is "and a list of views has the others" "$(call ListViews | jq -r '.views[].name' | head -n 1)" good
if [ -n "$view" ]; then
	is "and a view with such a name" "$(call ListViews | jq -r '.views[1].name')" 'view?'
	dmsetup --manglename none message web 0 view_delete $'view\xff'
else
	ok_skip "and a view with such a name" "the module takes none"
fi
dmsetup --manglename none remove "$name"

# ACLs.
range='[{"inside":0,"outside":100000,"count":65536}]'
create_with mapped "\"idMap\":{\"uid\":$range,\"gid\":$range},\"mountPoints\":[
	{\"path\":\"/inside/new\"},{\"path\":\"/outside/new\"}]"
ok "an ACL that names somebody outside the map does not fail a view" \
	test -d "$path/inside/new" -a -d "$path/outside/new"
acl_of()
{
	getfattr --only-values --name=system.posix_acl_access "$1" 2>/dev/null | od -An -v -tx1 | tr -d ' \n'
}
is "who is in the map stays in an ACL" "$(acl_of "$path/inside")" "$(acl 101000 | cut -c 3-)"
is "who is not is dropped" "$(acl_of "$path/outside")" \
	0200000001000700ffffffff04000500ffffffff10000700ffffffff20000500ffffffff
like "which the log says" "$(cat "$log")" '"/outside/" supplies mount points, and loses 1 entries of system.posix_acl_access'
is "and of none else" "$(grep -c 'supplies mount points, and loses' "$log")" 1
rootviewctl delete web mapped
rootviewctl delete web good
eventually "the origin is removed" rootviewctl origin remove web
nothing_left
done_testing
