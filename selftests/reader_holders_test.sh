#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir
# ucountview holders, and the holders in ucountview why, compared with agents that know what they hold.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/reader.sh"
. "$here/agents.sh"

# uids that neither people, services nor containers use; a hundred per test
uid=1900100000

after_test() {
	stop_agents
	restore_sysctls
	[ -z "$old_room" ] || set_room "$old_room"
	uid=$((uid + 100))
}

clean_up() {
	after_test
}

# starts_as NAME COMMAND UID WATCHES: start an agent of this user as this command with this many watches
starts_as() {
	start "$1" && tell "$1" 0 write /proc/self/comm "$2" && tell "$1" 0 uids "$3" "$3" "$3" &&
		tell "$1" 0 inotify 1 && tell "$1" "$4" watch 0 "$files" 0 "$4"
}

# starts_with NAME UID WATCHES: start an agent of this user with this many watches
starts_with() {
	starts_as "$1" agent "$2" "$3"
}

# makes_another NAME WATCHES: the agent makes a second instance
makes_another() {
	tell "$1" 1 inotify 1 && tell "$1" "$2" watch 1 "$files" 0 "$2"
}

# shows WHAT LINES ARGUMENT...: holders prints these lines, in raw format without headings
shows() {
	what=$1
	lines=$2
	shift 2
	succeeds holders -r -n "$@" || return
	expect "$what" "$lines" "$(cat "$ktap_dir/out")"
}

bad_options_of_holders_are_refused() {
	refuses holders '--by nobody' '-p 0' '-R rlimit_nproc' '-R none' '--min-ratio 1' '-J -r' extra '-u no-such-user'
}

holders_are_listed_by_process_and_user() {
	starts_with editor $uid 4 && starts_with indexer $uid 9 && makes_another indexer 2 || return
	editor=$(ask editor pid)
	indexer=$(ask indexer pid)
	shows "by process" "$indexer agent inotify $init_userns 0 $uid 2 11 0
$editor agent inotify $init_userns 0 $uid 1 4 0" \
		-u $uid -o PID,COMMAND,KIND,USERNS,LEVEL,UID,GROUPS,MARKS,SHARED || return
	shows "by user" "inotify $uid 3 15 2" -u $uid --by user -o KIND,UID,GROUPS,MARKS,PROCESSES || return
	shows "the first" "$indexer 11" -u $uid --top 1 -o PID,MARKS || return
	shows "one process" "$editor 4" -p "$editor" -o PID,MARKS || return
	set -- '0 '
	[ -e /proc/sys/fs/fanotify/max_user_marks ] || set -- '1 ucountview: fanotify_marks: this kernel has no such counter'
	run holders -n -p "$editor" -R fanotify_marks
	expect "another resource" "$1" "$status $(cat "$ktap_dir/out" "$ktap_dir/err")"
}

# Of two namespaces and two users; each group counts once, whichever processes of the command share it.
holders_are_listed_by_command() {
	for each in first second; do
		starts_as $each inotifywait $uid 4 || return
	done
	makes_another second 2 && tell_number first fork 3 && starts_as bar bar $uid 5 || return
	bar=$(ask bar pid)
	first=$(ask first pid)
	set -- --by command -o COMMAND,KIND,PROCESSES,GROUPS,MARKS,SHARED -u $uid
	shows "by command" "inotifywait inotify 5 3 10 0
bar inotify 1 1 5 0" "$@" || return
	shows "the first" "inotifywait 10" --by command -u $uid --top 1 -o COMMAND,MARKS || return
	shows "of a process" "inotifywait 4 1 4" --by command -p "$first" -o COMMAND,PROCESSES,GROUPS,MARKS || return
	shows "users" "bar - - - - $bar" --by command -p "$bar" -o COMMAND,USERNS,LEVEL,UID,USER,PID || return

	starts_as other bar $((uid + 1)) 3 && tell bar 0 launch 0 && makes_another bar 1 || return
	shows "in flight" "inotifywait inotify 5 3 10 0
- inotify 0 1 5 0
bar inotify 1 1 1 0" "$@" || return
	succeeds holders --by command -r -n -o COMMAND,MARKS,PROCESSES || return
	expect "two users" "bar 4 2" "$(grep '^bar ' "$ktap_dir/out")" || return
	succeeds holders --by command -u $uid || return
	grep -q '^unattributed  *inotify  *0  *1  *5 ' "$ktap_dir/out"
}

