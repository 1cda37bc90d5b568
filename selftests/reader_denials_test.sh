#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir
# ucountview denials shows who was refused what by which limit, exactly as often as it happened: recorded denials,
# new denials and totals. Compared with agents that know what they were refused, and with limits set for them.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/reader.sh"
. "$here/agents.sh"
. "$here/load.sh"

always=/sys/module/ucountview/parameters/denials
was_always=''
kprobes=/sys/kernel/debug/kprobes/enabled
ftrace=/proc/sys/kernel/ftrace_enabled
switched_off=''
# uids that neither people, services nor containers use; a hundred per test, so that no test sees the records of another
uid=1900001000
followers=''
# All of a line but time, counts and IDs, as words that can be compared.
columns=RESOURCE,LEVEL,NS,UID,UIDNS,USED,PENDING,ASKED,LIMIT,USERNS,MNTNS,CHARGED-USERNS,CHARGED-LEVEL
columns=$columns,CHARGED-UID,CALLER-USERNS,CALLER-UID,PID,TID,COMMAND,FLAGS

end_followers() {
	for pid in $followers; do
		kill -TERM "$pid" 2>/dev/null
		kill -CONT "$pid" 2>/dev/null
		wait "$pid"
	done
	followers=''
}

switch_on() {
	for file in $switched_off; do
		echo 1 >"$file"
	done
	switched_off=''
}

# switch_off FILE: fails if the kernel has no such switch, or refuses to switch it off
switch_off() {
	[ "$(cat "$1" 2>/dev/null)" = 1 ] && echo 0 2>/dev/null >"$1" || return
	switched_off="$switched_off $1"
}

after_test() {
	switch_on
	end_followers
	stop_agents
	restore_sysctls
	[ -z "$was_always" ] || echo "$was_always" >$always
	was_always=''
	uid=$((uid + 100))
}

clean_up() {
	after_test
	loaded || load
}

listens() {
	grep -q '^ucountview: listening' "$ktap_dir/$1.err"
}

# follow NAME ARGUMENT...: start a follower whose output is in NAME.lines and NAME.err, and wait until it listens
follow() {
	name=$1
	shift
	: >"$ktap_dir/$name.err"
	"$reader" denials -f "$@" >"$ktap_dir/$name.lines" 2>"$ktap_dir/$name.err" &
	followers="$followers $!"
	echo $! >"$ktap_dir/$name.follower"
	wait_until listens "$name"
}

# ended NAME STATUS: the follower ends by itself with this status and without an error message
ended() {
	pid=$(cat "$ktap_dir/$1.follower")
	status=0
	wait "$pid" || status=$?
	expect "status of $1" "$2" "$status" &&
		expect "lines of errors of $1" 1 "$(lines "$1.err")"
}

end_follower() {
	kill -TERM "$(cat "$ktap_dir/$1.follower")"
	ended "$1" 0
}

# Root of a user namespace for which root of the initial namespace is not charged. Each user in it may have three
# watches, which the agent already has, and no mount namespace.
start_box() {
	start box &&
		tell_number box userns $uid $((uid + 1)) 10 || return
	tell box 0 write /proc/sys/user/max_inotify_watches 3 &&
		tell box 0 write /proc/sys/user/max_mnt_namespaces 0 &&
		tell box 0 inotify 1 &&
		tell box 3 watch 0 "$files" 0 3 || return
	box=$(ask box pid)
	box_userns=$(inode "$box" user)
}

refuse_watch() {
	tell box ENOSPC watch 0 "$files" 3 1
}

refuse_mntns() {
	tell box ENOSPC mntns
}

# The values of $columns for these.
watch_of_box() {
	echo "inotify_watches 1 $box_userns $((uid + 1)) 0 3 - 1 3 $box_userns - $box_userns 1 $((uid + 1)) $box_userns" \
		"$((uid + 1)) $box $box agent -"
}

mntns_of_box() {
	echo "mnt_namespaces 1 $box_userns $((uid + 1)) 0 0 - 1 0 $box_userns - $box_userns 1 $((uid + 1)) $box_userns" \
		"$((uid + 1)) $box $box agent -"
}

