/* What a container lets its process do: one line for each attempt, `NAME<tab>RESULT`. scripts/compare runs it inside of nsinit and of
 * other tools. RESULT is `yes`, or the name of the errno, or `killed`; for facts it is a number. An errno that only says that the
 * arguments mean nothing (the kernel went on to read them) is a `yes`.
 *
 * An attempt changes nothing, also where it is permitted: times are set to what they are, files are opened and not written.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/fanotify.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/quota.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef AF_VSOCK
#define AF_VSOCK 40
#endif
#ifndef AF_ALG
#define AF_ALG 38
#endif
#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef __X32_SYSCALL_BIT
#define __X32_SYSCALL_BIT 0x40000000
#endif

static long call(long number, long a, long b, long c, long d, long e)
{
    return syscall(number, a, b, c, d, e, 0L);
}

static int opens(const char *path, int how)
{
    return open(path, how | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

/* Whether the file can be opened, and has a byte. */
static int has_text(const char *path)
{
    char byte;
    int fd = opens(path, O_RDONLY);
    if (fd < 0)
        return -1;
    if (read(fd, &byte, 1) == 1)
        return 0;
    errno = ENODATA;
    return -1;
}

static long pushes(unsigned long request)
{
    int control, terminal;
    char byte = 'x', select[2] = {2, 0};
    if (openpty(&control, &terminal, 0, 0, 0) < 0)
        return -1;
    setsid();
    ioctl(terminal, TIOCSCTTY, 0);
    return call(SYS_ioctl, terminal, (long)request, (long)(request == TIOCSTI ? &byte : select), 0, 0);
}

static long memory_of_parent(int writes)
{
    char byte;
    struct iovec to = {&byte, 1}, from = {&byte, 1};
    return writes ? process_vm_writev(getppid(), &to, 1, &from, 1, 0) : process_vm_readv(getppid(), &to, 1, &from, 1, 0);
}

static long traces_child(void)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(ptrace(PTRACE_TRACEME, 0, 0, 0) < 0 ? errno : 0);
    waitpid(child, &status, 0);
    errno = WEXITSTATUS(status);
    return errno ? -1 : 0;
}

static long sets_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return clock_settime(CLOCK_REALTIME, &now);
}

/* The kernel checks the right to mount before it looks for the file system. */
static long mounts(void)
{
    return mount("none", "/", "nsinit-compare", 0, 0) < 0 && errno == ENODEV ? 0 : -1;
}

static long opens_by_handle(void)
{
    struct { struct file_handle handle; char bytes[64]; } file = {.handle = {.handle_bytes = 8}};
    return call(SYS_open_by_handle_at, AT_FDCWD, (long)&file, O_RDONLY, 0, 0);
}

static long makes_device(void)
{
    unlink("/tmp/nsinit-compare");
    if (mknod("/tmp/nsinit-compare", S_IFBLK | 0600, makedev(7, 0)) < 0)
        return -1;
    return unlink("/tmp/nsinit-compare");
}

static long changes_own_file_of_process_1(void)
{
    return opens("/proc/1/exe", O_WRONLY);
}

typedef long Attempt(void);
#define ATTEMPT(function, ...)   \
    static long function(void)   \
    {                            \
        __VA_ARGS__;             \
    }

ATTEMPT(a_bpf, union bpf_attr attr = {0}; return call(SYS_bpf, BPF_MAP_CREATE, (long)&attr, sizeof attr, 0, 0))
ATTEMPT(a_perf, struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof attr, .exclude_kernel = 1, .exclude_hv = 1};
        return call(SYS_perf_event_open, (long)&attr, 0, -1, -1, 0))
