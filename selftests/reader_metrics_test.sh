#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir, reader.sh the rest
# ucountview metrics writes what agents are known to be charged and refused, in both formats, and by default little of a
# lot. A file that it replaces is whole at any time, and stays as it was if it cannot be replaced.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/reader.sh"
. "$here/agents.sh"
. "$here/cgroups.sh"

always=/sys/module/ucountview/parameters/denials
was_always=''
# uids that neither people, services nor containers use; a hundred per test
uid=1900002000
sleeper=''
base=''

after_test() {
	exec 9<&-
	stop_agents
	remove_cgroups
	restore_sysctls
	[ -z "$was_always" ] || echo "$was_always" >$always
	was_always=''
	[ -z "$sleeper" ] || kill "$sleeper"
	sleeper=''
	[ -z "$base" ] || umount -l "$base"
	base=''
	uid=$((uid + 100))
}

clean_up() {
	after_test
}

# start_box: an agent that is root of a user namespace where each user may have three watches, and has them
start_box() {
	start box && tell_number box userns $uid $((uid + 1)) 10 || return
	tell box 0 write /proc/sys/user/max_inotify_watches 3 &&
		tell box 0 inotify 1 &&
		tell box 3 watch 0 "$files" 0 3 || return
	box_userns=$(inode "$(ask box pid)" user)
	box_user="userns=\"$box_userns\",level=\"1\",uid=\"$((uid + 1))\""
}

record() {
	has_feature denials || skip "the module cannot record denials here" || return
	was_always=${was_always:-$(cat $always)}
	echo "$1" >$always
}

# has LINE...: the file out has each of these lines once
has() {
	for line; do
		expect "lines $line" 1 "$(grep -cxF -e "$line" "$ktap_dir/out")" || return
	done
}

refuse_watch() {
	tell box ENOSPC watch 0 "$files" 3 1
}

# count PATTERN: the number of lines of the file out that match
count() {
	grep -c -e "$1" "$ktap_dir/out"
}

# value SAMPLE: its value in the file out; nothing if it is not there
value() {
	sample=$1 awk 'substr($0, 1, length(ENVIRON["sample"]) + 1) == ENVIRON["sample"] " " { print $NF }' "$ktap_dir/out"
}

counters_and_limits_are_those_of_the_workload() {
	start_box && succeeds metrics || return
	has "ucountview_usage{$box_user,resource=\"inotify_watches\"} 3" \
		"ucountview_limit{$box_user,resource=\"inotify_watches\"} 3" \
		"ucountview_userns_info{userns=\"$box_userns\",level=\"1\",owner=\"$uid\",command=\"agent\"} 1" &&
		succeeds metrics --all || return
	owner="userns=\"$init_userns\",level=\"0\",uid=\"$uid\""
	has "ucountview_usage{$owner,resource=\"inotify_watches\"} 3" \
		"ucountview_usage{$owner,resource=\"user_namespaces\"} 1" \
		"ucountview_limit{$owner,resource=\"user_namespaces\"} $(cat /proc/sys/user/max_user_namespaces)" \
		"ucountview_limit{$owner,resource=\"inotify_instances\"} $(cat /proc/sys/fs/inotify/max_user_instances)" \
		"ucountview_usage{$box_user,resource=\"inotify_instances\"} 1" \
		"ucountview_limit{$box_user,resource=\"inotify_instances\"} +Inf"
}

memory_is_in_bytes() {
	has_feature rlimits || skip "this kernel has no counters of resource limits" || return
	start target && tell target 0 uids $uid $uid $uid && tell target 0 lock 5 && succeeds metrics --all || return
	labels="userns=\"$init_userns\",level=\"0\",uid=\"$uid\",resource=\"rlimit_memlock\""
	has "ucountview_usage_bytes{$labels} $((5 * $(getconf PAGESIZE 2>/dev/null || echo 4096)))" &&
		expect "limits of what each process limits" 0 "$(count '^ucountview_limit{.*rlimit_')"
}

mounts_are_those_of_each_namespace() {
	skip_without_mounts || return
	start target && tell target 0 unshare-mounts || return
	mntns=$(inode "$(ask target pid)" mnt)
	tell target 30 bind "$files" 30 && succeeds metrics --all || return
	expect "mounts" "$(mounts_of "$mntns")" "$(value "ucountview_mounts{mntns=\"$mntns\"}")" &&
		has "ucountview_mounts_pending{mntns=\"$mntns\"} 0" \
			"ucountview_mounts_limit{mntns=\"$mntns\"} $(cat /proc/sys/fs/mount-max)" \
			"ucountview_mntns_info{mntns=\"$mntns\",userns=\"$init_userns\",uid=\"0\",command=\"agent\"} 1" || return
	expect "namespaces" "$("$here/mounts_probe" records | wc -l)" "$(value 'ucountview_found{kind="mount_namespaces"}')"
}

