#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2119,SC2154 # ktap.sh sets ktap_dir; load takes arguments or none
# Load and unload the module a hundred times while eight readers open the device and debugfs in a loop. Unloading is
# refused while a file is open; nothing is left behind, and nothing appears in the kernel log.
#
# Environment: see load.sh; UCV_LOADS, the number of loads (100).

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/load.sh"

device=/dev/ucountview
kmemleak=/sys/kernel/debug/kmemleak
loads=${UCV_LOADS:-100}
readers=''

# Stop the readers and restore the module.
clean_up() {
	for pid in $readers; do
		kill "$pid" 2>/dev/null
	done
	if [ -n "$was_loaded" ]; then
		loaded || load
	elif loaded; then
		rmmod ucountview
	fi
}

unload_is_refused_while_the_device_is_open() {
	loaded || load || return
	(
		exec 9<"$device" || exit 1
		rmmod ucountview 2>"$ktap_dir/error" && exit 1
		grep -iE 'busy|in use|temporarily' "$ktap_dir/error" || exit 1
		loaded
	) || return
	unload
}

unload_is_refused_while_debugfs_is_open() {
	loaded || load || return
	[ -r "$debugfs/ucounts" ] || skip "debugfs cannot be read" || return
	(
		exec 9<"$debugfs/ucounts" || exit 1
		rmmod ucountview 2>"$ktap_dir/error" && exit 1
		loaded || exit 1
		read -r header <&9 && [ -n "$header" ]
	) || return
	unload
}

nothing_is_left_after_unloading() {
	! loaded || unload || return
	expect "$device after unloading" absent "$([ -e $device ] && echo there || echo absent)" || return
	expect "$debugfs after unloading" absent "$([ -e "$debugfs" ] && echo there || echo absent)" || return
	load || return
	expect "$device after loading" there "$([ -c $device ] && echo there || echo absent)"
}

loading_twice_is_refused() {
	loaded || load || return
	insmod "$module" 2>"$ktap_dir/error" && return 1
	[ -c $device ] && loaded
}

start_readers() {
	for number in 1 2 3 4 5 6 7 8; do
		"$here/read_loop" >"$ktap_dir/reader.$number" 2>&1 &
		readers="$readers $!"
	done
}

# Fails unless every reader succeeded and saw the module at least once.
stop_readers() {
	bad=0
	for pid in $readers; do
		kill -TERM "$pid" || bad=1
		wait "$pid" || bad=1
	done
	readers=''
	for number in 1 2 3 4 5 6 7 8; do
		snapshots=$(cat "$ktap_dir/reader.$number")
		echo "reader $number: $snapshots snapshots"
		[ "$snapshots" -gt 0 ] || bad=1
	done
	return $bad
}

module_loads_and_unloads_while_readers_read() {
	! loaded || unload || return
	start_readers
	count=0
	while [ $count -lt "$loads" ]; do
		if ! load || ! unload; then
			cat "$ktap_dir/error"
			stop_readers
			return 1
		fi
		count=$((count + 1))
	done
	# Readers that have not seen the module yet end once they have.
	load || return
	stop_readers || return
	unload
}

# Memory that only the kernel can free, including large kmallocs and vmalloc, in KiB.
kernel_memory() {
	awk '/^(SUnreclaim|VmallocUsed):/ { kib += $2 } END { print kib }' /proc/meminfo
}

# Five hundred snapshots by each front end, at least 20 KiB each: a leak of them would be 10 MiB. Other activity in the
# system may take memory in one attempt, but not in each.
snapshots_leak_no_memory() {
	loaded || load || return
	[ -r "$debugfs/ucounts" ] || skip "debugfs cannot be read" || return
	for attempt in 1 2 3; do
		before=$(kernel_memory)
		"$here/read_loop" 500 || return
		count=0
		while [ $count -lt 500 ]; do
			cat "$debugfs/ucounts" >/dev/null || return
			count=$((count + 1))
		done
		grown=$(($(kernel_memory) - before))
		echo "attempt $attempt: $grown KiB more"
		[ $grown -lt 5000 ] && return
	done
	return 1
}

# If the kernel has kmemleak: what it has found since this script began.
kmemleak_reports_nothing() {
	[ -w $kmemleak ] || skip "the kernel has no kmemleak" || return
	! loaded || unload || return
	# kmemleak reports an object only when it is some seconds old.
	sleep 6
	echo scan >$kmemleak
	sleep 1
	echo scan >$kmemleak
	! grep -A 20 -E 'ucv_|ucountview' $kmemleak
}

needs_unloaded_module
ktap_clean_up_at_exit
mark_log

ktap_run nothing_is_left_after_unloading loading_twice_is_refused unload_is_refused_while_the_device_is_open \
	unload_is_refused_while_debugfs_is_open module_loads_and_unloads_while_readers_read snapshots_leak_no_memory \
	kmemleak_reports_nothing kernel_log_has_no_splat
