#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2034,SC2154 # ktap.sh sets ktap_dir, reader.sh looks at status
# The reader, ucountview, reports the same as debugfs, in JSON and in plain text. Invalid arguments get one line on
# standard error and nothing on standard output. The exit status tells success from failure, including a full disk.
#
# Environment: UCOUNTVIEW, the reader (default: the one on PATH, or the one built in this repository).

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/find.sh"
. "$here/reader.sh"

debugfs=/sys/kernel/debug/ucountview
columns=USERNS,LEVEL,UID,RESOURCE,USED,LIMIT
sleeper=''

clean_up() {
	[ -z "$sleeper" ] || kill "$sleeper" 2>/dev/null
	rm -rf "$ktap_dir"
}

helps() {
	for option in -h --help -V --version -H --list-columns; do
		succeeds "$option" || return
	done
	for command in usage mounts userns why denials; do
		succeeds "$command" --help || return
		succeeds "$command" -H || return
	done
}

refuses_what_makes_no_sense() {
	fails --bogus &&
		fails -x &&
		fails frobnicate &&
		fails usage frobnicate &&
		fails userns frobnicate &&
		fails userns -a &&
		fails -o &&
		fails -o NOPE &&
		fails -o USERNS,NOPE &&
		fails -o '' &&
		fails -J -r &&
		fails -R nope &&
		fails -R '' &&
		fails -u nosuchuser &&
		fails -u -1 &&
		fails -u 4294967295 &&
		fails -u 99999999999999999999 &&
		fails -U 0 &&
		fails -U pid:0 &&
		fails -U pid:99999999 &&
		fails -U /etc/passwd &&
		fails -U /nonexistent &&
		fails --min-ratio x &&
		fails --min-ratio -1 &&
		fails --min-ratio nan &&
		fails --min-ratio 80%% &&
		fails --top 0 &&
		fails --top -1 &&
		fails --top 1x &&
		fails why &&
		fails why 0 &&
		fails why abc &&
		fails why 99999999 &&
		fails why 1 2
}

# Output written as JSON is valid JSON and has an array of the expected name.
is_json() {
	key=$1
	shift
	succeeds "$@" -J || return
	"$here/json_check" -l <"$ktap_dir/out" >"$ktap_dir/leaves" || return
	grep -q "^${key}\\[0\\]" "$ktap_dir/leaves" || {
		echo "there is no ${key}[0]: $*"
		return 1
	}
}

writes_json() {
	is_json usage &&
		is_json usage usage &&
		is_json usage usage --all &&
		is_json usage usage --output-all &&
		is_json usage -o +USER,BIND-USERNS,ROOM &&
		is_json userns userns &&
		is_json userns userns --output-all &&
		is_json userns userns --tree &&
		is_json why why $$ &&
		is_json why why $$ --output-all
}

# debugfs as comparable lines, without the number of processes, which differs between two commands.
debugfs_lines() {
	awk 'NR > 1 && $4 != "rlimit_nproc" { print $1, $2, $3, $4, $5, $6 ~ /^[0-9]/ ? $6 : "none" }' \
		"$debugfs/ucounts" | sort
}

json_lines() {
	run -J -o "$columns"
	"$here/json_check" -l <"$ktap_dir/out" >"$ktap_dir/leaves" || return
	awk -F '\t' '
		function row() {
			if (n && field["resource"] != "rlimit_nproc")
				print field["userns"], field["level"], field["uid"], field["resource"], field["used"],
					field["limit"] == "null" ? "none" : field["limit"]
		}
		{
			split($1, part, "].")
			if (part[1] != last) {
				row()
				n++
			}
			last = part[1]
			field[part[2]] = $2
		}
		END { row() }' "$ktap_dir/leaves" | sort
}

raw_lines() {
	run -r -n -o "$columns"
	awk '$4 != "rlimit_nproc" { print $1, $2, $3, $4, $5, $6 ~ /^[0-9]/ ? $6 : "none" }' "$ktap_dir/out" | sort
}

