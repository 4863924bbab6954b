/* The programs that the tests run inside the container where a shell is not enough. Linked statically.
 *
 *   helper signals      prints every signal that arrives, as "NUMBER CODE VALUE", until stdin ends
 *   helper stay         prints "here" and waits until it is killed, whatever call fails
 *   helper alone FILE   locks FILE, prints "alone" or, if another process has locked it, "busy", and waits until it is killed
 *   helper orphans N    leaves N orphans to process 1; exits with 0 once there is no zombie
 *   helper escape FILE  tries to leave the root; prints "in", or how it reached FILE, which is outside
 *   helper trace        tries to trace every nsinit that it sees, and to open its files, until SIGTERM; then prints "seen N caught M"
 *   helper chroot-away DIR   changes its root to DIR, stays outside of it, prints "up", and waits under the name sleep
 *   helper switch-namespaces UID DIR   becomes UID, prints "up", and waits under the name sleep; on SIGUSR1 it makes a user
  *                       and a mount namespace, with DIR as its root
 *   helper thief LOG    prints "up"; in a session of its own it reads every terminal that it can open, until it is killed, and
  *                       inserts input into them; LOG has the result. `helper thief LOG leave` itself exits at once
 *   helper change WHAT..  tries to change each file (or descriptor, if it is a number): prints a line for each call that succeeds.
  *                       Modes and owners are set to their current values
 *   helper walk PATH..  prints every file below / except those at and below PATH, as "PATH KIND MODE RIGHTS CONTENT" with tabs
 *   helper session CMD..  runs CMD with a session keyring that has a key; then prints the state of the key
 *   helper keys         prints the content of that key, and tries to change and add keys
 *   helper nest         tries each call that makes user, mount and cgroup namespaces, and the caller's cgroup through them
 *   helper watch CAPS TEXT  looks at every nsinit that it sees for capabilities besides CAPS, and for TEXT in its arguments or
  *                       SECRET in its environment, until SIGTERM; then prints "seen N strong M telling L"
 *   helper ports CONNECT BIND  connects to a TCP port of 127.0.0.1, and binds to one; prints the errno of each
 *   helper around PORT  tries to reach that TCP port by MPTCP, by MSG_FASTOPEN in sendto and in sendmsg, and to make an io_uring; prints
 *                       the errno of each
 *   helper weak PATH    prints a word for each restriction of a test that is not in force: to write to PATH or truncate it, to bind to
 *                       TCP ports, 64 open files, no memory that is writable and executable, the processor 0 alone
 *   helper truncate PATH  truncates a file without opening it; exits with 0 if that succeeds
 *   helper notify LINE.. sends the lines to $NOTIFY_SOCKET, with a descriptor
 *   helper flood LINE   prints "up", and sends the line to $NOTIFY_SOCKET without end; prints the number of each signal from SIGUSR1 on
 *   helper limits       prints the securebits flags, and the errno of memory that is writable and executable
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

/* The raw call: glibc's wrappers leave out the two signals that glibc uses itself. */
static int block_all(void)
{
	unsigned long all = ~0ul;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof all);
	return syscall(SYS_signalfd4, -1, &all, sizeof all, SFD_NONBLOCK);
}

static void print_signals(int fd)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof info) == sizeof info)
		printf("%u %d %d\n", info.ssi_signo, info.ssi_code, info.ssi_int);
}

static int signals(void)
{
	int fd = block_all();
	struct pollfd both[] = {{0, POLLIN, 0}, {fd, POLLIN, 0}};

	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");
	do {
		poll(both, 2, -1);
		print_signals(fd);
	} while (!both[0].revents);
	return 0;
}

