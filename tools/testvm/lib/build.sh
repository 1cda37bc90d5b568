# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # names are shared between the files of testvm
# Builds what goes into the VM: the module in its kernel's own root, the reader and the selftests on the host, or in that
# root if they are for another architecture.

# copy_changed FROM TO: update TO's sources and leave identical files untouched, so that make rebuilds little. Compares
# contents, as time stamps are meaningless between two working trees that share the cache.
copy_changed() {
	local file from=$1 to=$2

	mkdir -p "$to"
	while IFS= read -r -d '' file; do
		cmp -s "$from/$file" "$to/$file" && continue
		mkdir -p "$(dirname "$to/$file")"
		cp "$from/$file" "$to/$file"
	done < <(list_sources "$from")
	while IFS= read -r -d '' file; do
		[[ -e $from/$file ]] || rm -f "$to/$file"
	done < <(list_sources "$to")
}

# list_sources DIRECTORY: list its files except those kbuild made (with a .NAME.cmd beside them, or named below)
list_sources() {
	local file made_by

	(
		cd "$1" || return
		find Kbuild include module -type f ! -name '*.o' ! -name '*.ko' ! -name '*.mod' ! -name '*.mod.c' \
			! -name '*.order' ! -name '*.symvers' ! -name '*.a' ! -name '.*' -print0 2>/dev/null |
			while IFS= read -r -d '' file; do
				made_by=./$file
				made_by=${made_by%/*}/.${file##*/}.cmd
				[[ -e $made_by ]] || printf '%s\0' "$file"
			done
	)
}

# build_module NAME TO: build TO/ucountview.ko for that kernel. A warning is an error: the build is discarded, so that
# the next one shows the warning again.
build_module() {
	with_lock "build-$1" build_module_locked "$@"
}

# try_module NAME TO: the same for runs that do not test the module: a failed build is only reported
try_module() {
	(build_module "$@") 2>/dev/null || say "the module does not build, going on without it"
}

# make_modules NAME SOURCES [ARGUMENT]…: run make for modules in its root
make_modules() {
	local make name=$1 src=$2
	shift 2

	read -ra make <<<"$(kernel_fact "$name" make)"
	UCV_BIND=$src:src in_root "$(kernel_root "$name")" \
		make -j"$(nproc)" -C "$(kernel_fact "$name" kdir)" M=/src W=1 "${make[@]}" "$@" modules
}

# insist NAME SOURCES LOG OPTION…: the kernel lacks these options. The build must say so in one line. What is then built
# all the same is for tests that it does not load.
insist() {
	local log=$3 message name=$1 src=$2
	shift 3
	message="ucountview: declined, this kernel is built without $*"

	! make_modules "$name" "$src" >"$log" 2>&1 || die "the module builds for $name, which lacks $*"
	grep -q "\*\*\* $message\. *Stop\.\$" "$log" || {
		cat "$log" >&2
		die "the build for $name does not say '$message'"
	}
	say "as it should, the build for $name says: $message"
	make_modules "$name" "$src" ucv-needs= >"$log" 2>&1
}

