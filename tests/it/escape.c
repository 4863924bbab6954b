/* An attacker inside: root of a container, with the rights of that. It tries what SECURITY.md lists, and breaks nothing:
 * modes, owners and times are set to their current values, files are opened for writing and not written.
 *
 *   attacker [SECRET]    prints a line for each attempt that succeeded, then "tried N". SECRET: process 1 must not show it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int tried;

/* An attempt that should have failed has succeeded. */
static void won(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	putchar('\n');
}

static int try(int result, const char *what, const char *on)
{
	tried++;
	if (result < 0)
		return 0;
	won("%s %s", what, on);
	return 1;
}

/* Changes that uid 0 may make to any file of uid 0: files that are not the container's own must be on read-only
 * mounts. */
static void change(const char *path)
{
	struct stat is;

	if (lstat(path, &is) < 0 || S_ISLNK(is.st_mode))
		return;
	try(chmod(path, is.st_mode & 07777), "chmod", path);
	try(chown(path, is.st_uid, is.st_gid), "chown", path);
	try(utimensat(AT_FDCWD, path, NULL, 0), "utimensat", path);
}

static void open_for_writing(const char *path)
{
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY);

	/* Some files of procfs that take no write can be opened for writing. */
	try(fd < 0 ? -1 : (int)write(fd, "", 0), "write to", path);
	if (fd >= 0)
		close(fd);
}

static void walk(const char *dir, int depth)
{
	DIR *list = opendir(dir);
	struct dirent *entry;
	struct stat is;
	char path[4096];

	if (!list)
		return;
	while ((entry = readdir(list))) {
		const char *name = entry->d_name;
		int length = snprintf(path, sizeof path, "%s/%s", dir, name);

		if (!strcmp(name, ".") || !strcmp(name, "..") || length >= (int)sizeof path)
			continue;
		/* The container may change its own processes. */
		if (!strcmp(dir, "/proc") && (strspn(name, "0123456789") == strlen(name)))
			continue;
		if (entry->d_type == DT_DIR && depth)
			walk(path, depth - 1);
		else if (entry->d_type == DT_REG) {
			open_for_writing(path);
			/* A file of procfs has one inode in all procfs mounts, and belongs to uid 0: only a mount over it protects it.
			 * World-readable files are not covered (README, Security). */
			if (stat(path, &is) == 0 && !(is.st_mode & S_IROTH))
				change(path);
		}
	}
	closedir(list);
}

/* Mount points of file systems that were made for this container, which may change them. */
static int is_own(const char *point)
{
	static const char *const own[] = {"/", "/proc", "/dev", "/dev/shm", "/dev/pts", "/dev/mqueue"};

	for (unsigned i = 0; i < sizeof own / sizeof *own; i++)
		if (!strcmp(point, own[i]))
			return 1;
	return 0;
}

static void mounts(void)
{
	FILE *list = fopen("/proc/self/mountinfo", "r");
	char line[8192], point[4096];

	while (list && fgets(line, sizeof line, list)) {
		if (sscanf(line, "%*s %*s %*s %*s %4095s", point) != 1 || is_own(point))
			continue;
		change(point);
		try(umount2(point, MNT_DETACH), "umount", point);
	}
	if (list)
		fclose(list);
	try(mount("none", "/tmp", "proc", 0, NULL), "mount proc on", "/tmp");
	try(mount("none", "/tmp", "tmpfs", 0, NULL), "mount tmpfs on", "/tmp");
	try(mount("/", "/", NULL, MS_REMOUNT | MS_BIND, NULL), "remount", "/");
}

/* Writing to a device does not change its inode; these calls do. Pipes and files were passed in by the caller. */
static void descriptors(void)
{
	char on[64], path[64];
	struct stat is;

	for (int fd = 0; fd < 3; fd++) {
		snprintf(on, sizeof on, "descriptor %d", fd);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		if (fstat(fd, &is) < 0 || !S_ISCHR(is.st_mode))
			continue;
		/* A terminal of the container's own devpts is the container's. */
		if (major(is.st_rdev) >= 136 && major(is.st_rdev) <= 143)
			continue;
		try(fchmod(fd, is.st_mode & 07777), "fchmod", on);
		try(fchown(fd, is.st_uid, is.st_gid), "fchown", on);
		try(futimens(fd, NULL), "futimens", on);
		try(chmod(path, is.st_mode & 07777), "chmod by path", on);
	}
	for (int fd = 3; fd < 1024; fd++) {
		snprintf(on, sizeof on, "%d", fd);
		try(fcntl(fd, F_GETFD), "descriptor", on);
	}
}

