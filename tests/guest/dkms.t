#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# kernels: 6.1 6.12
# guest: --own --memory 2048 --timeout 900
#
# DKMS builds the module for the running kernel and for one that is installed
# later, says what it lacks, skips kernels that cannot have it, and takes
# everything away again.  With Debian 12's DKMS and with Debian 13's.
set -u
. "$(dirname "$0")/../tap.sh"

tree=$(realpath "$(dirname "$0")/../..")
kernel=$(uname -r)
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' "$tree/dkms.conf")
# No package that is installed here makes an initramfs.
export INITRD=No DEBIAN_FRONTEND=noninteractive
diag "$(dkms --version), kernel $kernel"
# depmod reads all modules, and a guest is slow at that.
find "/lib/modules/$kernel/kernel" -name '*.ko*' ! -path '*/drivers/md/*' -delete
printf 'path-exclude=%s\n' '/*lib/modules/*/kernel/[!d]*.ko*' \
	'/*lib/modules/*/kernel/drivers/[!m]*.ko*' >/etc/dpkg/dpkg.cfg.d/modules

# has KERNEL: the file of the module that DKMS installed for it.
has()
{
	find "/lib/modules/$1/updates/dkms" -name 'dm-rootview.ko*' 2>/dev/null
}

# another_kernel NAME: a kernel of that name that is built for as the running one.
another_kernel()
{
	mkdir "/lib/modules/$1"
	cp -s "/lib/modules/$kernel"/modules.{order,builtin} "/lib/modules/$1/"
	ln -s "$(realpath "/lib/modules/$kernel/build")" "/lib/modules/$1/build"
}

time_of()
{
	diag "$1: $SECONDS s"
	SECONDS=0
}

# What is missing is said.

output=$(make -s -C "$tree" install-dkms KERNEL=6.99.0-none 2>&1)
isnt "a kernel without headers is refused" $? 0
like "... and it is said that they are missing" "$output" 'kernel 6.99.0-none: its headers are missing'

compiler=$(sed -n 's/^CONFIG_CC_VERSION_TEXT="\([^ ]*\) .*/\1/p' "/boot/config-$kernel")
compiler=${compiler#x86_64-linux-gnu-}
mkdir /run/hidden
mv /usr/bin/*"$compiler" /run/hidden/
output=$(make -s -C "$tree" install-dkms 2>&1)
isnt "without the kernel's compiler nothing is built" $? 0
like "... and it is said which is missing" "$output" "$compiler: (command )?not found"
is "... and nothing is installed" "$(has "$kernel")" ""
mv /run/hidden/* /usr/bin/
time_of "refusals"

# Add, build, install.

ok "it is built for the running kernel" make -s -C "$tree" install-dkms
time_of "a build"
is "DKMS has installed it" "$(dkms status "rootview/$version" | grep -F "$kernel" | sed 's/.*: //')" \
	"installed"
isnt "... in its folder" "$(has "$kernel")" ""
ok "it can be loaded" modprobe dm-rootview
is "... in the same version" "$(cat /sys/module/dm_rootview/version)" "$version"
like "... and device-mapper has the target" "$(dmsetup targets)" 'rootview'
rmmod dm_rootview

# Kernels that cannot have it.

# skipped KERNEL WHY
skipped()
{
	local output status=0

	# 3.0.10 counts as failed what it leaves out when it installs by itself,
	# of any module; so it is asked for this module alone.
	if [[ $(dkms --version) == dkms-3.0.10 ]]; then
		ok_skip "a kernel $2 is no failure" "Debian 12's DKMS takes all that is left out for one"
		output=$(dkms build "rootview/$version" -k "$1" 2>&1)
		is "... but not for an error of the build" $? 77
	else
		output=$(dkms autoinstall -k "$1" 2>&1) || status=$?
		is "a kernel $2 is no failure" "$status" 0
	fi
	like "... but left out" "$output" BUILD_EXCLUSIVE
	is "... so that it has nothing" "$(dkms status "rootview/$version" | grep -F "$1")$(has "$1")" ""
}

another_kernel 4.19.0-old
skipped 4.19.0-old "that is too old"

another_kernel 6.0.0-without
# Where DKMS looks for the configuration depends on its version.
build=/usr/src/without
original=$(realpath "/lib/modules/$kernel/build")
mkdir -p $build/include/config
ln -s "$original"/* $build/ 2>/dev/null
ln -s "$original"/include/* $build/include/ 2>/dev/null
for file in .config include/config/auto.conf; do
	[ ! -e "$original/$file" ] || sed 's/^CONFIG_BLK_DEV_DM=.*//' "$original/$file" >$build/$file
done
ln -sfn $build /lib/modules/6.0.0-without/build
skipped 6.0.0-without "without device-mapper"
rm -r /lib/modules/{4.19.0-old,6.0.0-without} $build
time_of "kernels that are skipped"

# A kernel that is installed later: the packages of Debian's cloud kernel.

second=$(basename /run/second/linux-image-[0-9]*-cloud-amd64_*.deb)
second=${second#linux-image-} second=${second%%_*}
ok "a second kernel is installed" dpkg --install /run/second/*.deb
isnt "... and has the module by itself" "$(has "$second")" ""
is "... built for it" "$(modinfo -k "$second" -F vermagic dm-rootview | cut -d' ' -f1)" "$second"
time_of "a second kernel"

# Removal.

ok "the second kernel can be removed" dpkg --remove linux-headers-cloud-amd64 linux-image-cloud-amd64 \
	"linux-headers-$second" "linux-image-$second"
is "... and its module goes with it" "$(has "$second")" ""
time_of "removal of the second kernel"

ok "it can be removed" make -s -C "$tree" uninstall-dkms
is "nothing is left of it" \
	"$(find /var/lib/dkms /usr/src /lib/modules/ -name '*rootview*' 2>/dev/null)" ""
nok "... and modprobe knows it no more" modprobe --dry-run dm-rootview
time_of "removal"
done_testing
