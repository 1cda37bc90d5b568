#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir, reader.sh the rest
# ucountview mounts --by: the mounts of a namespace, in groups, are those that the test has made, and all that the
# kernel counts are in the table or said to be missing. ucountview mounts --at: what a new mount would make in each
# namespace is what the kernel's counters say after that mount was made.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/reader.sh"
. "$here/agents.sh"

base=''
sleeper=''

after_test() {
	exec 9<&-
	stop_agents
	[ -z "$sleeper" ] || kill "$sleeper"
	[ -z "$sleeper" ] || wait "$sleeper"
	sleeper=''
	restore_sysctls
	[ -z "$base" ] || umount -l "$base"
	base=''
}

clean_up() {
	after_test
}

# make_base: a private tmpfs in the namespace of this shell; sets $base
make_base() {
	skip_without_mounts || return
	command -v nsenter >/dev/null || skip "there is no nsenter" || return
	mkdir -p "$ktap_dir/base" || return
	base=$(cd "$ktap_dir/base" && pwd -P)
	mount -t tmpfs 'base fs' "$base" && mount --make-private "$base"
}

# make_space: an agent in a mount namespace of its own, where nothing is copied to or from others; sets $space, its PID,
# and $mntns
make_space() {
	make_base && start space && tell space 0 mntns || return
	space=$(ask space pid)
	mntns=$(inode "$space" mnt)
}

# within COMMAND...: in that namespace
within() {
	nsenter -t "$space" -m -- "$@"
}

# rows COLUMNS ARGUMENT...: the rows of the namespace, sorted by name, in the file rows
rows() {
	columns=$1
	shift
	succeeds mounts "$@" -r -n -o "$columns" || return
	sort "$ktap_dir/out" >"$ktap_dir/rows"
}

# has_row COLUMNS ARGUMENTS ROW...: these rows are in the table
has_row() {
	columns=$1
	arguments=$2
	shift 2
	# shellcheck disable=SC2086 # several words
	rows "$columns" $arguments || return
	for row; do
		grep -qxF -e "$row" "$ktap_dir/rows" && continue
		echo "expected '$row' of: $arguments, in:"
		cat "$ktap_dir/rows"
		return 1
	done
}

# hidden PID: 1 if the process does not see the root mount of its namespace, which is its own parent
hidden() {
	awk '$1 == $2 { whole = 1 } END { print 1 - whole }' "/proc/$1/mountinfo"
}

# sum NR: the file rows has so many mounts, in its last column
sum() {
	expect "sum of the rows" "$1" "$(awk '{ sum += $NF } END { print sum }' "$ktap_dir/rows")"
}

# count_types: the mounts that the process sees by type, as rows
count_types() {
	awk '{ for (i = 7; $i != "-"; i++); types[$(i + 1)]++ } END { for (type in types) print type, types[type] }' \
		"/proc/$space/mountinfo" | sort
}

types_are_counted() {
	make_space || return
	count_types >"$ktap_dir/before"
	for dir in 1 2 3; do
		tell space 0 mkdir "$base/$dir" && tell space 0 mount tmpfs size=1m "$base/$dir" || return
	done
	rows TYPE,MOUNTS -M "pid:$space" --by type && sum $(($(mounts_of "$mntns") - $(hidden "$space"))) || return
	awk '$1 == "tmpfs" { $2 += 3 } { print }' "$ktap_dir/before" | diff - "$ktap_dir/rows" || return
	rows TYPE,MOUNTS -M "$mntns" --by type && count_types | diff - "$ktap_dir/rows"
}

# bind_many DIR FIRST LAST: bind base/data on directories in it
bind_many() {
	# shellcheck disable=SC2016 # that shell has the variables
	within sh -c 'nr=$3; while [ $nr -le $4 ]; do mkdir "$2/$nr" && mount --bind "$1/data" "$2/$nr" || exit
		nr=$((nr + 1)); done' sh "$base" "$@"
}

