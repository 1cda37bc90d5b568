# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154 # whoever reads this sets $here
# Find the module and the reader, for the scripts that load the one or test the other.

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
