/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Running a command and waiting for it.
 */
#ifndef _UCV_EXEC_H
#define _UCV_EXEC_H

/* As env(1), nohup(1), timeout(1) have it. */
#define EXIT_OWN_FAILURE	125
#define EXIT_CANNOT_RUN		126
#define EXIT_NOT_FOUND		127

int run_command(char **argv);
int run_exit_status(int status);
void run_reap(void);

#endif /* _UCV_EXEC_H */