# One directory is bound 500 times on itself, and 40 times elsewhere.
bound_directory_is_counted() {
	make_space && mkdir "$base/data" "$base/many" && tell space 500 bind "$base/data" 500 &&
		bind_many "$base/many" 1 40 || return
	has_row SOURCE,TYPE,MOUNTPOINT,MOUNTS "-M pid:$space --by source" "base\\x20fs[/data] tmpfs $base/data 540" \
		"base\\x20fs tmpfs $base 1" || return
	sum $(($(mounts_of "$mntns") - $(hidden "$space"))) || return
	# More than half of those in base are on base/data.
	has_row DIRECTORY,MOUNTPOINT,MOUNTS "-M $mntns --by directory" "$base/data $base/data 500" \
		"$base/many $base/many/1 40" || return
	succeeds mounts -M "$mntns" --by source -r -n -o MOUNTS,SOURCE,MOUNTPOINT || return
	cut -d ' ' -f 1 "$ktap_dir/out" | sort -rn >"$ktap_dir/sorted"
	biggest=$(head -n 1 "$ktap_dir/out")
	cut -d ' ' -f 1 "$ktap_dir/out" | diff "$ktap_dir/sorted" - &&
		succeeds mounts -M "$mntns" --by source --top 1 -r -n -o MOUNTS,SOURCE,MOUNTPOINT &&
		expect "the biggest" "$biggest" "$(cat "$ktap_dir/out")"
}

# Mounts in one directory, of which each is twice: none of the mount points is what fills the namespace.
doubled_mounts_are_counted_by_directory() {
	make_space && mkdir "$base/data" "$base/twice" && bind_many "$base/twice" 1 5 || return
	for nr in 1 2 3 4 5; do
		tell space 1 bind "$base/twice/$nr" 1 || return
	done
	has_row DIRECTORY,MOUNTS "-M pid:$space --by directory" "$base/twice 10" || return
	expect "other rows" 0 "$(grep -c "^$base/twice/" "$ktap_dir/rows")"
}

# What another mount hides counts, too.
hidden_mounts_are_counted() {
	make_space && mkdir "$base/data" "$base/deep" && bind_many "$base/deep" 1 20 &&
		tell space 0 mount tmpfs size=1m "$base/deep" || return
	has_row DIRECTORY,MOUNTS "-M pid:$space --by directory" "$base/deep 20" &&
		sum $(($(mounts_of "$mntns") - $(hidden "$space")))
}

# Names of directories can have any character but "/".
names_are_decoded() {
	odd=$(printf 'a b\tc\nd\\e#\303\244')
	make_space && mkdir "$base/data" "$base/plain" "$base/copy" && within mount --bind "$base/plain" "$base/copy" &&
		mv "$base/plain" "$base/$odd" && bind_many "$base/$odd" 1 7 || return
	has_row DIRECTORY,MOUNTPOINT,MOUNTS "-M pid:$space --by directory" \
		"$base/a\\x20b\\x09c\\x0ad\\x5ce#\\xc3\\xa4 $base/a\\x20b\\x09c\\x0ad\\x5ce#\\xc3\\xa4/1 7" || return
	succeeds mounts -M "pid:$space" --by source -J && "$here/json_check" -l <"$ktap_dir/out" >/dev/null &&
		grep -F 'base fs[/a b\tc\nd\\e#' "$ktap_dir/out" && return
	cat "$ktap_dir/out"
	return 1
}

# The only process in the namespace sees but few of the mounts.
chroot_hides_nothing() {
	make_base && mkdir "$base/root" "$base/data" || return
	# shellcheck disable=SC2016 # that shell has the variables
	unshare -m sh -c 'mount --make-rprivate / && mount --bind / "$1/root" && cd "$1/data" && mkdir 1 2 3 4 &&
		for nr in 1 2 3 4; do mount --bind . $nr || exit; done && exec chroot "$1/root" sleep 100000' sh "$base" &
	sleeper=$!
	space=$sleeper
	wait_until runs sleep "$space"
	mntns=$(inode "$space" mnt)
	expect "mounts that the process sees" 1 "$(awk 'END { print NR }' "/proc/$space/mountinfo")" || return
	has_row SOURCE,MOUNTS "-M pid:$space --by source" "base\\x20fs[/data] 4" &&
		sum $(($(mounts_of "$mntns") - $(hidden $$))) || return
	expect "flags" 0 "$(grep -c unseen "$ktap_dir/out")"
}

