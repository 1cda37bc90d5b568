# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # names are shared between the files of testvm
# Turns a line of the list into a root with that kernel, its headers and its release's compiler, each at its true path.
# Nothing in it is ever installed or booted from; modules are built in it with chroot.

build_tools=(bash binutils coreutils dash findutils grep kmod libc6-dev make mawk perl sed) # perl: W=1 runs kernel-doc
guest_tools=(busybox-static)
# For a foreign kernel, the reader and the selftests are built in its root, too.
foreign_tools=("${guest_tools[@]}" libc6 libc6-dev libsmartcols1 libsmartcols-dev util-linux)

# abis: the ABIs that the suites offer for this version and flavour, newest first
abis() {
	apt-cache pkgnames "linux-headers-$version." |
		sed -nE "s/^linux-headers-(${version//./\\.}\\.[0-9.]+(-[0-9]+)?([+~][a-z0-9.+~]+)?)-$flavour\$/\\1/p" |
		sort -rV
}

# image_packages ABI: up to 6.18 the image package contains the kernel; later it is empty and depends on these parts
image_packages() {
	apt-cache pkgnames linux- |
		grep -xE "linux-(image|binary|modules|base)-${1//+/\\+}(-$flavour)?"
}

# download_kernel ABI IMAGE…: its headers, what builds for it, and these packages
download_kernel() {
	local abi=$1 compiler
	shift

	if ! foreign; then
		apt_download "linux-headers-$abi-$flavour" "${build_tools[@]}" "${guest_tools[@]}" &&
			apt_download_alone "$@"
		return
	fi
	compiler=$(apt-cache show "linux-headers-$abi-$flavour:$arch" | grep -oE -m 1 '\bgcc-[0-9]+')
	apt_download "linux-kbuild-$abi" "$compiler-$triplet" "gcc-$triplet" pkgconf "${build_tools[@]}" "${compiler_32[@]}" &&
		apt_download_alone "linux-headers-$abi-common" "linux-headers-$abi-$flavour:$arch" "${@/%/:$arch}" \
			"${foreign_tools[@]/%/:$arch}"
}

# download_newest: set $abi to the newest ABI to be had. The archive's lists can be ahead of its files (404).
download_newest() {
	local images

	for abi in $(abis); do
		mapfile -t images < <(image_packages "$abi")
		((${#images[@]})) || continue
		rm -f "${APT_CONFIG%/*}"/archives/*.deb
		! download_kernel "$abi" "${images[@]}" || return 0
		say "$abi-$flavour is listed but cannot be had, trying an older one"
		apt_trouble
	done
	return 1
}

fetch_package_kernel() {
	local abi='' image new release root
	root=$(kernel_root "$1")
	new=$root.new

	say "fetching kernel $1 ($suites)"
	apt_open "$suites" "$arch"
	download_newest || die "no kernel $version ($flavour) can be had from $suites"
	release=$abi-$flavour
	rm -rf "$new"
	mkdir -p "$new"
	unpack_archives "$new"
	for image in "boot/vmlinuz-$release" "boot/vmlinux-$release" "usr/lib/modules/$release/vmlinuz" ''; do
		[[ -e $new/$image ]] && break
	done
	[[ $image ]] || die "the packages of $release hold no kernel image"
	in_root "$new" depmod "$release"
	printf '%s\n' "release=$release" "image=$image" "kdir=/lib/modules/$release/build" >"$new/ucv-kernel"
	rm -rf "$root" "${APT_CONFIG%/*}"/archives/*.deb
	mv "$new" "$root"
	say "fetched kernel $1: $release"
}

fetch_locked() {
	if [[ ! ${update:-} ]] && kernel_fetched "$1"; then
		return
	fi
	case $kind in
	package) with_lock "apt-$suites" fetch_package_kernel "$1" ;;
	source) die "kernel $1 is built, not fetched: run $testvm_dir/build-kernel $1 once" ;;
	*) die "kernels: unknown kind '$kind'" ;;
	esac
}

# fetch_kernel NAME: fetch the kernel into the cache unless it is there (update=1: always)
fetch_kernel() {
	kernel_lookup "$1"
	if [[ ! ${update:-} ]] && kernel_fetched "$1"; then
		return
	fi
	with_lock "root-$1" fetch_locked "$1"
}