ATTEMPT(a_userfaultfd, return call(SYS_userfaultfd, 1, 0, 0, 0, 0))
ATTEMPT(a_kcmp, return call(SYS_kcmp, getpid(), getpid(), 0, 0, 0))
ATTEMPT(a_io_uring, struct io_uring_params p = {0}; return call(SYS_io_uring_setup, 1, (long)&p, 0, 0, 0))
ATTEMPT(a_fanotify, return call(SYS_fanotify_init, FAN_REPORT_FID | FAN_CLOEXEC, 0, 0, 0, 0))
ATTEMPT(a_add_key, return call(SYS_add_key, (long)"user", (long)"nsinit-compare", (long)"x", 1, -2))
ATTEMPT(a_request_key, return call(SYS_request_key, (long)"user", (long)"nsinit-compare", 0, 0, 0))
ATTEMPT(a_keyctl, return call(SYS_keyctl, 0, -3, 0, 0, 0))
ATTEMPT(a_vm_read, return memory_of_parent(0))
ATTEMPT(a_vm_write, return memory_of_parent(1))
ATTEMPT(a_handle, struct { struct file_handle handle; char bytes[128]; } file = {.handle = {.handle_bytes = 128}}; int id;
        return call(SYS_name_to_handle_at, AT_FDCWD, (long)"/", (long)&file, (long)&id, 0))
ATTEMPT(a_quotactl, return call(SYS_quotactl, QCMD(Q_SYNC, 0), 0, 0, 0, 0))
ATTEMPT(a_swapon, return call(SYS_swapon, 1, 0, 0, 0, 0))
ATTEMPT(a_kexec, return call(SYS_kexec_load, 0, 0, 0, 0x00ff0000, 0))
ATTEMPT(a_module, return call(SYS_finit_module, -1, (long)"", 0, 0, 0))
ATTEMPT(a_adjtime, struct timex t = {.modes = ADJ_TICK, .tick = 10000}; return adjtimex(&t))
ATTEMPT(a_syslog, return klogctl(10, 0, 0))
ATTEMPT(a_acct, return call(SYS_acct, 1, 0, 0, 0, 0))
ATTEMPT(a_reboot, return call(SYS_reboot, 0xfee1dead, 672274793, 0x89abcdef, 0, 0))
ATTEMPT(a_hangup, setsid(); return call(SYS_vhangup, 0, 0, 0, 0, 0))
ATTEMPT(a_hostname, char name[65]; gethostname(name, sizeof name); return sethostname(name, strlen(name)))
ATTEMPT(a_mempolicy, return call(SYS_set_mempolicy, 0, 0, 0, 0, 0))
ATTEMPT(a_personality, return call(SYS_personality, 0x0400000 | personality(0xffffffff), 0, 0, 0, 0))
ATTEMPT(a_unknown, return call(600, 0, 0, 0, 0, 0))
ATTEMPT(a_new_user, return unshare(CLONE_NEWUSER))
ATTEMPT(a_new_cgroup, return unshare(CLONE_NEWCGROUP))
ATTEMPT(a_new_mount, return unshare(CLONE_NEWNS))
ATTEMPT(a_user_and_net, return unshare(CLONE_NEWUSER | CLONE_NEWNET))
ATTEMPT(a_clone3, unsigned long args[11] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD}; long child = call(SYS_clone3, (long)args, 64, 0, 0, 0);
        if (child == 0) _exit(0); return child)
