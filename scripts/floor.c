/* The floor of a benchmark: the minimum of a container launcher. It confines nothing.
 *
 *   floor ROOT [SOURCE DEST]... -- COMMAND ARG...
 *
 * It makes new namespaces (for an ordinary user also a user namespace, which maps the caller's ids to 0), mounts ROOT as /, SOURCE at
 * DEST below it and a /proc, brings up the loopback interface, and runs COMMAND as a child of process 1. It exits with its status.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(long result, const char *what)
{
	if (result < 0)
		err(125, "%s", what);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	check(fd, path);
	check(write(fd, text, strlen(text)), path);
	close(fd);
}

static int wait_for(pid_t child)
{
	int status;

	check(waitpid(child, &status, 0), "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void map_ids(uid_t uid, gid_t gid)
{
	char line[64];

	put("/proc/self/setgroups", "deny");
	snprintf(line, sizeof line, "0 %u 1", uid);
	put("/proc/self/uid_map", line);
	snprintf(line, sizeof line, "0 %u 1", gid);
	put("/proc/self/gid_map", line);
}

static void loopback_up(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int any = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	check(any, "socket");
	check(ioctl(any, SIOCSIFFLAGS, &lo), "lo");
	close(any);
}

/* In the new namespaces. Returns CMD's status. */
static int inside(char **argv)
{
	const char *root = argv[1];
	pid_t child;

	check(mount("", "/", "", MS_REC | MS_PRIVATE, ""), "/");
	check(mount(root, root, "", MS_REC | MS_BIND, ""), root);
	check(chdir(root), root);
	for (argv += 2; argv[0] && strcmp(argv[0], "--"); argv += 2)
		check(mount(argv[0], argv[1], "", MS_REC | MS_BIND, ""), argv[1]);
	check(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, ""), "proc");
	check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	check(umount2(".", MNT_DETACH), "umount");
	loopback_up();
	child = vfork();
	check(child, "vfork");
	if (child == 0) {
		execv(argv[1], argv + 1);
		_exit(127);
	}
	return wait_for(child);
}

int main(int argc, char **argv)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	long flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP;
	pid_t child;

	if (argc < 4)
		errx(125, "usage: floor ROOT [SOURCE DEST]... -- COMMAND ARG...");
	child = syscall(SYS_clone, flags | (uid ? CLONE_NEWUSER : 0) | SIGCHLD, 0, 0, 0, 0);
	check(child, "clone");
	if (child)
		return wait_for(child);
	if (uid)
		map_ids(uid, gid);
	_exit(inside(argv));
}
