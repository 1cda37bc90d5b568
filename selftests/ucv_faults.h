/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's fault injection, for one system call of this thread at a time.
 *
 * Functions return a negative errno on failure unless noted otherwise.
 */
#ifndef _UCV_FAULTS_H
#define _UCV_FAULTS_H

#include <stdbool.h>

/* What fails during a call, in which @nth counts from 1. */
enum ucv_faults {
	UCV_FAULT_ONCE,		/* the nth allocation or copy, once */
	UCV_FAULT_LASTING,	/* the nth allocation or copy, and every allocation after it */
	UCV_FAULT_PAGES,	/* allocations of pages, when there are fewer than nth left */
	UCV_FAULT_MODES
};

/* Why faults cannot be injected here; NULL if they can. */
const char *ucv_faults_missing(void);
int ucv_faults_open(void);
void ucv_faults_close(void);

int ucv_faults_mode(enum ucv_faults mode);
/* Nothing but the call under test between these two. */
int ucv_faults_begin(enum ucv_faults mode, unsigned int nth);
/* True if there was a fault. */
bool ucv_faults_end(enum ucv_faults mode);

#endif /* _UCV_FAULTS_H */
