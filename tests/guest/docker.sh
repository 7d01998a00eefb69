# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the tests with Docker share.  Sourced by docker-*.t, behind tap.sh; they
# have a line "# guest: --docker".
#
# dockerd runs in the tests' own domain, unconfined_t, and without networks.
# With --selinux-enabled a container writes to a terminal ("docker run -t") but
# to no pipe of unconfined_t: without one its output is lost.

# The versions that there are.
# shellcheck disable=SC2034 # for whoever sources this
docker_versions=(20.10 26.1)
docker_log=/tmp/dockerd.log
dockerd=
containerd=
path_without_docker=$PATH
# Without it "docker build" asks for a builder that Debian has not packed.
export DOCKER_BUILDKIT=0
# For all of it, and what it starts, is written in Go, and short-lived: an eighth of its time
# was to look for garbage.
export GOGC=off GOMEMLIMIT=256MiB

# On a disk of its own, as overlay2 cannot lie on another overlay, and a tmpfs
# would be the guest's memory.
modprobe -a erofs overlay
mkdir -p /run/versions /var/lib/docker
mount -t erofs -o ro "$ROOTVIEW_DOCKER" /run/versions
mkfs.ext4 -q -E nodiscard "$ROOTVIEW_SCRATCH"
mount "$ROOTVIEW_SCRATCH" /var/lib/docker
restorecon /var/lib/docker
cat >/run/containerd.toml <<'TOML'
version = 2
root = "/var/lib/docker/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
TOML

# use_docker VERSION: that of all programs, and of the containerd that runs.  It is
# started apart, as Debian does: it outlives dockerd, which gives one of its own 15
# seconds only.
use_docker()
{
	local path=/run/versions/$1/usr/bin:/run/versions/$1/usr/sbin:$path_without_docker

	[ "$PATH" != "$path" ] || return 0
	PATH=$path
	if [ -n "$containerd" ]; then
		kill "$containerd"
		wait "$containerd" || true
	fi
	containerd --config /run/containerd.toml >>"$docker_log" 2>&1 &
	containerd=$!
}

# start_docker VERSION [OPTION...]: returns when it answers; "docker" is then of
# the same version.
start_docker()
{
	local version=$1
	shift

	use_docker "$version"
	rm -f /run/docker.sock
	dockerd --containerd /run/containerd/containerd.sock --iptables=false --bridge=none \
		"$@" >>"$docker_log" 2>&1 &
	dockerd=$!
	until [ -S /run/docker.sock ] || ! kill -0 "$dockerd" 2>/dev/null; do
		sleep 0.1
	done
	# It listens early, and answers when it is ready.
	if ! docker version >/dev/null 2>&1; then
		diag "dockerd $version does not answer: $(tail -n 20 "$docker_log")"
		exit 1
	fi
}

# stop_docker [SIGNAL]: its exit status is then in $status.
stop_docker()
{
	status=0
	kill -s "${1:-TERM}" "$dockerd"
	# shellcheck disable=SC2034 # for whoever calls this
	wait "$dockerd" 2>/dev/null || status=$?
}

# import_small NAME: an image that has a shell and little more, for a guest takes
# half a minute for a whole Debian.
import_small()
{
	local folder name
	folder=$(mktemp -d)

	mkdir "$folder/bin" "$folder/etc"
	cp /bin/busybox "$folder/bin/"
	for name in cat ls mkdir rm sh sleep stat touch true; do
		ln -s busybox "$folder/bin/$name"
	done
	echo hello >"$folder/etc/greeting"
	tar --create --directory "$folder" . | docker import - "$1"
	rm -r "$folder"
}
