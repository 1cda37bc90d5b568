// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses of symbols that the kernel does not export. Looked up at load only.
 *
 * kallsyms_lookup_name() is not exported either; a kprobe gives its address. It must be
 * called directly: with IBT an indirect call to an address past its ENDBR is a fatal
 * fault, and a kernel may have sealed the function against all indirect calls. A static
 * call updated to the address is a direct call. (On architectures without static calls
 * it is an ordinary indirect call, but these have no such trap.)
 */
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/static_call.h>
#include <linux/string.h>

#include "compat/symbols.h"

typedef unsigned long (*ucv_lookup_fn)(const char *name);

static unsigned long ucv_lookup_nothing(const char *name)
{
	return 0;
}

DEFINE_STATIC_CALL(ucv_lookup, ucv_lookup_nothing);

/*
 * Text of the symbol looked up last. Too large for the stack; not allocated, since for lack
 * of memory the symbol would look like an unsupported one. Only loading uses it.
 */
static char ucv_symbol_text[KSYM_SYMBOL_LEN];

/*
 * Find the offset of addr in its symbol, and the symbol's size. sprint_symbol() is the
 * only exported function that knows both: "name+0xOFFSET/0xSIZE".
 */
static int ucv_symbol_place(unsigned long addr, unsigned long *offset,
			    unsigned long *size)
{
	const char *plus;

	sprint_symbol(ucv_symbol_text, addr);
	plus = strrchr(ucv_symbol_text, '+');
	return plus && sscanf(plus, "+%lx/%lx", offset, size) == 2 ? 0 : -ENOENT;
}

/*
 * Find an address inside kallsyms_lookup_name(). Where a function starts with what ftrace
 * patches, some architectures (riscv) allow no kprobe there, but behind it.
 */
static int ucv_lookup_address(unsigned long *addr)
{
	static const unsigned int offsets[] = { 0, 8, 16 }; /* bytes */
	unsigned int i;
	int ret = -EINVAL;

	for (i = 0; i < ARRAY_SIZE(offsets) && ret == -EINVAL; i++) {
		/*
		 * Disabled: only its address is wanted. Unregistering an enabled kprobe
		 * while ftrace is off would harm the kernel, see kretprobes.h.
		 */
		struct kprobe kp = {
			.symbol_name	= "kallsyms_lookup_name",
			.offset		= offsets[i],
			.flags		= KPROBE_FLAG_DISABLED,
		};

		ret = register_kprobe(&kp);
		if (ret)
			continue;
		*addr = (unsigned long)kp.addr;
		unregister_kprobe(&kp);
	}
	return ret;
}

/**
 * ucv_symbols_init() - find kallsyms_lookup_name()
 *
 * Context: process context, at load. Sleeps.
 * Return: 0, or a negative error after a line in the log that says why
 */
int ucv_symbols_init(void)
{
	unsigned long addr, offset, size;
	int ret;

	ret = ucv_lookup_address(&addr);
	if (ret) {
		pr_err("cannot register a kprobe on kallsyms_lookup_name: error %d; the kernel needs CONFIG_KPROBES and CONFIG_KALLSYMS\n",
		       ret);
		return ret;
	}

	/*
	 * The kprobe is placed after the function's ENDBR, or further inside. With call
	 * depth tracking the kernel also reads the padding before a call's target. So use
	 * the true start.
	 */
	ret = ucv_symbol_place(addr, &offset, &size);
	if (ret) {
		pr_err("cannot find the start of kallsyms_lookup_name: error %d\n", ret);
		return ret;
	}
	static_call_update(ucv_lookup, (ucv_lookup_fn)(addr - offset));
	if (static_call(ucv_lookup)("kallsyms_lookup_name") != addr - offset) {
		pr_err("kallsyms_lookup_name self-test failed: it does not find itself\n");
		return -ENOEXEC;
	}
	return 0;
}

/**
 * ucv_symbol_optional() - look up a symbol that the kernel may lack
 * @name: the symbol
 *
 * Context: process context, after ucv_symbols_init(). Sleeps.
 * Return: its address, or NULL
 */
void *ucv_symbol_optional(const char *name)
{
	return (void *)static_call(ucv_lookup)(name);
}

/**
 * ucv_symbol() - look up an object that is required
 * @name: its symbol
 * @size: its minimum size, in bytes
 *
 * Context: process context, after ucv_symbols_init(). Sleeps.
 * Return: its address, or NULL after a line in the log
 */
void *ucv_symbol(const char *name, size_t size)
{
	void *symbol = ucv_symbol_optional(name);

	if (!symbol) {
		pr_err("cannot find symbol %s; the kernel needs CONFIG_KALLSYMS_ALL\n", name);
		return NULL;
	}
	if (ucv_symbol_size(symbol) < size) {
		pr_err("unsupported symbol %s: %zu bytes, expected at least %zu\n",
		       name, ucv_symbol_size(symbol), size);
		return NULL;
	}
	return symbol;
}

/**
 * ucv_symbol_size() - size of a symbol
 * @symbol: its address
 *
 * This is the distance to the next symbol, so it includes padding.
 *
 * Context: process context, at load.
 * Return: bytes, 0 if unknown
 */
size_t ucv_symbol_size(const void *symbol)
{
	unsigned long offset, size;

	if (ucv_symbol_place((unsigned long)symbol, &offset, &size) || offset)
		return 0;
	return size;
}

/**
 * ucv_symbol_begins() - does the named function or object begin at this address?
 * @symbol: the address
 * @name: its name, without any suffix that a compiler adds after a dot
 *
 * Context: process context, at load.
 */
bool ucv_symbol_begins(const void *symbol, const char *name)
{
	unsigned long offset, size;
	size_t len = strlen(name);

	if (ucv_symbol_place((unsigned long)symbol, &offset, &size) || offset)
		return false;
	return !strncmp(ucv_symbol_text, name, len) &&
	       (ucv_symbol_text[len] == '+' || ucv_symbol_text[len] == '.');
}