# Each run of a service with mounts of its own would be a new series.
mount_namespace_of_the_reader_alone_is_left_out() {
	skip_without_mounts || return
	own="stat -L -c %i /proc/self/ns/mnt >$ktap_dir/own"
	unshare -m sh -c "$own && exec '$reader' metrics --all" >"$ktap_dir/out" || return
	expect "own" 0 "$(count "^ucountview_mounts{mntns=\"$(cat "$ktap_dir/own")\"}")" &&
		expect "left out" 0 "$(value 'ucountview_left_out{kind="mount_namespaces"}')" || return
	unshare -m sh -c "$own && '$reader' metrics --all; true" >"$ktap_dir/out" || return
	expect "that of a shell, too" 1 "$(count "^ucountview_mounts{mntns=\"$(cat "$ktap_dir/own")\"}")"
}

# refused SAMPLE: how many denials this has counted so far. Numbers of namespaces are reused, so an earlier run of this
# test may have counted under the same labels.
refused() {
	"$reader" metrics --all >"$ktap_dir/out" || return
	refused=$(value "$1")
	echo "${refused:-0}"
}

denials_are_counted_by_limit() {
	record Y && start_box && tell box 0 write /proc/sys/user/max_mnt_namespaces 0 && succeeds metrics || return
	before=$(value ucountview_denials_total)
	watches="ucountview_limit_denials_total{$box_user,resource=\"inotify_watches\"}"
	mntns="ucountview_limit_denials_total{$box_user,resource=\"mnt_namespaces\"}"
	old_watches=$(refused "$watches")
	old_mntns=$(refused "$mntns")
	refuse_watch && refuse_watch && refuse_watch && refuse_watch && tell box ENOSPC mntns || return
	succeeds metrics --top 2 --min-ratio 2 || return
	has 'ucountview_recording 1' \
		"$watches $((old_watches + 4))" "$mntns $((old_mntns + 1))" \
		"ucountview_usage{$box_user,resource=\"mnt_namespaces\"} 0" \
		"ucountview_limit{$box_user,resource=\"mnt_namespaces\"} 0" &&
		expect "all denials" $((before + 5)) "$(value ucountview_denials_total)" || return
	last=$(value "ucountview_limit_last_denial_timestamp_seconds{$box_user,resource=\"mnt_namespaces\"}")
	expect "it was before the module was loaded" "" \
		"$([ "$last" -ge "$(value ucountview_module_load_timestamp_seconds)" ] || echo "$last")" || return
	record N && succeeds metrics && has 'ucountview_recording 0'
}

# The last ones are listed: that of the mount namespace is the first.
denials_are_bounded() {
	record Y && start_box && tell box 0 write /proc/sys/user/max_mnt_namespaces 0 || return
	watches="ucountview_limit_denials_total{$box_user,resource=\"inotify_watches\"}"
	mntns="ucountview_limit_denials_total{$box_user,resource=\"mnt_namespaces\"}"
	old_watches=$(refused "$watches")
	old_mntns=$(refused "$mntns")
	tell box ENOSPC mntns && refuse_watch && succeeds metrics --top 1 || return
	expect "listed" 1 "$(count ^ucountview_limit_denials_total)" &&
		has "$watches $((old_watches + 1))" &&
		expect "left out" $(($(value 'ucountview_found{kind="refusing_limits"}') - 1)) \
			"$(value 'ucountview_left_out{kind="refusing_limits"}')" || return
	succeeds metrics --all &&
		has "$mntns $((old_mntns + 1))" "ucountview_left_out{kind=\"refusing_limits\"} 0"
}

