# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # names are shared between the files of testvm
# Lines of a kernel log that make a run fail, whatever its command returned.

# Case matters: "kasan: KernelAddressSanitizer initialized" is a boot message, "KASAN: null-ptr-deref in …" a report.
klog_bad='BUG: |WARNING: |\bOops\b|\bK(A|C|M)SAN: |UBSAN: |general protection|Unable to handle kernel'
klog_bad+='|suspicious RCU|possible (recursive|circular|irq lock)|inconsistent lock state|trying to register non-static key'
klog_stall='rcu.* (detected stalls|self-detected stall)|soft lockup|hard LOCKUP|blocked for more than'
klog_bad+="|$klog_stall"
klog_bad+='|list_(add|del) corruption|refcount_t: |ODEBUG: |stack-protector: '
klog_bad+='|unreferenced object|kmemleak: [0-9]+ new suspected|Kernel panic'

# What some kernels log at every boot, unrelated to the module.
klog_benign='Spectre V2 : WARNING: Unprivileged eBPF'

# A data race that KCSAN reports is ours if one of the two accesses is by the module, or by a kernel function a few calls
# below it, which reads what the module handed to it (from_kuid(), idr_get_next()). The kernel has races of its own, which
# strict checking finds at every boot; those in what the module merely calls (the allocator, copy_to_user()) are deeper.
klog_race_frames=3

# klog_without_kernel_races: standard input without the reports of races of the kernel's own. One that is cut short stays.
klog_without_kernel_races() {
	awk -v frames="$klog_race_frames" '
		function print_report(i) {
			for (i = 1; i <= lines; i++)
				print report[i]
			lines = 0
		}
		!inside && /BUG: KCSAN: / { inside = 1; ours = 0; frame = frames }
		!inside { print; next }
		{ report[++lines] = $0 }
		/ by (task|interrupt) .*:$/ { frame = 0; next }
		/\+0x[0-9a-f]+\/0x/ { if (++frame <= frames && /\[u(countview|cv_planted[a-z_]*)\]/) ours = 1 }
		/==========$/ {
			inside = 0
			if (ours)
				print_report()
			lines = 0
		}
		END { print_report() }'
}

# klog_offenders FILE: print these lines. Not stalls before init, of a kernel that got there: nothing of ours runs yet, and
# the emulator's clock also runs while a busy host lets it wait.
klog_offenders() {
	tr -d '\r\0' <"$1" | klog_without_kernel_races | awk -v stall="$klog_stall" '
		{ line[NR] = $0 }
		/Run \/init as init process/ && !init { init = NR }
		END { for (i = 1; i <= NR; i++) if (i > init || line[i] !~ stall) print line[i] }' |
		grep -aE "$klog_bad" | grep -avE "$klog_benign"
}
