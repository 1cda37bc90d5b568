#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir, planted.sh status
# Lock down the kernel after the module was loaded, first for integrity, then for confidentiality. The debugfs files and
# the device report a known workload as before and denials are recorded; confidentiality disables the tracepoints.
#
# Only a reboot lifts a lockdown, so this test runs only on request and after all other tests.
#
# Environment: UCV_LOCKDOWN, yes to run it; see reader.sh.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/reader.sh"
. "$here/planted.sh"

kernels_own=/sys/kernel/debug/kprobes/list
lockdown=/sys/kernel/security/lockdown
parameter=/sys/module/ucountview/parameters/denials
max_instances=/proc/sys/user/max_inotify_instances
enable=/sys/kernel/tracing/events/ucountview/enable
# the first uid that denials_loop has refused
refused=1900020000
mounted=''
was_always=''
was_max=''

clean_up() {
	kill_left
	[ -z "$was_max" ] || echo "$was_max" >$max_instances
	[ -z "$was_always" ] || echo "$was_always" >$parameter
	[ -z "$mounted" ] || umount /sys/kernel/security
}

# locks_down MODE: the kernel now refuses writable files; otherwise the tests below would prove nothing
locks_down() {
	echo "$1" >$lockdown && grep -F "[$1]" $lockdown || return
	! cat /sys/kernel/debug/clear_warn_once 2>"$ktap_dir/error" || return
	grep 'not permitted' "$ktap_dir/error"
}

kernel_is_locked_down_for_integrity() {
	locks_down integrity
}

kernel_is_locked_down_for_confidentiality() {
	locks_down confidentiality
}

# Before 5.18, unless the fix was backported, a locked-down kernel refuses every file whose mode is not 0444.
locked_down_debugfs_shows_counters() {
	cat $kernels_own >/dev/null || skip "this kernel refuses files of mode 0400" || return
	"$here/leave" -u "$uid" watches 3 || return
	for file in "$debugfs/"*; do
		cat "$file" >"$ktap_dir/text" && [ -s "$ktap_dir/text" ] || return
	done
	expect "watches" 3 "$(awk -v uid="$uid" '$3 == uid && $4 == "inotify_watches" { print $5 }' "$debugfs/ucounts")"
}

locked_down_device_shows_counters() {
	"$here/leave" -u "$uid" watches 4 || return
	succeeds -a -n -r -u "$uid" -R inotify_watches -o USED &&
		expect "watches" 4 "$(cat "$ktap_dir/out")"
}

# The number of refusals of the user that the module has counted.
denials() {
	"$reader" denials --totals -n -r -u $refused -o DENIALS
}

# The module registers its probes in the kernel: lockdown restricts only those of user space.
locked_down_kernel_records_denials() {
	before=$(denials)
	echo 0 >$max_instances && echo Y >$parameter && "$here/denials_loop" users 1 || return
	expect "denials" $((${before:-0} + 1)) "$(denials)" || return
	echo N >$parameter && echo "$was_max" >$max_instances
}

integrity_allows_tracepoints() {
	echo 1 >$enable && echo 0 >$enable
}

confidentiality_refuses_tracepoints() {
	! echo 1 >$enable
}

[ -n "${UCV_LOCKDOWN:-}" ] || ktap_skip_all "it locks the machine down until it is rebooted: set UCV_LOCKDOWN if it may"
needs_reader
for file in $kernels_own $enable; do
	[ -e "$file" ] || ktap_skip_all "there is no $file"
done
ktap_clean_up_at_exit
if [ ! -e $lockdown ]; then
	mount -t securityfs securityfs /sys/kernel/security 2>/dev/null && mounted=yes
fi
grep -qF '[none]' $lockdown 2>/dev/null || ktap_skip_all "this kernel cannot be locked down, or is"
was_always=$(cat $parameter)
was_max=$(cat $max_instances)

ktap_run kernel_is_locked_down_for_integrity locked_down_debugfs_shows_counters locked_down_device_shows_counters \
	integrity_allows_tracepoints kernel_is_locked_down_for_confidentiality locked_down_debugfs_shows_counters \
	locked_down_device_shows_counters locked_down_kernel_records_denials confidentiality_refuses_tracepoints
