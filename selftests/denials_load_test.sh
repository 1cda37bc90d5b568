#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir
# Load and unload the module while charges are refused and denials are recorded and read. Also what needs a freshly
# loaded module: the parameter set at load time, more limits than there are slots to count them separately, kprobes or
# ftrace switched off at load time, and a kernel with a clone of a probed function.
#
# Environment: see load.sh; UCV_LOADS, the number of loads (100).

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/load.sh"
. "$here/planted.sh"

parameter=/sys/module/ucountview/parameters/denials
probes=/sys/kernel/debug/kprobes/list
kprobes=/sys/kernel/debug/kprobes/enabled
ftrace=/proc/sys/kernel/ftrace_enabled
kprobe_events=/sys/kernel/tracing/kprobe_events
max_uts=/proc/sys/user/max_uts_namespaces
max_instances=/proc/sys/user/max_inotify_instances
loads=${UCV_LOADS:-100}
helpers=''

# Stop the helpers and restore the module and the limits.
clean_up() {
	for pid in $helpers; do
		kill "$pid" 2>/dev/null
	done
	echo "$old_uts" >$max_uts
	echo "$old_instances" >$max_instances
	[ ! -w $kprobes ] || echo 1 >$kprobes
	[ ! -w $ftrace ] || echo 1 >$ftrace
	! loaded || unload
	unload_clone
	[ -z "$was_loaded" ] || load
}

# start NAME WHAT [ARGUMENT]: start a helper whose output goes to $ktap_dir/NAME
start() {
	rm -f "$ktap_dir/$1"
	"$here/denials_loop" "$2" ${3:+"$3"} >"$ktap_dir/$1" 2>&1 &
	helpers="$helpers $!"
}

# Fails unless every helper succeeded.
stop_helpers() {
	bad=0
	for pid in $helpers; do
		kill -TERM "$pid" || bad=1
		wait "$pid" || bad=1
	done
	helpers=''
	return $bad
}

# What the module probes, besides a function of its own.
probed='inc_ucount|count_mounts|is_rlimit_overlimit|mqueue_get_inode|shmem_lock|do_send_sig_info'
probed="$probed|posixtimer_init_sigqueue|sigqueue_alloc|create_user_ns|copy_pid_ns"

not_probed() {
	[ ! -r $probes ] || ! grep -E " ($probed)\+" $probes
}

# A listener pins the module, whether or not it arms recording.
unload_is_refused_while_listening() {
	for arm in 0 1; do
		loaded || load || return
		start hold hold $arm
		wait_until [ -s "$ktap_dir/hold" ] || return
		expect denials_armed $arm "$(status_of denials_armed)" || return
		rmmod ucountview 2>"$ktap_dir/error" && return 1
		grep -iE 'busy|in use|temporarily' "$ktap_dir/error" || return
		loaded || return
		stop_helpers || return
		unload || return
		not_probed || return
	done
}

# The parameter does not pin the module: unloading succeeds and removes the probes.
parameter_is_set_when_loading() {
	! loaded || unload || return
	load denials=1 || return
	expect "$parameter" Y "$(cat $parameter)" || return
	expect denials_armed 1 "$(status_of denials_armed)" || return
	unshare -u true 2>"$ktap_dir/error" && return 1
	expect denials 1 "$(status_of denials)" || return
	unload || return
	not_probed || return
	load denials=0 || return
	expect "$parameter" N "$(cat $parameter)" || return
	expect denials_armed 0 "$(status_of denials_armed)" || return
	unload || return
	! load denials=perhaps || return
	! loaded
}

# refused TIMES
refused() {
	count=0
	while [ $count -lt "$1" ]; do
		count=$((count + 1))
		unshare -u true 2>"$ktap_dir/error" && return 1
	done
	return 0
}

# kept: the sequence numbers of the denials that are kept
kept() {
	awk 'NR > 1 { print $1 }' "$debugfs/denials" | tr '\n' ' '
}

