#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir
# Tests in a booted release, for release-check: the commands of the README as a user with sudo, dkms through a kernel
# upgrade, removal. Each part is one boot.
#
# usage: release-guest.sh installed|upgraded CODENAME

. /host/ktap.sh
part=$1
codename=$2
first=/srv/kernel/first
second=$(cat /srv/kernel/release)
examples=/usr/share/doc/ucountview-dkms/examples
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' /host/ucountview/dkms.conf)
kernel=$(uname -r)

# as USER COMMAND: in a login shell, in the sources
as() {
	runuser -l "$1" -c "cd /home/admin/ucountview && $2"
}

# readme N: run that command of the README
readme() {
	command=$(sed -n "$1p" /host/readme)
	# Debian 11, which the README does not speak of, has dh_dkms in another package
	[ "$codename" != bullseye ] || command=$(echo "$command" | sed 's/dh-dkms/dkms/')
	echo "\$ $command"
	as admin "$command"
}

loaded() {
	grep -q '^ucountview ' /proc/modules && [ -c /dev/ucountview ]
}

# built_for KERNEL: dkms has installed the module for it
built_for() {
	dkms status ucountview
	dkms status ucountview | grep "$1,.*: installed" && modinfo -k "$1" -F vermagic ucountview | grep "^$1 "
}

systemd_is_running() {
	state=$(systemctl is-system-running --wait)
	systemctl --failed --no-legend
	expect "state of the system" running "$state"
}

readme_installs_what_is_needed() {
	readme 1
}

readme_builds_packages() {
	readme 2
}

readme_installs_packages() {
	readme 3 && built_for "$kernel"
}

readme_loads_the_module() {
	readme 4 && loaded && expect "denials are recorded" Y "$(cat /sys/module/ucountview/parameters/denials)"
}

# fdinfo PID: the number of its watches as procfs has it
fdinfo() {
	cat "/proc/$1"/fdinfo/* 2>/dev/null | grep -c '^inotify wd:'
}

watches() {
	[ "$(fdinfo "$1")" -gt 0 ]
}

# reads COMMAND…: the reader, run so, shows the watches of a new process
reads() {
	useradd --system watcher 2>/dev/null
	runuser -u watcher -- tail -F /etc/hostname /etc/hosts >"$ktap_dir/tail" 2>&1 &
	tail=$!
	# runuser stays as the parent
	wait_until pgrep -P $tail -x tail >"$ktap_dir/pid" || return
	pid=$(pgrep -P $tail -x tail)
	wait_until watches "$pid" && sleep 1
	seen=$("$@" usage -u watcher -R inotify_watches -r -n -o USED)
	expected=$(fdinfo "$pid")
	kill "$pid"
	wait $tail
	[ "$expected" -gt 1 ] && expect "watches" "$expected" "$seen"
}

readme_runs_the_reader() {
	readme 5 >"$ktap_dir/readme" || return
	cat "$ktap_dir/readme"
	grep -E '^ *USERNS +LEVEL +UID +USER +RESOURCE +USED +LIMIT +USE%' "$ktap_dir/readme" && reads ucountview
}

# dkms signs modules from version 3 on, with a key that it makes.
module_is_signed() {
	[ -e /var/lib/dkms/mok.pub ] || skip "dkms $(dkms --version) has made no key" || return
	subject=$(openssl x509 -inform der -in /var/lib/dkms/mok.pub -noout -subject -nameopt multiline |
		sed -n 's/^ *commonName *= //p')
	[ -n "$subject" ] && expect signer "$subject" "$(modinfo -F signer ucountview)"
}

reader_is_root_only() {
	! runuser -u watcher -- ucountview
}

# use EXAMPLE: run the command in its first lines, as it is
use() {
	command=$(sed -n 's/^#.*\(install -D .*\)/\1/p' "$examples/$1")
	echo "\$ $command"
	[ -n "$command" ] && (cd "$examples/${1%/*}" && sh -c "$command")
}

group_may_read() {
	use sysusers.d/ucountview.conf && use udev/60-ucountview.rules && udevadm settle || return
	ls -l /dev/ucountview
	useradd --groups ucountview reader && reads runuser -u reader -- ucountview
}

unloads() {
	modprobe -r ucountview || return
	! loaded && [ ! -e /dev/ucountview ]
}

loads_at_boot_from_now_on() {
	use modules-load.d/ucountview.conf && echo "$kernel" >$first
}

dkms_builds_for_an_upgraded_kernel() {
	as admin "sudo apt install /srv/kernel/*.deb" || return
	built_for "$second" && built_for "$kernel"
}

runs_the_upgraded_kernel() {
	expect kernel "$second" "$kernel" && systemd_is_running
}

module_was_loaded_at_boot() {
	loaded && expect "denials are recorded" Y "$(cat /sys/module/ucountview/parameters/denials)" && reads ucountview
}

group_may_read_after_boot() {
	reads runuser -u reader -- ucountview
}

dkms_forgets_a_removed_kernel() {
	old=$(cat $first)
	as admin "sudo apt purge linux-image-$old linux-headers-$old" || return
	dkms status ucountview
	! dkms status ucountview | grep "$old" && [ ! -e "/lib/modules/$old" ] && built_for "$kernel"
}

# doctor OPTION: have the headers say that the kernel lacks it
doctor() {
	headers=$(readlink -f "/lib/modules/$kernel/build")
	for file in .config include/config/auto.conf; do
		[ -e "$headers/$file.saved" ] || cp "$headers/$file" "$headers/$file.saved"
	done
	sed "s/^$1=.*/# $1 is not set/" "$headers/.config.saved" >"$headers/.config"
	sed "/^$1=/d" "$headers/include/config/auto.conf.saved" >"$headers/include/config/auto.conf"
}

