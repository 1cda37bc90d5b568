#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir, planted.sh status
# ucountview audit: no report when the charges of known processes match; a counter that a test module corrupted is
# reported with its numbers; objects that exist but cannot be found are not a contradiction; repeated runs on a busy
# system report nothing.
#
# Environment: UCOUNTVIEW, the reader; UCV_PLANTED, the test module; UCV_RUNS, how many runs on the busy system (50).

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/find.sh"
. "$here/planted.sh"

busy=''
sleeper=''

clean_up() {
	[ -z "$sleeper" ] || kill "$sleeper" 2>/dev/null
	[ -z "$busy" ] || kill "$busy" 2>/dev/null
	unload_planted
	kill_left
	rm -rf "$ktap_dir"
}

# agrees: audit reports nothing
agrees() {
	run audit
	expect "status" 0 "$status" && expect "output" '' "$(cat "$ktap_dir/out" "$ktap_dir/err")"
}

# contradicts RESOURCE NS UID COUNTER EXPECTED WRONG: audit reports exactly this row
contradicts() {
	run audit -J
	expect "status" 4 "$status" || return
	expect "errors" '' "$(cat "$ktap_dir/err")" || return
	expect "$1 of $3 in $2" "$4 $5 $6" "$(row "$1" "$2" "$3" counter expected wrong)" || return
	expect "rows" 1 "$(grep -c '"resource"' "$ktap_dir/out")"
}

# counted RESOURCE NS UID COUNTER EXPECTED REST
counted() {
	expect "$1 of $3 in $2" "$4 $5 $6" "$(row "$1" "$2" "$3" counter expected rest)"
}

agrees_on_an_idle_system() {
	agrees
}

finds_what_is_charged() {
	"$here/leave" -u "$uid" watches 3 && "$here/leave" -u "$uid" watches 2 || return
	run audit -a -J
	expect "status" 0 "$status" &&
		counted inotify_instances "$init" "$uid" 2 2 0 &&
		counted inotify_watches "$init" "$uid" 5 5 0
}

# root_has RESOURCE: root's counter in the initial user namespace
root_has() {
	"$reader" -a -n -r -R "$1" -U "$init" -u 0 -o USED | awk '{ sum += $1 } END { print sum + 0 }'
}

# A user namespace that contains a uts and a mount namespace. First wait until those of earlier tests have been freed.
finds_namespaces() {
	tries=0
	while [ "$(root_has user_namespaces) $(root_has uts_namespaces)" != '0 0' ] && [ $tries -lt 3000 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	unshare -U -r -u -m sleep 100000 &
	sleeper=$!
	while [ "$(cat /proc/$sleeper/comm)" != sleep ]; do
		sleep 0.1
	done
	inner=$(userns_of $sleeper)
	run audit -a -J
	expect "status" 0 "$status" &&
		counted user_namespaces "$init" 0 1 1 0 &&
		counted uts_namespaces "$inner" null 1 1 0 &&
		counted uts_namespaces "$init" null 1 1 0 || return
	[ "$("$here/mounts_probe" available)" = yes ] || return 0
	mounts=$(row mounts "$(stat -L -c %i /proc/$sleeper/ns/mnt)" null counter)
	counted mnt_namespaces "$inner" 0 1 1 0 &&
		counted mounts "$(stat -L -c %i /proc/$sleeper/ns/mnt)" null "$mounts" "$mounts" 0
}

# Inotify instances that no process has open.
what_is_not_found_is_no_contradiction() {
	load_planted || return
	"$here/leave" -u "$uid" hold 3 || return
	agrees || return
	run audit -a -J
	counted inotify_instances "$init" "$uid" 1 0 1 && counted inotify_watches "$init" "$uid" 3 0 3
}

tells_a_counter_too_small() {
	load_planted || return
	"$here/leave" -u "$uid" watches 4 && "$here/leave" -u "$uid" bump inotify_watches -1 || return
	contradicts inotify_watches "$init" "$uid" 3 4 "less than exist" || return
	unload_planted && agrees
}

tells_a_negative_counter() {
	load_planted || return
	"$here/leave" -u "$uid" bump user_namespaces -2 || return
	contradicts user_namespaces "$init" "$uid" -2 0 "negative" || return
	unload_planted && agrees
}

# Two more in a user namespace than at the level above.
tells_a_level_that_was_not_charged() {
	load_planted || return
	unshare -U -r "$here/leave" bump inotify_watches 2 || return
	contradicts inotify_watches "$init" 0 0 2 "less than below" || return
	unload_planted && agrees
}

# A counter one below the number of existing mount namespaces.
tells_a_namespace_too_many() {
	[ "$("$here/mounts_probe" available)" = yes ] || {
		echo "the module cannot read mount counters here"
		return 4
	}
	load_planted || return
	unshare -U -r -m "$here/leave" bump mnt_namespaces -1 || return
	run audit -J
	expect "status" 4 "$status" || return
	expect "namespaces" "0 1 less than exist" "$(row mnt_namespaces "$(userns_of "$(pidof leave)")" 0 \
		counter expected wrong)" || return
	unload_planted && agrees
}

says_nothing_on_a_busy_system() {
	"$here/traffic" >"$ktap_dir/traffic" &
	busy=$!
	runs=0
	while [ $runs -lt "${UCV_RUNS:-50}" ]; do
		runs=$((runs + 1))
		agrees || {
			echo "run $runs"
			run audit -a
			cat "$ktap_dir/out"
			return 1
		}
	done
	kill $busy
	wait $busy
	expect "status of the traffic" 0 $? || return
	busy=''
	echo "$runs runs, rounds of the traffic: $(awk '{ printf " %s", $2 }' "$ktap_dir/traffic")"
}

refuses_what_makes_no_sense() {
	for option in --help -H; do
		run audit $option
		expect "status of: audit $option" 0 "$status" && [ -s "$ktap_dir/out" ] || return
	done
	for arguments in --bogus frobnicate '-o NOPE' '-J -r'; do
		# shellcheck disable=SC2086 # several words
		run audit $arguments
		expect "status of: audit $arguments" 1 "$status" || return
		expect "output of: audit $arguments" '' "$(cat "$ktap_dir/out")" || return
	done
	status=0
	unshare -p -f "$reader" audit >"$ktap_dir/out" 2>"$ktap_dir/err" || status=$?
	expect "status in another pid namespace" 1 "$status"
}

[ "$(id -u)" -eq 0 ] || ktap_skip_all "this test needs root"
[ -c /dev/ucountview ] || ktap_skip_all "there is no /dev/ucountview: load the module ucountview"
reader=$(find_reader)
[ -n "$reader" ] || ktap_skip_all "there is no reader: set UCOUNTVIEW"
trap clean_up EXIT
trap 'exit 143' HUP INT TERM
init=$(userns_of $$)

ktap_begin 10
test_one agrees_on_an_idle_system
test_one finds_what_is_charged
test_one finds_namespaces
test_one what_is_not_found_is_no_contradiction
test_one tells_a_counter_too_small
test_one tells_a_negative_counter
test_one tells_a_level_that_was_not_charged
test_one tells_a_namespace_too_many
test_one says_nothing_on_a_busy_system
test_one refuses_what_makes_no_sense
ktap_end
