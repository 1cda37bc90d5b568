#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir, reader.sh the rest
# Tests in a booted release, for containers-check: containers of each manager hold inotify watches or are refused them, and
# the reader on the host names the container. What its manager says of it is compared.
#
# usage: containers-guest.sh [TEST]...

here=/host
export PATH="/host:$PATH"
. "$here/ktap.sh"
. "$here/reader.sh"

always=/sys/module/ucountview/parameters/denials
watches=/proc/sys/fs/inotify/max_user_watches
was=$(cat $watches)
user=box

# The managers whose containers are removed when a test ends: emulated, each of them takes seconds to start.
used=''

after_test() {
	echo "$was" >$watches
	for manager in $used; do
		case $manager in
		podman) podman rm -f -a -t 0 ;;
		pod) podman pod rm -f -a ;;
		rootless) as_user podman rm -f -a -t 0 ;;
		nspawn) machinectl terminate nest ;;
		lxc) lxc-stop -k -n tin ;;
		docker) docker rm -f "$id" ;;
		esac
	done >"$ktap_dir/removed" 2>&1
	used=''
}

clean_up() {
	:
}

# as_user COMMAND…: by the systemd of an unprivileged user, which leaves what the command has started
as_user() {
	systemd-run --quiet --user --machine=$user@ --pipe --wait --collect --property=KillMode=process "$@"
}

