# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # whoever reads this sets $here and $ktap_dir, and uses the rest
# For the tests of ucountview leaks and audit: the module that plants what they find, processes that are left, and a
# busy system.
#
# Environment: UCV_PLANTED, the test module; UCV_RUNS, how many runs on the busy system (50).

uid=1900000700
busy=''

# The module that plants: UCV_PLANTED, or beside the module under test, or built in this directory.
find_planted() {
	for file in "${UCV_PLANTED:-}" "/lib/modules/$(uname -r)/extra/ucv_planted.ko" \
		"$here/planted/ucv_planted.ko"; do
		if [ -n "$file" ] && [ -f "$file" ]; then
			echo "$file"
			return
		fi
	done
}

# insert SUFFIX: load the module that plants (''), or the one beside it ('_clone')
insert() {
	file=$(find_planted | sed "s/\.ko\$/$1.ko/")
	[ -f "$file" ] || skip "there is no ucv_planted$1.ko: make -C planted, or set UCV_PLANTED" || return
	insmod "$file"
}

load_planted() {
	insert ''
}

# Unloading it undoes everything it has planted.
unload_planted() {
	! grep -q '^ucv_planted ' /proc/modules || rmmod ucv_planted
}

# A module with a symbol that looks like a clone of a function.
load_clone() {
	insert _clone
}

unload_clone() {
	! grep -q '^ucv_planted_clone ' /proc/modules || rmmod ucv_planted_clone
}

# left_running: pids of the processes that a command has left running
left_running() {
	for process in /proc/[0-9]*; do
		[ "$(cat "$process/comm" 2>/dev/null)" != leave ] || echo "${process#/proc/}"
	done
}

# kill_left: kill them and wait until they are gone and uncharged
kill_left() {
	tries=0
	left=$(left_running)
	while [ -n "$left" ] && [ $tries -lt 1200 ]; do
		tries=$((tries + 1))
		# shellcheck disable=SC2086 # several words
		kill -9 $left 2>/dev/null
		sleep 0.05
		left=$(left_running)
	done
}

after_test() {
	[ -z "$busy" ] || kill "$busy" 2>/dev/null
	busy=''
	unload_planted
	kill_left
}

# on_a_busy_system COMMAND...: the command succeeds each time while other processes charge and uncharge
on_a_busy_system() {
	"$here/traffic" >"$ktap_dir/traffic" &
	busy=$!
	runs=0
	while [ $runs -lt "${UCV_RUNS:-50}" ]; do
		runs=$((runs + 1))
		"$@" || {
			echo "run $runs"
			return 1
		}
	done
	kill $busy
	wait $busy
	expect "status of the traffic" 0 $? || return
	busy=''
	echo "$runs runs, rounds of the traffic: $(awk '{ printf " %s", $2 }' "$ktap_dir/traffic")"
}

# row RESOURCE NS UID COLUMN...: these columns of the row in the last run's JSON output; nothing if there is no such row
row() {
	"$here/json_check" -l <"$ktap_dir/out" | awk -F '\t' -v wanted="$*" '
		function show(n, w, i, line) {
			n = split(wanted, w, " ")
			if (field["resource"] != w[1] || field["ns"] != w[2] || field["uid"] != w[3])
				return
			line = field[w[4]]
			for (i = 5; i <= n; i++)
				line = line " " field[w[i]]
			print line
		}
		{
			split($1, part, "].")
			if (part[1] != last)
				show()
			last = part[1]
			field[part[2]] = $2
		}
		END { show() }'
}
