#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir, planted.sh status
# ucountview leaks: commands that leave known objects behind, commands that leave none, and the exit status. In repeated
# runs, what other processes do concurrently is not attributed to the command.
#
# Environment: see reader.sh and planted.sh; UCV_SETTLE, how many seconds the kernel may take to uncharge (3; 600 for a
# command without leaks); UCV_LATE, how many namespaces it has to uncharge late (1000, for which 5.10 needs more than 20
# seconds).

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/reader.sh"
. "$here/planted.sh"

settle=${UCV_SETTLE:-3}
late=${UCV_LATE:-1000}
# shellcheck disable=SC2034 # for reader.sh
failure=125 # the status of a reader that fails; 1 could be the command's

clean_up() {
	after_test
	umount "$ktap_dir/here" "$ktap_dir/user" "$ktap_dir/mounts/mnt" "$ktap_dir/mounts" 2>/dev/null
}

# clean COMMAND...: reports nothing left, and the command's status is 0
clean() {
	run leaks --settle 600 -- "$@"
	expect "status of: $*" 0 "$status" && expect "output of: $*" '' "$(cat "$ktap_dir/out" "$ktap_dir/err")"
}

# leaks ROWS COMMAND...: reports this number of rows
leaks() {
	rows=$1
	shift
	run leaks --settle "$settle" -J -- "$@"
	cat "$ktap_dir/out" "$ktap_dir/err"
	expect "status of: $*" 3 "$status" && expect "rows of: $*" "$rows" "$(grep -c '"resource"' "$ktap_dir/out")"
}

# left RESOURCE NS UID BEFORE AFTER LEFT COMMAND
left() {
	expect "$1 of $3 in $2" "$4 $5 $6 $7" "$(row "$1" "$2" "$3" before after left command)"
}

# Whether the kernel has rlimit counters (since 5.14), as 1 or 0.
rlimits() {
	"$reader" -a -n -r -o RESOURCE | grep -c -m 1 '^rlimit_nproc$'
}

nothing_is_reported_if_all_is_released() {
	clean true && clean "$here/traffic" once &&
		clean unshare -U -r -m -p -f -i -n -u sh -c 'mount -t tmpfs none /tmp && exec sleep 0.1'
}

# An orphan of the command is reaped as it would be without the reader: its /proc entry disappears when it ends.
orphans_of_the_command_are_waited_for() {
	# shellcheck disable=SC2016 # for the inner shell
	clean sh -c '
		orphan=$(sh -c "sleep 0.1 >/dev/null & echo \$!")
		while [ -e "/proc/$orphan" ]; do
			sleep 0.1
		done'
}

end_of_the_command_is_reported() {
	run leaks -- sh -c 'echo out; echo err >&2; exit 7'
	expect "status" 7 "$status" && expect "output" out "$(cat "$ktap_dir/out")" &&
		expect "errors" 'err ucountview: the command exited with status 7' "$(paste -s -d ' ' "$ktap_dir/err")" ||
		return
	# shellcheck disable=SC2016 # for the inner shell
	run leaks -- sh -c 'kill -TERM $$'
	expect "status" 143 "$status" || return
	grep -q 'killed by signal 15' "$ktap_dir/err" || return
	for command in ./nosuch:127 /etc/passwd:126; do
		run leaks -- "${command%:*}"
		expect "status of $command" "${command#*:}" "$status" || return
		expect "output of $command" '' "$(cat "$ktap_dir/out")" || return
	done
	leaks $((2 + $(rlimits))) sh -c "$here/leave -u $uid watches 1; exit 7" || return
	grep -q 'exited with status 7' "$ktap_dir/err"
}

# A keyboard signal goes to both processes. The second run tests the wait, in which the reader blocks the signal.
interrupted_command_is_reported() {
	status=0
	"$here/foreground" "$reader" leaks -- sh -c 'kill -INT 0; sleep 100000' >"$ktap_dir/out" 2>"$ktap_dir/err" \
		</dev/null || status=$?
	expect "status" 130 "$status" || return
	grep -q 'killed by signal 2' "$ktap_dir/err" || return
	# shellcheck disable=SC2016 # for the inner shell
	run leaks --settle 100000 -J -- sh -c '
		"$1" -u "$2" watches 1
		(
			until grep -q "^SigBlk:.*[2367abef]\$" /proc/$PPID/status; do :; done
			kill -INT $PPID
		) >/dev/null 2>&1 &' sh "$here/leave" "$uid"
	expect "status" 3 "$status" && left inotify_watches "$init_userns" "$uid" 0 1 1 leave
}

