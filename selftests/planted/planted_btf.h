/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Changes the kernel's BTF.
 */
#ifndef PLANTED_BTF_H
#define PLANTED_BTF_H

void planted_btf_restore(void);

#endif
