# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # names are shared between the files of testvm
# A machine: a release installed on a disk image, and booted from it with its own kernel, initrd and systemd, where a
# service runs a command (see ../machine-service).
#
# In the cache a machine is a directory: disk, vmlinuz, initrd, ucv-kernel, and ucv-packages: what it was made from.

# What each has. Only these and what the caller names are installed: no recommended packages.
machine_packages=dbus,e2fsprogs,kmod,login,mount,passwd,procps,sudo,systemd-sysv,udev

# in_machine ROOT COMMAND…: as in_root, for programs that would ask questions
in_machine() {
	in_root "$1" env DEBIAN_FRONTEND=noninteractive "${@:2}"
}

# machine_settle ROOT: what an installer would have asked, and the service
machine_settle() {
	local root=$1

	tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
	echo testvm >"$root/etc/hostname"
	printf '127.0.0.1 localhost testvm\n' >"$root/etc/hosts"
	mkdir -p "$root/host"
	echo 'APT::Get::Assume-Yes "true";' >"$root/etc/apt/apt.conf.d/testvm"
	in_root "$root" useradd --create-home --shell /bin/bash admin
	echo 'admin ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/admin"
	install -m 755 "$testvm_dir/machine-service" "$root/usr/local/sbin/testvm"
	cat >"$root/etc/systemd/system/testvm.service" <<-'UNIT'
		[Unit]
		Description=Command of testvm
		After=systemd-user-sessions.service dbus.service
		[Service]
		ExecStart=/usr/local/sbin/testvm
		KillMode=process
		[Install]
		WantedBy=multi-user.target
	UNIT
	in_root "$root" systemctl enable --quiet testvm.service
	# The console is for the kernel.
	in_root "$root" systemctl mask --quiet serial-getty@ttyS0.service serial-getty@ttyAMA0.service getty@tty1.service
}

# make_disk FILE DIRECTORY LABEL SIZE: an ext4 file system with these files, which any release can mount
make_disk() {
	rm -f "$1"
	truncate -s "$4" "$1"
	mke2fs -q -F -t ext4 -m 0 -O '^orphan_file,^metadata_csum_seed' -L "$3" -d "$2" "$1" >&2
}

# machine_take_kernel ROOT DIRECTORY RELEASE: what QEMU boots
machine_take_kernel() {
	local image release=$3

	for image in "$1/boot/vmlinuz-$release" "$1/usr/lib/modules/$release/vmlinuz" ''; do
		[[ -e $image ]] && break
	done
	[[ $image && -e $1/boot/initrd.img-$release ]] || die "kernel $release has no image or no initrd"
	cp "$image" "$2/vmlinuz"
	cp "$1/boot/initrd.img-$release" "$2/initrd"
	printf '%s\n' "release=$release" image=vmlinuz >"$2/ucv-kernel"
}

# machine_make NAME CODENAME SUITES PACKAGE,PACKAGE… FINISH: make the machine unless the cache has it. The function FINISH
# gets the root, installs a kernel there, and sets $release to that kernel's.
machine_make() {
	local all=$machine_packages,$4 dir release='' root
	dir=$(kernel_root "$1")
	root=$dir.root

	[[ $(cat "$dir/ucv-packages" 2>/dev/null) == "$all" ]] && return
	say "installing $2 on a disk (some minutes)"
	rm -rf "$dir" "$dir.new" "$root"
	mkdir -p "$dir.new"
	install_release "$2" "$3" "$root" "$all" || die "mmdebstrap cannot make a $2"
	machine_settle "$root"
	in_machine "$root" apt-get -qq update >&2 || die "apt cannot read the package lists of $2"
	$5 "$root"
	machine_take_kernel "$root" "$dir.new" "$release"
	make_disk "$dir.new/disk" "$root" root 6G
	rm -rf "$root"
	echo "$all" >"$dir.new/ucv-packages"
	mv "$dir.new" "$dir"
}

# machine_run NAME DIRECTORY SECONDS DISK: boot the disk with DIRECTORY/{vmlinuz,initrd}, and DIRECTORY/host as /host, whose
# file "command" is run. Its output becomes DIRECTORY/output. Returns the command's status; 125 or 126 as testvm does.
machine_run() {
	local accel bad dir=$2 ended qemu_status=0 remains
	local virtio=if=virtio,format=raw,cache=unsafe

	make_disk "$dir/host.disk" "$dir/host" host 1G
	read -ra accel <<<"$(accelerator "$default_kernel")"
	rm -f "$dir"/{qmp.in,qmp.out,qmp,late}
	vm_image=$dir/vmlinuz vm_initrd=$dir/initrd
	parameters="root=LABEL=root rw systemd.show_status=false"
	qemu "$1" "$dir" "$3" "${accel[@]}" -drive "file=$4,$virtio" -drive "file=$dir/host.disk,$virtio" ||
		qemu_status=$?
	wait
	if ! ended=$(ending "$dir" $qemu_status "$3") || ! grep -qx 'done' "$dir/control"; then
		mkdir -p "$cache/logs"
		remains=$(mktemp -d "$cache/logs/$1-XXXXXX")
		keep_remains "$dir" "$remains"
		say "$1: the command did not end: $ended, see $remains"
		return 125
	fi
	bad=$(klog_offenders "$dir/console" | head -n 5)
	if [[ $bad ]]; then
		printf '%s\n' "$bad" >&2
		say "$1: the kernel log holds a splat"
		return 126
	fi
	return "$(sed -n 's/^status //p' "$dir/control")"
}
