#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# In the file system of the runtime folder nothing can be made any more, or one file, or
# two, or files without content: what the daemon is asked for then is done or refused, and
# nothing is left of what was not done.
# variants: address (thread)
# guest: --timeout 600
set -euo pipefail
. tests/tap.sh
. tests/debug/lack.sh

# Where the same is done for each of many mount points, not every number needs to be tried.
for kind in inodes blocks; do
	[ $kind = inodes ] && some=1 || some=0
	lack $kind <<-LIST
		list-views 2 0
		check 2 0
		connect 2 0
		add-origin 3 1
		remove-origin 2 0
		create-plain 2 0
		create-label $((2 + some)) $some
		create-points/4 3 1
		create-map 3 1
		create-many-points/20 3 1
		create-batch 2 0
		delete 2 0
		delete-batch 2 0
		open 2 0
		created-by-hand 2 0
		deleted-by-hand 2 0
		trash 2 0
		lost-events 2 0
		start 2 0
		stop 2 0
	LIST
done
done_testing
