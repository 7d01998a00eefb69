# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the tests share in which the daemon lacks something: see tests/tools/rvlack.c.
# Sourced behind tap.sh.

. tests/guest/daemon.sh

# Views may name a cgroup.
[ "$(stat --file-system --format=%T /sys/fs/cgroup)" = cgroup2fs ] ||
	mount -t cgroup2 none /sys/fs/cgroup

make_image web
web=$disk
make_image spare
spare=$disk

# lack KIND: each line of the input is "OPERATION TRIED MISSED", with the operation as rvlack
# takes it.  It is tried so often at least, and not done for want of that so often.
lack()
{
	local kind=$1 operation tried missed status=0 lines name got numbers results running

	mapfile -t lines
	# A process with a thread, as ThreadSanitizer has one, cannot have a user namespace.
	[ "${SANITIZER:-}" != thread ] ||
		mapfile -t lines < <(printf '%s\n' "${lines[@]}" | grep -v '^create-map')
	exec {results}< <(exec rvlack "$kind" "$web" "$spare" "${lines[@]%% *}" \
		2> >(sed -u 's/^/# /' >&2))
	running=$!
	while read -r operation tried missed; do
		name=${operation%%[:/]*}
		read -r got <&"$results" || true
		like "$kind, $operation: whatever is lacked, all is as is answered" "$got" \
			"^$name .* wrong=0$"
		read -r -a numbers <<<"${got//[^0-9 ]/}"
		diag "$got"
		ok "... $tried times at least, and $missed times it was not done" \
			test "${numbers[0]:-0}" -ge "$tried" -a \
			"$((numbers[1] + numbers[2]))" -ge "$missed"
	done < <(printf '%s\n' "${lines[@]}")
	exec {results}<&-
	wait "$running" || status=$?
	is "$kind: rvlack and the daemon end well" "$status" 0
}
