#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --docker --timeout 600
#
# That a guest runs Docker at all, with the storage driver that Docker brings
# along: what fails here is no fault of ours.  The second version finds what the
# first has left.
set -euo pipefail
. tests/tap.sh
. tests/guest/docker.sh

folder=$(mktemp -d)
cat >"$folder/Dockerfile" <<'DOCKERFILE'
FROM small
RUN ["/bin/touch", "/made"]
COPY copied /
DOCKERFILE
echo content >"$folder/copied"

for version in "${docker_versions[@]}"; do
	start_docker "$version" --storage-driver overlay2 --selinux-enabled
	is "$version: it has the driver that it was told to have" \
		"$(docker info --format '{{.Driver}}' 2>/dev/null)" overlay2
	if [ "$version" = "${docker_versions[0]}" ]; then
		ok "$version: imports an image" import_small small
	else
		is "$version: has the image that $previous imported" \
			"$(docker image ls --format '{{.Repository}}' small)" small
	fi
	previous=$version
	ok "$version: runs a container" docker run --rm --network none small /bin/true
	like "$version: one that may not write, in SELinux's domain for containers" \
		"$(docker run --rm -t --network none --read-only small /bin/sh -c \
			'cat /proc/self/attr/current; touch /new' | tr -d '\0')" \
		'^system_u:system_r:container_t:s0:c[0-9]+,c[0-9]+.*Read-only file system'
	ok "$version: builds an image" docker build --no-cache --network none --tag built "$folder"
	ok "$version: saves it" docker save --output /tmp/built.tar built
	ok "$version: removes it" docker image rm built
	ok "$version: loads it" docker load --input /tmp/built.tar
	is "$version: with a layer for each step" \
		"$(docker image inspect --format '{{len .RootFS.Layers}}' built)" 3
	stop_docker
	is "$version: SIGTERM ends it with status 0" "$status" 0
done
done_testing
