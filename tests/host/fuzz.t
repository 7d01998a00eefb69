#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Whatever parses bytes from outside, fed with invented ones for a minute; all
# at once, as a minute of each after the other would be most of the suite's time.
#
#	FUZZ_SECONDS=600 tests/run-one tests/host/fuzz.t
#
# What was found is left in the build folder; the input that did it is shown.
set -u
. "$(dirname "$0")/../../scripts/lib.sh"
. "$TREE/tests/tap.sh"

seconds=${FUZZ_SECONDS:-60}
found=$BUILD/fuzz/found
ok "the targets are built" "$SCRIPTS/build-userspace" fuzz fuzz
mkdir -p "$found"

targets=()
for source in "$TREE"/userspace/fuzz/fuzz-*.c; do
	target=$(basename "$source" .c)
	targets+=("$target")
	rm -f "$found/$target"-*
	"$SCRIPTS/in-root" "$ROOT" --bind "$BUILD:/build" -- \
		nice "/build/fuzz/fuzz/$target" -max_total_time="$seconds" -max_len=8192 \
		-timeout=20 -artifact_prefix="/build/fuzz/found/$target-" \
		>"$found/$target.log" 2>&1 &
done
wait
for target in "${targets[@]}"; do
	done=$(grep -o 'Done [0-9]* runs.*' "$found/$target.log")
	if [ -n "$done" ] && [ -z "$(find "$found" -name "$target-*")" ]; then
		pass "$target finds nothing"
		diag "$done"
	else
		fail "$target finds nothing" "$(tail -n 40 "$found/$target.log")" \
			"input: $(base64 --wrap=0 "$found/$target"-* 2>/dev/null)"
	fi
done
done_testing