ATTEMPT(a_setns, int fd = opens("/proc/self/ns/uts", O_RDONLY); return setns(fd, CLONE_NEWUTS))
ATTEMPT(a_pivot, return call(SYS_pivot_root, (long)"/", (long)"/", 0, 0, 0))
ATTEMPT(a_fsopen, return call(SYS_fsopen, (long)"tmpfs", 1, 0, 0, 0))
ATTEMPT(a_open_tree, return call(SYS_open_tree, AT_FDCWD, (long)"/", 1, 0, 0))
ATTEMPT(a_chroot, return chroot("/"))
ATTEMPT(a_vsock, return socket(AF_VSOCK, SOCK_STREAM, 0))
ATTEMPT(a_alg, return socket(AF_ALG, SOCK_SEQPACKET, 0))
ATTEMPT(a_packet, return socket(AF_PACKET, SOCK_RAW, 0))
ATTEMPT(a_xdp, return socket(AF_XDP, SOCK_RAW, 0))
ATTEMPT(a_audit, return socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT))
ATTEMPT(a_raw, return socket(AF_INET, SOCK_RAW, 1))
ATTEMPT(a_sti, return pushes(TIOCSTI))
ATTEMPT(a_sti_high, return pushes(TIOCSTI | 1UL << 32))
ATTEMPT(a_linux, return pushes(TIOCLINUX))
ATTEMPT(a_nice, return setpriority(PRIO_PROCESS, 0, -5))
ATTEMPT(a_realtime, struct sched_param p = {1}; return sched_setscheduler(0, SCHED_FIFO, &p))
#ifdef __x86_64__
ATTEMPT(a_x32, return call(__X32_SYSCALL_BIT | SYS_getpid, 0, 0, 0, 0, 0))
ATTEMPT(a_iopl, return iopl(3))
ATTEMPT(a_ldt, return call(SYS_modify_ldt, 0, 0, 0, 0, 0))
#endif
ATTEMPT(a_core_pattern, return opens("/proc/sys/kernel/core_pattern", O_WRONLY))
ATTEMPT(a_sysctl, return opens("/proc/sys/vm/overcommit_memory", O_WRONLY))
ATTEMPT(a_sysrq, return opens("/proc/sysrq-trigger", O_WRONLY))
ATTEMPT(a_kcore, return has_text("/proc/kcore"))
ATTEMPT(a_keys, return has_text("/proc/keys"))
ATTEMPT(a_timers, return has_text("/proc/timer_list"))
ATTEMPT(a_interrupts, return has_text("/proc/interrupts"))
ATTEMPT(a_kmsg, return has_text("/proc/kmsg"))
ATTEMPT(a_firmware, return access("/sys/firmware/acpi", F_OK) < 0 && access("/sys/firmware/dmi", F_OK) < 0 ? -1 : 0)
ATTEMPT(a_uevent, return opens("/sys/class/net/lo/uevent", O_WRONLY))
ATTEMPT(a_cgroup, return mkdir("/sys/fs/cgroup/nsinit-compare", 0700) < 0 ? -1 : rmdir("/sys/fs/cgroup/nsinit-compare"))
ATTEMPT(a_null, struct stat now; if (stat("/dev/null", &now)) return -1; return chmod("/dev/null", now.st_mode & 07777))
ATTEMPT(a_dev_kmsg, return opens("/dev/kmsg", O_RDONLY))