/* Sends the lines to the service manager, with a descriptor. */
static int notify(char **lines, int fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	char text[4096] = "";
	struct iovec part = {text, 0};
	struct msghdr message = {&address, sizeof address, &part, 1, &control, sizeof control.space, 0};

	for (; *lines; lines++) {
		strncat(text, *lines, sizeof text - strlen(text) - 2);
		strcat(text, "\n");
	}
	part.iov_len = strlen(text);
	memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
	if (!getenv("NOTIFY_SOCKET"))
		return 2;
	strncpy(address.sun_path, getenv("NOTIFY_SOCKET"), sizeof address.sun_path - 1);
	if (sendmsg(socket(AF_UNIX, SOCK_DGRAM, 0), &message, 0) >= 0)
		return 0;
	perror("sendmsg");
	return 1;
}

/* Sends the lines with the only descriptor of a connection to that port, whose close waits for a peer that never reads. */
static int linger(int port, char **lines)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct linger long_time = {1, 1000};
	static char bytes[65536];
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&address, sizeof address))
		return 1;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &long_time, sizeof long_time);
	while (send(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
		;
	return notify(lines, fd);
}

static void print_number(int number)
{
	char line[] = {'0' + number / 10, '0' + number % 10, '\n'};

	if (write(1, line, 3) != 3)
		_exit(1);
}

static int flood(const char *line)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int number, to = socket(AF_UNIX, SOCK_DGRAM, 0);

	for (number = SIGUSR1; number <= SIGRTMAX; number++)
		if (number != SIGTERM && number != SIGCHLD && number != SIGCONT && number != SIGSTOP)
			signal(number, print_number);
	strncpy(address.sun_path, getenv("NOTIFY_SOCKET") ?: "", sizeof address.sun_path - 1);
	if (connect(to, (struct sockaddr *)&address, sizeof address) || write(1, "up\n", 3) != 3) {
		perror("connect");
		return 1;
	}
	while (write(to, line, strlen(line)) > 0 || errno == EINTR)
		;
	perror("write");
	return 1;
}

static int zombies(void)
{
	char path[300], line[512], *state;
	int found = 0;
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	while ((entry = readdir(proc))) {
		FILE *stat;

		snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
		if (atoi(entry->d_name) == 0 || !(stat = fopen(path, "r")))
			continue;
		if (fgets(line, sizeof line, stat) && (state = strrchr(line, ')')))
			found += state[2] == 'Z';
		fclose(stat);
	}
	closedir(proc);
	return found;
}

/* Each child leaves a grandchild behind and exits; process 1 gets the grandchild. */
static int orphans(int count)
{
	for (int i = 0; i < count; i++) {
		pid_t child = fork();

		if (child == 0) {
			fork();
			_exit(0);
		}
		if (child < 0 || waitpid(child, NULL, 0) != child)
			return 1;
	}
	for (int tries = 0; zombies(); tries++) {
		if (tries == 5000)
			return 2;
		usleep(1000);
	}
	return 0;
}

/* Leaves a process that forks as fast as it can and ignores every signal. It ends by itself after a minute. */
static int bomb(void)
{
	int signal_number;
	time_t end = time(NULL) + 60;

	for (signal_number = 1; signal_number < 65; signal_number++)
		signal(signal_number, SIG_IGN);
	if (fork() > 0) {
		usleep(300000);
		return 3;
	}
	while (time(NULL) < end)
		fork();
	return 0;
}

/* The raw write(2): stdio makes further calls, which may fail. */
static int stay(void)
{
	if (write(1, "here\n", 5) != 5)
		return 1;
	for (;;)
		pause();
}

static int alone(const char *path)
{
	int file = open(path, O_RDWR | O_CREAT, 0600);

	puts(flock(file, LOCK_EX | LOCK_NB) ? "busy" : "alone");
	fflush(stdout);
	return pause();
}

static volatile sig_atomic_t over;

static void end(int signal)
{
	(void)signal;
	over = 1;
}

