#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2119,SC2154 # ktap.sh sets ktap_dir; load takes arguments or none
# What the module lacks because of how the kernel was built. What the kernel was built with is read from /proc/config.gz
# or /boot. Without what the module requires it does not load, and says why in one line. Otherwise it loads, and lacks
# what the kernel lacks, and nothing else.
#
# Environment: see load.sh, reader.sh.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/load.sh"

clean_up() {
	if [ -n "$was_loaded" ]; then
		loaded || load
	elif loaded; then
		rmmod ucountview
	fi
}

lacks() {
	[ -n "$(kernel_lacks "$1")" ]
}

# yes_unless_lacks OPTION: what a feature must be that needs this option alone
yes_unless_lacks() {
	if lacks "$1"; then
		echo no
	else
		echo yes
	fi
}

# there COMMAND...: yes or no: does it succeed?
there() {
	if "$@" >/dev/null 2>&1; then
		echo yes
	else
		echo no
	fi
}

feature() {
	there has_feature "$1"
}

# said_once PATTERN: one line of the module's in the log since mark_log matches. The same one may be there again:
# busybox's insmod tries a second system call after the first has failed.
said_once() {
	said | sed 's/^\[[^]]*\] *//' | sort -u >"$ktap_dir/said"
	cat "$ktap_dir/said"
	expect "lines in the log with '$1'" 1 "$(grep -c "$1" "$ktap_dir/said")"
}

skip_unless_loaded() {
	loaded || skip "the module must not load on this kernel"
}

# The message for the first thing that is missing, and no other.
module_says_why_it_does_not_load() {
	[ -n "$required" ] || skip "the kernel has what the module requires" || return
	mark_log
	insmod "$module" 2>"$ktap_dir/error" && return 1
	cat "$ktap_dir/error"
	expect "lines of insmod" 1 "$(wc -l <"$ktap_dir/error")" || return
	! loaded || return
	if lacks KPROBES; then
		said_once 'cannot register a kprobe on kallsyms_lookup_name: error -[0-9]*; the kernel needs CONFIG_KPROBES'
	else
		said_once 'cannot find symbol ucounts_hashtable; the kernel needs CONFIG_KALLSYMS_ALL$'
	fi || return
	expect "lines in the log" 1 "$(wc -l <"$ktap_dir/said")"
}

failed_load_leaves_nothing() {
	[ -n "$required" ] || skip "the kernel has what the module requires" || return
	! loaded && [ ! -e /dev/ucountview ] && [ ! -e "$debugfs" ]
}

module_loads() {
	[ -z "$required" ] || skip "the kernel lacks what the module requires" || return
	reload || return
	"$here/mounts_probe" features || return
	said >"$ktap_dir/load"
	cat "$ktap_dir/load"
}

# Such a line names all that is required; one of these must be missing.
log_names_no_option_that_is_there() {
	skip_unless_loaded || return
	grep 'needs.*CONFIG_' "$ktap_dir/load" >"$ktap_dir/needs"
	while read -r line; do
		missing=''
		for option in $(echo "$line" | sed 's/.*needs//' | tr -c 'A-Z0-9_' ' '); do
			case $option in
			CONFIG_*) ! lacks "${option#CONFIG_}" || missing=yes ;;
			esac
		done
		[ -n "$missing" ] || {
			echo "nothing of this is missing: $line"
			return 1
		}
	done <"$ktap_dir/needs"
}

names_come_from_btf_if_there_is_any() {
	skip_unless_loaded || return
	expect "the feature btf" "$(yes_unless_lacks DEBUG_INFO_BTF)" "$(feature btf)"
}

# Without BTF the layout comes from fs/mount.h, if the module was built in a full kernel tree.
mounts_are_there_or_it_says_why() {
	skip_unless_loaded || return
	if ! lacks DEBUG_INFO_BTF; then
		expect "the feature mntns" yes "$(feature mntns)"
	elif [ "$(feature mntns)" = no ]; then
		mounts_are_refused || return
		expect "lines about mounts" 1 "$(grep -c 'mounts are not available.*BTF' "$ktap_dir/load")"
	else
		expect "lines about mounts" 0 "$(grep -c 'mounts are not available' "$ktap_dir/load")"
	fi
}

groups_are_there_if_any_can_be() {
	skip_unless_loaded || return
	if lacks INOTIFY_USER && lacks FANOTIFY; then
		expect "the feature groups" no "$(feature groups)"
	else
		expect "the feature groups" yes "$(feature groups)"
	fi
}

counters_are_those_of_the_options() {
	skip_unless_loaded || return
	"$here/mounts_probe" resources >"$ktap_dir/names" || return
	for pair in inotify_watches:INOTIFY_USER fanotify_marks:FANOTIFY; do
		expect "the counter ${pair%:*}" "$(yes_unless_lacks "${pair#*:}")" \
			"$(there grep -qx "${pair%:*}" "$ktap_dir/names")" || return
	done
}

debugfs_is_there_if_the_kernel_has_it() {
	skip_unless_loaded || return
	if ! lacks DEBUG_FS && ! grep -q ' /sys/kernel/debug ' /proc/mounts; then
		skip "debugfs is not mounted" || return
	fi
	expect "$debugfs" "$(yes_unless_lacks DEBUG_FS)" "$(there [ -d "$debugfs" ])"
}

# There may be nothing to list.
reader_works() {
	skip_unless_loaded || return
	reader=$(find_reader)
	[ -n "$reader" ] || skip "there is no reader" || return
	for command in usage mounts userns holders; do
		if [ $command = mounts ] && [ "$(feature mntns)" = no ]; then
			continue
		fi
		"$reader" $command >"$ktap_dir/out" 2>"$ktap_dir/err" || {
			cat "$ktap_dir/err"
			return 1
		}
	done
}

needs_root
[ -n "$(kernel_options)" ] || ktap_skip_all "there is neither /proc/config.gz nor /boot/config-$(uname -r)"
module=$(find_module)
[ -n "$module" ] || ktap_skip_all "there is no ucountview.ko: set UCV_KO"
required=$(kernel_lacks KALLSYMS_ALL KPROBES)
[ -n "$required" ] || needs_unloaded_module
ktap_clean_up_at_exit

ktap_run module_says_why_it_does_not_load failed_load_leaves_nothing module_loads log_names_no_option_that_is_there \
	names_come_from_btf_if_there_is_any mounts_are_there_or_it_says_why groups_are_there_if_any_can_be \
	counters_are_those_of_the_options debugfs_is_there_if_the_kernel_has_it reader_works