# Each line is flushed by itself: no other line follows that would push it out. A follower started in the background
# ignores the terminal's ^C.
following_prints_each_denial_at_once() {
	start_box || return
	mkfifo "$ktap_dir/pipe" && : >"$ktap_dir/pipe.err" || return
	"$reader" denials -f -r -u $((uid + 1)) -o $columns >"$ktap_dir/pipe" 2>"$ktap_dir/pipe.err" &
	followers="$followers $!"
	echo $! >"$ktap_dir/pipe.follower"
	exec 7<"$ktap_dir/pipe"
	wait_until listens pipe &&
		read -r line <&7 &&
		expect "heading" "$(echo $columns | tr , ' ')" "$line" || return
	for refusal in watch mntns watch; do
		refuse_$refusal &&
			read -r line <&7 &&
			expect "line" "$(${refusal}_of_box)" "$line" &&
			kill -INT "$(cat "$ktap_dir/pipe.follower")" || return
	done
	end_follower pipe &&
		expect "what else was printed" '' "$(cat <&7)" || return
	exec 7<&-
}

following_prints_a_table() {
	start_box &&
		follow table -u $((uid + 1)) -R inotify_watches --count 2 || return
	refuse_watch && refuse_watch && ended table 0 || return
	expect "lines" 3 "$(lines table.lines)" || return
	expect "heading" "TIME RESOURCE LEVEL NS UID USED LIMIT PID COMMAND" \
		"$(sed -n 1p "$ktap_dir/table.lines" | tr -s ' ')" || return
	for number in 2 3; do
		line=$(sed -n ${number}p "$ktap_dir/table.lines")
		expect "line without its time" "inotify_watches 1 $box_userns $((uid + 1)) 3 3 $box agent" \
			"$(echo "${line#* }" | tr -s ' ')" || return
		echo "${line%% *}" | grep -E '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}[+-][0-9]{2}:[0-9]{2}$' || return
	done
	# Numbers are aligned below their headings; this uid is longer than usual.
	expect "where columns begin or end" "$(awk 'NR == 1 { print index($0, " RESOURCE"), index($0, " NS ") + 3 }' \
		"$ktap_dir/table.lines")" \
		"$(awk -v ns=" $box_userns " 'NR > 1 { print index($0, " inotify"), index($0, ns) + length(ns) - 1 }' \
			"$ktap_dir/table.lines" | sort -u)"
}

# Each line is a JSON object with every column except that of totals.
following_prints_json_lines() {
	start_box &&
		follow json -J -u $((uid + 1)) --count 3 || return
	refuse_watch && refuse_mntns && refuse_watch && ended json 0 || return
	expect "lines" 3 "$(lines json.lines)" || return
	"$reader" denials -H | awk '$1 != "DENIALS" { print tolower($1) }' | sort >"$ktap_dir/names"
	for refusal in watch mntns watch; do
		IFS= read -r line
		printf '%s\n' "$line" | "$here/json_check" -l >"$ktap_dir/leaves" || return
		cut -f 1 "$ktap_dir/leaves" | sort | diff "$ktap_dir/names" - || return
		seen=''
		for column in $(echo $columns | tr 'A-Z,' 'a-z '); do
			value=$(awk -F '\t' -v name="$column" '$1 == name { print $2 == "null" ? "-" : $2 }' "$ktap_dir/leaves")
			seen="$seen $value"
		done
		expect "values" " $(${refusal}_of_box)" "$seen" || return
	done <"$ktap_dir/json.lines"
}

# recorded ARGUMENT...: the recorded denials of the box, in words that can be compared
recorded() {
	run denials -r -n -o $columns "$@"
	expect "status of: $*" 0 "$status" || return
	grep " $box $box agent " "$ktap_dir/out" >"$ktap_dir/seen"
	return 0
}

# recorded_are REFUSALS ARGUMENT...: exactly these are recorded, in this order
recorded_are() {
	for refusal in $1; do
		"${refusal}_of_box"
	done >"$ktap_dir/expected"
	shift
	recorded "$@" && diff "$ktap_dir/expected" "$ktap_dir/seen"
}

recorded_denials_are_listed() {
	start_box && refuse_watch && recorded_are '' && follow other --count 9 || return
	refuse_watch && refuse_mntns && refuse_mntns && refuse_watch || return
	recorded_are 'watch mntns mntns watch' &&
		recorded_are 'watch watch' -R inotify_watches &&
		recorded_are 'mntns mntns' -R mnt_namespaces &&
		recorded_are 'watch mntns mntns watch' -R mnt_namespaces -R inotify_watches &&
		recorded_are '' -R mounts &&
		recorded_are 'watch mntns mntns watch' -u $((uid + 1)) &&
		recorded_are '' -u $((uid + 2)) &&
		recorded_are 'watch mntns mntns watch' -p "$box" &&
		recorded_are '' -p 1 &&
		recorded_are 'mntns mntns watch' --count 3 -u $((uid + 1)) &&
		recorded_are 'mntns' --count 1 -u $((uid + 1)) -R mnt_namespaces || return
	# Without a listener the record stays as it is.
	end_follower other &&
		refuse_watch &&
		recorded_are 'watch mntns mntns watch' || return

	succeeds denials -u $((uid + 1)) -J &&
		"$here/json_check" -l <"$ktap_dir/out" >"$ktap_dir/leaves" || return
	expect "resources in JSON" "inotify_watches mnt_namespaces mnt_namespaces inotify_watches" \
		"$(awk -F '\t' '$1 ~ /^denials\[[0-3]\]\.resource$/ { print $2 }' "$ktap_dir/leaves" | paste -s -d ' ' -)" &&
		expect "rows in JSON" 4 "$(grep -c '\.seq' "$ktap_dir/leaves")" &&
		expect "steps of SEQ" "1 1 1" "$(awk -F '\t' '
			/\.seq/ { if (last) print $2 - last; last = $2 }' "$ktap_dir/leaves" | paste -s -d ' ' -)"
}

# The user whose counter is full, the one charged first and the caller are three different users. The denial is found
# by each of them and by no other.
# The table shows both, and either number finds the denial. why takes both as well, and of a process that has exited it
# names the command that finds its denials.
refused_thread_is_told_from_its_process() {
	start_box && follow table --count 1 -R inotify_watches && tid=$(ask box by-thread worker) &&
		[ "$tid" -gt 1 ] && refuse_watch && ended table 0 || return
	expect "process and thread" "$box/$tid worker" "$(awk 'END { print $(NF - 1), $NF }' "$ktap_dir/table.lines")" || return
	for number in "$box" "$tid"; do
		succeeds denials -p "$number" -r -n -o PID,TID &&
			expect "found by $number" "$box $tid" "$(cat "$ktap_dir/out")" &&
			succeeds why "$number" -R inotify_watches -r -n -o USERNS,USED &&
			expect "the innermost level of why $number" "$box_userns 3" "$(head -n 1 "$ktap_dir/out")" || return
	done
	gone=$(sh -c 'echo $$')
	fails why "$gone" && grep -q "no such process: $gone, and no denial of it is recorded" "$ktap_dir/err"
}

refusing_and_charged_user_are_told_apart() {
	lower fs.inotify.max_user_watches 2 &&
		start box &&
		tell_number box userns $uid $((uid + 1)) 10 &&
		tell box 0 inotify 1 &&
		tell box 0 uids 5 5 5 &&
		follow other &&
		tell box '2 ENOSPC' watch 0 "$files" 0 3 || return
	box=$(ask box pid)
	box_userns=$(inode "$box" user)
	line="inotify_watches 0 $init_userns $uid $uid 2 - 1 2 $init_userns - $box_userns 1 $((uid + 1)) $box_userns"
	for user in $uid $((uid + 1)) $((uid + 6)); do
		recorded -u "$user" &&
			expect "line by user $user" "$line $((uid + 6)) $box $box agent -" "$(cat "$ktap_dir/seen")" || return
	done
	recorded -u $((uid + 2)) && expect "lines of somebody else" '' "$(cat "$ktap_dir/seen")"
}

# count_of RESOURCE: how often the box was refused it
count_of() {
	run denials --totals -r -n -o RESOURCE,LEVEL,NS,UID,DENIALS
	awk -v limit="$1 1 $box_userns $((uid + 1))" '$1 " " $2 " " $3 " " $4 == limit { print $5 }' "$ktap_dir/out"
}

totals_add_up() {
	start_box && follow other || return
	refuse_mntns && tell box 7 insist 0 "$files/3" 7 && refuse_watch && refuse_mntns || return
	expect "watches" 8 "$(count_of inotify_watches)" &&
		expect "mount namespaces" 2 "$(count_of mnt_namespaces)" || return
	succeeds denials --totals -r -n -u $((uid + 1)) -o DENIALS,RESOURCE &&
		expect "totals of the user" "8 inotify_watches,2 mnt_namespaces" "$(paste -s -d , "$ktap_dir/out")" &&
		succeeds denials --totals -r -n -u $((uid + 1)) -o DENIALS --count 1 &&
		expect "the first" 8 "$(cat "$ktap_dir/out")" &&
		succeeds denials --totals -r -n -u $((uid + 1)) -o DENIALS -R mnt_namespaces &&
		expect "the other" 2 "$(cat "$ktap_dir/out")" &&
		run denials --totals -u $((uid + 2)) &&
		expect "totals of nobody" '' "$(cat "$ktap_dir/out")" || return
	succeeds denials --totals -J -u $((uid + 1)) &&
		"$here/json_check" 'denials[1].denials' <"$ktap_dir/out" >"$ktap_dir/value" &&
		expect "the second in JSON" 2 "$(cat "$ktap_dir/value")" &&
		succeeds denials --totals -r -n -o DENIALS &&
		sort -rn "$ktap_dir/out" | cmp - "$ktap_dir/out"
}

# A mount namespace with more mounts than any other, and its distance to the limit.
start_holder() {
	lower fs.mount-max "$(cat /proc/sys/fs/mount-max)" &&
		start holder &&
		tell holder 0 mntns &&
		tell holder 0 mount tmpfs size=1m "$ktap_dir/mnt" &&
		tell holder 0 mkdir "$ktap_dir/mnt/dir" &&
		tell holder 0 mkdir "$ktap_dir/mnt/tree" &&
		tell holder 0 mkdir "$ktap_dir/mnt/copy" || return
	holder=$(ask holder pid)
	mntns=$(inode "$holder" mnt)
	more=$(($(most_mounts) + 1))
	tell holder $more bind "$ktap_dir/mnt/dir" $more || return
	mounts=$(mounts_of "$mntns")
	# The kernel confirms that exactly one more mount fits.
	lower fs.mount-max $((mounts + 1)) &&
		tell holder 1 bind "$ktap_dir/mnt/tree" 1 &&
		tell holder ENOSPC bind "$ktap_dir/mnt/tree" 1 || return
	mounts=$((mounts + 1))
}

refused_mount_is_shown() {
	skip_without_mounts && start_holder && follow other || return
	tell holder ENOSPC bind "$ktap_dir/mnt/tree" 1 || return
	run denials -r -n -o $columns -R mounts
	line="mounts 0 $mntns 0 0 $mounts 0 1 $mounts $init_userns $mntns $init_userns 0 0 $init_userns 0 $holder $holder"
	expect "line" "$line agent -" "$(grep " $holder $holder " "$ktap_dir/out")" || return
	run denials -r -n -o PID -R inotify_watches -R mnt_namespaces &&
		expect "lines of other resources" '' "$(grep "^$holder\$" "$ktap_dir/out")" || return
	# By unique ID: another namespace may have had the same inode number before.
	run denials -r -n -R mounts -o PID,NSID
	id=$(sed -n "s/^$holder //p" "$ktap_dir/out")
	run denials --totals -r -n -R mounts -o NSID,NS,DENIALS
	expect "sum" "$id $mntns 1" "$(grep "^$id " "$ktap_dir/out")"
}

refused_rlimit_is_shown() {
	has_feature nproc_denials || skip "the module cannot tell of refused forks here" || return
	follow other && start target && target=$(ask target pid) && tell target 0 uids $uid $uid $uid &&
		tell target 0 rlimit nproc 1 1 && tell target EAGAIN fork 1 || return
	run denials -r -n -o $columns -R rlimit_nproc
	line="rlimit_nproc 0 $init_userns $uid $uid 1 - 1 1 $init_userns - $init_userns 0 $uid $init_userns $uid"
	expect "line" "$line $target $target agent -" "$(grep " $target $target " "$ktap_dir/out")" || return
	run denials -r -n -o PID -R inotify_watches -R userns_depth &&
		expect "lines of other resources" '' "$(grep "^$target\$" "$ktap_dir/out")" || return
	run denials --totals -r -n -R rlimit_nproc -u $uid -o UID,NS,DENIALS
	expect "sum" "$uid $init_userns 1" "$(cat "$ktap_dir/out")"
}

# One more user namespace than can be nested.
refused_depth_is_shown() {
	has_feature userns_depth_denials || skip "the module cannot tell of this here" || return
	follow other || return
	set -- true
	nested=0
	while [ $nested -lt 34 ]; do
		set -- unshare -r "$@"
		nested=$((nested + 1))
	done
	"$@" 2>/dev/null &
	deep=$!
	! wait $deep || return
	run denials -r -n -R userns_depth -p $deep -o RESOURCE,LEVEL,UID,USED,ASKED,LIMIT,CHARGED-LEVEL,COMMAND,FLAGS
	expect "line" 'userns_depth 33 0 33 1 33 33 unshare -' "$(cat "$ktap_dir/out")" || return
	run denials -r -n -R pidns_depth -R user_namespaces -p $deep &&
		expect "lines of other resources" '' "$(cat "$ktap_dir/out")"
}

# The tree is three mounts, one with two others on it. Copying it fails while only two more fit.
refused_tree_is_shown_with_its_size() {
	skip_without_mounts && start_holder || return
	command -v nsenter >/dev/null || skip "there is no nsenter" || return
	tree=$ktap_dir/mnt/tree
	lower fs.mount-max $((mounts + 4)) &&
		tell holder 0 mkdir "$tree/1" &&
		tell holder 0 mkdir "$tree/2" &&
		tell holder 1 bind "$tree/1" 1 &&
		tell holder 1 bind "$tree/2" 1 || return
	mounts=$((mounts + 2))
	follow raw -r -n -R mounts -o NS,USED,ASKED,LIMIT --count 1 &&
		follow plain -n -R mounts -o NS,USED,LIMIT --count 1 || return
	nsenter -t "$holder" -m -- mount -o rbind "$tree" "$ktap_dir/mnt/copy" && return 1
	ended raw 0 && ended plain 0 || return
	expect "raw" "$mntns $mounts 3 $((mounts + 2))" "$(cat "$ktap_dir/raw.lines")" &&
		expect "plain" "$mntns $mounts+3 $((mounts + 2))" "$(tr -s ' ' <"$ktap_dir/plain.lines")" || return
	lower fs.mount-max $((mounts + 3)) &&
		nsenter -t "$holder" -m -- mount -o rbind "$tree" "$ktap_dir/mnt/copy"
}

is_stopped() {
	grep -q '^State:.T' "/proc/$1/status"
}

stop_follower() {
	pid=$(cat "$ktap_dir/$1.follower")
	kill -STOP "$pid" && wait_until is_stopped "$pid"
}

# Sent SIGTERM while stopped, the follower still shows what is there when it continues.
continue_to_the_end() {
	pid=$(cat "$ktap_dir/$1.follower")
	kill -TERM "$pid" && kill -CONT "$pid" && wait "$pid"
}

# Lost denials, as reported on standard error, plus shown denials make up all refusals.
lost_denials_are_counted() {
	refused=6000
	start_box &&
		follow slow -n -u $((uid + 1)) -r -o RESOURCE &&
		follow json -J -u $((uid + 1)) &&
		follow nothing -R mnt_namespaces &&
		stop_follower slow && stop_follower json && stop_follower nothing &&
		tell box $refused insist 0 "$files/3" $refused &&
		continue_to_the_end slow && continue_to_the_end json && continue_to_the_end nothing || return
	for name in slow json nothing; do
		lost=$(sed -n 's/^ucountview: \([0-9]*\) denials lost: .*/\1/p' "$ktap_dir/$name.err" |
			awk '{ sum += $1 } END { print sum + 0 }')
		echo "$name: $lost lost"
		eval "lost_of_$name=$lost"
	done
	[ "$lost_of_slow" -gt 0 ] || return
	shown=$(grep -c '^inotify_watches$' "$ktap_dir/slow.lines")
	expect "lost and shown" $refused $((lost_of_slow + shown)) || return
	shown=$(grep -c '"resource": "inotify_watches"' "$ktap_dir/json.lines")
	expect "lost and shown in JSON" $refused $((lost_of_json + shown)) &&
		expect "lost, by JSON" "$lost_of_json" "$(sed 's/.*"lost": \([0-9]*\),.*/\1/' "$ktap_dir/json.lines" |
			awk '{ sum += $1 } END { print sum }')" || return
	expect "lost, whatever is shown" "$lost_of_slow" "$lost_of_nothing" || return
	# Without following, nothing is lost.
	succeeds denials -u $((uid + 1)) -R inotify_watches -r -n -o RESOURCE &&
		expect "recorded" $((refused - lost_of_slow)) "$(lines out)"
}

