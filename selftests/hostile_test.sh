#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir, reader.sh the rest
# A hostile user, without capabilities and with the hard limits that distributions give, makes as many of one thing as it
# may (hostile.c). Every command of the reader still succeeds for root, and has the right numbers for that user.
# bounds_test measures what it costs.
#
# Environment: see reader.sh; UCV_HOSTILE, a percentage of the numbers below (100).

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/reader.sh"
. "$here/agents.sh"

always=/sys/module/ucountview/parameters/denials
was_always=''
uid=1900300000
percent=${UCV_HOSTILE:-100}

kill_hostile() {
	for process in /proc/[0-9]*; do
		{ read -r name <"$process/comm"; } 2>/dev/null || continue
		[ "$name" != hostile ] || kill -9 "${process#/proc/}" 2>/dev/null
	done
}

nothing_is_charged() {
	kill_hostile
	[ "$("$reader" usage -r -n -u $uid -o USED | awk '{ sum += $1 } END { print sum + 0 }')" -eq 0 ]
}

after_test() {
	[ -z "$was_always" ] || echo "$was_always" >$always
	was_always=''
	restore_sysctls
	wait_until nothing_is_charged
	uid=$((uid + 1))
}

clean_up() {
	after_test
}

# allow_much: limits as administrators raise them, so that the user can make as much as the machine holds
allow_much() {
	lower fs.inotify.max_user_instances 1048576 && lower fs.inotify.max_user_watches 1048576 &&
		lower fs.mount-max 1000000 && lower kernel.threads-max 100000 && lower kernel.pid_max 131072 || return
	for kind in user mnt uts ipc; do
		lower user.max_${kind}_namespaces 100000 || return
	done
}

# attack KIND NUMBER: start it and wait until all is there; sets $hostile to its pid, $number, and the file charges
attack() {
	number=$(($2 * percent / 100))
	[ $number -gt 0 ] || number=1
	echo "$number $1"
	: >"$ktap_dir/line"
	"$here/hostile" $uid "$1" $number "$files" >"$ktap_dir/line" 2>"$ktap_dir/trouble" &
	wait_until has_begun $! || return
	is_complete || {
		cat "$ktap_dir/trouble"
		return 1
	}
	tr ' ' '\n' <"$ktap_dir/line" >"$ktap_dir/charges"
	hostile=$(sed -n 's/^pid=//p' "$ktap_dir/charges")
	sed -i '/^pid=/d; /^$/d' "$ktap_dir/charges"
}

is_complete() {
	[ "$(wc -l <"$ktap_dir/line")" -eq 1 ]
}

# has_begun PID: the process has written its whole line, or has failed
has_begun() {
	is_complete || ! readlink "/proc/$1/exe" >/dev/null
}

charged() {
	sed -n "s/^$1=//p" "$ktap_dir/charges"
}

# On this kernel; 5.10 has no counters of rlimits.
is_counted() {
	"$reader" usage -a -r -n -o RESOURCE -u 0 | grep -qx "$1"
}

usage_is_right() {
	succeeds usage -r -n -u $uid -U "$init_userns" -o RESOURCE,USED || return
	while IFS='=' read -r resource used; do
		is_counted "$resource" || continue
		expect "$resource" "$used" "$(awk -v r="$resource" '$1 == r { print $2 }' "$ktap_dir/out")" || return
	done <"$ktap_dir/charges"
	succeeds usage
}

why_is_right() {
	succeeds why "$hostile" || return
	while IFS='=' read -r resource used; do
		is_counted "$resource" || continue
		succeeds why "$hostile" -R "$resource" -r -n -o LEVEL,USED || return
		# not the nesting depth, which has no level
		expect "why: $resource" "0 $used" "$(grep -v '^-' "$ktap_dir/out")" || return
	done <"$ktap_dir/charges"
}

