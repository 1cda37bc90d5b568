/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Run a command and wait for it.
 */
#ifndef _UCV_EXEC_H
#define _UCV_EXEC_H

/* As in env(1), nohup(1) and timeout(1). */
#define EXIT_OWN_FAILURE	125
#define EXIT_CANNOT_RUN		126
#define EXIT_NOT_FOUND		127

int run_command(char **argv);
int run_exit_status(int status);
void run_reap(void);

#endif /* _UCV_EXEC_H */
