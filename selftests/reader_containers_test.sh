#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir, reader.sh the rest
# Which systemd unit and which container a process is in, as the reader finds it out from cgroups: agents are moved into
# cgroups that are named as systemd and container runtimes name theirs. --by unit, --container.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/reader.sh"
. "$here/agents.sh"
. "$here/cgroups.sh"

always=/sys/module/ucountview/parameters/denials
was_always=$(cat $always 2>/dev/null)
last_pid=/proc/sys/kernel/ns_last_pid
# uids that neither people, services nor containers use; each test has its own
uid=1900130000
id=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
other_id=0fedcba987654321fedcba9876543210fedcba9876543210fedcba9876543210
pod=01234567-89ab-cdef-0123-456789abcdef
slice_of_pod=kubepods-burstable-pod01234567_89ab_cdef_0123_456789abcdef.slice
in_podman=machine.slice/libpod-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope
moved_init=''
sleeper=''
clone_newuts=67108864

after_test() {
	stop_agents
	restore_sysctls
	[ -z "$sleeper" ] || kill "$sleeper"
	sleeper=''
	[ -z "$moved_init" ] || echo 1 >"$ktap_dir/cgroup2/cgroup.procs"
	moved_init=''
	[ -z "$was_always" ] || echo "$was_always" >$always
	remove_cgroups
	uid=$((uid + 10))
}

clean_up() {
	after_test
}

# init_joins PATH: move init, the example of a process in the initial namespaces
init_joins() {
	moved_init=1
	made="$made $ktap_dir/cgroup2/$1"
	mkdir "$ktap_dir/cgroup2/$1" && echo 1 >"$ktap_dir/cgroup2/$1/cgroup.procs"
}

# starts NAME [UID]: start an agent with an inotify instance
starts() {
	start "$1" && tell "$1" 0 uids "${2:-$uid}" "${2:-$uid}" "${2:-$uid}" && tell "$1" 0 inotify 1
}

# prints WHAT LINES ARGUMENT...: the reader prints these lines, in raw format without headings
prints() {
	what=$1
	lines=$2
	shift 2
	run "$@" -r -n
	expect "$what" "$lines" "$(cat "$ktap_dir/out")"
}

# names PATH UNIT SLICE CONTAINER POD: what the agent "one" is in if it is in this cgroup of the hierarchy
names() {
	joins one "$1" && prints "$1" "$2 $3 $4 $5" holders -p "$one" -o UNIT,SLICE,CONTAINER,POD
}

starts_one() {
	starts one && one=$(ask one pid)
}

units_are_those_of_systemd() {
	user=user.slice/user-1000.slice
	cgroup2 && starts_one || return
	names / - - - - &&
		names init.scope init.scope - - - &&
		names system.slice/ssh.service ssh.service system.slice - - &&
		names system.slice/system-getty.slice/getty@tty1.service getty@tty1.service system-getty.slice - - &&
		names system.slice/boot.mount boot.mount system.slice - - &&
		names system.slice/docker.service/sub/x.service docker.service system.slice - - &&
		names 'system.slice/dev-x\x2dy.swap' 'dev-x\x5cx2dy.swap' system.slice - - &&
		names _cpu.service cpu.service - - - &&
		names $user/session-3.scope session-3.scope user-1000.slice - - &&
		names $user/user@1000.service/init.scope user@1000.service user-1000.slice - - &&
		names $user/user@1000.service/app.slice/app-web.slice/x.service x.service app-web.slice - - &&
		names system.slice/no-unit - system.slice - - &&
		names "system.slice/not a.service" - system.slice - - &&
		names some/system.slice/x.service - - - - || return
}