# same_as_debugfs FUNCTION: compare its output between two identical readings of debugfs
same_as_debugfs() {
	[ -r "$debugfs/ucounts" ] || {
		echo "debugfs cannot be read"
		return 4
	}
	tries=0
	while [ $tries -lt 50 ]; do
		tries=$((tries + 1))
		debugfs_lines >"$ktap_dir/before"
		"$1" >"$ktap_dir/seen" || return
		debugfs_lines >"$ktap_dir/after"
		cmp -s "$ktap_dir/before" "$ktap_dir/after" || continue
		[ -s "$ktap_dir/seen" ] && cmp "$ktap_dir/before" "$ktap_dir/seen" && return
		diff "$ktap_dir/before" "$ktap_dir/seen"
		return 1
	done
	echo "the system is too busy to compare"
	return 4
}

json_agrees_with_debugfs() {
	same_as_debugfs json_lines
}

raw_agrees_with_debugfs() {
	same_as_debugfs raw_lines
}

# The numbers of one row against known ones: a process in a user namespace of its own, made by root.
knows_the_sleeper() {
	inode=$(stat -L -c %i "/proc/$sleeper/ns/user")
	succeeds userns -r -n -o USERNS,LEVEL,OWNER || return
	expect "the sleeper's namespace" "$inode 1 0" "$(grep "^$inode " "$ktap_dir/out")" || return
	succeeds -U "$inode" -r -n -o LEVEL || return
	expect "levels in it" 1 "$(sort -u "$ktap_dir/out")" || return
	succeeds -U "pid:$sleeper" -J || return
	"$here/json_check" 'usage[0].userns' <"$ktap_dir/out" >"$ktap_dir/value" || return
	expect "its namespace by its process" "$inode" "$(cat "$ktap_dir/value")" || return
	succeeds why "$sleeper" -R user_namespaces -r -n -o LEVEL,USERNS || return
	expect "the deeper level of why" "1 $inode" "$(grep '^1 ' "$ktap_dir/out")"
}

sorts_the_fullest_first() {
	succeeds -r -n -o RATIO || return
	awk '$1 ~ /^[0-9]/ { if (seen && $1 > last) bad = 1; last = $1; seen = 1 } END { exit bad }' "$ktap_dir/out" ||
		{
			cat "$ktap_dir/out"
			return 1
		}
	succeeds --top 1 -r -n || return
	expect "lines of --top 1" 1 "$(lines out)"
}

chooses_columns() {
	succeeds -r -o UID,RESOURCE || return
	expect "header" "UID RESOURCE" "$(sed -n 1p "$ktap_dir/out")" || return
	succeeds -r -n -o UID,RESOURCE || return
	expect "columns" 2 "$(awk '{ print NF }' "$ktap_dir/out" | sort -u)"
}

fails_if_the_output_is_lost() {
	[ -c /dev/full ] || {
		echo "there is no /dev/full"
		return 4
	}
	for arguments in usage userns "why $$" --help -V "usage -J" "usage -r"; do
		status=0
		# shellcheck disable=SC2086 # several words
		"$reader" $arguments >/dev/full 2>"$ktap_dir/err" || status=$?
		says_why "$arguments >/dev/full" || return
	done
	status=0
	"$reader" >&- 2>"$ktap_dir/err" || status=$?
	says_why "standard output closed"
}

needs_root() {
	cp "$reader" "$ktap_dir/ucountview" && chmod 755 "$ktap_dir" "$ktap_dir/ucountview" || return
	su nobody -s /bin/sh -c true 2>/dev/null || {
		echo "cannot become nobody"
		return 4
	}
	status=0
	su nobody -s /bin/sh -c "$ktap_dir/ucountview" >"$ktap_dir/out" 2>"$ktap_dir/err" || status=$?
	says_why "as nobody" || return
	expect "output as nobody" '' "$(cat "$ktap_dir/out")" || return
	grep -i root "$ktap_dir/err"
}

