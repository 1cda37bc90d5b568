# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # names are shared between the files of testvm
# The guest's entire file system: busybox, a few of the kernel's modules, the files of this run, and init.

guest_modules=(virtio_pci virtio_console virtio_rng overlay binfmt_misc fuse loop veth dummy)

# guest_module_files MODULES.DEP: the files of those modules and of their dependencies
guest_module_files() {
	local pattern

	pattern=$(printf '|%s' "${guest_modules[@]}")
	grep -E "/(${pattern:1})\\.ko(\\.xz)?:" "$1" | tr -s ': ' '\n' | sort -u
}

# add_kernel_modules NAME TREE: uncompressed, as busybox loads nothing else. The module under test is listed even if
# this run has none.
add_kernel_modules() {
	local file from release to
	release=$(kernel_fact "$1" release)
	from=$(kernel_root "$1")/usr/lib/modules/$release
	to=$2/lib/modules/$release

	mkdir -p "$to/extra"
	echo extra/ucountview.ko: >"$to/modules.dep"
	[[ -e $from/modules.dep ]] || return 0
	while IFS= read -r file; do
		mkdir -p "$to/${file%/*}"
		case $file in
		*.xz) xz -dc "$from/$file" >"$to/${file%.xz}" ;;
		*) cp "$from/$file" "$to/$file" ;;
		esac
	done < <(guest_module_files "$from/modules.dep")
	sed -E 's/\.ko\.xz/.ko/g' "$from/modules.dep" >>"$to/modules.dep"
	cp "$from/modules.alias" "$from/modules.builtin" "$to/"
}

# quoted WORD…: quote words for any POSIX shell
quoted() {
	local word

	for word; do
		printf " '%s'" "${word//\'/\'\\\'\'}"
	done
}

# make_initramfs NAME TREE LOAD COMMAND…: TREE (which may hold files already) becomes TREE.cpio
make_initramfs() {
	local load=$3 name=$1 tree=$2
	shift 3

	mkdir -p "$tree"/{bin,boot,dev,etc/testvm,host,proc,root,run,sys,tmp,mnt,usr/local/bin}
	cp "$(kernel_root "$name")/usr/bin/busybox" "$tree/bin/"
	cp "$testvm_dir/init" "$tree/init"
	cp "$(kernel_config "$name")" "$tree/boot/config-$(kernel_fact "$name" release)"
	add_kernel_modules "$name" "$tree"
	printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >"$tree/etc/passwd"
	printf 'root:x:0:\nuser:x:1000:\nnogroup:x:65534:\n' >"$tree/etc/group"
	# settle: background work that the kernel still does after boot would count as the command's, so let it finish
	printf '%s\n' "load=$load" "settle=${icount:+2}" >"$tree/etc/testvm/settings"
	printf 'exec%s\n' "$(quoted "$@")" >"$tree/etc/testvm/command"
	(cd "$tree" && find . -print0 | cpio --quiet --null -R 0:0 -o -H newc >"$tree.cpio")
}
