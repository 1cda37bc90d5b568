#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir
# The tracepoints of denials, read through tracefs and recorded by trace-cmd. Each event is compared with the refused
# program and with what the kernel itself reports about it (/proc/sys, /proc/self/ns).

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/find.sh"
. "$here/agents.sh"

tracing=/sys/kernel/tracing
events=$tracing/events/ucountview

armed_by() {
	[ "$(status_of denials_armed)" = "$1" ]
}

# Arming happens shortly after a tracepoint is enabled.
wait_armed() {
	wait_until armed_by "$1"
}

# fails_at LIMIT VALUE COMMAND...: run the command once at this limit; sets $refused to its pid
fails_at() {
	limit=$1
	old=$(cat "$limit")
	echo "$2" >"$limit"
	shift 2
	"$@" 2>/dev/null &
	refused=$!
	! wait $refused
	not_refused=$?
	echo "$old" >"$limit"
	return $not_refused
}

be_refused() {
	fails_at /proc/sys/user/max_uts_namespaces 0 unshare -u true
}

be_refused_mount() {
	mkdir -p "$ktap_dir/mnt"
	fails_at /proc/sys/fs/mount-max 1 mount -t tmpfs none "$ktap_dir/mnt"
}

# One more user namespace than can be nested. All are entered by one process.
be_refused_depth() {
	set -- true
	nested=0
	while [ $nested -lt 34 ]; do
		set -- unshare -r "$@"
		nested=$((nested + 1))
	done
	"$@" 2>/dev/null &
	refused=$!
	! wait $refused
}

be_refused_fork() {
	start target && tell target 0 uids 1900001200 1900001200 1900001200 && tell target 0 rlimit nproc 1 1 &&
		refused=$(ask target pid) && tell target EAGAIN fork 1
	done=$?
	stop_agents
	return $done
}

# trace_one EVENT COMMAND: run the command while the event is traced; its lines are in $ktap_dir/lines
trace_one() {
	echo >$tracing/trace
	wait_armed 0 || return
	echo 1 >"$events/$1/enable"
	wait_armed 1 && "$2"
	done=$?
	echo 0 >"$events/$1/enable"
	grep -v '^#' $tracing/trace >"$ktap_dir/lines"
	[ $done -eq 0 ] && wait_armed 0
}

# expect_one LINES EVENT FIELD...: LINES has one such event, of the refused program and with these fields
expect_one() {
	lines=$1
	expect "events" 1 "$(grep -c " $2: " "$lines")" || {
		cat "$lines"
		return 1
	}
	line=$(grep " $2: " "$lines")
	event=$2
	shift 2
	for field in "pid=$refused" "tgid=$refused" "$@"; do
		case "$line " in
		*" $field "*) ;;
		*)
			echo "$event without $field: $line"
			return 1
			;;
		esac
	done
}

refused_charge_is_traced() {
	echo >$tracing/trace
	wait_armed 0 || return
	echo 1 >$events/ucount_denied/enable
	wait_armed 1 && be_refused
	done=$?
	echo 0 >$events/ucount_denied/enable
	grep -v '^#' $tracing/trace >"$ktap_dir/lines"
	[ $done -eq 0 ] || return 1
	wait_armed 0 || return
	user_ns=$(inode $$ user)
	expect_one "$ktap_dir/lines" ucount_denied comm=unshare resource=uts_namespaces level=0 "userns=$user_ns" uid=0 \
		used=0 limit=0 charged_level=0 "charged_userns=$user_ns" charged_uid=0 "caller_userns=$user_ns" caller_uid=0 \
		flags=0x0
}

refused_mount_is_traced() {
	echo >$tracing/trace
	echo 1 >$events/mount_denied/enable
	wait_armed 1 && be_refused_mount
	done=$?
	echo 0 >$events/mount_denied/enable
	grep -v '^#' $tracing/trace >"$ktap_dir/lines"
	[ $done -eq 0 ] || return 1
	wait_armed 0 || return
	expect_one "$ktap_dir/lines" mount_denied comm=mount "mntns=$(inode $$ mnt)" asked=1 pending=0 limit=1 \
		"caller_userns=$(inode $$ user)" caller_uid=0 flags=0x0
}