refused_mounts_are_counted() {
	has_feature mount_denials || skip "the module cannot tell of refused mounts here" || return
	record Y && mkdir "$ktap_dir/base" && base=$ktap_dir/base && mount -t tmpfs tmpfs "$base" || return
	mount --make-private "$base" && start target && tell target 0 unshare-mounts || return
	mntns=$(inode "$(ask target pid)" mnt)
	more=$(($(most_mounts) + 1))
	tell target $more bind "$base" $more || return
	lower fs.mount-max "$(mounts_of "$mntns")"
	old=$(refused "ucountview_mount_denials_total{mntns=\"$mntns\"}")
	tell target ENOSPC bind "$base" 1 && tell target ENOSPC bind "$base" 1 || return
	# It is listed although it is not the fullest any more.
	limit=$(($(mounts_of "$mntns") * 2))
	lower fs.mount-max $limit
	start fuller && tell fuller 0 unshare-mounts && tell fuller $((more + 10)) bind "$base" $((more + 10)) || return
	fuller=$(inode "$(ask fuller pid)" mnt)
	succeeds metrics --top 1 --min-ratio 2 || return
	has "ucountview_mounts{mntns=\"$fuller\"} $(mounts_of "$fuller")" \
		"ucountview_mount_denials_total{mntns=\"$mntns\"} $((old + 2))" \
		"ucountview_mounts{mntns=\"$mntns\"} $(mounts_of "$mntns")" \
		"ucountview_mounts_limit{mntns=\"$mntns\"} $limit"
}

# It would find cgroups that it has not made.
make_units() {
	! systemd_runs || skip "systemd manages the cgroups here" || return
	cgroup2 || return
	unit=ucv-$uid.service
	user=user.slice/user-$uid.slice/user@$uid.service
}

# starts_in CGROUP NAME WATCHES: start an agent with an inotify instance that has so many watches
starts_in() {
	start "$2" && tell "$2" 0 inotify 1 && tell "$2" "$3" watch 0 "$files" 0 "$3" && joins "$2" "$1"
}

# held MANAGER UNIT CONTAINER: how many inotify instances and watches it holds, as the file out has it
held() {
	for resource in inotify_instances inotify_watches; do
		value "ucountview_held{manager=\"$1\",unit=\"$2\",container=\"$3\",resource=\"$resource\"}"
	done | paste -s -d ' ' -
}

# sum PATTERN RESOURCE: of the values in the file out of samples of the resource that begin so
sum() {
	sed -n "s/^$1.*resource=\"$2\"} //p" "$ktap_dir/out" | awk '{ sum += $1 } END { print sum + 0 }'
}

holders_are_those_of_units_and_containers() {
	make_units && starts_in "system.slice/$unit" one 3 || return
	# A child shares the instance.
	tell_number one userns $uid $uid 10 && starts_in "system.slice/$unit/sub" two 1 && tell two 1 inotify 1 || return
	starts_in 'lxc/w"\b' web 2 && succeeds metrics --all || return
	expect "of the unit" "3 4" "$(held '' "$unit" '')" &&
		expect "of the container" "1 2" "$(held '' '' 'w\"\\b')" || return
	# An instance that both hold counts for both.
	joins one "lxc/other-$uid" && succeeds metrics --all || return
	expect "the same, shared" "3 4" "$(held '' "$unit" '')" && expect "of the other" "1 3" "$(held '' '' "other-$uid")"
}

# The system's, and those of two users. A user manager can have cgroups of one name in several slices.
units_of_the_same_name_are_told_apart() {
	make_units && starts_in "system.slice/$unit" one 1 && starts_in "$user/app.slice/$unit" two 2 &&
		starts_in "$user/background.slice/$unit" three 3 &&
		starts_in "user.slice/user-1.slice/user@1.service/app.slice/$unit" four 4 && succeeds metrics --all || return
	expect "the system's" "1 1" "$(held '' "$unit" '')" &&
		expect "the user's" "2 5" "$(held "user@$uid.service" "$unit" '')" &&
		expect "another user's" "1 4" "$(held user@1.service "$unit" '')" &&
		expect "series" 6 "$(count "^ucountview_held{.*unit=\"$unit\"")"
}

# The first name has a byte, the second one what is written for it. Two series of the same labels would be an error.
containers_whose_names_are_written_alike_are_added_up() {
	make_units && starts_in "lxc/$(printf 'a\377')" one 1 && starts_in 'lxc/a\xff' two 2 &&
		succeeds metrics --all || return
	is_sound _total && expect "both" "2 3" "$(held '' '' 'a\\xff')"
}

fanotify_groups_are_held_as_well() {
	[ -e /proc/sys/fs/fanotify/max_user_marks ] || skip "the kernel does not count fanotify marks" || return
	make_units && start one && tell one 0 fanotify 0 && tell one 3 mark 0 "$files" 0 3 && joins one "system.slice/$unit" &&
		succeeds metrics --all || return
	labels="manager=\"\",unit=\"$unit\",container=\"\""
	has "ucountview_held{$labels,resource=\"fanotify_groups\"} 1" \
		"ucountview_held{$labels,resource=\"fanotify_marks\"} 3"
}

