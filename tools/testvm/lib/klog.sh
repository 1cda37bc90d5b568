# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # names are shared between the files of testvm
# Lines of a kernel log that make a run fail, whatever its command returned.

# Case matters: "kasan: KernelAddressSanitizer initialized" is a boot message, "KASAN: null-ptr-deref in …" a report.
klog_bad='BUG: |WARNING: |\bOops\b|\bK(A|C|M)SAN: |UBSAN: |general protection|Unable to handle kernel'
klog_bad+='|suspicious RCU|possible (recursive|circular|irq lock)|inconsistent lock state|trying to register non-static key'
klog_bad+='|rcu.* (detected stalls|self-detected stall)|soft lockup|hard LOCKUP|blocked for more than'
klog_bad+='|list_(add|del) corruption|refcount_t: |ODEBUG: |stack-protector: '
klog_bad+='|unreferenced object|kmemleak: [0-9]+ new suspected|Kernel panic'

# What some kernels log at every boot, unrelated to the module.
klog_benign='Spectre V2 : WARNING: Unprivileged eBPF'

# klog_offenders FILE: print these lines
klog_offenders() {
	tr -d '\r\0' <"$1" | grep -aE "$klog_bad" | grep -avE "$klog_benign"
}
