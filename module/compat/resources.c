// SPDX-License-Identifier: GPL-2.0
/*
 * Names of this kernel's counters: its own enumerators, from its BTF, so that a new
 * kernel's counters show up without a change here; without BTF, from the headers that the
 * module was built with.
 */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>

#include "compat/btf.h"
#include "compat/resources.h"

/* Written by ucv_resources_init() only, before there are readers. */
struct ucv_resource ucv_resources[UCV_NR_RESOURCES];

static const char * const ucv_header_names[] = {
	UCV_HEADER_UCOUNTS
	UCV_HEADER_RLIMITS
};

static_assert(ARRAY_SIZE(ucv_header_names) == UCV_NR_RESOURCES);

/* Up to Linux 5.19 the rlimit counters are among those of ucount[]. */
static void ucv_resource_classify(struct ucv_resource *resource)
{
	resource->type = UCV_RESOURCE_UCOUNT;
	resource->unit = UCV_UNIT_OBJECTS;
	if (!strstarts(resource->name, "rlimit_"))
		return;
	resource->type = UCV_RESOURCE_RLIMIT;
	if (!strcmp(resource->name, "rlimit_msgqueue"))
		resource->unit = UCV_UNIT_BYTES;
	if (!strcmp(resource->name, "rlimit_memlock"))
		resource->unit = UCV_UNIT_PAGES;
}

/* "UCOUNT_INOTIFY_WATCHES" becomes "inotify_watches". */
static void ucv_resource_name(struct ucv_resource *resource, const char *enumerator)
{
	char *c;

	if (strstarts(enumerator, "UCOUNT_"))
		enumerator += strlen("UCOUNT_");
	strscpy(resource->name, enumerator, sizeof(resource->name));
	for (c = resource->name; *c; c++)
		*c = tolower(*c);
}

/*
 * Name resources [first, first + count) after the constants of an enum. Each value must
 * have a name, and the enum must end as in the headers: if not, this kernel's arrays are
 * not those that the module was built for.
 */
static int ucv_resources_from_enum(const struct ucv_btf *btf, const char *tag,
				   u32 first, u32 count, const char *last)
{
	const char *name;
	u32 nth, named = 0;
	s64 value;
	int ret;

	for (nth = 0; ; nth++) {
		ret = ucv_btf_enumerator(btf, tag, nth, &name, &value);
		if (ret)
			break;
		if (!strcmp(name, last)) {
			ret = value == count && named == count ? 0 : -ENOEXEC;
			break;
		}
		if (value < 0 || value >= count)
			continue;
		if (!ucv_resources[first + value].name[0])
			named++;
		ucv_resource_name(&ucv_resources[first + value], name);
	}
	if (!ret)
		return 0;
	pr_err("enum %s does not end with %s = %u in this kernel; rebuild the module for it\n",
	       tag, last, count);
	return -ENOEXEC;
}

static int ucv_resources_from_btf(const struct ucv_btf *btf)
{
	int ret;

	ret = ucv_resources_from_enum(btf, "ucount_type", 0, UCOUNT_COUNTS,
				      "UCOUNT_COUNTS");
	if (!ret && UCV_RLIMITS_APART)
		ret = ucv_resources_from_enum(btf, "rlimit_type", UCOUNT_COUNTS,
					      UCV_NR_RLIMITS,
					      "UCOUNT_RLIMIT_COUNTS");
	return ret;
}

/**
 * ucv_resources_init() - find the names of the counters
 * @btf: from ucv_btf_open(), or NULL if the kernel has none
 *
 * Context: process context, at load.
 * Return: 0, or -ENOEXEC after a line in the log if this kernel is not the one
 *	the module was built for
 */
int ucv_resources_init(const struct ucv_btf *btf)
{
	u32 i;
	int ret;

	for (i = 0; !btf && i < UCV_NR_RESOURCES; i++)
		ucv_resource_name(&ucv_resources[i], ucv_header_names[i]);
	ret = btf ? ucv_resources_from_btf(btf) : 0;
	if (ret)
		return ret;
	for (i = 0; i < UCV_NR_RESOURCES; i++)
		ucv_resource_classify(&ucv_resources[i]);
	return 0;
}

/**
 * ucv_resources_have_rlimits() - does this kernel count rlimits by user namespace?
 *
 * Return: true if any resource is an UCV_RESOURCE_RLIMIT
 */
bool ucv_resources_have_rlimits(void)
{
	u32 i;

	for (i = 0; i < UCV_NR_RESOURCES; i++)
		if (ucv_resources[i].type == UCV_RESOURCE_RLIMIT)
			return true;
	return false;
}