# What is in flight between two processes is charged, and not open. A user namespace is charged at two levels.
holders_and_the_rest_are_what_is_charged() {
	start_box && start sender && tell sender 0 inotify 1 && tell sender 5 watch 0 "$files" 0 5 || return
	succeeds metrics --all || return
	instances=$(value 'ucountview_unattributed{resource="inotify_instances"}')
	watches=$(value 'ucountview_unattributed{resource="inotify_watches"}')
	tell sender 0 launch 0 && succeeds metrics --all || return
	has "ucountview_unattributed{resource=\"inotify_instances\"} $((instances + 1))" \
		"ucountview_unattributed{resource=\"inotify_watches\"} $((watches + 5))" || return
	for resource in inotify_instances inotify_watches; do
		charged=$(sum 'ucountview_usage{.*level="0"' $resource)
		expect "$resource" "$charged" \
			$(($(sum ucountview_held $resource) + $(sum ucountview_unattributed $resource))) || return
	done
}

# listed_units: how many have metrics, besides the processes that are in none
listed_units() {
	grep '^ucountview_held' "$ktap_dir/out" | grep -vF 'unit="",container=""' | sed 's/,resource=.*//' | sort -u |
		awk 'END { print NR }'
}

# Names of units are chosen by users. The largest share of the instances, or of the watches, decides.
units_are_bounded() {
	make_units && starts_in "system.slice/watches-$unit" watches 5 && starts_in "system.slice/instances-$unit" instances 0 &&
		tell instances 1 inotify 29 && start none && tell none 0 inotify 1 || return
	number=0
	while [ $number -lt 23 ]; do
		starts_in "system.slice/$number-$unit" "small$number" 1 || return
		number=$((number + 1))
	done
	succeeds metrics --all && expect "all" 25 "$(listed_units)" &&
		has 'ucountview_found{kind="units"} 25' 'ucountview_left_out{kind="units"} 0' &&
		expect "without watches" "30 0" "$(held '' "instances-$unit" '')" || return
	succeeds metrics --min-ratio 2 && expect "by default" 20 "$(listed_units)" &&
		has 'ucountview_left_out{kind="units"} 5' || return
	succeeds metrics --top 2 || return
	expect "the largest two" 2 "$(listed_units)" && expect "watches" "1 5" "$(held '' "watches-$unit" '')" &&
		expect "instances" "30 0" "$(held '' "instances-$unit" '')" &&
		has 'ucountview_left_out{kind="units"} 23' || return
	none=$(held '' '' '')
	expect "of no unit" "$none" "$(echo "$none" | grep '^[1-9]')"
}

holders_are_left_out_where_they_are_not_wanted() {
	start_box && succeeds metrics --all || return
	expect "with holders" 1 "$(count '^ucountview_unattributed{resource="inotify_watches"}')" || return
	succeeds metrics --all --no-holders || return
	expect "without" 0 "$(count '^ucountview_\(held\|unattributed\)')" &&
		expect "kind" 0 "$(count 'kind="units"')" &&
		has "ucountview_usage{$box_user,resource=\"inotify_watches\"} 3" || return
	# Here, PIDs are other ones.
	unshare -p -f "$reader" metrics --all >"$ktap_dir/out" || return
	expect "in a PID namespace" 0 "$(count '^ucountview_\(held\|unattributed\)')" &&
		has "ucountview_usage{$box_user,resource=\"inotify_watches\"} 3"
}

# Those in use; where denials were recorded, what refused is listed as well.
listed_counters() {
	count '^ucountview_usage\(_bytes\)\?{.*} [^0]'
}

# of_many METRIC VALUE: how many of the users have this metric of their instances
of_many() {
	count "^$1{userns=\"$init_userns\",level=\"0\",uid=\"$((uid / 100))[0-9]*\",resource=\"inotify_instances\"} $2\$"
}