/* True if the process is still nsinit, not yet executed as the command. */
static int is_nsinit(int pid)
{
	char path[64], name[32] = "";
	int fd;

	snprintf(path, sizeof path, "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return 0;
	if (read(fd, name, sizeof name - 1) < 0)
		name[0] = 0;
	close(fd);
	return !strcmp(name, "nsinit\n");
}

/* Counts what can be opened of the process while it exists and is still nsinit. */
static int catch(int pid)
{
	static const char *const files[] = { "root", "cwd", "exe", "fd/0", "fd/3", "ns/mnt", "environ", "mem" };
	/* On older kernels these files of a dead process can be opened, but are empty: its memory is gone. */
	const unsigned int first_of_memory = 6;
	unsigned int i;
	char path[64], byte;
	int fd, caught = 0;

	if (!ptrace(PTRACE_SEIZE, pid, 0, 0)) {
		if (is_nsinit(pid)) {
			printf("traced %d\n", pid);
			caught++;
		}
		/* Only a stopped tracee can be detached; the parent can wait for a dead tracee only after its tracer has. */
		ptrace(PTRACE_INTERRUPT, pid, 0, 0);
		waitpid(pid, NULL, __WALL);
		ptrace(PTRACE_DETACH, pid, 0, 0);
	}
	for (i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "/proc/%d/%s", pid, files[i]);
		fd = open(path, O_RDONLY | O_NONBLOCK);
		if (fd < 0)
			continue;
		if (is_nsinit(pid) && (i < first_of_memory || read(fd, &byte, 1) != 0)) {
			printf("opened %s\n", path);
			caught++;
		}
		close(fd);
	}
	return caught;
}

static int trace(void)
{
	int seen = 0, caught = 0, pid;
	struct dirent *entry;
	DIR *proc;

	signal(SIGTERM, end);
	while (!over) {
		proc = opendir("/proc");
		while (proc && (entry = readdir(proc))) {
			pid = atoi(entry->d_name);
			if (pid > 1 && pid != getpid() && is_nsinit(pid)) {
				seen++;
				caught += catch(pid);
			}
		}
		if (proc)
			closedir(proc);
	}
	printf("seen %d caught %d\n", seen, caught);
	return 0;
}

/* keyctl(2) without its library. */
enum { KEY_JOIN = 1, KEY_UPDATE = 2, KEY_SEARCH = 10, KEY_READ = 11, KEY_SESSION = -3 };

static long key(void)
{
	return syscall(SYS_keyctl, KEY_SEARCH, KEY_SESSION, "user", "nsinit-test", 0);
}

static void print_key(const char *whose)
{
	char content[16] = "";
	long found = key();

	if (found < 0 || syscall(SYS_keyctl, KEY_READ, found, content, sizeof content - 1, 0) < 0)
		printf("%s: %s\n", whose, strerror(errno));
	else
		printf("%s: %s\n", whose, content);
	fflush(stdout);
}

static int keys(void)
{
	long found = key();

	print_key("inside");
	if (found >= 0)
		syscall(SYS_keyctl, KEY_UPDATE, found, "changed", 7, 0);
	return syscall(SYS_add_key, "user", "nsinit-planted", "x", 1, KEY_SESSION) < 0;
}

