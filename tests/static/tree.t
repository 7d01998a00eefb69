#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What holds for every file of the tree.
set -u
. "$(dirname "$0")/../../scripts/lib.sh"
. "$TREE/tests/tap.sh"

cd "$TREE" || exit 1
mapfile -t files < <(find . -name .git -prune -o -type f -printf '%P\n' | sort)

# Prints the files (arguments after the first) that have the expression.
having()
{
	grep -l -I -E -e "$@" /dev/null
}

# none_has DESCRIPTION EXPRESSION SAMPLE: no file has it, and a file with the
# sample would be found.
none_has()
{
	local sample
	sample=$(mktemp)
	printf '%s\n' "$3" >"$sample"
	is "$1" "$(having "$2" "${files[@]}")" ""
	is "$1: and a sample is found" "$(having "$2" "$sample")" "$sample"
	rm -f "$sample"
}

# Written so that this file does not have what it looks for.
none_has "no file asks for a kernel's version" \
	'(LINUX_VERSION|RHEL_RELEASE)_(CODE|VERSION)' "#if LINUX_VERSION""_CODE > 1"
# Docker's package has the name of its registry.
none_has "no file names a package registry" \
	'\b((deb|security|snapshot|ftp[a-z.]*)\.debian|pypi|ubuntu|fedoraproject|centos)\.org|(\b(quay|ghcr)|/docker)\.io\b|\bdocker\.io/|\bcdn\.redhat\.com' \
	"http://deb"".debian.org/debian"
none_has "no file keeps white space at the end of a line" '[[:blank:]]$' 'int a; '

# license_of FILE: the identifier on its first line, or on the second after #!.
license_of()
{
	sed -n -E '1,2s/.*SPDX-License-Identifier: ([-A-Za-z0-9. ]*[A-Za-z0-9]).*/\1/p' "$1"
}

wanted_license()
{
	case $1 in
	include/uapi/*) echo "GPL-2.0-only WITH Linux-syscall-note" ;;
	kmod/* | Kbuild | dkms.conf) echo "GPL-2.0-only" ;;
	# These would go into the kernel's documentation.
	doc/netlink/*) echo "GPL-2.0-only WITH Linux-syscall-note" ;;
	doc/*) echo "GPL-2.0-only" ;;
	*) echo "LGPL-2.1-or-later" ;;
	esac
}

unlicensed=
for file in "${files[@]}"; do
	case $file in
	LICENSE | LICENSES/*) continue ;;
	esac
	[ "$(license_of "$file")" = "$(wanted_license "$file")" ] || unlicensed+=" $file"
done
is "every file begins with its folder's license" "$unlicensed" ""
is "a file without one would be found" "$(license_of LICENSE)" ""

mapfile -t entries < <(find . -mindepth 1 -maxdepth 1 ! -name '.*' ! -name README.md -printf '%f\n' | sort)
unknown=
for entry in "${entries[@]}"; do
	grep -q -F "\`$entry" README.md || unknown+=" $entry"
done
is "README.md names everything at the top" "$unknown" ""

done_testing
