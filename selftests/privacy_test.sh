#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir
# No kernel address is in what the module and the reader show: ioctl records and denials, the output of every command,
# and, whatever kernel.kptr_restrict is, what the kernel formats for the module: debugfs, the text of its tracepoints,
# parameters, the log. find_addresses.c says what is an address.
#
# Not searched: /sys/module/ucountview/sections, whose addresses the kernel itself shows of every module, to root alone.
#
# Environment: see load.sh and reader.sh.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/load.sh"
. "$here/reader.sh"
. "$here/planted.sh"

always=/sys/module/ucountview/parameters/denials
max_uts=/proc/sys/user/max_uts_namespaces
restrict=/proc/sys/kernel/kptr_restrict
tracing=/sys/kernel/tracing
events=$tracing/events/ucountview
old_restrict=''
old_uts=''

clean_up() {
	kill_left
	[ -z "$old_uts" ] || echo "$old_uts" >$max_uts
	[ -z "$old_restrict" ] || echo "$old_restrict" >$restrict
	! [ -e $events/enable ] || echo 0 >$events/enable
	! [ -e $always ] || echo N >$always
}

# What was left stays for all tests.
after_test() {
	:
}

be_refused() {
	echo 0 >$max_uts
	! unshare -u true 2>/dev/null
	refused=$?
	echo "$old_uts" >$max_uts
	return $refused
}

# no_address KIND FILE: there is something in the file, and no address
no_address() {
	[ -s "$2" ] || {
		echo "nothing to search in $2"
		return 1
	}
	# shellcheck disable=SC2086 # several words
	"$here/find_addresses" "$1" $ranges <"$2"
}

# bytes ADDRESS: the eight bytes of it, the lowest first
bytes() {
	for from in 15 13 11 9 7 5 3 1; do
		# shellcheck disable=SC2059 # the format is what is printed
		printf "\\$(printf %03o "0x$(echo "$1" | cut -c $from-$((from + 1)))")"
	done
}

# is_found KIND: the file planted has an address
is_found() {
	status=0
	no_address "$1" "$ktap_dir/planted" >/dev/null || status=$?
	expect "status of find_addresses $1" 1 $status
}

# negative ADDRESS: it as a signed number; unsigned if it would be a large one, whose highest bits are not ones
negative() {
	case $1 in
	ffff*) echo $((0x${1#ffff} - 0x1000000000000)) ;;
	*) printf %u "0x$1" ;;
	esac
}

# is_found_in_text ADDRESS
is_found_in_text() {
	for text in "at $1," "0x$1" "{\"key\": \"$1\"}" "$(printf %u "0x$1")" "$(negative "$1")"; do
		echo "$text" >"$ktap_dir/planted"
		is_found text || return
	done
}

# is_found_in_records ADDRESS OFFSET...
is_found_in_records() {
	address=$1
	shift
	for offset; do
		{
			cat "$ktap_dir/records"
			head -c "$offset" /dev/zero
			bytes "$address"
			cat "$ktap_dir/records"
		} >"$ktap_dir/planted"
		is_found records || return
	done
}

# Without these the searches below would prove nothing: an address of the kernel's code, one of the module's and one of
# the heap, planted in true output.
planted_addresses_are_found() {
	case $(uname -m) in
	x86_64) heap=ffff888012345678 ;;
	aarch64) heap=ffff000812345678 ;;
	riscv64) heap=ffffffd812345678 ;;
	*) heap=c000000012345678 ;;
	esac
	"$here/dump_records" >"$ktap_dir/records" && no_address records "$ktap_dir/records" || return
	for address in $code; do
		is_found_in_text "$address" && is_found_in_records "$address" 0 8 4 3 || return
	done
	expect "symbols" 2 "$(echo "$code" | wc -l)" && is_found_in_text $heap && is_found_in_records $heap 0 8
}

records_have_no_address() {
	be_refused && "$here/dump_records" >"$ktap_dir/records" || return
	no_address records "$ktap_dir/records"
}

