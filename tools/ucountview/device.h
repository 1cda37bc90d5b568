/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device: opened, and listened to.
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
 * struct listener - a file that listens
 * @fd: the file; poll() it to wait for the next denial
 * @state: what the module said when it began
 * @buffer: records that were read and not given out yet
 * @used: bytes in it
 * @next: where the next record begins
 * @denial: the record given out last
 * @interrupted: the module says that recording is or was interrupted; whoever has told
 *	so clears it
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
