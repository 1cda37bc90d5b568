#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir
# The interface that programs and people rely on matches interface.txt: the options and columns of each command, the
# keys of its JSON, the fields of the debugfs files, the metrics and their labels. Lines appended at an end are compatible;
# add them to interface.txt. abi_test covers the layout of the ioctls, the tests of each command its exit status.
#
#	interface_test.sh		compare
#	interface_test.sh --print	what interface.txt should have

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/reader.sh"

always=/sys/module/ucountview/parameters/denials
max_uts=/proc/sys/user/max_uts_namespaces
uid=1900001100
tables="usage mounts userns why denials holders leaks audit"
commands="$tables metrics"
# What not every kernel can count, or nobody is charged for here.
optional='^metrics metric ucountview_\(usage_bytes\|mount_denials_total\|mount_last_denial_[a-z_]*\) '
old_always=''
old_uts=''

clean_up() {
	[ -z "$old_uts" ] || echo "$old_uts" >$max_uts
	[ -z "$old_always" ] || echo "$old_always" >$always
	for pid in $(pidof leave); do
		kill "$pid"
	done
}

# options COMMAND: the options in its help, one per line: short, long, and = if it takes an argument
options() {
	"$reader" "$1" --help | awk -v command="$1" '
		/^Available output columns:/ { exit }
		match($0, /^ +(-[A-Za-z], )?--[a-z-]+/) {
			line = substr($0, RSTART, RLENGTH)
			rest = substr($0, RSTART + RLENGTH)
			gsub(/[ ,]+/, " ", line)
			end = rest ~ /^ </ ? "=" : ""
			print command " option" line end
		}'
}

# columns COMMAND: names and types
columns() {
	"$reader" "$1" -H | awk -v command="$1" '{ print command " column " $1 " " $2 }'
}

# keys COMMAND [ARGUMENT]...: the keys of the first object of its JSON output; all of its objects have the same
keys() {
	command=$1
	shift
	"$reader" "$command" -J --output-all "$@" 2>"$ktap_dir/err" </dev/null |
		"$here/json_check" -l | sed -n "s/^\([a-z]*\)\[0\]\.\([^	]*\)	.*/$command key \1[].\2/p"
}

# fields FILE: the fields of a debugfs file; in status, each line begins with one
fields() {
	if [ "$1" = status ]; then
		sed -n 's/^\([a-z_]*\):.*/debugfs status \1/p' "$debugfs/status"
	else
		sed -n "1s/^/debugfs $1 /p" "$debugfs/$1"
	fi
}

print_options() {
	for command in $commands; do
		options "$command"
	done
}

print_columns() {
	for command in $tables; do
		columns "$command"
	done
}

# The type of each metric, and the labels of the sample that has most.
print_metrics() {
	"$reader" metrics | awk '
		/^# TYPE / { names[++nr] = $3; types[$3] = $4 }
		/^[^#]/ {
			name = $1
			sub(/\{.*/, "", name)
			gsub(/"([^"\\]|\\.)*"/, "")
			rest = match($0, /\{.*\}/) ? " " substr($0, RSTART + 1, RLENGTH - 2) : ""
			gsub(/=/, "", rest)
			if (length(rest) > length(labels[name]))
				labels[name] = rest
		}
		END {
			for (i = 1; i <= nr; i++)
				print "metrics metric " names[i] " " types[names[i]] labels[names[i]]
		}'
}

# Create something for every command to show: a watch and a refusal.
prepare() {
	old_always=$(cat $always)
	old_uts=$(cat $max_uts)
	echo 1 >$always && "$here/leave" -u $uid watches 1 && echo 0 >$max_uts || return
	! unshare -u true 2>/dev/null
}

print_keys() {
	keys usage && keys mounts && keys userns && keys why $$ && keys denials && keys holders &&
		keys leaks --settle 1 -- "$here/leave" -u $((uid + 1)) watches 1
	keys audit -a
}

print_fields() {
	for file in ucounts userns mounts holders denials status; do
		fields $file
	done
}

# frozen KIND PATTERN: the lines of this kind match those of interface.txt
frozen() {
	"print_$1" >"$ktap_dir/seen"
	grep "$2" "$here/interface.txt" >"$ktap_dir/frozen"
	[ -s "$ktap_dir/frozen" ] && diff "$ktap_dir/frozen" "$ktap_dir/seen"
}

options_are_frozen() {
	frozen options '^[a-z]* option '
}

columns_are_frozen() {
	frozen columns '^[a-z]* column '
}

json_keys_are_frozen() {
	frozen keys '^[a-z]* key '
}

debugfs_fields_are_frozen() {
	skip_without_debugfs || return
	frozen fields '^debugfs '
}

metrics_are_frozen() {
	print_metrics >"$ktap_dir/seen"
	grep '^metrics metric ' "$here/interface.txt" >"$ktap_dir/frozen"
	unknown=$(grep -vxFf "$ktap_dir/frozen" "$ktap_dir/seen")
	expect "other metrics" '' "$unknown" || return
	for list in frozen seen; do
		grep -v "$optional" "$ktap_dir/$list" >"$ktap_dir/$list-always"
	done
	[ -s "$ktap_dir/seen-always" ] && diff "$ktap_dir/frozen-always" "$ktap_dir/seen-always"
}

needs_reader
ktap_clean_up_at_exit
prepare || ktap_skip_all "a refusal cannot be brought about"

if [ "${1:-}" = --print ]; then
	print_options && print_columns && print_keys && print_fields && print_metrics
	exit
fi
ktap_run options_are_frozen columns_are_frozen json_keys_are_frozen debugfs_fields_are_frozen metrics_are_frozen
