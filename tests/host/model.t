#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The model of a registry's life (tests/model): no order of what can happen at once
# breaks its rules; and each rule that is left out is found to be missing.
#
#	model.t [DEFINITION]...		with other bounds, such as TABLES=3 CLIENTS=2
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/tap.sh
. scripts/lib.sh

folder=$(mktemp -d "$CACHE/model.XXXXXX")
trap 'rm -rf "$folder"' EXIT

# check DEFINITION...: what spin has to say of the model with these; fails if it cannot be
# run.
check()
{
	# shellcheck disable=SC2016 # for the shell in there
	"$SCRIPTS/in-root" "$ROOT" --bind-ro "$TREE:/src" --bind "$folder:/build" -- sh -ec '
		cd /build
		spin -a "$@" /src/tests/model/registry.pml
		gcc -O2 -DSAFETY -DCOLLAPSE -DVECTORSZ=2048 -DMEMLIM=8192 -o pan pan.c
		./pan -m100000' sh "${@/#/-D}" 2>&1
}

found=$(check "${@:-TABLES=2}")
diag "$(grep -E 'states, stored|^pan: elapsed' <<<"$found")"
like "spin finds no error" "$found" 'errors: 0'
is "having looked at all states" \
	"$(grep -E 'max search depth|out of memory|memory limit' <<<"$found" || true)" ""
for process in client message reader module; do
	like "and run all that $process can do" "$found" "unreached in proctype $process"$'\n\t\\(0 of '
done

for rule in CANCEL LIVE GONE REFERENCE PRERESUME; do
	found=$(check TABLES=2 "WITHOUT_$rule")
	like "without $rule it finds one" "$found" 'errors: 1'
	diag "$(grep -m 1 '^pan:1' <<<"$found")"
done
done_testing