containers_are_those_of_their_runtimes() {
	user=user.slice/user-1000.slice/user@1000.service/user.slice
	cgroup2 && starts_one || return
	names $in_podman/container libpod-$id.scope machine.slice $id - &&
		names $user/libpod-$id.scope/container libpod-$id.scope user.slice $id - &&
		names machine.slice/machine-libpod_pod_$other_id.slice/libpod-$id.scope libpod-$id.scope \
			machine-libpod_pod_$other_id.slice $id - &&
		names system.slice/web.service/libpod-payload-$id web.service system.slice $id - &&
		names libpod_parent/libpod-$id - - $id - &&
		names libpod_parent/$other_id/libpod-$id - - $id - &&
		names machine.slice/libpod-conmon-$id.scope libpod-conmon-$id.scope machine.slice - - &&
		names system.slice/docker-$id.scope docker-$id.scope system.slice $id - &&
		names docker/$id - - $id - &&
		names docker/$id/docker/$other_id - - $id - &&
		names system.slice/nerdctl-$id.scope nerdctl-$id.scope system.slice $id - &&
		names lxc.payload.web-1/system.slice/x.service - - web-1 - &&
		names lxc.payload/web - - web - &&
		names lxc/web/init.scope - - web - &&
		names lxc.monitor.web - - - - &&
		names 'machine.slice/machine-deb\x2d12.scope/payload' 'machine-deb\x5cx2d12.scope' machine.slice deb-12 - &&
		names machine.slice/systemd-nspawn@deb.service/payload systemd-nspawn@deb.service machine.slice deb - ||
		return
	# What is nearly named so: 63 digits, capitals, more behind it.
	names "system.slice/docker-${id#0}.scope" "docker-${id#0}.scope" system.slice - - &&
		names "system.slice/docker-${id}0.scope" "docker-${id}0.scope" system.slice - - &&
		names "system.slice/docker-${id%f}F.scope" "docker-${id%f}F.scope" system.slice - - &&
		names docker/$id.x - - - -
}

pods_are_those_of_kubernetes() {
	in_pod=kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod01234567_89ab_cdef_0123_456789abcdef.slice
	cgroup2 && starts_one || return
	names $in_pod/cri-containerd-$id.scope cri-containerd-$id.scope $slice_of_pod $id $pod &&
		names $in_pod/crio-$id.scope crio-$id.scope $slice_of_pod $id $pod &&
		names $in_pod/docker-$id.scope docker-$id.scope $slice_of_pod $id $pod &&
		names $in_pod/crio-conmon-$id.scope crio-conmon-$id.scope $slice_of_pod - $pod &&
		names kubepods/besteffort/pod$pod/$id - - $id $pod &&
		names kubepods/pod$pod/crio-$id - - $id $pod &&
		names kubepods/pod$pod - - - $pod &&
		names system.slice/containerd.service/$slice_of_pod:cri-containerd:$id containerd.service system.slice \
			$id $pod
}

# The hierarchy of systemd counts, or else the unified one, or else the longest path.
hierarchies_are_told_apart() {
	cgroup2 && hierarchy other -t cgroup -o none,name=ucv-other && hierarchy more -t cgroup -o none,name=ucv-more &&
		starts_one || return
	joins one lxc/longest other && joins one lxc/short more &&
		prints "two others" longest holders -p "$one" -o CONTAINER &&
		joins one lxc/x other && prints "and shorter" short holders -p "$one" -o CONTAINER &&
		joins one lxc/two cgroup2 && prints "and a unified one" two holders -p "$one" -o CONTAINER || return
	hierarchy systemd -t cgroup -o none,name=systemd || return
	prints "systemd's, in its root" two holders -p "$one" -o CONTAINER &&
		joins one lxc/a systemd && prints "systemd's" a holders -p "$one" -o CONTAINER
}

# headings ARGUMENT...: those that a table has by default, of the columns that are optional
headings() {
	run "$@"
	head -n 1 "$ktap_dir/out" | tr -s ' ' '\n' | grep -x -e UNIT -e PID-UNIT -e CONTAINER | paste -s -d ' ' -
}

