# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # names are shared between the files of testvm
# What differs between the architectures of the kernels. Those of others than the host are built by cross compilers, in
# a root whose tools are the host's, and always run in software.

host_arch=$(dpkg --print-architecture)

# arch_lookup ARCHITECTURE: set triplet (of its compiler and libraries), emulator, machine, console (the kernel's name
# for the first serial line), bus (of virtio's devices), arguments (more parameters of the kernel), and compiler_32: the
# packages of a compiler for its 32-bit programs, if that is another one
arch_lookup() {
	arguments='' bus=pci machine=() compiler_32=()
	case $1 in
	amd64)
		triplet=x86_64-linux-gnu emulator=qemu-system-x86_64 console=ttyS0
		# the kernel's self-test of the timer panics if a busy host delays its first interrupts
		arguments=no_timer_check
		;;
	arm64)
		triplet=aarch64-linux-gnu emulator=qemu-system-aarch64 console=ttyAMA0
		machine=(-machine virt -cpu cortex-a72) # runs 32-bit programs
		compiler_32=(gcc-arm-linux-gnueabihf libc6-dev-armhf-cross)
		;;
	riscv64)
		triplet=riscv64-linux-gnu emulator=qemu-system-riscv64 console=ttyS0
		machine=(-machine virt)
		;;
	s390x)
		triplet=s390x-linux-gnu emulator=qemu-system-s390x console=ttysclp0 bus=ccw
		machine=(-machine s390-ccw-virtio -cpu max)
		;;
	*) die "kernels: unknown architecture '$1'" ;;
	esac
}

foreign() {
	[[ $arch != "$host_arch" ]]
}

# libraries NAME PROGRAM: the libraries it needs and its loader: their places on the host or, of a foreign program, in the
# root of the kernel NAME; none for scripts and static programs, about which ldd complains
libraries() {
	if foreign; then
		foreign_libraries "$@" | sort -u
	elif readelf -lW "$2" 2>/dev/null | grep -q INTERP; then
		ldd "$2" | grep -o '/[^ ]*'
	fi
}

foreign_libraries() {
	local library

	readelf -lW "$2" | sed -n 's/.*program interpreter: \(.*\)]/\1/p'
	while read -r library; do
		printf '/lib/%s/%s\n' "$triplet" "$library"
		foreign_libraries "$1" "$(kernel_root "$1")/lib/$triplet/$library"
	done < <(readelf -dW "$2" | sed -n 's/.*(NEEDED).*\[\(lib.*\)\]/\1/p')
}
