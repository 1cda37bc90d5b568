# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC1091,SC2034,SC2154 # whoever reads this sets $here, and ktap.sh $ktap_dir
# Run the reader and check what it prints, for the scripts that test it.
#
# Environment: UCOUNTVIEW, the reader (default: the one on PATH, or the one built in this repository).

. "$here/find.sh"

# The status of a reader that fails.
failure=1

# Sets $reader and $init_userns.
needs_reader() {
	needs_root
	[ -c /dev/ucountview ] || ktap_skip_all "there is no /dev/ucountview: load the module ucountview"
	reader=$(find_reader)
	[ -n "$reader" ] || ktap_skip_all "there is no reader: set UCOUNTVIEW"
	init_userns=$(inode $$ user)
}

# make_files NR: a directory with files 0, 1, 2 ... that every user can read; sets $files
make_files() {
	files=$ktap_dir/files
	mkdir "$files" || exit
	number=0
	while [ $number -lt "$1" ]; do
		: >"$files/$number"
		number=$((number + 1))
	done
	chmod -R a+rX "$ktap_dir" || exit
}

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

# unwrapped: the file out with its wrapped lines, which go on after four blanks, put together
unwrapped() {
	awk '/^    [^ ]/ { sub(/^ +/, " "); line = line $0; next } NR > 1 { print line } { line = $0 } END { print line }' \
		"$ktap_dir/out"
}

# says LINE: the file out has this whole line, which may be wrapped
says() {
	unwrapped | grep -qxF -e "$1" && return
	echo "expected the line: $1"
	echo "in:"
	cat "$ktap_dir/out"
	return 1
}

# run_fix PATTERN: run the command that the file out recommends, unchanged; it must match the pattern
run_fix() {
	fix=$(sed -n 's/^  To [^:]*: \([a-z]* .*[=>].*\)/\1/p' "$ktap_dir/out" | head -n 1)
	echo "as it says: $fix"
	expect "$1 in it" 1 "$(echo "$fix" | grep -c -e "$1")" || return
	PATH=$PATH:/host command -v "${fix%% *}" >/dev/null || skip "there is no ${fix%% *} here" || return
	PATH=$PATH:/host sh -c "$fix"
}

# says_why: the last run failed and printed one line of the reader's on standard error
says_why() {
	expect "status of: $*" $failure "$status" || return
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

# refuses COMMAND ARGUMENTS...: the command fails with each of these, which are split at blanks
refuses() {
	command=$1
	shift
	for arguments; do
		# shellcheck disable=SC2086 # several words
		fails $command $arguments || return
	done
}

# Numbers that no option takes.
bad_numbers="0 -1 x 1x 1.5 4294967296"

# refuses_numbers ARGUMENT...: the last argument is an option, which takes none of these, nor an empty one
refuses_numbers() {
	for number in $bad_numbers ''; do
		fails "$@" "$number" || return
	done
}
