#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The module compiles without a warning, of the compiler with W=1 and of sparse
# with its endianness checks.
set -u
. "$(dirname "$0")/../../scripts/lib.sh"
. "$TREE/tests/tap.sh"

strict=(W=1 C=2 CHECK="sparse -D__CHECK_ENDIAN__")

# Everything is built anew, or the warnings of yesterday's build are not seen.
rm -rf "$BUILD/strict"
status=0
# Waiting for others is not what the compiler says.
output=$(
	lock_cache 2>/dev/null
	"$SCRIPTS/build-module" strict "${strict[@]}" 2>&1
) || status=$?
is "the module builds" "$status" 0
is "the compiler and sparse say nothing" "$output" ""

# They would say something.
rm -rf "$BUILD/planted"
mkdir -p "$BUILD/planted"
echo 'obj-m := planted.o' >"$BUILD/planted/Kbuild"
cat >"$BUILD/planted/planted.c" <<'END'
#include <linux/module.h>
int without_prototype(void);
int unused_one(__le32 value)
{
	int unused;

	return value;
}
MODULE_DESCRIPTION("planted");
MODULE_LICENSE("GPL");
END
kernel=$(newest_kernel "$ROOT")
output=$(
	lock_cache 2>/dev/null
	"$SCRIPTS/in-root" "$ROOT" --bind "$BUILD:/build" -- \
		make -s -C "/usr/lib/modules/$kernel/build" M=/build/planted \
		"${strict[@]}" modules 2>&1
)
like "the compiler warns of a planted fault" "$output" 'no previous prototype'
like "sparse warns of a planted fault" "$output" 'incorrect type in return expression'

done_testing