# Without the device, hidden in a mount namespace of the test's own: the module stays loaded.
needs_the_module() {
	unshare -m true 2>/dev/null || {
		echo "cannot make a mount namespace"
		return 4
	}
	cp "$reader" "$ktap_dir/ucountview" || return
	status=0
	unshare -m sh -c "mount --make-rprivate / 2>/dev/null; mount -t tmpfs none /dev && exec $ktap_dir/ucountview" \
		>"$ktap_dir/out" 2>"$ktap_dir/err" || status=$?
	says_why "without the device" || return
	expect "output without the device" '' "$(cat "$ktap_dir/out")" || return
	grep -i module "$ktap_dir/err"
}

skip_without_mounts() {
	[ "$("$here/mounts_probe" available)" = yes ] && return
	echo "the module cannot read mount counters here"
	return 4
}

mounts_refuses_what_makes_no_sense() {
	skip_without_mounts || return
	succeeds mounts &&
		succeeds mounts --help &&
		fails mounts --bogus &&
		fails mounts -a &&
		fails mounts -T &&
		fails mounts -R mounts &&
		fails mounts frobnicate &&
		fails mounts -o NOPE &&
		fails mounts -o MNTNS,NOPE &&
		fails mounts -J -r &&
		fails mounts -u nosuchuser &&
		fails mounts -U 0 &&
		fails mounts -U pid:99999999 &&
		fails mounts -U /proc/self/ns/mnt &&
		fails mounts -M '' &&
		fails mounts -M 0 &&
		fails mounts -M 1 &&
		fails mounts -M 4294967296 &&
		fails mounts -M pid: &&
		fails mounts -M pid:0 &&
		fails mounts -M pid:99999999 &&
		fails mounts -M /etc/passwd &&
		fails mounts -M /nonexistent &&
		fails mounts -M /proc/self/ns/user &&
		fails mounts --min-ratio x &&
		fails mounts --top 0 &&
		fails why $$ -R mounts -R nope
}

mounts_of_one_namespace() {
	skip_without_mounts || return
	inode=$(stat -L -c %i /proc/$$/ns/mnt)
	for name in "$inode" pid:$$ /proc/$$/ns/mnt; do
		succeeds mounts -M "$name" -r -n -o MNTNS || return
		expect "mounts -M $name" "$inode" "$(cat "$ktap_dir/out")" || return
	done
	is_json mounts mounts && is_json mounts mounts --output-all && is_json why why $$ -R mounts
}

watch_refuses_what_makes_no_sense() {
	for command in usage mounts userns; do
		for seconds in 0 -1 x '' 1x nan inf 0.009; do
			fails $command --count 1 -w "$seconds" || return
		done
		for number in 0 -1 x '' 1.5 4294967296; do
			fails $command -w 0.01 --count "$number" || return
		done
		fails $command --count 1 || return
		fails $command -w 0.01 --count 1 -o NOPE || return
	done
	fails why $$ -w 1 && fails why $$ --count 1
}

# In JSON and raw output the column is always there; otherwise only if a namespace has limits.
tells_the_limits_of_a_namespace() {
	inode=$(stat -L -c %i "/proc/$sleeper/ns/user")
	succeeds userns -J || return
	"$here/json_check" 'userns[0].limits' <"$ktap_dir/out" >"$ktap_dir/value" || return
	expect "limits of the initial namespace" null "$(cat "$ktap_dir/value")" || return
	for limits in '-' 'ipc_namespaces=5,uts_namespaces=7'; do
		succeeds userns -r || return
		expect "limits of the sleeper's namespace" "$limits" \
			"$(awk -v inode="$inode" '
				NR == 1 { for (i = 1; i <= NF; i++) if ($i == "LIMITS") column = i }
				$1 == inode { print $column }' "$ktap_dir/out" | tr , '\n' | sort | paste -s -d , -)" || return
		nsenter -t "$sleeper" -U -- sh -c 'echo 5 >/proc/sys/user/max_ipc_namespaces &&
			echo 7 >/proc/sys/user/max_uts_namespaces' || return
	done
	succeeds userns || return
	grep -q ' LIMITS$' "$ktap_dir/out"
}

