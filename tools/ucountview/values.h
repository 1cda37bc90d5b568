/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Values of the records as cells show them.
 */
#ifndef _UCV_VALUES_H
#define _UCV_VALUES_H

#include <linux/types.h>

char *uid_text(__u32 uid);
char *user_text(__u32 uid);
char *number_text(unsigned long long number);
char *name_text(const char *name);

#endif /* _UCV_VALUES_H */