# quit_space: the agent ends; descriptor 9 is all that pins its namespace
quit_space() {
	exec 9<"/proc/$space/ns/mnt"
	mv "$ktap_dir/space.pid" "$ktap_dir/gone" && echo quit >"$ktap_dir/space.in" && wait "$(cat "$ktap_dir/gone")"
	rm "$ktap_dir/space.in" "$ktap_dir/space.out"
	# shellcheck disable=SC2034 # for agents.sh
	agents=''
}

namespace_without_a_process_is_read_by_its_file() {
	make_space && tell space 25 bind "$base" 25 || return
	count=$(($(mounts_of "$mntns") - $(hidden "$space")))
	quit_space
	has_row SOURCE,MOUNTS "-M /proc/$$/fd/9 --by source" "base\\x20fs 26" && sum $count &&
		fails mounts -M "$mntns" --by type && grep -q "mount namespace $mntns has no process" "$ktap_dir/err"
}

# A mount on the root directory: the agent still sees those below, but after it nothing does.
mounts_that_nothing_shows_are_mentioned() {
	make_space && tell space 0 mount tmpfs size=1m / || return
	count=$(mounts_of "$mntns")
	rows MOUNTS -M "pid:$space" --by type && sum $((count - $(hidden "$space"))) || return
	quit_space
	run mounts -M "/proc/$$/fd/9" --by type -r -n -o TYPE,FLAGS,MOUNTS
	expect "status" 0 "$status" && sort "$ktap_dir/out" >"$ktap_dir/rows" || return
	# One more than the root mount is hidden as that is.
	expect "the rows" "- unseen $((count - 2))
tmpfs - 1" "$(cat "$ktap_dir/rows")" || return
	grep -q "^ucountview: $((count - 2)) of the $count mounts of mount namespace $mntns are not seen: " "$ktap_dir/err"
}

# predict PATH: what the reader says of a new mount there, by namespace, in the file said
predict() {
	succeeds mounts --at "$1" -r -n -o MNTNS,NEW,FITS,FLAGS || return
	sort "$ktap_dir/out" >"$ktap_dir/said"
}

counters() {
	"$here/mounts_probe" records | awk '{ print $1, $4 }' | sort
}

# try PATH: make the mount, and compare the kernel's counters with what the reader has said
try() {
	predict "$1" || return
	counters >"$ktap_dir/before"
	mount -t tmpfs tmpfs "$1" || return
	counters >"$ktap_dir/after"
	umount "$1"
	awk 'NR == FNR { before[$1] = $2; next } $2 > before[$1] { print $1, $2 - before[$1], "yes", "-" }' \
		"$ktap_dir/before" "$ktap_dir/after" | sort >"$ktap_dir/made"
	diff "$ktap_dir/said" "$ktap_dir/made"
}