/* In a child, so that the new namespaces do not affect the attempts that follow. */
static void unshared(int flags, const char *what)
{
	pid_t child = fork();
	int status = 1;

	if (!child) {
		struct clone_args args = {.flags = (unsigned)flags, .exit_signal = SIGCHLD};

		if (!unshare(flags))
			_exit(0);
		child = syscall(SYS_clone3, &args, sizeof args);
		_exit(child < 0);
	}
	waitpid(child, &status, 0);
	try(status ? -1 : 0, "make", what);
}

static void namespaces(void)
{
	unshared(CLONE_NEWUSER, "a user namespace");
	unshared(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP, "user, mount and cgroup namespaces");
	unshared(CLONE_NEWCGROUP, "a cgroup namespace");
	unshared(CLONE_NEWNS, "a mount namespace");
}

static void terminal(void)
{
	char byte = 'x';
	int own = 1;

	for (int fd = 0; fd < 3; fd++) {
		struct stat is;
		char path[64], link[256] = "";

		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		if (!isatty(fd))
			continue;
		/* A terminal of this container's devpts has a path here. */
		if (readlink(path, link, sizeof link - 1) < 0 || stat(link, &is) < 0)
			own = 0;
		tried++;
		/* The container may insert input into its own terminal. */
		if (!own && ioctl(fd, TIOCSTI, &byte) == 0)
			won("TIOCSTI %d", fd);
	}
	if (!isatty(0) && !isatty(1) && !isatty(2))
		try(open("/dev/tty", O_RDWR), "open", "/dev/tty");
}

/* Process 1 must not show the launcher's arguments, nor give access to the launcher's file or memory. */
static void process_1(const char *secret)
{
	static const char *const shown[] = {"/proc/1/cmdline", "/proc/1/environ", "/proc/1/comm"};
	char text[65536];

	/* Then process 1 is this program. */
	if (getpid() == 1)
		return;
	for (unsigned i = 0; secret && i < sizeof shown / sizeof *shown; i++) {
		int fd = open(shown[i], O_RDONLY), length = fd < 0 ? 0 : read(fd, text, sizeof text);

		tried++;
		if (length > 0 && memmem(text, length, secret, strlen(secret)))
			won("%s shows the secret", shown[i]);
	}
	open_for_writing("/proc/1/exe");
	open_for_writing("/proc/1/mem");
	try(ptrace(PTRACE_SEIZE, 1, NULL, NULL), "trace", "process 1");
	try(open("/proc/1/fd/0", O_RDWR | O_NOCTTY), "open", "/proc/1/fd/0");
}

/* KEYCTL_SEARCH in the session keyring, KEYCTL_READ. */
static void keys(void)
{
	long key = syscall(SYS_keyctl, 10, -3L, "user", "nsinit-secret", 0L);
	char text[64];

	try(key < 0 ? -1 : 0, "find", "a key of the caller's session");
	if (key > 0)
		try(syscall(SYS_keyctl, 11, key, text, sizeof text) < 0 ? -1 : 0, "read", "a key of the caller's session");
}

static void devices(void)
{
	static const struct { const char *name; int major, minor; } kept[] = {{"mem", 1, 1}, {"kmsg", 1, 11}, {"null", 1, 3}};
	char path[64];

	for (unsigned i = 0; i < sizeof kept / sizeof *kept; i++) {
		snprintf(path, sizeof path, "/tmp/attacker.%s", kept[i].name);
		if (mknod(path, S_IFCHR | 0666, makedev(kept[i].major, kept[i].minor)) == 0)
			try(open(path, O_RDWR), "open the device", kept[i].name);
		unlink(path);
	}
	try(reboot(RB_ENABLE_CAD), "reboot", "RB_ENABLE_CAD");
}

int main(int argc, char **argv)
{
	char here[4096];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!getcwd(here, sizeof here) || *here != '/')
		won("the directory is outside: %s", here);
	descriptors();
	process_1(argc > 1 ? argv[1] : NULL);
	terminal();
	keys();
	mounts();
	walk("/proc", 16);
	walk("/sys", 24);
	devices();
	namespaces();
	printf("tried %s\n", tried > 100 ? "enough" : "too little");
	return 0;
}
