# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Test Anything Protocol for tests in bash.  Sourced by each of them, which ends
# with done_testing.  Every test's first argument says what is expected, as a
# sentence that is true when it passes.

tap_count=0
tap_failed=0

# What the tests' own programs are called by.
PATH=$PATH:/usr/libexec/rootview-tests

# diag TEXT...: explains a failure, or what a test saw.
diag()
{
	printf '%s\n' "$*" | sed 's/^/# /'
}

# pass DESCRIPTION, fail DESCRIPTION [EXPLANATION]...: a result that the test
# found out by itself.
pass()
{
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s\n' "$tap_count" "$1"
}

fail()
{
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	printf 'not ok %d - %s\n' "$tap_count" "$1"
	shift
	[ $# -eq 0 ] || diag "$(printf '%s\n' "$@")"
}

# For how many seconds what ought to happen is waited for.
patience=90

# eventually COMMAND...: it succeeds before patience ends.
eventually()
{
	local end=$((SECONDS + patience))

	until "$@"; do
		((SECONDS <= end)) || return
		sleep 0.1
	done
}

# ok DESCRIPTION COMMAND...: the command succeeds.
ok()
{
	local description=$1 output status=0
	shift
	output=$("$@" 2>&1) || status=$?
	if [ "$status" = 0 ]; then
		pass "$description"
	else
		fail "$description" "command: $*" "status:  $status" "$output"
	fi
}

# nok DESCRIPTION COMMAND...: the command fails, no matter how.
nok()
{
	local description=$1 output
	shift
	if output=$("$@" 2>&1); then
		fail "$description" "succeeded: $*" "$output"
	else
		pass "$description"
	fi
}

# is DESCRIPTION GOT WANTED
is()
{
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "got:    $2" "wanted: $3"
	fi
}

# isnt DESCRIPTION GOT UNWANTED
isnt()
{
	if [ "$2" != "$3" ]; then
		pass "$1"
	else
		fail "$1" "got the unwanted: $2"
	fi
}

# like DESCRIPTION GOT EXTENDED_REGULAR_EXPRESSION
like()
{
	if [[ $2 =~ $3 ]]; then
		pass "$1"
	else
		fail "$1" "got:             $2" "does not match: $3"
	fi
}

# refused DESCRIPTION ERRNO COMMAND...: the command fails and its output names
# that error, by name (EEXIST) or as programs print it (File exists).
refused()
{
	local description=$1 name=$2 output text
	shift 2
	if output=$("$@" 2>&1); then
		fail "$description" "succeeded: $*" "$output"
		return
	fi
	text=$(perl -MErrno -e '$! = &{\&{"Errno::$ARGV[0]"}}(); print $!' "$name")
	if [[ $output == *"$name"* || $output == *"$text"* ]]; then
		pass "$description"
	else
		fail "$description" "command: $*" "wanted:  $name ($text)" "got:     $output"
	fi
}

# ok_skip DESCRIPTION REASON: one test that cannot be done here.
ok_skip()
{
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s # SKIP %s\n' "$tap_count" "$1" "$2"
}

# skip_all REASON: the whole file cannot be done here.
skip_all()
{
	printf '1..0 # SKIP %s\n' "$1"
	exit 0
}

done_testing()
{
	printf '1..%d\n' "$tap_count"
	[ "$tap_failed" = 0 ] || exit 1
	exit 0
}
