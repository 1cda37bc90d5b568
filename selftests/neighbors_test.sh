#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2119,SC2154 # ktap.sh sets ktap_dir; load takes arguments or none
# Hostile neighbors: programs that create and release everything the module reads, on all CPUs, while each command of the
# reader, listeners and a tracer run, and the module is loaded and unloaded. Afterwards all counters are what they were
# before, and the audit is clean.
#
# Environment: see load.sh and reader.sh; UCV_CHURN_SECONDS, how long (10 for each of the tests).

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/load.sh"
. "$here/reader.sh"

tracing=/sys/kernel/tracing
events=$tracing/events/ucountview
seconds=${UCV_CHURN_SECONDS:-10}
jobs=''
programs=''
was_tracing=$(cat $tracing/tracing_on 2>/dev/null)

# job NAME FUNCTION [ARGUMENT]...: run it in the background until it sees that it is to stop; its output is in
# $ktap_dir/NAME
job() {
	name=$1
	shift
	"$@" >"$ktap_dir/$name" 2>&1 &
	jobs="$jobs $name=$!"
}

# program NAME: likewise a program of this directory, which runs until SIGTERM
program() {
	"$here/$1" >"$ktap_dir/$1" 2>&1 &
	jobs="$jobs $1=$!"
	programs="$programs $!"
}

# Each must succeed.
stop_jobs() {
	bad=0
	: >"$ktap_dir/stop"
	for pid in $programs; do
		kill -TERM "$pid" || bad=1
	done
	for job in $jobs; do
		wait "${job#*=}" && continue
		bad=1
		echo "${job%%=*} failed:"
		tail -n 20 "$ktap_dir/${job%%=*}"
	done
	jobs=''
	programs=''
	rm -f "$ktap_dir/stop"
	return $bad
}

# trace-cmd leaves tracing switched off when it fails.
restore_tracing() {
	[ -z "$was_tracing" ] || echo "$was_tracing" >$tracing/tracing_on
}

clean_up() {
	stop_jobs >/dev/null 2>&1
	restore_tracing
	[ ! -w $events/enable ] || echo 0 >$events/enable
	! loaded || echo N >/sys/module/ucountview/parameters/denials
	if [ -z "$was_loaded" ]; then
		! loaded || unload
	else
		loaded || load
	fi
}

goes_on() {
	[ ! -e "$ktap_dir/stop" ]
}

no_module() {
	grep -qE 'cannot open /dev/ucountview: (module not loaded|No such device)' "$1"
}

# reads NAME ARGUMENT...: the reader succeeds again and again, except while there is no module
reads() {
	file=$ktap_dir/$1.reader
	shift
	rounds=0
	absent=0
	while goes_on || [ $rounds -eq 0 ]; do
		status=0
		"$reader" "$@" >"$file.out" 2>"$file.err" </dev/null || status=$?
		# what others have not released after 0.1 s is left over for leaks
		if [ $status -eq 0 ] || { [ "$1" = leaks ] && [ $status -eq 3 ]; }; then
			rounds=$((rounds + 1))
		elif no_module "$file.err"; then
			absent=$((absent + 1))
			sleep 0.1
		else
			echo "status $status of $*:"
			cat "$file.out" "$file.err"
			return 1
		fi
	done
	echo "$rounds rounds, $absent times no module"
}

# A listener ends successfully when told to.
listens() {
	file=$ktap_dir/listens.reader
	rounds=0
	heard=0
	while goes_on; do
		: >"$file.err"
		"$reader" denials -f -n -r -o SEQ >"$file.out" 2>"$file.err" </dev/null &
		listener=$!
		wait_until [ -s "$file.err" ] # it listens, or has failed
		sleep 0.5
		kill -TERM $listener 2>/dev/null
		if wait $listener; then
			rounds=$((rounds + 1))
			heard=$((heard + $(wc -l <"$file.out")))
		elif ! no_module "$file.err"; then
			cat "$file.err"
			return 1
		fi
	done
	echo "$rounds rounds, $heard denials heard"
}

# Reads what the tracer has recorded, and enables the tracepoints again once the module is back.
traces() {
	rounds=0
	while goes_on; do
		{ echo 1 >$events/enable; } 2>/dev/null && rounds=$((rounds + 1))
		sleep 0.2
		cat $tracing/trace >"$ktap_dir/trace" || return
		{ echo 0 >$events/enable; } 2>/dev/null
		sleep 0.1
	done
	echo "$rounds rounds"
}

find_tracer() {
	command -v trace-cmd || { [ -x /host/trace-cmd ] && echo /host/trace-cmd; }
}

# trace-cmd fails if the tracepoints vanish; it may, but must not hang.
records() {
	rounds=0
	while goes_on; do
		"$tracer" record -q -o "$ktap_dir/trace.dat" -e ucountview sleep 0.2 >"$ktap_dir/record" 2>&1 &&
			rounds=$((rounds + 1))
	done
	echo "$rounds rounds"
}

