# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For people.  What kbuild needs is in Kbuild; what user space needs is in
# userspace/Makefile; what these targets do is in scripts/ and tests/.

help:
	@echo 'As root:'
	@echo '  make quickstart            three containers on one shared origin, in a guest'
	@echo '  make check [TESTS=PART]    every test, or those whose name has that part'
	@echo '  make check-debug [TESTS=]  the module and the daemon under a debugging kernel;'
	@echo '                   [FUZZ=]   anything is asked of the module for so many seconds'
	@echo '                   [ALL=1]   with all of the daemon'"'"'s tests'
	@echo '  make bench                 a thousand containers with each storage driver, compared'
	@echo '  make shell                 a shell in a guest, with what was built installed'
	@echo '  make module                build the module in the reference machine'
	@echo '  make userspace             build the daemon and the command there'
	@echo '  make install-dkms          give the module to this machine'"'"'s DKMS'
	@echo '  make uninstall-dkms        take it away'
	@echo '  make clean                 remove what was built of this work tree'
	@echo
	@echo 'As anybody:'
	@echo '  make dist [O=FOLDER]       pack the sources: rootview-VERSION.tar.gz'
	@echo
	@echo 'make -C /lib/modules/VERSION/build M=$$PWD modules builds the module for any'
	@echo 'kernel, make -C userspace builds user space, on any machine that can.'

quickstart:
	scripts/quickstart

check:
	tests/check '$(TESTS)'

check-debug:
	FUZZ='$(FUZZ)' ALL='$(ALL)' tests/check-debug '$(TESTS)'

bench:
	scripts/bench

shell: build
	tests/vm/run --shell

build: setup
	scripts/build

module: setup
	scripts/build-module module

userspace: setup
	scripts/build-userspace userspace

setup:
	scripts/setup

install-dkms:
	scripts/install-dkms $(KERNEL)

uninstall-dkms:
	scripts/install-dkms --remove

dist:
	scripts/dist $(O)

clean:
	scripts/clean

.PHONY: help quickstart check check-debug bench shell build module userspace setup \
	install-dkms uninstall-dkms dist clean
