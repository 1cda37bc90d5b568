#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir
# ucountview holders for namespaces, compared with namespaces that this test makes and holds.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/reader.sh"
. "$here/agents.sh"

# uids that neither people, services nor containers use
uid=1900300000

clone_newtime=128
clone_newns=131072
clone_newcgroup=33554432
clone_newuts=67108864
clone_newipc=134217728
clone_newuser=268435456
clone_newpid=536870912
clone_newnet=1073741824

always=/sys/module/ucountview/parameters/denials
was_always=''
pids=''
mounted=''

after_test() {
	stop_agents
	restore_sysctls
	[ -z "$was_always" ] || echo "$was_always" >$always
	was_always=''
	for name in $mounted; do
		umount "$ktap_dir/$name"
	done
	for pid in $pids; do
		kill "$pid" 2>/dev/null && wait "$pid"
	done
	pids=''
	mounted=''
}

clean_up() {
	after_test
}

# owner: a process in a user namespace of its own, which only this test makes namespaces in; sets $owner and $owner_ns
owner() {
	start_sleeper -U -r || return
	owner=$sleeper
	pids="$pids $owner"
	owner_ns=$(inode "$owner" user)
}

# member: a process in a net namespace that the owner's user namespace owns; sets $member
member() {
	nsenter -t "$owner" -U --preserve-credentials -- unshare -n sleep 100000 &
	member=$!
	pids="$pids $member"
	wait_until runs sleep $member
}

gone() {
	kill "$1" && wait "$1"
	! [ -d "/proc/$1" ]
}

# lists WHAT LINES ARGUMENT...: holders prints these lines for namespaces that the owner's owns, in any order
lists() {
	what=$1
	wanted=$(echo "$2" | sort)
	shift 2
	run holders -U "$owner_ns" -r -n "$@"
	expect "status of: $*" 0 "$status" || return
	expect "errors of: $*" '' "$(cat "$ktap_dir/err")" || return
	expect "$what" "$wanted" "$(sort "$ktap_dir/out")"
}

# lists_nothing: nothing is charged in the owner's user namespace any more
lists_nothing() {
	lists "after release" '' -R net_namespaces -o PID
}

bad_options_for_namespaces_are_refused() {
	refuses holders '-R net_namespaces -R inotify_watches' '-R net_namespaces --by group' \
		'-R net_namespaces --by nobody' '-R net_namespaces --min-ratio 1' '--by namespace'
}

members_are_listed() {
	owner && member && first=$member && member && second=$member && member || return
	lists "by process" "$first sleep net member $owner_ns 1 0 1 0
$second sleep net member $owner_ns 1 0 1 0
$member sleep net member $owner_ns 1 0 1 0" \
		-R net_namespaces -o PID,COMMAND,KIND,VIA,USERNS,LEVEL,UID,NAMESPACES,SHARED || return
	lists "by command" "sleep member 3 3 0" -R net_namespaces --by command -o COMMAND,VIA,PROCESSES,NAMESPACES,SHARED ||
		return
	lists "by user" "net 0 3 3" -R net_namespaces --by user -o KIND,UID,NAMESPACES,PROCESSES || return
	lists "by namespace" "$(inode "$first" net) $first
$(inode "$second" net) $second
$(inode "$member" net) $member" -R net_namespaces --by namespace -o NS,HOLDERS || return
	lists "one process" "$second 1" -R net_namespaces -p "$second" -o PID,NAMESPACES || return
	lists "another type" '' -R uts_namespaces -o PID || return
	for pid in $first $second $member; do
		gone "$pid" || return
	done
	wait_until lists_nothing
}

