#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# kernels: all
#
# The module compiles without a warning for each kernel, with that kernel's own
# compiler and W=1; for the reference machine's kernel with clang too.
set -u
. "$(dirname "$0")/../../scripts/lib.sh"
. "$TREE/tests/tap.sh"

# build FOLDER KBUILD_ARGUMENT...: anew, or the warnings of yesterday's build are
# not seen; leaves $status and $output.
build()
{
	local folder=$1
	shift

	rm -rf "${BUILD:?}/$folder"
	status=0
	# Waiting for others is not what the compiler says.
	output=$(
		lock_cache 2>/dev/null
		"$SCRIPTS/build-module" "$folder" W=1 "$@" 2>&1
	) || status=$?
}

build "strict-$(kernel_name "$KERNEL")"
is "$KERNEL: the module builds with the kernel's own compiler" "$status" 0
# The packages of headers have no vmlinux, and nothing can be done about it.
is "$KERNEL: ... which says nothing" "$(grep -v '^Skipping BTF generation' <<<"$output")" ""

# Clang lies in the reference machine alone.  Debian's headers are made for GCC:
# flags that clang does not have are left out, the one that it has for retpolines
# is added, and what it says of the headers themselves is not our business.
if [ "$(kernel_root "$KERNEL")" = "$ROOT" ]; then
	mkdir -p "$BUILD/clang"
	cat >"$BUILD/clang/cc" <<-'END'
		#!/bin/bash
		for flag; do
			case $flag in
			-fmin-function-alignment=* | -fconserve-stack | -mrecord-mcount) ;;
			-Wno-alloc-size-larger-than | -Wno-maybe-uninitialized) ;;
			-Wimplicit-fallthrough=*) flags+=(-Wimplicit-fallthrough) ;;
			*) flags+=("$flag") ;;
			esac
		done
		exec clang -mretpoline-external-thunk "${flags[@]}"
	END
	chmod +x "$BUILD/clang/cc"
	build strict-clang CC=/build/clang/cc
	is "$KERNEL: the module builds with clang" "$status" 0
	like "$KERNEL: ... it was clang" \
		"$(tr '\0' '\n' <"$BUILD/strict-clang/kmod/main.o" | strings -n 5 | grep -m 1 clang)" clang
	is "$KERNEL: ... which says nothing of the module" \
		"$(grep -E '^/build/strict-clang/.*(warning|error):' <<<"$output")" ""
fi

done_testing
