#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The story of the watch that fails, played in a VM: an editor holds 4 of the
# user's 16 inotify watches, so the 13th of another program fails with "No space
# left on device", first in the initial user namespace, then in a nested one.

set -eu

dir=$(mktemp -d)
chmod 755 "$dir"
cd "$dir"

say()
{
	printf '\n\033[1m%s\033[0m\n' "$*"
}

run()
{
	printf '\n$ %s\n' "$*"
	"$@" || printf '(exit status %s)\n' $?
}

# watch FILE...: as alice. inotifyd adds a watch for each file and keeps them.
watch_as_alice()
{
	setuidgid alice inotifyd true "$@"
}

settle()
{
	# until alice holds $1 watches
	while ! awk -v n="$1" '$3 == 1000 && $4 == "inotify_watches" && $5 == n { found = 1 }
			       END { exit !found }' /sys/kernel/debug/ucountview/ucounts; do
		sleep 0.1
	done
}

grep -q '^alice:' /etc/passwd || echo 'alice:x:1000:1000::/:/bin/sh' >>/etc/passwd
grep -q '^alice:' /etc/group || echo 'alice:x:1000:' >>/etc/group
mkdir editor many
for i in 1 2 3 4; do : >"editor/$i"; done
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13; do : >"many/$i"; done

say "1. Alice may have 16 inotify watches. Her editor holds 4."
run sysctl -w fs.inotify.max_user_watches=16
watch_as_alice editor/1 editor/2 editor/3 editor/4 &
editor=$!
settle 4

say "2. Another program of hers asks for 13 more. The 13th fails."
run setuidgid alice inotifyd true many/*
run df -h .

say "3. The disk is fine. While it holds the 12 that it could get, ucountview says what is full:"
set -- many/1 many/2 many/3 many/4 many/5 many/6 many/7 many/8 many/9 many/10 many/11 many/12
watch_as_alice "$@" &
program=$!
settle 16
run ucountview
kill $program
wait $program 2>/dev/null || :
settle 4

say "4. The same in a user namespace of hers, where nothing seems to be limited:"
run setuidgid alice unshare -U -r cat /proc/sys/user/max_inotify_watches
run setuidgid alice unshare -U -r inotifyd true many/*
setuidgid alice unshare -U -r inotifyd true "$@" &
program=$!
settle 16
run ucountview
say "Level 1 is unlimited, but every watch is charged to level 0 too, and there 16 of 16 are used."
kill $program $editor
wait 2>/dev/null || :
