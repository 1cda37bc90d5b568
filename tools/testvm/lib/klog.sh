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

# klog_offenders FILE: print these lines. Not stalls before init, of a kernel that got there: nothing of ours runs yet, and
# the emulator's clock also runs while a busy host lets it wait.
klog_offenders() {
	tr -d '\r\0' <"$1" | awk -v stall="$klog_stall" '
		{ line[NR] = $0 }
		/Run \/init as init process/ && !init { init = NR }
		END { for (i = 1; i <= NR; i++) if (i > init || line[i] !~ stall) print line[i] }' |
		grep -aE "$klog_bad" | grep -avE "$klog_benign"
}
