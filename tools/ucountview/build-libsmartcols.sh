#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# build-libsmartcols.sh DIR: leave in DIR a libsmartcols.a of the version that is installed.
# Debian ships none. The source package comes from the mirror that apt uses; nothing of the
# host's apt is changed.
set -eu

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die() {
	echo "build-libsmartcols.sh: $*" >&2
	exit 1
}

# source_lists: the releases this host takes packages from, as source lines
source_lists() {
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' | sort -u |
		while read -r uri release component; do
			echo "deb-src [signed-by=$keyring] $uri $release $component"
		done
}

# get_source VERSION: into the current directory
get_source() {
	mkdir -p apt/lists/partial apt/cache/archives/partial apt/empty
	source_lists >apt/sources.list
	cat >apt/apt.conf <<-CONF
		Dir::State "$PWD/apt";
		Dir::State::lists "$PWD/apt/lists";
		Dir::Cache "$PWD/apt/cache";
		Dir::Etc::sourcelist "$PWD/apt/sources.list";
		Dir::Etc::sourceparts "$PWD/apt/empty";
		Acquire::Languages "none";
		APT::Sandbox::User "root";
	CONF
	APT_CONFIG=$PWD/apt/apt.conf apt-get -qq update
	APT_CONFIG=$PWD/apt/apt.conf apt-get -qq --download-only source "util-linux=$1"
}

[ $# = 1 ] || die "usage: build-libsmartcols.sh DIR"
version=$(dpkg-query -W -f '${source:Version}' libsmartcols-dev 2>/dev/null) ||
	die "no libsmartcols.a, and no Debian to get it from: set LIBSMARTCOLS_CACHE to where it is"
mkdir -p "$1"
to=$(cd "$1" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

get_source "$version" || die "cannot get the source of util-linux $version"
mkdir util-linux
tar -x --strip-components=1 -C util-linux -f util-linux_*.orig.tar.*z
cd util-linux
{
	./configure --quiet --disable-all-programs --enable-libsmartcols --enable-static \
		--disable-shared --disable-nls --disable-asciidoc --without-python \
		--without-ncurses --without-ncursesw &&
		make -j"$(nproc)" libsmartcols.la
} >"$tmp/log" 2>&1 || {
	tail -n 20 "$tmp/log" >&2
	die "libsmartcols does not build"
}
cp .libs/libsmartcols.a "$to/libsmartcols.a.new"
mv "$to/libsmartcols.a.new" "$to/libsmartcols.a"
