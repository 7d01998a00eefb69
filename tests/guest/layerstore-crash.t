#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# guest: --timeout 1800
#
# The layer store is killed at any moment: what was done is there, what was being
# done is there wholly or not at all, and nothing else is.
set -u
. tests/tap.sh
. tests/guest/layers.sh

rounds=60
n_archives=6
seed=${SEED:-$(od -An -N2 -tu2 </dev/urandom | tr -d ' ')}
RANDOM=$seed
diag "SEED=$seed"

make_pool layers "$ROOTVIEW_SCRATCH" 7168 64 error_if_no_space

# Archives with a folder each, and the sums of its files.
for ((i = 0; i < n_archives; i++)); do
	mkdir -p "/tmp/tree$i/t$i"
	head -c 400k /dev/urandom >"/tmp/tree$i/t$i/data"
	for j in {1..20}; do
		echo "$i $j" >"/tmp/tree$i/t$i/$j"
	done
	tar --create --file "/tmp/t$i.tar" --directory "/tmp/tree$i" "t$i"
	(cd "/tmp/tree$i" && sha256sum "t$i"/* >"/tmp/sums$i")
done

# What there must be: of each layer its parent, and the archives that it has.
declare -A parents=() contents=()
next=0

# perform PARENTS CONTENTS COMMAND...: what a command does to these arrays.
perform()
{
	# shellcheck disable=SC2034 # these are others' names
	local -n of=$1 in=$2
	case $3 in
	create)
		# shellcheck disable=SC2034
		of[$4]=$5
		in[$4]=${in[$5]-}
		;;
	apply) in[$4]+=" ${5//[^0-9]/}" ;;
	remove) unset "of[$4]" "in[$4]" ;;
	esac
}

# leaf: one of the layers of the array p that is no parent, in $leaf.
choose_leaf()
{
	local leaves=() layer
	for layer in "${!p[@]}"; do
		[[ " ${p[*]} " == *" $layer "* ]] || leaves+=("$layer")
	done
	leaf=${leaves[RANDOM % ${#leaves[@]}]}
}

# Puts operations that can follow one another into /tmp/script.
write_script()
{
	local -A p=() c=()
	local layer leaf all command
	for layer in "${!parents[@]}"; do
		# shellcheck disable=SC2034 # perform() has it
		p[$layer]=${parents[$layer]} c[$layer]=${contents[$layer]}
	done
	for ((i = 0; i < 60; i++)); do
		all=(- "${!p[@]}")
		if [ ${#p[@]} -lt 2 ] || [ $((RANDOM % 10)) -gt ${#p[@]} ]; then
			layer=${all[RANDOM % ${#all[@]}]}
			next=$((next + 1))
			# Also of what is mounted, and is suspended for that.
			if [ "$layer" != - ] && [ $((RANDOM % 4)) = 0 ]; then
				printf '%s\n' "mount $layer" "create l$next $layer" "unmount $layer"
			else
				echo "create l$next $layer"
			fi
			perform p c create "l$next" "$layer"
			continue
		fi
		choose_leaf
		command="remove $leaf"
		[ $((RANDOM % 5)) -lt 2 ] || command="apply $leaf /tmp/t$((RANDOM % n_archives)).tar"
		echo "$command"
		# shellcheck disable=SC2086 # these are words
		perform p c $command
	done >/tmp/script
}

# killed SECONDS COMMAND...: it runs so long.
killed()
{
	local process
	"${@:2}" &
	process=$!
	sleep "$1"
	kill -KILL "$process"
	wait "$process"
} 2>/dev/null

# random MOST: milliseconds, as seconds.
random()
{
	printf '%d.%03d' $((RANDOM % $1 / 1000)) $((RANDOM % $1 % 1000))
}

# The command itself, so that it is killed and no shell.
store_script()
{
	exec layerstore-tool --pool "$pool" --size "$size" --context "$context" "$store" script \
		</tmp/script >/tmp/answers 2>&1
}

store_open()
{
	exec layerstore-tool --pool "$pool" --size "$size" --context "$context" "$store" each \
		>/dev/null 2>&1
}

# What was being done may have been done.
settle()
{
	local listing=$1 id=$3
	case $2 in
	create) [[ $'\n'$listing != *$'\n'"$id "* ]] || perform parents contents "${@:2}" ;;
	remove) [[ $'\n'$listing == *$'\n'"$id "* ]] || perform parents contents "${@:2}" ;;
	apply)
		if [[ $'\n'$listing != *$'\n'"$id "* ]]; then
			perform parents contents remove "$id"
		elif layers mount "$id" >/dev/null; then
			! [ -e "$store/mnt/$id/t${4//[^0-9]/}" ] || perform parents contents "${@:2}"
			layers unmount "$id"
		fi
		;;
	esac
}

expected()
{
	local layer
	for layer in "${!parents[@]}"; do
		echo "$layer ${parents[$layer]}"
	done | sort
}

# Of every layer all files must be what they were, and no others there.
check_contents()
{
	local layer i path is_there wanted
	if [ ${#parents[@]} = 0 ]; then
		return
	fi
	printf 'mount %s\n' "${!parents[@]}" | layers script | grep '^error'
	for layer in "${!parents[@]}"; do
		path=$store/mnt/$layer
		for i in $(tr ' ' '\n' <<<"${contents[$layer]}" | sort -u); do
			(cd "$path" && sha256sum --check --quiet "/tmp/sums$i") 2>&1 | sed "s/^/$layer: /"
		done
		is_there=$(find "$path" -mindepth 1 -maxdepth 1 ! -name lost+found -printf '%f\n' | sort)
		wanted=$(for i in ${contents[$layer]}; do echo "t$i"; done | sort -u)
		[ "$is_there" = "$wanted" ] || echo "$layer has $is_there, and not $wanted"
	done
	printf 'unmount %s\n' "${!parents[@]}" | layers script | grep '^error'
}

suspended()
{
	dmsetup info --columns --noheadings --options name,suspended | grep -i ':suspended$'
}

# Killed while another program makes the first file system, and that takes long.
mkdir /tmp/slow
cat >/tmp/slow/mke2fs <<'END'
#!/bin/bash
for device; do :; done
sleep 5 <"$device"
exec /usr/sbin/mke2fs "$@"
END
chmod +x /tmp/slow/mke2fs
PATH=/tmp/slow:$PATH store_open &
ok "the first file system is being made" eventually pgrep -f /tmp/slow/mke2fs
kill -KILL $!
wait $! 2>/dev/null
ok "... and the store comes up when it was killed then" layers each
is "... with that alone" "$(numbers_in_pool layers)$(devices)" 0

deepest=0 interrupted=0
for ((round = 1; round <= rounds; round++)); do
	write_script
	killed "$(random 1500)" store_script
	done=$(grep -c '^ok' /tmp/answers)
	mapfile -t commands </tmp/script
	for ((i = 0; i < done; i++)); do
		# shellcheck disable=SC2086 # these are words
		perform parents contents ${commands[i]}
	done
	pending=${commands[done]-}
	[ $((RANDOM % 2)) = 0 ] || killed "$(random 150)" store_open

	listing=$(layers each 2>&1)
	# shellcheck disable=SC2086
	settle "$listing" ${pending:-none none}
	[ -z "$pending" ] || interrupted=$((interrupted + 1))
	# Containers may outlive it, so their layers stay mounted.
	mounts | sed -n "s,^$store/mnt/,unmount ,p" | layers script | grep '^error'
	faults=$(
		diff <(cut -d ' ' -f 1,2 <<<"$listing" | sed '/^ *$/d' | sort) <(expected)
		grep '^error' /tmp/answers
		diff <(numbers_in_store 0) <(numbers_in_pool layers)
		# It takes long.
		((round % 6)) || check_contents
		suspended
		devices | grep .
		mounts
	)
	is "round $round: after $done operations, in \"$pending\", with ${#parents[@]} layers" \
		"$faults" ""
	# What comes after it says nothing.
	[ -z "$faults" ] || break
	[ "${#parents[@]}" -lt "$deepest" ] || deepest=${#parents[@]}
done
ok "it was killed in the middle of something: $interrupted times" test "$interrupted" -ge 50
ok "there was something to lose: $deepest layers" test "$deepest" -ge 5

layers each | tac | sed 's/^/remove /; s/ [^ ]* [0-9]*$//' >/tmp/script
layers script </tmp/script | grep '^error'
is "all layers can be removed" "$(layers each)" ""
is "and the pool has none of them" "$(numbers_in_pool layers)" 0
is "nothing is mounted or active" "$(mounts)$(devices)" ""

done_testing
