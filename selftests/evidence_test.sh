#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir
# The module checks its assumptions about private parts of the kernel against the kernel's BTF. This test changes the
# BTF in memory (see planted/planted_btf.c), one item at a time: what depends on the item is declined with one line in
# the log, and all else works.
#
# Environment: UCV_KO, the module's file (default: the installed one); UCV_PLANTED, likewise for ucv_planted.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/find.sh"
. "$here/planted.sh"

debugfs=/sys/kernel/debug/ucountview
plant=/sys/module/ucv_planted/parameters/btf
mark=0

reload() {
	if loaded; then
		rmmod ucountview || return
	fi
	mark=$((mark + 1))
	echo "<6>$marker $mark" >/dev/kmsg
	insmod "$module" 2>"$ktap_dir/error" || modprobe ucountview || {
		cat "$ktap_dir/error"
		said
		return 1
	}
}

# The module's log since it was last loaded, without the kernel's messages about any out-of-tree module.
said() {
	dmesg | sed "1,/$marker $mark\$/d" | grep 'ucountview: ' |
		grep -vE 'taints kernel|tainting kernel|module verification failed|missing required key'
}

clean_up() {
	unload_planted
	[ -z "$was_loaded" ] || reload >/dev/null
	[ -n "$was_loaded" ] || ! loaded || rmmod ucountview
	rm -rf "$ktap_dir"
}

address() {
	sed -n "s/^\([0-9a-f]*\) . $1\$/\1/p" /proc/kallsyms | head -n 1
}

has_symbol() {
	[ -n "$(address "$1")" ]
}

# with COMMAND...: load the module while the kernel's BTF is changed by COMMAND
with() {
	load_planted || return
	echo "$(address __start_BTF) $(address __stop_BTF) $*" >$plant || return
	reload || return
	said >"$ktap_dir/said"
	cat "$ktap_dir/said"
	unload_planted
}

has() {
	sed -n 's/^features://p' $debugfs/status | grep -qw "$1"
}

# log_has_one_line PATTERN: the log is one line, which matches
log_has_one_line() {
	expect "lines in the log" 1 "$(wc -l <"$ktap_dir/said")" || return
	grep -q "$1" "$ktap_dir/said"
}

all_else_works() {
	for test in ucounts_test userns_test "$@"; do
		status=0
		"$here/$test" >"$ktap_dir/test" 2>&1 || status=$?
		if [ $status -ne 0 ] && [ $status -ne 4 ]; then
			cat "$ktap_dir/test"
			return 1
		fi
	done
}

mounts_are_refused() {
	expect "the feature mntns" no "$(has mntns && echo yes || echo no)" || return
	expect "a snapshot" EOPNOTSUPP "$("$here/mounts_probe" snapshot)" || return
	expect "debugfs" EOPNOTSUPP "$("$here/mounts_probe" open $debugfs/mounts)"
}

# declined NAME: mounts are declined if NAME is missing from the kernel's BTF
declined() {
	with name "$1" "${1%?}X" || return
	log_has_one_line 'mounts are not available' && mounts_are_refused
}

mounts_are_available() {
	reload || return
	has mntns && return
	echo "the module cannot walk mount namespaces here"
	return 4
}

an_unknown_kind_costs_the_mounts() {
	with kind kallsyms_lookup_name || return
	has btf && return 1
	log_has_one_line 'unsupported kind 30' || return
	if has mntns; then # the module was built in a full kernel tree
		"$here/mounts_test" >"$ktap_dir/test" 2>&1 && return
		cat "$ktap_dir/test"
		return 1
	fi
	grep -q 'mounts are not available' "$ktap_dir/said" && mounts_are_refused && all_else_works
}

# The members that show how the kernel links its mount namespaces.
an_unsupported_form_is_declined() {
	if has_symbol mnt_ns_list; then
		declined mnt_ns_list || return
		declined mnt_ns_rcu || return
	elif has_symbol mnt_ns_tree_lock; then
		declined mnt_ns_tree_node || return
	elif has_symbol mnt_ns_tree; then
		with name ns_list_head ns_list_heaX || return
		log_has_one_line ns_tree_root.ns_list_head && mounts_are_refused || return
	else
		declined mnt_instance || return
	fi
	all_else_works
}

a_member_of_another_type_is_declined() {
	declined vfsmount && grep -q 'mount.mnt is vfsmounX' "$ktap_dir/said" && all_else_works
}

mounts_are_not_probed_with_other_arguments() {
	reload && has mount_denials || return 4
	with proto count_mounts inc_ucount || return
	log_has_one_line 'count_mounts() cannot be probed: its arguments differ' || return
	has mntns && has denials && ! has mount_denials
}

mounts_are_not_probed_undescribed() {
	reload && has mount_denials || return 4
	with name count_mounts count_mountX || return
	log_has_one_line 'count_mounts() cannot be probed: its arguments are not in' || return
	has mntns && has denials && ! has mount_denials
}

charges_are_not_probed_with_other_arguments() {
	reload && has denials || return 4
	with proto inc_ucount count_mounts || return
	log_has_one_line 'inc_ucount() cannot be probed: its arguments differ' || return
	has denials && return 1
	has mount_denials && return 1
	has mntns && all_else_works mounts_test
}

as_before_when_all_is_undone() {
	reload || return
	expect "lines in the log" '' "$(said)" || return
	grep '^features:' $debugfs/status >"$ktap_dir/after" && diff "$ktap_dir/before" "$ktap_dir/after"
}

[ "$(id -u)" -eq 0 ] || ktap_skip_all "this test needs root"
module=$(find_module)
[ -n "$module" ] || ktap_skip_all "there is no ucountview.ko: set UCV_KO"
[ -n "$(find_planted)" ] || ktap_skip_all "there is no ucv_planted.ko: make -C planted, or set UCV_PLANTED"
has_symbol __start_BTF || ktap_skip_all "this kernel has no BTF"
was_loaded=''
loaded && was_loaded=yes
if [ -n "$was_loaded" ]; then
	rmmod ucountview 2>/dev/null || ktap_skip_all "the module is in use"
fi
trap clean_up EXIT
trap 'exit 143' HUP INT TERM
marker="ucountview evidence_test $$"
reload && grep '^features:' $debugfs/status >"$ktap_dir/before"

ktap_begin 8
for test in mounts_are_available an_unknown_kind_costs_the_mounts an_unsupported_form_is_declined \
	a_member_of_another_type_is_declined mounts_are_not_probed_with_other_arguments \
	mounts_are_not_probed_undescribed charges_are_not_probed_with_other_arguments as_before_when_all_is_undone; do
	ktap_test $test
	unload_planted
done
ktap_end