# Of the last ones, as many as the parameter says.
parameter_says_how_many_are_kept() {
	for max in 1 5 4097; do
		reload denials=1 max_denials=$max || return
		refused 3 || return
		expect "kept, of 3 and at most $max" "$(seq -s ' ' $((max < 3 ? 3 : 1)) 3) " "$(kept)" || return
		refused 4 || return
		expect "kept, of 7 and at most $max" "$(seq -s ' ' $((max < 7 ? 8 - max : 1)) 7) " "$(kept)" || return
	done
}

bad_number_of_denials_is_refused() {
	for max in 0 1048577 4294967295; do
		! reload max_denials=$max || return
		! loaded || return
		said | grep 'max_denials must be a number from 1 to 1048576$' || return
	done
	! reload max_denials=-1 || return
	reload max_denials=1048576 denials=1 && refused 1 && expect "kept" "1 " "$(kept)" && unload
}

# Loading succeeds, but nothing is armed and the log says why.
parameter_has_no_effect_while_kprobes_are_off() {
	[ "$(cat $kprobes 2>/dev/null)" = 1 ] || skip "there is no switch of kprobes, or it is off" || return
	! loaded || unload || return
	echo 0 >$kprobes
	load denials=1
	loading=$?
	echo 1 >$kprobes
	expect "status of loading" 0 $loading || return
	expect "$parameter" N "$(cat $parameter)" || return
	expect denials_armed 0 "$(status_of denials_armed)" || return
	dmesg | tail -n 20 | grep 'cannot record denials: kprobes do not fire' || return
	echo 1 >$parameter || return
	unshare -u true 2>"$ktap_dir/error" && return 1
	expect denials 1 "$(status_of denials)" || return
	unload
}

switch_ftrace_off() {
	[ "$(cat $ftrace 2>/dev/null)" = 1 ] && [ -w $kprobe_events ] && grep -q 'inc_ucount.*\[FTRACE]' $probes &&
		echo 0 2>/dev/null >$ftrace && return
	skip "there is no ftrace to be switched off, or kprobes do not depend on it"
}

# When its last user unregisters, ftrace checks for what others have left behind. If it finds anything, it warns and
# disables itself for good.
ftrace_is_sound() {
	echo p:ucv/last vfs_fsync >$kprobe_events &&
		echo 1 >/sys/kernel/tracing/events/ucv/last/enable &&
		echo 0 >/sys/kernel/tracing/events/ucv/last/enable &&
		echo -:ucv/last >>$kprobe_events || return
	expect "$ftrace" 1 "$(cat $ftrace)"
}

# While ftrace is off, probes can be neither added nor removed, and a module that has probes cannot be unloaded.
unload_is_refused_while_ftrace_is_off() {
	loaded || load || return
	echo 1 >$parameter || return
	switch_ftrace_off || return
	grep -q '^denials_state: blind' "$debugfs/status" || return
	rmmod ucountview 2>"$ktap_dir/error" && return 1
	echo 0 >$parameter || return
	expect denials_armed 0 "$(status_of denials_armed)" || return
	not_probed && return 1
	rmmod ucountview 2>"$ktap_dir/error" && return 1
	echo 1 >$ftrace
	wait_until not_probed && wait_until rmmod ucountview || return
	ftrace_is_sound
}

# Loading looks up symbols without enabling a kprobe, which would do harm, and arms nothing.
module_loads_while_ftrace_is_off() {
	loaded || load denials=1 || return
	echo 1 >$parameter || return
	switch_ftrace_off || return
	echo 1 >$ftrace
	unload || return
	echo 0 >$ftrace
	load denials=1
	loading=$?
	not_probed
	absent=$?
	unload
	unloading=$?
	echo 1 >$ftrace
	expect "status of loading, probes, unloading" "0 0 0" "$loading $absent $unloading" || return
	ftrace_is_sound
}

