#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# kernels: 6.1 6.12
#
# DKMS builds the module for a kernel and for one that is installed later, says what
# it lacks, skips kernels that cannot have it, hands it to no other kernel, and takes
# everything away again.  With Debian 12's DKMS and with Debian 13's.
#
# It works in a copy of the kernel's machine, less its kernel: what was built is
# loaded in a guest.
set -u
# shellcheck disable=SC2153 # KERNEL is what this is to be tested with
series=$KERNEL
if [ "${1:-}" != inside ]; then
	exec unshare --mount --propagation private "$0" inside
fi
. "$(dirname "$0")/../../scripts/lib.sh"
. "$TREE/tests/tap.sh"
cd "$TREE" || exit

scratch=$(mktemp -d "$CACHE/dkms.XXXXXX")
trap 'umount "$scratch/machine"; rm -rf "$scratch"' EXIT
mkdir "$scratch"/{changes,work,machine}
mount -t overlay -o "lowerdir=$(kernel_root "$series"),upperdir=$scratch/changes,workdir=$scratch/work" \
	dkms "$scratch/machine"
root=$scratch/machine
kernel=$(newest_kernel "$root")
version=$(version)

# inside COMMAND...: runs it in the machine; no package that is installed there makes
# an initramfs.
inside()
{
	"$SCRIPTS/in-root" "$root" --bind-ro "$TREE:/src" \
		--bind-ro "$CACHE/kernels/$series.second:/run/second" -- env INITRD=No "$@"
}
diag "$(inside dkms --version), kernel $kernel"

# has KERNEL: the file of the module that DKMS installed for it.
has()
{
	find "$root/lib/modules/$1/updates/dkms" -name 'dm-rootview.ko*' 2>/dev/null
}

modules=$root/lib/modules
# another_kernel NAME: a kernel of that name that is built for as the machine's.
another_kernel()
{
	mkdir "$modules/$1"
	cp "$modules/$kernel"/modules.{order,builtin} "$modules/$1/"
	ln -s "../$kernel/build" "$modules/$1/build"
}

# What is missing is said.

output=$(inside make -s -C /src install-dkms KERNEL=6.99.0-none 2>&1)
isnt "a kernel without headers is refused" $? 0
like "... and it is said that they are missing" "$output" 'kernel 6.99.0-none: its headers are missing'

compiler=$(sed -n 's/^CONFIG_CC_VERSION_TEXT="\([^ ]*\) .*/\1/p' "$root/boot/config-$kernel")
compiler=${compiler#x86_64-linux-gnu-}
mkdir "$root/hidden"
mv "$root"/usr/bin/*"$compiler" "$root/hidden/"
output=$(inside make -s -C /src install-dkms KERNEL="$kernel" 2>&1)
isnt "without the kernel's compiler nothing is built" $? 0
like "... and it is said which is missing" "$output" "$compiler: (command )?not found"
is "... and nothing is installed" "$(has "$kernel")" ""
mv "$root"/hidden/* "$root/usr/bin/"

# RHEL's weak-modules hands a module to kernels that it was not built for.  Where it is, DKMS
# calls it by itself, for what it installs and removes.

release=$root/etc/os-release
mv "$release" "$release.debian"
printf '%s\n' 'ID="rhel"' 'VERSION_ID="9.6"' >"$release"
printf '#!/bin/sh\necho "$@" >>/called\n' >"$root/usr/sbin/weak-modules"
chmod +x "$root/usr/sbin/weak-modules"
ok "it is built on what says that it is RHEL" inside make -s -C /src install-dkms KERNEL="$kernel"
ok "... and removed again" inside make -s -C /src uninstall-dkms
nok "... and no other kernel is given it meanwhile" test -e "$root/called"
rm "$root/usr/sbin/weak-modules"
mv "$release.debian" "$release"

# Add, build, install.

ok "it is built for a kernel" inside make -s -C /src install-dkms KERNEL="$kernel"
is "DKMS has installed it" "$(inside dkms status "rootview/$version" | grep -F "$kernel" | sed 's/.*: //')" \
	"installed"
isnt "... in its folder" "$(has "$kernel")" ""
ok "... and modprobe knows it" inside modprobe --set-version "$kernel" --dry-run dm-rootview
loaded=$(tests/vm/run --kernel "$series" --with "$(has "$kernel")" -- sh -e -c "
	modprobe dm-mod
	chcon -t modules_object_t /run/dm-rootview.ko*
	insmod /run/dm-rootview.ko*
	cat /sys/module/dm_rootview/version
	dmsetup targets")
like "... which a guest can load" "$loaded" "^${version//./\\.}"$'\n(.*\n)*rootview '

# Kernels that cannot have it.

# skipped KERNEL WHY
skipped()
{
	local output status=0

	# 3.0.10 counts as failed what it leaves out when it installs by itself,
	# of any module; so it is asked for this module alone.
	if [[ $(inside dkms --version) == dkms-3.0.10 ]]; then
		ok_skip "a kernel $2 is no failure" "Debian 12's DKMS takes all that is left out for one"
		output=$(inside dkms build "rootview/$version" -k "$1" 2>&1)
		is "... but not for an error of the build" $? 77
	else
		output=$(inside dkms autoinstall -k "$1" 2>&1) || status=$?
		is "a kernel $2 is no failure" "$status" 0
	fi
	like "... but left out" "$output" BUILD_EXCLUSIVE
	is "... so that it has nothing" "$(inside dkms status "rootview/$version" | grep -F "$1")$(has "$1")" ""
}

another_kernel 4.19.0-old
skipped 4.19.0-old "that is too old"

# without OPTION: a kernel that lacks that; where DKMS looks for its configuration depends on its
# version.
without()
{
	another_kernel 6.0.0-without
	rm -rf "$root/without"
	inside sh -c "
		original=\$(realpath '/lib/modules/$kernel/build')
		mkdir -p /without/include/config
		ln -s \$original/* /without/ 2>/dev/null
		ln -s \$original/include/* /without/include/ 2>/dev/null
		for file in .config include/config/auto.conf; do
			[ ! -e \$original/\$file ] || sed 's/^$1=.*//' \$original/\$file >/without/\$file
		done"
	ln -sfn /without "$modules/6.0.0-without/build"
	skipped 6.0.0-without "without $1"
	rm -r "$modules/6.0.0-without"
}

without CONFIG_BLK_DEV_DM
without CONFIG_64BIT
rm -r "$modules/4.19.0-old"

# A kernel that is installed later: the packages of Debian's cloud kernel.

second=$(basename "$CACHE/kernels/$series.second"/linux-image-[0-9]*-cloud-amd64_*.deb)
second=${second#linux-image-} second=${second%%_*}
ok "a second kernel is installed" inside sh -c "dpkg --install /run/second/*.deb"
isnt "... and has the module by itself" "$(has "$second")" ""
is "... built for it" "$(inside modinfo -k "$second" -F vermagic dm-rootview | cut -d' ' -f1)" "$second"

# Removal.

ok "the second kernel can be removed" inside dpkg --remove linux-headers-cloud-amd64 linux-image-cloud-amd64 \
	"linux-headers-$second" "linux-image-$second"
is "... and its module goes with it" "$(has "$second")" ""

ok "it can be removed" inside make -s -C /src uninstall-dkms
is "nothing is left of it" \
	"$(find "$root"/{var/lib/dkms,usr/src,lib/modules} -name '*rootview*' 2>/dev/null)" ""
nok "... and modprobe knows it no more" inside modprobe --set-version "$kernel" --dry-run dm-rootview
done_testing
