#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir
# The module without the kernel's BTF (use_btf=N). Built in a full kernel tree, the mount side gives the same numbers as
# with BTF. Otherwise the mount side is refused, one line in the log says what is missing, and all else works.
#
# Environment: UCV_KO, the module's file (default: the installed one).

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/find.sh"
. "$here/load.sh"

debugfs=/sys/kernel/debug/ucountview
parameter=/sys/module/ucountview/parameters/use_btf
holders=''
inodes=''

# reload [PARAMETER]
reload() {
	if loaded; then
		unload || return
	fi
	load "$@" || {
		cat "$ktap_dir/error"
		return 1
	}
}

clean_up() {
	for pid in $holders; do
		kill "$pid" 2>/dev/null
	done
	if [ -n "$was_loaded" ]; then
		[ "$(cat $parameter 2>/dev/null)" = Y ] || reload
	elif loaded; then
		rmmod ucountview
	fi
	rm -rf "$ktap_dir"
}

# Three mount namespaces whose numbers no other task changes.
hold_namespaces() {
	for number in 1 5 9; do
		"$here/mounts_probe" hold $number >"$ktap_dir/hold.$number" &
		holders="$holders $!"
		tries=0
		while [ ! -s "$ktap_dir/hold.$number" ]; do
			tries=$((tries + 1))
			[ $tries -lt 600 ] || return 1
			sleep 0.1
		done
		inodes="$inodes $(cat "$ktap_dir/hold.$number")"
	done
}

# Their lines in the ioctl's records and in debugfs, in order of creation.
numbers() {
	"$here/mounts_probe" records >"$ktap_dir/records" || return
	cat $debugfs/mounts >"$ktap_dir/mounts" || return
	for inode in $inodes; do
		grep "^$inode " "$ktap_dir/records" || return
		grep "^$inode " "$ktap_dir/mounts" || return
	done
}

# The module's log since it was last loaded, without the kernel's messages about any out-of-tree module.
said() {
	dmesg | sed "1,/$marker/d" | grep 'ucountview: ' |
		grep -vE 'taints kernel|tainting kernel|module verification failed|missing required key'
}

available() {
	"$here/mounts_probe" available
}

skip_unless() {
	[ "$(available)" = "$1" ] && return
	echo "$2"
	return 4
}

with_btf_mounts_are_known() {
	reload || return
	if [ "$(available)" != yes ]; then
		echo "the module cannot walk mount namespaces here"
		return 4
	fi
	hold_namespaces || return
	numbers >"$ktap_dir/with"
}

without_btf_it_loads() {
	echo "<6>$marker" >/dev/kmsg
	reload use_btf=N || return
	expect "the parameter" N "$(cat $parameter)" || return
	grep '^features:' $debugfs/status >"$ktap_dir/features" || return
	cat "$ktap_dir/features"
	! grep -qw btf "$ktap_dir/features"
}

the_log_says_what_is_missing() {
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

mounts_are_refused() {
	skip_unless no "the module was built in a full kernel tree" || return
	expect "a snapshot" EOPNOTSUPP "$("$here/mounts_probe" snapshot)" || return
	expect "debugfs" EOPNOTSUPP "$("$here/mounts_probe" open $debugfs/mounts)" || return
	! grep '^features:' $debugfs/status | grep -qw mntns
}

mounts_are_the_same_by_the_header() {
	skip_unless yes "the module was not built in a full kernel tree" || return
	[ -s "$ktap_dir/with" ] || return
	numbers >"$ktap_dir/without" || return
	diff "$ktap_dir/with" "$ktap_dir/without"
}

counters_have_their_names() {
	"$here/mounts_probe" resources | sort >"$ktap_dir/names" || return
	(cd /proc/sys/user && ls) | sed 's/^max_//' | sort >"$ktap_dir/sysctls"
	[ -s "$ktap_dir/names" ] && diff "$ktap_dir/sysctls" "$ktap_dir/names"
}

all_else_works() {
	for test in rlimits_test story_test ucounts_test userns_test; do
		status=0
		"$here/$test" >"$ktap_dir/$test" 2>&1 || status=$?
		# Some tests are skipped on some kernels, with BTF as well.
		if [ $status -ne 0 ] && [ $status -ne 4 ]; then
			cat "$ktap_dir/$test"
			return 1
		fi
	done
}

with_btf_again_as_before() {
	reload || return
	expect "the parameter" Y "$(cat $parameter)" || return
	[ -s "$ktap_dir/with" ] || {
		echo "the module cannot walk mount namespaces here"
		return 4
	}
	numbers >"$ktap_dir/again" || return
	diff "$ktap_dir/with" "$ktap_dir/again"
}

[ "$(id -u)" -eq 0 ] || ktap_skip_all "this test needs root"
module=$(find_module)
[ -n "$module" ] || ktap_skip_all "there is no ucountview.ko: set UCV_KO"
was_loaded=''
loaded && was_loaded=yes
if [ -n "$was_loaded" ]; then
	unload >/dev/null || ktap_skip_all "the module is in use"
fi
trap clean_up EXIT
trap 'exit 143' HUP INT TERM
marker="ucountview mounts_nobtf_test $$"

ktap_begin 8
ktap_test with_btf_mounts_are_known
ktap_test without_btf_it_loads
ktap_test the_log_says_what_is_missing
ktap_test mounts_are_refused
ktap_test mounts_are_the_same_by_the_header
ktap_test counters_have_their_names
ktap_test all_else_works
ktap_test with_btf_again_as_before
ktap_end