# Escape sequences, which a terminal would execute.
commands_are_escaped() {
	start_box &&
		follow plain -u $((uid + 1)) --count 1 &&
		follow json -u $((uid + 1)) -J --count 1 &&
		tell box 0 write /proc/self/comm "$(printf 'e\033[1m\\"\377')" || return
	refuse_watch && ended plain 0 && ended json 0 || return
	expect "lines" 2 "$(lines plain.lines)" &&
		expect "escape codes" 0 "$(cat "$ktap_dir/plain.lines" "$ktap_dir/json.lines" | tr -cd '\033\377' | wc -c)" &&
		"$here/json_check" <"$ktap_dir/json.lines"
}

has_ended() {
	! grep -q '^State:.[^Z]' "/proc/$1/status" 2>/dev/null
}

# The read end of the pipe is closed, and no further denial occurs.
following_ends_with_its_pipe() {
	for option in -r -J; do
		mkfifo "$ktap_dir/gone$option" && : >"$ktap_dir/gone.err" || return
		"$reader" denials -f $option >"$ktap_dir/gone$option" 2>"$ktap_dir/gone.err" &
		followers="$followers $!"
		echo $! >"$ktap_dir/gone.follower"
		exec 7<"$ktap_dir/gone$option"
		wait_until listens gone || return
		exec 7<&-
		wait_until has_ended "$(cat "$ktap_dir/gone.follower")" && ended gone 0 || return
	done
}

