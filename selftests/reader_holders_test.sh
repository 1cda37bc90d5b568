#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir
# ucountview holders, and the holders in ucountview why, compared with agents that know what they hold.
#
# Environment: UCOUNTVIEW, the reader (default: the one on PATH, or the one built in this repository).

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/find.sh"
. "$here/agents.sh"
. "$here/reader.sh"

# uids that neither people, services nor containers use; a hundred per test
uid=1900100000

clean_up() {
	stop_agents
	restore_sysctls
	rm -rf "$ktap_dir"
}

# tells STORY: run a story and clean up the agents and sysctls that it leaves
tells() {
	told=0
	uid=$((uid + 100))
	"$1" || told=$?
	stop_agents
	restore_sysctls
	return $told
}

# starts_with NAME UID WATCHES: start an agent of this user with this many watches
starts_with() {
	start "$1" && tell "$1" 0 uid "$2" && tell "$1" 0 inotify && tell "$1" "$3" watch "$files" 0 "$3"
}

# makes_another NAME WATCHES: the agent makes another instance and keeps the first
makes_another() {
	tell "$1" 0 inotify && tell "$1" "$2" watch "$files" 0 "$2"
}

# shows WHAT LINES ARGUMENT...: holders prints these lines, in raw format without headings
shows() {
	what=$1
	lines=$2
	shift 2
	succeeds holders -r -n "$@" || return
	expect "$what" "$lines" "$(cat "$ktap_dir/out")"
}

refuses_what_makes_no_sense() {
	fails holders --by nobody && fails holders -p 0 && fails holders -R uts_namespaces && fails holders -R none &&
		fails holders --min-ratio 1 && fails holders -J -r && fails holders extra && fails holders -u no-such-user
}

story_of_an_editor() {
	starts_with editor $uid 4 && starts_with indexer $uid 9 && makes_another indexer 2 || return
	shows "by process" "$agent_indexer story_agent inotify $init_userns 0 $uid 2 11 0
$agent_editor story_agent inotify $init_userns 0 $uid 1 4 0" \
		-u $uid -o PID,COMMAND,KIND,USERNS,LEVEL,UID,GROUPS,MARKS,SHARED || return
	shows "by user" "inotify $uid 3 15 2" -u $uid --by user -o KIND,UID,GROUPS,MARKS,PROCESSES || return
	shows "the first" "$agent_indexer 11" -u $uid --top 1 -o PID,MARKS || return
	shows "one process" "$agent_editor 4" -p "$agent_editor" -o PID,MARKS || return
	run holders -n -p "$agent_editor" -R fanotify_marks
	expect "another resource" '0 ' "$status $(cat "$ktap_dir/out" "$ktap_dir/err")"
}

the_editor_is_named() {
	tells story_of_an_editor
}

# The agent stays outside with its descriptors; its child inside shares them.
story_of_a_shared_instance() {
	start outside && tell outside 0 inotify && tell outside 3 watch "$files" 0 3 || return
	inside=$(ask outside userns $uid $uid 10) || return
	shows "its process" "$agent_outside 0 1 3 1" -p "$agent_outside" -o PID,UID,GROUPS,MARKS,SHARED || return
	shows "the other one" "$inside 0 1 3 1" -p "$inside" -o PID,UID,GROUPS,MARKS,SHARED || return
	shows "by user" "1 3 2" -p "$inside" --by user -o GROUPS,MARKS,PROCESSES || return
	succeeds holders -r -n -p "$inside" --by group -o MARKS,HOLDERS || return
	# sorted by pid: the child's is the smaller one if pids have wrapped around
	holders=$(printf '%s:N\n' "$agent_outside" "$inside" | sort -n | paste -s -d , -)
	expect "by group" "3 $holders" "$(sed 's/:[0-9]*/:N/g' "$ktap_dir/out")"
}

a_shared_instance_is_one() {
	tells story_of_a_shared_instance
}

story_of_an_instance_in_flight() {
	starts_with sender $uid 5 && tell sender 0 post || return
	shows "in flight" "- inotify 1 5 unattributed" -u $uid -o PID,KIND,GROUPS,MARKS,FLAGS &&
		shows "by group" "- inotify 5 unattributed" -u $uid --by group -o PID,KIND,MARKS,FLAGS &&
		shows "by user" "inotify 1 5 0 unattributed" -u $uid --by user -o KIND,GROUPS,MARKS,PROCESSES,FLAGS ||
		return
	tell sender 0 inotify && tell sender 2 watch "$files" 0 2 || return
	shows "one of two" "- 1 5 unattributed
$agent_sender 1 2 -" -u $uid -o PID,GROUPS,MARKS,FLAGS
}

what_nobody_holds_is_shown() {
	tells story_of_an_instance_in_flight
}

