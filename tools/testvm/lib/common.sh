# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # names are shared between the files of testvm
# Shared by all testvm scripts: messages, the cache's paths, the list of kernels, locks.

testvm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
project=${UCV_SRC:-$(cd "$testvm_dir/../.." && pwd)}
cache=${UCV_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ucountview}
build=${UCV_BUILD:-$cache/build}
default_kernel=6.12

say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# die [-STATUS] MESSAGE…: print one line on standard error and exit.
die() {
	local status=1

	if [[ $1 =~ ^-[0-9]+$ ]]; then
		status=${1#-}
		shift
	fi
	say "$*"
	exit "$status"
}

need() {
	local tool

	for tool; do
		command -v "$tool" >/dev/null || die "$tool is missing: install the package that has it (see Documentation/)"
	done
}

# kernel_names [SET [ARCHITECTURE]]
# shellcheck disable=SC2120
kernel_names() {
	awk -v set="${1:-}" -v arch="${2:-}" '
		!/^#/ && NF { if ((!set || $7 == set) && (!arch || $5 == arch)) print $1 }' "$testvm_dir/kernels"
}

# kernel_of_release CODENAME ARCHITECTURE: print the name of that release's kernel
kernel_of_release() {
	awk -v suite="^$1(,|\$)" -v arch="$2" '
		!/^#/ && $2 == "package" && $4 ~ suite && $5 == arch { print $1; exit }' "$testvm_dir/kernels"
}

# kernel_lookup NAME: set kind, version, suites, arch, flavour and set from that line of the list.
kernel_lookup() {
	local line

	line=$(awk -v name="$1" '!/^#/ && $1 == name { print; exit }' "$testvm_dir/kernels")
	[[ $line ]] || die "unknown kernel '$1' (there are: $(kernel_names '' | paste -sd' '))"
	read -r _ kind version suites arch flavour set <<<"$line"
	arch_lookup "$arch"
}

# A fetched kernel is one directory, moved into place when complete; ./ucv-kernel in it has the facts about it.
kernel_root() {
	printf '%s/roots/%s\n' "$cache" "$1"
}

# kernel_fact NAME KEY: release (what uname -r says), image (path in the root), kdir (path in the root), make (what it needs
# as arguments, if anything).
kernel_fact() {
	sed -n "s/^$2=//p" "$(kernel_root "$1")/ucv-kernel" 2>/dev/null
}

kernel_fetched() {
	[[ -e $(kernel_root "$1")/ucv-kernel ]]
}

# kernel_config NAME: print the file with the options that it was built with
kernel_config() {
	local file release root
	release=$(kernel_fact "$1" release)
	root=$(kernel_root "$1")

	for file in boot/config-"$release" usr/lib/modules/"$release"/config build/.config output/.config; do
		[[ ! -e $root/$file ]] || { printf '%s\n' "$root/$file" && return; }
	done
	die "there are no options of kernel $1 in $root"
}

# What the module requires of a kernel, as documented. Where one is missing, its build declines.
required=(CONFIG_KALLSYMS_ALL CONFIG_KPROBES)

# kernel_lacks NAME: print what of that this kernel lacks, if it is one that is built here to lack it
kernel_lacks() {
	local config option
	kernel_lookup "$1"

	[[ $kind == source ]] || return 0
	config=$(kernel_config "$1")
	for option in "${required[@]}"; do
		grep -qx "$option=y" "$config" || printf '%s\n' "$option"
	done
}

# with_lock NAME COMMAND…: run COMMAND in a subshell, serialized across all testvms that share the cache.
with_lock() {
	local lock=$cache/locks/$1
	shift

	mkdir -p "$cache/locks"
	(
		flock 9
		"$@"
	) 9>"$lock"
}

# in_root DIRECTORY COMMAND…: run COMMAND in that root, with /dev and /proc mounted in a mount namespace of its own.
# UCV_BIND="HOST:INSIDE …" adds directories. Without root privileges it uses a user namespace. A root that names another in
# ./ucv-in has only its kernel's output: COMMAND runs in the other, where it is /output.
in_root() {
	local map=() root=$1
	shift

	if [[ -e $root/ucv-in ]]; then
		UCV_BIND="$root/output:output ${UCV_BIND:-}" in_root "$(kernel_root "$(cat "$root/ucv-in")")" "$@"
		return
	fi
	((EUID == 0)) || map=(--map-root-user)
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare "${map[@]}" --mount --propagation private sh -euc '
		root=$1; shift
		mkdir -p "$root/dev" "$root/proc"
		mount --rbind /dev "$root/dev"
		mount --rbind /proc "$root/proc"
		for bind in ${UCV_BIND:-}; do
			mkdir -p "$root/${bind#*:}"
			mount --bind "${bind%%:*}" "$root/${bind#*:}"
		done
		unset UCV_BIND
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LC_ALL=C.UTF-8 chroot "$root" "$@"
	' in_root "$root" "$@"
}
