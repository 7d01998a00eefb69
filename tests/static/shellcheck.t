#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Of the shell scripts shellcheck has nothing to say.
set -u
. "$(dirname "$0")/../../scripts/lib.sh"
. "$TREE/tests/tap.sh"

ignored=(
	SC1003 SC2016 # text for other programs is quoted as it is on purpose
	SC2317        # functions are called by name, from traps and helpers
)

check()
{
	"$SCRIPTS/in-root" "$ROOT" --bind-ro "$TREE:/src" -- \
		sh -c 'cd /src && exec shellcheck --external-sources --source-path=SCRIPTDIR "$@"' \
		sh --exclude="$(IFS=, && echo "${ignored[*]}")" "$@" 2>&1
}

cd "$TREE" || exit 1
mapfile -t files < <(find . -name .git -prune -o -type f -exec awk '
	FNR == 1 && /^#!.*sh$/ || FNR == 2 && /^# shellcheck shell=/ { print FILENAME }' {} + | sort -u)
is "shellcheck says nothing of ${#files[@]} files" "$(lock_cache; check "${files[@]}")" ""

# shellcheck disable=SC2016 # for the shell that is checked
like "a planted fault is found" \
	"$(lock_cache; echo 'rm $1' | "$SCRIPTS/in-root" "$ROOT" -- shellcheck --shell=bash - 2>&1)" SC2086

done_testing
