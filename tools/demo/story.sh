#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Three stories of "No space left on device" on an empty disk, run in a VM.
#
# The watches: an editor holds 4 of the user's 16 inotify watches, so another program's 13th fails, first in the initial
# user namespace, then in a nested one. The network namespaces: root may have three. The container: its mount namespace
# is full.

set -eu

say()
{
	printf '\n\033[1m%s\033[0m\n' "$*"
}

# run COMMAND...: print the command, run it, print its exit status if it fails
run()
{
	printf '\n# %s\n' "$*"
	"$@" 2>&1 || printf '(exit status %s)\n' $?
}

as_alice()
{
	su alice -c "exec $*"
}

# run_as_alice COMMAND: the same as alice; the argument is for her shell
run_as_alice()
{
	printf '\nalice$ %s\n' "$1"
	as_alice "$1" 2>&1 || printf '(exit status %s)\n' $?
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
	as_alice "watcher editor/*" &
	settle 4

	say "2. Another program of hers asks for 13 more. The 13th fails, and the disk is fine."
	run_as_alice "watcher many/*"
	run df -h /tmp
	say "It has ended, but its refusal is recorded:"
	run ucountview why --last watcher

	say "3. With 12, which is all it can get, ucountview says what is full:"
	as_alice "watcher many/0? many/1[0-2]" &
	settle 16
	run ucountview --top 3
	killall watcher
	wait

	say "4. The same in a user namespace of hers, where nothing seems to be limited:"
	run_as_alice "unshare -U -r cat /proc/sys/user/max_inotify_watches"
	as_alice "watcher editor/*" &
	settle 4
	run_as_alice "unshare -U -r watcher many/*"
	as_alice "unshare -U -r watcher many/0? many/1[0-2]" &
	settle 16
	run ucountview -R inotify_watches
	say "Level 1 is unlimited, but each watch is also charged to level 0, and that is full:"
	run ucountview why "$(pidof watcher | cut -d ' ' -f 1)" -R inotify_watches
	killall watcher
	wait
}

# namespaces NUMBER: wait until root, who can have two rows, is charged for this many network namespaces
namespaces()
{
	tries=0
	until awk -v n="$1" '$3 == 0 && $4 == "net_namespaces" { used += $5 } END { exit used != n }' \
			/sys/kernel/debug/ucountview/ucounts; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || { echo "story: root never came to have $1 network namespaces" >&2; exit 1; }
		sleep 0.1
	done
}

play_namespaces()
{
	say "5. Root may have 3 network namespaces, and has them. Another one fails:"
	run sysctl -w user.max_net_namespaces=3
	for i in 1 2 3; do
		unshare -n sleep 1000 &
	done
	namespaces 3
	run unshare -n true
	run ucountview why --last unshare
	run ucountview holders -R net_namespaces
	killall sleep
	wait
}

play_mounts()
{
	say "6. A container engine mounts an overlay, and it fails:"
	modprobe overlay
	mkdir lower upper work merged
	run sysctl -w fs.mount-max="$(awk 'NR > 1 && $7 == 1 { print $4 }' /sys/kernel/debug/ucountview/mounts)"
	run mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged
	run df -h /tmp
	run ucountview mounts
	run ucountview why --last mount
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

# as the packages have it
echo Y >/sys/module/ucountview/parameters/denials
play_watches
play_namespaces
play_mounts
