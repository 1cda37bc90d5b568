# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154 # whoever reads this sets $here
# KTAP output for the test scripts, which source this file. POSIX shell: the guest has only busybox.

ktap_number=0
ktap_failed=0
ktap_skipped=0

# ktap_skip_all REASON: none of the tests can run
ktap_skip_all() {
	echo "TAP version 13"
	echo "1..0 # SKIP $1"
	exit 4
}

needs_root() {
	[ "$(id -u)" -eq 0 ] || ktap_skip_all "this test needs root"
}

# From here on clean_up(), which the script defines, is called when the script ends, however it does.
ktap_clean_up_at_exit() {
	trap 'clean_up; rm -rf "$ktap_dir"' EXIT
}

# Called after each test, however it ended; for scripts to redefine.
after_test() {
	:
}

# ktap_test FUNCTION: run a test. Its output becomes comments; status 0 is a pass, 4 a skip.
ktap_test() {
	ktap_status=0
	ktap_number=$((ktap_number + 1))
	"$1" >"$ktap_dir/output" 2>&1 || ktap_status=$?
	after_test >"$ktap_dir/after" 2>&1
	sed 's/^/# /' "$ktap_dir/output" "$ktap_dir/after"
	case $ktap_status in
	0) echo "ok $ktap_number $1" ;;
	4)
		ktap_skipped=$((ktap_skipped + 1))
		echo "ok $ktap_number $1 # SKIP $(tail -n 1 "$ktap_dir/output")"
		;;
	*)
		ktap_failed=$((ktap_failed + 1))
		echo "not ok $ktap_number $1"
		;;
	esac
}

# ktap_run FUNCTION...: run the tests. The last command of a script: its status is the script's.
ktap_run() {
	echo "TAP version 13"
	echo "1..$#"
	ktap_plan=$#
	for ktap_function; do
		ktap_test "$ktap_function"
	done
	echo "# Totals: pass:$((ktap_number - ktap_failed - ktap_skipped)) fail:$ktap_failed skip:$ktap_skipped"
	[ "$ktap_failed" -eq 0 ] && [ "$ktap_number" -eq "$ktap_plan" ]
}

# skip REASON: in a test, "skip ... || return"
skip() {
	echo "$1"
	return 4
}

# expect WHAT EXPECTED SEEN: fails and prints a message if they differ
expect() {
	[ "$2" = "$3" ] && return 0
	echo "$1: expected '$2', saw '$3'"
	return 1
}

# wait_until COMMAND...: wait until the command succeeds. Fails after 6000 times, far beyond what a busy machine needs.
wait_until() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		if [ $tries -gt 6000 ]; then
			echo "in vain: $*"
			return 1
		fi
		sleep 0.05
	done
}

# runs NAME PID: the process runs this program
runs() {
	[ "$(cat "/proc/$2/comm")" = "$1" ]
}

# start_sleeper OPTION...: a process that stays, in the namespaces that unshare makes; sets $sleeper
start_sleeper() {
	unshare "$@" sleep 100000 &
	sleeper=$!
	wait_until runs sleep $sleeper
}

# programs_pass TEST...: these tests, programs in the same directory, pass or are skipped
programs_pass() {
	for program; do
		status=0
		"$here/$program" >"$ktap_dir/program" 2>&1 || status=$?
		if [ $status -ne 0 ] && [ $status -ne 4 ]; then
			cat "$ktap_dir/program"
			return 1
		fi
	done
}

ktap_dir=$(mktemp -d "${TMPDIR:-/tmp}/ucountview.XXXXXX") || exit 1
trap 'rm -rf "$ktap_dir"' EXIT
trap 'exit 143' HUP INT TERM
