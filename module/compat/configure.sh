#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Writes features.h: the features of the target kernel's headers.
#
# usage: CC=... configure.sh OUTPUT PROBE-DIRECTORY COMPILER-FLAG...
#
# Each file of PROBE-DIRECTORY tests for one feature: UCV_HAVE_<NAME> is 1 if it
# compiles and 0 if not. sanity.c must compile. If it does not, the headers are
# unusable and every test would wrongly give 0.

set -u

out=$1
probes=$2
shift 2

if ! why=$($CC "$@" -fsyntax-only "$probes/sanity.c" 2>&1); then
	echo "$why" >&2
	echo "ucountview: the kernel headers do not compile; is the package complete and the compiler the kernel's?" >&2
	exit 1
fi

# The enumerators of enum $enum without their prefix, as C strings: the names of
# the counters if the running kernel has no BTF.
enumerators()
{
	$CC "$@" -E "$probes/sanity.c" | tr -s '[:space:]' ' ' |
		sed 's/enum /\n&/g' | sed -n "s/^enum $enum {\\([^}]*\\)}.*/\\1/p" |
		sed 's/# [0-9][^,]*"[^"]*"[ 0-9]*//g' | tr ',' '\n' |
		sed -n 's/^ *UCOUNT_\([A-Z0-9_]*\).*/\1/p' |
		grep -v 'COUNTS$' | tr '[:upper:]' '[:lower:]' |
		sed 's/.*/"&",/' | tr '\n' ' '
}

{
	echo "/* Made by configure.sh from the headers of the target kernel. */"
	for probe in "$probes"/*.c; do
		name=$(basename "$probe" .c | tr '[:lower:]' '[:upper:]')
		[ "$name" = SANITY ] && continue
		have=0
		$CC "$@" -Werror=incompatible-pointer-types -fsyntax-only \
			"$probe" >/dev/null 2>&1 && have=1
		echo "#define UCV_HAVE_$name $have"
	done
	enum=ucount_type
	echo "#define UCV_HEADER_UCOUNTS $(enumerators "$@")"
	enum=rlimit_type
	echo "#define UCV_HEADER_RLIMITS $(enumerators "$@")"
} >"$out.tmp" && mv "$out.tmp" "$out"