# ^C
following_ends_on_sigint() {
	: >"$ktap_dir/interrupted.err"
	"$here/foreground" "$reader" denials -f >"$ktap_dir/out" 2>"$ktap_dir/interrupted.err" &
	pid=$!
	wait_until listens interrupted || {
		kill $pid
		return 1
	}
	status=0
	kill -INT $pid && wait $pid || status=$?
	expect "status" 0 "$status" && expect "lines of errors" 1 "$(lines interrupted.err)"
}

lost_lines_are_an_error() {
	[ -c /dev/full ] || skip "there is no /dev/full" || return
	status=0
	"$reader" denials -f >/dev/full 2>"$ktap_dir/err" || status=$?
	expect "status" 1 "$status" && grep 'write error' "$ktap_dir/err" || return
	status=0
	"$reader" denials -f >&- 2>"$ktap_dir/err" || status=$?
	expect "status of a closed one" 1 "$status" && grep 'write error' "$ktap_dir/err"
}

bad_options_of_denials_are_refused() {
	succeeds denials --help && succeeds denials -H &&
		refuses denials frobnicate --bogus -a '-w 1' '-f --totals' '-f -J -r' '-f -o NOPE' '-f frobnicate' '-R nope' \
			'-R mounts -R nope' '-R pids' '-u nosuchuser' '-u -1' &&
		fails denials -R '' && refuses_numbers denials --count && refuses_numbers denials -f --count
}