columns_are_shown_if_there_is_something() {
	cgroup2 && start box && inside=$(ask box userns $uid $uid 10) && tell box 0 inotify 1 && tell box 0 mntns || return
	mntns=$(inode "$inside" mnt)
	for command in "holders -p $inside" "holders -p $inside --by group" "holders -R user_namespaces -p $inside" \
		"userns" "mounts -M $mntns" "usage -U pid:$inside"; do
		# shellcheck disable=SC2086 # several words
		expect "in no unit: $command" '' "$(headings $command)" || return
	done
	joins box system.slice/a.service || return
	expect holders "UNIT" "$(headings holders -p "$inside")" &&
		expect userns "UNIT" "$(headings userns)" &&
		expect mounts "UNIT" "$(headings mounts -M "$mntns")" &&
		expect usage "PID-UNIT" "$(headings usage -U "pid:$inside")" || return
	joins box $in_podman || return
	expect holders "UNIT CONTAINER" "$(headings holders -p "$inside")" &&
		expect "by group" "UNIT CONTAINER" "$(headings holders -p "$inside" --by group)" &&
		expect namespaces "UNIT CONTAINER" "$(headings holders -p "$inside" -R user_namespaces)" &&
		expect userns "UNIT CONTAINER" "$(headings userns)" &&
		expect mounts "UNIT CONTAINER" "$(headings mounts -M "$mntns")" &&
		expect usage "PID-UNIT CONTAINER" "$(headings usage -U "pid:$inside")" || return
	# Raw output has the columns that it always had.
	for command in "holders -p $inside" userns "mounts -M $mntns" "usage -U pid:$inside"; do
		# shellcheck disable=SC2086 # several words
		expect "raw: $command" '' "$(headings $command -r)" || return
	done
}

# By default a table has twelve digits of an ID, and JSON all.
ids_are_short_in_tables() {
	cgroup2 && starts_one && joins one $in_podman && succeeds holders -p "$one" || return
	expect table 'libpod-0123456789ab*.scope 0123456789ab' \
		"$(awk 'NR == 2 { print $(NF - 1), $NF }' "$ktap_dir/out")" || return
	succeeds holders -J -p "$one" && "$here/json_check" -l <"$ktap_dir/out" >"$ktap_dir/leaves" || return
	expect JSON "holders[0].unit libpod-$id.scope
holders[0].container $id" "$(grep -e '\.unit' -e '\.container' "$ktap_dir/leaves" | tr '\t' ' ')"
}

# A sentence of why has the unit of the process that is named.
names_of_init() {
	succeeds why 1 && says "It is in systemd unit init.scope."
}

# on_terminal COLUMNS ARGUMENT...: the optional columns that the reader has on a terminal of this width
on_terminal() {
	columns=$1
	shift
	NO_COLOR=1 "$here/terminal" "$columns" "$reader" "$@" >"$ktap_dir/out" || return
	head -n 1 "$ktap_dir/out" | tr -s ' \r' '\n' | grep -x -e UNIT -e CONTAINER | paste -s -d ' ' -
}

# Rather without UNIT than with truncated columns.
unit_is_left_out_on_a_narrow_terminal() {
	"$here/terminal" 80 true || skip "there are no terminals here" || return
	cgroup2 && starts_one && joins one $in_podman || return
	expect "200 columns" "UNIT CONTAINER" "$(on_terminal 200 holders -p "$one")" &&
		expect "100 columns" CONTAINER "$(on_terminal 100 holders -p "$one")" &&
		expect "with -o" "UNIT CONTAINER" "$(on_terminal 100 holders -p "$one" -o +UNIT)" || return
	# JSON has no width.
	"$here/terminal" 40 "$reader" userns --tree -J >"$ktap_dir/out" && grep '"unit":' "$ktap_dir/out"
}

