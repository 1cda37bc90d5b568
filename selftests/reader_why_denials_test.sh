#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir, reader.sh the rest
# ucountview why, from recorded denials: those of a process that exists, and the last one of a process that is gone, with
# what was used then and what is used now. The change that it prints must make the same call succeed.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/reader.sh"
. "$here/agents.sh"

always=/sys/module/ucountview/parameters/denials
was_always=$(cat $always 2>/dev/null)
last_pid=/proc/sys/kernel/ns_last_pid
# uids that neither people, services nor containers use, each test with its own.
uid=1900000700
sleeper=''
mounted=''

after_test() {
	stop_agents
	restore_sysctls
	[ -z "$sleeper" ] || kill "$sleeper"
	sleeper=''
	[ -z "$mounted" ] || umount "$mounted"
	mounted=''
	echo "$was_always" >$always
	uid=$((uid + 10))
}

clean_up() {
	after_test
}

record() {
	[ -w $always ] && has_feature denials || skip "the module cannot record denials" || return
	echo Y >$always
}

# The time as the reader prints it, to the second.
now() {
	date +%Y-%m-%dT%H:%M:%S
}

# denied_between FIRST LAST: the first line of the file out begins with a time from the first to the last second
denied_between() {
	when=$(head -n 1 "$ktap_dir/out" | cut -c 1-19)
	awk -v first="$1" -v when="$when" -v last="$2" 'BEGIN { exit !(first "" <= when "" && when "" <= last "") }' || {
		echo "expected a time from $1 to $2 in: $(head -n 1 "$ktap_dir/out")"
		return 1
	}
}

# The file out without the time at its start, whose milliseconds differ: two clocks are read one after the other.
timeless() {
	sed '1s/^20[^ ]*: //' "$ktap_dir/out"
}

# Stop the agents, which are gone then; $pid stays.
stop() {
	gone=$pid
	stop_agents
	pid=$gone
}

# A user may have five inotify instances. An agent is refused the sixth; sets $pid.
refuse_instance() {
	lower fs.inotify.max_user_instances 5 && start "$1" && tell "$1" 0 uids $uid $uid $uid &&
		tell "$1" EMFILE inotify 6 && pid=$(ask "$1" pid)
}

instances="inotify_instances: 5 of 5 used by uid"

last_denial_of_a_process_that_is_gone_is_explained() {
	record || return
	# The reader converts the time, which costs less than these seconds.
	first=$(now)
	sleep 1
	refuse_instance hog || return
	sleep 1
	last=$(now)
	stop
	! kill -0 "$pid" 2>/dev/null || return
	succeeds why "$pid" && timeless >"$ktap_dir/gone" || return
	succeeds why --last "$pid" && expect "with --last" "$(cat "$ktap_dir/gone")" "$(timeless)" &&
		denied_between "$first" "$last" &&
		unwrapped | grep "^[^ ]*: process $pid (agent) with uid $uid was refused.$" &&
		says "$instances $uid in the initial user namespace $init_userns." &&
		says '  Now: 0 of 5 used.' &&
		says '  When it is reached, inotify_init() fails with EMFILE (Too many open files).' &&
		says '  To keep it: the line "fs.inotify.max_user_instances=10" in a file in /etc/sysctl.d.' || return
	for arguments in '--last agent' "-R inotify_instances $pid" "--last -S inotify_init1 -e EMFILE $pid"; do
		# shellcheck disable=SC2086 # several words
		succeeds why $arguments && says "$instances $uid in the initial user namespace $init_userns." || return
	done
	succeeds why -J "$pid" && "$here/json_check" -l <"$ktap_dir/out" >"$ktap_dir/leaves" || return
	values=$(awk -F '\t' '/denied-used|denied-limit|denied-pid|denied-command|\.used|\.limit/ { print $1 "=" $2 }' \
		"$ktap_dir/leaves" | sed 's/.*\.//' | sort | paste -sd ' ' -)
	expect "values in JSON" "denied-command=agent denied-limit=5 denied-pid=$pid denied-used=5 limit=5 used=0" "$values" ||
		return
	succeeds why "$pid" && run_fix '^sysctl -w fs.inotify.max_user_instances=10$' && start again &&
		tell again 0 uids $uid $uid $uid && tell again 0 inotify 6
}

# A user namespace in which each user may have three watches.
denial_in_a_namespace_that_is_gone_is_told() {
	skip_without_debugfs || return
	record && make_files 4 && start box && tell_number box userns $uid $((uid + 1)) 10 &&
		tell box 0 write /proc/sys/user/max_inotify_watches 3 && tell box 0 inotify 1 &&
		tell box '3 ENOSPC' watch 0 "$files" 0 4 && pid=$(ask box pid) && userns=$(inode "$pid" user) || return
	rm -r "$files"
	stop
	wait_until no_userns "$userns" || return
	succeeds why "$pid" &&
		says "inotify_watches: 3 of 3 used by uid $((uid + 1)) in user namespace $userns, level 1." &&
		says '  Now that user namespace is gone, and its limit with it.' && ! grep sysctl "$ktap_dir/out" || return
	succeeds why "$pid" -r -n -o RESOURCE,LEVEL,USERNS,UID,USED,LIMIT,SETTING,FIX,DENIED-USED,DENIED-LIMIT &&
		expect "raw" "inotify_watches 1 $userns $((uid + 1)) - - user.max_inotify_watches - 3 3" \
			"$(cat "$ktap_dir/out")"
}

no_userns() {
	! awk -v inode="$1" '$1 == inode { found = 1 } END { exit !found }' "$debugfs/userns"
}