# adds MNTNS NR...: what the last prediction was, in the order of the numbers of the namespaces
adds() {
	while [ $# -gt 0 ]; do
		echo "$1 $2 yes -"
		shift 2
	done | sort | diff - "$ktap_dir/said"
}

# make_tree: base/shared, which is shared, a peer of it, and one of its directory x
make_tree() {
	make_base && mkdir "$base/shared" "$base/peer" "$base/part" "$base/private" &&
		mount -t tmpfs tmpfs "$base/shared" && mount --make-shared "$base/shared" &&
		mkdir -p "$base/shared/x/deep" "$base/shared/y" && mount --bind "$base/shared" "$base/peer" &&
		mount --bind "$base/shared/x" "$base/part" && ln -s shared/x "$base/link" || return
	own=$(inode $$ mnt)
}

# enter NAME: an agent in a copy of the mount namespace, where all is a peer of what it was copied from
enter() {
	start "$1" && tell "$1" 0 unshare-mounts
}

copies_in_the_own_namespace_are_foretold() {
	make_tree && try "$base/shared/y" && adds "$own" 2 &&
		try "$base/shared/x" && adds "$own" 3 && try "$base/part/deep" && adds "$own" 3 &&
		try "$base/link" && adds "$own" 3 && try "$base/private" && adds "$own" 1
}

# start_within NAME PID: start an agent in the mount namespace of the process
start_within() {
	mkfifo "$ktap_dir/$1.in" "$ktap_dir/$1.out" || return
	nsenter -t "$2" -m -- "$here/agent" <>"$ktap_dir/$1.in" 1<>"$ktap_dir/$1.out" &
	echo $! >"$ktap_dir/$1.pid"
	agents="$agents $1"
}

# Two peers, a slave, a slave of the slave that is shared itself, and one that gets nothing.
copies_in_other_namespaces_are_foretold() {
	make_tree && enter peer && enter slave && enter apart || return
	for point in shared peer part; do
		tell slave 0 propagation slave "$base/$point" && tell apart 0 propagation private "$base/$point" || return
	done
	tell slave 0 propagation shared "$base/shared" || return
	start_within below "$(ask slave pid)" && tell below 0 unshare-mounts || return
	peer=$(inode "$(ask peer pid)" mnt)
	slave=$(inode "$(ask slave pid)" mnt)
	below=$(inode "$(ask below pid)" mnt)
	try "$base/shared/y" && adds "$own" 2 "$peer" 2 "$slave" 2 "$below" 2 &&
		try "$base/part/deep" && adds "$own" 3 "$peer" 3 "$slave" 3 "$below" 3 || return
	# What the slave mounts is copied to its own peers alone.
	succeeds mounts -M "$slave" --at "$base/shared/y" -r -n -o MNTNS,NEW,FITS,FLAGS || return
	sort "$ktap_dir/out" >"$ktap_dir/said"
	adds "$slave" 1 "$below" 1 &&
		succeeds mounts -M "$(inode "$(ask apart pid)" mnt)" --at "$base/shared/y" -r -n -o NEW &&
		expect "where nothing is shared" 1 "$(cat "$ktap_dir/out")"
}

# A namespace with few mounts left refuses, and says so before: up to that limit, and not above.
full_namespace_is_foretold() {
	make_tree && lower fs.mount-max "$(cat /proc/sys/fs/mount-max)" && enter full &&
		tell full 0 mkdir "$base/fill" || return
	full=$(inode "$(ask full pid)" mnt)
	more=$(($(most_mounts) + 1))
	tell full $more bind "$base/fill" $more || return
	limit=$(($(mounts_of "$full") + 2))
	lower fs.mount-max $limit && try "$base/shared/y" && adds "$own" 2 "$full" 2 || return
	lower fs.mount-max $((limit - 1)) && predict "$base/shared/y" || return
	expect "of the full one" "$full 2 no -" "$(grep "^$full " "$ktap_dir/said")" || return
	mount -t tmpfs tmpfs "$base/shared/y" && return 1
	succeeds mounts --at "$base/shared/y" || return
	says "A new mount at $base/shared/y makes 4 mounts in 2 mount namespaces." &&
		says "It is refused with ENOSPC: it does not fit in 1 of them."
}

# A peer in a namespace that cannot be read is not passed over.
namespace_that_cannot_be_read_is_mentioned() {
	make_tree && start space && tell space 0 unshare-mounts || return
	space=$(ask space pid)
	mntns=$(inode "$space" mnt)
	quit_space
	predict "$base/shared/y" || return
	expect "its row" "$mntns - - unseen" "$(grep "^$mntns " "$ktap_dir/said")" || return
	count=$(mounts_of "$mntns")
	mount -t tmpfs tmpfs "$base/shared/y" && expect "its mounts" $((count + 2)) "$(mounts_of "$mntns")" || return
	succeeds mounts --at "$base/shared/y" || return
	says "Not all mounts of 1 mount namespace (unseen) can be read: there may be more copies."
}

# Between the mount and one that gets its copies there can be a group that only such a namespace has.
copies_through_such_a_namespace_are_mentioned() {
	make_base && mkdir "$base/upper" "$base/shared" && mount -t tmpfs tmpfs "$base/upper" &&
		mount --make-shared "$base/upper" && mkdir "$base/upper/y" && mount --bind "$base/upper" "$base/shared" &&
		mount --make-slave "$base/shared" && mount --make-shared "$base/shared" && enter space || return
	for how in slave shared; do
		tell space 0 propagation $how "$base/shared" || return
	done
	space=$(ask space pid)
	# The agent moves on to another namespace; descriptor 9 is all that pins this one.
	exec 9<"/proc/$space/ns/mnt"
	tell space 0 unshare-mounts && tell space 0 propagation slave "$base/shared" || return
	below=$(inode "$space" mnt)
	predict "$base/shared/y" || return
	expect "its row" "$below - - unseen" "$(grep "^$below " "$ktap_dir/said")" || return
	count=$(mounts_of "$below")
	mount -t tmpfs tmpfs "$base/shared/y" && expect "its mounts" $((count + 1)) "$(mounts_of "$below")"
}

# Where the system runs from its initramfs, the hidden root mount can get a copy as well. Nothing else is hidden.
copy_on_a_hidden_root_is_mentioned() {
	make_space || return
	root=$(awk '$1 == $2 { for (i = 7; $i != "-"; i++); print $(i + 1) }' "/proc/$space/mountinfo")
	[ "$root" = rootfs ] && [ "$(stat -c %d "$here")" = "$(stat -c %d /)" ] ||
		skip "this does not run from an initramfs" || return
	tell space 0 propagation shared / && start_within below "$space" && tell below 0 unshare-mounts || return
	pid=$(ask below pid)
	below=$(inode "$pid" mnt)
	# shellcheck disable=SC2016 # that shell has the variables
	nsenter -t "$pid" -m -- sh -c 'points=$(awk "\$5 !~ \"^/(proc.*)?\$\" { print \$5 }" /proc/self/mountinfo |
		sort -r) && mount --make-slave / && umount -l $points /proc &&
		mount --bind / "$1" && mount --move "$1" /' sh "$here" || return
	expect "mounts" 2 "$(mounts_of "$below")" || return
	succeeds mounts -M "$mntns" --at "$here" -r -n -o MNTNS,NEW,FITS,FLAGS || return
	expect "its row" "$below 1 - unseen" "$(grep "^$below " "$ktap_dir/out")" || return
	count=$(mounts_of "$below")
	within mount -t tmpfs tmpfs "$here" && expect "its mounts" $((count + 2)) "$(mounts_of "$below")"
}

bad_arguments_are_refused() {
	skip_without_mounts || return
	refuses mounts '--by process' '--by' '--by type --at /' '--at tmp' '--at /no/such/directory' '--by type -u 0' \
		'--at / --min-ratio 0' '--by type -w 1' '--by type --count 2' '--at / -U pid:1' '--by type -M pid:4194304'
}

needs_reader
ktap_clean_up_at_exit

ktap_run types_are_counted bound_directory_is_counted doubled_mounts_are_counted_by_directory \
	hidden_mounts_are_counted names_are_decoded chroot_hides_nothing namespace_without_a_process_is_read_by_its_file \
	mounts_that_nothing_shows_are_mentioned copies_in_the_own_namespace_are_foretold \
	copies_in_other_namespaces_are_foretold full_namespace_is_foretold namespace_that_cannot_be_read_is_mentioned \
	copies_through_such_a_namespace_are_mentioned copy_on_a_hidden_root_is_mentioned bad_arguments_are_refused
