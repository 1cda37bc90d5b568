#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the VM: the cost of a watch and of a refusal without the module, with it, and while it records denials, in
# lines as those of shapes. It removes the module.

set -e
charge=/host/charge
denials=/sys/module/ucountview/parameters/denials
watches=/proc/sys/fs/inotify/max_user_watches

refused() {
	limit=$(cat $watches)
	echo 0 >$watches
	$charge refused
	echo "$limit" >$watches
}

$charge >/dev/null # warms up
off=$($charge)
off_refused=$(refused)
echo Y >$denials
armed=$($charge)
armed_refused=$(refused)
echo N >$denials
rmmod ucountview
none=$($charge)
none_refused=$(refused)
cat <<LINES
charge,1,no module,$none,
charge,1,not armed,$off,
charge,1,armed,$armed,
charge,1,refused without it,$none_refused,
charge,1,refused not armed,$off_refused,
charge,1,refused armed,$armed_refused,
LINES
