// SPDX-License-Identifier: GPL-2.0
/*
 * Arming: the users of recording are the listening files, the module parameter, and
 * the tracepoints while one of them is enabled. The kernel is probed while there is a
 * user.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <trace/events/ucountview.h>

#include "arming.h"
#include "compat/kretprobes.h"
#include "denials.h"
#include "watchdog.h"

static DEFINE_MUTEX(ucv_arming_lock); /* protects the next five, and the probes */
static bool ucv_arming_ready; /* between load and unload */
static u32 ucv_arming_users;
static bool ucv_always; /* one of the users is the parameter */
static bool ucv_traced; /* one of the users is the tracepoints */
static bool ucv_parked; /* the probes are registered without users, and pin the module */

static DEFINE_SPINLOCK(ucv_tracers_lock); /* protects the two below */
static unsigned int ucv_tracers; /* enabled tracepoints */
static bool ucv_tracers_served; /* between load and unload */

#define UCV_PARK_INTERVAL	HZ

static void ucv_retire_again(struct work_struct *work);

static DECLARE_DELAYED_WORK(ucv_retire_work, ucv_retire_again);

/* The probes have been removed, or have users again. */
static void ucv_unpark(void)
{
	lockdep_assert_held(&ucv_arming_lock);
	if (!ucv_parked)
		return;
	ucv_parked = false;
	module_put(THIS_MODULE);
}

/*
 * The probes have no user any more. While ftrace is off they must stay registered (see
 * kretprobes.h), and the module with them. If the module is already being unloaded, it
 * cannot be pinned, and they are removed all the same.
 */
static void ucv_retire_kretprobes(void)
{
	lockdep_assert_held(&ucv_arming_lock);
	if (ucv_kretprobes_disarm()) {
		ucv_unpark();
		return;
	}
	if (!ucv_parked && !try_module_get(THIS_MODULE)) {
		pr_warn("unloading while kernel.ftrace_enabled is 0: the kernel may disable ftrace until the next boot\n");
		ucv_kretprobes_remove();
		return;
	}
	ucv_parked = true;
	schedule_delayed_work(&ucv_retire_work, UCV_PARK_INTERVAL);
}

static void ucv_retire_again(struct work_struct *work)
{
	mutex_lock(&ucv_arming_lock);
	if (ucv_parked)
		ucv_retire_kretprobes();
	mutex_unlock(&ucv_arming_lock);
}

static int ucv_arm_first(void)
{
	int ret;

	lockdep_assert_held(&ucv_arming_lock);
	ret = ucv_denials_alloc();
	if (ret)
		return ret;
	ret = ucv_kretprobes_arm();
	if (ret) {
		ucv_retire_kretprobes();
		return ret;
	}
	ucv_unpark();
	ucv_watchdog_start();
	return 0;
}

static int ucv_arm_locked(void)
{
	int ret = 0;

	lockdep_assert_held(&ucv_arming_lock);
	if (!ucv_arming_ready)
		return -ENODEV;
	if (!ucv_arming_users)
		ret = ucv_arm_first();
	else if (ucv_watchdog_check() == UCV_RECORDING_BLIND)
		ret = -ENOLINK;
	if (ret == -ENOLINK)
		pr_warn_ratelimited("cannot record denials: " UCV_BLIND_ADVICE "\n");
	if (!ret)
		ucv_arming_users++;
	return ret;
}

static void ucv_disarm_locked(void)
{
	lockdep_assert_held(&ucv_arming_lock);
	if (--ucv_arming_users)
		return;
	ucv_watchdog_stop();
	ucv_retire_kretprobes();
}

/**
 * ucv_arm() - arm recording of denials until ucv_disarm()
 *
 * Context: process context, no locks held. Sleeps.
 * Return: 0; -EOPNOTSUPP, -ENOMEM, -ENOLINK if the kernel's kprobes do not fire,
 *	-EINTR if a fatal signal arrived, or an error from registering the kprobes
 */
int ucv_arm(void)
{
	int ret;

	if (mutex_lock_killable(&ucv_arming_lock))
		return -EINTR;
	ret = ucv_arm_locked();
	mutex_unlock(&ucv_arming_lock);
	return ret;
}

/**
 * ucv_disarm() - undo ucv_arm()
 *
 * Context: process context, no locks held. Sleeps.
 */
void ucv_disarm(void)
{
	mutex_lock(&ucv_arming_lock);
	ucv_disarm_locked();
	mutex_unlock(&ucv_arming_lock);
}

/**
 * ucv_armed() - number of users of recording
 * @missed: out: missed probe hits, see ucv_kretprobes_missed()
 *
 * Context: process context, no locks held. Sleeps.
 * Return: the number
 */
