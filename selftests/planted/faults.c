// SPDX-License-Identifier: GPL-2.0
/*
 * Confines the kernel's fault injection by /proc/PID/fail-nth to what faults_test is about.
 * FOR TESTS ONLY. While this module is loaded,
 *
 * - nothing fails while ftrace attaches or detaches a kprobe: the kernel warns about an
 *   error there, whoever has registered the kprobe;
 * - a fault can be set off in the init function of a module, without counting what the
 *   kernel itself does to load the file: see the parameters.
 */
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>

static unsigned int init_nth;
module_param(init_nth, uint, 0644);
MODULE_PARM_DESC(init_nth, "fail-nth of a task that enters a module's init function; 0: none");

static bool init_lasting;
module_param(init_lasting, bool, 0644);
MODULE_PARM_DESC(init_lasting, "set make-it-fail as well");

static unsigned int init_left;
module_param(init_left, uint, 0444);
MODULE_PARM_DESC(init_left, "what was left of fail-nth when the init function returned");

struct faults_saved {
	unsigned int fail_nth;
	int make_it_fail;
};

static int faults_shield_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct faults_saved *saved = (void *)ri->data;

	saved->fail_nth = current->fail_nth;
	saved->make_it_fail = current->make_it_fail;
	current->fail_nth = 0;
	current->make_it_fail = 0;
	return 0;
}

NOKPROBE_SYMBOL(faults_shield_entry);

static int faults_shield_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct faults_saved *saved = (void *)ri->data;

	current->fail_nth = saved->fail_nth;
	current->make_it_fail = saved->make_it_fail;
	return 0;
}

NOKPROBE_SYMBOL(faults_shield_return);

static int faults_init_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	if (!READ_ONCE(init_nth))
		return 1; /* not the return either */
	current->make_it_fail = READ_ONCE(init_lasting);
	current->fail_nth = READ_ONCE(init_nth);
	return 0;
}

NOKPROBE_SYMBOL(faults_init_entry);

static int faults_init_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	WRITE_ONCE(init_left, current->fail_nth);
	current->fail_nth = 0;
	current->make_it_fail = 0;
	return 0;
}

NOKPROBE_SYMBOL(faults_init_return);

#define FAULTS_SHIELD(function) {				\
	.kp.symbol_name	= function,				\
	.entry_handler	= faults_shield_entry,			\
	.handler	= faults_shield_return,			\
	.data_size	= sizeof(struct faults_saved),		\
}

static struct kretprobe faults_probes[] = {
	FAULTS_SHIELD("ftrace_set_filter_ip"),
	FAULTS_SHIELD("register_ftrace_function"),
	FAULTS_SHIELD("unregister_ftrace_function"),
	{
		.kp.symbol_name	= "do_one_initcall",
		.entry_handler	= faults_init_entry,
		.handler	= faults_init_return,
	},
};

static int __init faults_init(void)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(faults_probes) && !ret; i++)
		ret = register_kretprobe(&faults_probes[i]);
	if (!ret)
		return 0;
	for (i--; i--;)
		unregister_kretprobe(&faults_probes[i]);
	return ret;
}

static void __exit faults_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(faults_probes); i++)
		unregister_kretprobe(&faults_probes[i]);
}

module_init(faults_init);
module_exit(faults_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Confines fault injection for the selftests of ucountview");
