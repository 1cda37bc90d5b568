// SPDX-License-Identifier: GPL-2.0
/*
 * Changes the kernel's BTF, so that tests can see which features are lost. The parameter
 * btf takes "START STOP COMMAND", where START and STOP are the addresses of __start_BTF and
 * __stop_BTF (/proc/kallsyms) and COMMAND is one of
 *
 *	kind FUNCTION		gives the type record of FUNCTION a kind that no kernel has
 *	name OLD NEW		renames OLD to NEW, of the same length
 *	proto FUNCTION OTHER	gives FUNCTION the prototype of OTHER
 *
 * The kernel maps its BTF read-only, so it is written through another mapping of the same
 * pages.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <uapi/linux/btf.h>

#include "planted_btf.h"

#define NO_KIND		30
#define MAX_LEN		48

/* Changes, reverted in reverse order. */
static struct {
	void *at;
	size_t len;
	char old[MAX_LEN];
} changes[16];
static unsigned int nr_changes;
static DEFINE_MUTEX(changes_lock); /* protects changes and nr_changes */

struct blob {
	const char *types;
	const char *types_end;
	const char *strings;
	const char *strings_end;
};

static int write_to(void *to, const void *from, size_t len)
{
	void *page = (void *)((unsigned long)to & PAGE_MASK);
	struct page *pages[2] = {
		pfn_to_page(PHYS_PFN(__pa_symbol(page))),
		pfn_to_page(PHYS_PFN(__pa_symbol(page + PAGE_SIZE))),
	};
	void *alias = vmap(pages, 2, VM_MAP, PAGE_KERNEL);

	if (!alias)
		return -ENOMEM;
	memcpy(alias + offset_in_page(to), from, len);
	vunmap(alias);
	return 0;
}

static int change(const void *at, const void *to, size_t len)
{
	int ret = -ENOSPC;

	mutex_lock(&changes_lock);
	if (nr_changes < ARRAY_SIZE(changes) && len <= MAX_LEN) {
		changes[nr_changes].at = (void *)at;
		changes[nr_changes].len = len;
		memcpy(changes[nr_changes].old, at, len);
		ret = write_to((void *)at, to, len);
		if (!ret)
			nr_changes++;
	}
	mutex_unlock(&changes_lock);
	return ret;
}

void planted_btf_restore(void)
{
	mutex_lock(&changes_lock);
	while (nr_changes) {
		nr_changes--;
		write_to(changes[nr_changes].at, changes[nr_changes].old,
			 changes[nr_changes].len);
	}
	mutex_unlock(&changes_lock);
}

static int open_blob(struct blob *blob, unsigned long start, unsigned long stop)
{
	const struct btf_header *header = (void *)start;
	const char *body;

	if (!start || stop <= start || header->magic != BTF_MAGIC)
		return -EINVAL;
	body = (const char *)header + header->hdr_len;
	blob->types = body + header->type_off;
	blob->types_end = blob->types + header->type_len;
	blob->strings = body + header->str_off;
	blob->strings_end = blob->strings + header->str_len;
	return blob->strings_end <= (const char *)stop ? 0 : -EINVAL;
}

static const char *find_string(const struct blob *blob, const char *name)
{
	const char *at;

	for (at = blob->strings + 1; at < blob->strings_end; at += strlen(at) + 1)
		if (!strcmp(at, name))
			return at;
	return NULL;
}

/* Finds the record of a function by its name and kind; no other words match both. */
static const struct btf_type *find_function(const struct blob *blob, const char *name)
{
	const char *string = find_string(blob, name);
	const char *at;

	if (!string)
		return NULL;
	for (at = blob->types; at + sizeof(struct btf_type) <= blob->types_end; at += 4) {
		const struct btf_type *type = (const void *)at;

		if (type->name_off == string - blob->strings &&
		    (type->info & ~3U) == BTF_KIND_FUNC << 24)
			return type;
	}
	return NULL;
}

static int plant_kind(const struct blob *blob, const char *name)
{
	const struct btf_type *type = find_function(blob, name);
	const u32 info = NO_KIND << 24;

	return type ? change(&type->info, &info, sizeof(info)) : -ENOENT;
}

static int plant_name(const struct blob *blob, const char *old, const char *new)
{
	const char *string = find_string(blob, old);

	if (!string)
		return -ENOENT;
	return strlen(old) == strlen(new) ? change(string, new, strlen(new)) : -EINVAL;
}

static int plant_proto(const struct blob *blob, const char *name, const char *other)
{
	const struct btf_type *type = find_function(blob, name);
	const struct btf_type *from = find_function(blob, other);

	return type && from ? change(&type->type, &from->type, sizeof(from->type)) : -ENOENT;
}

static int plant_btf(const char *val, const struct kernel_param *kp)
{
	char command[16], first[MAX_LEN], second[MAX_LEN] = "";
	unsigned long start, stop;
	struct blob blob;
	int n;

	n = sscanf(val, "%lx %lx %15s %47s %47s", &start, &stop, command, first, second);
	if (n < 4 || open_blob(&blob, start, stop))
		return -EINVAL;
	if (n == 4 && !strcmp(command, "kind"))
		return plant_kind(&blob, first);
	if (n == 5 && !strcmp(command, "name"))
		return plant_name(&blob, first, second);
	if (n == 5 && !strcmp(command, "proto"))
		return plant_proto(&blob, first, second);
	return -EINVAL;
}

static const struct kernel_param_ops btf_ops = { .set = plant_btf };

module_param_cb(btf, &btf_ops, NULL, 0200);
MODULE_PARM_DESC(btf, "\"START STOP COMMAND\": change the kernel's BTF");
