# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154 # whoever reads this sets $reader, and ktap.sh $ktap_dir
# Run the reader and check what it prints, for the scripts that test it.

# run ARGUMENT...: run the reader; sets $status, its output is in the files out and err
run() {
	status=0
	"$reader" "$@" >"$ktap_dir/out" 2>"$ktap_dir/err" </dev/null || status=$?
}

lines() {
	awk 'END { print NR }' "$ktap_dir/$1"
}

# succeeds ARGUMENT...: status 0, some standard output, no standard error
succeeds() {
	run "$@"
	expect "status of: $*" 0 "$status" || return
	expect "errors of: $*" '' "$(cat "$ktap_dir/err")" || return
	[ -s "$ktap_dir/out" ] || {
		echo "no output: $*"
		return 1
	}
}

# says_why: the last run had status 1 and one line of the reader's on standard error
says_why() {
	expect "status of: $*" 1 "$status" || return
	expect "lines of errors of: $*" 1 "$(lines err)" || return
	grep -q '^ucountview: .' "$ktap_dir/err" || {
		cat "$ktap_dir/err"
		return 1
	}
}

# fails ARGUMENT...: likewise, with nothing on standard output
fails() {
	run "$@"
	says_why "$@" || return
	expect "output of: $*" '' "$(cat "$ktap_dir/out")"
}
