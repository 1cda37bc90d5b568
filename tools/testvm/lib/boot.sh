# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # names are shared between the rooms of testvm
# One boot in QEMU.

# Software emulation runs all guest CPUs in one thread: QEMU 7.2 with thread=multi breaks the live text patching of x86
# guests (kprobes, static keys, static calls), in most boots, with an Oops that is not ours.
accelerator() {
	if [[ ${icount:-} ]]; then
		echo "-accel tcg,thread=single -icount shift=0,sleep=off -rtc base=2026-01-01,clock=vm -seed 1"
		return
	fi
	if kvm_works "$1"; then
		echo "-accel kvm -cpu host"
		return
	fi
	echo "-accel tcg,thread=single"
}

# kvm_works NAME: /dev/kvm says little (nested and paravirtual hosts), so a trial boot decides, once per boot of the host
kvm_works() {
	local answer
	answer=$cache/kvm-$(cat /proc/sys/kernel/random/boot_id)

	case ${UCV_ACCEL:-} in
	kvm) return 0 ;;
	tcg) return 1 ;;
	esac
	[[ -r /dev/kvm && -w /dev/kvm ]] || return 1
	[[ -e $answer ]] || with_lock kvm try_kvm "$1" "$answer"
	[[ $(cat "$answer") == yes ]]
}

try_kvm() {
	local dir=$tmp/kvm result=no

	[[ -e $2 ]] && return
	say "trying KVM (once)"
	mkdir -p "$dir"
	make_initramfs "$1" "$dir/tree" no true
	qemu "$1" "$dir" 10 -accel kvm -cpu host || :
	if grep -qx 'status 0' "$dir/control"; then
		result=yes
	fi
	rm -f "$cache"/kvm-*
	echo $result >"$2"
	say "KVM works: $result"
}

# qemu NAME DIRECTORY SECONDS OPTION…: boot DIRECTORY/tree.cpio; the guest's ports and its console become files there.
# Files, not pipes: a slow reader can then neither stop the guest nor lose its last bytes. ioeventfd=off: the guest's
# write returns when the bytes are in the file.
qemu() {
	local dir=$2 image more='' name=$1 port ports=() release seconds=$3 smp
	shift 3
	image=$(kernel_root "$name")/$(kernel_fact "$name" image)
	release=$(kernel_fact "$name" release)

	smp=${cpus:-1}
	if [[ $kind == source ]]; then
		# Without ACPI a kernel learns of one CPU a socket, and takes two sockets' TSCs for unsynchronized. Slabs under
		# debug have no sheaves, whose stale pointers would hide leaks from kmemleak (seen on 7.3).
		smp+=,sockets=$smp
		more="tsc=reliable slab_debug=FZ"
	fi
	for port in output error control; do
		: >"$dir/$port"
		ports+=(-chardev "file,id=$port,path=$dir/$port"
			-device "virtserialport,chardev=$port,name=testvm.$port")
	done
	: >"$dir/console"
	timeout -k 3 "$seconds" qemu-system-x86_64 "$@" \
		-name "testvm-$release" -m "${memory:-512}" -smp "$smp" \
		-nodefaults -no-user-config -display none -no-reboot \
		-kernel "$image" -initrd "$dir/tree.cpio" \
		-append "console=ttyS0 ignore_loglevel printk.devkmsg=on panic=-1 ${icount:+nokaslr norandmaps }$more ${parameters:-}" \
		-serial "file:$dir/console" \
		-device virtio-serial-pci,ioeventfd=off "${ports[@]}" \
		</dev/null >"$dir/qemu" 2>&1 &
	qemu_pid=$!
	if [[ ${stream:-} ]]; then
		tail ---disable-inotify -s 0.05 --pid=$qemu_pid -c +1 -f "$dir/output" &
		tail ---disable-inotify -s 0.05 --pid=$qemu_pid -c +1 -f "$dir/error" >&2 &
	fi
	wait $qemu_pid 2>/dev/null # (the shell's word on a QEMU that aborted)
}
