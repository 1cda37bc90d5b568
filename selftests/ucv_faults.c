// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's fault injection: slab, pages, copies to and from user space. It counts what
 * a thread does by /proc/thread-self/fail-nth; make-it-fail makes all later ones fail.
 *
 * Reading and writing these files is itself a copy that counts. So a number that is left
 * over can end in a fault of these functions, which then was none of the call's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ucv_faults.h"
#include "ucv_test.h"

#define FAULTS		"/sys/kernel/debug/"
/* More page faults than any call has. */
#define PAGE_FAULTS	1000000

static int nth_fd = -1, make_fd = -1;

static const struct {
	const char *path;
	const char *value;
	const char *normal;
} settings[] = {
	{ FAULTS "failslab/verbose", "0", "2" },
	{ FAULTS "failslab/task-filter", "Y", "N" },
	{ FAULTS "failslab/times", "-1", "1" },
	{ FAULTS "failslab/ignore-gfp-wait", "N", "Y" },
	{ FAULTS "fail_page_alloc/verbose", "0", "2" },
	{ FAULTS "fail_page_alloc/task-filter", "Y", "N" },
	{ FAULTS "fail_page_alloc/ignore-gfp-wait", "N", "Y" },
	{ FAULTS "fail_page_alloc/ignore-gfp-highmem", "N", "Y" }, /* as vmalloc() has */
	{ FAULTS "fail_page_alloc/min-order", "0", "1" },
	{ FAULTS "fail_usercopy/verbose", "0", "2" },
	{ FAULTS "fail_usercopy/probability", "0", "0" },
};

const char *ucv_faults_missing(void)
{
	unsigned int i;

	if (access("/proc/thread-self/fail-nth", W_OK))
		return "the kernel has no fault injection (CONFIG_FAULT_INJECTION)";
	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (access(settings[i].path, W_OK))
			return settings[i].path;
	return NULL;
}

int ucv_faults_open(void)
{
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		ret = ucv_write(settings[i].path, settings[i].value);
		if (ret)
			return ret;
	}
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	make_fd = open("/proc/thread-self/make-it-fail", O_WRONLY | O_CLOEXEC);
	return nth_fd < 0 || make_fd < 0 ? -errno : 0;
}

void ucv_faults_close(void)
{
	unsigned int i;

	close(nth_fd);
	close(make_fd);
	ucv_faults_mode(UCV_FAULT_ONCE);
	for (i = 0; i < ARRAY_SIZE(settings); i++)
		ucv_write(settings[i].path, settings[i].normal);
}

int ucv_faults_mode(enum ucv_faults mode)
{
	const char *slab = mode == UCV_FAULT_LASTING ? "100" : "0";
	const char *pages = mode == UCV_FAULT_ONCE ? "0" : "100";
	int ret = ucv_write(FAULTS "failslab/probability", slab);

	if (!ret)
		ret = ucv_write(FAULTS "fail_page_alloc/probability", pages);
	if (!ret)
		ret = ucv_write(FAULTS "fail_page_alloc/times", "-1");
	if (!ret)
		ret = ucv_write(FAULTS "fail_page_alloc/space", "0");
	return ret;
}

static int write_number(int fd, unsigned int number)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", number);

	return pwrite(fd, text, length, 0) == length ? 0 : -errno;
}

int ucv_faults_begin(enum ucv_faults mode, unsigned int nth)
{
	char text[16];
	int ret = 0;

	if (mode == UCV_FAULT_PAGES) {
		snprintf(text, sizeof(text), "%u", PAGE_FAULTS);
		ret = ucv_write(FAULTS "fail_page_alloc/times", text);
		snprintf(text, sizeof(text), "%u", nth);
		if (!ret)
			ret = ucv_write(FAULTS "fail_page_alloc/space", text);
	}
	if (!ret && mode != UCV_FAULT_ONCE)
		ret = write_number(make_fd, 1);
	if (!ret && mode != UCV_FAULT_PAGES)
		ret = write_number(nth_fd, nth);
	return ret;
}

bool ucv_faults_end(enum ucv_faults mode)
{
	char text[16] = "";
	bool fault = false;
	ssize_t got;

	if (mode == UCV_FAULT_PAGES) {
		write_number(make_fd, 0);
		return ucv_read_number(FAULTS "fail_page_alloc/times") != PAGE_FAULTS;
	}
	got = pread(nth_fd, text, sizeof(text) - 1, 0);
	fault = got > 0 && !atoi(text);
	while (!fault && write_number(nth_fd, 0)) /* as often as a fault of ours is due */
		;
	if (mode == UCV_FAULT_LASTING)
		write_number(make_fd, 0);
	return fault;
}