story_of_json() {
	starts_with editor $uid 4 || return
	succeeds holders -J -u $uid || return
	"$here/json_check" -l <"$ktap_dir/out" | sed 's/\t/ /' >"$ktap_dir/leaves"
	for leaf in "pid $agent_editor" "command story_agent" "kind inotify" "userns $init_userns" "level 0" "uid $uid" \
		"groups 1" "marks 4" "shared 0" "flags null"; do
		grep -qxF "holders[0].$leaf" "$ktap_dir/leaves" || {
			echo "not there: $leaf"
			cat "$ktap_dir/leaves"
			return 1
		}
	done
	! grep -F 'holders[1]' "$ktap_dir/leaves"
}

json_has_it_all() {
	tells story_of_json
}

# All of a limit: what several processes hold is listed once, for the first.
story_of_a_full_limit() {
	starts_with editor $uid 4 && starts_with indexer $uid 9 && makes_another indexer 2 || return
	lower fs.inotify.max_user_watches 15
	succeeds why "$agent_editor" -R inotify_watches || return
	expect "holders" "Held: 11 by story_agent ($agent_indexer), 4 by story_agent ($agent_editor)." \
		"$(sed -n 's/^ *\(Held:.*\)/\1/p' "$ktap_dir/out")"
}

why_names_them() {
	tells story_of_a_full_limit
}

parameter=/sys/module/ucountview/parameters/max_snapshot_kib

set_room() {
	echo "$1" >"$parameter"
}

# One user's copies of its descriptors do not hide other users' holders.
story_of_a_flood() {
	starts_with flood $uid 3 && tell flood 100000 copy 100000 && tell flood 70 children 70 || return
	starts_with victim $((uid + 1)) 4 || return
	lower fs.inotify.max_user_watches 4
	set_room 4096
	succeeds why "$agent_victim" -R inotify_watches || return
	expect "holder" "Held: 4 by story_agent ($agent_victim)." \
		"$(sed -n 's/^ *\(Held:.*\)/\1/p' "$ktap_dir/out")" || return
	shows "the victim" "$agent_victim 4 1" -u $((uid + 1)) -o PID,MARKS,FDS || return
	shows "by user" "71 1 3 more_holders" -u $uid --by user -o PROCESSES,GROUPS,MARKS,FLAGS || return
	succeeds holders -r -n -u $uid --by group -o HOLDERS || return
	expect "by group" "$agent_flood:N*100001 +7" \
		"$(sed 's/:[0-9]*/:N/; s/,.*,/ /' "$ktap_dir/out")" || return
	run holders -r -n -u $uid -o PID
	expect "processes that are listed" "0 64" "$status $(lines out)" || return
	expect "said of the others" "ucountview: 7 or more processes hold the same and are not listed: of each group, 64 are" \
		"$(cat "$ktap_dir/err")" || return
	run audit
	expect "audit" 0 "$status" || return
	run leaks -s 0.1 -- true
	expect "leaks" 0 "$status"
}

copies_hide_nobody() {
	result=0
	tells story_of_a_flood || result=$?
	set_room 65536
	return $result
}

# The smallest max_snapshot_kib at which why answers at all is too small for the holders.
story_of_too_many_holders() {
	starts_with editor $uid 4 || return
	lower fs.inotify.max_user_watches 4
	room=0
	status=1
	while [ $status != 0 ] && [ $room -lt 1024 ]; do
		room=$((room + 4))
		set_room $room
		run why "$agent_editor" -R inotify_watches
	done
	expect "why" 0 "$status" || return
	expect "holders" "Held: unknown, as the holders are more than the module may read:" \
		"$(sed -n 's/^ *\(Held:.*\)/\1/p' "$ktap_dir/out")" || return
	grep -qx 'inotify_watches: 4 of 4 used by uid .*' "$ktap_dir/out"
}

why_answers_without_holders() {
	result=0
	tells story_of_too_many_holders || result=$?
	set_room 65536
	return $result
}

[ "$(id -u)" = 0 ] || ktap_skip_all "needs root"
loaded || ktap_skip_all "the module is not loaded"
reader=$(find_reader)
[ -n "$reader" ] || ktap_skip_all "there is no reader"
grep -qw groups "$debugfs/status" || ktap_skip_all "this kernel's groups cannot be walked"

trap clean_up EXIT
trap 'exit 143' HUP INT TERM
init_userns=$(inode $$ user)
files=$ktap_dir/files
mkdir "$files" || exit
for number in 0 1 2 3 4 5 6 7 8; do
	: >"$files/$number"
done
chmod -R a+rX "$ktap_dir" || exit

ktap_begin 8
ktap_test refuses_what_makes_no_sense
ktap_test the_editor_is_named
ktap_test a_shared_instance_is_one
ktap_test what_nobody_holds_is_shown
ktap_test json_has_it_all
ktap_test why_names_them
ktap_test copies_hide_nobody
ktap_test why_answers_without_holders
ktap_end
