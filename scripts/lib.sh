# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034 # used by those that source this
#
# What the scripts share: where things lie, how they speak, and the lock.
# Sourced, never run.

TREE=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
SCRIPTS=$TREE/scripts
# What is made outside the work tree, shared by all work trees of the machine.
CACHE=$(realpath -m "${ROOTVIEW_CACHE:-/var/cache/rootview}")
# The reference machine: a Debian root folder, and the disk made of it.
ROOT=$CACHE/root
DISK=$CACHE/root.img
# The file system of the containers, as a tar archive.
IMAGE=$CACHE/image.tar
# The disk with Docker, for tests that want it.
DOCKER=$CACHE/docker.img
# The size in bytes of the disks by which a guest gets files, whatever they are: a
# saved machine knows it.
FILES_SIZE=$((128 * 1024 * 1024))
# What is built of this work tree.
BUILD=$CACHE/build/$(printf '%s' "$TREE" | sha256sum | cut -c 1-12)

# One clock for a script and all those that it calls.
export ROOTVIEW_STARTED=${ROOTVIEW_STARTED:-$(date +%s)}

say()
{
	printf '[%4d s] %s\n' "$(($(date +%s) - ROOTVIEW_STARTED))" "$*" >&2
}

die()
{
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
	exit 1
}

# The version of the project: dkms.conf has it.
version()
{
	sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' "$TREE/dkms.conf"
}

must_be_root()
{
	[ "$(id -u)" = 0 ] || die "must be run as root"
}

# Waits until no other script sets up or builds; the lock ends with the script
# and is inherited by those that it calls.
lock_cache()
{
	[ -z "${ROOTVIEW_LOCKED:-}" ] || return 0
	mkdir -p "$CACHE"
	exec 9>"$CACHE/lock"
	if ! flock --nonblock 9; then
		say "waiting for another set-up or build in $CACHE"
		flock 9
	fi
	export ROOTVIEW_LOCKED=1
}

# recipe TEXT FILE...: one hash over all that a product is made from.
recipe()
{
	local text=$1
	shift
	{
		printf '%s\n' "$text"
		cat -- "$@"
	} | sha256sum | cut -c 1-64
}

# newest_kernel [ROOT]: the version of the newest kernel of a machine, by default
# the reference machine.
newest_kernel()
{
	find "${1:-$ROOT}/boot/" "${1:-$ROOT}/lib/modules/" -mindepth 1 -maxdepth 2 \
		\( -path '*/boot/vmlinuz-*' -o -path '*/lib/modules/*/vmlinuz' \) 2>/dev/null |
		sed 's,.*/vmlinuz-,,; s,/vmlinuz$,,; s,.*/,,' | sort -V | tail -n 1 || true
}

# kernel_image ROOT VERSION: the file that boots; RHEL's packages have it beside its modules.
kernel_image()
{
	local image=$1/boot/vmlinuz-$2

	[ -e "$image" ] || image=$1/lib/modules/$2/vmlinuz
	echo "$image"
}

# all_kernels: the series that scripts/kernels names, but the one for debugging.
all_kernels()
{
	sed -n '/[[:blank:]]source$/d; s/^\([^#[:blank:]]\+\)[[:blank:]].*/\1/p' "$SCRIPTS/kernels"
}

# A kernel is one of scripts/kernels, by its series, or a folder that somebody has: with
# boot/vmlinuz-VERSION or lib/modules/VERSION/vmlinuz, and with its modules as
# "make modules_install INSTALL_MOD_PATH=FOLDER" installs them.  A name with a slash in it is one.

# kernel_root [KERNEL]: the root folder of the machine that has the kernel.
kernel_root()
{
	if [[ $1 == */* ]]; then
		realpath -m "$1"
	elif [ -z "$1" ] || grep -q "^$1[[:blank:]]*reference$" "$SCRIPTS/kernels"; then
		echo "$ROOT"
	else
		echo "$CACHE/kernels/$1"
	fi
}

# kernel_name KERNEL: what is built for it is called by.
kernel_name()
{
	if [[ $1 == */* ]]; then
		echo "folder-$(kernel_root "$1" | sha256sum | cut -c 1-8)"
	else
		echo "$1"
	fi
}

