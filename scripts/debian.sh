# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# How a root folder with a Debian in it is made.  Sourced after lib.sh.

# new_debian SUITE FOLDER LOG: a minimal Debian, up to date, from where this
# machine takes its own packages.
new_debian()
{
	local suite=$1 folder=$2 log=$3
	local sources mirror security certificates='' expiry=''

	mkdir -p "$CACHE/debs"
	rm -rf --one-file-system "$folder"
	sources=$("$SCRIPTS/apt-source" "$CACHE/keyring.gpg")
	mirror=$(awk '$1 == "main" { print $2 }' <<<"$sources")
	security=$(awk '$1 == "security" { print $2 }' <<<"$sources")
	# What is not released yet has no security updates.
	[ "$suite" != sid ] || security=
	if command -v apt-config >/dev/null; then
		eval "$(apt-config shell http_proxy Acquire::http::Proxy \
			https_proxy Acquire::https::Proxy)"
		export http_proxy=${http_proxy:-} https_proxy=${https_proxy:-}
		# A frozen mirror of one's own is older than what is not released
		# yet allows; whoever has one has told apt so.
		expiry=$(apt-config dump --format '%F "%V";%n' \
			Acquire::Check-Valid-Until Acquire::Check-Date)
	fi
	[[ $mirror$security != *https:* ]] || certificates=ca-certificates

	# In namespaces of its own: debootstrap mounts, and must not leave that behind.
	logged "$log" unshare --mount --propagation private --pid --fork --kill-child \
		--mount-proc debootstrap --variant=minbase --keyring="$CACHE/keyring.gpg" \
		--cache-dir="$CACHE/debs" ${certificates:+--include="$certificates"} \
		"$suite" "$folder" "$mirror"

	echo "deb $mirror $suite main" >"$folder/etc/apt/sources.list"
	[ -z "$security" ] ||
		echo "deb $security $suite-security main" >>"$folder/etc/apt/sources.list"
	echo "$expiry" >"$folder/etc/apt/apt.conf.d/rootview"
	# A mirror of one's own may have a key and a certificate of its own.
	cp "$CACHE/keyring.gpg" "$folder/etc/apt/trusted.gpg.d/rootview.gpg"
	[ -z "$certificates" ] ||
		cp /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/ca-certificates.crt"
	cat >"$folder/etc/dpkg/dpkg.cfg.d/rootview" <<-'CONFIG'
		force-unsafe-io
		path-exclude=/usr/share/doc/*
		path-exclude=/usr/share/info/*
		path-exclude=/usr/share/locale/*
		path-exclude=/usr/share/man/*
	CONFIG
	# No package starts a service.
	printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
	chmod +x "$folder/usr/sbin/policy-rc.d"

	in_debian "$folder" "$log" apt-get -q update
	in_debian "$folder" "$log" apt-get -q -y upgrade
}

# in_debian FOLDER LOG COMMAND...: with the packages that were downloaded before.
# No package builds an initramfs: ours is smaller.
in_debian()
{
	local folder=$1 log=$2
	shift 2

	logged "$log" "$SCRIPTS/in-root" "$folder" \
		--bind "$CACHE/debs:/var/cache/apt/archives" -- env INITRD=No "$@"
}

# install_in_debian FOLDER LOG PACKAGE...
install_in_debian()
{
	in_debian "$1" "$2" apt-get -q -y --no-install-recommends install "${@:3}"
	rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin
}
