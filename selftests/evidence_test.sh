#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2119,SC2154 # ktap.sh sets ktap_dir; reload takes arguments or none
# The module checks its assumptions about private parts of the kernel against the kernel's BTF. This test changes the
# BTF in memory (see planted/planted_btf.c), one item at a time: what depends on the item is declined with one line in
# the log, and all else works.
#
# Environment: see load.sh and planted.sh.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/load.sh"
. "$here/planted.sh"

plant=/sys/module/ucv_planted/parameters/btf

clean_up() {
	unload_planted
	[ -z "$was_loaded" ] || reload >/dev/null
	[ -n "$was_loaded" ] || ! loaded || rmmod ucountview
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

# log_has_one_line PATTERN: the log is one line, which matches
log_has_one_line() {
	expect "lines in the log" 1 "$(wc -l <"$ktap_dir/said")" || return
	grep -q "$1" "$ktap_dir/said"
}

# others_pass [TEST]...: what does not depend on mounts works
others_pass() {
	programs_pass ucounts_test userns_test "$@"
}

# declined NAME: mounts are declined if NAME is missing from the kernel's BTF
declined() {
	with name "$1" "${1%?}X" || return
	log_has_one_line 'mounts are not available' && mounts_are_refused
}

mounts_are_available_with_evidence() {
	reload || return
	has_feature mntns || skip "the module cannot walk mount namespaces here"
}

unknown_btf_kind_disables_mounts() {
	with kind kallsyms_lookup_name || return
	has_feature btf && return 1
	log_has_one_line 'unsupported kind 30' || return
	if has_feature mntns; then # the module was built in a full kernel tree
		"$here/mounts_test" >"$ktap_dir/test" 2>&1 && return
		cat "$ktap_dir/test"
		return 1
	fi
	grep -q 'mounts are not available' "$ktap_dir/said" && mounts_are_refused && others_pass
}

# The members that show how the kernel links its mount namespaces.
unsupported_list_of_namespaces_disables_mounts() {
	if has_symbol mnt_ns_list; then
		declined mnt_ns_list || return
		declined mnt_ns_rcu || return
		declined mnt_ns_tree_node || return
	elif has_symbol mnt_ns_tree_lock; then
		declined mnt_ns_tree_node || return
	elif has_symbol mnt_ns_tree; then
		with name ns_list_head ns_list_heaX || return
		log_has_one_line ns_tree_root.ns_list_head && mounts_are_refused || return
		with name ns_rb ns_rX || return
		log_has_one_line ns_tree_root.ns_rb && mounts_are_refused || return
	else
		declined mnt_instance || return
	fi
	others_pass
}

member_of_another_type_disables_mounts() {
	declined vfsmount && grep -q 'mount.mnt is vfsmounX' "$ktap_dir/said" && others_pass
}

count_mounts_with_other_arguments_is_not_probed() {
	reload && has_feature mount_denials || return 4
	with proto count_mounts inc_ucount || return
	log_has_one_line 'count_mounts() cannot be probed: its arguments differ' || return
	has_feature mntns && has_feature denials && ! has_feature mount_denials
}

count_mounts_without_description_is_not_probed() {
	reload && has_feature mount_denials || return 4
	with name count_mounts count_mountX || return
	log_has_one_line 'count_mounts() cannot be probed: its arguments are not in' || return
	has_feature mntns && has_feature denials && ! has_feature mount_denials
}

inc_ucount_with_other_arguments_is_not_probed() {
	reload && has_feature denials || return 4
	with proto inc_ucount count_mounts || return
	log_has_one_line 'inc_ucount() cannot be probed: its arguments differ' || return
	has_feature denials && return 1
	has_feature mount_denials && return 1
	has_feature mntns && others_pass mounts_test
}

features_return_with_the_evidence() {
	reload || return
	expect "lines in the log" '' "$(said)" || return
	grep '^features:' "$debugfs/status" >"$ktap_dir/after" && diff "$ktap_dir/before" "$ktap_dir/after"
}

after_test() {
	unload_planted
}

needs_unloaded_module
ktap_clean_up_at_exit
[ -n "$(find_planted)" ] || ktap_skip_all "there is no ucv_planted.ko: make -C planted, or set UCV_PLANTED"
has_symbol __start_BTF || ktap_skip_all "this kernel has no BTF"
reload && grep '^features:' "$debugfs/status" >"$ktap_dir/before"

ktap_run mounts_are_available_with_evidence unknown_btf_kind_disables_mounts \
	unsupported_list_of_namespaces_disables_mounts member_of_another_type_disables_mounts \
	count_mounts_with_other_arguments_is_not_probed count_mounts_without_description_is_not_probed \
	inc_ucount_with_other_arguments_is_not_probed features_return_with_the_evidence
