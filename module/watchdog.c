// SPDX-License-Identifier: GPL-2.0
/*
 * Watches whether denials are recorded while recording is armed. Root can disable the
 * kernel's kprobes at any time, and the kernel does not report it. So a probe is tried:
 * on each query and, while recording is armed, once a second, since a reader may be
 * waiting for records that cannot come any more.
 */
#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <uapi/ucountview.h>

#include "compat/canary.h"
#include "compat/kretprobes.h"
#include "denials.h"
#include "watchdog.h"

#define UCV_WATCHDOG_INTERVAL	HZ

static DEFINE_MUTEX(ucv_watchdog_lock); /* protects the next five */
static bool ucv_watchdog_on; /* the probes are armed */
static bool ucv_blind; /* they did not fire when last tried */
static u64 ucv_since_ns; /* see ucv_listen.since_ns */
static u64 ucv_fired_ns; /* when the probes were last about to fire, and did */
static bool ucv_pinning; /* a reference on the module is held */

/* How often they were found not to fire. Written under the lock, read without. */
static atomic64_t ucv_interruptions = ATOMIC64_INIT(0);

/* Probes that must not be unregistered at present pin the module. */
static void ucv_watchdog_pin(bool pin)
{
	lockdep_assert_held(&ucv_watchdog_lock);
	if (pin && !ucv_pinning)
		ucv_pinning = try_module_get(THIS_MODULE);
	if (pin || !ucv_pinning)
		return;
	ucv_pinning = false;
	module_put(THIS_MODULE);
}

static void ucv_watchdog_report(bool blind)
{
	lockdep_assert_held(&ucv_watchdog_lock);
	if (blind == ucv_blind)
		return;
	ucv_blind = blind;
	/* Of an interruption only this is known: it began after the probes last fired. */
	ucv_since_ns = blind ? ucv_fired_ns : ktime_get_boottime_ns();
	if (!blind) {
		pr_info("denials are recorded again: kprobes fire\n");
		return;
	}
	atomic64_inc(&ucv_interruptions);
	pr_warn("denials are not recorded: " UCV_BLIND_ADVICE "\n");
	wake_up_interruptible_poll(&ucv_denials_wait, EPOLLERR);
}

static void ucv_watchdog_try(void)
{
	u64 now = ktime_get_boottime_ns();
	bool fires;

	lockdep_assert_held(&ucv_watchdog_lock);
	fires = ucv_canary_fires();
	ucv_watchdog_report(!fires);
	if (fires)
		ucv_fired_ns = now;
}

/**
 * ucv_watchdog_check_since() - are denials being recorded, and since when?
 * @since_ns: out: see ucv_listen.since_ns
 *
 * Context: process context. Sleeps. ucv_watchdog_lock is the innermost lock, except for
 *	the kernel's own that the probes and the wakeup take.
 * Return: UCV_RECORDING_*, 0 if recording is not armed
 */
u64 ucv_watchdog_check_since(u64 *since_ns)
{
	u64 state = 0;

	mutex_lock(&ucv_watchdog_lock);
	if (ucv_watchdog_on) {
		ucv_watchdog_try();
		ucv_watchdog_pin(ucv_kretprobes_stuck());
		state = ucv_blind ? UCV_RECORDING_BLIND : UCV_RECORDING_ON;
	}
	*since_ns = ucv_since_ns;
	mutex_unlock(&ucv_watchdog_lock);
	return state;
}

/**
 * ucv_watchdog_check() - are denials being recorded?
 *
 * Context: as ucv_watchdog_check_since().
 * Return: UCV_RECORDING_*, 0 if recording is not armed
 */
u64 ucv_watchdog_check(void)
{
	u64 since_ns;

	return ucv_watchdog_check_since(&since_ns);
}

/**
 * ucv_watchdog_interruptions() - how often recording was found interrupted
 *
 * Does not include interruptions that were over before the next check.
 *
 * Return: their number since the module was loaded
 */
u64 ucv_watchdog_interruptions(void)
{
	return atomic64_read(&ucv_interruptions);
}

static void ucv_watchdog_work_fn(struct work_struct *work);

/* Deferrable: an idle CPU refuses nothing. */
static DECLARE_DEFERRABLE_WORK(ucv_watchdog_work, ucv_watchdog_work_fn);

static void ucv_watchdog_work_fn(struct work_struct *work)
{
	ucv_watchdog_check();
	schedule_delayed_work(&ucv_watchdog_work, UCV_WATCHDOG_INTERVAL);
}

/**
 * ucv_watchdog_start() - start watching; the probes are armed, and fire
 *
 * Context: process context. Sleeps. The caller serializes starting and stopping.
 */
void ucv_watchdog_start(void)
{
	mutex_lock(&ucv_watchdog_lock);
	ucv_watchdog_on = true;
	ucv_since_ns = ktime_get_boottime_ns();
	ucv_fired_ns = ucv_since_ns;
	mutex_unlock(&ucv_watchdog_lock);
	schedule_delayed_work(&ucv_watchdog_work, UCV_WATCHDOG_INTERVAL);
}

/**
 * ucv_watchdog_stop() - stop watching, before the probes are disarmed
 *
 * When it returns, no check is in progress.
 *
 * Context: as ucv_watchdog_start().
 */
void ucv_watchdog_stop(void)
{
	cancel_delayed_work_sync(&ucv_watchdog_work);
	mutex_lock(&ucv_watchdog_lock);
	/* What an interruption has missed until now stays missing. */
	ucv_watchdog_try();
	if (!ucv_blind)
		ucv_since_ns = ktime_get_boottime_ns();
	ucv_watchdog_on = false;
	ucv_blind = false;
	ucv_watchdog_pin(false);
	mutex_unlock(&ucv_watchdog_lock);
}
