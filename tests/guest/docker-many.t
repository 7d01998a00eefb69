#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: --docker --memory 3072 --timeout 900
#
# Fifty read-only containers of one image at once: what the first has read from the
# image's device, none of the others reads again.
set -euo pipefail
. tests/tap.sh
. tests/guest/docker-driver.sh

count=50
start_driver
start_on "${docker_versions[-1]}"
import_small small
reads='cat /etc/greeting /bin/busybox >/dev/null; sleep 10000'

begin first --read-only small /bin/sh -c "$reads"
origin=$(call ListOrigins | jq -r '.origins[0].device')
sleeping()
{
	[ "$(pgrep --count --full --exact 'sleep 10000')" = "$1" ]
}
eventually "the first container has read" sleeping 1
isnt "it reads from the disk" "$(sectors_read "$origin")" 0
before=$(sectors_read "$origin")
volumes=$(numbers_in_pool docker)

jq -n --arg reads "$reads" '{
	Image: "small", Cmd: ["/bin/sh", "-c", $reads],
	HostConfig: { ReadonlyRootfs: true, NetworkMode: "none" }
}' >/tmp/container.json
start_other()
{
	docker_api "/containers/create?name=other-$1" --header 'Content-Type: application/json' \
		--data @/tmp/container.json
	docker_api "/containers/other-$1/start" --request POST
}
# Four at a time, as an orchestrator would.
export -f docker_api start_other
seq 2 "$count" | xargs --max-procs=4 --replace bash -c 'start_other {}' >/dev/null
eventually "all of them have read" sleeping "$count"
is "the others not from the disk" "$(sectors_read "$origin")" "$before"
is "there is a view for each" "$(call ListViews | jq '.views | length')" "$count"
is "of one block device" "$(dmsetup ls --target rootview | wc -l)" 1
is "and nothing in the pool" "$(numbers_in_pool docker)" "$volumes"
docker ps --quiet | xargs docker rm --force >/dev/null
is "no view is left of them" "$(call ListViews | jq '.views | length')" 0
done_testing
