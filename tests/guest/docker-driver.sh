# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the tests of Docker on rootview-graphdriver share: a pool, rootviewd, the
# driver.  Sourced by docker-*.t, behind tap.sh.
. tests/guest/docker.sh
. tests/guest/daemon.sh
. tests/guest/layers.sh

truncate --size=5G /var/lib/docker/pool.img
disk=$(losetup --find --show /var/lib/docker/pool.img)
make_pool docker "$disk" 5000 64 error_if_no_space
mkdir -p /run/docker/plugins
start_daemon

driver=
driver_log=/tmp/driver.log
start_driver()
{
	rootview-graphdriver >>"$driver_log" 2>&1 &
	driver=$!
}

# stop_driver [SIGNAL]: its exit status is then in $status.
stop_driver()
{
	status=0
	kill -s "${1:-TERM}" "$driver"
	# shellcheck disable=SC2034 # for whoever calls this
	wait "$driver" 2>/dev/null || status=$?
}

# start_on VERSION [OPTION...]: with its own runc, or, the last one, with crun, which RHEL 9's
# engine has.  That is in C, and takes the guest less time to start.
start_on()
{
	local runtime=()

	[ "$1" != "${docker_versions[-1]}" ] ||
		runtime=(--add-runtime crun=/usr/bin/crun --default-runtime crun)
	start_docker "$1" --experimental --storage-driver rootview \
		--storage-opt rootview.pool=/dev/mapper/docker-pool \
		--storage-opt rootview.size=512M "${runtime[@]}" "${@:2}"
}

# run [OPTION...] IMAGE COMMAND...: a container that is removed when it ends.
run()
{
	docker run --rm --network none "$@"
}

# begin NAME [OPTION...] IMAGE COMMAND...: one that goes on.
begin()
{
	docker run --detach --network none --name "$@" >/dev/null
}

# docker_api PATH [CURL_OPTION]...: the same as with "docker", which takes a second to start.
docker_api()
{
	curl --silent --show-error --fail --unix-socket /run/docker.sock "http://docker$1" "${@:2}"
}

# root_of CONTAINER: the path of its root, by its first process.
root_of()
{
	echo "/proc/$(docker_api "/containers/$1/json" | jq .State.Pid)/root"
}

# shellcheck disable=SC2034 # for whoever sources this
shared=(--storage-opt shared-rootfs=true --read-only)
