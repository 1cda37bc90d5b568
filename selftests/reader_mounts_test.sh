#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir, reader.sh the rest
# Refused mounts that propagate: ucountview why names the other mount namespaces that are full and get copies, and none
# that gets no copies; each change that it prints makes the same call succeed. ucountview denials tells the mounts that
# exist from those that the refused call had reserved. Which mounts get copies is arranged by the test, and confirmed by
# the kernel, which refuses the call or does not.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/reader.sh"
. "$here/agents.sh"

always=/sys/module/ucountview/parameters/denials
was_always=''
base=''

after_test() {
	exec 9<&-
	stop_agents
	restore_sysctls
	[ -z "$was_always" ] || echo "$was_always" >$always
	was_always=''
	[ -z "$base" ] || umount -l "$base"
	base=''
}

clean_up() {
	after_test
}

# make_base: in the namespace of this shell and of the caller, a shared mount with the directories x and y, and others for
# mounts that are not copied; sets $base
make_base() {
	skip_without_mounts || return
	lower fs.mount-max "$(cat /proc/sys/fs/mount-max)"
	mkdir -p "$ktap_dir/base" || return
	base=$(cd "$ktap_dir/base" && pwd -P)
	mount -t tmpfs tmpfs "$base" &&
		mount --make-private "$base" &&
		mkdir "$base/shared" "$base/middle" "$base/fill" &&
		mount -t tmpfs tmpfs "$base/shared" &&
		mount --make-private "$base/shared" &&
		mount --make-shared "$base/shared" &&
		mkdir "$base/shared/x" "$base/shared/y" &&
		start caller && caller=$(ask caller pid)
}

# enter NAME: an agent in a copy of the mount namespace, where all is a peer of what it was copied from
enter() {
	start "$1" && tell "$1" 0 unshare-mounts
}

# fill: the namespace of the agent "full" has more mounts than any other, and they are the limit
fill() {
	full=$(ask full pid)
	mntns=$(inode "$full" mnt)
	more=$(($(most_mounts) + 1))
	tell full $more bind "$base/fill" $more || return
	limit=$(mounts_of "$mntns")
	lower fs.mount-max "$limit"
}

make_mount() {
	tell caller "$1" mount tmpfs size=1m "$base/shared/$2"
}

remove_mount() {
	tell caller 1 unbind "$base/shared/$1" 1
}

# names POINT: for the caller, the namespace is named with the right numbers
names() {
	succeeds why "$caller" -R mounts -r -n -o MNTNS,USED,LIMIT,KIND,MOUNTPOINT,PID,SETTING,FIX || return
	expect "the row" "$mntns $limit $limit mounts $1 $full fs.mount-max sysctl\\x20-w\\x20fs.mount-max=$((2 * limit))" \
		"$(grep "^$mntns " "$ktap_dir/out")" || return
	succeeds why "$caller" -e ENOSPC || return
	says "mounts: $limit of $limit used in mount namespace $mntns." &&
		says "  What process $caller mounts in $1 is copied there, to the namespace of process $full."
}

not_named() {
	succeeds why "$caller" -R mounts -r -n -o MNTNS || return
	expect "the namespaces" "$(inode "$caller" mnt)" "$(cat "$ktap_dir/out")"
}

# fix_of TEXT: the command that the last output prints after it
fix_of() {
	sed -n "s/^  $1: //p" "$ktap_dir/out"
}

# change COMMAND
change() {
	echo "as it says: $1"
	sh -c "$1"
}

# is_explained POINT TARGET: the refused mount, what why says, and both changes that it prints, each alone
is_explained() {
	command -v nsenter >/dev/null || skip "there is no nsenter" || return
	make_mount ENOSPC x && names "$1" || return
	raise=$(fix_of 'To double the limit')
	no_copies=$(fix_of 'To have no more copied there')
	expect "the limit" "sysctl -w fs.mount-max=$((2 * limit))" "$raise" &&
		expect "the other change" "nsenter -t $full -m -r -- mount --make-rprivate $2" "$no_copies" || return
	change "$raise" && make_mount 0 x && remove_mount x &&
		lower fs.mount-max "$limit" && make_mount ENOSPC x || return
	change "$no_copies" && make_mount 0 x && not_named
}

full_peer_is_named() {
	make_base && enter full && fill && is_explained "$base/shared" "$base/shared"
}

full_slave_is_named() {
	make_base && enter full && tell full 0 propagation slave "$base/shared" && fill &&
		is_explained "$base/shared" "$base/shared"
}

