# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC1091,SC2034,SC2154 # whoever reads this sets $here and uses the rest, ktap.sh $ktap_dir
# Load and unload the module and check the kernel log, for the scripts that do so.
#
# Environment: UCV_KO, the module's file (default: the installed one).

. "$here/find.sh"

# Finds the module's file and unloads the module. Sets $module and, if it was loaded, $was_loaded.
needs_unloaded_module() {
	needs_root
	module=$(find_module)
	[ -n "$module" ] || ktap_skip_all "there is no ucountview.ko: set UCV_KO"
	lacks=$(kernel_lacks KALLSYMS_ALL KPROBES)
	[ -z "$lacks" ] || ktap_skip_all "the kernel lacks what the module requires: $(echo "$lacks" | tr "\n" " ")"
	was_loaded=''
	loaded || return 0
	was_loaded=yes
	unload >/dev/null || ktap_skip_all "the module is in use"
}

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

# reload [PARAMETER]...: said() reads the kernel log from here on
reload() {
	! loaded || unload || return
	mark_log
	load "$@" || {
		cat "$ktap_dir/error"
		said
		return 1
	}
}

# splats() and said() read the kernel log from here on.
mark_log() {
	marks=$((${marks:-0} + 1))
	marker="ucountview test $$, mark $marks"
	echo "<6>$marker" >/dev/kmsg
}

log_reaches_back() {
	dmesg | grep -q "$marker\$" && return
	echo "the kernel's log does not reach back to the start"
	return 1
}

# Bad messages in the kernel log since then.
splats() {
	dmesg | sed "1,/$marker\$/d" |
		grep -E 'BUG|WARNING|Oops|Call Trace|general protection|unable to handle|KASAN|UBSAN|possible circular|RCU stall'
}

# The module's messages, without the kernel's about any out-of-tree module.
said() {
	dmesg | sed "1,/$marker\$/d" | grep 'ucountview: ' |
		grep -vE 'taints kernel|tainting kernel|module verification failed|missing required key'
}

kernel_log_has_no_splat() {
	log_reaches_back || return 4
	! splats
}

# The module has loaded, but without mounts.
mounts_are_refused() {
	expect "the feature mntns" no "$(has_feature mntns && echo yes || echo no)" || return
	expect "a snapshot" EOPNOTSUPP "$("$here/mounts_probe" snapshot)" || return
	expect "debugfs" EOPNOTSUPP "$("$here/mounts_probe" open "$debugfs/mounts")"
}
