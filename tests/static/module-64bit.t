#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For a 32-bit kernel the module does not compile, and the build says why; dkms.conf leaves
# such a kernel out.
set -u
. "$(dirname "$0")/../../scripts/lib.sh"
. "$TREE/tests/tap.sh"

# The reference machine's compiler, for a kernel that is as that machine's, but for one thing.
compiler=$BUILD/not-64bit
rm -rf "$compiler"
mkdir -p "$compiler"
echo '#undef CONFIG_64BIT' >"$compiler/undefined.h"
cat >"$compiler/cc" <<'END_OF_CC'
#!/bin/bash
exec gcc "$@" -include /build/not-64bit/undefined.h
END_OF_CC
chmod +x "$compiler/cc"

status=0
output=$(
	lock_cache 2>/dev/null
	"$SCRIPTS/build-module" not-64bit CC=/build/not-64bit/cc 2>&1
) || status=$?
isnt "it is not built" "$status" 0
like "... and it is said why" "$output" 'kmod/[a-z]*\.c:[0-9:]+ error: #error "?[^"]*64-bit kernels'

(
	lock_cache 2>/dev/null
	rm -f "$compiler"/cc "$compiler"/undefined.h
	"$SCRIPTS/build-module" not-64bit
) >/dev/null 2>&1
ok "otherwise it is" test -e "$compiler/dm-rootview.ko"

exclusive=$(. "$TREE/dkms.conf" && echo "$BUILD_EXCLUSIVE_CONFIG")
like "dkms.conf asks for a 64-bit kernel" " $exclusive " ' CONFIG_64BIT '

done_testing
