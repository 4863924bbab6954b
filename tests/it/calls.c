/* Which system calls are filtered: for each number, whether a filter answers it, and with which errno. No call is made: a filter of
 * this program, whose answer counts only where no other filter has refused, hands each to a second thread (seccomp_unotify(2)).
 *
 *   calls 64|32 FIRST LAST [ARGUMENT...]    a line for each number: the number, and `allow` or the errno. 32: as a program of i386
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { REACHED = EXDEV };

static volatile int listener = -1, ended;

/* Answers every call that reaches it, until the calls are over. */
static void *answer(void *nothing)
{
	struct seccomp_notif question;
	struct seccomp_notif_resp reply;

	(void)nothing;
	while (listener < 0)
		usleep(100);
	while (!ended) {
		memset(&question, 0, sizeof question);
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &question) < 0)
			continue;
		memset(&reply, 0, sizeof reply);
		reply.id = question.id;
		reply.error = -REACHED;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
	}
	return NULL;
}

/* Their results are left in memory: the thread that asks can make no call any more. */
static long results[4096];

static long make(int bits, long number, const long *a)
{
	long result;

#ifdef __x86_64__
	if (bits == 32) {
		__asm__ volatile("int $0x80" : "=a"(result) : "0"(number), "b"(a[0]), "c"(a[1]), "d"(a[2]) : "memory");
		return (int)result < 0 ? -(int)result : 0;
	}
#endif
	(void)bits;
	result = syscall(number, a[0], a[1], a[2], 0, 0, 0);
	return result < 0 ? errno : 0;
}

struct work {
	int bits;
	long first, last, arguments[3];
};

static void *ask(void *of)
{
	struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)};
	struct sock_fprog program = {1, all};
	struct work *work = of;
	long number;
	int fd;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		err(1, "no_new_privs");
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	if (fd < 0)
		err(77, "no listener");
	listener = fd;
	for (number = work->first; number <= work->last; number++)
		results[number - work->first] = make(work->bits, number, work->arguments);
	ended = 1;
	/* The other thread waits for one more, which the filters around may refuse. */
	for (;;) {
		getppid();
		getuid();
	}
}

int main(int argc, char **argv)
{
	struct work work = {0};
	pthread_t thread;

	if (argc < 4)
		errx(1, "usage");
	work.bits = atoi(argv[1]);
	work.first = strtol(argv[2], NULL, 0);
	work.last = strtol(argv[3], NULL, 0);
	for (int i = 4; i < argc && i < 7; i++)
		work.arguments[i - 4] = strtoul(argv[i], NULL, 0);
	if (work.last - work.first >= 4096)
		errx(1, "too many");
	if (pthread_create(&thread, NULL, ask, &work))
		errx(1, "no thread");
	answer(NULL);
	for (long number = work.first; number <= work.last; number++) {
		long result = results[number - work.first];
		printf("%ld %s\n", number, result == REACHED ? "allow" : result ? strerrorname_np(result) : "done");
	}
	fflush(stdout);
	_exit(0);
}