descriptors_are_listed() {
	owner && member && first=$member && member || return
	sleep 100000 3<"/proc/$first/ns/net" 4<"/proc/$member/ns/net" 5<"/proc/$first/ns/net" &
	open=$!
	pids="$pids $open"
	wait_until runs sleep $open
	lists "both" "$open open 2 2 3
$first member 1 1 0
$member member 1 1 0" -R net_namespaces -o PID,VIA,NAMESPACES,SHARED,FDS || return
	inum=$(inode "$first" net)
	gone "$first" && gone "$member" || return
	lists "descriptors alone" "$open sleep open $owner_ns 0 2 0" \
		-R net_namespaces -o PID,COMMAND,VIA,USERNS,UID,NAMESPACES,SHARED || return
	succeeds holders -U "$owner_ns" -R net_namespaces --by namespace -r -n -o NS,HOLDERS || return
	expect "its descriptors" "$inum $open:3*2" "$(grep "^$inum " "$ktap_dir/out")" || return
	gone $open && wait_until lists_nothing
}

# mount_namespace PID NAME: bind mounts the process's net namespace
mount_namespace() {
	: >"$ktap_dir/$2" && mount --bind "/proc/$1/ns/net" "$ktap_dir/$2" || return
	mounted="$mounted $2"
}

mounts_are_listed() {
	owner && member && first=$member && member || return
	mount_namespace "$first" net-a && mount_namespace "$member" net-b || return
	a=$(inode "$first" net)
	b=$(inode "$member" net)
	gone "$first" && gone "$member" || return
	# Each mount namespace that has a copy is a line.
	succeeds holders -U "$owner_ns" -R net_namespaces -r -n -o MNTNS,VIA,USERNS,UID,NAMESPACES,FLAGS || return
	expect "in this mount namespace" "$(inode $$ mnt) mount $owner_ns 0 2 -" \
		"$(grep "^$(inode $$ mnt) " "$ktap_dir/out")" || return
	! grep unattributed "$ktap_dir/out" || return
	succeeds holders -U "$owner_ns" -R net_namespaces --by namespace -r -n -o NS,HOLDERS || return
	grep -q "^$a .*[0-9]:$ktap_dir/net-a" "$ktap_dir/out" && grep -q "^$b .*[0-9]:$ktap_dir/net-b" "$ktap_dir/out" ||
		return
	succeeds holders -U "$owner_ns" -R net_namespaces || return
	grep -q "^ *[0-9]* $ktap_dir/net-[ab]  *net  *mount " "$ktap_dir/out" || return
	expect "total" "net_namespaces: 2 charged, holders of 2 found." "$(tail -n 1 "$ktap_dir/out")" ||
		return
	umount "$ktap_dir/net-a" && umount "$ktap_dir/net-b" || return
	mounted=''
	wait_until lists_nothing
}

# In a mount namespace that only a descriptor holds, no process sees the mount.
what_is_not_found_is_unattributed() {
	owner && member || return
	inum=$(inode "$member" net)
	: >"$ktap_dir/hidden"
	unshare -m sh -c "mount --make-rprivate / 2>/dev/null; mount --bind /proc/$member/ns/net $ktap_dir/hidden &&
		exec sleep 100000" &
	inside=$!
	pids="$pids $inside"
	wait_until runs sleep $inside && gone "$member" || return
	lists "seen by a process" "$inside mount 1 -" -R net_namespaces -o PID,VIA,NAMESPACES,FLAGS || return
	sleep 100000 3<"/proc/$inside/ns/mnt" &
	open=$!
	pids="$pids $open"
	wait_until runs sleep $open && gone $inside || return
	lists "seen by none" "- - net $owner_ns 0 1 unattributed" \
		-R net_namespaces -o PID,VIA,KIND,USERNS,UID,NAMESPACES,FLAGS || return
	lists "by user" "net 0 1 unattributed" -R net_namespaces --by user -o KIND,UID,NAMESPACES,FLAGS || return
	succeeds holders -U "$owner_ns" -R net_namespaces || return
	expect "total" "net_namespaces: 1 charged, holders of 0 found." "$(tail -n 1 "$ktap_dir/out")" ||
		return
	expect "longest line" '' "$(awk 'length > 80' "$ktap_dir/out")" || return
	gone $open && wait_until lists_nothing
}