# The agent stays outside with its descriptors; its child inside shares them.
shared_instance_is_counted_once() {
	start outside && tell outside 0 inotify 1 && tell outside 3 watch 0 "$files" 0 3 || return
	outside=$(ask outside pid)
	inside=$(ask outside userns $uid $uid 10) || return
	shows "its process" "$outside 0 1 3 1" -p "$outside" -o PID,UID,GROUPS,MARKS,SHARED || return
	shows "the other one" "$inside 0 1 3 1" -p "$inside" -o PID,UID,GROUPS,MARKS,SHARED || return
	shows "by user" "1 3 2" -p "$inside" --by user -o GROUPS,MARKS,PROCESSES || return
	succeeds holders -r -n -p "$inside" --by group -o MARKS,HOLDERS || return
	# sorted by pid: the child's is the smaller one if pids have wrapped around
	holders=$(printf '%s:N\n' "$outside" "$inside" | sort -n | paste -s -d , -)
	expect "by group" "3 $holders" "$(sed 's/:[0-9]*/:N/g' "$ktap_dir/out")"
}

instance_in_flight_is_unattributed() {
	starts_with sender $uid 5 && tell sender 0 launch 0 || return
	shows "in flight" "- inotify 1 5 unattributed" -u $uid -o PID,KIND,GROUPS,MARKS,FLAGS &&
		shows "by group" "- inotify 5 unattributed" -u $uid --by group -o PID,KIND,MARKS,FLAGS &&
		shows "by user" "inotify 1 5 0 unattributed" -u $uid --by user -o KIND,GROUPS,MARKS,PROCESSES,FLAGS ||
		return
	makes_another sender 2 || return
	shows "one of two" "- 1 5 unattributed
$(ask sender pid) 1 2 -" -u $uid -o PID,GROUPS,MARKS,FLAGS
}

# A uid and a number of marks as long as they usually are: in 80 columns.
unattributed_line_is_narrow() {
	starts_with sender 61000 5 && tell sender 0 launch 0 && makes_another sender 2 || return
	for by in process group user; do
		succeeds holders -u 61000 --by $by || return
		grep unattributed "$ktap_dir/out" || return
		expect "longest line --by $by" '' "$(awk 'length > 80' "$ktap_dir/out")" || return
	done
	succeeds holders -u 61000 || return
	expect "its line" "- unattributed inotify $init_userns 0 61000 1 5 0" \
		"$(awk '$1 == "-" { $7 = ""; print }' "$ktap_dir/out" | tr -s ' ')" || return
	succeeds holders -u 61000 -o +FLAGS || return
	expect "with FLAGS" "- unattributed" "$(awk '$1 == "-" { print $2, $NF }' "$ktap_dir/out")"
}

json_has_each_column() {
	starts_with editor $uid 4 || return
	editor=$(ask editor pid)
	succeeds holders -J -u $uid || return
	"$here/json_check" -l <"$ktap_dir/out" | sed 's/\t/ /' >"$ktap_dir/leaves"
	for leaf in "pid $editor" "command agent" "kind inotify" "userns $init_userns" "level 0" "uid $uid" \
		"groups 1" "marks 4" "shared 0" "flags null"; do
		grep -qxF "holders[0].$leaf" "$ktap_dir/leaves" || {
			echo "not there: $leaf"
			cat "$ktap_dir/leaves"
			return 1
		}
	done
	! grep -F 'holders[1]' "$ktap_dir/leaves"
}

# All of a limit: what several processes hold is listed once, for the first.
why_names_holders() {
	starts_as editor editor $uid 4 && starts_as indexer indexer $uid 9 && makes_another indexer 2 || return
	editor=$(ask editor pid)
	indexer=$(ask indexer pid)
	lower fs.inotify.max_user_watches 15
	succeeds why "$editor" -R inotify_watches || return
	says "  Held: 11 by indexer ($indexer), 4 by editor ($editor)."
}

