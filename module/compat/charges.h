/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether the charging functions have the arguments that their probes read.
 */
#ifndef UCV_COMPAT_CHARGES_H
#define UCV_COMPAT_CHARGES_H

#include <linux/types.h>

struct ucv_btf;

bool ucv_charge_fits(const struct ucv_btf *btf, const char *name, const char * const *tags,
		     u32 nr);
bool ucv_charges_ucount(const struct ucv_btf *btf);
bool ucv_charges_mount(const struct ucv_btf *btf);

#endif