namespaces_are_those_of_their_processes() {
	cgroup2 && start box && inside=$(ask box userns $uid $uid 10) && tell box 0 inotify 1 && tell box 0 mntns &&
		joins box $in_podman && init_joins init.scope || return
	expected="libpod-$id.scope machine.slice $id -"
	columns=SLICE,CONTAINER,POD
	prints usage "$expected" usage -U "pid:$inside" -R inotify_instances -o PID-UNIT,$columns &&
		prints "with its process" "$inside $id" usage -U "pid:$inside" -R inotify_instances -o PID,CONTAINER &&
		prints mounts "$expected" mounts -M "pid:$inside" -o UNIT,$columns || return
	run userns -r -n -o USERNS,UNIT,$columns
	expect userns "$(inode "$inside" user) $expected" "$(grep "^$(inode "$inside" user) " "$ktap_dir/out")" &&
		expect "the initial one" "$init_userns - - - -" "$(grep "^$init_userns " "$ktap_dir/out")" || return
	# It is one of many there, and tells nothing of the others; as a holder it is itself.
	prints "usage, initial" - usage -U "$init_userns" --top 1 -o PID-UNIT &&
		prints "mounts, initial" "1 -" mounts -M pid:1 -o PID,UNIT &&
		names_of_init
}

mount_in_the_initial_namespace_is_in_no_unit() {
	cgroup2 && start one && tell one 0 unshare $clone_newuts && init_joins init.scope && touch "$ktap_dir/uts" &&
		mount --bind "/proc/$(ask one pid)/ns/uts" "$ktap_dir/uts" || return
	run holders --by unit -R uts_namespaces -r -n -o UNIT,VIA,NAMESPACES,PATH
	umount "$ktap_dir/uts"
	expect "the mount" "- mount 1 $ktap_dir/uts" "$(grep ' mount ' "$ktap_dir/out")"
}

# record: record denials, and limit instances to two for each user
record() {
	[ -w $always ] && has_feature denials || skip "the module cannot record denials" || return
	echo Y >$always && lower fs.inotify.max_user_instances 2
}

denials_tell_the_container() {
	cgroup2 && record && start hog && tell hog 0 uids $uid $uid $uid && joins hog $in_podman &&
		tell hog EMFILE inotify 3 && hog=$(ask hog pid) || return
	prints "of a process" "libpod-$id.scope $id - -" denials -u $uid -o UNIT,CONTAINER,NSUNIT,NSCONTAINER || return
	expect "by default" "UNIT CONTAINER" "$(headings denials -u $uid)" || return
	prints "by container" "$hog" denials -c 0123 -o PID || return
	run denials -J -u $uid
	"$here/json_check" 'denials[0].container' <"$ktap_dir/out" >"$ktap_dir/value" || return
	expect "in JSON" "$id" "$(cat "$ktap_dir/value")" || return
	run why -J "$hog" -R inotify_instances
	"$here/json_check" 'why[0].container' <"$ktap_dir/out" >"$ktap_dir/value" || return
	expect "why" "$id" "$(cat "$ktap_dir/value")" || return
	succeeds why --last "$hog" &&
		says "  It is in container 0123456789ab, systemd unit libpod-0123456789ab*.scope." || return
	stop_agents
	prints "of one that has exited" "- -" denials -u $uid -o UNIT,CONTAINER || return
	[ -w $last_pid ] || skip "PIDs cannot be chosen here" || return
	wait_until reuse "$hog" && echo "$hog" >"$ktap_dir/cgroup2/$in_podman/cgroup.procs" || return
	prints "of another one with its PID" "- -" denials -u $uid -o UNIT,CONTAINER &&
		prints "by its container" '' denials -u $uid -c $id -o PID
}

# reuse PID: start a process with this PID, if no other one takes it first
reuse() {
	echo $(($1 - 1)) >$last_pid
	sleep 100000 &
	sleeper=$!
	[ "$sleeper" -eq "$1" ] && return
	kill "$sleeper"
	sleeper=''
	return 1
}