# outputs FORM...: what the commands print in this form
outputs() {
	for command in 'usage -a' mounts userns 'userns --tree' "why $$" 'why --last unshare' denials 'denials --totals' \
		holders 'holders --by command' 'holders -R net_namespaces' 'leaks --settle 0.1' 'audit -a'; do
		arguments=''
		[ "${command%% *}" != leaks ] || arguments='-- true'
		# shellcheck disable=SC2086 # several words
		"$reader" $command "$@" $arguments 2>&1
		echo "status of $command $*: $?"
	done
}

# The status is 0, or what it is if a limit is reached or something is left; 1 is a failure.
reader_shows_no_address() {
	{
		outputs
		outputs -J --output-all
		"$reader" metrics --all 2>&1
		echo "status of metrics: $?"
	} >"$ktap_dir/text"
	expect "commands that fail" '' "$(grep -E '^status of .*: 1$' "$ktap_dir/text")" || return
	no_address text "$ktap_dir/text"
}

# trace: the text of a denial in tracefs
trace() {
	was_tracing=$(cat $tracing/tracing_on)
	echo >$tracing/trace
	echo 1 >$tracing/tracing_on
	echo 1 >$events/enable && be_refused || return
	echo 0 >$events/enable
	echo "$was_tracing" >$tracing/tracing_on
	grep ucount_denied $tracing/trace
}

# kernel_formats: all that the kernel formats for the module; what this kernel lacks fails to be read
kernel_formats() {
	cat "$debugfs"/*
	find /sys/module/ucountview -type f ! -path '*/sections/*' -exec cat {} +
	[ ! -d $events ] || {
		cat $events/*/format
		! has_feature denials || trace || echo "failed"
	}
	said
} 2>/dev/null

# no_address_if LEVEL: of kernel.kptr_restrict
no_address_if() {
	echo "$1" >$restrict || return
	kernel_formats >"$ktap_dir/text"
	expect "failures" '' "$(grep -x failed "$ktap_dir/text")" || return
	no_address text "$ktap_dir/text"
}

no_address_if_kptr_restrict_is_0() {
	no_address_if 0
}

no_address_if_kptr_restrict_is_1() {
	no_address_if 1
}

no_address_if_kptr_restrict_is_2() {
	no_address_if 2
}

# The fields of the tracepoints, which perf reads as they are in memory: no pointer, and no hole between two fields,
# where memory of the kernel would remain.
tracepoints_have_no_address() {
	[ -d $events ] || skip "there is no tracefs" || return
	for format in "$events"/*/format; do
		awk '
			/%p/ || /field:.*\*/ { print "a pointer: " $0; bad = 1 }
			/field:/ {
				match($0, /offset:[0-9]+/)
				offset = substr($0, RSTART + 7, RLENGTH - 7)
				match($0, /size:[0-9]+/)
				size = substr($0, RSTART + 5, RLENGTH - 5)
				if (end && offset != end && !/common_/) {
					print "a hole before: " $0
					bad = 1
				}
				end = offset + size
				fields++
			}
			END { exit bad || fields < 10 }' "$format" || return
	done
}

needs_reader
needs_unloaded_module
[ -w $restrict ] || ktap_skip_all "there is no $restrict"
old_restrict=$(cat $restrict)
ktap_clean_up_at_exit
old_uts=$(cat $max_uts)
reload denials=Y || ktap_skip_all "the module does not load"
echo 0 >$restrict # for /proc/kallsyms
ranges=$("$here/find_addresses" ranges) || ktap_skip_all "this kernel's addresses cannot be told from other numbers"
code=$(awk '$3 == "_stext" || $3 == "ucv_collect" { print $1 }' /proc/kallsyms)
"$here/leave" -u "$uid" watches 3 || ktap_skip_all "nothing can be watched"
be_refused || ktap_skip_all "nothing is refused"

ktap_run planted_addresses_are_found records_have_no_address reader_shows_no_address \
	no_address_if_kptr_restrict_is_0 no_address_if_kptr_restrict_is_1 no_address_if_kptr_restrict_is_2 \
	tracepoints_have_no_address
