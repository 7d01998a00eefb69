#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest runner: what it runs, what it returns, and how it ends when the guest
# does not end by itself.
set -u
. "$(dirname "$0")/../../scripts/lib.sh"
. "$TREE/tests/tap.sh"

run=$TREE/tests/vm/run
scratch=$(mktemp -d)

# guest ARGUMENT...: runs one; leaves $status, $output and $errors.
guest()
{
	status=0
	output=$("$run" "$@" 2>"$scratch/errors") || status=$?
	errors=$(cat "$scratch/errors")
}

# What a command finds.

# shellcheck disable=SC2016 # for the guest's shell
guest --append rootview.word=1 --log "$scratch/log" -- sh -c '
	id -u; id -Z; cat /sys/fs/selinux/enforce; echo; pwd
	cat /proc/sys/kernel/panic_on_warn
	blockdev --getsize64 "$ROOTVIEW_SCRATCH"; tar -tf "$ROOTVIEW_IMAGE" ./etc/os-release
	modprobe dm-rootview && ls -d /sys/module/dm_rootview; type rootviewd rootviewctl
	stat -c %C /usr/sbin/rootviewd; cmp /src/README.md README.md && echo same
	touch /src/x 2>&1
	printf "%s|" "$@"; echo; echo "a line for stderr" >&2
	grep -o rootview.word=1 /proc/cmdline
	exit 7' sh "two words" "it's" '$HOME' ''
is "a command's exit status is returned" "$status" 7
mapfile -t lines <<<"$output"
is "it runs as root" "${lines[0]}" 0
is "in unconfined_t" "${lines[1]}" unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023
is "with SELinux enforcing" "${lines[2]}" 1
is "in the work tree" "${lines[3]}" /src
is "a warning of the kernel would end the guest" "${lines[4]}" 1
is "there is a blank disk" "${lines[5]}" $((8 << 30))
is "there is the containers' root file system" "${lines[6]}" ./etc/os-release
is "the module is installed" "${lines[7]}" /sys/module/dm_rootview
is "the daemon is installed" "${lines[8]}" "rootviewd is /usr/sbin/rootviewd"
is "the command is installed" "${lines[9]}" "rootviewctl is /usr/bin/rootviewctl"
like "what is installed is labelled" "${lines[10]}" '^system_u:object_r:(bin|rootviewd_exec)_t:s0$'
is "the work tree is there as it is" "${lines[11]}" same
like "and read-only" "${lines[12]}" 'Read-only file system'
# shellcheck disable=SC2016
is "arguments arrive as they were given" "${lines[13]}" "two words|it's|\$HOME||"
is "stderr arrives" "${lines[14]}" "a line for stderr"
is "words for the kernel arrive" "${lines[15]}" rootview.word=1
ok "the kernel log is kept where asked" grep -q 'reboot: Power down' "$scratch/log"

guest --selinux off --memory 512 -- sh -c '[ -e /sys/fs/selinux ] || echo off; grep MemTotal /proc/meminfo'
is "SELinux can be off" "$status $(head -n 1 <<<"$output")" "0 off"
like "memory can be chosen" "$output" 'MemTotal: +4[0-9]{5} kB'

# A kernel that somebody has: here it is the reference machine's, in a folder of its own.

