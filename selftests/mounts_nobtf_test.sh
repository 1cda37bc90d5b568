#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2119,SC2154 # ktap.sh sets ktap_dir; reload takes arguments or none
# The module without the kernel's BTF (use_btf=N). Built in a full kernel tree, the mount side gives the same numbers as
# with BTF. Otherwise the mount side is refused, one line in the log says what is missing, and all else works.
#
# Environment: see load.sh.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/load.sh"

parameter=/sys/module/ucountview/parameters/use_btf
holders=''
inodes=''

clean_up() {
	for pid in $holders; do
		kill "$pid" 2>/dev/null
	done
	if [ -n "$was_loaded" ]; then
		[ "$(cat $parameter 2>/dev/null)" = Y ] || reload
	elif loaded; then
		rmmod ucountview
	fi
}

# Three mount namespaces whose numbers no other task changes.
hold_namespaces() {
	for number in 1 5 9; do
		"$here/mounts_probe" hold $number >"$ktap_dir/hold.$number" &
		holders="$holders $!"
		wait_until [ -s "$ktap_dir/hold.$number" ] || return
		inodes="$inodes $(cat "$ktap_dir/hold.$number")"
	done
}

# Their lines in the ioctl's records and in debugfs, in order of creation.
numbers() {
	"$here/mounts_probe" records >"$ktap_dir/records" || return
	cat "$debugfs/mounts" >"$ktap_dir/mounts" || return
	for inode in $inodes; do
		grep "^$inode " "$ktap_dir/records" || return
		grep "^$inode " "$ktap_dir/mounts" || return
	done
}

available() {
	"$here/mounts_probe" available
}

skip_unless() {
	[ "$(available)" = "$1" ] || skip "$2"
}

mounts_are_counted_with_btf() {
	reload || return
	skip_without_mounts || return
	hold_namespaces || return
	numbers >"$ktap_dir/with"
}

module_loads_without_btf() {
	reload use_btf=N || return
	expect "the parameter" N "$(cat $parameter)" || return
	grep '^features:' "$debugfs/status" >"$ktap_dir/features" || return
	cat "$ktap_dir/features"
	! grep -qw btf "$ktap_dir/features"
}

log_says_what_is_missing_without_btf() {
	said >"$ktap_dir/said"
	cat "$ktap_dir/said"
	case $(available) in
	yes) expect "lines in the log" 0 "$(wc -l <"$ktap_dir/said")" ;;
	no)
		expect "lines in the log" 1 "$(wc -l <"$ktap_dir/said")" || return
		grep -q 'mounts are not available.*BTF' "$ktap_dir/said"
		;;
	*) return 1 ;;
	esac
}

mounts_are_refused_without_btf() {
	skip_unless no "the module was built in a full kernel tree" || return
	mounts_are_refused
}

mounts_are_the_same_without_btf() {
	skip_unless yes "the module was not built in a full kernel tree" || return
	[ -s "$ktap_dir/with" ] || return
	numbers >"$ktap_dir/without" || return
	diff "$ktap_dir/with" "$ktap_dir/without"
}

counters_have_names_without_btf() {
	"$here/mounts_probe" resources | sort >"$ktap_dir/names" || return
	(cd /proc/sys/user && ls) | sed 's/^max_//' | sort >"$ktap_dir/sysctls"
	[ -s "$ktap_dir/names" ] && diff "$ktap_dir/sysctls" "$ktap_dir/names"
}

other_tests_pass_without_btf() {
	programs_pass rlimits_test story_test ucounts_test userns_test
}

mounts_return_with_btf() {
	reload || return
	expect "the parameter" Y "$(cat $parameter)" || return
	[ -s "$ktap_dir/with" ] || skip "the module cannot walk mount namespaces here" || return
	numbers >"$ktap_dir/again" || return
	diff "$ktap_dir/with" "$ktap_dir/again"
}

needs_unloaded_module
ktap_clean_up_at_exit
[ -z "$(kernel_lacks DEBUG_FS)" ] || ktap_skip_all "the kernel has no debugfs"

ktap_run mounts_are_counted_with_btf module_loads_without_btf log_says_what_is_missing_without_btf \
	mounts_are_refused_without_btf mounts_are_the_same_without_btf counters_have_names_without_btf \
	other_tests_pass_without_btf mounts_return_with_btf
