# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # names are shared with testvm
# What the packages have in common: version, date, and a copy of the sources that depends on nothing else.

packaging=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=/dev/null
. "$packaging/../testvm/lib/common.sh"
output=$build/packages

# not version: that is what kernel_lookup calls a kernel's
ucv_version=$(sed -n 's/^.define UCV_MODULE_VERSION.*"\(.*\)"/\1/p' "$project/module/version.h")

# source_date: seconds since the epoch: SOURCE_DATE_EPOCH, or the last commit's, which an archive made by git has in a
# file
source_date() {
	local seconds=${SOURCE_DATE_EPOCH:-}

	if [[ ! $seconds && -e $project/.git ]]; then
		seconds=$(git -C "$project" log -1 --format=%ct)
	elif [[ ! $seconds ]]; then
		seconds=$(cat "$packaging/date")
	fi
	[[ $seconds =~ ^[0-9]+$ ]] || die "these sources do not have their date: set SOURCE_DATE_EPOCH to it"
	printf '%s\n' "$seconds"
}

# pack_sources: write a tar of what git tracks, as it is in this directory; without git, of what is not built
pack_sources() {
	if [[ ! -e $project/.git ]]; then
		tar -C "$project" -c --exclude={./build,'*.o','*.o.d','*.ko','*.mod','*.mod.c','*.cmd','*.order'} \
			--exclude='*.symvers' .
		return
	fi
	[[ ! $(git -C "$project" status --porcelain --untracked-files=no) ]] ||
		say "including changes that have not been committed"
	git -C "$project" ls-files -z | tar -C "$project" -c --null --files-from=-
}

# copy_sources DIRECTORY: copy them, with modes and times that do not depend on who does it and when
copy_sources() {
	mkdir -p "$1"
	pack_sources | tar -C "$1" -x
	make -s -C "$1" KDIR=/nonexistent OUTPUT=. clean
	date=$(source_date)
	echo "$date" >"$1/tools/packaging/date"
	chmod -R u=rwX,go=rX "$1"
	find "$1" -exec touch --no-dereference --date="@$date" {} +
}

# changes: print what CHANGELOG.md says of this version
changes() {
	awk -v version="$ucv_version" '/^## / { found = $2 == version; next } found' "$project/CHANGELOG.md" | grep . ||
		die "CHANGELOG.md says nothing of $ucv_version"
}

# publish DIRECTORY FILE…: replace what is in the directory by these files
publish() {
	rm -rf "$1"
	mkdir -p "$1"
	mv "${@:2}" "$1"
}
