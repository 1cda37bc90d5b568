#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir, reader.sh the rest
# ucountview why, beyond the counters of ucounts: limits of RLIMIT_*, nesting depth, and limits elsewhere. In each test a
# system call is refused; why must name the limit with the right numbers, and the change that it prints must make the same
# call succeed. (The stories of ucounts are in stories_test.sh.)

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/reader.sh"
. "$here/agents.sh"

# uids that neither people, services nor containers use. Each test has its own: processes of the one before may still
# count.
uid=1900000400

cgroup=''
deep=''
in_pid_namespaces=''

after_test() {
	stop_agents
	restore_sysctls
	uid=$((uid + 10))
	[ -z "$deep" ] || kill "$deep"
	deep=''
	# shellcheck disable=SC2046 # one word for each process
	[ -z "$in_pid_namespaces" ] || kill -9 $(pids_at 1)
	in_pid_namespaces=''
	[ -z "$cgroup" ] || wait_until rmdir "$cgroup"
	cgroup=''
}

clean_up() {
	after_test
}

needs_rlimits() {
	has_feature rlimits || skip "the kernel has no rlimit counters"
}

# row COLUMNS RESOURCE LEVEL: these columns of the row in the raw output of why for $pid
row() {
	"$reader" why "$pid" -r -n -R "$2" -o "RESOURCE,LEVEL,$1" | awk -v name="$2" -v level="$3" '
		$1 == name && $2 == level { $1 = ""; $2 = ""; sub(/^ +/, ""); print }'
}

# user NAME: an agent of the user; sets $pid
user() {
	start "$1" && tell "$1" 0 uids $uid $uid $uid && pid=$(ask "$1" pid)
}

# 10 processes elsewhere, and one that may have 10 and has no others.
refused_fork_is_explained() {
	needs_rlimits || return
	user crowd && tell_number crowd fork 9 && user sandbox &&
		tell sandbox 0 rlimit nproc 10 1000 && tell sandbox EAGAIN fork 1 || return
	expect "used, limit, kind" '11 10 rlimit' "$(row USED,LIMIT,KIND rlimit_nproc 0)" || return
	succeeds why "$pid" -S fork -e EAGAIN || return
	says "rlimit_nproc: 11 of 10 used by uid $uid in the initial user namespace $init_userns." &&
		says '  Counted: 11 by agent (11 processes).' &&
		says '  When it is reached, fork() fails with EAGAIN (Resource temporarily unavailable).' &&
		run_fix "^prlimit --pid $pid --nproc=22:$" &&
		expect "the hard limit" 1000 "$(awk '/^Max processes/ { print $4 }' "/proc/$pid/limits")" && tell_number sandbox fork 1
}

# The user namespace was created while its creator might have 10; the process may have 1,000 now.
refused_fork_by_a_stored_limit_is_explained() {
	needs_rlimits || return
	user crowd && tell_number crowd fork 10 && user sandbox &&
		tell sandbox 0 rlimit nproc 10 1000 && tell sandbox 0 unshare-users &&
		tell sandbox 0 rlimit nproc 1000 1000 && tell sandbox EAGAIN fork 1 || return
	expect "at the level of the process" '1 1000' "$(row USED,LIMIT rlimit_nproc 1)" &&
		expect "at the level above" '12 10' "$(row USED,LIMIT rlimit_nproc 0)" || return
	succeeds why "$pid" || return
	says "rlimit_nproc: 12 of 10 used by uid $uid in the initial user namespace $init_userns." &&
		says "  User namespace $(inode "$pid" user) stored this RLIMIT_NPROC when it was created;"
}

# container NAME PROCESSES: that many processes of this command and of $uid, in a user namespace of their own
container() {
	user "$1" && tell "$1" 0 write /proc/self/comm "$1" && tell "$1" 0 unshare-users &&
		{ [ "$2" = 1 ] || tell_number "$1" fork $(($2 - 1)); }
}