# With the parameter set, denials are recorded without a listener.
parameter_records_without_a_listener() {
	[ -w $always ] || skip "the module has no parameter denials" || return
	start_box && refuse_watch || return
	was_always=$(cat $always)
	echo Y >$always && refuse_mntns && refuse_watch && echo N >$always && refuse_watch || return
	recorded_are 'mntns watch'
}

# With the current parameters.
reload_as_it_was() {
	parameters=$(cd /sys/module/ucountview/parameters && grep . -- * | sed 's/:/=/')
	# shellcheck disable=SC2086 # several words
	reload $parameters
}

# With nothing recorded and no charge seen.
reload_afresh() {
	[ -n "$module" ] && [ "$(cat $always)" = N ] || skip "the module cannot be loaded anew, or is recording" || return
	reload_as_it_was && return
	loaded && skip "somebody uses the module"
}

# now: local time as the reader prints it, without fractions and zone
now() {
	date +%Y-%m-%dT%H:%M:%S
}

# told_since TEXT BEFORE AFTER: the last run said this on standard error, followed by a time between these two
told_since() {
	since=$(sed -n "s/^ucountview: $1\(.\{19\}\).*/\1/p" "$ktap_dir/err")
	awk -v first="$2" -v since="$since" -v last="$3" 'BEGIN { exit !(first "" <= since "" && since "" <= last "") }' || {
		echo "expected: $1, from $2 to $3; said:"
		cat "$ktap_dir/err"
		return 1
	}
}

