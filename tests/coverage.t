#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the tests under the debugging kernel ran of the module: how many lines of each
# file, and which never did, each with the reason out of tests/never-run.  A line without
# one is a failure.  A line with one that did run is told of: some take luck.  Called by
# check-debug when all of them have run.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/tap.sh
. scripts/lib.sh

folder=$BUILD/coverage
module=$BUILD/module-debug/kmod

# Adds up what the guests counted, in $folder/all; prints in how many of them.
add_up()
{
	local counts guests=0

	rm -rf "$folder"/{all,one,sum}
	for counts in "$folder"/*.tar; do
		mkdir "$folder/one"
		tar --extract --file "$counts" --directory "$folder/one"
		if [ -d "$folder/all" ]; then
			in_machine gcov-tool merge --output /build/coverage/sum \
				/build/coverage/all /build/coverage/one
			rm -r "$folder/one" "$folder/all"
			mv "$folder/sum" "$folder/all"
		else
			mv "$folder/one" "$folder/all"
		fi
		guests=$((guests + 1))
	done
	echo "$guests"
}

in_machine()
{
	"$SCRIPTS/in-root" "$(kernel_root debug)" --bind "$BUILD:/build" -- "$@" </dev/null
}

# Prints of each file of the module "FILE LINES RUN", and of each line that never ran
# "FILE<tab>NUMBER<tab>FUNCTION: CODE".  The kernel's own sources it does not find.
report()
{
	cp "$module"/*.gcno "$folder/all/"
	# It tells of each function's branches too, as it names no functions otherwise.
	in_machine sh -c 'cd /build/module-debug && gcov --stdout --branch-counts \
		--branch-probabilities --object-directory /build/coverage/all kmod/*.c' \
		2> >(grep -v '^Cannot open source file ' >&2) |
		awk -F : '
		function done_file() { if (ours && lines) print file, lines, run }
		$3 == "Source" && $2 ~ / 0$/ {
			done_file()
			ours = $4 ~ /kmod\/[a-z]*\.[ch]$/
			file = $4
			sub(/.*\//, "", file)
			lines = run = 0
		}
		/^function / { split($0, words, " "); name = words[2] }
		!ours { next }
		/^ *[0-9]+\*?: *[0-9]+:/ { lines++; run++ }
		/^ *#####: *[0-9]+:/ {
			lines++
			code = $0
			sub(/^[^:]*:[^:]*:[ \t]*/, "", code)
			printf "%s\t%d\t%s: %s\n", file, $2, name, code
		}
		END { done_file() }'
}

diag "the tests in $(add_up) guests"
report >"$folder/report"
ok "lines of each file of the module were counted" \
	test "$(grep -c '^[a-z]*\.c ' "$folder/report")" = "$(find kmod -name '*.c' | wc -l)"
diag "$(awk -F '[ ]' '/^[a-z]*\.[ch] / {
	printf "%-12s %4d of %4d lines, %5.1f %%\n", $1, $3, $2, 100 * $3 / $2
	lines += $2
	run += $3
} END { printf "%-12s %4d of %4d lines, %5.1f %%\n", "kmod", run, lines, 100 * run / lines }' \
	"$folder/report")"

# In never-run lines "FILE FUNCTION: CODE" are followed by their reason, after a tab.
explained=$(awk -F '\t' '
	FNR == NR && /^#/ { next }
	FNR == NR && /^\t/ { for (key in pending) reasons[key] = reasons[key] " " $2; ended = 1; next }
	FNR == NR && NF { if (ended) { delete pending; ended = 0 }; pending[$0]; next }
	FNR == NR { next }
	NF == 3 {
		key = $1 " " $3
		used[key]
		if (key in reasons)
			printf "%s:%d %s\n\t%s\n", $1, $2, $3, reasons[key]
		else
			printf "UNEXPLAINED %s:%d %s\n", $1, $2, $3
	}
	END { for (key in reasons) if (!(key in used)) print "this time it ran: " key }
	' tests/never-run "$folder/report")
diag "$(grep -v '^UNEXPLAINED ' <<<"$explained")"
is "each line that never runs is explained" \
	"$(sed -n 's/^UNEXPLAINED //p' <<<"$explained")" ""
done_testing