# only_warns ARGUMENT...: the run wrote at most that it has left out some of what the user has too much of
only_warns() {
	expect "errors of: $*" '' "$(grep -vE 'have too many descriptors to read them all|holders are missing: at most 64' \
		"$ktap_dir/err")"
}

holders_are_right() {
	groups=$(charged inotify_instances)
	for by in process command group user; do
		run holders --by $by -r -n -u $uid -o MARKS,GROUPS
		expect "holders by $by" 0 "$status" && only_warns holders || return
	done
	expect "groups and marks" "${groups:-0} $(charged inotify_watches)" "$(awk '
		{ marks += $1; groups += $2 }
		END { print groups + 0, marks ? marks : "" }' "$ktap_dir/out")" || return
	for resource in inotify_instances user_namespaces; do
		run holders -R $resource
		expect "holders of $resource" 0 "$status" && only_warns holders || return
	done
}

# reports_nothing ARGUMENT...: no line
reports_nothing() {
	run "$@"
	expect "$*" "0 " "$status $(cat "$ktap_dir/out")" && only_warns "$@"
}

namespaces_are_right() {
	run userns -r -n -u $uid -o USERNS
	expect "userns" "0 " "$status $(cat "$ktap_dir/err")" || return
	# those nested in its namespaces are its own as well
	expect "user namespaces" "$(charged user_namespaces)" "$(lines out | sed 's/^0$//')" || return
	succeeds userns -T || return
	mounts_available || return 0
	run mounts -r -n -u $uid -o MOUNTS
	expect "mounts" "0 " "$status $(cat "$ktap_dir/err")" || return
	expect "mount namespaces" "$(charged mnt_namespaces)" "$(lines out | sed 's/^0$//')"
}

denials_are_right() {
	has_feature denials || return 0
	run denials -u $uid
	expect "denials" 0 "$status" || return
	run denials --totals -r -n -u $uid -R inotify_instances -o DENIALS
	expect "refused" "0 $1" "$status $(cat "$ktap_dir/out")"
}

root_sees_all() {
	usage_is_right && why_is_right && holders_are_right && reports_nothing audit &&
		reports_nothing leaks -s 0.1 -- true && namespaces_are_right && denials_are_right ''
}

# stands KIND NUMBER
stands() {
	allow_much && attack "$@" && root_sees_all
}

copies_of_a_descriptor() {
	stands descriptors 200000
}

sparse_file_tables() {
	stands tables 8
}

processes_that_share_an_instance() {
	stands processes 500
}

threads_and_their_file_tables() {
	stands threads 3000
}

many_watches() {
	stands watches 100000
}

descriptors_in_flight() {
	stands flight 50000
}

nested_user_namespaces() {
	stands nested 10
}

many_namespaces() {
	stands namespaces 200
}

# The namespace beside it has none of these mounts.
huge_tree_of_mounts() {
	stands mounts 20000 || return
	mounts_available || return 0
	run mounts -r -n -u $uid -o MOUNTS
	expect "mounts more than in the other namespace" "$number" "$(sort -n "$ktap_dir/out" |
		awk 'NR == 1 { least = $1 } END { print $1 - least }')"
}

queued_signals() {
	has_feature rlimits || skip "the kernel has no rlimit counters" || return
	stands signals 20000
}

# The user's own denials fill the ring; the sum stays exact.
flood_of_denials() {
	has_feature denials || skip "denials are not recorded here" || return
	was_always=$(cat $always)
	echo 1 >$always || return
	allow_much && lower fs.inotify.max_user_instances 0 && attack refused 20000 || return
	denials_are_right "$number" && reports_nothing audit && reports_nothing leaks -s 0.1 -- true
}

needs_reader
ktap_clean_up_at_exit
make_files 500
files=$(cd "$files" && pwd -P)
ktap_run copies_of_a_descriptor sparse_file_tables processes_that_share_an_instance threads_and_their_file_tables \
	many_watches descriptors_in_flight nested_user_namespaces many_namespaces huge_tree_of_mounts queued_signals \
	flood_of_denials
