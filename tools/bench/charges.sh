#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the VM: the cost of a watch and of a refusal without the module, with it, and while it records denials. Prints
#
#   NONE OFF ARMED NONE-REFUSED ARMED-REFUSED

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
echo Y >$denials
armed=$($charge)
armed_refused=$(refused)
echo N >$denials
rmmod ucountview
echo "$($charge) $off $armed $(refused) $armed_refused"
