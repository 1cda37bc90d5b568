# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154 # whoever reads this sets $module and $ktap_dir
# Load and unload the module and check the kernel log, for the scripts that do so.

# load [PARAMETER]...
load() {
	insmod "$module" "$@" 2>"$ktap_dir/error" || modprobe ucountview "$@" 2>"$ktap_dir/error"
}

# Other processes may have the module open now and then, so retry until no process has.
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

# splats() reads the kernel log from here on.
mark_log() {
	marker="ucountview test $$"
	echo "<6>$marker" >/dev/kmsg
}

log_reaches_back() {
	dmesg | grep -q "$marker" && return
	echo "the kernel's log does not reach back to the start"
	return 1
}

# Bad messages in the kernel log since then.
splats() {
	dmesg | sed "1,/$marker/d" |
		grep -E 'BUG|WARNING|Oops|Call Trace|general protection|unable to handle|KASAN|UBSAN|possible circular|RCU stall'
}
