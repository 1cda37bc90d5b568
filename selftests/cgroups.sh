# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154 # whoever reads this sets $ktap_dir
# Cgroups with the names that systemd and container runtimes give theirs, for the scripts that test the reader, and
# agents (agents.sh) in them.

# The directories of hierarchies that are mounted here, and those made in their roots.
hierarchies=''
made=''

systemd_runs() {
	[ -d /run/systemd/system ]
}

# remove DIRECTORY: a cgroup and all below
remove() {
	find "$1" -depth -type d -exec rmdir {} \; 2>/dev/null
	[ ! -d "$1" ]
}

# hierarchy NAME OPTION...: mount one at $ktap_dir/NAME, with these options of mount
hierarchy() {
	name=$1
	shift
	mkdir -p "$ktap_dir/$name" && mount "$@" none "$ktap_dir/$name" || skip "there is no $name here" || return
	hierarchies="$hierarchies $ktap_dir/$name"
}

cgroup2() {
	hierarchy cgroup2 -t cgroup2
}

# joins NAME PATH [HIERARCHY]: move an agent into a cgroup, which is made if it is not there
joins() {
	root=$ktap_dir/${3:-cgroup2}
	top=$root/$(echo "${2#/}" | cut -d / -f 1)
	[ -d "$top" ] || made="$made $top"
	mkdir -p "$root/$2" && ask "$1" pid >"$root/$2/cgroup.procs"
}

# remove_cgroups: with their hierarchies. A cgroup can be removed a while after its last process has exited.
remove_cgroups() {
	for top in $made; do
		wait_until remove "$top" || echo "$top is left"
	done
	made=''
	for each in $hierarchies; do
		umount "$each"
	done
	hierarchies=''
}
