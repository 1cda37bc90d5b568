# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # names are shared between the files of testvm
# Packages of any release through the ordinary apt client, with separate state: the host's is neither used nor changed.
# The mirror is the host's, or DEBIAN_MIRROR.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# mirror_of PATTERN: the archive that the host itself uses for the matching suites, whatever its sources format
mirror_of() {
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --no-release-info --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
		awk -v pattern="$1" '$1 ~ pattern { print $2; exit }'
}

host_codename() {
	sed -n 's/^VERSION_CODENAME=//p' /etc/os-release
}

mirror() {
	local found=${DEBIAN_MIRROR:-}

	[[ $found ]] || found=$(mirror_of "^$(host_codename)\$")
	[[ $found ]] || die "no Debian mirror in the host's apt configuration: set DEBIAN_MIRROR to one"
	printf '%s\n' "$found"
}

# The security archive of a mirror set by hand is beside it, as on the mirrors that carry both.
security_mirror() {
	local found=${DEBIAN_SECURITY_MIRROR:-}

	[[ $found || ! ${DEBIAN_MIRROR:-} ]] || found=${DEBIAN_MIRROR%/}-security
	[[ $found ]] || found=$(mirror_of '-security$')
	[[ $found ]] || die "no Debian security mirror in the host's apt configuration: set DEBIAN_SECURITY_MIRROR to one"
	printf '%s\n' "$found"
}

# sources SUITE,SUITE…: print apt source lines
sources() {
	local from suite

	for suite in ${1//,/ }; do
		case $suite in
		*-security) from=$(security_mirror) ;;
		*) from=$(mirror) ;;
		esac
		printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$from" "$suite"
	done
}

# apt_open SUITES [ARCHITECTURE]: create the state for these suites, and for that architecture beside the host's, and read their package lists; apt-get and apt-cache use it from
# then on. The host's apt.conf.d, which may name a proxy, still applies.
apt_open() {
	local architecture=${2:-$host_arch}
	local state=$cache/apt/$1,$architecture

	[[ -e $keyring ]] || die "$keyring is missing: install debian-archive-keyring"
	mkdir -p "$state"/{lists/partial,archives/partial,preferences.d,log}
	: >"$state/status"
	sources "$1" >"$state/sources.list"
	cat >"$state/apt.conf" <<-CONF
		Dir::State "$state";
		Dir::State::status "$state/status";
		Dir::State::lists "$state/lists";
		Dir::Cache "$state";
		Dir::Cache::archives "$state/archives";
		Dir::Log "$state/log";
		Dir::Etc::sourcelist "$state/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "$state/preferences.d";
		Acquire::Check-Valid-Until "false";
		Acquire::Languages "none";
		APT::Update::Error-Mode "any";
		Acquire::Retries "2";
		APT::Architecture "$host_arch";
		APT::Architectures { "$host_arch"; "$architecture"; };
		APT::Install-Recommends "false";
		APT::Sandbox::User "root";
		APT::Keep-Downloaded-Packages "true";
	CONF
	export APT_CONFIG=$state/apt.conf
	apt-get -qq update >&2 || die "apt cannot read the package lists of $1 (mirror: DEBIAN_MIRROR overrides the host's)"
}

# apt_download PACKAGE…: download these and all their dependencies into the state's archives; quiet unless it fails
apt_download() {
	local log=${APT_CONFIG%/*}/log/download

	apt-get -y -qq --download-only install "$@" >"$log" 2>&1
}

# apt_download_alone PACKAGE…: without dependencies
apt_download_alone() {
	local log=${APT_CONFIG%/*}/log/download

	(cd "${APT_CONFIG%/*}/archives" && apt-get -qq download "$@") >"$log" 2>&1
}

apt_trouble() {
	grep '^E:' "${APT_CONFIG%/*}/log/download" | head -n 3 >&2
}

# unpack_archives ROOT: unpack every downloaded package, without running its scripts, into a root with a merged /usr
unpack_archives() {
	local deb dir root=$1

	mkdir -p "$root"/usr/{bin,sbin,lib,lib64} "$root"/{dev,proc,sys,tmp,etc,var}
	for dir in bin sbin lib lib64; do
		ln -s "usr/$dir" "$root/$dir"
	done
	for deb in "${APT_CONFIG%/*}"/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x --keep-directory-symlink --no-same-owner -C "$root"
	done
	[[ -e $root/usr/bin/sh ]] || ln -s dash "$root/usr/bin/sh"
	[[ -e $root/usr/bin/awk ]] || ln -s mawk "$root/usr/bin/awk"
}

# install_release CODENAME SUITES ROOT PACKAGE,PACKAGE…: install that release with these packages, as an administrator would,
# scripts included. Its mirrors and proxy are the host's.
install_release() {
	local options=$3.apt.conf status=0

	need mmdebstrap
	{
		apt-config dump | grep -E '^Acquire::(http|https|Retries)'
		echo 'Acquire::Check-Valid-Until "false";'
	} >"$options"
	sources "$2" | mmdebstrap --quiet --variant=apt --aptopt="$options" --include="$4" "$1" "$3" - >&2 || status=$?
	rm -f "$options"
	return $status
}