u32 ucv_armed(u64 *missed)
{
	u32 users;

	mutex_lock(&ucv_arming_lock);
	users = ucv_arming_users;
	*missed = ucv_kretprobes_missed();
	mutex_unlock(&ucv_arming_lock);
	return users;
}

/* Add or remove the parameter or the tracepoints as a user. */
static int ucv_follow(bool *user, bool wanted)
{
	int ret = 0;

	lockdep_assert_held(&ucv_arming_lock);
	if (*user == wanted)
		return 0;
	if (wanted)
		ret = ucv_arm_locked();
	else
		ucv_disarm_locked();
	if (!ret)
		*user = wanted;
	return ret;
}

/* Before the module is ready, the value is only stored. */
static int ucv_always_set(const char *val, const struct kernel_param *kp)
{
	bool wanted;
	int ret;

	ret = kstrtobool(val ? val : "y", &wanted);
	if (ret)
		return ret;
	mutex_lock(&ucv_arming_lock);
	if (ucv_arming_ready)
		ret = ucv_follow(&ucv_always, wanted);
	else
		ucv_always = wanted;
	mutex_unlock(&ucv_arming_lock);
	return ret;
}

static const struct kernel_param_ops ucv_always_ops = {
	.flags	= KERNEL_PARAM_OPS_FL_NOARG,
	.set	= ucv_always_set,
	.get	= param_get_bool,
};

module_param_cb(denials, &ucv_always_ops, &ucv_always, 0644);
__MODULE_PARM_TYPE(denials, "bool");
MODULE_PARM_DESC(denials, "record denials even without a listener (default N)");

static void ucv_follow_tracers(struct work_struct *work)
{
	int ret = 0;

	mutex_lock(&ucv_arming_lock);
	if (ucv_arming_ready)
		ret = ucv_follow(&ucv_traced, READ_ONCE(ucv_tracers));
	mutex_unlock(&ucv_arming_lock);
	if (ret)
		pr_warn("cannot record denials for the tracepoints: error %d; disable and enable them to retry\n",
			ret);
}

static DECLARE_WORK(ucv_tracers_work, ucv_follow_tracers);

static void ucv_tracers_add(int nr)
{
	spin_lock(&ucv_tracers_lock);
	WRITE_ONCE(ucv_tracers, ucv_tracers + nr);
	if (ucv_tracers_served)
		schedule_work(&ucv_tracers_work);
	spin_unlock(&ucv_tracers_lock);
}

static void ucv_tracers_serve(bool serve)
{
	spin_lock(&ucv_tracers_lock);
	ucv_tracers_served = serve;
	if (serve && ucv_tracers)
		schedule_work(&ucv_tracers_work);
	spin_unlock(&ucv_tracers_lock);
}

/**
 * ucv_denials_trace_reg() - a tracepoint has been enabled
 *
 * The kernel calls this with the tracepoint lock held, which the function tracer takes
 * inside the locks that registering a kprobe takes. So the kernel is not probed here,
 * but from a work item, a moment later.
 *
 * Context: process context.
 * Return: 0
 */
int ucv_denials_trace_reg(void)
{
	ucv_tracers_add(1);
	return 0;
}

/**
 * ucv_denials_trace_unreg() - a tracepoint has been disabled
 *
 * On unload the kernel also calls this after ucv_arming_exit(); then it schedules
 * nothing.
 *
 * Context: as ucv_denials_trace_reg().
 */
void ucv_denials_trace_unreg(void)
{
	ucv_tracers_add(-1);
}

/**
 * ucv_arming_init() - arm recording for users that came before the module was ready
 *
 * Context: process context, at load, after ucv_denials_init().
 */
void ucv_arming_init(void)
{
	bool wanted;
	int ret;

	mutex_lock(&ucv_arming_lock);
	wanted = ucv_always;
	ucv_always = false;
	ucv_arming_ready = true;
	ret = ucv_follow(&ucv_always, wanted);
	mutex_unlock(&ucv_arming_lock);
	if (ret)
		pr_warn("cannot record denials (denials=Y): error %d; write Y to /sys/module/ucountview/parameters/denials to retry\n",
			ret);
	ucv_tracers_serve(true);
}

/**
 * ucv_arming_exit() - disarm for good
 *
 * Context: process context, at unload. No file listens any more.
 */
void ucv_arming_exit(void)
{
	ucv_tracers_serve(false);
	cancel_work_sync(&ucv_tracers_work);
	mutex_lock(&ucv_arming_lock);
	ucv_follow(&ucv_always, false);
	ucv_follow(&ucv_traced, false);
	ucv_arming_ready = false;
	/* Parked probes prevent unloading, but not a failure to load. */
	if (ucv_parked) {
		ucv_kretprobes_remove();
		ucv_unpark();
	}
	mutex_unlock(&ucv_arming_lock);
	/* The work may still be running. */
	cancel_delayed_work_sync(&ucv_retire_work);
}
