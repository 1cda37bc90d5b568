// SPDX-License-Identifier: GPL-2.0
/*
 * A process that runs commands of stories_test.sh: it hits limits, in its own namespaces. Not
 * a test.
 *
 *	story_agent IN OUT	reads commands from the FIFO IN, one a line, and
 *				answers each with a line in the FIFO OUT
 *	story_agent foreground PROGRAM ARGUMENT...
 *				runs it with the default action for SIGINT, which shells
 *				ignore in background commands
 *
 * An answer is a number, the name of an error, or a number and the error that followed:
 *
 *	pid			its pid in the pid namespace it was started in
 *	uid UID			becomes this user
 *	keep-caps		keeps capabilities when the uid changes
 *	userns OWNER FIRST NR	makes a user namespace as uid OWNER, where uids 0.. are
 *				FIRST.. outside; from then on a child in it, as its root,
 *				reads the commands. Answers as pid does.
 *	mntns			makes a private mount namespace
 *	mkdir PATH
 *	mount TYPE OPTIONS PATH
 *	bind PATH NR		NR mounts on top of each other
 *	umount PATH
 *	write PATH VALUE
 *	inotify			makes an inotify instance
 *	watch DIR FIRST NR	adds watches on files FIRST.. of DIR: the number added
 *	insist PATH NR		tries NR times to watch PATH: the number of refusals
 *	post			sends its instance to itself through a socket, closes it, and
 *				never receives it
 *	copy NR			makes NR copies of its descriptor: the number made
 *	children NR		forks NR children that hold what it holds
 *	fanotify		makes a fanotify group
 *	mark DIR FIRST NR	like watch, with marks
 *	quit
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/securebits.h>

#define MAX_WORDS	8

/* The words of a command; missing ones are empty. */
struct command {
	const char *word[MAX_WORDS];
};

static FILE *answers;
static int inotify_fd = -1, fanotify_fd = -1;

static const char *error_name(int error)
{
	switch (error) {
	case EMFILE:
		return "EMFILE";
	case ENOSPC:
		return "ENOSPC";
	default:
		return strerror(error);
	}
}

/* @ret is that of a system call: -1 on failure, with errno. */
static void answer(long ret)
{
	if (ret < 0)
		fprintf(answers, "%s\n", error_name(errno));
	else
		fprintf(answers, "%ld\n", ret);
}

static long number(const char *word)
{
	return strtol(word, NULL, 10);
}

static int write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t ret;

	if (fd < 0)
		return -1;
	ret = write(fd, value, strlen(value));
	close(fd);
	return ret < 0 ? -1 : 0;
}

static int write_map(pid_t pid, const char *name, const char *map)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return write_file(path, map);
}

static int become(uid_t uid)
{
	int ret = setresuid(uid, uid, uid);

	/* Otherwise the files in /proc/PID would belong to root of the initial namespace. */
	prctl(PR_SET_DUMPABLE, 1);
	return ret;
}

/* In the child, which continues once the parent has written its maps. */
static int enter_userns(uid_t owner, int ready, int mapped)
{
	char byte = 0;
	int ret;

	ret = setresuid(-1, owner, 0);
	if (!ret)
		ret = unshare(CLONE_NEWUSER);
	prctl(PR_SET_DUMPABLE, 1);
	if (ret || write(ready, &byte, 1) != 1 || read(mapped, &byte, 1) != 1)
		return -1;
	return become(0);
}

/* In the parent, which stays in its namespace until the child ends. */
static void map_and_wait(pid_t pid, const struct command *command, int ready, int mapped)
{
	char map[64], byte = 0;
	int status;

	snprintf(map, sizeof(map), "0 %s %s", command->word[2], command->word[3]);
	if (read(ready, &byte, 1) == 1 && !write_map(pid, "gid_map", "0 0 1") &&
	    !write_map(pid, "uid_map", map) && write(mapped, &byte, 1) != 1)
		perror("story_agent");
	/* Without a byte to read the child fails. */
	close(mapped);
	waitpid(pid, &status, 0);
	_exit(0);
}

static void do_userns(const struct command *command)
{
	int ready[2], mapped[2];
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) || pipe2(mapped, O_CLOEXEC)) {
		answer(-1);
		return;
	}
	pid = fork();
	if (pid > 0) {
		close(ready[1]);
		map_and_wait(pid, command, ready[0], mapped[1]);
	}
	close(mapped[1]);
	if (!pid && !enter_userns(number(command->word[1]), ready[1], mapped[0]))
		answer(getpid());
	else
		answer(-1);
	close(ready[0]);
	close(ready[1]);
	close(mapped[0]);
}