output_is_bounded() {
	start_box && start many && tell many 60 inotify-users $((uid + 20)) 60 || return
	succeeds metrics --all || return
	expect "of many users" 61 "$(of_many ucountview_usage 1)" || return
	all=$(listed_counters)
	has "ucountview_found{kind=\"counters\"} $all" 'ucountview_left_out{kind="counters"} 0' || return
	succeeds metrics --top 3 --min-ratio 2 || return
	expect "the fullest" 3 "$(listed_counters)" &&
		has "ucountview_left_out{kind=\"counters\"} $(($(value 'ucountview_found{kind="counters"}') - 3))" \
			"ucountview_usage{$box_user,resource=\"inotify_watches\"} 3" || return
	succeeds metrics --min-ratio 2 && expect "by default" 20 "$(listed_counters)" || return
	# What is full is listed in any case.
	lower fs.inotify.max_user_instances 1
	succeeds metrics --top 1 && expect "full ones" 61 "$(of_many ucountview_limit 1)"
}

labels_are_escaped() {
	skip_without_mounts || return
	mkfifo "$ktap_dir/wait"
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare -m sh -c \
		'printf "a\"b\\\\c\nd\033\377\302\233" >/proc/$$/comm && exec 3<>"$1" && read -r end <&3' named "$ktap_dir/wait" &
	sleeper=$!
	wait_until grep -q '^d' "/proc/$sleeper/comm" || return
	mntns=$(inode "$sleeper" mnt)
	for format in '' --openmetrics; do
		# shellcheck disable=SC2086 # nothing, or a word
		succeeds metrics --all $format || return
		expect "the label" 'command="a\"b\\c\nd\\x1b\\xff\\xc2\\x9b"} 1' \
			"$(sed -n "s/^ucountview_mntns_info{mntns=\"$mntns\",.*\(command=\)/\1/p" "$ktap_dir/out")" || return
	done
}

