#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The version is the same wherever it stands.
set -u
. "$(dirname "$0")/../../scripts/lib.sh"
. "$TREE/tests/tap.sh"

version=$(version)
like "dkms.conf has a version" "$version" '^[0-9]+\.[0-9]+\.[0-9]+$'
is "the module has the same" \
	"$(sed -n 's/^MODULE_VERSION("\(.*\)");$/\1/p' "$TREE/kmod/main.c")" "$version"

done_testing
