#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The kernel's own style checker has nothing to say of the C sources.
set -u
. "$(dirname "$0")/../../scripts/lib.sh"
. "$TREE/tests/tap.sh"

# Not for programs, which live by other rules than the kernel:
ignored=(
	# what users read is written in sentences, which are longer than a line,
	# in British English; what tests read may be as crooked as they like
	SPLIT_STRING MISSING_SPACE STRING_FRAGMENTS TYPO_SPELLING
	QUOTED_WHITESPACE_BEFORE_NEWLINE
	# the tables of Varlink's interface are macros that begin with (
	OPEN_ENDED_LINE
	# declarations with a cleanup attribute are not seen to be declarations
	LINE_SPACING
	# errors are explained in words, which may be those of a function
	EMBEDDED_FUNCTION_NAME
	# macros, types and habits that the kernel has and libc has not
	ARRAY_SIZE PREFER_DEFINED_ATTRIBUTE_MACRO PREFER_FALLTHROUGH PREFER_KERNEL_TYPES
	STRCPY USE_NEGATIVE_ERRNO
	# programs that make mistakes, or let others make them, say what may not be left out,
	# and stand in for functions of the C library
	VOLATILE AVOID_EXTERNS FUNCTION_ARGUMENTS MULTISTATEMENT_MACRO_USE_DO_WHILE
	# macros that build sd-json's lists name what they test once more
	MACRO_ARG_REUSE
	# sd-json's, libnl's and cmocka's names are theirs
	CAMELCASE
)
# Types of libraries, which checkpatch takes for variables.  It takes the first
# that fits the beginning of a word.
types=(sd_event_source sd_event sd_json_variant sd_varlink_server sd_varlink_symbol sd_varlink)

# check OPTION... FILE...: what it says of each, in $said.
check()
{
	# It leaves files behind where it is started, and wants headers to look at.
	said=$(cd "$scratch" && perl "$CACHE/checkpatch/checkpatch.pl" --no-tree --root=. --strict \
		--terse --show-types --max-line-length=100 --file "$@" 2>&1 | grep -v '^total:')
}

# check_all OPTION... -- FILE...: all at once, as it takes a while to begin.
check_all()
{
	local options=() file

	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	check "${options[@]}" "${@/#/$TREE/}"
	for file in "$@"; do
		is "$file" "$(grep -F "$TREE/$file:" <<<"$said")" ""
	done
	is "nothing else is said" "$(grep -v "^$TREE/" <<<"$said")" ""
}

cd "$TREE" || exit 1
scratch=$(mktemp -d)
mkdir "$scratch/include"
check_all -- kmod/*.[ch] include/uapi/linux/*.h

printf '%s\n' "${types[@]}" >"$scratch/types"
check_all --ignore "$(IFS=, && echo "${ignored[*]}")" --typedefsfile "$scratch/types" -- \
	userspace/*/*.[ch] tests/{tools,tools/hold,bench,debug/mistakes}/*.[ch]

cat >"$scratch/planted.c" <<'END'
// SPDX-License-Identifier: GPL-2.0-only
int f(void)
{
  if(1) return 0;
}
END
check "$scratch/planted.c"
like "a planted fault is found" "$said" 'SPACING'
rm -rf "$scratch"

done_testing