# The readers have the module open most of the time, so this only tries.
reloads() {
	rounds=0
	while goes_on; do
		if rmmod ucountview 2>/dev/null; then
			rounds=$((rounds + 1))
			load denials=$((rounds % 2)) || return
		fi
		sleep 0.05
	done
	echo "$rounds loads"
}

start_readers() {
	job usage reads usage usage -a
	job why reads why why 1
	job mounts reads mounts mounts
	job userns reads userns userns -T
	job denials reads denials denials
	job totals reads totals denials --totals
	job listener listens
	job holders reads holders holders --by group
	job namespaces reads namespaces holders -R user_namespaces
	job audit reads audit audit
	job leaks reads leaks leaks -s 0.1 -- true
	program read_loop
	job tracer traces
	tracer=$(find_tracer)
	[ -z "$tracer" ] || job recorder records
}

# What is charged to all users in the initial user namespace, and the mounts of each mount namespace. Not processes, of
# which this script has more or fewer.
counters() {
	"$reader" usage -r -n -U "$init_userns" -o UID,RESOURCE,USED | grep -v rlimit_nproc | sort
	mounts_available || return 0
	"$reader" mounts -r -n -o MNTNS,MOUNTS | sort
}

counters_are_back() {
	counters >"$ktap_dir/after" && cmp -s "$ktap_dir/before" "$ktap_dir/after"
}

# mountinfo has what the kernel itself shows of these mounts
mounts_here() {
	wc -l </proc/self/mountinfo
}

audit_is_clean() {
	[ -z "$("$reader" audit)" ]
}

# The workload runs: all readers with it, for the time; then compare.
compare_after_churn() {
	start_readers
	job loader reloads
	sleep "$seconds"
	stop_jobs || return
	restore_tracing
	for job in "$ktap_dir"/*; do
		[ ! -f "$job" ] || [ "${job##*/}" = output ] || ! grep -qE '^[0-9]+ (rounds|loads)' "$job" ||
			echo "${job##*/}: $(cat "$job")"
	done
	loaded || load || return
	wait_until counters_are_back || {
		diff "$ktap_dir/before" "$ktap_dir/after"
		return 1
	}
	expect "mounts" "$mounts_before" "$(mounts_here)" || return
	audit_is_clean || return
	echo "churned: $seconds seconds"
}

note_counters() {
	loaded || load || return
	counters >"$ktap_dir/before"
	mounts_before=$(mounts_here)
}

counters_return_after_churn() {
	note_counters || return
	program traffic
	program neighbors
	compare_after_churn
}

# Programs that nobody here wrote. Status 3: the machine is too small for a stressor.
stresses() {
	status=0
	"$stress" --quiet --temp-path "$ktap_dir" --timeout "$seconds" --inotify 1 --fanotify 1 --unshare 1 --clone 1 \
		--mq 1 --sigq 1 --mlock 1 || status=$?
	[ $status -eq 0 ] || [ $status -eq 3 ]
}

counters_return_after_stress_ng() {
	stress=$(command -v stress-ng || { [ -x /host/stress-ng ] && echo /host/stress-ng; })
	[ -n "$stress" ] || skip "there is no stress-ng" || return
	note_counters || return
	job stress-ng stresses
	compare_after_churn
}

# Whatever they say: some need what this kernel lacks, or what another one of them has changed.
runs_kernel_selftests() {
	rounds=0
	while goes_on; do
		for program in "$kernel_selftests"/*; do
			goes_on || break
			(cd "$kernel_selftests" && timeout -s KILL 60 unshare -m "$program") </dev/null >/dev/null 2>&1
			rounds=$((rounds + 1))
		done
	done
	kill_by_exe "$kernel_selftests/"
	echo "$rounds rounds"
}

# kill_by_exe PREFIX: kill the processes that run such a program: a test may leave some behind
kill_by_exe() {
	for process in /proc/[0-9]*; do
		case $(readlink "$process/exe") in
		"$1"*) kill -9 "${process#/proc/}" ;;
		esac
	done
}

# Built by tools/testvm/kernel-selftests.
counters_return_after_kernel_selftests() {
	kernel_selftests=/host/kernel-selftests
	[ -d $kernel_selftests ] || skip "there are no selftests of the kernel in $kernel_selftests" || return
	note_counters || return
	job kernel-selftests runs_kernel_selftests
	compare_after_churn
}

after_test() {
	stop_jobs >/dev/null 2>&1
}

needs_unloaded_module
ktap_clean_up_at_exit
load || ktap_skip_all "the module cannot be loaded"
needs_reader
mark_log
ktap_run counters_return_after_churn counters_return_after_stress_ng \
	counters_return_after_kernel_selftests kernel_log_has_no_splat