# In a third namespace a mount is a slave of the caller's and shared; the full one has a slave of that.
full_slave_of_a_slave_is_named() {
	make_base && mount --bind "$base/shared" "$base/middle" && mount --make-slave "$base/middle" &&
		mount --make-shared "$base/middle" && enter middle && enter full && umount "$base/middle" &&
		tell middle 0 propagation private "$base/shared" &&
		tell full 0 propagation private "$base/shared" &&
		tell full 0 propagation slave "$base/middle" && fill || return
	is_explained "$base/shared" "$base/middle"
}

# A peer that has only a directory of the file system as its root.
full_namespace_with_a_directory_is_named() {
	make_base && mount --bind "$base/shared/x" "$base/middle" && enter full && umount "$base/middle" &&
		tell full 0 propagation private "$base/shared" && fill || return
	make_mount 0 y && remove_mount y && is_explained "$base/shared/x" "$base/middle"
}

# Two that get copies have only the root in common, so all is made private.
two_full_mounts_are_named_once() {
	make_base && mount --bind "$base/shared" "$base/middle" && enter full && umount "$base/middle" && fill || return
	is_explained "$base/shared" /
}

private_mount_is_not_named() {
	make_base && enter full && tell full 0 propagation private "$base/shared" && fill &&
		make_mount 0 x && not_named && succeeds why "$caller" -R mounts || return
	expect "mentioned" 0 "$(grep -c "$mntns" "$ktap_dir/out")"
}

# Below a master nothing propagates upwards: what the full one's slave mounts is not copied to the caller's peer.
master_is_not_named() {
	make_base && enter full && tell caller 0 unshare-mounts && tell caller 0 propagation slave "$base/shared" && fill &&
		make_mount 0 x && not_named
}

# What no process shows may get copies: it is not passed over.
namespace_without_a_process_is_mentioned() {
	make_base && enter full && fill && make_mount ENOSPC x || return
	exec 9<"/proc/$full/ns/mnt"
	mv "$ktap_dir/full.pid" "$ktap_dir/gone" && echo quit >"$ktap_dir/full.in" && wait "$(cat "$ktap_dir/gone")"
	rm "$ktap_dir/full.in" "$ktap_dir/full.out"
	# shellcheck disable=SC2034 # agents.sh stops these
	agents=' caller'
	make_mount ENOSPC x && not_named && succeeds why "$caller" -R mounts || return
	says "Mount namespaces nearly full, which may get copies of its mounts, but have no process: $mntns ($limit of $limit)."
}

# Five peers in one namespace, and room for two mounts more: one and a copy are reserved, the next is refused.
reserved_copies_are_told_from_mounts() {
	has_feature mount_denials || skip "the module cannot tell of refused mounts here" || return
	make_base || return
	was_always=$(cat $always)
	echo Y >$always
	for peer in 1 2 3 4; do
		mkdir "$base/$peer" && mount --bind "$base/shared" "$base/$peer" || return
	done
	tell caller 0 unshare-mounts || return
	mntns=$(inode "$caller" mnt)
	mounted=$(mounts_of "$mntns")
	[ "$mounted" -ge "$(most_mounts)" ] || skip "another mount namespace has more mounts" || return
	for peer in shared 1 2 3 4; do
		umount "$base/$peer" || return
	done
	lower fs.mount-max $((mounted + 2))
	make_mount ENOSPC x || return
	run denials -R mounts -p "$caller" -n -o USED,LIMIT,PID
	expect "status" 0 "$status" &&
		expect "the row" "$mounted+2+1 $((mounted + 2)) $caller" "$(tr -s ' ' <"$ktap_dir/out")" &&
		grep -x "ucountview: USED $mounted+2+1: $mounted mounted, 2 reserved by the refused call, 1 more needed" \
			"$ktap_dir/err" || return
	text="mounts: $mounted mounted, 2 reserved by the refused call, 1 more needed; the limit was $((mounted + 2)) "
	succeeds why "$caller" -R mounts && tr -s '\n ' ' ' <"$ktap_dir/out" | grep -q "$text" || return
	run denials -R mounts -p "$caller" -r -n -o USED,PENDING,ASKED,LIMIT,MOUNTED
	expect "the numbers" "$((mounted + 2)) 2 1 $((mounted + 2)) $mounted" "$(cat "$ktap_dir/out")" &&
		lower fs.mount-max $((mounted + 4)) && make_mount ENOSPC x &&
		lower fs.mount-max $((mounted + 5)) && make_mount 0 x &&
		expect "mounts afterwards" $((mounted + 5)) "$(mounts_of "$mntns")"
}

needs_reader
ktap_clean_up_at_exit

ktap_run full_peer_is_named full_slave_is_named full_slave_of_a_slave_is_named full_namespace_with_a_directory_is_named \
	two_full_mounts_are_named_once private_mount_is_not_named master_is_not_named \
	namespace_without_a_process_is_mentioned reserved_copies_are_told_from_mounts
