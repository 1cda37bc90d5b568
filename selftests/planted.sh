# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # whoever reads this sets $here and $ktap_dir, and uses the rest
# For the tests of ucountview leaks and audit: the reader, the module that plants what they find, and processes.

uid=1900000700

# run ARGUMENT...: run the reader; sets $status, its output is in the files out and err
run() {
	status=0
	"$reader" "$@" >"$ktap_dir/out" 2>"$ktap_dir/err" </dev/null || status=$?
}

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

load_planted() {
	planted=$(find_planted)
	[ -n "$planted" ] || {
		echo "there is no ucv_planted.ko: make -C planted, or set UCV_PLANTED"
		return 4
	}
	insmod "$planted"
}

# Unloading it undoes everything it has planted.
unload_planted() {
	! grep -q '^ucv_planted ' /proc/modules || rmmod ucv_planted
}

# A module with a symbol that looks like a clone of a function; it is beside the module that plants.
load_clone() {
	clone=$(find_planted | sed 's/\.ko$/_clone.ko/')
	[ -f "$clone" ] || {
		echo "there is no ucv_planted_clone.ko: make -C planted, or set UCV_PLANTED"
		return 4
	}
	insmod "$clone"
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

# test_one FUNCTION: run a test and undo what it has left, however it ended
test_one() {
	ktap_test "$1"
	unload_planted
	kill_left
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

# userns_of PID: the inode number of its user namespace
userns_of() {
	stat -L -c %i "/proc/$1/ns/user"
}
