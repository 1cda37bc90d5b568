#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2034,SC2154 # ktap.sh sets ktap_dir, reader.sh looks at status
# The reader, ucountview, reports the same as debugfs, in JSON and in plain text. Invalid arguments get one line on
# standard error and nothing on standard output. The exit status tells success from failure, including a full disk.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/reader.sh"
. "$here/agents.sh"

columns=USERNS,LEVEL,UID,RESOURCE,USED,LIMIT
# uids that neither people, services nor containers use
uid=1900000000
max_ipc=/proc/sys/user/max_ipc_namespaces
sleeper=''
watcher=''
old_ipc=''

after_test() {
	stop_agents
	[ -z "$watcher" ] || kill "$watcher" 2>/dev/null
	watcher=''
	[ -z "$old_ipc" ] || echo "$old_ipc" >$max_ipc
	old_ipc=''
}

clean_up() {
	after_test
	[ -z "$sleeper" ] || kill "$sleeper" 2>/dev/null
}

help_and_columns_are_printed() {
	for option in -h --help -V --version -H --list-columns; do
		succeeds "$option" || return
	done
	for command in usage mounts userns why denials; do
		succeeds "$command" --help || return
		succeeds "$command" -H || return
	done
}

bad_options_of_usage_and_why_are_refused() {
	refuses '' --bogus -x frobnicate 'usage frobnicate' 'userns frobnicate' 'userns -a' -o '-o NOPE' '-o USERNS,NOPE' \
		'-J -r' '-R nope' '-u nosuchuser' '-u -1' '-u 4294967295' '-u 99999999999999999999' '-U 0' '-U pid:0' \
		'-U pid:99999999' '-U /etc/passwd' '-U /nonexistent' '--min-ratio x' '--min-ratio -1' '--min-ratio nan' \
		'--min-ratio 80%%' why 'why 0' 'why abc' 'why 99999999' 'why 1 2' &&
		fails -o '' && fails -R '' && refuses_numbers --top
}

