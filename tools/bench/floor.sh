#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the VM: what the least that any reader has to do costs now. Prints
#
#   NS floor-touch
#   NS floor-copy

set -e
table=$(awk '$3 == "ucounts_hashtable" { print $1 }' /proc/kallsyms)
buckets=$(sed -n 's/^buckets: //p' /sys/kernel/debug/ucountview/status)
insmod /host/ucv_floor.ko table="0x$table" buckets="$buckets"
cd /sys/module/ucv_floor/parameters
echo "$(cat touch_ns) floor-touch"
echo "$(cat copy_ns) floor-copy"
rmmod ucv_floor
