#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir
# Loading and unloading while charges are refused, denials recorded and listened to; and what can only be tried with a
# module that has just been loaded: the parameter given when it is, and more limits than there is room to count apart.
#
# Environment: UCV_KO, the module's file (else the one that is installed); UCV_LOADS, how many times.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/find.sh"
. "$here/load.sh"

debugfs=/sys/kernel/debug/ucountview
parameter=/sys/module/ucountview/parameters/denials
probes=/sys/kernel/debug/kprobes/list
max_uts=/proc/sys/user/max_uts_namespaces
max_instances=/proc/sys/user/max_inotify_instances
loads=${UCV_LOADS:-100}
was_loaded=''
helpers=''

# The helpers end with the script; the module and the limits are as they were before.
clean_up() {
	for pid in $helpers; do
		kill "$pid" 2>/dev/null
	done
	echo "$old_uts" >$max_uts
	echo "$old_instances" >$max_instances
	if loaded; then
		unload
	fi
	[ -z "$was_loaded" ] || load
	rm -rf "$ktap_dir"
}

status() {
	sed -n "s/^$1: //p" $debugfs/status
}

# start NAME WHAT [ARGUMENT]: a helper whose output goes to $ktap_dir/NAME
start() {
	rm -f "$ktap_dir/$1"
	"$here/denials_loop" "$2" ${3:+"$3"} >"$ktap_dir/$1" 2>&1 &
	helpers="$helpers $!"
}

# Each was fine.
stop_helpers() {
	bad=0
	for pid in $helpers; do
		kill -TERM "$pid" || bad=1
		wait "$pid" || bad=1
	done
	helpers=''
	return $bad
}

# Waits until a file has a line.
wait_for_line() {
	tries=0
	while [ ! -s "$1" ]; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || return
		sleep 0.1
	done
}

not_probed() {
	[ ! -r $probes ] || ! grep -E ' (inc_ucount|count_mounts)\+' $probes
}

# Whoever listens keeps the module, whether denials are recorded on its behalf or not.
unload_is_refused_while_somebody_listens() {
	for arm in 0 1; do
		loaded || load || return
		start hold hold $arm
		wait_for_line "$ktap_dir/hold" || return
		expect denials_armed $arm "$(status denials_armed)" || return
		rmmod ucountview 2>"$ktap_dir/error" && return 1
		grep -iE 'busy|in use|temporarily' "$ktap_dir/error" || return
		loaded || return
		stop_helpers || return
		unload || return
		not_probed || return
	done
}

# The parameter keeps nothing: the module goes, and takes its probes with it.
the_parameter_is_given_when_loading() {
	loaded && { unload || return; }
	load denials=1 || return
	expect "$parameter" Y "$(cat $parameter)" || return
	expect denials_armed 1 "$(status denials_armed)" || return
	unshare -u true 2>"$ktap_dir/error" && return 1
	expect denials 1 "$(status denials)" || return
	unload || return
	not_probed || return
	load denials=0 || return
	expect "$parameter" N "$(cat $parameter)" || return
	expect denials_armed 0 "$(status denials_armed)" || return
	unload || return
	! load denials=perhaps || return
	! loaded
}

# Every other time recording from the start, and the parameter is changed.
load_and_unload_while_charges_are_refused() {
	loaded && { unload || return; }
	# The first are stopped first: listeners go on until they have heard, and those that are refused until after that.
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
	# Those that have not seen it yet end when they have.
	load || return
	stop_helpers
	bad=$?
	for number in 1 2 3 4; do
		heard=$(cat "$ktap_dir/listen.$number")
		echo "$number: $(cat "$ktap_dir/refuse.$number") refused, $heard heard"
		[ "$heard" -gt 0 ] || bad=1
	done
	expect denials_armed 0 "$(status denials_armed)" || bad=1
	unload || return
	return $bad
}

# The sum of all is right all the same, nobody is counted twice, and it is the old ones that make way.
more_limits_than_there_is_room_for() {
	loaded && { unload || return; }
	load denials=1 || return
	echo 0 >$max_instances
	"$here/denials_loop" users 6000
	ran=$?
	echo "$old_instances" >$max_instances
	[ $ran -eq 0 ] || return
	# Each third user was refused once, twice, three times.
	expect denials 12000 "$(status denials)" || return
	awk '
		$1 == "-" { others = $5 }
		$1 == "inotify_instances" && !seen[$4]++ && $5 == 1 + ($4 - 1900020000) % 3 { apart++; sum += $5 }
		END { print apart + 0, sum + others, others + 0 }
	' $debugfs/denial_counts >"$ktap_dir/sums"
	read -r apart sum others <"$ktap_dir/sums"
	echo "$apart users apart, $others denials of others"
	expect "sum of denial_counts" 12000 "$sum" || return
	[ "$apart" -gt 500 ] && [ "$others" -gt 0 ] || return
	for uid in 1900025997 1900025998 1900025999; do
		expect "count of uid $uid" $((1 + (uid - 1900020000) % 3)) \
			"$(awk -v uid=$uid '$4 == uid { print $5 }' $debugfs/denial_counts)" || return
	done
	unload
}

the_log_is_clean() {
	log_reaches_back || return 4
	! splats
}

[ "$(id -u)" -eq 0 ] || ktap_skip_all "this test needs root"
module=$(find_module)
[ -n "$module" ] || ktap_skip_all "there is no ucountview.ko: set UCV_KO"
old_uts=$(cat $max_uts)
old_instances=$(cat $max_instances)
loaded && was_loaded=yes
trap clean_up EXIT
trap 'exit 143' HUP INT TERM
if [ -n "$was_loaded" ]; then
	unload >/dev/null || ktap_skip_all "the module is in use"
fi
load || ktap_skip_all "the module cannot be loaded"
[ -r $debugfs/status ] || ktap_skip_all "debugfs cannot be read"
grep -qw '^features:.* denials' $debugfs/status || ktap_skip_all "the module cannot tell of refusals here"
mark_log
echo 0 >$max_uts

ktap_begin 5
ktap_test unload_is_refused_while_somebody_listens
ktap_test the_parameter_is_given_when_loading
ktap_test load_and_unload_while_charges_are_refused
ktap_test more_limits_than_there_is_room_for
ktap_test the_log_is_clean
ktap_end