# What is refused while recording is off is not in the list, however long that is.
time_when_recording_ended_is_told() {
	skip_without_debugfs || return
	[ -w $always ] && [ "$(status_of denials_armed)" = 0 ] || skip "no parameter denials, or somebody records" || return
	start_box || return
	was_always=$(cat $always)
	echo Y >$always && refuse_mntns || return
	run denials
	! grep 'not recorded' "$ktap_dir/err" || return
	# The reader converts the time, which costs less than these seconds.
	before=$(now)
	sleep 1
	echo N >$always
	sleep 1
	after=$(now)
	refuse_watch || return
	for arguments in denials "denials -p $box" 'denials -R mnt_namespaces --count 1' 'denials --totals'; do
		# shellcheck disable=SC2086 # several words
		run $arguments
		expect "status of: $arguments" 0 "$status" && [ "$(lines out)" -gt 1 ] &&
			told_since 'denials are not recorded since ' "$before" "$after" || return
	done
	recorded_are mntns || return
	run denials -J
	"$here/json_check" <"$ktap_dir/out" && ! grep 'not recorded' "$ktap_dir/err"
}

# The record is empty only in a freshly loaded module.
message_says_nothing_was_recorded() {
	before=$(now)
	sleep 1
	reload_afresh || return
	sleep 1
	after=$(now)
	skip_without_debugfs || return
	expect "since when" 0 "$(status_of denials_since_ns)" || return
	for arguments in denials 'denials -R inotify_watches' 'denials --totals'; do
		# shellcheck disable=SC2086 # several words
		run $arguments
		expect "status of: $arguments" 0 "$status" &&
			expect "output of: $arguments" '' "$(cat "$ktap_dir/out")" &&
			expect "lines of errors of: $arguments" 1 "$(lines err)" &&
			grep 'ucountview denials -f' "$ktap_dir/err" &&
			told_since 'denials were never recorded since the module was loaded, ' "$before" "$after" || return
	done
	run denials -J
	"$here/json_check" <"$ktap_dir/out" || return
	echo Y >$always
	run denials
	echo N >$always
	expect "output while it records" '' "$(cat "$ktap_dir/out")" &&
		expect "lines of errors while it records" 1 "$(lines err)" &&
		! grep 'denials -f' "$ktap_dir/err"
}

