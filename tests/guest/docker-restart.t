#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --docker --memory 2048 --timeout 900
#
# dockerd and its driver end and start again while containers run, with SELinux
# enabled in Docker: each container goes on with its own files, and has its own label.
set -euo pipefail
. tests/tap.sh
. tests/guest/docker-driver.sh

version=${docker_versions[-1]}
containers=(writable readonly shared)

# check DESCRIPTION: all three are as they were made.
check()
{
	local name root
	is "$1: all of them run" "$(docker_api /containers/json | jq -r '[.[].Names[0]] | sort | join(" ")')" \
		"/readonly /shared /writable"
	for name in "${containers[@]}"; do
		root=$(root_of "$name")
		is "$1: $name reads its image" "$(cat "$root/etc/greeting")" hello
		is "$1: $name is the process that it was" "$root" "${roots[$name]}"
	done
	is "$1: what was written is there" "$(cat "${roots[writable]}/kept")" kept
	is "$1: in the volume, too" "$(cat "${roots[readonly]}/new/volume/file")" volume
	is "$1: a command can be run in one" \
		"$(docker exec --tty readonly /bin/cat /new/volume/file | tr -d '\r')" volume
	is "$1: views are as many as containers" \
		"$(call ListViews | jq '.views | length')" 2
}

start_all()
{
	start_on "$version" --selinux-enabled "$@"
}

start_driver
start_all --live-restore
import_small small
begin writable small /bin/sh -c 'echo kept >/kept; sleep 1000'
begin readonly --read-only --volume there:/new/volume small \
	/bin/sh -c 'echo volume >/new/volume/file; sleep 1000'
begin shared "${shared[@]}" small /bin/sleep 1000
declare -A roots
for name in "${containers[@]}"; do
	roots[$name]=$(root_of "$name")
done
has_written()
{
	[ -s "${roots[writable]}/kept" ] && [ -s "${roots[readonly]}/new/volume/file" ]
}
eventually "both have written" has_written
check "at the beginning"

# Labels.
label_of()
{
	tr --delete '\0' <"${roots[$1]%/root}/attr/current"
}
is "a container has Docker's label" \
	"$(docker inspect --format '{{.MountLabel}}' writable)" \
	"$(stat --format=%C "${roots[writable]}/etc/greeting")"
like "with categories of its own" "$(docker inspect --format '{{.MountLabel}}' writable)" \
	':container_file_t:s0:c[0-9]+,c[0-9]+$'
like "its process has them, too" "$(label_of writable)" ':container_t:s0:c'
like "that of a read-only one is confined, too" "$(label_of readonly)" ':container_t:s0:c'
like "which has a label that all may read" \
	"$(stat --format=%C "${roots[readonly]}/etc/greeting")" ':s0$'
is "and that of the image's own mount" "$(stat --format=%C "${roots[shared]}/etc/greeting")" \
	"$(stat --format=%C "${roots[readonly]}/etc/greeting")"
like "its volume has one that containers may write to" \
	"$(stat --format=%C "${roots[readonly]}/new/volume")" ':container_file_t:'

stop_docker TERM
is "dockerd ends" "$status" 0
start_all --live-restore
check "after dockerd's end"

stop_docker KILL
start_all --live-restore
check "after dockerd was killed"

stop_driver KILL
stop_docker KILL
start_driver
start_all --live-restore
check "after both were killed"

stop_driver TERM
is "the driver ends" "$status" 0
start_driver
is "a driver that was started anew runs another container" \
	"$(run --tty --read-only small /bin/cat /etc/greeting | tr -d '\r')" hello
check "after the driver's restart"

# Without live-restore dockerd stops containers, and starts those that are to run always.
docker update --restart always readonly >/dev/null
stop_docker TERM
start_all
runs_again()
{
	[ "$(docker_api /containers/json | jq -r '.[].Names[0]')" = /readonly ]
}
eventually "one starts again by itself" runs_again
is "with its view" "$(cat "$(root_of readonly)/etc/greeting")" hello
docker start writable >/dev/null
is "one that can write has what it wrote" "$(cat "$(root_of writable)/kept")" kept
stop_docker TERM
is "dockerd ends, and its containers with it" "$(pgrep --count --exact sleep)" 0
start_all
eventually "one starts again then, too" runs_again
stop_docker KILL
start_all
eventually "one that ran when dockerd was killed starts again" runs_again
docker rm --force "${containers[@]}" >/dev/null
is "no view is left" "$(call ListViews | jq '.views | length')" 0
is "no layer is mounted" "$(grep ' /var/lib/docker/rootview/mnt/' /proc/self/mountinfo)" ""
docker rmi small >/dev/null
is "and none is left, but the empty one" "$(numbers_in_pool docker | wc -w)" 1
stop_docker
stop_driver
done_testing