# One user namespace, two users: who is charged for which net namespace is not known.
user_of_several_is_unknown() {
	start maker || return
	maker=$(ask maker userns $uid $uid 10) || return
	owner_ns=$(inode "$maker" user)
	tell maker 0 keep-caps && tell maker 0 unshare $clone_newnet || return
	lists "one user" "$maker $uid" -R net_namespaces -o PID,UID || return
	tell_number maker fork 1 && tell maker 0 uids 1 1 1 && tell maker 0 unshare $clone_newnet || return
	lists "two users" "member -
member -" -R net_namespaces -o VIA,UID || return
	lists "of the second" "net - 2 2" -R net_namespaces -u $((uid + 1)) --by user -o KIND,UID,NAMESPACES,PROCESSES ||
		return
	lists "of another" '' -R net_namespaces -u $((uid + 2)) -o PID
}

# A process is a member if only one of its threads is.
thread_is_found() {
	start box && pid=$(ask box pid) && tid=$(ask box by-thread worker) && tell box 0 unshare $clone_newuts || return
	inum=$(stat -L -c %i "/proc/$pid/task/$tid/ns/uts")
	run holders -R uts_namespaces -p "$pid" --by namespace -r -n -o NS,PID,HOLDERS
	expect "its thread" "$inum $pid $pid/$tid" "$(cat "$ktap_dir/out")"
}

# one_of TYPE FLAG: an agent's own namespace of this type is found
one_of() {
	start "$1" && tell "$1" 0 uids $uid $uid $uid && tell "$1" 0 unshare $((clone_newuser + $2)) || return
	pid=$(ask "$1" pid)
	# A pid namespace shows once it has a process.
	[ "$1" != pid ] || tell_number pid fork 1 || return
	run holders -R "$1_namespaces" -p "$pid" -r -n -o PID,KIND,USERNS,UID,NAMESPACES,FLAGS
	expect "$1" "$pid $1 $(inode "$pid" user) $uid 1 -" "$(cat "$ktap_dir/out")"
}

each_type_is_listed() {
	one_of cgroup $clone_newcgroup && one_of ipc $clone_newipc && one_of mnt $clone_newns &&
		one_of net $clone_newnet && one_of pid $clone_newpid && one_of uts $clone_newuts || return
	[ ! -e /proc/self/ns/time ] || one_of time $clone_newtime || return
	start owned && tell owned 0 uids $uid $uid $uid && tell owned 0 unshare $clone_newuser || return
	pid=$(ask owned pid)
	run holders -R user_namespaces -p "$pid" -r -n -o PID,KIND,USERNS,UID,NAMESPACES,VIA
	expect "user" "$pid user $init_userns $uid 1 member" "$(cat "$ktap_dir/out")"
}

# The user namespace in the middle has no process; the net namespace below it is open in one.
children_hold_their_owners() {
	owner && member || return
	inum=$(inode "$member" net)
	sleep 100000 3<"/proc/$member/ns/net" &
	open=$!
	pids="$pids $open"
	wait_until runs sleep $open && gone "$member" && gone "$owner" || return
	succeeds holders -R user_namespaces --by namespace -r -n -o NS,VIA,HOLDERS || return
	expect "held by what it owns" "$owner_ns child net:$inum" "$(grep "^$owner_ns " "$ktap_dir/out")" || return
	gone $open || return
	wait_until no_namespace
}

no_namespace() {
	run holders -R user_namespaces --by namespace -r -n -o NS
	! grep -q "^$owner_ns" "$ktap_dir/out"
}

# mountinfo has an escape in place of the blank.
path_with_a_blank_is_found() {
	owner && member || return
	: >"$ktap_dir/a b" && mount --bind "/proc/$member/ns/net" "$ktap_dir/a b" || return
	gone "$member"
	run holders -U "$owner_ns" -R net_namespaces --by user -r -n -o UID,NAMESPACES,FLAGS
	umount "$ktap_dir/a b"
	expect "by user" "0 1 -" "$(cat "$ktap_dir/out")"
}