# refuse_in_a_container: $sleeper is in a user namespace where a child of it was refused something, and has exited
refuse_in_a_container() {
	joins one $in_podman && directory=$ktap_dir/cgroup2/$in_podman || return
	sh -c 'echo $$ >"$0/cgroup.procs" && exec unshare -U -r sh -c "$1"' "$directory" \
		'echo 0 >/proc/sys/user/max_uts_namespaces; unshare -u true; exec sleep 100000' 2>/dev/null &
	sleeper=$!
	wait_until grep -qx sleep "/proc/$sleeper/comm"
}

denials_tell_the_container_of_the_namespace() {
	cgroup2 && record && starts_one && refuse_in_a_container || return
	prints "of its process" "- - $sleeper libpod-$id.scope $id" denials -R uts_namespaces -c $id \
		-o UNIT,CONTAINER,NSPID,NSUNIT,NSCONTAINER || return
	joins one lxc/web && prints "of another container" '' denials -R uts_namespaces -c web -o PID
}

why_tells_the_container() {
	cgroup2 && starts_one || return
	succeeds why "$one" && ! grep '^It is in' "$ktap_dir/out" || return
	joins one system.slice/a.service && succeeds why "$one" && says "It is in systemd unit a.service." || return
	joins one $in_podman && succeeds why "$one" &&
		says "It is in container 0123456789ab, systemd unit libpod-0123456789ab*.scope." || return
	joins one kubepods/pod$pod/$id && succeeds why "$one" && says "It is in container 0123456789ab, pod $pod." || return
	# The process that has existed longest, whichever PID it has.
	sleep 0.1
	starts two && joins two kubepods/pod$pod/$id && succeeds why -c $id &&
		grep "^Process $one is charged" "$ktap_dir/out" || return
	fails why -c 0 "$one" && fails why -c 0 --last && fails why -c none
}

units_are_counted() {
	cgroup2 && starts one && starts two && starts three $((uid + 1)) && starts four && starts none || return
	user=user.slice/user-$uid.slice/user@$uid.service/app.slice
	joins one system.slice/a.service && joins two system.slice/a.service/sub && joins three $user/a.service &&
		joins four lxc/web && tell two 1 inotify 1 || return
	none=$(ask none pid)
	# Units of the same name, of the system's and of a user's manager, are two.
	succeeds holders --by unit -r -n -o UNIT,CONTAINER,KIND,PROCESSES,GROUPS || return
	expect "by unit" "- web inotify 1 1
a.service - inotify 1 1
a.service - inotify 2 3" "$(grep -e '^a.service ' -e ' web ' "$ktap_dir/out" | sort)" || return
	prints "of a user" "a.service 1 1" holders --by unit -u $((uid + 1)) -o UNIT,PROCESSES,GROUPS &&
		prints "users" "a.service - - - -" holders --by unit -u $((uid + 1)) -o UNIT,USERNS,LEVEL,UID,USER || return
	prints "no unit" "- - 1" holders --by unit -p "$none" -o UNIT,CONTAINER,GROUPS || return
	tell four 0 launch 0 || return
	run holders --by unit -u $uid -r -n -o UNIT,CONTAINER,GROUPS,FLAGS
	expect "in flight" "- - 1 unattributed" "$(grep unattributed "$ktap_dir/out")" || return
	start five && tell five 0 unshare $clone_newuts && joins five lxc/five &&
		prints "namespaces" "five uts member 1 1" holders --by unit -R uts_namespaces -c five \
			-o CONTAINER,KIND,VIA,PROCESSES,NAMESPACES
}