# Four counters have been there since 5.14.
missing_counters_are_named() {
	for name in rlimit_nproc rlimit_msgqueue rlimit_sigpending rlimit_memlock; do
		run -R $name
		[ "$status" -ne 0 ] || continue
		expect "message" "ucountview: $name: this kernel has no such counter" "$(cat "$ktap_dir/err")" || return
		says_why -R $name || return
	done
	fails -R rlimit_nprocs || return
	expect "message" "ucountview: unknown resource: rlimit_nprocs" "$(cat "$ktap_dir/err")"
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

json_is_valid() {
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

# Lines of all users, which say that a limit is 0, are the reader's own.
of_users() {
	grep -v ' \(null\|-\) [a-z_]* 0 0$'
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
		END { row() }' "$ktap_dir/leaves" | of_users | sort
}

raw_lines() {
	run -r -n -o "$columns"
	awk '$4 != "rlimit_nproc" { print $1, $2, $3, $4, $5, $6 ~ /^[0-9]/ ? $6 : "none" }' "$ktap_dir/out" | of_users | sort
}

# same_as_debugfs FUNCTION: compare its output between two identical readings of debugfs
same_as_debugfs() {
	[ -r "$debugfs/ucounts" ] || skip "debugfs cannot be read" || return
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
	skip "the system is too busy to compare"
}

json_agrees_with_debugfs() {
	same_as_debugfs json_lines
}

raw_agrees_with_debugfs() {
	same_as_debugfs raw_lines
}

# The numbers of one row against known ones: a process in a user namespace of its own, made by root.
namespace_of_a_process_is_found() {
	inode=$(inode "$sleeper" user)
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

# A namespace of one user, and below it one of another user.
user_namespaces_are_chosen_by_user_and_size() {
	start nest && tell_number nest userns $uid $((uid + 100)) 100 || return
	outer=$(inode "$(ask nest pid)" user)
	tell_number nest userns 10 10 10 || return
	inner=$(inode "$(ask nest pid)" user)
	succeeds userns -r -n -o USERNS,LEVEL,OWNER -u $uid || return
	expect "of the one" "$outer 1 $uid" "$(cat "$ktap_dir/out")" || return
	succeeds userns -n -T -o USERNS,LEVEL,OWNER -u $((uid + 110)) || return
	expect "tree of the other" "$inner 2 $((uid + 110))" "$(tr -s ' ' <"$ktap_dir/out")" || return
	succeeds userns -J -T -u $((uid + 110)) || return
	"$here/json_check" 'userns[0].userns' <"$ktap_dir/out" >"$ktap_dir/value" || return
	expect "the same in JSON" "$inner" "$(cat "$ktap_dir/value")" || return
	run userns -n -u $((uid + 1))
	expect "of none" '0 0' "$status $(lines out)" || return

	succeeds userns -r -n -o USERNS,ROWS || return
	awk '{ print $2 }' "$ktap_dir/out" | sort -rn | sed 2q >"$ktap_dir/most"
	succeeds userns -r -n -o ROWS --top 2 || return
	expect "most users" "$(cat "$ktap_dir/most")" "$(cat "$ktap_dir/out")" || return
	refuses userns '--top 2 -T' '--top 0' '-u nosuchuser'
}

fullest_counter_is_first() {
	succeeds -r -n -o RATIO || return
	awk '$1 ~ /^[0-9]/ { if (seen && $1 > last) bad = 1; last = $1; seen = 1 } END { exit bad }' "$ktap_dir/out" ||
		{
			cat "$ktap_dir/out"
			return 1
		}
	succeeds --top 1 -r -n || return
	expect "lines of --top 1" 1 "$(lines out)"
}

# Before 5.14 only its process leads to it.
namespace_without_counters_is_found() {
	start empty && tell_number empty userns $uid $((uid + 100)) 100 || return
	pid=$(ask empty pid)
	for columns in USERNS,USED USERNS,USED,PID; do
		run -U "pid:$pid" -R inotify_watches -r -n -o $columns
		expect "of $columns" '0 0 0' "$status $(lines out) $(lines err)" || return
	done
	run -w 0.01 --count 2 -U "pid:$pid" -R inotify_watches -r -n
	expect "rounds" '0 3 0' "$status $(lines out) $(lines err)"
}

# many_users ARGUMENT...: each of them is shown, once, with one instance
many_users() {
	succeeds -r -n -R inotify_instances "$@" || return
	awk -v first="$many_uid" -v nr="$many" '
		$1 < first || $1 >= first + nr { next }
		{ lines++ }
		$2 != 1 || seen[$1]++ { bad++ }
		END { print lines + 0, bad + 0 }' "$ktap_dir/out" >"$ktap_dir/value"
	expect "lines and bad ones with $*" "$many 0" "$(cat "$ktap_dir/value")"
}

# The records of so many take several reads.
each_of_many_users_is_shown() {
	many=5000
	many_uid=$((uid + 10000))
	start many && tell many 0 rlimit nofile 6000 6000 && tell many $many inotify-users $many_uid $many || return
	for columns_too in '' ,ROOM ,COMMAND; do
		many_users -o "UID,USED$columns_too" || return
	done
	many_users --top 1000000 -o UID,USED || return
	last=$((many_uid + many - 1))
	succeeds -r -n -R inotify_instances -o UID,USED -u $last || return
	expect "the last one" "$last 1" "$(cat "$ktap_dir/out")"
}

only_chosen_columns_are_printed() {
	succeeds -r -o UID,RESOURCE || return
	expect "header" "UID RESOURCE" "$(sed -n 1p "$ktap_dir/out")" || return
	succeeds -r -n -o UID,RESOURCE || return
	expect "columns" 2 "$(awk '{ print NF }' "$ktap_dir/out" | sort -u)"
}

# In a user namespace and in the initial one: a limit of 0, and nothing charged.
disabled_resources_are_listed() {
	inode=$(inode "$sleeper" user)
	old_ipc=$(cat $max_ipc)
	old_inner_ipc=$(nsenter -t "$sleeper" -U -- cat $max_ipc)
	set -- -r -n -o UID,UIDNS,RESOURCE,USED,LIMIT,USE%,FLAGS -R ipc_namespaces -U
	run "$@" "$inode"
	expect "before" '0 ' "$status $(cat "$ktap_dir/out" "$ktap_dir/err")" || return

	nsenter -t "$sleeper" -U -- sh -c "echo 0 >$max_ipc" || return
	succeeds "$@" "$inode" || return
	expect "of all users" "- - ipc_namespaces 0 0 100% disabled" "$(cat "$ktap_dir/out")" || return
	succeeds "$@" "$inode" -u 0 || return
	expect "of root" "0 0 ipc_namespaces 0 0 100% disabled" "$(cat "$ktap_dir/out")" || return
	succeeds "$@" "$inode" -a || return
	expect "with --all" "0 0 ipc_namespaces 0 0 100% disabled" "$(cat "$ktap_dir/out")" || return
	run "$@" "$inode" -u $uid
	expect "of a user without counters" '0 ' "$status $(cat "$ktap_dir/out" "$ktap_dir/err")" || return
	succeeds -J -R ipc_namespaces -U "$inode" || return
	"$here/json_check" -l <"$ktap_dir/out" | sed 's/\t/ /' >"$ktap_dir/leaves" || return
	for leaf in "uid null" "user null" "used 0" "limit 0" "use% 100" "flags disabled"; do
		expect "JSON" 1 "$(grep -cxF "usage[0].$leaf" "$ktap_dir/leaves")" || return
	done
	# Not full: it is 0 on purpose, and nobody uses any.
	run "$@" "$inode" --min-ratio 80%
	expect "as full" '0 ' "$status $(cat "$ktap_dir/out" "$ktap_dir/err")" || return
	succeeds "$@" "$inode" --min-ratio 0 || return
	expect "with a ratio of 0" "- - ipc_namespaces 0 0 100% disabled" "$(cat "$ktap_dir/out")" || return
	nsenter -t "$sleeper" -U -- sh -c "echo $old_inner_ipc >$max_ipc" || return
	# Where some are used, it is.
	nsenter -t "$sleeper" -U -- unshare -i sleep 100000 &
	user=$!
	wait_until runs sleep $user && nsenter -t "$sleeper" -U -- sh -c "echo 0 >$max_ipc" &&
		succeeds "$@" "$inode" --min-ratio 100%
	seen=$?
	kill $user
	nsenter -t "$sleeper" -U -- sh -c "echo $old_inner_ipc >$max_ipc" && [ $seen -eq 0 ] || return
	expect "used, and no more allowed" "0 0 ipc_namespaces 1 0 100% disabled" "$(cat "$ktap_dir/out")" || return

	echo 0 >$max_ipc && succeeds "$@" "$init_userns" || return
	expect "in the initial namespace" "0 disabled" "$(awk '{ print $5, $7 }' "$ktap_dir/out" | sort -u)" || return
	run -n -R ipc_namespaces
	grep -q ' 0  *100% disabled$' "$ktap_dir/out"
}

lost_output_is_an_error() {
	[ -c /dev/full ] || skip "there is no /dev/full" || return
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

# As of other programs, by the signal. The reader starts once the other end of the pipe is closed.
closed_pipe_ends_it_silently() {
	mkfifo "$ktap_dir/pipe" || return
	for arguments in usage "usage -a --output-all" "usage -w 0.01" "usage -J" userns "why $$" --help; do
		rm -f "$ktap_dir/closed"
		{
			wait_until [ -e "$ktap_dir/closed" ]
			status=0
			# shellcheck disable=SC2086 # several words
			"$reader" $arguments 2>"$ktap_dir/err" || status=$?
			echo $status >"$ktap_dir/status"
		} >"$ktap_dir/pipe" &
		exec 7<"$ktap_dir/pipe"
		exec 7<&-
		: >"$ktap_dir/closed"
		wait $!
		expect "status of: $arguments" 141 "$(cat "$ktap_dir/status")" &&
			expect "errors of: $arguments" '' "$(cat "$ktap_dir/err")" || return
	done
}

message_without_root_names_root() {
	cp "$reader" "$ktap_dir/ucountview" && chmod 755 "$ktap_dir" "$ktap_dir/ucountview" || return
	su nobody -s /bin/sh -c true 2>/dev/null || skip "cannot become nobody" || return
	status=0
	su nobody -s /bin/sh -c "$ktap_dir/ucountview" >"$ktap_dir/out" 2>"$ktap_dir/err" || status=$?
	says_why "as nobody" || return
	expect "output as nobody" '' "$(cat "$ktap_dir/out")" || return
	grep -i root "$ktap_dir/err"
}

# Without the device, hidden in a mount namespace of the test's own: the module stays loaded.
message_without_the_device_names_the_module() {
	unshare -m true 2>/dev/null || skip "cannot make a mount namespace" || return
	cp "$reader" "$ktap_dir/ucountview" || return
	status=0
	unshare -m sh -c "mount --make-rprivate / 2>/dev/null; mount -t tmpfs none /dev && exec $ktap_dir/ucountview" \
		>"$ktap_dir/out" 2>"$ktap_dir/err" || status=$?
	says_why "without the device" || return
	expect "output without the device" '' "$(cat "$ktap_dir/out")" || return
	grep -i module "$ktap_dir/err"
}

bad_options_of_mounts_are_refused() {
	skip_without_mounts || return
	succeeds mounts && succeeds mounts --help &&
		refuses mounts --bogus -a -T '-R mounts' frobnicate '-o NOPE' '-o MNTNS,NOPE' '-J -r' '-u nosuchuser' '-U 0' \
			'-U pid:99999999' '-U /proc/self/ns/mnt' '-M 0' '-M 1' '-M 4294967296' '-M pid:' '-M pid:0' '-M pid:99999999' \
			'-M /etc/passwd' '-M /nonexistent' '-M /proc/self/ns/user' '--min-ratio x' '--top 0' &&
		fails mounts -M '' && fails why $$ -R mounts -R nope
}

mounts_selects_a_namespace() {
	skip_without_mounts || return
	inode=$(inode $$ mnt)
	for name in "$inode" pid:$$ /proc/$$/ns/mnt; do
		succeeds mounts -M "$name" -r -n -o MNTNS || return
		expect "mounts -M $name" "$inode" "$(cat "$ktap_dir/out")" || return
	done
	is_json mounts mounts && is_json mounts mounts --output-all && is_json why why $$ -R mounts
}

bad_options_of_watch_are_refused() {
	for command in usage mounts userns; do
		for seconds in 0 -1 x '' 1x nan inf 0.009; do
			fails $command --count 1 -w "$seconds" || return
		done
		refuses_numbers $command -w 0.01 --count || return
		fails $command --count 1 || return
		fails $command -w 0.01 --count 1 -o NOPE || return
	done
	fails why $$ -w 1 && fails why $$ --count 1
}

# In JSON and raw output the column is always there; otherwise only if a namespace has limits.
limits_of_a_namespace_are_shown() {
	inode=$(inode "$sleeper" user)
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
watch_prints_rounds_into_a_pipe() {
	for arguments in usage userns mounts; do
		[ $arguments != mounts ] || mounts_available || continue
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
# Between two rounds the module has no snapshot to keep, and can be unloaded.
watch_leaves_the_device_alone_while_it_waits() {
	for columns in UID,USED UID,ROOM; do
		: >"$ktap_dir/watched"
		"$reader" -w 1000 -r -o $columns >"$ktap_dir/watched" &
		watcher=$!
		wait_until [ -s "$ktap_dir/watched" ] || return
		# shellcheck disable=SC2010 # the names are numbers
		expect "the device, open with $columns" '' "$(ls -l "/proc/$watcher/fd" | grep /dev/ucountview)" || return
		kill "$watcher"
		wait "$watcher"
		watcher=''
	done
}

watch_prints_a_json_document_a_line() {
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

needs_reader
ktap_clean_up_at_exit
# The uts namespace is charged in the user namespace.
start_sleeper -U -u -r

ktap_run help_and_columns_are_printed bad_options_of_usage_and_why_are_refused missing_counters_are_named \
	json_is_valid json_agrees_with_debugfs raw_agrees_with_debugfs namespace_of_a_process_is_found \
	user_namespaces_are_chosen_by_user_and_size fullest_counter_is_first each_of_many_users_is_shown \
	namespace_without_counters_is_found only_chosen_columns_are_printed disabled_resources_are_listed \
	lost_output_is_an_error closed_pipe_ends_it_silently message_without_root_names_root \
	message_without_the_device_names_the_module bad_options_of_mounts_are_refused mounts_selects_a_namespace \
	bad_options_of_watch_are_refused limits_of_a_namespace_are_shown watch_prints_rounds_into_a_pipe \
	watch_leaves_the_device_alone_while_it_waits watch_prints_a_json_document_a_line