# tells TEXT FILE: the file has this message
tells() {
	grep -F "ucountview: $1" "$ktap_dir/$2" || {
		echo "not said: $1"
		cat "$ktap_dir/$2"
		return 1
	}
}

# blind REASON: nothing is being recorded, and every command says so: no output suggests that nothing was refused.
# The module checks its probes only while armed: denials=Y keeps it armed after the follower has ended.
blind() {
	refuse_watch && refuse_mntns || return
	pid=$(cat "$ktap_dir/before.follower")
	status=0
	wait "$pid" || status=$?
	expect "status of who followed before" 1 "$status" &&
		tells "denials are not recorded: $1" before.err &&
		expect "what it has shown" inotify_watches "$(cat "$ktap_dir/before.lines")" || return
	fails denials -f && tells "denials are not recorded: $1" err || return
	for arguments in denials 'denials -R mnt_namespaces' 'denials --totals'; do
		# shellcheck disable=SC2086 # several words
		run $arguments
		expect "status of: $arguments" 0 "$status" &&
			expect "lines of errors of: $arguments" 1 "$(lines err)" &&
			tells 'denials are not recorded since ' err && grep -F ": $1" "$ktap_dir/err" || return
	done
	run denials -u $((uid + 1)) -r -n -o RESOURCE
	expect "recorded" inotify_watches "$(cat "$ktap_dir/out")"
}

