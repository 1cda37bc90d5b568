# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # names are shared with testvm
# What bench and check share: what goes into the VM, and running it there.

bench_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for room in common arch packages document; do
	# shellcheck source=/dev/null
	. "$bench_dir/../testvm/lib/$room.sh"
done
memory=2048
inotify_info=$cache/inotify-info

# compile_programs: into $tmp
compile_programs() {
	local flags=(-O2 -Wall -Wextra -static -D__SANE_USERSPACE_TYPES__ -I "$project/include")

	gcc "${flags[@]}" -o "$tmp/shapes" "$bench_dir/shapes.c" "$bench_dir/ways.c"
	gcc "${flags[@]}" -o "$tmp/charge" "$bench_dir/charge.c"
}

# measure_in_vm KERNEL SETS [OPTION]…: have the shapes of these sets of shapes.list read, and the charges made, in a VM that
# counts instructions; print what they print
measure_in_vm() {
	local kernel=$1 sets=$2
	shift 2

	plan "$sets" >"$tmp/plan"
	"$bench_dir/../testvm/testvm" -k "$kernel" -i -m $memory -t 20000 -M tools/bench/floor -a "$tmp/shapes" -a "$tmp/plan" \
		-a "$tmp/charge" -a "$bench_dir/floor.sh" -a "$bench_dir/charges.sh" "$@" -- \
		sh -c '/host/shapes /host/plan && /host/charges.sh' 2>"$tmp/messages" && return
	cat "$tmp/messages" >&2
	exit 1
}

# plan SETS: the lines of these sets in shapes.list, for the program shapes
plan() {
	awk -v sets=" $1 " '
		/^#/ || !NF || !index(sets, " " $1 " ") { next }
		{
			shape = $2
			nr = split($3, number, ",")
			sub(/^[^ ]+ +[^ ]+ +[^ ]+ +/, "")
			for (i = 1; i <= nr; i++)
				printf "%s\n%s\n%s\n", shape, number[i], $0
		}' "$bench_dir/shapes.list"
}

# fetch_inotify_info: into the cache, with the libraries and the loader of its release
fetch_inotify_info() {
	[[ -e $inotify_info ]] || with_lock apt-trixie fetch_inotify_info_locked
}

fetch_inotify_info_locked() {
	local root=$inotify_info.new

	[[ ! -e $inotify_info ]] || return 0
	say "fetching inotify-info"
	apt_open trixie
	rm -f "${APT_CONFIG%/*}"/archives/*.deb
	apt_download inotify-info || { apt_trouble; die "inotify-info cannot be had"; }
	rm -rf "$root" && mkdir -p "$root/files"
	unpack_archives "$root"
	cp -L "$root/usr/bin/inotify-info" "$root/lib64/ld-linux-x86-64.so.2" \
		"$root/usr/lib/$triplet"/lib{c.so.6,m.so.6,stdc++.so.6,gcc_s.so.1} "$root/files"
	mv "$root/files" "$inotify_info"
	rm -rf "$root"
}
