#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What doctor says about id maps: it tries them, and nothing is left of that.
#
# kernels: 5.10 6.12
set -euo pipefail
. tests/tap.sh

# said_of CHECK [COMMAND...]: what doctor says, when the command runs it.
said_of()
{
	local check=$1
	shift
	("$@" rootviewctl --json doctor || true) |
		jq -r ".[] | select(.check == \"$check\") | .state + \": \" + .message"
}

# As systemd has it: what is mounted in another name space is seen here, unless it is kept there.
mount --make-rshared /
mounts=$(cat /proc/self/mountinfo)
case $(uname -r) in
5.10.*)
	error="tried on / \(ext4\): Function not implemented: views cannot have"
	like "id maps do not work" "$(said_of id-maps)" "^warning: id maps do not work, $error one;"
	like "nor do overlays over them" "$(said_of overlays)" \
		"^warning: overlays over id maps do not work, $error an id map together with"
	;;
*)
	is "id maps work" "$(said_of id-maps)" "ok: id maps work: tried on / (ext4)"
	is "and overlays over them" "$(said_of overlays)" \
		"ok: overlays over id maps work: tried on / (ext4)"
	;;
esac
is "no mount is left" "$(cat /proc/self/mountinfo)" "$mounts"
is "no process" "$(pgrep rootviewctl || true)" ""

for check in id-maps overlays; do
	like "another user is told that root has to try: $check" \
		"$(said_of "$check" setpriv --reuid 1000 --clear-groups)" \
		'^warning: .* were not tried: that needs root$'
	like "as is root of another user namespace: $check" \
		"$(said_of "$check" unshare --user --map-root-user)" \
		'^warning: .* were not tried: that needs root$'
done
like "what cannot be tried goes by the version" "$(said_of mprotect)" 'going by its version'
done_testing