# fdinfo PID: the number of its watches as procfs has it
fdinfo() {
	cat "/proc/$1"/fdinfo/* 2>/dev/null | grep -c '^inotify wd:'
}

# holds PID WATCHES
holds() {
	[ "$(fdinfo "$1")" -eq "$2" ]
}

# prints WHAT LINES ARGUMENT…: the reader prints these lines, in raw format without headings
prints() {
	what=$1
	lines=$2
	shift 2
	run "$@" -r -n
	cat "$ktap_dir/err"
	expect "$what" "$lines" "$(cat "$ktap_dir/out")"
}

# is_named PID WATCHES UNIT SLICE CONTAINER: the first process of a container, which holds that
is_named() {
	wait_until holds "$1" "$2" || return
	cat "/proc/$1/cgroup"
	prints "holders" "$2 $3 $4 $5" holders -p "$1" -R inotify_watches -o MARKS,UNIT,SLICE,CONTAINER &&
		prints "holders -c" "$1" holders -c "$5" -R inotify_watches -o PID || return
	succeeds why "$1" -R inotify_watches && sed -n 1,3p "$ktap_dir/out"
	short=$(echo "$5" | cut -c -12)
	[ ${#5} -eq 64 ] || short=$5
	unwrapped | grep -F "It is in container $short, systemd unit " || [ "$3" = - ] || return
	succeeds why -c "$5" -R inotify_watches
}

# inspect [as_user] NAME: sets $id and $pid to what podman says
inspect() {
	manager=''
	[ "$1" != as_user ] || { manager=$1 && shift; }
	id=$($manager podman inspect -f '{{.Id}} {{.State.Pid}}' "$1") || return
	pid=${id#* }
	id=${id% *}
}

rootful_podman() {
	used=podman
	podman run -d --network none --name web box watch 5 && inspect web &&
		is_named "$pid" 5 "libpod-$id.scope" machine.slice "$id"
}

rootful_podman_with_userns() {
	used=podman
	podman run -d --network none --name deep --uidmap 0:200000:1000 --gidmap 0:200000:1000 box watch 7 &&
		inspect deep && is_named "$pid" 7 "libpod-$id.scope" machine.slice "$id" || return
	run usage -U "pid:$pid" -R inotify_watches -r -n -o LEVEL,UID,USED,CONTAINER
	expect usage "1 200000 7 $id" "$(cat "$ktap_dir/out")" || return
	run userns -r -n -o PID,USERNS,CONTAINER
	cat "$ktap_dir/out"
	expect userns "$id" "$(awk -v ns="$(inode "$pid" user)" '$2 == ns { print $3 }' "$ktap_dir/out")" || return
	run mounts -M "pid:$pid" -r -n -o CONTAINER
	expect mounts "$id" "$(cat "$ktap_dir/out")"
}

rootful_podman_in_a_pod() {
	used="podman pod"
	podman pod create --infra=false --name pod && pod=$(podman pod inspect -f '{{.Id}}' pod) &&
		podman run -d --pod pod --network none --name inner box watch 4 && inspect inner || return
	is_named "$pid" 4 "libpod-$id.scope" "machine-libpod_pod_$pod.slice" "$id"
}

podman_by_cgroupfs() {
	used=podman
	podman --cgroup-manager=cgroupfs run -d --network none --name fs box watch 3 && inspect fs || return
	is_named "$pid" 3 - - "$id"
}

podman_as_a_service() {
	mkdir -p /etc/containers/systemd
	printf '[Container]\nImage=localhost/box\nExec=watch 8\nNetwork=none\nContainerName=quad\n' \
		>/etc/containers/systemd/quad.container
	systemctl daemon-reload && systemctl start quad.service && inspect quad || return
	is_named "$pid" 8 quad.service system.slice "$id"
	status=$?
	systemctl stop quad.service
	return $status
}

rootless_podman() {
	used=rootless
	as_user podman run -d --network none --name own box watch 9 && inspect as_user own &&
		is_named "$pid" 9 "libpod-$id.scope" user.slice "$id" || return
	expect "owner" "$user" "$(stat -c %U "/proc/$pid")"
}

rootless_podman_with_userns() {
	used=rootless
	as_user podman run -d --network none --userns=auto:size=1000 --name own box watch 9 && inspect as_user own &&
		is_named "$pid" 9 "libpod-$id.scope" user.slice "$id"
}

# own_watches: what the user's other processes, such as its systemd, hold
own_watches() {
	for process in $(pgrep -U $user); do
		fdinfo "$process"
	done | awk '{ sum += $1 } END { print sum + 0 }'
}

# Containers of one user share its limit: the one that is refused, and who fills the limit.
containers_of_one_user_are_told_apart() {
	used=rootless
	limit=$((20 + $(own_watches)))
	echo $limit >$watches
	as_user podman run -d --network none --name big box watch 12 && inspect as_user big &&
		wait_until holds "$pid" 12 && big=$id || return
	as_user podman run -d --network none --name small box watch 5 && inspect as_user small &&
		wait_until holds "$pid" 5 && small=$id || return
	as_user podman run -d --network none --name late box watch 10 && inspect as_user late &&
		wait_until holds "$pid" 3 && late=$id || return
	run holders -R inotify_watches -r -n -o COMMAND,MARKS,CONTAINER
	expect "holders" "watch 12 $big
watch 5 $small
watch 3 $late" "$(grep ^watch "$ktap_dir/out")" || return
	run holders -u $user -R inotify_watches --by unit -r -n -o CONTAINER,MARKS
	cat "$ktap_dir/out"
	expect "by unit" "$big 12
$small 5
$late 3" "$(grep -v '^- ' "$ktap_dir/out")" || return
	prints "denials" "$pid $limit $limit $late" denials -u $user -R inotify_watches --count 1 \
		-o PID,USED,LIMIT,CONTAINER &&
		prints "denials -c" "$pid" denials -c "$late" -o PID && prints "denials of another" '' denials -c "$big" -o PID ||
		return
	succeeds why "$pid" -R inotify_watches || return
	cat "$ktap_dir/out"
	unwrapped | grep "container $(echo "$late" | cut -c -12)" && grep "$limit of $limit used by" "$ktap_dir/out"
}

# make_machine: a root directory for systemd-nspawn and LXC
make_machine() {
	mkdir -p "$1" && tar -C "$1" -x -f /host/rootfs.tar
}

nspawn_leader() {
	leader=$(machinectl show nest -p Leader --value) && [ "$leader" ]
}

nspawn_with_userns() {
	used=nspawn
	make_machine /var/lib/machines/nest || return
	systemd-run --quiet --unit=starter systemd-nspawn -q -U -M nest -D /var/lib/machines/nest /bin/watch 6 &&
		wait_until nspawn_leader || return
	is_named "$leader" 6 machine-nest.scope machine.slice nest || return
	[ "$(stat -c %u "/proc/$leader")" -gt 65535 ]
}

nspawn_as_a_service() {
	used=nspawn
	make_machine /var/lib/machines/nest || return
	systemctl start systemd-nspawn@nest.service
	wait_until nspawn_leader || return
	is_named "$leader" 6 systemd-nspawn@nest.service machine.slice nest
}

lxc_running() {
	pid=$(lxc-info -n tin -p -H) && [ "$pid" -gt 1 ]
}

lxc() {
	used=lxc
	make_machine /var/lib/lxc/tin/rootfs || return
	cat >/var/lib/lxc/tin/config <<-'CONF'
		lxc.rootfs.path = dir:/var/lib/lxc/tin/rootfs
		lxc.uts.name = tin
		lxc.net.0.type = empty
		lxc.mount.auto = proc:mixed
		lxc.idmap = u 0 300000 1000
		lxc.idmap = g 0 300000 1000
		lxc.init.cmd = /bin/watch 6
		lxc.apparmor.profile = unconfined
	CONF
	printf 'root:300000:1000\n' | tee -a /etc/subuid >>/etc/subgid
	chown -R 300000:300000 /var/lib/lxc/tin/rootfs
	chmod 755 /var/lib/lxc /var/lib/lxc/tin
	lxc-start -n tin -l INFO -o "$ktap_dir/lxc" || { tail "$ktap_dir/lxc"; return 1; }
	wait_until lxc_running || return
	is_named "$pid" 6 - - tin
}

docker_answers() {
	docker info >"$ktap_dir/docker" 2>&1
}

docker_container() {
	used=docker
	mkdir -p /etc/docker
	echo '{ "iptables": false, "bridge": "none" }' >/etc/docker/daemon.json
	systemctl start docker.service
	wait_until docker_answers || { tail "$ktap_dir/docker"; return 1; }
	docker import /host/rootfs.tar box && id=$(docker run -d --network none box watch 2) || return
	pid=$(docker inspect -f '{{.State.Pid}}' "$id")
	is_named "$pid" 2 "docker-$id.scope" system.slice "$id"
}

# The module, the image of each user, and what the other tests have in variables.
managers_are_ready() {
	insmod /host/ucountview.ko && echo Y >$always && podman import /host/rootfs.tar box || return
	useradd --create-home $user && loginctl enable-linger $user && wait_until test -S "/run/user/$(id -u $user)/bus" &&
		as_user podman import /host/rootfs.tar box || return
	grep $user /etc/subuid
	# shellcheck disable=SC2034 # for reader.sh
	reader=$(find_reader)
	systemctl is-system-running --wait || systemctl --failed --no-legend
}

export HOME=/root
echo "# managers: $(podman --version), $(systemd-nspawn --version | head -n 1), $(docker --version)," \
	"LXC $(lxc-start --version)"
ktap_clean_up_at_exit
[ $# -gt 0 ] || set -- rootful_podman rootful_podman_with_userns rootful_podman_in_a_pod podman_by_cgroupfs \
	podman_as_a_service rootless_podman rootless_podman_with_userns containers_of_one_user_are_told_apart \
	nspawn_with_userns nspawn_as_a_service lxc docker_container
ktap_run managers_are_ready "$@"
