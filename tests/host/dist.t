#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The archive of the sources: the same again from what was unpacked of it, and
# complete without git.
set -u
. "$(dirname "$0")/../../scripts/lib.sh"
. "$TREE/tests/tap.sh"

scratch=$(mktemp -d)
mkdir "$scratch"/{first,second}
archive=$("$SCRIPTS/dist" "$scratch/first")
ok "it is made" test -s "$archive"
like "its name has the version" "$(basename "$archive")" '^rootview-[0-9.]+\.tar\.gz$'
is "its files are sorted, and nobody's" \
	"$(tar --list --verbose --numeric-owner --file "$archive" | awk '{ print $2 }' | sort -u)
$(tar --list --file "$archive" | LC_ALL=C sort --check 2>&1)" "0/0
"
tar --extract --file "$archive" --directory "$scratch"
unpacked=$scratch/$(basename "$archive" .tar.gz)
ok "it can be made again without git" "$unpacked/scripts/dist" "$scratch/second"
ok "... and is the same" cmp "$archive" "$scratch/second/$(basename "$archive")"

# build-module, as what was unpacked has it, builds in a folder of its own.
ok "the module builds from it" "$unpacked/scripts/build-module" module
(. "$unpacked/scripts/lib.sh" && rm -rf "$BUILD")
rm -rf "$scratch"

done_testing
