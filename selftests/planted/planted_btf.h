/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Makes the kernel's BTF say something else.
 */
#ifndef PLANTED_BTF_H
#define PLANTED_BTF_H

void planted_btf_restore(void);

#endif
