#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --docker --memory 2048 --timeout 900
#
# Images on Docker's driver, byte by byte: a real Debian, and files of every kind.
# What goes in comes out again, also with another version of Docker.
set -euo pipefail
. tests/tap.sh
. tests/guest/docker-driver.sh

start_driver
start_on 26.1 --storage-opt rootview.size=1G

# layer_of FILE INDEX: what "docker save" has written of a layer (the lowest is 0).
layer_of()
{
	local path
	path=$(tar --extract --to-stdout --file "$1" manifest.json | jq -r ".[0].Layers[$2]")
	tar --extract --to-stdout --file "$1" "$path"
}

# sum_of FOLDER: one of all that an archive can tell about what is in it.
sum_of()
{
	tar --create --directory "$1" --sort=name --format=posix --numeric-owner --xattrs \
		--xattrs-include='user.*' --xattrs-include=security.capability \
		--pax-option=delete=atime,delete=ctime,exthdr.name=header . | sha256sum
}

ok "a real Debian is imported" docker import "$ROOTVIEW_IMAGE" debian
is "it runs" "$(run --read-only debian /usr/bin/dpkg-query --show --showformat '${Status}' base-files)" \
	"install ok installed"
is "as one that can write, too" \
	"$(run debian /bin/bash -c 'dpkg --remove --force-all bash >/dev/null 2>&1; dpkg-query --show --showformat "\${Status}" bash')" \
	"deinstall ok config-files"
docker save --output /var/lib/docker/debian.tar debian
ok "what is saved is what was imported" \
	cmp <(layer_of /var/lib/docker/debian.tar 0) "$ROOTVIEW_IMAGE"

# Files of every kind.
odd=/var/lib/docker/tree/odd
mkdir -p "$odd/folder/below" /var/lib/docker/tree/{bin,etc}
cp /bin/busybox /var/lib/docker/tree/bin/
ln -s busybox /var/lib/docker/tree/bin/sh
echo text >"$odd/file"
ln "$odd/file" "$odd/hard"
ln -s nowhere "$odd/link"
ln "$odd/link" "$odd/hard-link-of-link"
mknod "$odd/char" c 4 300
mknod "$odd/block" b 259 70000
mkfifo "$odd/fifo"
truncate --size=50M "$odd/sparse"
echo end >>"$odd/sparse"
cp /bin/true "$odd/capable"
setcap cap_net_raw+ep "$odd/capable"
cp /bin/true "$odd/setuid"
chown 70000:2000000000 "$odd/setuid" "$odd/folder"
chmod 6755 "$odd/setuid"
chmod 1777 "$odd/folder"
setfattr --name=user.key --value=value "$odd/file" "$odd/folder"
echo latin >"$odd/"$'latin-\xe9'
echo long >"$odd/folder/$(printf 'n%.0s' {1..255})"
echo line >"$odd/"$'new\nline'
echo x >"$odd/folder/below/x"
touch --date='1970-01-01 00:00:01.123456789 UTC' "$odd/file"
touch --date='2100-01-01 UTC' "$odd/folder"
# Not --sparse: what Docker imports of such an archive it cannot save, on overlay2 neither.
tar --create --directory /var/lib/docker/tree --format=posix --xattrs --xattrs-include='user.*' \
	--xattrs-include=security.capability --numeric-owner . >/var/lib/docker/odd.tar
ok "files of every kind are imported" docker import /var/lib/docker/odd.tar odd
begin odd odd /bin/sh -c 'busybox sleep 1000'
is "and are in a container as they were" "$(sum_of "$(root_of odd)/odd")" "$(sum_of "$odd")"
is "a sparse file is one there, too" \
	"$(($(stat --format=%b "$(root_of odd)/odd/sparse") < 1000))" 1
docker rm --force odd >/dev/null
begin odd --read-only odd /bin/sh -c 'busybox sleep 1000'
is "in a read-only one, too" "$(sum_of "$(root_of odd)/odd")" "$(sum_of "$odd")"
docker rm --force odd >/dev/null
docker save --output /var/lib/docker/odd-saved.tar odd
ok "they are saved as they were" cmp <(layer_of /var/lib/docker/odd-saved.tar 0) /var/lib/docker/odd.tar

# A layer that changes all of them.
begin changes odd /bin/sh -c 'cd /odd && busybox rm hard link sparse char && busybox rm -r folder &&
	busybox mkdir folder && echo new >folder/new && busybox ln file hard-again &&
	busybox chmod 600 setuid && busybox mknod char c 1 3 && busybox chown 7:8 fifo &&
	echo more >>hard-link && busybox sleep 1000'
has_changed()
{
	[ -e "$(root_of changes)/odd/hard-link" ]
}
eventually "a container changes them" has_changed
wanted=$(sum_of "$(root_of changes)/odd")
is "diff says what" "$(docker diff changes | grep odd | sed 's/nnn*/nnn/' | sort)" "$(sort <<'END'
C /odd
D /odd/hard
D /odd/link
D /odd/sparse
C /odd/char
C /odd/folder
A /odd/folder/new
A /odd/hard-again
C /odd/setuid
C /odd/fifo
A /odd/hard-link
C /odd/file
D /odd/folder/below
D /odd/folder/nnn
END
)"
docker cp changes:/odd/folder/new /tmp/copied
is "a file is copied out of it" "$(cat /tmp/copied)" new
echo in >/tmp/in
docker cp /tmp/in changes:/odd/folder/in
is "and into it" "$(cat "$(root_of changes)/odd/folder/in")" in
rm "$(root_of changes)/odd/folder/in"
docker commit changes changed >/dev/null
wanted=$(sum_of "$(root_of changes)/odd")
docker export changes | tar --list >/tmp/exported
ok "an export has what it has" grep -qx odd/folder/new /tmp/exported
nok "and not what is gone" grep -qx odd/link /tmp/exported
docker rm --force changes >/dev/null
begin changed --read-only changed /bin/sh -c 'busybox sleep 1000'
is "an image made of it has the same" "$(sum_of "$(root_of changed)/odd")" "$wanted"
docker rm --force changed >/dev/null
docker save --output /var/lib/docker/changed.tar changed
docker rmi changed odd debian >/dev/null
stop_docker
stop_driver

# Another version of Docker.
start_driver
start_on 20.10
ok "20.10 loads what 26.1 has saved" docker load --quiet --input /var/lib/docker/changed.tar
begin changed --read-only changed /bin/sh -c 'busybox sleep 1000'
is "and has the same" "$(sum_of "$(root_of changed)/odd")" "$wanted"
docker rm --force changed >/dev/null
docker save --output /var/lib/docker/again.tar changed
for layer in 0 1; do
	ok "and saves layer $layer as it was" cmp <(layer_of /var/lib/docker/again.tar "$layer") \
		<(layer_of /var/lib/docker/changed.tar "$layer")
done
ok "it loads the Debian" docker load --quiet --input /var/lib/docker/debian.tar
is "which runs" "$(run --read-only debian /bin/cat /etc/debian_version)" \
	"$(tar --extract --to-stdout --file "$ROOTVIEW_IMAGE" ./etc/debian_version)"
stop_docker
stop_driver
done_testing
