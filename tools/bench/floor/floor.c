// SPDX-License-Identifier: GPL-2.0
/*
 * The least that any reader of the table of ucounts has to do, to compare the module with:
 * visit each entry (touch), and store its numbers into an array that is there (copy).
 *
 * For the benchmark's VM alone, where nothing is charged meanwhile: it takes no lock, and
 * believes the address that it is given.
 */
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/user_namespace.h>

static unsigned long table;
module_param(table, ulong, 0444);
MODULE_PARM_DESC(table, "address of the table, from /proc/kallsyms");

static unsigned int buckets;
module_param(buckets, uint, 0444);
MODULE_PARM_DESC(buckets, "its size");

static ulong touch_ns;
module_param(touch_ns, ulong, 0444);
MODULE_PARM_DESC(touch_ns, "result: to visit each entry");

static ulong copy_ns;
module_param(copy_ns, ulong, 0444);
MODULE_PARM_DESC(copy_ns, "result: to store the numbers of each, too");

/* What is stored of an entry. All its counters are behind the first. */
struct ucv_floor_copy {
	const void *ns;
	uid_t uid;
	long counter[(sizeof(struct ucounts) - offsetof(struct ucounts, ucount)) / sizeof(long)];
};

/* Both kinds of lists have the next node first in a node, and end with NULL or an odd number. */
static struct ucounts *ucv_floor_entry(unsigned long node)
{
	return !node || node & 1 ? NULL : container_of((void *)node, struct ucounts, node);
}

static struct ucounts *ucv_floor_first(unsigned int bucket)
{
	return ucv_floor_entry(READ_ONCE(((unsigned long *)table)[bucket]));
}

static struct ucounts *ucv_floor_next(struct ucounts *entry)
{
	return ucv_floor_entry(READ_ONCE(*(unsigned long *)&entry->node));
}

static noinline unsigned int ucv_floor_touch(void)
{
	unsigned int bucket, nr = 0;
	struct ucounts *entry;

	for (bucket = 0; bucket < buckets; bucket++)
		for (entry = ucv_floor_first(bucket); entry; entry = ucv_floor_next(entry))
			nr++;
	return nr;
}

static noinline void ucv_floor_store(struct ucv_floor_copy *to, const struct ucounts *entry)
{
	const long *counter = (const long *)&entry->ucount;
	unsigned int i;

	to->ns = entry->ns;
	to->uid = __kuid_val(entry->uid);
	for (i = 0; i < ARRAY_SIZE(to->counter); i++)
		to->counter[i] = READ_ONCE(counter[i]);
}

static noinline void ucv_floor_copy(struct ucv_floor_copy *to, unsigned int nr)
{
	struct ucounts *e;
	unsigned int bucket, i = 0;

	for (bucket = 0; bucket < buckets; bucket++)
		for (e = ucv_floor_first(bucket); e && i < nr; e = ucv_floor_next(e))
			ucv_floor_store(&to[i++], e);
}

static int __init ucv_floor_init(void)
{
	struct ucv_floor_copy *to;
	unsigned int nr;
	u64 start;

	if (!table || !buckets)
		return -EINVAL;
	nr = ucv_floor_touch(); /* warms up */
	start = ktime_get_ns();
	nr = ucv_floor_touch();
	touch_ns = ktime_get_ns() - start;

	to = kvcalloc(nr, sizeof(*to), GFP_KERNEL);
	if (!to)
		return -ENOMEM;
	start = ktime_get_ns();
	ucv_floor_copy(to, nr);
	copy_ns = ktime_get_ns() - start;
	kvfree(to);
	return 0;
}

static void __exit ucv_floor_exit(void)
{
}

module_init(ucv_floor_init);
module_exit(ucv_floor_exit);

MODULE_DESCRIPTION("The least that any reader of the table of ucounts costs");
MODULE_LICENSE("GPL");