why_names_holders_by_command() {
	for each in first second third; do
		starts_as $each inotifywait $uid 2 || return
	done
	starts_as bar bar $uid 5 || return
	bar=$(ask bar pid)
	lower fs.inotify.max_user_watches 11
	succeeds why "$bar" -R inotify_watches || return
	says "  Held: 6 by inotifywait (3 processes), 5 by bar ($bar)." || return

	lower fs.inotify.max_user_watches 16
	starts_as foo foo $uid 3 && starts_as baz baz $uid 1 && starts_as qux qux $uid 1 || return
	succeeds why "$bar" -R inotify_watches || return
	more="and 2 more by 2 other commands"
	says "  Held: 6 by inotifywait (3 processes), 5 by bar ($bar), 3 by foo ($(ask foo pid)), $more."
}

why_names_what_no_process_has_open() {
	starts_with sender $uid 5 && tell sender 0 launch 0 || return
	sender=$(ask sender pid)
	lower fs.inotify.max_user_watches 5
	succeeds why "$sender" -R inotify_watches || return
	says "  Held: 5 that no process has open." || return

	lower fs.inotify.max_user_watches 13
	makes_another sender 8 || return
	succeeds why "$sender" -R inotify_watches || return
	says "  Held: 8 by agent ($sender), 5 that no process has open."
}

set_room() {
	echo "$1" >/sys/module/ucountview/parameters/max_snapshot_kib
}

# One user's copies of its descriptors do not hide other users' holders.
copies_do_not_hide_other_holders() {
	starts_with flood $uid 3 && tell flood 100000 copy 0 100000 && tell_number flood fork 70 || return
	starts_with victim $((uid + 1)) 4 || return
	flood=$(ask flood pid)
	victim=$(ask victim pid)
	lower fs.inotify.max_user_watches 4
	set_room 4096
	succeeds why "$victim" -R inotify_watches || return
	says "  Held: 4 by agent ($victim)." || return
	shows "the victim" "$victim 4 1" -u $((uid + 1)) -o PID,MARKS,FDS || return
	shows "by user" "71 1 3 more_holders" -u $uid --by user -o PROCESSES,GROUPS,MARKS,FLAGS || return
	succeeds holders -r -n -u $uid --by group -o HOLDERS || return
	expect "by group" "$flood:N*100001 +7" \
		"$(sed 's/:[0-9]*/:N/; s/,.*,/ /' "$ktap_dir/out")" || return
	run holders -r -n -u $uid -o PID
	expect "processes that are listed" "0 64" "$status $(lines out)" || return
	expect "said of the others" "ucountview: at least 7 holders are missing: at most 64 per group are listed" \
		"$(cat "$ktap_dir/err")" || return
	run audit
	expect "audit" 0 "$status" || return
	run leaks -s 0.1 -- true
	expect "leaks" 0 "$status"
}

# The smallest max_snapshot_kib at which why answers at all is too small for the holders.
why_answers_without_room_for_holders() {
	starts_with editor $uid 4 || return
	editor=$(ask editor pid)
	lower fs.inotify.max_user_watches 4
	room=0
	status=1
	while [ $status != 0 ] && [ $room -lt 1024 ]; do
		room=$((room + 4))
		set_room $room
		run why "$editor" -R inotify_watches
	done
	expect "why" 0 "$status" || return
	expect "holders" "Held: unknown, because the holders exceed the module's limit:" \
		"$(sed -n 's/^ *\(Held:.*\)/\1/p' "$ktap_dir/out")" || return
	grep -qx 'inotify_watches: 4 of 4 used by uid .*' "$ktap_dir/out"
}

needs_reader
has_feature groups || ktap_skip_all "this kernel's groups cannot be walked"
old_room=$(cat /sys/module/ucountview/parameters/max_snapshot_kib)
ktap_clean_up_at_exit
make_files 9

ktap_run bad_options_of_holders_are_refused holders_are_listed_by_process_and_user \
	holders_are_listed_by_command shared_instance_is_counted_once \
	instance_in_flight_is_unattributed unattributed_line_is_narrow json_has_each_column why_names_holders why_names_holders_by_command \
	why_names_what_no_process_has_open copies_do_not_hide_other_holders \
	why_answers_without_room_for_holders
