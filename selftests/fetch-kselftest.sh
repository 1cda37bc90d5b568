#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Prints the folder that has the kernel's kselftest_harness.h: in the kernel source tree KSRC if that is set, else in the
# cache, where it is put from the newest linux-source package that the host's apt knows. Nothing of it is kept in this
# repository.
set -eu

find_in() {
	for dir in "$1/tools/testing/selftests" "$1"; do
		if [ -f "$dir/kselftest_harness.h" ]; then
			(cd "$dir" && pwd)
			exit 0
		fi
	done
}

die() {
	echo "fetch-kselftest: $1" >&2
	exit 1
}

if [ -n "${KSRC:-}" ]; then
	find_in "$KSRC"
	die "$KSRC has no tools/testing/selftests/kselftest_harness.h"
fi
cache=${UCV_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ucountview}/kselftest
find_in "$cache"

command -v apt-get >/dev/null || die "set KSRC to a kernel source tree"
package=$(apt-cache --names-only search '^linux-source-[0-9.]*$' | cut -d' ' -f1 | sort -V | tail -n 1)
[ -n "$package" ] || die "no linux-source package is known to apt; set KSRC to a kernel source tree"

mkdir -p "$cache"
if command -v flock >/dev/null; then
	exec 9>"$cache/lock"
	flock 9
	find_in "$cache"
fi
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q -o APT::Sandbox::User=root download "$package" >&2 || die "cannot download $package"
# Older tar needs no help to find the compressor of the archive inside, but it has to be named for a pipe.
dpkg-deb --fsys-tarfile ./*.deb | tar -xO --wildcards './usr/src/*.tar.xz' | tar -xJ --strip-components=4 --wildcards \
	'*/tools/testing/selftests/kselftest*.h' '*/tools/testing/selftests/lib.mk' '*/tools/testing/selftests/kselftest/*' ||
	die "cannot unpack $package"
rm -f ./*.deb
mv ./* "$cache"
find_in "$cache"
die "$package has no kselftest_harness.h"