# The kernel adds up what three containers and a process outside of them have in common, the uid on the host.
processes_of_all_containers_are_counted() {
	needs_rlimits || return
	container web 4 && container db 3 && container cron 1 && cron=$pid && user sandbox &&
		tell sandbox 0 rlimit nproc 9 1000 && tell sandbox EAGAIN fork 1 || return
	expect "used and limit" '9 9' "$(row USED,LIMIT rlimit_nproc 0)" || return
	succeeds why "$pid" -S fork || return
	says "rlimit_nproc: 9 of 9 used by uid $uid in the initial user namespace $init_userns." &&
		says "  Counted: 4 by web (4 processes), 3 by db (3 processes), 1 by cron ($cron), and 1 more by 1 other command." &&
		run_fix "^prlimit --pid $pid --nproc=18:$" && tell_number sandbox fork 1
}

root_is_exempt_from_the_number_of_processes() {
	needs_rlimits || return
	start root && pid=$(ask root pid) && tell root 0 rlimit nproc 1 1 && tell_number root fork 1 || return
	expect "exempt" 'real uid 0' "$(row EXEMPT rlimit_nproc 0 | sed 's/\\x20/ /g')" || return
	succeeds why "$pid" -R rlimit_nproc && says "  Process $pid is exempt (real uid 0)."
}

refused_signal_is_explained() {
	needs_rlimits || return
	user target && tell target 0 rlimit sigpending 5 100 && tell target '5 EAGAIN' signals 6 || return
	expect "used and limit" '5 5' "$(row USED,LIMIT rlimit_sigpending 0)" || return
	succeeds why "$pid" || return
	says "rlimit_sigpending: 5 of 5 used by uid $uid in the initial user namespace $init_userns." &&
		run_fix "^prlimit --pid $pid --sigpending=10:$" && tell target 1 signals 1
}

# Each queue costs the same. Room for three and a half.
refused_message_queue_is_explained() {
	needs_rlimits || return
	user queues && tell queues 0 queue 10 && size=$(row USED rlimit_msgqueue 0) && [ "$size" -gt 0 ] &&
		limit=$((size * 3 + size / 4)) && tell queues 0 rlimit msgqueue "$limit" 800000 &&
		tell queues 0 queue 10 && tell queues 0 queue 10 && tell queues EMFILE queue 10 || return
	expect "used and limit" "$((size * 3)) $limit" "$(row USED,LIMIT rlimit_msgqueue 0)" || return
	succeeds why "$pid" -S mq_open || return
	says "rlimit_msgqueue: $((size * 3)) of $limit used by uid $uid in the initial user namespace $init_userns." &&
		run_fix "^prlimit --pid $pid --msgqueue=$((limit * 2)):$" && tell queues 0 queue 10
}

refused_lock_of_shared_memory_is_explained() {
	needs_rlimits || return
	page=4096
	user locker && tell locker 0 rlimit memlock $((page * 10)) $((page * 100)) &&
		tell locker 0 lock 10 && tell locker ENOMEM lock 1 || return
	expect "used and limit" '10 10' "$(row USED,LIMIT rlimit_memlock 0)" || return
	succeeds why "$pid" -e ENOMEM || return
	says "rlimit_memlock: 10 of 10 used by uid $uid in the initial user namespace $init_userns." &&
		run_fix "^prlimit --pid $pid --memlock=$((page * 20)):$" && tell locker 0 lock 1
}

# nest: user namespaces, each in the one before, as deep as the kernel allows, with a process in the last
nest() {
	cat >"$ktap_dir/nest" <<-NEST
	[ "\$1" -lt 33 ] && exec unshare -U -r sh "$ktap_dir/nest" \$((\$1 + 1))
	unshare -U true 2>/dev/null
	echo \$? >"$ktap_dir/nested"
	exec sleep 100000
	NEST
	rm -f "$ktap_dir/nested"
	sh "$ktap_dir/nest" 0 &
	deep=$!
	wait_until test -s "$ktap_dir/nested" && wait_until grep -q sleep "/proc/$deep/comm"
}

