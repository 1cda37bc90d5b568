/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Addresses of symbols that the kernel does not export. Looked up at load only.
 */
#ifndef UCV_COMPAT_SYMBOLS_H
#define UCV_COMPAT_SYMBOLS_H

#include <linux/types.h>

int ucv_symbols_init(void);
void *ucv_symbol(const char *name, size_t size);
void *ucv_symbol_optional(const char *name);
size_t ucv_symbol_size(const void *symbol);
bool ucv_symbol_begins(const void *symbol, const char *name);

#endif