# A function with a clone is not probed, although its symbol exists.
cloned_function_is_not_probed() {
	loaded || load || return
	has_feature mount_denials || skip "the module cannot tell of refused mounts here" || return
	unload || return
	load_clone || return
	load || return
	has_feature denials || return
	! has_feature mount_denials || return
	dmesg | tail -n 20 | grep 'clone of count_mounts(), count_mounts.isra.0' || return
	echo 1 >$parameter || return
	! grep -E ' count_mounts\+' $probes || return
	unload && unload_clone && load || return
	has_feature mount_denials && unload
}

# Every other load starts with recording enabled, and the parameter is changed while loaded.
module_loads_and_unloads_while_charges_are_refused() {
	! loaded || unload || return
	# Listeners are stopped first: they run until they have heard a denial, so refusals must go on until then.
	for what in listen refuse; do
		for number in 1 2 3 4; do
			start "$what.$number" $what
		done
	done
	count=0
	while [ $count -lt "$loads" ]; do
		if ! load denials=$((count % 2)) || ! echo $((count % 3 % 2)) >$parameter || ! unload; then
			cat "$ktap_dir/error"
			stop_helpers
			return 1
		fi
		not_probed || return
		count=$((count + 1))
	done
	# Helpers that have not seen the module yet end once they have.
	load || return
	stop_helpers
	bad=$?
	for number in 1 2 3 4; do
		heard=$(cat "$ktap_dir/listen.$number")
		echo "$number: $(cat "$ktap_dir/refuse.$number") refused, $heard heard"
		[ "$heard" -gt 0 ] || bad=1
	done
	expect denials_armed 0 "$(status_of denials_armed)" || bad=1
	unload || return
	return $bad
}

# The total stays exact, no user is counted twice, and the oldest entries are evicted.
oldest_limits_are_evicted() {
	! loaded || unload || return
	load denials=1 || return
	echo 0 >$max_instances
	"$here/denials_loop" users 6000
	ran=$?
	echo "$old_instances" >$max_instances
	[ $ran -eq 0 ] || return
	# The users were refused once, twice and three times in turn.
	expect denials 12000 "$(status_of denials)" || return
	awk '
		$1 == "-" { others = $5 }
		$1 == "inotify_instances" && !seen[$4]++ && $5 == 1 + ($4 - 1900020000) % 3 { apart++; sum += $5 }
		END { print apart + 0, sum + others, others + 0 }
	' "$debugfs/denial_counts" >"$ktap_dir/sums"
	read -r apart sum others <"$ktap_dir/sums"
	echo "$apart users apart, $others denials of others"
	expect "sum of denial_counts" 12000 "$sum" || return
	[ "$apart" -gt 500 ] && [ "$others" -gt 0 ] || return
	for uid in 1900025997 1900025998 1900025999; do
		expect "count of uid $uid" $((1 + (uid - 1900020000) % 3)) \
			"$(awk -v uid=$uid '$4 == uid { print $5 }' "$debugfs/denial_counts")" || return
	done
	unload
}

needs_unloaded_module
old_uts=$(cat $max_uts)
old_instances=$(cat $max_instances)
ktap_clean_up_at_exit
load || ktap_skip_all "the module cannot be loaded"
[ -r "$debugfs/status" ] || ktap_skip_all "debugfs cannot be read"
has_feature denials || ktap_skip_all "the module cannot tell of refusals here"
mark_log
echo 0 >$max_uts

ktap_run unload_is_refused_while_listening parameter_is_set_when_loading parameter_says_how_many_are_kept \
	bad_number_of_denials_is_refused parameter_has_no_effect_while_kprobes_are_off unload_is_refused_while_ftrace_is_off \
	module_loads_while_ftrace_is_off cloned_function_is_not_probed \
	module_loads_and_unloads_while_charges_are_refused oldest_limits_are_evicted kernel_log_has_no_splat
