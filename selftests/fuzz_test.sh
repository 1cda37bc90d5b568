#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2034,SC2154 # ktap.sh sets ktap_dir; planted.sh uses busy
# Random operations on the device and debugfs, by 64-bit and 32-bit programs, while other processes charge and uncharge
# everything that is counted and some are refused: every operation does what is documented (see fuzz.c), and the module
# then unloads, loads, and tells a known workload.
#
# Environment: UCV_FUZZ, the number of operations (2400); UCV_SEED (1); see load.sh and reader.sh.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/load.sh"
. "$here/reader.sh"
. "$here/planted.sh"

parameters=/sys/module/ucountview/parameters
seed=${UCV_SEED:-1}
operations=${UCV_FUZZ:-2400}

clean_up() {
	after_test
	! loaded || echo N >$parameters/denials
	! loaded || echo 65536 >$parameters/max_snapshot_kib
}

# fuzz PROGRAM OPERATIONS: after_test ends the traffic. Some thousand operations take a second, and on a debug kernel on a
# busy host a minute.
fuzz() {
	"$here/traffic" >"$ktap_dir/traffic" 2>&1 &
	busy=$!
	echo "seed $seed"
	ended=0
	timeout $((1200 + $2 / 20)) "$here/$1" "$seed" "$2" || ended=$?
	[ $ended -ne 124 ] && [ $ended -ne 143 ] || echo "it hangs"
	return $ended
}

operations_do_what_is_documented() {
	fuzz fuzz "$operations"
}

operations_of_32_bit_programs_do_what_is_documented() {
	[ -x "$here/abi32_fuzz" ] || skip "there is no abi32_fuzz: it needs a 32-bit compiler" || return
	# A shell takes what the kernel does not run for a script.
	"$here/abi32_fuzz" 2>&1 | grep -q '^usage: ' || skip "this kernel runs no 32-bit programs" || return
	fuzz abi32_fuzz $((operations / 4))
}

module_loads_again_and_works() {
	unload && load || return
	"$here/leave" -u "$uid" watches 5 || return
	succeeds -a -n -r -u "$uid" -R inotify_watches -o USED &&
		expect "watches" 5 "$(cat "$ktap_dir/out")"
}

needs_reader
module=$(find_module)
[ -n "$module" ] || ktap_skip_all "there is no ucountview.ko: set UCV_KO"
[ -r "$debugfs/status" ] || ktap_skip_all "there is no debugfs"

ktap_clean_up_at_exit
mark_log

ktap_run operations_do_what_is_documented operations_of_32_bit_programs_do_what_is_documented \
	module_loads_again_and_works kernel_log_has_no_splat