heal() {
	for file in .config include/config/auto.conf; do
		mv "$headers/$file.saved" "$headers/$file"
	done
}

# Old dkms runs the build, which declines; newer dkms reads dkms.conf. Either gives a reason, and the second is no error
# for the installation of a kernel. make names the option.
declines() {
	doctor "$1"
	dkms remove "ucountview/$version" -k "$kernel" || return
	# with its last build, old dkms forgets the module
	dkms add "ucountview/$version" 2>/dev/null
	! dkms build "ucountview/$version" -k "$kernel" >"$ktap_dir/said" 2>&1
	failed=$?
	cat "/var/lib/dkms/ucountview/$version/build/make.log" >>"$ktap_dir/said" 2>/dev/null
	cat "$ktap_dir/said"
	! make -s -C /host/ucountview module >"$ktap_dir/make" 2>&1 && grep "declined.*$1" "$ktap_dir/make"
	named=$?
	[ $failed -eq 0 ] && grep -qE 'BUILD_EXCLUSIVE|declined' "$ktap_dir/said" && [ $named -eq 0 ]
}

dkms_declines_a_kernel_without_kprobes() {
	declines CONFIG_KPROBES
	status=$?
	heal
	dkms install "ucountview/$version" -k "$kernel" && built_for "$kernel" && return $status
}

# Not what was copied by hand, as told.
left() {
	rm -f /etc/sysusers.d/ucountview.conf /etc/udev/rules.d/60-ucountview.rules /etc/modules-load.d/ucountview.conf
	find / -xdev -name '*ucountview*' ! -path '/home/*' ! -path "$ktap_dir*"
	grep -l ucountview /lib/modules/*/modules.dep
	dpkg-query -W -f '${Package} ${Status}\n' '*ucountview*' 2>/dev/null | grep -v not-installed
}

readme_purges_packages() {
	modprobe -r ucountview
	command=$(cat /host/purge)
	echo "\$ $command"
	as admin "$command" || return
	expect "what dkms has" '' "$(dkms status)" && expect "what is left" '' "$(left)"
}

clean_up() {
	:
}

case $part in
installed)
	cp -r /host/ucountview /home/admin/ && chown -R admin: /home/admin/ucountview
	echo "# kernel: $kernel"
	echo "# dkms: $(dkms --version | sed 's/^dkms[-: ]*//')"
	ktap_run systemd_is_running readme_installs_what_is_needed readme_builds_packages readme_installs_packages \
		readme_loads_the_module readme_runs_the_reader module_is_signed reader_is_root_only group_may_read \
		unloads loads_at_boot_from_now_on dkms_builds_for_an_upgraded_kernel
	;;
upgraded)
	echo "# upgraded: $kernel"
	ktap_run runs_the_upgraded_kernel module_was_loaded_at_boot group_may_read_after_boot \
		dkms_forgets_a_removed_kernel unloads dkms_declines_a_kernel_without_kprobes readme_purges_packages
	;;
esac
