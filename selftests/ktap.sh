# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# KTAP output for the test scripts, which source this file. POSIX shell: the guest has only busybox.

ktap_number=0
ktap_failed=0
ktap_skipped=0

# ktap_begin COUNT
ktap_begin() {
	ktap_plan=$1
	echo "TAP version 13"
	echo "1..$1"
}

# ktap_skip_all REASON: none of the tests can run
ktap_skip_all() {
	echo "TAP version 13"
	echo "1..0 # SKIP $1"
	exit 4
}

ktap_ok() {
	ktap_number=$((ktap_number + 1))
	echo "ok $ktap_number $1"
}

ktap_not_ok() {
	ktap_number=$((ktap_number + 1))
	ktap_failed=$((ktap_failed + 1))
	echo "not ok $ktap_number $1"
}

# ktap_skip NAME REASON
ktap_skip() {
	ktap_number=$((ktap_number + 1))
	ktap_skipped=$((ktap_skipped + 1))
	echo "ok $ktap_number $1 # SKIP $2"
}

# ktap_test FUNCTION: run a test. Its output becomes comments; status 0 is a pass, 4 a skip.
ktap_test() {
	ktap_status=0
	"$1" >"$ktap_dir/output" 2>&1 || ktap_status=$?
	sed 's/^/# /' "$ktap_dir/output"
	case $ktap_status in
	0) ktap_ok "$1" ;;
	4) ktap_skip "$1" "$(tail -n 1 "$ktap_dir/output")" ;;
	*) ktap_not_ok "$1" ;;
	esac
}

# expect WHAT EXPECTED SEEN: fails and prints a message if they differ
expect() {
	[ "$2" = "$3" ] && return 0
	echo "$1: expected '$2', saw '$3'"
	return 1
}

# Its status is the exit status of the script.
ktap_end() {
	echo "# Totals: pass:$((ktap_number - ktap_failed - ktap_skipped)) fail:$ktap_failed skip:$ktap_skipped"
	[ "$ktap_failed" -eq 0 ] && [ "$ktap_number" -eq "$ktap_plan" ]
}

ktap_dir=$(mktemp -d "${TMPDIR:-/tmp}/ucountview.XXXXXX") || exit 1
