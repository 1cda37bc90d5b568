# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154 # whoever reads this sets $module and $ktap_dir
# Loading and unloading the module, and what the kernel says about it: for the scripts that do so.

# load [PARAMETER]...
load() {
	insmod "$module" "$@" 2>"$ktap_dir/error" || modprobe ucountview "$@" 2>"$ktap_dir/error"
}

# Others may have it open now and then; if they go on, there will be an instant in which nobody has.
unload() {
	tries=0
	while ! rmmod ucountview 2>"$ktap_dir/error"; do
		tries=$((tries + 1))
		if [ $tries -ge 5000 ]; then
			cat "$ktap_dir/error"
			return 1
		fi
	done
}

# From here on splats() looks at the kernel's log.
mark_log() {
	marker="ucountview test $$"
	echo "<6>$marker" >/dev/kmsg
}

log_reaches_back() {
	dmesg | grep -q "$marker" && return
	echo "the kernel's log does not reach back to the start"
	return 1
}

# What the kernel said since then, if it is bad.
splats() {
	dmesg | sed "1,/$marker/d" |
		grep -E 'BUG|WARNING|Oops|Call Trace|general protection|unable to handle|KASAN|UBSAN|possible circular|RCU stall'
}