# denials_are_missed_while_off FILE REASON
denials_are_missed_while_off() {
	off=$1
	[ -w $always ] && [ -r "$debugfs/status" ] && [ -e "$off" ] ||
		skip "there is no switch, or no parameter denials" || return
	start_box || return
	was_always=$(cat $always)
	echo Y >$always
	follow before -r -n -u $((uid + 1)) -o RESOURCE && refuse_watch || return
	switch_off "$off" || skip "the kernel does not let go of $off" || return
	grep -q '^denials_state: blind' "$debugfs/status" || skip "kprobes do not depend on $off" || return
	blind "$2" || return
	switch_on
	run denials
	tells 'denials are missing: kprobes were disabled' err || return
	refuse_mntns && recorded_are 'watch mntns'
}

message_says_kprobes_are_off() {
	denials_are_missed_while_off $kprobes "kprobes are disabled (write 1 to $kprobes)"
}

message_says_ftrace_is_off() {
	denials_are_missed_while_off $ftrace "ftrace is disabled (write 1 to $ftrace)"
}

# After a reload no charge has been seen, and no other task makes this one.
message_says_what_is_not_verified() {
	reload_afresh || return
	echo Y >$always
	run denials -R uts_namespaces
	echo N >$always
	tells 'no denials since recording began; not verified for uts_namespaces' err || return
	echo Y >$always
	unshare -u true
	run denials -R uts_namespaces
	echo N >$always
	expect "what is said" 'ucountview: no denials since recording began' "$(cat "$ktap_dir/err")"
}

needs_reader
"$reader" denials >"$ktap_dir/out" 2>&1 || ktap_skip_all "$(cat "$ktap_dir/out")"
ktap_clean_up_at_exit
module=$(find_module)
mkdir "$ktap_dir/mnt" && make_files 4 || exit

# Otherwise each test would report the earlier interruption.
if [ "$(status_of denials_interruptions)" -gt 0 ] 2>/dev/null && ! reload_as_it_was >/dev/null; then
	loaded || load
	echo "# there were interruptions before, and the module cannot be loaded anew"
fi
ktap_run bad_options_of_denials_are_refused following_prints_each_denial_at_once following_prints_a_table \
	following_prints_json_lines recorded_denials_are_listed refused_thread_is_told_from_its_process \
	refusing_and_charged_user_are_told_apart totals_add_up refused_mount_is_shown \
	refused_tree_is_shown_with_its_size refused_rlimit_is_shown refused_depth_is_shown \
	lost_denials_are_counted commands_are_escaped parameter_records_without_a_listener following_ends_with_its_pipe \
	following_ends_on_sigint lost_lines_are_an_error message_says_nothing_was_recorded \
	time_when_recording_ended_is_told \
	message_says_what_is_not_verified message_says_kprobes_are_off message_says_ftrace_is_off
