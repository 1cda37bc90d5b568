#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir
# The tracepoints of denials, read through tracefs and recorded by trace-cmd. Each event is compared with the refused
# program and with what the kernel itself reports about it (/proc/sys, /proc/self/ns).

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/find.sh"

tracing=/sys/kernel/tracing
events=$tracing/events/ucountview
status=/sys/kernel/debug/ucountview/status
limit=/proc/sys/user/max_uts_namespaces
mount_max=/proc/sys/fs/mount-max

[ "$(id -u)" = 0 ] || ktap_skip_all "needs root"
loaded || ktap_skip_all "the module is not loaded"
[ -r $status ] || ktap_skip_all "there is no debugfs"
[ -d $tracing/events ] || ktap_skip_all "there is no tracefs"
grep -qw denials $status || ktap_skip_all "this kernel cannot be probed"

armed() {
	sed -n 's/^denials_armed: //p' $status
}

# Arming happens shortly after a tracepoint is enabled.
wait_armed() {
	tries=0
	while [ "$(armed)" != "$1" ]; do
		tries=$((tries + 1))
		if [ $tries -gt 600 ]; then
			echo "armed by $(armed), not by $1"
			return 1
		fi
		sleep 0.1
	done
}

# be_refused: call unshare(CLONE_NEWUTS) once at a limit of 0; sets $refused to the pid
be_refused() {
	old=$(cat $limit)
	echo 0 >$limit
	unshare -u true 2>/dev/null &
	refused=$!
	! wait $refused
	not_refused=$?
	echo "$old" >$limit
	return $not_refused
}

# be_refused_mount: try one mount in a mount namespace that is full
be_refused_mount() {
	old=$(cat $mount_max)
	mkdir -p "$ktap_dir/mnt"
	echo 1 >$mount_max
	mount -t tmpfs none "$ktap_dir/mnt" 2>/dev/null &
	refused=$!
	! wait $refused
	not_refused=$?
	echo "$old" >$mount_max
	return $not_refused
}

inode_of() {
	readlink "/proc/self/ns/$1" | tr -dc 0-9
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

tracefs_ucount_denied() {
	echo >$tracing/trace
	wait_armed 0 || return
	echo 1 >$events/ucount_denied/enable
	wait_armed 1 && be_refused
	done=$?
	echo 0 >$events/ucount_denied/enable
	grep -v '^#' $tracing/trace >"$ktap_dir/lines"
	[ $done -eq 0 ] || return 1
	wait_armed 0 || return
	user_ns=$(inode_of user)
	expect_one "$ktap_dir/lines" ucount_denied comm=unshare resource=uts_namespaces level=0 "userns=$user_ns" uid=0 \
		used=0 limit=0 charged_level=0 "charged_userns=$user_ns" charged_uid=0 "caller_userns=$user_ns" caller_uid=0 \
		flags=0x0
}

tracefs_mount_denied() {
	echo >$tracing/trace
	echo 1 >$events/mount_denied/enable
	wait_armed 1 && be_refused_mount
	done=$?
	echo 0 >$events/mount_denied/enable
	grep -v '^#' $tracing/trace >"$ktap_dir/lines"
	[ $done -eq 0 ] || return 1
	wait_armed 0 || return
	expect_one "$ktap_dir/lines" mount_denied comm=mount "mntns=$(inode_of mnt)" asked=1 pending=0 limit=1 \
		"caller_userns=$(inode_of user)" caller_uid=0 flags=0x0
}

# Both tracepoints count as one user, and one that stays enabled is enough.
tracefs_both() {
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
tracer_records() {
	tracer=$(find_tracer)
	if [ -z "$tracer" ]; then
		echo "there is no trace-cmd"
		return 4
	fi
	mkfifo "$ktap_dir/go" || return
	# shellcheck disable=SC2016 # for the inner shell
	"$tracer" record -q -o "$ktap_dir/trace.dat" -e ucountview:ucount_denied -e ucountview:mount_denied \
		sh -c 'cat "$2"/events/ucountview/*_denied/enable "$2/tracing_on" >"$1/seen" &&
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
	expect_one "$ktap_dir/lines" mount_denied comm=mount "mntns=$(inode_of mnt)" asked=1 limit=1 || return
	refused=$ucount_pid
	expect_one "$ktap_dir/lines" ucount_denied comm=unshare resource=uts_namespaces "userns=$(inode_of user)" used=0 limit=0
}

trap 'rm -rf "$ktap_dir"' EXIT
ktap_begin 4
ktap_test tracefs_ucount_denied
ktap_test tracefs_mount_denied
ktap_test tracefs_both
ktap_test tracer_records
ktap_end
