#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2154 # ktap.sh sets ktap_dir, planted.sh status
# ucountview audit: no report when the charges of known processes match; a counter that a test module corrupted is
# reported with its numbers; objects that exist but cannot be found are not a contradiction; repeated runs on a busy
# system report nothing.
#
# Environment: see reader.sh and planted.sh.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"
. "$here/reader.sh"
. "$here/planted.sh"

sleeper=''

clean_up() {
	[ -z "$sleeper" ] || kill "$sleeper" 2>/dev/null
	after_test
}

audit_reports_nothing() {
	run audit
	expect "status" 0 "$status" && expect "output" '' "$(cat "$ktap_dir/out" "$ktap_dir/err")"
}

# contradicts RESOURCE NS UID COUNTER EXPECTED WRONG: audit reports exactly this row
contradicts() {
	run audit -J
	expect "status" 4 "$status" || return
	expect "errors" '' "$(cat "$ktap_dir/err")" || return
	expect "$1 of $3 in $2" "$4 $5 $6" "$(row "$1" "$2" "$3" counter expected wrong)" || return
	expect "rows" 1 "$(grep -c '"resource"' "$ktap_dir/out")"
}

# counted RESOURCE NS UID COUNTER EXPECTED REST
counted() {
	expect "$1 of $3 in $2" "$4 $5 $6" "$(row "$1" "$2" "$3" counter expected rest)"
}

charged_objects_are_counted() {
	"$here/leave" -u "$uid" watches 3 && "$here/leave" -u "$uid" watches 2 || return
	run audit -a -J
	expect "status" 0 "$status" &&
		counted inotify_instances "$init_userns" "$uid" 2 2 0 &&
		counted inotify_watches "$init_userns" "$uid" 5 5 0
}

# Root is charged for neither user nor UTS namespaces in the initial user namespace.
root_has_none() {
	[ "$("$reader" -a -n -r -R user_namespaces -R uts_namespaces -U "$init_userns" -u 0 -o USED |
		awk '{ sum += $1 } END { print sum + 0 }')" -eq 0 ]
}

# A user namespace that contains a uts and a mount namespace. First wait until those of earlier tests have been freed.
charged_namespaces_are_counted() {
	wait_until root_has_none && start_sleeper -U -r -u -m || return
	inner=$(inode "$sleeper" user)
	run audit -a -J
	expect "status" 0 "$status" &&
		counted user_namespaces "$init_userns" 0 1 1 0 &&
		counted uts_namespaces "$inner" null 1 1 0 &&
		counted uts_namespaces "$init_userns" null 1 1 0 || return
	mounts_available || return 0
	mounts=$(row mounts "$(inode "$sleeper" mnt)" null counter)
	counted mnt_namespaces "$inner" 0 1 1 0 &&
		counted mounts "$(inode "$sleeper" mnt)" null "$mounts" "$mounts" 0
}

# Inotify instances that no process has open.
unattributed_charges_are_no_contradiction() {
	load_planted || return
	"$here/leave" -u "$uid" hold 3 || return
	audit_reports_nothing || return
	run audit -a -J
	counted inotify_instances "$init_userns" "$uid" 1 0 1 && counted inotify_watches "$init_userns" "$uid" 3 0 3
}

counter_too_small_is_reported() {
	load_planted || return
	"$here/leave" -u "$uid" watches 4 && "$here/leave" -u "$uid" bump inotify_watches -1 || return
	contradicts inotify_watches "$init_userns" "$uid" 3 4 "less than exist" || return
	unload_planted && audit_reports_nothing
}

negative_counter_is_reported() {
	load_planted || return
	"$here/leave" -u "$uid" bump user_namespaces -2 || return
	contradicts user_namespaces "$init_userns" "$uid" -2 0 "negative" || return
	unload_planted && audit_reports_nothing
}

# Two more in a user namespace than at the level above.
uncharged_level_is_reported() {
	load_planted || return
	unshare -U -r "$here/leave" bump inotify_watches 2 || return
	contradicts inotify_watches "$init_userns" 0 0 2 "less than below" || return
	unload_planted && audit_reports_nothing
}

# A counter one below the number of existing mount namespaces.
mount_namespace_too_many_is_reported() {
	skip_without_mounts || return
	load_planted || return
	unshare -U -r -m "$here/leave" bump mnt_namespaces -1 || return
	run audit -J
	expect "status" 4 "$status" || return
	expect "namespaces" "0 1 less than exist" "$(row mnt_namespaces "$(inode "$(pidof leave)" user)" 0 \
		counter expected wrong)" || return
	unload_planted && audit_reports_nothing
}

audit_reports_nothing_or_print_all() {
	audit_reports_nothing && return
	run audit -a
	cat "$ktap_dir/out"
	return 1
}

busy_system_has_no_contradiction() {
	on_a_busy_system audit_reports_nothing_or_print_all
}

bad_options_of_audit_are_refused() {
	succeeds audit --help && succeeds audit -H && refuses audit --bogus frobnicate '-o NOPE' '-J -r' || return
	status=0
	unshare -p -f "$reader" audit >"$ktap_dir/out" 2>"$ktap_dir/err" || status=$?
	expect "status in another pid namespace" 1 "$status"
}

needs_reader
ktap_clean_up_at_exit
ktap_run audit_reports_nothing charged_objects_are_counted charged_namespaces_are_counted \
	unattributed_charges_are_no_contradiction counter_too_small_is_reported negative_counter_is_reported \
	uncharged_level_is_reported mount_namespace_too_many_is_reported busy_system_has_no_contradiction \
	bad_options_of_audit_are_refused