watches_of_a_daemon_are_reported() {
	"$here/leave" -u "$uid" watches 2 || return
	leaks $((2 + $(rlimits))) sh -c "setsid $here/leave -u $uid watches 5" &&
		left inotify_instances "$init_userns" "$uid" 1 2 1 leave &&
		left inotify_watches "$init_userns" "$uid" 2 7 5 leave || return
	[ "$(rlimits)" = 0 ] || left rlimit_nproc "$init_userns" "$uid" 1 2 1 leave
}

rlimit_counters_are_reported() {
	[ "$(rlimits)" = 1 ] || skip "this kernel has no counters of rlimits" || return
	leaks 2 "$here/leave" -u "$uid" memory 3 && left rlimit_memlock "$init_userns" "$uid" 0 3 3 leave &&
		left rlimit_nproc "$init_userns" "$uid" 0 1 1 leave || return
	kill_left
	leaks 2 "$here/leave" -u "$uid" signals 4 && left rlimit_sigpending "$init_userns" "$uid" 0 4 4 leave
}

left_mount_is_reported() {
	skip_without_mounts || return
	mkdir -p "$ktap_dir/here"
	mntns=$(inode $$ mnt)
	before=$("$reader" mounts -n -r -M "$mntns" -o MOUNTS)
	leaks 1 mount -t tmpfs none "$ktap_dir/here" &&
		left mounts "$mntns" null "$before" $((before + 1)) 1 null || return
	umount "$ktap_dir/here"
	clean sh -c "mount -t tmpfs none '$ktap_dir/here' && umount '$ktap_dir/here'"
}

# Two rows: the counter above it, and the mount that pins it. The module finds none without processes and counters.
left_user_namespace_is_reported() {
	skip_without_mounts || return
	: >"$ktap_dir/user"
	# shellcheck disable=SC2016 # for the inner shell
	leaks 2 sh -c '
		unshare -U sleep 100000 &
		until [ "$(cat /proc/$!/comm)" = sleep ]; do
			sleep 0.1
		done
		mount --bind /proc/$!/ns/user "$1" && kill $!' sh "$ktap_dir/user" &&
		left user_namespaces "$init_userns" 0 0 1 1 null || return
	umount "$ktap_dir/user"
}

left_mount_namespace_is_reported() {
	skip_without_mounts || return
	mkdir -p "$ktap_dir/mounts" && mount -t tmpfs none "$ktap_dir/mounts" &&
		mount --make-private "$ktap_dir/mounts" && : >"$ktap_dir/mounts/mnt" || return
	leaks 4 unshare "--mount=$ktap_dir/mounts/mnt" true || return
	inode=$(stat -c %i "$ktap_dir/mounts/mnt")
	expect "mnt_namespaces" "1 null" "$(row mnt_namespaces "$init_userns" 0 left command)" &&
		left mntns "$inode" null 0 1 1 null || return
	umount "$ktap_dir/mounts/mnt" && umount "$ktap_dir/mounts"
}

# Charges that no process holds.
planted_leak_is_reported() {
	load_planted || return
	leaks 2 "$here/leave" -u "$uid" hold 3 &&
		left inotify_instances "$init_userns" "$uid" 0 1 1 null &&
		left inotify_watches "$init_userns" "$uid" 0 3 3 null || return
	unload_planted && clean true
}

# In a user namespace of its own, which the charges in it pin: reported at each level.
planted_leak_is_reported_at_each_level() {
	load_planted || return
	run leaks --settle "$settle" -J -- unshare -U -r "$here/leave" hold 3
	expect "status" 3 "$status" && left inotify_watches "$init_userns" 0 0 3 3 null || return
	expect "rows of watches" 2 "$(grep -c '"inotify_watches"' "$ktap_dir/out")" &&
		expect "user_namespaces" "1 null" "$(row user_namespaces "$init_userns" 0 left command)" &&
		expect "rows of user namespaces" 1 "$(grep -c '"userns"' "$ktap_dir/out")"
}

# Before 6.3 the kernel waits for a grace period per IPC namespace, which pins its user namespace for that time.
falling_counters_are_waited_for() {
	run leaks --settle $((3 * settle)) -- "$here/leave" late "$late"
	cat "$ktap_dir/out" "$ktap_dir/err"
	expect "status" 0 "$status" && expect "rows" '' "$(cat "$ktap_dir/out")"
}

