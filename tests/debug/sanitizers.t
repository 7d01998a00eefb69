#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The sanitizers find the mistakes that they are there for: each is made once.  The daemon
# that the tests with a sanitizer find was built with it.
# variants: address thread
set -uo pipefail
. "${0%/*}/../tap.sh"

# found MISTAKE STATUS REGEX: what is found in a program ends it with status 86.
found() {
	local status=0

	"mistake-$SANITIZER" "$1" > /tmp/said 2>&1 || status=$?
	is "$1: the program's status" "$status" "$2"
	like "... and what is reported" "$(cat /tmp/said /run/sanitizer.* 2> /dev/null)" "$3"
	# Nobody shall complain about what was made on purpose.
	rm -f /run/sanitizer.*
}

case $SANITIZER in
address)
	found use-after-free 86 "AddressSanitizer: heap-use-after-free.* use_after_free "
	found write-behind 86 "AddressSanitizer: heap-buffer-overflow.* write_behind "
	found index-too-far 86 "runtime error: index 8 out of bounds.* index_too_far "
	found shift-too-far 86 "runtime error: shift exponent 32 is too large.* shift_too_far "
	found leak 86 "LeakSanitizer: detected memory leaks.* leak "
	found use-after-free-in-child 0 "AddressSanitizer: heap-use-after-free"
	;;
thread)
	found race 86 "ThreadSanitizer: data race.* count "
	;;
esac

like "the daemon was built with it" "$(ldd "$(type -P rootviewd)")" "lib${SANITIZER:0:1}san"
like "so was the command" "$(ldd "$(type -P rootviewctl)")" "lib${SANITIZER:0:1}san"
done_testing