static int session(char **cmd)
{
	int status = 0;
	pid_t child;

	if (syscall(SYS_keyctl, KEY_JOIN, NULL) < 0 || syscall(SYS_add_key, "user", "nsinit-test", "secret", 6, KEY_SESSION) < 0) {
		printf("no keys: %s\n", strerror(errno));
		return 77;
	}
	child = fork();
	if (child == 0) {
		execv(cmd[0], cmd);
		_exit(126);
	}
	waitpid(child, &status, 0);
	print_key("outside");
	if (syscall(SYS_keyctl, KEY_SEARCH, KEY_SESSION, "user", "nsinit-planted", 0) >= 0)
		puts("planted");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int put(const char *path, const char *text);

/* Tries each call that makes a nested cgroup namespace without a capability; then opens files of the caller's cgroup. */
static int nest(void)
{
	static const char *const files[] = {"cgroup.kill", "cgroup.freeze", "cgroup.max.descendants"};
	const unsigned long flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP;
	unsigned long long new[8] = {flags, 0, 0, 0, SIGCHLD, 0, 0, 0};
	char path[64], map[32];
	long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
	int fd;

	if (pid == 0)
		_exit(0);
	printf("clone: %s\n", pid < 0 ? strerror(errno) : "made");
	pid = syscall(SYS_clone3, new, sizeof new);
	if (pid == 0)
		_exit(0);
	printf("clone3: %s\n", pid < 0 ? strerror(errno) : "made");
	fflush(stdout);
	snprintf(map, sizeof map, "0 %d 1", getuid());
	if (unshare(flags)) {
		printf("unshare: %s\n", strerror(errno));
		return 0;
	}
	put("/proc/self/setgroups", "deny");
	put("/proc/self/uid_map", map);
	if (mount("none", "/mnt", "cgroup2", 0, NULL)) {
		printf("mount: %s\n", strerror(errno));
		return 0;
	}
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "/mnt/%s", files[i]);
		fd = open(path, O_WRONLY);
		printf("%s: %s\n", files[i], fd < 0 ? strerror(errno) : "reached");
		close(fd);
	}
	return 0;
}

/* The content of a file of a process, or "". */
static const char *look(int pid, const char *name, char *content, size_t size)
{
	ssize_t length;
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY);
	length = fd < 0 ? 0 : read(fd, content, size - 1);
	close(fd);
	content[length < 0 ? 0 : length] = 0;
	for (ssize_t i = 0; i + 1 < length; i++)
		if (!content[i])
			content[i] = ' ';
	return content;
}

static int watch(unsigned long long allowed, const char *text)
{
	static const char *const sets[] = {"CapPrm:\t", "CapEff:\t", "CapBnd:\t", "CapInh:\t", "CapAmb:\t"};
	int seen = 0, strong = 0, telling = 0, pid;
	static char content[65536];
	struct dirent *entry;
	const char *set;
	size_t i;
	DIR *proc;

	signal(SIGTERM, end);
	while (!over) {
		proc = opendir("/proc");
		while (proc && (entry = readdir(proc))) {
			pid = atoi(entry->d_name);
			if (pid <= 1 || pid == getpid() || !is_nsinit(pid))
				continue;
			seen++;
			look(pid, "status", content, sizeof content);
			for (i = 0; i < sizeof sets / sizeof *sets; i++) {
				set = strstr(content, sets[i]);
				if (set && strtoull(set + 8, NULL, 16) & ~allowed)
					break;
			}
			/* Counts only if it still was nsinit. */
			strong += i < sizeof sets / sizeof *sets && !!strstr(content, "Name:\tnsinit");
			telling += !!strstr(look(pid, "cmdline", content, sizeof content), text)
				|| !!strstr(look(pid, "environ", content, sizeof content), "SECRET=");
		}
		if (proc)
			closedir(proc);
	}
	printf("seen %d strong %d telling %d\n", seen, strong, telling);
	return 0;
}

static int chroot_away(const char *dir)
{
	if (chdir("/tmp") || chroot(dir) || prctl(PR_SET_NAME, "sleep") || write(1, "up\n", 3) != 3)
		return 1;
	for (;;)
		pause();
}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

static int switch_namespaces(int uid, const char *dir)
{
	char map[64];
	sigset_t usr1;
	int signal;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	if (setgid(uid) || setuid(uid) || prctl(PR_SET_DUMPABLE, 1) || prctl(PR_SET_NAME, "sleep") || write(1, "up\n", 3) != 3)
		return 1;
	sigwait(&usr1, &signal);
	snprintf(map, sizeof map, "0 %d 1", uid);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) || !put("/proc/self/setgroups", "deny") || !put("/proc/self/uid_map", map)
	    || !put("/proc/self/gid_map", map) || chroot(dir) || chdir("/"))
		return 1;
	for (;;)
		pause();
}