# guest_name [KERNEL]: what a guest boots from is called by.
guest_name()
{
	if [[ $1 == */* ]]; then
		kernel_name "$1"
	else
		newest_kernel "$(kernel_root "$1")"
	fi
}

# check_kernel_folder FOLDER: dies if a guest cannot boot from it.
check_kernel_folder()
{
	local version

	[ -d "$1" ] || die "$1: there is no such folder"
	version=$(newest_kernel "$1")
	[ -n "$version" ] || die "$1: has neither boot/vmlinuz-VERSION nor lib/modules/VERSION/vmlinuz"
	[ -e "$1/lib/modules/$version/modules.dep" ] ||
		die "$1: kernel $version has no modules in lib/modules/$version, or depmod did not see them"
}

# set_builder [KERNEL]: sets "builder" to what in-root takes to build modules for it: the
# kernel's own machine, or, for a folder, the reference machine with that kernel's modules,
# and with its headers where their packages have them, or where it was built on this host.
# Sets "build_with" to what make takes: the reference machine has none but its own compiler.
set_builder()
{
	local folder modules path link

	folder=$(kernel_root "$1")
	builder=("$folder")
	build_with=()
	[[ $1 == */* ]] || return 0
	modules=lib/modules/$(newest_kernel "$folder")
	build_with=(CC=gcc)
	builder=("$ROOT" --scratch --bind-ro "$folder/$modules:/usr/$modules")
	for path in "$folder"/usr/src/*/ "$folder"/usr/lib/linux-kbuild-*/; do
		[ ! -d "$path" ] || builder+=(--bind-ro "$path:${path#"$folder"}")
	done
	for link in build source; do
		path=$(readlink "$folder/$modules/$link") || continue
		[ -e "$folder$path" ] || [ ! -d "$path" ] || builder+=(--bind-ro "$path:$path")
	done
}

# sanitizer_folder VARIANT: of the build folder, the one with what was built with that
# sanitizer; nothing if it is none.
sanitizer_folder()
{
	case $1 in
	address) echo sanitized ;;
	thread) echo thread ;;
	esac
}

# longest_first TEST...: those that may take the longest come first, or the last of them
# would run alone while all others have ended.
longest_first()
{
	local test limit

	for test; do
		limit=$(sed -n 's/^# guest: .*--timeout \([0-9]*\).*/\1/p' "$TREE/${test%@*}")
		printf '%s %s\n' "${limit:-0}" "$test"
	done | sort --stable --numeric-sort --reverse --key=1,1 | cut -d ' ' -f 2-
}

# pad_files TAR: makes it a disk for a guest.
pad_files()
{
	[ "$(stat --format=%s "$1")" -le "$FILES_SIZE" ] || die "$1 is larger than $FILES_SIZE bytes"
	truncate --size="$FILES_SIZE" "$1"
}

# logged FILE COMMAND...: shows the output only if the command fails.
logged()
{
	local log=$1
	shift
	mkdir -p "$(dirname "$log")"
	if ! "$@" >"$log" 2>&1 </dev/null; then
		tail -n 60 "$log" >&2
		die "failed: $* (all of it in $log)"
	fi
}

# copy_module_sources FOLDER: what the module is built from, so that kbuild's
# droppings stay out of the work tree.  Only what changed is copied, or make
# would build everything each time; and a source that is gone must not be found
# in the copy either.
copy_module_sources()
{
	local parts=(Kbuild kmod include) file

	mkdir -p "$1"
	(cd "$TREE" && find "${parts[@]}" -type f) | while read -r file; do
		cmp -s "$TREE/$file" "$1/$file" || install -D -m 644 "$TREE/$file" "$1/$file"
	done
	(cd "$1" && find "${parts[@]}" -name '*.[ch]') | while read -r file; do
		[ -e "$TREE/$file" ] || rm "$1/$file"
	done
}