build_module_locked() {
	local lacks log src
	src=$build/$1/src
	log=$build/$1/log
	mapfile -t lacks < <(kernel_lacks "$1")

	# another release needs another build
	if [[ $(cat "$src/.release" 2>/dev/null) != "$(kernel_fact "$1" release)" ]]; then
		rm -rf "$src"
	fi
	copy_changed "$project" "$src"
	kernel_fact "$1" release >"$src/.release"
	if ((${#lacks[@]})); then
		insist "$1" "$src" "$log" "${lacks[@]}"
	else
		make_modules "$1" "$src" >"$log" 2>&1
	fi || {
		cat "$log" >&2
		die "the module does not build for kernel $1 (whole log: $log)"
	}
	if grep -iq 'warning:' "$log"; then
		cat "$log" >&2
		rm -rf "$src"
		die "the module builds with warnings for kernel $1"
	fi
	cp "$src/module/ucountview.ko" "$2/"
}

# build_test_modules NAME TO DIRECTORY: build TO/ucv_*.ko, the modules of a directory of the project, if it has them
build_test_modules() {
	[[ ! -e $project/$3/Kbuild ]] || with_lock "build-$1" build_test_modules_locked "$@"
}

build_test_modules_locked() {
	local dir=$3 file log=$build/$1/${3##*/}.log src=$build/$1/${3##*/}

	if [[ $(cat "$src/.release" 2>/dev/null) != "$(kernel_fact "$1" release)" ]]; then
		rm -rf "$src"
	fi
	mkdir -p "$src"
	for file in "$project/$dir"/{Kbuild,*.[ch]}; do
		[[ ! -e $file ]] || cmp -s "$file" "$src/${file##*/}" || cp "$file" "$src/"
	done
	kernel_fact "$1" release >"$src/.release"
	if ! make_modules "$1" "$src" >"$log" 2>&1 || grep -iq 'warning:' "$log"; then
		cat "$log" >&2
		rm -rf "$src"
		die "the modules of $dir do not build, or with warnings, for kernel $1 (whole log: $log)"
	fi
	cp "$src"/ucv_*.ko "$2/"
}

# make_programs NAME DIRECTORY OUTPUT [OPTION]: run make in this directory of the project
make_programs() {
	local dir=$2 ksrc name=$1 out=$3
	shift 3

	if ! foreign; then
		make -s "$@" -C "$project/$dir" OUTPUT="$out" all >&2
		return
	fi
	ksrc=$("$project/tools/ksrc") || return
	UCV_BIND="$project:project $out:out $ksrc:ksrc" in_root "$(kernel_root "$name")" \
		make -s "$@" -C "/project/$dir" OUTPUT=/out CROSS_COMPILE="$triplet-" CC="$triplet-gcc" KSRC=/ksrc \
		PKG_CONFIG="env PKG_CONFIG_LIBDIR=/usr/lib/$triplet/pkgconfig pkgconf" all >&2
}

# build_host NAME TO: build TO/tools and TO/selftests, if the project has them. With lenient=1 a selftest that does not build
# is left out with a message, so that it does not block other work.
build_host() {
	with_lock build-host build_host_locked "$@"
}

build_host_locked() {
	local out=$build/host-$arch

	if [[ $(cat "$out/project" 2>/dev/null) != "$project" ]]; then
		rm -rf "$out"
		mkdir -p "$out"
		printf '%s\n' "$project" >"$out/project"
	fi
	mkdir -p "$out"/{tools,selftests} "$2"/{tools,selftests}
	if [[ -e $project/tools/ucountview/Makefile ]]; then
		make_programs "$1" tools/ucountview "$out/tools" || die "the reader does not build"
		cp "$out/tools/ucountview" "$2/tools/"
	fi
	if [[ -e $project/selftests/Makefile ]]; then
		if ! make_programs "$1" selftests "$out/selftests" ${lenient:+-k}; then
			[[ ${lenient:-} ]] || die "the selftests do not build"
			say "not all selftests build, going on without those"
		fi
		copy_selftests "$out/selftests" "$2/selftests"
	fi
}

# copy_libraries NAME PROGRAM TREE: copy the libraries it needs and the loader to the same paths. The reader is linked as
# when installed: distributions have no static libsmartcols.
copy_libraries() {
	local file from=''

	! foreign || from=$(kernel_root "$1")
	while read -r file; do
		mkdir -p "$3/${file%/*}"
		cp -L "$from$file" "$3/$file"
	done < <(libraries "$1" "$2")
}

copy_selftests() {
	local file

	while IFS= read -r -d '' file; do
		mkdir -p "$(dirname "$2/$file")"
		cp -p "$1/$file" "$2/$file"
	done < <(cd "$1" && find . -type f ! -name '*.o' ! -name '*.d' ! -name '*.a' -print0)
}