/* The target of a link, or the beginning of a file. */
static void content(const char *path, mode_t mode, char *text, size_t size)
{
	ssize_t length = 0;
	int fd;

	if (S_ISLNK(mode)) {
		length = readlink(path, text, size - 1);
	} else if (S_ISREG(mode) && (fd = open(path, O_RDONLY)) >= 0) {
		length = read(fd, text, size - 1);
		close(fd);
	}
	text[length < 0 ? 0 : length] = 0;
}

/* Of the mount: an ordinary user may not write a file of mode 444 on a mount that is writable. */
static void rights(const char *path, mode_t mode)
{
	struct statvfs mount;
	int refused;

	if (S_ISLNK(mode) || statvfs(path, &mount))
		return;
	refused = access(path, W_OK) && (errno == EROFS || mount.f_flag & ST_RDONLY);
	fputs(refused ? "read-only" : "writable", stdout);
	if (!(mount.f_flag & ST_NODEV))
		fputs(" devices", stdout);
}

static int walk(const char *path, char **leave)
{
	static char text[8192];
	struct stat found;
	struct dirent *entry;
	DIR *dir;
	int failed = 0;

	for (char **next = leave; *next; next++)
		if (!strcmp(*next, path))
			return 0;
	if (lstat(path, &found))
		return 1;
	content(path, found.st_mode, text, sizeof text);
	printf("%s\t%c\t%o\t", path, "?pc?d?b?-?l?s???"[found.st_mode >> 12], found.st_mode & 07777);
	rights(path, found.st_mode);
	printf("\t%s\n", text);
	if (!S_ISDIR(found.st_mode))
		return 0;
	if (!(dir = opendir(path)))
		return 1;
	while ((entry = readdir(dir))) {
		char *below;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (asprintf(&below, "%s/%s", strcmp(path, "/") ? path : "", entry->d_name) < 0)
			return 1;
		failed |= walk(below, leave);
		free(below);
	}
	closedir(dir);
	return failed;
}

static void look_for(const char *file, const char *how)
{
	static const char *const from[] = {"", "/..", "..", "../../../../../../../.."};
	char path[4200];
	struct stat root, above;

	if (stat("/", &root) == 0 && stat("/..", &above) == 0 && (root.st_dev != above.st_dev || root.st_ino != above.st_ino)) {
		printf("out by %s: something is above the root\n", how);
		exit(0);
	}
	for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
		snprintf(path, sizeof path, "%s%s", from[i], file);
		if (access(path, F_OK) == 0) {
			printf("out by %s, from \"%s\"\n", how, from[i]);
			exit(0);
		}
	}
}

/* Tries the known ways out by chroot(2) and umount(2); a call that fails changes nothing. */
static int escape(const char *file)
{
	int root = open("/", O_PATH);

	look_for(file, "nothing");
	mkdir("/cell", 0700);
	if (chroot("/cell") == 0)
		look_for(file, "a directory above the root");
	if (fchdir(root) == 0 && chroot(".") == 0)
		look_for(file, "going back");
	unshare(CLONE_NEWNS);
	umount2("/", MNT_DETACH);
	look_for(file, "umount");
	umount2(".", MNT_DETACH);
	if (fchdir(root) == 0 && chroot("..") == 0)
		look_for(file, "what the root was mounted on");
	puts("in");
	return 0;
}

/* With high bits: a filter that compares all 64 bits does not match (CVE-2019-10063). */
static void push(int log, int fd)
{
	const char byte = 'Z';

	if (syscall(SYS_ioctl, (long)fd, 0xbeef00000000ul | TIOCSTI, &byte) == 0)
		dprintf(log, "pushed\n");
}