static int do_mntns(void)
{
	if (unshare(CLONE_NEWNS))
		return -1;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static void do_bind(const struct command *command)
{
	const char *path = command->word[1];
	long nr = number(command->word[2]), i;

	for (i = 0; i < nr; i++)
		if (mount(path, path, NULL, MS_BIND, NULL))
			break;
	answer(i < nr ? -1 : i);
}

static int watch(const char *path)
{
	return inotify_add_watch(inotify_fd, path, IN_MODIFY);
}

static int mark(const char *path)
{
	return fanotify_mark(fanotify_fd, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, path);
}

/* Answers with the number of files for which @fn succeeded, and the error of the next. */
static void with_files(const struct command *command, int (*fn)(const char *path))
{
	long first = number(command->word[2]), nr = number(command->word[3]), i;
	char path[PATH_MAX];

	for (i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s/%ld", command->word[1], first + i);
		if (fn(path) < 0) {
			fprintf(answers, "%ld %s\n", i, error_name(errno));
			return;
		}
	}
	fprintf(answers, "%ld\n", i);
}

static void do_insist(const struct command *command)
{
	long nr = number(command->word[2]), refused = 0, i;

	for (i = 0; i < nr; i++)
		refused += watch(command->word[1]) < 0;
	answer(refused);
}

/* The socket stays open. */
static long post(void)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { &byte, sizeof(byte) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return -1;
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &inotify_fd, sizeof(inotify_fd));
	if (sendmsg(sockets[0], &msg, 0) < 0)
		return -1;
	close(inotify_fd);
	inotify_fd = -1;
	return 0;
}

static int done(int fd, int *keep)
{
	*keep = fd;
	return fd < 0 ? -1 : 0;
}

static void do_copy(const struct command *command)
{
	const struct rlimit limit = { 1048576, 1048576 };
	long nr = number(command->word[1]), i;

	if (setrlimit(RLIMIT_NOFILE, &limit)) {
		answer(-1);
		return;
	}
	for (i = 0; i < nr; i++)
		if (fcntl(inotify_fd, F_DUPFD_CLOEXEC, 0) < 0)
			break;
	answer(i);
}

static void do_children(const struct command *command)
{
	long nr = number(command->word[1]), i;
	pid_t pid = 1;

	for (i = 0; i < nr && pid > 0; i++) {
		pid = fork();
		if (pid)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	answer(pid < 0 ? -1 : i);
}

static void obey(const struct command *command)
{
	const char * const *word = command->word;

	if (!strcmp(word[0], "pid"))
		answer(getpid());
	else if (!strcmp(word[0], "uid"))
		answer(become(number(word[1])));
	else if (!strcmp(word[0], "keep-caps"))
		answer(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0));
	else if (!strcmp(word[0], "userns"))
		do_userns(command);
	else if (!strcmp(word[0], "mntns"))
		answer(do_mntns());
	else if (!strcmp(word[0], "mkdir"))
		answer(mkdir(word[1], 0755));
	else if (!strcmp(word[0], "mount"))
		answer(mount(word[1], word[3], word[1], 0, word[2]));
	else if (!strcmp(word[0], "bind"))
		do_bind(command);
	else if (!strcmp(word[0], "umount"))
		answer(umount(word[1]));
	else if (!strcmp(word[0], "write"))
		answer(write_file(word[1], word[2]));
	else if (!strcmp(word[0], "inotify"))
		answer(done(inotify_init1(IN_CLOEXEC), &inotify_fd));
	else if (!strcmp(word[0], "watch"))
		with_files(command, watch);
	else if (!strcmp(word[0], "insist"))
		do_insist(command);
	else if (!strcmp(word[0], "copy"))
		do_copy(command);
	else if (!strcmp(word[0], "children"))
		do_children(command);
	else if (!strcmp(word[0], "post"))
		answer(post());
	else if (!strcmp(word[0], "fanotify"))
		answer(done(fanotify_init(FAN_CLOEXEC, O_RDONLY), &fanotify_fd));
	else if (!strcmp(word[0], "mark"))
		with_files(command, mark);
	else
		fputs("no such command\n", answers);
}

static void split(char *line, struct command *command)
{
	char *word = strtok(line, "\n ");
	int i;

	for (i = 0; i < MAX_WORDS; i++) {
		command->word[i] = word ? word : "";
		if (word)
			word = strtok(NULL, "\n ");
	}
}

/* Opens a FIFO for reading and writing, so that the other end may be reopened. */
static FILE *open_fifo(const char *path)
{
	FILE *file = fopen(path, "r+e");

	if (!file) {
		perror(path);
		exit(1);
	}
	setvbuf(file, NULL, _IOLBF, BUFSIZ);
	return file;
}

static int run_agent(const char *in, const char *out)
{
	FILE *commands = open_fifo(in);
	struct command command;
	char line[PATH_MAX];

	answers = open_fifo(out);
	while (fgets(line, sizeof(line), commands)) {
		split(line, &command);
		if (!strcmp(command.word[0], "quit"))
			return 0;
		obey(&command);
		fflush(answers);
	}
	return 1;
}

static int run_in_foreground(char **argv)
{
	signal(SIGINT, SIG_DFL);
	execv(argv[0], argv);
	perror(argv[0]);
	return 127;
}

int main(int argc, char **argv)
{
	if (argc > 3 && !strcmp(argv[1], "foreground"))
		return run_in_foreground(argv + 2);
	if (argc == 3)
		return run_agent(argv[1], argv[2]);
	fputs("usage: story_agent IN OUT, or foreground PROGRAM ARGUMENT...\n", stderr);
	return 2;
}
