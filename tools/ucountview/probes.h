/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's switches without which no denial is recorded.
 */
#ifndef _UCV_PROBES_H
#define _UCV_PROBES_H

char *probes_trouble(void);

#endif /* _UCV_PROBES_H */