nesting_as_deep_as_possible_is_explained() {
	nest && expect "one more" 1 "$(cat "$ktap_dir/nested")" || return
	pid=$deep
	expect "used and limit" '33 33' "$(row USED,LIMIT userns_depth -)" || return
	succeeds why "$deep" -R user_namespaces || return
	says 'userns_depth: 33 of 33 used.' &&
		says '  It is as deep as the kernel allows; no setting changes that.' || return
	succeeds why $$ -R userns_depth -r -n -o USED,LIMIT && expect "of the initial one" '0 33' "$(cat "$ktap_dir/out")"
}

# pids_at DEPTH: the processes in pid namespaces that deep
pids_at() {
	awk -v fields=$(($1 + 2)) '/^NSpid:/ && NF == fields { print $2 }' /proc/[0-9]*/status 2>/dev/null
}

pid_namespaces_as_deep_as_possible_are_explained() {
	cat >"$ktap_dir/nest" <<-NEST
	[ "\$1" -lt 32 ] && exec unshare -p -f sh "$ktap_dir/nest" \$((\$1 + 1))
	unshare -p -f true 2>/dev/null
	echo \$? >"$ktap_dir/nested"
	exec sleep 100000
	NEST
	rm -f "$ktap_dir/nested"
	in_pid_namespaces=yes
	sh "$ktap_dir/nest" 0 &
	wait_until test -s "$ktap_dir/nested" && expect "one more" 1 "$(cat "$ktap_dir/nested")" || return
	pid=$(pids_at 32)
	expect "used and limit" '32 32' "$(row USED,LIMIT pidns_depth -)" || return
	succeeds why "$pid" -S unshare -e ENOSPC || return
	says 'pidns_depth: 32 of 32 used.' &&
		says '  It is as deep as the kernel allows; no setting changes that.'
}

exhausted_descriptors_are_explained() {
	user opener && tell opener 0 rlimit nofile 8 100 || return
	answer=$(ask opener inotify 8)
	expect "the error" EMFILE "${answer#* }" || return
	expect "used and limit" '8 8' "$(row USED,LIMIT descriptors -)" || return
	succeeds why "$pid" || return
	says 'descriptors: 8 of 8 used.' && says '  When it is reached, open() fails with EMFILE (Too many open files).' &&
		grep -q '^Elsewhere, with the same errors:$' "$ktap_dir/out" &&
		says 'A call that charges more than is left is refused, however little is used:' &&
		run_fix "^prlimit --pid $pid --nofile=16:$" && tell_number opener inotify 1
}

# make_cgroup NAME: a cgroup of the unified hierarchy with the pids controller, where there is one.
make_cgroup() {
	root=/sys/fs/cgroup
	[ -e $root/cgroup.controllers ] || mount -t cgroup2 none $root || skip "there is no cgroup2" || return
	grep -qw pids $root/cgroup.controllers && echo +pids >$root/cgroup.subtree_control ||
		skip "there is no pids controller" || return
	cgroup=$root/$1
	mkdir "$cgroup"
}

# fill_cgroup NAME: a cgroup that may have one process, and has it: $pid
fill_cgroup() {
	make_cgroup "$1" && start member && pid=$(ask member pid) && echo "$pid" >"$cgroup/cgroup.procs" &&
		echo 1 >"$cgroup/pids.max" && tell member EAGAIN fork 1
}

full_cgroup_is_explained() {
	fill_cgroup ucv-why-test || return
	expect "used and limit" '1 1' "$(row USED,LIMIT pids -)" || return
	succeeds why "$pid" -e EAGAIN || return
	says 'pids: 1 of 1 used.' && run_fix "^echo 2 >$cgroup/pids.max$" && tell_number member fork 1
}