# In each round one time, then one heading; empty lines between rounds; no terminal control sequences.
watches_in_a_pipe() {
	for arguments in usage userns mounts; do
		if [ $arguments = mounts ] && [ "$("$here/mounts_probe" available)" != yes ]; then
			continue
		fi
		TERM=xterm "$reader" $arguments -w 0.01 --count 3 2>"$ktap_dir/err" | cat >"$ktap_dir/out"
		expect "errors of: $arguments -w" '' "$(cat "$ktap_dir/err")" &&
			expect "headings of: $arguments -w" 3 "$(grep -c '^ *[A-Z]*NS  *[A-Z]' "$ktap_dir/out")" &&
			expect "times of: $arguments -w" 3 \
				"$(grep -cE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}[+-][0-9]{2}:[0-9]{2}$' "$ktap_dir/out")" &&
			expect "empty lines of: $arguments -w" 2 "$(grep -c '^$' "$ktap_dir/out")" &&
			expect "escape codes of: $arguments -w" 0 "$(tr -cd '\033' <"$ktap_dir/out" | wc -c)" || return
		succeeds $arguments -w 0.01 --count 1 || return
		expect "times of: $arguments -w --count 1" 1 "$(grep -c '^[0-9]*-[0-9]*-[0-9]*T' "$ktap_dir/out")" || return
	done
}

# Each line is a JSON document.
watches_in_json() {
	for arguments in usage userns; do
		succeeds $arguments -J -w 0.01 --count 4 || return
		expect "lines of: $arguments -J -w" 4 "$(lines out)" || return
		while IFS= read -r line; do
			printf '%s\n' "$line" | "$here/json_check" -l >"$ktap_dir/leaves" || return
			expect "members time" 1 "$(grep -c '^time' "$ktap_dir/leaves")" || return
			expect "first rows" 1 "$(grep -c "^${arguments}\[0\]\.userns" "$ktap_dir/leaves")" || return
		done <"$ktap_dir/out"
	done
}

[ "$(id -u)" -eq 0 ] || ktap_skip_all "this test needs root"
[ -c /dev/ucountview ] || ktap_skip_all "there is no /dev/ucountview: load the module ucountview"
reader=$(find_reader)
[ -n "$reader" ] || ktap_skip_all "there is no reader: set UCOUNTVIEW"
trap clean_up EXIT
trap 'exit 143' HUP INT TERM
# The uts namespace is charged in the user namespace.
unshare -U -u -r sleep 100000 &
sleeper=$!
# The process is ready when it has become sleep.
tries=0
while [ "$(cat /proc/$sleeper/comm)" != sleep ] && [ $tries -lt 1000 ]; do
	tries=$((tries + 1))
	sleep 0.05
done

ktap_begin 17
ktap_test helps
ktap_test refuses_what_makes_no_sense
ktap_test writes_json
ktap_test json_agrees_with_debugfs
ktap_test raw_agrees_with_debugfs
ktap_test knows_the_sleeper
ktap_test sorts_the_fullest_first
ktap_test chooses_columns
ktap_test fails_if_the_output_is_lost
ktap_test needs_root
ktap_test needs_the_module
ktap_test mounts_refuses_what_makes_no_sense
ktap_test mounts_of_one_namespace
ktap_test watch_refuses_what_makes_no_sense
ktap_test tells_the_limits_of_a_namespace
ktap_test watches_in_a_pipe
ktap_test watches_in_json
ktap_end
