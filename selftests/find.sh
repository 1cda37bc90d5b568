# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154 # whoever reads this sets $here
# Find the module and the reader, and what the loaded module can do. For load.sh and reader.sh, which read this.

debugfs=/sys/kernel/debug/ucountview

loaded() {
	grep -q '^ucountview ' /proc/modules
}

# The module's file: UCV_KO, or where installers put it. modprobe finds it if depmod ran.
find_module() {
	modules=/lib/modules/$(uname -r)
	for file in "${UCV_KO:-}" "$modules"/extra/ucountview.ko* "$modules"/updates/ucountview.ko* \
		"$modules"/updates/dkms/ucountview.ko*; do
		if [ -n "$file" ] && [ -f "$file" ]; then
			echo "$file"
			return
		fi
	done
	modinfo -n ucountview 2>/dev/null
}

# The reader: UCOUNTVIEW, or the installed one, or the one built in the repository.
find_reader() {
	for reader in "${UCOUNTVIEW:-}" "$(command -v ucountview)" "$here/../tools/ucountview/ucountview"; do
		if [ -n "$reader" ] && [ -x "$reader" ]; then
			echo "$reader"
			return
		fi
	done
}

# status_of KEY: a line of debugfs' status
status_of() {
	sed -n "s/^$1: //p" $debugfs/status
}

# has_feature NAME: from the device, as the kernel may have no debugfs
has_feature() {
	"$here/mounts_probe" features | grep -qx "$1"
}

# In a test, "skip_without_debugfs || return".
skip_without_debugfs() {
	[ -r "$debugfs/status" ] || skip "debugfs cannot be read"
}

mounts_available() {
	[ "$("$here/mounts_probe" available)" = yes ]
}

skip_without_mounts() {
	mounts_available || skip "the module cannot read mount counters here"
}

# inode PID TYPE: the inode number of the process's namespace of this type
inode() {
	stat -L -c %i "/proc/$1/ns/$2"
}

# kernel_options: the options that the kernel was built with, as in its .config; nothing if they are not to be had
kernel_options() {
	zcat /proc/config.gz 2>/dev/null || cat "/boot/config-$(uname -r)" 2>/dev/null
}

# kernel_lacks OPTION...: those of these options, without their CONFIG_, that the kernel was built without; nothing if
# that is not known
kernel_lacks() {
	kernel_options | grep -q '^CONFIG_MODULES=' || return 0
	for option; do
		kernel_options | grep -q "^CONFIG_$option=[ym]\$" || echo "$option"
	done
}