static int thief(const char *file, int leaves)
{
	enum { MOST = 64 };
	struct pollfd all[MOST];
	char name[64], bytes[256];
	int log = open(file, O_CREAT | O_APPEND | O_WRONLY, 0666), count = 0;
	int tty = open("/dev/tty", O_RDWR | O_NONBLOCK);

	dprintf(log, "tty: %s\n", tty < 0 ? strerror(errno) : "open");
	for (int pid = 0; pid < 32; pid++)
		for (int fd = 0; fd < 32 && count < MOST; fd++) {
			snprintf(name, sizeof name, "/proc/%d/fd/%d", pid, fd);
			if (pid == 0)
				snprintf(name, sizeof name, fd == 0 ? "/dev/tty" : fd == 1 ? "/dev/console" : "/dev/pts/%d", fd - 2);
			int one = open(name, O_RDWR | O_NONBLOCK | O_NOCTTY);
			if (one >= 0 && isatty(one))
				all[count++] = (struct pollfd){one, POLLIN, 0};
			else
				close(one);
		}
	for (int i = 0; i < count; i++)
		push(log, all[i].fd);
	signal(SIGHUP, SIG_IGN);
	if (fork()) {
		signal(SIGHUP, SIG_DFL);
		puts("up");
		fflush(stdout);
		while (!leaves)
			pause();
		return 0;
	}
	setsid();
	for (int open = count; open && poll(all, count, -1) > 0;)
		for (int i = 0; i < count; i++) {
			ssize_t length = all[i].revents ? read(all[i].fd, bytes, sizeof bytes) : -1;
			if (length > 0)
				dprintf(log, "stolen: %.*s\n", (int)length, bytes);
			else if (all[i].revents & (POLLHUP | POLLERR)) {
				all[i].fd = -1;
				open--;
			}
		}
	dprintf(log, "gone\n");
	while (1)
		pause();
	return 0;
}

static void tried(const char *what, const char *call, int result)
{
	if (result >= 0)
		printf("%s %s\n", what, call);
}

static void change_file(const char *what, const char *path)
{
	struct stat found;
	char below[300];

	if (stat(path, &found))
		return;
	tried(what, "chmod", chmod(path, found.st_mode & 07777));
	tried(what, "chown", chown(path, found.st_uid, found.st_gid));
	tried(what, "utimensat", utimensat(AT_FDCWD, path, NULL, 0));
	tried(what, "setxattr user", setxattr(path, "user.nsinit", "x", 1, 0));
	tried(what, "setxattr security", setxattr(path, "security.nsinit", "x", 1, 0));
	if (S_ISREG(found.st_mode))
		tried(what, "open", open(path, O_WRONLY));
	snprintf(below, sizeof below, "%s/new", path);
	if (S_ISDIR(found.st_mode))
		tried(what, "mkdir", mkdir(below, 0700));
}

static void change_descriptor(const char *what, int fd)
{
	struct stat found;
	char path[64];

	if (fstat(fd, &found) || S_ISFIFO(found.st_mode))
		return;
	tried(what, "fchmod", fchmod(fd, found.st_mode & 07777));
	tried(what, "fchown", fchown(fd, found.st_uid, found.st_gid));
	tried(what, "futimens", futimens(fd, NULL));
	tried(what, "fsetxattr", fsetxattr(fd, "security.nsinit", "x", 1, 0));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	change_file(what, path);
}

static int change(char **what)
{
	for (; *what; what++)
		if (**what == '/')
			change_file(*what, *what);
		else
			change_descriptor(*what, atoi(*what));
	return 0;
}

static int ports(int to, int own)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int out = socket(AF_INET, SOCK_STREAM, 0);
	int in = socket(AF_INET, SOCK_STREAM, 0);
	int connected, bound;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons(to);
	connected = connect(out, (struct sockaddr *)&address, sizeof address) ? errno : 0;
	address.sin_port = htons(own);
	bound = bind(in, (struct sockaddr *)&address, sizeof address) ? errno : 0;
	printf("%d %d\n", connected, bound);
	return 0;
}