# is_sound SUFFIX: in the file out, each family has one block: HELP, TYPE, perhaps UNIT, and samples of that name only,
# which differ in their labels. In headings, names of counters have the suffix.
is_sound() {
	suffix=$1 awk '
		function bad(what) { print "line " NR ": " what ": " $0; failed = 1 }
		$1 == "#" && $2 == "EOF" { if (seen_end++) bad("second end"); next }
		seen_end { bad("after the end") }
		$1 == "#" && $2 == "HELP" {
			if ($3 in families || NF < 4) bad("family")
			families[$3]
			family = $3
			type = ""
			next
		}
		$1 == "#" && $2 == "TYPE" {
			if ($3 != family || type) bad("type")
			type = $4
			if (type == "counter") {
				if (ENVIRON["suffix"] && family !~ /_total$/) bad("no _total")
				if (!ENVIRON["suffix"] && family ~ /_total$/) bad("_total")
			} else if (type == "info" ? ENVIRON["suffix"] : type != "gauge") bad("type")
			next
		}
		$1 == "#" && $2 == "UNIT" {
			if ($3 != family || substr(family, length(family) - length($4)) != "_" $4) bad("unit")
			next
		}
		/^#/ { bad("comment") }
		{
			name = $1
			sub(/\{.*/, "", name)
			wanted = family
			if (!ENVIRON["suffix"] && type == "counter") wanted = family "_total"
			if (!ENVIRON["suffix"] && type == "info") wanted = family "_info"
			if (name != wanted) bad("not of the family")
			if ($0 !~ /^[a-z_]+(\{[a-z]+="([^"\\]|\\["\\n])*"(,[a-z]+="([^"\\]|\\["\\n])*")*\})? (-?[0-9]+(\.[0-9]+)?|\+Inf)$/)
				bad("sample")
			series = $0
			sub(/ [^ ]*$/, "", series)
			if (series in all) bad("repeated")
			all[series]
		}
		END { if (!NR) { print "empty"; failed = 1 } exit failed }' "$ktap_dir/out"
}

# The samples of the file out, without their values.
series() {
	sed -n '/^#/d; s/ [^ ]*$//p' "$ktap_dir/out"
}

both_formats_are_sound() {
	record Y && start_box && refuse_watch || return
	succeeds metrics --all && is_sound _total &&
		expect "ends" 0 "$(count '^# EOF')" && expect "units" 0 "$(count '^# UNIT')" || return
	series >"$ktap_dir/prometheus"
	succeeds metrics --all --openmetrics && is_sound '' && expect "end" '# EOF' "$(tail -n 1 "$ktap_dir/out")" &&
		has '# TYPE ucountview_denials counter' '# TYPE ucountview_module info' \
			'# UNIT ucountview_snapshot_hold_max_seconds seconds' || return
	# The same samples, in the same order.
	series | diff "$ktap_dir/prometheus" -
}

# files_of DIRECTORY
files_of() {
	find "$1" -type f | wc -l
}

file_is_replaced() {
	mkdir "$ktap_dir/new" && echo old >"$ktap_dir/new/a.prom" && chmod 600 "$ktap_dir/new/a.prom" || return
	run metrics --openmetrics --write "$ktap_dir/new/a.prom"
	expect "status" 0 "$status" && expect "output" '' "$(cat "$ktap_dir/out" "$ktap_dir/err")" &&
		expect "mode" 644 "$(stat -c %a "$ktap_dir/new/a.prom")" &&
		expect "end" '# EOF' "$(tail -n 1 "$ktap_dir/new/a.prom")" &&
		expect "old contents" 0 "$(grep -cx old "$ktap_dir/new/a.prom")" &&
		expect "files" 1 "$(files_of "$ktap_dir/new")"
}

# The limit of a file's size is one block of 512 or 1024 bytes.
old_file_stays_on_failure() {
	mkdir "$ktap_dir/old" && echo old >"$ktap_dir/old/a.prom" || return
	status=0
	(
		ulimit -f 1
		exec "$reader" metrics --all --write "$ktap_dir/old/a.prom"
	) >"$ktap_dir/out" 2>"$ktap_dir/err" || status=$?
	says_why "with a small limit" && grep -q "cannot write $ktap_dir/old/a.prom: File too large" "$ktap_dir/err" &&
		expect "contents" old "$(cat "$ktap_dir/old/a.prom")" && expect "files" 1 "$(files_of "$ktap_dir/old")" || return
	fails metrics --write "$ktap_dir/nowhere/a.prom" && mkdir "$ktap_dir/old/directory" &&
		fails metrics --write "$ktap_dir/old/directory" && expect "files" 1 "$(files_of "$ktap_dir/old")"
}

# As a device would be, directly and through a link.
only_a_regular_file_is_replaced() {
	mkdir "$ktap_dir/other" && mkfifo "$ktap_dir/other/pipe" && ln -s pipe "$ktap_dir/other/link" || return
	fails metrics --write "$ktap_dir/other/pipe" && fails metrics --write "$ktap_dir/other/link" || return
	expect "types" "fifo symbolic link" "$(cd "$ktap_dir/other" && stat -c %F pipe link | paste -s -d ' ' -)" &&
		expect "files" 0 "$(files_of "$ktap_dir/other")"
}

replaced() {
	[ "$(stat -c %i "$ktap_dir/whole/a")" != "$first" ]
}

# Whoever opens the file while it is replaced again and again reads one of the versions to its end.
readers_see_a_whole_file() {
	mkdir "$ktap_dir/whole" && run metrics --openmetrics --write "$ktap_dir/whole/a" || return
	(
		trap 'exit 0' TERM
		while :; do
			"$reader" metrics --openmetrics --write "$ktap_dir/whole/a"
		done
	) &
	sleeper=$!
	first=$(stat -c %i "$ktap_dir/whole/a")
	wait_until replaced || return
	number=0
	while [ $number -lt 50 ]; do
		cat "$ktap_dir/whole/a" >"$ktap_dir/copy" || return
		expect "beginning" '# HELP' "$(head -c 6 "$ktap_dir/copy")" &&
			expect "end" '# EOF' "$(tail -n 1 "$ktap_dir/copy")" || return
		number=$((number + 1))
	done
	kill $sleeper && wait $sleeper
	sleeper=''
	expect "files" 1 "$(files_of "$ktap_dir/whole")"
}

bad_options_are_refused() {
	refuses metrics -J -r -H '-o USERNS' --bogus extra '--all --top 3' '--all --min-ratio 1' '--min-ratio x' --write &&
		refuses_numbers metrics --top && fails metrics --write '' && succeeds metrics --help
}

needs_reader
ktap_clean_up_at_exit
make_files 5

ktap_run counters_and_limits_are_those_of_the_workload memory_is_in_bytes mounts_are_those_of_each_namespace \
	mount_namespace_of_the_reader_alone_is_left_out denials_are_counted_by_limit denials_are_bounded \
	refused_mounts_are_counted holders_are_those_of_units_and_containers units_of_the_same_name_are_told_apart \
	containers_whose_names_are_written_alike_are_added_up \
	fanotify_groups_are_held_as_well holders_and_the_rest_are_what_is_charged units_are_bounded \
	holders_are_left_out_where_they_are_not_wanted output_is_bounded labels_are_escaped both_formats_are_sound file_is_replaced \
	old_file_stays_on_failure only_a_regular_file_is_replaced readers_see_a_whole_file bad_options_are_refused
