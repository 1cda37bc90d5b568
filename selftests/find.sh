# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154 # whoever reads this sets $here
# Where what is tested is: for the scripts that test the reader, or load the module.

loaded() {
	grep -q '^ucountview ' /proc/modules
}

# The file of the module: UCV_KO, or where installers put it; modprobe knows it if depmod ran.
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

# The reader: UCOUNTVIEW, or the one that is installed, or the one built beside this folder.
find_reader() {
	for reader in "${UCOUNTVIEW:-}" "$(command -v ucountview)" "$here/../tools/ucountview/ucountview"; do
		if [ -n "$reader" ] && [ -x "$reader" ]; then
			echo "$reader"
			return
		fi
	done
}