planted_leak_is_reported_among_falling_counters() {
	load_planted || return
	run leaks --settle $((3 * settle)) -J -- sh -c "$here/leave -u $uid hold 3 && $here/leave late $late"
	cat "$ktap_dir/out" "$ktap_dir/err"
	expect "status" 3 "$status" && expect "rows" 2 "$(grep -c '"resource"' "$ktap_dir/out")" &&
		expect "instances" '1 left' "$(row inotify_instances "$init_userns" "$uid" left state)" &&
		expect "watches" '3 left' "$(row inotify_watches "$init_userns" "$uid" left state)"
}

# A process that removes three of its watches and then ends the wait.
counter_still_falling_is_marked() {
	run leaks --settle 100000 -J -- "$here/leave" drain 6
	cat "$ktap_dir/out" "$ktap_dir/err"
	expect "status" 3 "$status" && expect "instances" '1 left' "$(row inotify_instances "$init_userns" 0 left state)" &&
		expect "watches" falling "$(row inotify_watches "$init_userns" 0 state)" &&
		grep -q "^ucountview: 1 of $((2 + $(rlimits))) were still falling" "$ktap_dir/err"
}

# others_on_request COMMAND...: when the file go appears, run COMMAND, not as a descendant of the reader
others_on_request() {
	rm -f "$ktap_dir/go" "$ktap_dir/gone"
	(
		while [ ! -e "$ktap_dir/go" ]; do
			sleep 0.1
		done
		"$@"
		: >"$ktap_dir/gone"
	) &
}

request=": >$ktap_dir/go; while [ ! -e $ktap_dir/gone ]; do sleep 0.1; done"

# A daemon that adds watches, at the command's request or for reasons of its own.
charges_of_others_are_reported_with_all() {
	others_on_request "$here/leave" -u "$uid" watches 4
	clean sh -c "$request" || return
	kill_left
	others_on_request "$here/leave" -u "$uid" watches 4
	run leaks --all --settle "$settle" -J -- sh -c "$request"
	expect "status" 3 "$status" && left inotify_watches "$init_userns" "$uid" 0 4 4 null
}

# Its pid is in the file sleeper.
begin_sleep() {
	start_sleeper "$@" && echo "$sleeper" >"$ktap_dir/sleeper"
}

# Root's count in the initial user namespace, which includes those of namespaces below.
net_namespaces() {
	"$reader" -a -n -r -R net_namespaces -U "$init_userns" -u 0 -o USED | head -n 1
}

# Root's namespaces, in the initial user namespace and in one of its own.
namespaces_of_others_are_reported_with_all() {
	before=$(net_namespaces)
	for namespaces in '-n -u -i -m' '-U -r -n -u -i -m'; do
		for all in '' --all; do
			# shellcheck disable=SC2086 # several words
			others_on_request begin_sleep $namespaces
			# shellcheck disable=SC2086 # nothing, or one word
			run leaks $all --settle "$settle" -J -- sh -c "$request"
			kill "$(cat "$ktap_dir/sleeper")"
			expect "status of $namespaces $all" $((${#all} ? 3 : 0)) "$status" || return
			# the next run must not find these still being freed
			until [ "$(net_namespaces)" -le "$before" ]; do
				sleep 0.1
			done
		done
		expect "net_namespaces" "$before $((before + 1)) 1" \
			"$(row net_namespaces "$init_userns" 0 before after left)" || return
	done
}

nothing_is_reported_on_a_busy_system() {
	on_a_busy_system clean "$here/traffic" once
}

bad_options_of_leaks_are_refused() {
	succeeds leaks --help && succeeds leaks -H &&
		refuses leaks '' true -- '--settle 0 -- true' '--settle x -- true' '--bogus -- true' '-o NOPE -- true'
}

needs_reader
ktap_clean_up_at_exit
ktap_run nothing_is_reported_if_all_is_released orphans_of_the_command_are_waited_for \
	end_of_the_command_is_reported interrupted_command_is_reported watches_of_a_daemon_are_reported \
	rlimit_counters_are_reported left_mount_is_reported left_user_namespace_is_reported \
	left_mount_namespace_is_reported planted_leak_is_reported planted_leak_is_reported_at_each_level \
	falling_counters_are_waited_for planted_leak_is_reported_among_falling_counters counter_still_falling_is_marked \
	charges_of_others_are_reported_with_all namespaces_of_others_are_reported_with_all \
	nothing_is_reported_on_a_busy_system bad_options_of_leaks_are_refused
