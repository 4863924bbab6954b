/* The floor of a benchmark: the minimum of a container launcher. It is also the cheapest COMMAND.
 *
 *   floor ROOT [SOURCE DEST]... -- COMMAND ARG...
 *   floor             ends at once
 *   floor pause       sleeps until a signal ends it
 *   floor lines       writes 20 MB of lines
 *
 * What it does: new pid, mount, network, IPC, UTS and cgroup namespaces, for an ordinary user also a user namespace that maps the
 * caller's ids to 0; ROOT as /; /proc; a /dev of its own with six devices, pts, shm and the usual links; SOURCE at DEST, in ROOT;
 * the loopback interface up; COMMAND as a child of process 1, which reaps all and passes on the exit status.
 *
 * What it does not do: parse, check or report anything; confine (no capability is dropped, nothing is masked, nothing is read-only,
 * links in ROOT are followed); pass on signals; hide its own file from COMMAND; for root, a user namespace.
 *
 * It has no libc, because the start of one is part of the time: measured 10 µs for a static musl, 310 for a static glibc.
 */
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/if.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <linux/types.h>

/* From linux/fs.h and sys/mount.h, which need a libc. */
enum { PRIVATE = MS_PRIVATE | MS_REC, BIND = MS_BIND | MS_REC, DETACH = 2, HERE = -100, FILE = 0100000, DEVICE = 020000 };

#if defined __x86_64__
#define ENTRY "xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call begin\n hlt"
static inline __attribute__((always_inline)) long call(long n, long a, long b, long c, long d, long e)
{
	register long r10 asm("r10") = d, r8 asm("r8") = e;
	long result;

	asm volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
	return result;
}
#elif defined __aarch64__
#define ENTRY "mov x29, #0\n mov x0, sp\n and sp, x0, #-16\n bl begin\n brk #0"
static inline __attribute__((always_inline)) long call(long n, long a, long b, long c, long d, long e)
{
	register long x8 asm("x8") = n, x0 asm("x0") = a, x1 asm("x1") = b, x2 asm("x2") = c, x3 asm("x3") = d, x4 asm("x4") = e;

	asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
	return x0;
}
#elif defined __riscv && __riscv_xlen == 64
#define ENTRY "mv a0, sp\n andi sp, sp, -16\n call begin\n ebreak"
static inline __attribute__((always_inline)) long call(long n, long a, long b, long c, long d, long e)
{
	register long a7 asm("a7") = n, a0 asm("a0") = a, a1 asm("a1") = b, a2 asm("a2") = c, a3 asm("a3") = d, a4 asm("a4") = e;

	asm volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4) : "memory");
	return a0;
}
#else
#error "scripts/floor.c knows x86_64, aarch64 and riscv64"
#endif

#define CALL(name, a, b, c, d, e) call(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))

/* The compiler may call it to clear a struct. */
__attribute__((used, optimize("no-tree-loop-distribute-patterns"))) void *memset(void *to, int byte, unsigned long count)
{
	for (unsigned long i = 0; i < count; i++)
		((char *)to)[i] = byte;
	return to;
}

static void end(int status)
{
	for (;;)
		CALL(exit_group, status, 0, 0, 0, 0);
}

/* Ends the program if a call failed. */
static long check(long result)
{
	if (result < 0)
		end(125);
	return result;
}

static void put(const char *path, const char *text, long length)
{
	long fd = check(CALL(openat, HERE, path, O_WRONLY | O_CLOEXEC, 0, 0));

	check(CALL(write, fd, text, length, 0, 0));
	CALL(close, fd, 0, 0, 0, 0);
}

static void map_id(const char *path, unsigned id)
{
	char line[24] = "0 ", digits[12];
	int length = 2, count = 0;

	do
		digits[count++] = '0' + id % 10;
	while (id /= 10);
	while (count)
		line[length++] = digits[--count];
	line[length++] = ' ';
	line[length++] = '1';
	put(path, line, length);
}

static void mount(const char *source, const char *place, const char *kind, long flags, const char *options)
{
	check(CALL(mount, source, place, kind, flags, options));
}

static void link(const char *target, const char *place)
{
	check(CALL(symlinkat, target, HERE, place, 0, 0));
}

