#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the VM: what an administrator writes to find out who has the inotify watches, to compare with: the lines of
# /proc/PID/fdinfo, added up for each process.

grep -s -c '^inotify' /proc/[0-9]*/fdinfo/* |
	awk -F '[/:]' '
		{ watches[$3] += $NF }
		END {
			for (pid in watches) {
				if (watches[pid]) {
					comm = ""
					getline comm <("/proc/" pid "/comm")
					print watches[pid], pid, comm
				}
			}
		}' | sort -rn