# As systemd names them, and as anybody may.
name_of_a_cgroup_is_quoted() {
	# shellcheck disable=SC2016 # a name
	fill_cgroup 'ucv why\x2dtest; "$HOME"' || return
	succeeds why "$pid" -R pids || return
	says "  To double the limit: echo 2 >'$cgroup/pids.max'" && run_fix "^echo 2 >'.*pids.max'$" &&
		tell_number member fork 1 || return
	stop_agents
	wait_until rmdir "$cgroup" && fill_cgroup "ucv-why'test" || return
	succeeds why "$pid" -R pids || return
	says "  To double the limit: echo 2 >\$'/sys/fs/cgroup/ucv-why\\047test/pids.max'"
}

capability_exempts_from_the_number_of_open_files() {
	pid=$$
	expect "of root" CAP_SYS_ADMIN "$(row EXEMPT open_files -)" || return
	user nobody || return
	expect "of a user" - "$(row EXEMPT open_files -)"
}

# A limit of 0 has no double: the advice is the default, half of kernel.threads-max.
forbidden_namespace_is_explained() {
	default=$(($(cat /proc/sys/kernel/threads-max) / 2))
	lower user.max_uts_namespaces 0 && start setter && pid=$(ask setter pid) || return
	unshare -u true 2>/dev/null && return 1
	expect "used and limit" '0 0' "$(row USED,LIMIT uts_namespaces 0)" || return
	succeeds why "$pid" -R uts_namespaces || return
	says "  To allow it again, as after boot: sysctl -w user.max_uts_namespaces=$default" &&
		says "  To keep it: the line \"user.max_uts_namespaces=$default\" in a file in /etc/sysctl.d." &&
		run_fix "^sysctl -w user.max_uts_namespaces=$default$" && unshare -u true
}

nothing_is_acquitted_that_was_not_read() {
	succeeds why $$ || return
	grep -q '^Not read: ' "$ktap_dir/out" &&
		says 'A call that charges more than is left is refused, however little is used:' || return
	has_feature rlimits && return
	grep -q '^This kernel does not show its counters of RLIMIT_NPROC' "$ktap_dir/out" || return
	fails why $$ -R rlimit_nproc && grep -q 'rlimit_nproc: no such counter in this kernel' "$ktap_dir/err"
}

# All but commands, which are to be copied.
text_fits_a_terminal() {
	user wide && tell wide 0 rlimit nofile 8 100 || return
	ask wide inotify 8
	succeeds why "$pid" || return
	grep -q '^  The same holds for' "$ktap_dir/out" || return
	expect "lines wider than 80 columns" '' "$(awk 'length > 80 && !/^  To [^:]*: /' "$ktap_dir/out")"
}

limits_are_chosen_by_error_and_system_call() {
	fails why $$ -S no_such_call && fails why $$ -e EMFLE && succeeds why $$ -S openat -R descriptors || return
	succeeds why $$ -r -n -o ERRNO -e EMFILE && expect "errors" EMFILE "$(sort -u "$ktap_dir/out")" || return
	succeeds why $$ -r -n -o RESOURCE -S inotify_init1 &&
		expect "resources" 'descriptors inotify_instances open_files' "$(sort -u "$ktap_dir/out" | paste -sd ' ' -)"
}

needs_reader
ktap_clean_up_at_exit

ktap_run refused_fork_is_explained refused_fork_by_a_stored_limit_is_explained \
	processes_of_all_containers_are_counted root_is_exempt_from_the_number_of_processes refused_signal_is_explained \
	refused_message_queue_is_explained refused_lock_of_shared_memory_is_explained \
	nesting_as_deep_as_possible_is_explained pid_namespaces_as_deep_as_possible_are_explained \
	exhausted_descriptors_are_explained full_cgroup_is_explained name_of_a_cgroup_is_quoted \
	capability_exempts_from_the_number_of_open_files text_fits_a_terminal forbidden_namespace_is_explained \
	nothing_is_acquitted_that_was_not_read limits_are_chosen_by_error_and_system_call
