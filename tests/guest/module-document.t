#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The examples of doc/dm-rootview.rst do what they show.
#
# In a console block, a line "# COMMAND" is run, and the lines up to the next must
# be what it prints; "..." in them stands for anything.
#
# kernels: all
set -uo pipefail
. "${0%/*}/../tap.sh"

modprobe dm-rootview
# Some kernels (RHEL's) make none by themselves.
modprobe loop max_loop=8

# examples FILE: the lines of its console blocks, without their indentation.
examples() {
	sed -n '/^\.\. code-block:: console$/,/^[^ ]/ s/^  //p' "$1"
}

command='' expected=''
check() {
	local pattern

	[ -n "$command" ] || return 0
	pattern=$(printf '%s' "$expected" | sed 's/[][*?\\]/\\&/g; s/\.\.\./*/g')
	# What a refused command prints is part of the example.
	output=$(eval "$command" 2>&1)
	# shellcheck disable=SC2053 # it is a pattern
	if [[ $output == $pattern ]]; then
		pass "$command"
	else
		fail "$command" "got:      $output" "expected: $expected"
	fi
}
while IFS= read -r line; do
	case $line in
	'# '*)
		check
		command=${line#??}
		expected=
		;;
	*)	expected+=${expected:+$'\n'}$line ;;
	esac
done < <(examples "${0%/*}/../../doc/dm-rootview.rst" | grep -v '^$')
check
ok "the examples leave nothing behind" rmmod dm_rootview
done_testing