# A file system in user space whose server never answers hides the mount. Asking it would hang the reader.
silent_file_system_is_not_asked() {
	[ -c /dev/fuse ] && grep -qw fuse /proc/filesystems || skip "there is no FUSE" || return
	owner && member || return
	inum=$(inode "$member" net)
	mkdir "$ktap_dir/fuse" && : >"$ktap_dir/fuse/net" && mount --bind "/proc/$member/ns/net" "$ktap_dir/fuse/net" &&
		mounted=fuse/net && gone "$member" || return
	exec 9<>/dev/fuse
	mount -t fuse -o fd=9,rootmode=40000,user_id=0,group_id=0 none "$ktap_dir/fuse" || skip "cannot mount FUSE" || return
	run holders -R net_namespaces --by namespace -r -n -o NS,VIA,USERNS,UID
	exec 9>&-
	umount "$ktap_dir/fuse" || return
	expect "status" 0 "$status" &&
		expect "the namespace" "$inum mount - -" "$(grep "^$inum " "$ktap_dir/out")"
}

json_of_namespaces_has_each_column() {
	owner && member || return
	run holders -J -U "$owner_ns" -R net_namespaces
	"$here/json_check" -l <"$ktap_dir/out" | sed 's/\t/ /' >"$ktap_dir/leaves"
	for leaf in "pid $member" "command sleep" "kind net" "via member" "userns $owner_ns" "level 1" "uid 0" \
		"namespaces 1" "shared 0" "mntns null" "path null" "flags null"; do
		grep -qxF "holders[0].$leaf" "$ktap_dir/leaves" || {
			echo "not there: $leaf"
			cat "$ktap_dir/leaves"
			return 1
		}
	done
	! grep -F 'holders[1]' "$ktap_dir/leaves"
}

# is_in PID NS: the process is in this mount namespace
is_in() {
	expect "namespace of process $1" "$2" "$(inode "$1" mnt)"
}

# The holder is the only process of its namespace, in which nothing more can be mounted.
denials_show_a_process_in_the_namespace() {
	skip_without_mounts && has_feature mount_denials || skip "refused mounts are not recorded here" || return
	[ -w $always ] || skip "the module has no parameter denials" || return
	was_always=$(cat $always)
	start holder && tell holder 0 mntns || return
	holder=$(ask holder pid)
	mntns=$(inode "$holder" mnt)
	mkdir -p "$ktap_dir/mnt" && echo Y >$always || return
	lower fs.mount-max 1
	tell holder ENOSPC mount tmpfs size=1m "$ktap_dir/mnt"
	restore_sysctls
	run denials -r -n -R mounts -p "$holder" -o NS,NSPID,NSCOMMAND
	expect "its process" "$mntns $holder agent" "$(tail -n 1 "$ktap_dir/out")" || return
	run denials -J -R mounts -p "$holder"
	"$here/json_check" 'denials[0].nspid' <"$ktap_dir/out" >"$ktap_dir/value" || return
	expect "in JSON" "$holder" "$(cat "$ktap_dir/value")" || return
	stop_agents
	run denials -r -n -R mounts -p "$holder" -o NS,NSPID,NSCOMMAND
	expect "without a process" "$mntns - -" "$(tail -n 1 "$ktap_dir/out")"
}

leaks_show_a_process_in_the_namespace() {
	skip_without_mounts || return
	mkdir -p "$ktap_dir/leak" || return
	run leaks --settle 0.1 -n -r -o RESOURCE,NS,PID,NSPID -- mount -t tmpfs none "$ktap_dir/leak"
	umount "$ktap_dir/leak"
	read -r resource ns pid nspid <<-END
		$(grep '^mounts ' "$ktap_dir/out")
	END
	expect "resource" "mounts $(inode $$ mnt) -" "$resource $ns $pid" && is_in "$nspid" "$ns"
}

needs_reader
ktap_clean_up_at_exit

ktap_run bad_options_for_namespaces_are_refused members_are_listed descriptors_are_listed mounts_are_listed \
	what_is_not_found_is_unattributed user_of_several_is_unknown thread_is_found each_type_is_listed \
	children_hold_their_owners path_with_a_blank_is_found silent_file_system_is_not_asked \
	json_of_namespaces_has_each_column denials_show_a_process_in_the_namespace leaks_show_a_process_in_the_namespace
