#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --docker --memory 2048 --timeout 900
#
# Docker on rootview-graphdriver: images, writable containers, and containers that
# share their image's file system.  The second version finds what the first has left.
set -euo pipefail
. tests/tap.sh
. tests/guest/docker-driver.sh

folder=$(mktemp -d)
cat >"$folder/Dockerfile" <<'DOCKERFILE'
FROM small
RUN ["/bin/touch", "/made"]
RUN ["/bin/rm", "/etc/greeting"]
COPY copied /
DOCKERFILE
echo content >"$folder/copied"

# Writes that after it has written all else.
runs_in_folder()
{
	[ "$(docker logs first)" = /new/folder ]
}

# layers_of NAME: sums of the layers' archives in /tmp/NAME.tar, whatever its manifest is.
layers_of()
{
	mkdir "/tmp/$1"
	tar --extract --file "/tmp/$1.tar" --directory "/tmp/$1"
	(cd "/tmp/$1" && find . -name layer.tar -o -path '*/sha256/*' | sort | xargs sha256sum)
	rm -r "/tmp/${1:?}"
}

# make_images: by commit, build and load.
make_images()
{
	docker create --name changed --network none small \
		/bin/sh -c 'echo x >/etc/new; rm /etc/greeting' >/dev/null
	docker start --attach changed
	is "$version: diff says what it wrote" "$(docker diff changed | sort)" \
		$'A /etc/new\nC /etc\nD /etc/greeting'
	ok "$version: commit makes an image of it" docker commit changed committed
	is "$version: with that" "$(run committed /bin/ls /etc | grep -e new -e greeting)" new
	docker rm changed >/dev/null
	docker rmi committed >/dev/null

	ok "$version: builds an image" docker build --quiet --no-cache --network none --tag built "$folder"
	is "$version: with what its layers make" \
		"$(run built /bin/sh -c 'ls /made /copied /etc/greeting 2>/dev/null' | paste -sd ' ')" \
		"/copied /made"
	docker save --output /tmp/first.tar built
	docker rmi built >/dev/null
	ok "$version: loads what it saved" docker load --quiet --input /tmp/first.tar
	docker save --output /tmp/second.tar built
	is "$version: and saves the same again" "$(layers_of first)" "$(layers_of second)"
}

for version in "${docker_versions[@]}"; do
	start_driver
	start_on "$version"
	info=$(docker info 2>/dev/null)
	like "$version: docker info names the driver and its pool" "$info" \
		$'Storage Driver: rootview\n +Pool: docker-pool\n +Pool State: writable\n'
	like "$version: and says that it is on a loop device" "$info" 'On Loop Device: yes'
	if [ "$version" = "${docker_versions[0]}" ]; then
		ok "$version: imports an image" import_small small
	else
		is "$version: has the image that $previous imported" \
			"$(docker image ls --format '{{.Repository}}' small)" small
		is "$version: and the container, with what it has written" \
			"$(docker start --attach kept)" kept
		ok "$version: which can be removed" docker rm kept
	fi
	previous=$version

	is "$version: runs a container" "$(run small /bin/cat /etc/greeting)" hello
	is "$version: which can write" "$(run small /bin/sh -c 'echo new >/new; cat /new')" new
	is "$version: in a file system of the size that it asks for" \
		"$(run --storage-opt size=1G small /bin/stat -f -c %b / |
			awk '{ print ($1 > 230000 && $1 < 262145) ? "yes" : $1 }')" yes
	# Nothing of it depends on the version, and it takes long.
	[ "$version" = "${docker_versions[0]}" ] || make_images

	# The driver has a connection to the one that ends.
	kill_daemon TERM
	start_daemon
	is "$version: one that shares its image reads it" \
		"$(run "${shared[@]}" small /bin/cat /etc/greeting)" hello
	is "$version: no view is left" "$(call ListViews | jq '.views | length')" 0
	like "$version: one whose mount points are named mounts on them" \
		"$(run "${shared[@]}" --storage-opt mount-points=/named/deep:/there --tmpfs /there \
			--volume "named-$version:/named/deep" small \
			/bin/sh -c 'echo named >/named/deep/file; touch /there/x; cat /named/deep/file')" named
	is "$version: no other has them" "$(run "${shared[@]}" small /bin/ls / | grep -e named -e there)" ""
	before=$(numbers_in_pool docker | wc -w)
	begin first "${shared[@]}" small /bin/sleep 1000
	begin second "${shared[@]}" small /bin/sleep 1000
	is "$version: two have a view each" \
		"$(call ListViews | jq '.views | length')" 2
	is "$version: at one path" "$(call ListViews | jq '[.views[].path] | unique | length')" 1
	is "$version: and no volume in the pool" "$(numbers_in_pool docker | wc -w)" "$before"
	is "$version: nothing differs in them" "$(docker diff first)" ""
	like "$version: docker info counts them" "$(docker info 2>/dev/null)" 'Views: [24]'
	docker rm --force first second >/dev/null
	is "$version: no view is left of them" "$(call ListViews | jq '.views | length')" 0

	# What is read-only shares its image by itself, with what it mounts.
	before=$(numbers_in_pool docker | wc -w)
	is "$version: a read-only container reads its image" \
		"$(run --read-only small /bin/cat /etc/greeting)" hello
	like "$version: and writes nothing" \
		"$(run --read-only small /bin/touch /etc/new 2>&1 || true)" 'Read-only file system'
	begin first --read-only --init=false --volume "volume-$version:/volume/deep" \
		--tmpfs /temporary --workdir /new/folder small \
		/bin/sh -c 'echo x >/volume/deep/x; echo y >/temporary/y; pwd; sleep 1000'
	eventually "$version: it runs in its folder" runs_in_folder
	is "$version: it has a view" "$(call ListViews | jq '.views | length')" 1
	is "$version: and no volume in the pool" "$(numbers_in_pool docker | wc -w)" "$before"
	is "$version: what it wrote is in its own volumes" \
		"$(docker exec first /bin/cat /volume/deep/x /temporary/y | paste -sd ' ')" "x y"
	is "$version: nothing differs in it" "$(docker diff first)" ""
	is "$version: no other sees what it mounts on" \
		"$(run --read-only small /bin/ls / | grep -e volume -e temporary -e new)" ""
	is "$version: nor one that can write" \
		"$(run small /bin/ls / | grep -e volume -e temporary -e new)" ""
	docker stop --time 0 first >/dev/null
	docker start first >/dev/null
	is "$version: it can be started again" "$(docker exec first /bin/cat /volume/deep/x)" x
	is "$version: with the view that it had" "$(call ListViews | jq '.views | length')" 1
	docker rm --force first >/dev/null
	is "$version: the volume outlives it" \
		"$(run --read-only --volume "volume-$version:/v" small /bin/cat /v/x)" x
	is "$version: its view does not" "$(call ListViews | jq '.views | length')" 0

	docker run --name kept --network none small /bin/sh -c \
		'if [ -e /kept ]; then cat /kept; else echo kept >/kept; fi'
	stop_docker
	is "$version: dockerd ends" "$status" 0
	stop_driver
	is "$version: the driver ends" "$status" 0
	[ "$version" != "${docker_versions[-1]}" ] || break
done

start_driver
start_on "$version"
docker rm --force kept >/dev/null
docker system prune --all --force >/dev/null
is "prune removes the images" "$(docker image ls --quiet)" ""
is "and of all layers the empty one is left" "$(numbers_in_pool docker | wc -w)" 1
is "no origin is left" "$(call ListOrigins | jq '.origins | length')" 0
stop_docker
stop_driver
done_testing