static int around(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct iovec byte = { "x", 1 };
	struct msghdr message = { .msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &byte, .msg_iovlen = 1 };
	int multipath = socket(AF_INET, SOCK_STREAM, 262);
	int result[4];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	result[0] = multipath < 0 || connect(multipath, (struct sockaddr *)&address, sizeof address) ? errno : 0;
	result[1] = sendto(socket(AF_INET, SOCK_STREAM, 0), "x", 1, MSG_FASTOPEN, (struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
	result[2] = sendmsg(socket(AF_INET, SOCK_STREAM, 0), &message, MSG_FASTOPEN) < 0 ? errno : 0;
	result[3] = syscall(425, 1, NULL) < 0 ? errno : 0;
	printf("%d %d %d %d\n", result[0], result[1], result[2], result[3]);
	return 0;
}

static int weak(const char *path)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct rlimit files = { 64, 64 };
	cpu_set_t own;

	if (open(path, O_WRONLY) >= 0)
		printf("open ");
	if (!truncate(path, 0))
		printf("truncate ");
	if (!bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address))
		printf("bind ");
	if (!bind(socket(AF_INET, SOCK_STREAM, 262), (struct sockaddr *)&address, sizeof address))
		printf("multipath ");
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur != 64 || files.rlim_max != 64)
		printf("files ");
	if (mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		printf("memory ");
	if (!sched_getaffinity(0, sizeof own, &own) && (CPU_COUNT(&own) != 1 || !CPU_ISSET(0, &own)))
		printf("processors ");
	printf("ran\n");
	return 0;
}

static int limits(void)
{
	void *memory = mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	printf("%d %d\n", prctl(PR_GET_SECUREBITS), memory == MAP_FAILED ? errno : 0);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "ports"))
		return ports(atoi(argv[2]), atoi(argv[3]));
	if (argc == 3 && !strcmp(argv[1], "around"))
		return around(atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "weak"))
		return weak(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "truncate"))
		return truncate(argv[2], 0) != 0;
	if (argc > 2 && !strcmp(argv[1], "notify"))
		return notify(argv + 2, 0);
	if (argc > 3 && !strcmp(argv[1], "linger"))
		return linger(atoi(argv[2]), argv + 3);
	if (argc == 3 && !strcmp(argv[1], "flood"))
		return flood(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "limits"))
		return limits();
	if (argc >= 3 && !strcmp(argv[1], "thief"))
		return thief(argv[2], argc == 4);
	if (argc >= 2 && !strcmp(argv[1], "change"))
		return change(argv + 2);
	if (argc == 3 && !strcmp(argv[1], "escape"))
		return escape(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "signals"))
		return signals();
	if (argc == 2 && !strcmp(argv[1], "bomb"))
		return bomb();
	if (argc == 2 && !strcmp(argv[1], "stay"))
		return stay();
	if (argc == 3 && !strcmp(argv[1], "alone"))
		return alone(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "orphans"))
		return orphans(atoi(argv[2]));
	if (argc == 2 && !strcmp(argv[1], "trace"))
		return trace();
	if (argc > 2 && !strcmp(argv[1], "session"))
		return session(argv + 2);
	if (argc == 2 && !strcmp(argv[1], "keys"))
		return keys();
	if (argc == 2 && !strcmp(argv[1], "nest"))
		return nest();
	if (argc == 4 && !strcmp(argv[1], "watch"))
		return watch(strtoull(argv[2], NULL, 16), argv[3]);
	if (argc == 4 && !strcmp(argv[1], "switch-namespaces"))
		return switch_namespaces(atoi(argv[2]), argv[3]);
	if (argc == 3 && !strcmp(argv[1], "chroot-away"))
		return chroot_away(argv[2]);
	if (argc >= 2 && !strcmp(argv[1], "walk"))
		return walk("/", argv + 2);
	return 99;
}