refused_rlimit_is_traced() {
	has_feature nproc_denials || skip "not recorded on this kernel" || return
	trace_one rlimit_denied be_refused_fork || return
	user_ns=$(inode $$ user)
	expect_one "$ktap_dir/lines" rlimit_denied comm=agent resource=rlimit_nproc level=0 "userns=$user_ns" \
		uid=1900001200 used=1 asked=1 limit=1 charged_uid=1900001200 caller_uid=1900001200 flags=0x0
}

refused_depth_is_traced() {
	has_feature userns_depth_denials || skip "not recorded on this kernel" || return
	trace_one depth_denied be_refused_depth || return
	expect_one "$ktap_dir/lines" depth_denied comm=unshare resource=userns_depth level=33 uid=0 used=33 asked=1 limit=33 \
		charged_level=33 caller_uid=0 flags=0x0
}

# All tracepoints count as one user, and one that stays enabled is enough.
one_enabled_tracepoint_is_enough() {
	echo 1 >$events/enable
	wait_armed 1 || return
	echo 0 >$events/mount_denied/enable
	echo >$tracing/trace
	be_refused
	done=$?
	grep -v '^#' $tracing/trace >"$ktap_dir/lines"
	echo 0 >$events/enable
	[ $done -eq 0 ] || return 1
	wait_armed 0 || return
	expect_one "$ktap_dir/lines" ucount_denied comm=unshare
}

find_tracer() {
	command -v trace-cmd || { [ -x /host/trace-cmd ] && echo /host/trace-cmd; }
}

# wait_recording PID: wait until trace-cmd has started its command, which it does once it records
wait_recording() {
	until [ -s "$ktap_dir/enabled" ]; do
		readlink "/proc/$1/exe" >/dev/null || return # it has ended
		sleep 0.1
	done
	expect "mount_denied, ucount_denied and tracing enabled" "1 1 1" "$(paste -s -d ' ' "$ktap_dir/enabled")"
}

# trace-cmd runs until its command ends, and the command waits until everything has happened. The kernel is probed as
# soon as the first event is enabled, so being armed does not prove that both events are enabled.
trace_cmd_records_refusals() {
	tracer=$(find_tracer)
	[ -n "$tracer" ] || skip "there is no trace-cmd" || return
	mkfifo "$ktap_dir/go" || return
	# shellcheck disable=SC2016 # for the inner shell
	"$tracer" record -q -o "$ktap_dir/trace.dat" -e ucountview:ucount_denied -e ucountview:mount_denied \
		sh -c 'cat "$2"/events/ucountview/[mu]*_denied/enable "$2/tracing_on" >"$1/seen" &&
			mv "$1/seen" "$1/enabled" && head -n 1 "$1/go"' sh "$ktap_dir" $tracing >"$ktap_dir/tracer" 2>&1 &
	pid=$!
	exec 9<>"$ktap_dir/go" # (does not wait for its reader)
	wait_recording $pid && wait_armed 1 && be_refused
	done=$?
	ucount_pid=$refused
	[ $done -eq 0 ] && be_refused_mount
	done=$?
	echo >&9
	wait $pid
	traced=$?
	exec 9>&-
	if [ $traced -ne 0 ] || [ $done -ne 0 ]; then
		cat "$ktap_dir/tracer"
		return 1
	fi
	"$tracer" report -q -i "$ktap_dir/trace.dat" >"$ktap_dir/report" 2>"$ktap_dir/tracer" || return
	tr -s ' ' <"$ktap_dir/report" >"$ktap_dir/lines"
	expect_one "$ktap_dir/lines" mount_denied comm=mount "mntns=$(inode $$ mnt)" asked=1 limit=1 || return
	refused=$ucount_pid
	expect_one "$ktap_dir/lines" ucount_denied comm=unshare resource=uts_namespaces "userns=$(inode $$ user)" used=0 limit=0
}

needs_root
loaded || ktap_skip_all "the module is not loaded"
[ -r "$debugfs/status" ] || ktap_skip_all "there is no debugfs"
[ -d $tracing/events ] || ktap_skip_all "there is no tracefs"
has_feature denials || ktap_skip_all "this kernel cannot be probed"
ktap_run refused_charge_is_traced refused_mount_is_traced refused_rlimit_is_traced refused_depth_is_traced \
	one_enabled_tracepoint_is_enough trace_cmd_records_refusals