/* An ordinary user cannot make device files, and binds the caller's. */
static void make_dev(int user)
{
	static const struct { char host[16]; unsigned number; } devices[] = {
		{"/dev/null", 0x103}, {"/dev/zero", 0x105}, {"/dev/full", 0x107},
		{"/dev/random", 0x108}, {"/dev/urandom", 0x109}, {"/dev/tty", 0x500},
	};

	mount("tmpfs", "dev", "tmpfs", MS_NOSUID | (user ? MS_NODEV : 0), "mode=755");
	for (unsigned i = 0; i < sizeof devices / sizeof *devices; i++) {
		const char *place = devices[i].host + 1;

		check(CALL(mknodat, HERE, place, (user ? FILE : DEVICE) | 0666, user ? 0 : devices[i].number, 0));
		if (user)
			mount(devices[i].host, place, 0, MS_BIND, 0);
	}
	link("/proc/self/fd", "dev/fd");
	link("/proc/self/fd/0", "dev/stdin");
	link("/proc/self/fd/1", "dev/stdout");
	link("/proc/self/fd/2", "dev/stderr");
	check(CALL(mkdirat, HERE, "dev/shm", 0755, 0, 0));
	check(CALL(mkdirat, HERE, "dev/pts", 0755, 0, 0));
	mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620");
	link("pts/ptmx", "dev/ptmx");
}

static void loopback_up(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	/* AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC: the cheapest socket that takes the request. */
	long any = check(CALL(socket, 1, 2 | O_CLOEXEC, 0, 0, 0));

	check(CALL(ioctl, any, SIOCSIFFLAGS, &lo, 0, 0));
	CALL(close, any, 0, 0, 0, 0);
}

/* Waits until `child` has ended, and reaps all others. Returns the exit status. */
static int wait_for(long child)
{
	int status;
	long pid;

	do
		pid = CALL(wait4, -1, &status, 0, 0, 0);
	while (pid != child && pid != -10 /* ECHILD */);
	return status & 127 ? 128 + (status & 127) : status >> 8 & 255;
}

/* In the new namespaces. Returns COMMAND's status. */
static int inside(char **argv, char **env, int user)
{
	struct clone_args vfork = {.flags = CLONE_VM | CLONE_VFORK, .exit_signal = 17 /* SIGCHLD */};
	const char *root = argv[1];
	long child;

	mount(0, "/", 0, PRIVATE, 0);
	mount(root, root, 0, BIND, 0);
	check(CALL(chdir, root, 0, 0, 0, 0));
	mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0);
	make_dev(user);
	for (argv += 2; argv[0][0] != '-'; argv += 2)
		mount(argv[0], argv[1], 0, BIND, 0);
	check(CALL(pivot_root, ".", ".", 0, 0, 0));
	check(CALL(umount2, ".", DETACH, 0, 0, 0));
	loopback_up();
	/* Not in a function of its own: the child shares this frame, and must not return from it. */
	child = check(CALL(clone3, &vfork, sizeof vfork, 0, 0, 0));
	if (child == 0) {
		CALL(execve, argv[1], argv + 1, env, 0, 0);
		end(127);
	}
	return wait_for(child);
}

static void write_lines(void)
{
	static char text[64000];
	long length = sizeof text;

	for (int i = 0; i < length; i++)
		text[i] = i % 80 == 79 ? '\n' : 'x';
	for (long left = 20000000; left > 0; left -= length)
		length = check(CALL(write, 1, text, left < length ? left : length, 0, 0));
	end(0);
}

__attribute__((used)) void begin(long *stack)
{
	char **argv = (char **)(stack + 1), **env = argv + stack[0] + 1;
	unsigned uid = CALL(geteuid, 0, 0, 0, 0, 0), gid = CALL(getegid, 0, 0, 0, 0, 0);
	struct clone_args all = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP | (uid ? CLONE_NEWUSER : 0),
		.exit_signal = 17 /* SIGCHLD */,
	};
	long child;

	if (stack[0] == 1)
		end(0);
	if (stack[0] == 2 && argv[1][0] == 'l')
		write_lines();
	if (stack[0] == 2)
		for (;;)
			CALL(ppoll, 0, 0, 0, 0, 0);
	child = check(CALL(clone3, &all, sizeof all, 0, 0, 0));
	if (child)
		end(wait_for(child));
	if (uid) {
		put("/proc/self/setgroups", "deny", 4);
		map_id("/proc/self/uid_map", uid);
		map_id("/proc/self/gid_map", gid);
	}
	end(inside(argv, env, uid != 0));
}

asm(".globl _start\n_start: " ENTRY);
