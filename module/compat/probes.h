/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A function that is probed while denials are recorded, and the probes of
 * rlimit_probes.c and depth_probes.c, which kretprobes.c registers with its own.
 */
#ifndef UCV_COMPAT_PROBES_H
#define UCV_COMPAT_PROBES_H

#include <linux/compiler.h>
#include <linux/kprobes.h>
#include <linux/types.h>

#include "compat/features.h"

struct ucv_btf;
struct ucv_kretprobe_calls;

/*
 * How many tasks inside a probed function can be tracked at once (maxactive). The
 * functions may be preempted, and some sleep for memory. Of the second kind are those
 * that few tasks call, or whose entry handler is nearly always content.
 */
#define UCV_KRETPROBE_THREADS	512
#define UCV_KRETPROBE_RARE	128

/**
 * struct ucv_probe - a function to be probed
 * @symbol: its name
 * @entry: called with its arguments; if it returns non-zero, @handler is not called
 * @handler: called when it has returned
 * @data_size: bytes that @entry saves for @handler
 * @maxactive: UCV_KRETPROBE_*
 * @can: set at load: it can be probed, and is while recording is armed
 * @rp: the kretprobe; zero while it is not registered
 */
struct ucv_probe {
	const char *symbol;
	kretprobe_handler_t entry;
	kretprobe_handler_t handler;
	size_t data_size;
	int maxactive;
	bool can;
	struct kretprobe rp;
};

/* In kretprobes.c: denials are being recorded. Read by handlers. */
extern bool ucv_reporting;

bool ucv_can_probe(const char *function, const char *what);

/**
 * struct ucv_range - where a function is, so that a return address tells the caller
 * @start: its address
 * @size: bytes; 0 if it is not known
 */
struct ucv_range {
	unsigned long start;
	size_t size;
};

bool ucv_range_find(struct ucv_range *range, const char *function);

static nokprobe_inline bool ucv_range_has(const struct ucv_range *range, unsigned long addr)
{
	return addr - range->start < range->size;
}

static nokprobe_inline unsigned long ucv_return_address(struct kretprobe_instance *ri)
{
#if UCV_HAVE_KRETPROBE_RETADDR
	return get_kretprobe_retaddr(ri);
#else
	return (unsigned long)ri->ret_addr;
#endif
}

/* Read first: the cache line is shared by all CPUs. */
static nokprobe_inline void ucv_set_seen(bool *seen)
{
	if (unlikely(!READ_ONCE(*seen)))
		WRITE_ONCE(*seen, true);
}

/* The probes of rlimit_probes.c and depth_probes.c, each list up to a NULL. */
extern struct ucv_probe * const ucv_rlimit_probes[];
extern struct ucv_probe * const ucv_depth_probes[];

u64 ucv_rlimit_probes_init(const struct ucv_kretprobe_calls *calls, const struct ucv_btf *btf);
u64 ucv_rlimit_probes_seen(void);
u64 ucv_depth_probes_init(const struct ucv_kretprobe_calls *calls, const struct ucv_btf *btf);
u64 ucv_depth_probes_seen(void);

#endif
