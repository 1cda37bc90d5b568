#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Two stories of "No space left on device" on an empty disk, run in a VM.
#
# The watches: an editor holds 4 of the user's 16 inotify watches, so another
# program's 13th fails, first in the initial user namespace, then in a nested
# one. The container: its mount namespace is full.

set -eu

say()
{
	printf '\n\033[1m%s\033[0m\n' "$*"
}

# run COMMAND...: print the command, run it, print its exit status if it fails
run()
{
	printf '\n$ %s\n' "$*"
	"$@" 2>&1 || printf '(exit status %s)\n' $?
}

as_alice()
{
	# shellcheck disable=SC2016 # for the inner shell
	su alice -c 'exec "$0" "$@"' -- "$@"
}

# settle NUMBER: wait until alice holds this many watches
settle()
{
	tries=0
	until awk -v n="$1" '$3 == 1000 && $4 == "inotify_watches" && $5 == n { found = 1 }
			     END { exit !found }' /sys/kernel/debug/ucountview/ucounts; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || { echo "story: alice never came to hold $1 watches" >&2; exit 1; }
		sleep 0.1
	done
}

play_watches()
{
	say "1. Alice may have 16 inotify watches. Her editor holds 4."
	run sysctl -w fs.inotify.max_user_watches=16
	as_alice watcher editor/1 editor/2 editor/3 editor/4 &
	settle 4

	say "2. Another program of hers asks for 13 more. The 13th fails, and the disk is fine."
	run as_alice watcher many/01 many/02 many/03 many/04 many/05 many/06 many/07 many/08 many/09 many/10 many/11 many/12 many/13
	run df -h /tmp

	say "3. With 12, which is all it can get, ucountview says what is full:"
	set -- many/01 many/02 many/03 many/04 many/05 many/06 many/07 many/08 many/09 many/10 many/11 many/12
	as_alice watcher "$@" &
	settle 16
	run ucountview --top 3
	killall watcher
	wait

	say "4. The same in a user namespace of hers, where nothing seems to be limited:"
	run as_alice unshare -U -r cat /proc/sys/user/max_inotify_watches
	as_alice watcher editor/1 editor/2 editor/3 editor/4 &
	settle 4
	run as_alice unshare -U -r watcher "$@" many/13
	as_alice unshare -U -r watcher "$@" &
	settle 16
	run ucountview -R inotify_watches
	say "Level 1 is unlimited, but every watch is charged to level 0 too, and there 16 of 16 are used:"
	run ucountview why "$(pidof watcher | cut -d ' ' -f 1)" -R inotify_watches
	killall watcher
	wait
}

play_mounts()
{
	say "5. A container engine mounts an overlay, and it fails:"
	modprobe overlay
	mkdir lower upper work merged
	run sysctl -w fs.mount-max="$(awk 'NR > 1 && $7 == 1 { print $4 }' /sys/kernel/debug/ucountview/mounts)"
	run mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged
	run df -h /tmp
	run ucountview mounts
}

dir=$(mktemp -d)
chmod 755 "$dir"
cd "$dir"
cp /host/watcher /bin/watcher
sed -i /:1000:/d /etc/passwd /etc/group
echo 'alice:x:1000:1000::/:/bin/sh' >>/etc/passwd
echo 'alice:x:1000:' >>/etc/group
mkdir editor many
for i in 1 2 3 4; do : >"editor/$i"; done
for i in 01 02 03 04 05 06 07 08 09 10 11 12 13; do : >"many/$i"; done

play_watches
play_mounts
