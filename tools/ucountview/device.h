/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's device: opening it, and reading denials from it.
 */
#ifndef _UCV_DEVICE_H
#define _UCV_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <uapi/ucountview.h>

#include "ucountview.h"

void __noreturn device_cannot(const char *what);
int device_open(struct ucv_info *info, int flags);

/**
 * struct listener - an open file that listens for denials
 * @fd: the file; poll() it to wait for the next denial
 * @state: the module's answer when listening began
 * @buffer: @used bytes of records that were read, those from @next on not returned yet
 * @denial: the record returned last
 * @interrupted: recording is or was interrupted; cleared by the caller that reports it
 */
struct listener {
	int fd;
	struct ucv_listen state;
	char *buffer;
	size_t used;
	size_t next;
	struct ucv_denial denial;
	bool interrupted;
};

void listener_open(struct listener *listener, __u32 flags);
struct ucv_denial *listener_next(struct listener *listener);
void listener_close(struct listener *listener);
struct ucv_listen listener_state(void);
void __noreturn listener_blind(void);

#endif /* _UCV_DEVICE_H */
