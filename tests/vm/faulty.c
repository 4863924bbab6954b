/* Executes /sbin/init with a filter under which some system calls fail.
 *
 *     faulty mount=devtmpfs     mount(2) of a devtmpfs fails with ENODEV
 *     faulty mount=devpts       mount(2) of a devpts, and of a tmpfs on /dev, fails with ENODEV
 *     faulty                    the calls in NSINIT_FAULTS="NUMBER:ERRNO,..." fail; the kernel's command line sets the variable
 *     faulty CMD ARG...         the same, and CMD is executed instead
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <errno.h>

#define MOST 64

static int load(struct sock_filter *program, unsigned length) {
    struct sock_fprog all = {.len = length, .filter = program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all);
}

int main(int argc, char **argv) {
    struct sock_filter program[2 * MOST + 8];
    unsigned at = 0;
    program[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    char *faults = getenv("NSINIT_FAULTS");
    if (argc > 1 && !strncmp(argv[1], "mount=", 6)) {
        /* A filter cannot read a name: only the mount(2) of the devtmpfs has exactly these flags. */
        unsigned flags = strcmp(argv[1], "mount=devpts") ? MS_NOSUID : MS_NOSUID | MS_NOEXEC;
        program[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mount, 0, 3);
        program[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[3]));
        program[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, flags, 0, 1);
        program[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENODEV);
    }
    for (unsigned count = 0; faults && *faults && count < MOST; count++) {
        unsigned number = strtoul(faults, &faults, 10), error = strtoul(faults + 1, &faults, 10);
        program[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
        program[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error);
        faults += *faults == ',';
    }
    program[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    if (load(program, at))
        return 1;
    unsetenv("NSINIT_FAULTS");
    if (argc > 1 && strncmp(argv[1], "mount=", 6))
        execvp(argv[1], argv + 1);
    execl("/sbin/init", "init", NULL);
    return 1;
}