version=$(newest_kernel)
folder=$BUILD/somebody
name=$(kernel_name "$folder")
rm -rf "$folder" "${BUILD:?}"/*"$name"*
guest --kernel "$folder" -- true
like "a folder that is not there is refused" "$status $errors" "^1 .*$folder: there is no such folder"
mkdir -p "$folder/lib/modules"
guest --kernel "$folder" -- true
like "... and one without a kernel" "$status $errors" \
	"^1 .*$folder: has neither boot/vmlinuz-VERSION nor lib/modules/VERSION/vmlinuz"
cp -r "$ROOT/usr/lib/modules/$version" "$folder/lib/modules/"
cp "$ROOT/boot/vmlinuz-$version" "$folder/lib/modules/$version/vmlinuz"
mv "$folder/lib/modules/$version/modules.dep" "$folder/"
guest --kernel "$folder" -- true
like "... and one that lacks the modules' table" "$status $errors" \
	"^1 .*$folder: kernel .* has no modules in lib/modules/.*, or depmod did not see them"
mv "$folder/modules.dep" "$folder/lib/modules/$version/"
guest --kernel "$folder" -- true
like "... and one for which nothing was built" "$status $errors" \
	"^1 .* is missing: run scripts/setup and scripts/build $folder"
ok "the module is built for it" "$SCRIPTS/build" "$folder"
guest --kernel "$folder" -- sh -c '
	uname -r; cat /sys/fs/selinux/enforce; echo; cat /proc/sys/kernel/panic_on_warn
	modprobe dm-rootview && modinfo -n dm-rootview'
is "it boots, enforcing, and has the module" "$status $output" "0 $version
1
1
/lib/modules/$version/updates/dm-rootview.ko"
rm "$folder/lib/modules/$version/build"
refused=$("$SCRIPTS/build" "$folder" 2>&1)
like "without headers and without the module it is refused" "$refused" \
	"kernel .* has neither headers, by lib/modules/.*/build, nor dm-rootview.ko"
mkdir "$folder/lib/modules/$version/extra"
cp "$BUILD/module-$name/dm-rootview.ko" "$folder/lib/modules/$version/extra/"
ok "... but the module that lies there is taken" "$SCRIPTS/build" "$folder"
rm -rf "$folder" "${BUILD:?}"/*"$name"*

# How it ends.

started=$EPOCHSECONDS
guest --timeout 45 -- sh -c 'echo early; sleep 1000'
is "a guest that takes too long is stopped" "$status" 125
ok "in time" test $((EPOCHSECONDS - started)) -lt 400
is "what it printed before is not lost" "$output" early
like "and the reason is said" "$errors" 'stopped after 45 s; its kernel log is above'

guest -- sh -c 'echo c >/proc/sysrq-trigger'
is "a panic ends the guest" "$status" 125
like "its kernel log is shown" "$errors" 'Kernel panic - not syncing: sysrq triggered crash'
like "and the reason is said" "$errors" 'kernel panicked; its log is above'

guest -- sh -c 'echo o >/proc/sysrq-trigger; sleep 100'
is "a guest that ends without a status is no success" "$status" 125
like "and the reason is said" "$errors" 'ended before the command did'

# The word is only in this guest's command.
word=guest-to-be-interrupted-$$
"$run" -- sh -c "echo $word; sleep 1000" >"$scratch/output" 2>&1 &
running=$!
until grep -q "$word" "$scratch/output"; do
	kill -0 "$running" 2>/dev/null || break
	sleep 0.2
done
is "output is streamed" "$(cat "$scratch/output")" "$word"
folder=$(grep -l "$word" "$CACHE"/run.*/command)
kill -TERM "$running"
wait "$running"
is "a signal ends runner and guest" "$? $(pgrep -f "$(dirname "$folder")" | wc -l)" "143 0"
nok "and leaves nothing behind" test -e "$(dirname "$folder")"

guest
is "no command at all is refused" "$status" 1
guest --selinux perhaps -- true
like "so is a state that SELinux does not have" "$status $errors" '^1 .*perhaps is neither'
guest --unknown -- true
like "so is an unknown option" "$status $errors" '^1 .*unknown option: --unknown'

# What a test has not seen itself.

output=$(cd "$TREE" && tests/run-one tests/debug/mistakes/leak.t@address)
like "a sanitizer's report is shown" "$output" '# .*ERROR: LeakSanitizer: detected memory leaks'
like "and fails a test that saw nothing wrong" "$output" $'ok 1 .*\nnot ok 2 '

rm -rf "$scratch"
done_testing
