/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A stream of lines.
 */
#ifndef _UCV_STREAM_H
#define _UCV_STREAM_H

#include <stdbool.h>

void stream_open(void);
bool stream_wait(int fd);
bool stream_line(const char *text);
bool stream_flush(void);

#endif /* _UCV_STREAM_H */