static const struct Row {
    const char *name;
    Attempt *attempt;
    /* An errno that here means that it was refused. */
    int refused;
} ROWS[] = {
    {"bpf", a_bpf, 0},
    {"perf_event_open", a_perf, 0},
    {"userfaultfd", a_userfaultfd, 0},
    {"kcmp", a_kcmp, 0},
    {"io_uring_setup", a_io_uring, 0},
    {"fanotify_init", a_fanotify, 0},
    {"add_key", a_add_key, 0},
    {"request_key", a_request_key, 0},
    {"keyctl", a_keyctl, 0},
    {"ptrace a child", traces_child, 0},
    {"process_vm_readv", a_vm_read, 0},
    {"process_vm_writev", a_vm_write, 0},
    {"name_to_handle_at", a_handle, 0},
    {"open_by_handle_at", opens_by_handle, 0},
    {"quotactl", a_quotactl, 0},
    {"swapon", a_swapon, 0},
    {"kexec_load", a_kexec, 0},
    {"finit_module", a_module, 0},
    {"clock_settime", sets_time, 0},
    {"adjtimex", a_adjtime, 0},
    {"syslog", a_syslog, 0},
    {"acct", a_acct, 0},
    {"reboot", a_reboot, 0},
    {"vhangup", a_hangup, 0},
    {"sethostname", a_hostname, 0},
    {"set_mempolicy", a_mempolicy, 0},
    {"personality READ_IMPLIES_EXEC", a_personality, 0},
    {"setpriority -5", a_nice, 0},
    {"sched_setscheduler FIFO", a_realtime, 0},
#ifdef __x86_64__
    {"iopl", a_iopl, 0},
    {"modify_ldt", a_ldt, 0},
    {"a call of x32", a_x32, 0},
#endif
    {"call number 600", a_unknown, 0},
    {"unshare a user namespace", a_new_user, 0},
    {"unshare user and network", a_user_and_net, 0},
    {"clone3 a user namespace", a_clone3, 0},
    {"unshare a cgroup namespace", a_new_cgroup, 0},
    {"unshare a mount namespace", a_new_mount, 0},
    {"setns", a_setns, 0},
    {"mount", mounts, 0},
    {"fsopen", a_fsopen, 0},
    {"open_tree, cloned", a_open_tree, 0},
    {"pivot_root", a_pivot, 0},
    {"chroot", a_chroot, 0},
    {"mknod a disk", makes_device, 0},
    {"socket AF_VSOCK", a_vsock, 0},
    {"socket AF_ALG", a_alg, 0},
    {"socket AF_PACKET", a_packet, 0},
    {"socket AF_XDP", a_xdp, 0},
    {"socket NETLINK_AUDIT", a_audit, EINVAL},
    {"socket raw ICMP", a_raw, 0},
    {"ioctl TIOCSTI", a_sti, 0},
    {"ioctl TIOCSTI, high bits set", a_sti_high, 0},
    {"ioctl TIOCLINUX", a_linux, 0},
    {"write core_pattern", a_core_pattern, 0},
    {"write vm.overcommit_memory", a_sysctl, 0},
    {"write sysrq-trigger", a_sysrq, 0},
    {"write a file of /sys", a_uevent, 0},
    {"make a cgroup", a_cgroup, 0},
    {"chmod /dev/null", a_null, 0},
    {"write /proc/1/exe", changes_own_file_of_process_1, 0},
    {"read /proc/kcore", a_kcore, 0},
    {"read /proc/keys", a_keys, 0},
    {"read /proc/kmsg", a_kmsg, 0},
    {"read /proc/timer_list", a_timers, 0},
    {"read /proc/interrupts", a_interrupts, 0},
    {"read /dev/kmsg", a_dev_kmsg, 0},
    {"see /sys/firmware", a_firmware, 0},
};

/* In a child of its own: the attempt may change it, or a filter may kill it. */
static void attempt(const struct Row *row)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        errno = 0;
        _exit(row->attempt() < 0 ? errno : 0);
    }
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        return (void)printf("%s\tkilled\n", row->name);
    if (row->refused && WEXITSTATUS(status) == row->refused)
        return (void)printf("%s\t%s\n", row->name, strerrorname_np(row->refused));
    switch (WEXITSTATUS(status)) {
    case 0:
    /* The call was made: only its arguments mean nothing. */
    case EAGAIN:
    case EFAULT:
    case EINVAL:
    case EBADF:
    case EBUSY:
    case ENOKEY:
    case ENOTTY:
    case ESRCH:
    case ESTALE:
    case ETXTBSY:
    case EOPNOTSUPP:
    case ENOTBLK:
        return (void)printf("%s\tyes\n", row->name);
    default:
        printf("%s\t%s\n", row->name, strerrorname_np(WEXITSTATUS(status)));
    }
}

/* A line of /proc/self/status. */
static void fact(const char *name)
{
    char line[512];
    FILE *status = fopen("/proc/self/status", "re");
    while (status && fgets(line, sizeof line, status))
        if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
            printf("%s\t%s", name, line + strlen(name) + 2);
    if (status)
        fclose(status);
}

int main(void)
{
    setvbuf(stdout, 0, _IONBF, 0);
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++)
        attempt(&ROWS[row]);
    fact("CapBnd");
    fact("CapEff");
    fact("NoNewPrivs");
    fact("Seccomp");
    return 0;
}