refused_mount_of_a_process_that_is_gone_is_explained() {
	record && has_feature mount_denials || skip "refused mounts cannot be recorded" || return
	mntns=$(inode $$ mnt)
	limit=$(mounts_of "$mntns")
	mkdir -p "$ktap_dir/here" && lower fs.mount-max "$limit" || return
	# shellcheck disable=SC2016 # for the other shell
	sh -c 'echo $$ >"$1/pid"; exec mount -t tmpfs none "$1/here"' sh "$ktap_dir" 2>/dev/null && return 1
	pid=$(cat "$ktap_dir/pid")
	succeeds why --last "$pid" &&
		says "mounts: $limit mounted, 1 more needed; the limit of mount namespace $mntns was $limit." &&
		says "  Now: $limit of $limit used." && run_fix "^sysctl -w fs.mount-max=$((limit * 2))$" &&
		mount -t tmpfs none "$ktap_dir/here" && mounted=$ktap_dir/here
}

refused_fork_of_a_process_that_is_gone_is_explained() {
	record && has_feature nproc_denials || skip "refused forks cannot be recorded" || return
	start forker && tell forker 0 uids $uid $uid $uid && pid=$(ask forker pid) &&
		tell forker 0 rlimit nproc 1 5 && tell forker EAGAIN fork 1 || return
	stop
	succeeds why "$pid" -S fork &&
		says "rlimit_nproc: 1 of 1 used by uid $uid in the initial user namespace $init_userns." &&
		says '  Now: 0 used.' &&
		says '  The limit was RLIMIT_NPROC of the process: see prlimit(1) and setrlimit(2).'
}

# Each namespace in the one before, all by one process, which asks for one more than the kernel allows.
refused_nesting_of_a_process_that_is_gone_is_explained() {
	record && has_feature userns_depth_denials || skip "refused nesting cannot be recorded" || return
	cat >"$ktap_dir/nest" <<-NEST
	[ "\$1" -lt 33 ] && exec unshare -U -r sh "$ktap_dir/nest" \$((\$1 + 1))
	exec unshare -U true
	NEST
	sh "$ktap_dir/nest" 0 2>/dev/null &
	pid=$!
	wait $pid && return 1
	succeeds why "$pid" || return
	expect "the limit" 1 "$(grep -c '^userns_depth: 33 of 33 used in user namespace [0-9]*\.$' "$ktap_dir/out")" &&
		says '  It was as deep as the kernel allows; no setting changes that.'
}

recent_denials_of_a_process_are_listed() {
	record && refuse_instance busy && tell busy EMFILE inotify 1 && tell busy EMFILE inotify 1 &&
		tell busy EMFILE inotify 1 || return
	succeeds why "$pid" && says 'Refused before, as recorded (the last 3 of 4):' &&
		expect "lines" 3 "$(grep -c '^  20[^ ]* inotify_instances: 5 of 5 at level 0$' "$ktap_dir/out")" &&
		! grep '^Note:' "$ktap_dir/out" || return
	succeeds why "$pid" -R inotify_watches && ! grep '^Refused before' "$ktap_dir/out" || return
	succeeds why $$ && ! grep '^Refused before' "$ktap_dir/out" || return
	stop
	# Another process gets the PID, but not what the first was refused.
	[ -w $last_pid ] || skip "PIDs cannot be chosen here" || return
	wait_until reuse "$pid" || return
	succeeds why "$pid" && ! grep '^Refused before' "$ktap_dir/out" &&
		grep "^Process $pid is charged" "$ktap_dir/out"
}

# reuse PID: a process with this PID; fails if another process took it
reuse() {
	echo $(($1 - 1)) >$last_pid
	sleep 100000 &
	sleeper=$!
	[ "$sleeper" -eq "$1" ] && return
	kill "$sleeper"
	sleeper=''
	return 1
}

# unrecorded TEXT ARGUMENT...: why fails, and says this
unrecorded() {
	text=$1
	shift
	fails why "$@" || return
	grep -e "$text" "$ktap_dir/err" && return
	echo "not said: $text"
	cat "$ktap_dir/err"
	return 1
}

time_of_recording_is_told_if_nothing_is_found() {
	record || return
	sh -c 'exit 0' &
	gone=$!
	wait $gone
	unrecorded "^ucountview: no denial of command no-such-command is recorded: denials are recorded since 20" \
		--last no-such-command &&
		unrecorded "^ucountview: no such process: $gone, and no denial of it is recorded: denials are recorded since 20" \
			$gone && unrecorded "^ucountview: no denial of process $gone is recorded: " --last $gone || return
	echo N >$always
	[ "$(status_of denials_armed)" -eq 0 ] || skip "somebody else records" || return
	unrecorded "no denial of process $gone is recorded: denials are not recorded since 20" --last $gone &&
		unrecorded "no such denial of it is recorded: denials are not recorded since 20" -R mounts $gone || return
	succeeds why $$ && tr '\n' ' ' <"$ktap_dir/out" | grep -q 'Note: denials are not recorded since 20'
}

bad_arguments_are_refused() {
	refuses why '' '--last 1 2' '--last -R nope' '1 2' && fails why --last '' && fails why no-number
}

needs_reader
ktap_clean_up_at_exit

ktap_run last_denial_of_a_process_that_is_gone_is_explained denial_in_a_namespace_that_is_gone_is_told \
	refused_mount_of_a_process_that_is_gone_is_explained refused_fork_of_a_process_that_is_gone_is_explained \
	refused_nesting_of_a_process_that_is_gone_is_explained recent_denials_of_a_process_are_listed \
	time_of_recording_is_told_if_nothing_is_found bad_arguments_are_refused
