#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir, reader.sh the rest
# The use cases of ucountview: "No space left on device" although there is plenty. In each a system call is refused. One
# command must name the counter, the level at which it is full, the error and the setting. The command that it prints,
# run unchanged, must make the same call succeed.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/reader.sh"
. "$here/agents.sh"

# uids that neither people, services nor containers use
uid=1900000300

after_test() {
	stop_agents
	restore_sysctls
}

clean_up() {
	after_test
}

# shows WORD...: the first row of the table in the file out begins with these words
shows() {
	seen=$(awk -v nr=$# '
		NR > 1 && (last ~ /^RESOURCE / || last ~ /^ *MNTNS /) {
			for (i = 1; i <= nr; i++)
				printf("%s%s", i > 1 ? " " : "", $i)
			exit
		}
		{ last = $0 }' "$ktap_dir/out")
	expect "the first line of the table" "$*" "$seen"
}

# read_json ARGUMENT...: the JSON output as lines "path, tab, value" in the file leaves
read_json() {
	succeeds "$@" -J || return
	"$here/json_check" -l <"$ktap_dir/out" >"$ktap_dir/leaves"
}

# json_row COLUMN=VALUE...: the path of the first row with all of these values
json_row() {
	awk -F '\t' -v wanted="$*" '
		BEGIN { nr = split(wanted, each, " ") }
		{
			row = $1
			sub(/\.[^.]*$/, "", row)
			name = substr($1, length(row) + 2)
			for (i = 1; i <= nr; i++)
				if (each[i] == name "=" $2 && ++hits[row] == nr) {
					print row
					exit
				}
		}' "$ktap_dir/leaves"
}

# json_has COLUMN=VALUE... -- COLUMN VALUE: the row with these values has VALUE in COLUMN
json_has() {
	row=''
	while [ "$1" != -- ]; do
		row="$row $1"
		shift
	done
	# shellcheck disable=SC2086 # several words
	at=$(json_row $row)
	expect "$2 of the row with$row" "$3" "$(awk -F '\t' -v path="$at.$2" '$1 == path { print $2 }' "$ktap_dir/leaves")"
}

# The command that the text in the file out recommends.
printed_fix() {
	sed -n 's/^  To double the limit: //p' "$ktap_dir/out"
}

# Runs the printed command unchanged.
run_fix() {
	fix=$(printed_fix)
	echo "as it says: $fix"
	sh -c "$fix"
}

# The user may have 16 watches and the editor holds four: another agent of the same user gets twelve.
edit_and_watch() {
	lower fs.inotify.max_user_watches 16 &&
		start editor &&
		tell editor 0 uids $uid $uid $uid &&
		tell editor 0 inotify 1 &&
		tell editor 4 watch 0 "$files" 0 4 &&
		start watcher || return
	if [ "$1" = nested ]; then
		tell_number watcher userns $uid $((uid + 1)) 10 || return
	else
		tell watcher 0 uids $uid $uid $uid || return
	fi
	tell watcher 0 inotify 1 &&
		tell watcher '12 ENOSPC' watch 0 "$files" 0 16
}

explains_the_watches() {
	watcher=$(ask watcher pid)
	succeeds why "$watcher" || return
	says "inotify_watches: 16 of 16 used by uid $uid in the initial user namespace $init_userns." &&
		says '  When it is reached, inotify_add_watch() fails with ENOSPC (No space left on device).' &&
		expect "the command" 'sysctl -w fs.inotify.max_user_watches=32' "$(printed_fix)" || return
	cp "$ktap_dir/out" "$ktap_dir/text"
	read_json why "$watcher" || return
	set -- resource=inotify_watches level=0
	json_has "$@" -- uid $uid &&
		json_has "$@" -- userns "$init_userns" &&
		json_has "$@" -- used 16 &&
		json_has "$@" -- limit 16 &&
		json_has "$@" -- 'use%' 100 &&
		json_has "$@" -- binds true &&
		json_has "$@" -- syscall inotify_add_watch &&
		json_has "$@" -- errno ENOSPC &&
		json_has "$@" -- setting fs.inotify.max_user_watches &&
		json_has "$@" -- fix 'sysctl -w fs.inotify.max_user_watches=32' || return
	cp "$ktap_dir/text" "$ktap_dir/out"
}

the_watch_succeeds() {
	tell watcher ENOSPC watch 0 "$files" 12 4 &&
		run_fix &&
		tell watcher 4 watch 0 "$files" 12 4
}

why_explains_refused_watches() {
	edit_and_watch here && explains_the_watches || return
	shows inotify_watches 0 "$init_userns" $uid 16 16 100% - &&
		the_watch_succeeds
}

why_explains_refused_watches_in_a_user_namespace() {
	edit_and_watch nested && explains_the_watches || return
	inner=$(inode "$watcher" user)
	shows inotify_watches 1 "$inner" $((uid + 1)) 12 unlimited - - || return
	cp "$ktap_dir/out" "$ktap_dir/text"
	read_json why "$watcher" || return
	set -- resource=inotify_watches level=1
	json_has "$@" -- userns "$inner" &&
		json_has "$@" -- used 12 &&
		json_has "$@" -- limit null &&
		json_has "$@" -- binds false &&
		json_has "$@" -- setting user.max_inotify_watches &&
		json_has "$@" -- fix null || return
	cp "$ktap_dir/text" "$ktap_dir/out"
	the_watch_succeeds
}

# When both levels are full, the inner one refuses. The commands printed for both are needed.
why_explains_two_full_levels() {
	command -v nsenter >/dev/null || skip "there is no nsenter" || return
	edit_and_watch nested &&
		tell watcher 0 write /proc/sys/user/max_inotify_watches 12 || return
	watcher=$(ask watcher pid)
	inner=$(inode "$watcher" user)
	succeeds why "$watcher" -R inotify_watches &&
		shows inotify_watches 1 "$inner" $((uid + 1)) 12 12 100% yes &&
		expect "lines that bind" 1 "$(grep -c ' yes$' "$ktap_dir/out")" || return
	expect "the commands" "nsenter -t $watcher -U -- sysctl -w user.max_inotify_watches=24
sysctl -w fs.inotify.max_user_watches=32" "$(printed_fix)" || return
	for line in 1 2; do
		tell watcher ENOSPC watch 0 "$files" 12 4 || return
		sh -c "$(printed_fix | sed -n ${line}p)" || return
	done
	tell watcher 4 watch 0 "$files" 12 4
}

# A container with more mounts than any other mount namespace, and directories for one more mount.
fill_container() {
	lower fs.mount-max "$(cat /proc/sys/fs/mount-max)" &&
		start container &&
		tell container 0 mntns &&
		tell container 0 mount tmpfs size=1m "$ktap_dir/container" || return
	for dir in lower upper work merged; do
		tell container 0 mkdir "$ktap_dir/container/$dir" || return
	done
	container=$(ask container pid)
	mntns=$(inode "$container" mnt)
	more=$(($(most_mounts) + 1))
	tell container $more bind "$ktap_dir/container/lower" $more || return
	mounts=$(mounts_of "$mntns")
	overlay="lowerdir=$ktap_dir/container/lower,upperdir=$ktap_dir/container/upper,workdir=$ktap_dir/container/work"
}

why_and_mounts_explain_refused_mounts() {
	skip_without_mounts || return
	modprobe overlay 2>/dev/null
	grep -qw overlay /proc/filesystems || skip "there is no overlayfs" || return
	fill_container || return
	# The kernel confirms the number: at a limit of one more a mount succeeds, at this limit it is refused.
	lower fs.mount-max $((mounts + 1)) &&
		tell container 0 mount overlay "$overlay" "$ktap_dir/container/merged" &&
		tell container 1 unbind "$ktap_dir/container/merged" 1 &&
		lower fs.mount-max "$mounts" &&
		tell container ENOSPC mount overlay "$overlay" "$ktap_dir/container/merged" || return

	succeeds mounts &&
		shows "$mntns" "$init_userns" root "$mounts" 0 "$mounts" 100% "$container" agent || return
	read_json mounts || return
	set -- mntns="$mntns"
	expect "the first of mounts" 'mounts[0]' "$(json_row "$@")" &&
		json_has "$@" -- mounts "$mounts" &&
		json_has "$@" -- limit "$mounts" &&
		json_has "$@" -- 'use%' 100 || return

	read_json why "$container" -R mounts || return
	set -- resource=mounts mntns="$mntns"
	json_has "$@" -- used "$mounts" &&
		json_has "$@" -- syscall mount &&
		json_has "$@" -- errno ENOSPC &&
		json_has "$@" -- setting fs.mount-max || return
	succeeds why "$container" -R mounts &&
		says "mounts: $mounts of $mounts used in mount namespace $mntns." &&
		says '  When it is reached, mount() fails with ENOSPC (No space left on device).' &&
		expect "the command" "sysctl -w fs.mount-max=$((2 * mounts))" "$(printed_fix)" &&
		run_fix &&
		tell container 0 mount overlay "$overlay" "$ktap_dir/container/merged"
}

why_explains_refused_marks() {
	[ -e /proc/sys/fs/fanotify/max_user_marks ] || skip "the kernel does not count fanotify marks" || return
	lower fs.fanotify.max_user_marks 5 &&
		start scanner &&
		tell scanner 0 keep-caps &&
		tell scanner 0 uids $uid $uid $uid &&
		tell scanner 0 fanotify 0 &&
		tell scanner '5 ENOSPC' mark 0 "$files" 0 6 || return
	scanner=$(ask scanner pid)

	read_json why "$scanner" || return
	set -- resource=fanotify_marks level=0
	json_has "$@" -- uid $uid &&
		json_has "$@" -- used 5 &&
		json_has "$@" -- limit 5 &&
		json_has "$@" -- syscall fanotify_mark &&
		json_has "$@" -- errno ENOSPC &&
		json_has "$@" -- setting fs.fanotify.max_user_marks || return
	succeeds why "$scanner" &&
		shows fanotify_marks 0 "$init_userns" $uid 5 5 100% - &&
		says "fanotify_marks: 5 of 5 used by uid $uid in the initial user namespace $init_userns." &&
		says '  When it is reached, fanotify_mark() fails with ENOSPC (No space left on device).' &&
		expect "the command" 'sysctl -w fs.fanotify.max_user_marks=10' "$(printed_fix)" || return
	if grep -v max_queued_events "$ktap_dir/out" | grep 'fs\.inotify\|user\.max_inotify'; then
		echo "that is about inotify"
		return 1
	fi
	run_fix && tell scanner 1 mark 0 "$files" 5 1
}

# nest_userns LEVELS_MORE: each level is owned by uid 10 of the one above, whose uids from 100 on are its uids from 0 on
nest_userns() {
	levels=$1
	while [ "$levels" -gt 0 ]; do
		levels=$((levels - 1))
		range=$((range - 100))
		tell_number nest userns 10 100 $range || return
	done
}

# Five levels. In the third, root limits each user to three watches, which the agent in the fifth has used up.
nest() {
	range=2000
	start nest || return
	tell_number nest userns $uid $((uid + 100)) $range || return
	nest_userns 2 || return
	third=$(ask nest pid)
	tell nest 0 write /proc/sys/user/max_inotify_watches 3 &&
		nest_userns 2 &&
		tell nest 0 inotify 1 || return
	fifth=$(ask nest pid)
	third_userns=$(inode "$third" user)
	# Root of the third is uid + 100 + 100 + 100 in the initial namespace; uid 10 of the third made the fourth.
	third_uid=$((uid + 310))
}

why_explains_a_limit_of_a_nested_namespace() {
	command -v nsenter >/dev/null || skip "there is no nsenter" || return
	before=$(cat /proc/sys/user/max_inotify_watches)
	nest &&
		tell nest '3 ENOSPC' watch 0 "$files" 0 4 || return
	succeeds why "$fifth" -R inotify_watches || return
	says "inotify_watches: 3 of 3 used by uid $third_uid in user namespace $third_userns." &&
		says '  When it is reached, inotify_add_watch() fails with ENOSPC (No space left on device).' &&
		expect "the command" "nsenter -t $third -U -- sysctl -w user.max_inotify_watches=6" "$(printed_fix)" &&
		expect "levels that bind" "3 $third_userns $third_uid 3 3 100%" \
			"$(awk '$NF == "yes" { print $2, $3, $4, $5, $6, $7 }' "$ktap_dir/out")" || return
	cp "$ktap_dir/out" "$ktap_dir/text"
	fix=$(printed_fix)
	read_json why "$fifth" || return
	set -- resource=inotify_watches level=3
	json_has "$@" -- userns "$third_userns" &&
		json_has "$@" -- uid "$third_uid" &&
		json_has "$@" -- used 3 &&
		json_has "$@" -- limit 3 &&
		json_has "$@" -- binds true &&
		json_has "$@" -- setting user.max_inotify_watches &&
		json_has "$@" -- fix "$fix" || return
	for level in 0 1 2 4 5; do
		json_has resource=inotify_watches level=$level -- binds false || return
	done
	read_json userns &&
		json_has userns="$third_userns" -- limits inotify_watches=3 &&
		json_has level=0 -- limits null || return

	cp "$ktap_dir/text" "$ktap_dir/out"
	tell nest ENOSPC watch 0 "$files" 3 1 &&
		run_fix &&
		tell nest 1 watch 0 "$files" 3 1 || return
	read_json userns &&
		json_has userns="$third_userns" -- limits inotify_watches=6 &&
		expect "the limit outside" "$before" "$(cat /proc/sys/user/max_inotify_watches)"
}

# Rows of JSON as lines of words, formatted like the raw output.
json_rows() {
	"$here/json_check" -l <"$1" >"$ktap_dir/leaves" || return
	awk -F '\t' '
		{
			row = $1
			sub(/\.[^.]*$/, "", row)
			if (NR > 1)
				printf("%s", row == last ? " " : "\n")
			last = row
			value = $2
			gsub(/ /, "\\x20", value)
			printf("%s", value == "null" || value == "false" ? "-" : value == "true" ? "yes" : value)
		}
		END { print "" }' "$ktap_dir/leaves"
}

# Replaces what JSON has no words for.
raw_rows() {
	awk '
		{
			for (i = 1; i <= NF; i++) {
				if ($i == "unlimited")
					$i = "-"
				if ($i ~ /^[0-9]+%$/)
					sub(/%/, "", $i)
			}
			print
		}' "$1"
}

# Drops what other processes change between two runs, and the lines of all users, which say that a limit is 0: debugfs
# has none.
unchanging() {
	grep -vE -e '(^| )(rlimit_[a-z]+|descriptors|open_files|pids|threads|pid_numbers) ' -e ' - [a-z_]* 0 0$'
}

# same_numbers FUNCTION ARGUMENT...: JSON, raw and FUNCTION agree, between two identical readings of FUNCTION
same_numbers() {
	by_debugfs=$1
	shift
	tries=0
	while [ $tries -lt 50 ]; do
		tries=$((tries + 1))
		$by_debugfs | sort >"$ktap_dir/before"
		succeeds "$@" -J || return
		cp "$ktap_dir/out" "$ktap_dir/json"
		succeeds "$@" -r -n || return
		cp "$ktap_dir/out" "$ktap_dir/raw"
		$by_debugfs | sort >"$ktap_dir/after"
		cmp -s "$ktap_dir/before" "$ktap_dir/after" || continue
		json_rows "$ktap_dir/json" | unchanging | sort >"$ktap_dir/by_json"
		raw_rows "$ktap_dir/raw" | unchanging | sort >"$ktap_dir/by_raw"
		[ -s "$ktap_dir/before" ] &&
			diff "$ktap_dir/before" "$ktap_dir/by_json" &&
			diff "$ktap_dir/before" "$ktap_dir/by_raw"
		return
	done
	skip "the system is too busy to compare"
}

# same_rows ARGUMENT...: with all columns, JSON has the same rows as raw
same_rows() {
	tries=0
	while [ $tries -lt 50 ]; do
		tries=$((tries + 1))
		for file in raw again; do
			succeeds "$@" --output-all -r -n || return
			raw_rows "$ktap_dir/out" | unchanging >"$ktap_dir/$file"
			[ $file = again ] || succeeds "$@" --output-all -J || return
			[ $file = again ] || cp "$ktap_dir/out" "$ktap_dir/json"
		done
		cmp -s "$ktap_dir/raw" "$ktap_dir/again" || continue
		json_rows "$ktap_dir/json" | unchanging >"$ktap_dir/by_json"
		[ -s "$ktap_dir/raw" ] && diff "$ktap_dir/raw" "$ktap_dir/by_json"
		return
	done
	skip "the system is too busy to compare"
}

debugfs_usage() {
	awk 'NR > 1 { print $1, $2, $3, $4, $5, $6 ~ /^[0-9]/ ? $6 : "-" }' "$debugfs/ucounts" | unchanging
}

debugfs_userns() {
	awk 'NR > 1 { print $1, $2, $3, $4, $5, $6 }' "$debugfs/userns"
}

debugfs_mounts() {
	awk 'NR > 1 { print $1, $2, $3, $4, $5, $6, $7 }' "$debugfs/mounts"
}

# The namespaces and users that the process in the nest is charged to.
debugfs_chain() {
	"$reader" why "$fifth" -r -n -R inotify_watches -o USERNS,UID >"$ktap_dir/chain"
	debugfs_usage | awk '
		NR == FNR { charged[$1 " " $2] = 1; next }
		($1 " " $3) in charged { print }' "$ktap_dir/chain" -
}

# Between two identical readings of debugfs, as the namespaces of the last story may still be being freed.
why_in_use() {
	tries=0
	while [ $tries -lt 50 ]; do
		tries=$((tries + 1))
		debugfs_chain | sort >"$ktap_dir/by_debugfs"
		succeeds why "$fifth" -r -n -o USERNS,LEVEL,UID,RESOURCE,USED,LIMIT || return
		debugfs_chain | sort >"$ktap_dir/after"
		cmp -s "$ktap_dir/by_debugfs" "$ktap_dir/after" || continue
		raw_rows "$ktap_dir/out" | unchanging | awk '$5 > 0 && $4 != "mounts" && $4 !~ /_depth$/' |
			sort >"$ktap_dir/by_why"
		[ -s "$ktap_dir/by_why" ] && diff "$ktap_dir/by_debugfs" "$ktap_dir/by_why"
		return
	done
	skip "the system is too busy to compare"
}

json_raw_and_debugfs_have_the_same_numbers() {
	[ -r "$debugfs/ucounts" ] || skip "debugfs cannot be read" || return
	nest && tell nest 2 watch 0 "$files" 0 2 || return
	same_numbers debugfs_usage usage -o USERNS,LEVEL,UID,RESOURCE,USED,LIMIT &&
		same_numbers debugfs_userns userns -o USERNS,PARENT,LEVEL,OWNER,ROWS,PID &&
		same_rows usage &&
		same_rows userns &&
		same_rows why "$fifth" &&
		why_in_use || return
	mounts_available || return 0
	same_numbers debugfs_mounts mounts -o MNTNS,USERNS,UID,MOUNTS,PENDING,LIMIT,PID &&
		same_rows mounts
}

help_names_the_commands_for_enospc() {
	succeeds --help || return
	grep -A 3 'No space left on device' "$ktap_dir/out" >"$ktap_dir/hint" || {
		cat "$ktap_dir/out"
		return 1
	}
	cat "$ktap_dir/hint"
	for command in 'why <pid>' mounts 'denials -f'; do
		grep -q "^ ucountview $command " "$ktap_dir/hint" || return
	done
}

needs_reader
ktap_clean_up_at_exit
mkdir "$ktap_dir/container" && make_files 16 || exit

ktap_run why_explains_refused_watches why_explains_refused_watches_in_a_user_namespace why_explains_two_full_levels \
	why_and_mounts_explain_refused_mounts why_explains_refused_marks why_explains_a_limit_of_a_nested_namespace \
	json_raw_and_debugfs_have_the_same_numbers help_names_the_commands_for_enospc