container_is_found_by_name_or_id() {
	cgroup2 && start one && tell one 0 unshare $clone_newuts && tell one 0 inotify 1 && starts two && starts three &&
		joins one $in_podman && joins two docker/$other_id && joins three lxc/01 || return
	one=$(ask one pid)
	two=$(ask two pid)
	three=$(ask three pid)
	prints "an ID" "$one" holders -c $id -o PID && prints "its beginning" "$one" holders -c 012 -o PID &&
		prints "another" "$two" holders --container 0f -o PID && prints "a name" "$three" holders -c 01 -o PID &&
		prints "namespaces" "$one" holders -c $id -R uts_namespaces -o PID || return
	fails holders -c 0 && grep -F 'ambiguous container: 0 (2 match: ' "$ktap_dir/err" || return
	for none in web 0123456789abcdeff libpod-$id.scope machine.slice "$one"; do
		fails holders -c "$none" && grep -F "no such container: $none" "$ktap_dir/err" || return
	done
	refuses holders "-c 01 -p $one" && refuses denials '-c 01 --totals' "-c 01 -p $one" && fails holders -c '' || return
	# Anyone who may make cgroups can give one the name of another.
	joins two other/lxc/01 && fails holders -c 01 &&
		grep -F 'ambiguous container: 01 (2 match: ' "$ktap_dir/err" | grep -F /other/lxc/01 || return
	prints "a path" "$three" holders -c /lxc/01 -o PID &&
		prints "the other one" "$two" holders -c /other/lxc/01 -o PID || return
	# Or a name that is the path of another one.
	joins one 'machine.slice/machine-\x2flxc\x2f01.scope' && prints "a name" /lxc/01 holders -p "$one" -o CONTAINER &&
		prints "a path, no name" "$three" holders -c /lxc/01 -o PID
}

# The kernel refuses only slashes and newlines.
names_with_any_bytes_are_escaped() {
	cgroup2 && starts_one || return
	! mkdir "$ktap_dir/cgroup2/$(printf 'a\nb')" || return
	bytes=$(printf 'a\033[31m\t\177\377"\\" b')
	joins one "lxc/$bytes" && prints "raw" 'a\x1b[31m\x09\x7f\xff"\x5c"\x20b' holders -p "$one" -o CONTAINER || return
	for format in '' -J -r; do
		# shellcheck disable=SC2086 # none or one word
		succeeds holders $format -p "$one" -o CONTAINER,UNIT || return
		# JSON has DEL as it is.
		expect "unprintable bytes, $format" 0 "$(LC_ALL=C tr -d '\n -~\177' <"$ktap_dir/out" | wc -c)" || return
	done
	succeeds holders -J -p "$one" && "$here/json_check" <"$ktap_dir/out" || return
	succeeds why "$one" && expect "unprintable bytes of why" 0 "$(LC_ALL=C tr -d '\n -~' <"$ktap_dir/out" | wc -c)" &&
		grep -F 'It is in container a?[31m' "$ktap_dir/out" || return
	prints "found" "$one" holders -c "$bytes" -o PID || return
	long=$(printf 'x%.0s' $(seq 255))
	joins one "lxc/$long" && prints "255 bytes" "$long" holders -p "$one" -o CONTAINER || return
	joins one "lxc/$long/$long/$long/$long/$long/$long/$long/$long/$long/$long" &&
		prints "deep" "$long" holders -p "$one" -o CONTAINER
}

needs_reader
# It would find cgroups that it has not made.
! systemd_runs || ktap_skip_all "systemd manages the cgroups here"
ktap_clean_up_at_exit

ktap_run units_are_those_of_systemd containers_are_those_of_their_runtimes pods_are_those_of_kubernetes \
	hierarchies_are_told_apart columns_are_shown_if_there_is_something ids_are_short_in_tables \
	unit_is_left_out_on_a_narrow_terminal \
	namespaces_are_those_of_their_processes mount_in_the_initial_namespace_is_in_no_unit \
	denials_tell_the_container denials_tell_the_container_of_the_namespace \
	why_tells_the_container units_are_counted container_is_found_by_name_or_id names_with_any_bytes_are_escaped
