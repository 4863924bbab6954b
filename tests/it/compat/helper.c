/* The programs that the compatibility tests run around and below an init. Linked statically.
 *
 *   around the init:
 *   each FROM TO WORDS      runs WORDS for each number, which replaces every @; prints "NUMBER STATUS", minus for a signal
 *   shoot ROUNDS SIG WORDS  sends the signal as soon as WORDS has a child; prints "STATUS" for each round
 *   state IGN BLK WORDS     runs WORDS with exactly these signals ignored and these blocked (hexadecimal sets)
 *   closed FD,FD... WORDS   runs WORDS with these descriptors closed
 *   subreaper WORDS         runs WORDS as a child subreaper
 *
 *   below the init:
 *   exit N, die N           exits with N, dies by signal N; die exits with 0 if the signal does not kill
 *   words WORDS             prints "[WORD]" for each
 *   orphans N               leaves N orphans to its parent, and prints the number left every 10,000; exits with 0 once no child
  *                           of its parent is a zombie
 *   together N STATUS       exits at the same moment as N orphans
 *   strays STATUS           leaves two orphans, one that exits with 6 and one that dies by signal 9, then exits with STATUS
 *   reboot HOW              restart, halt or off, below process 1 of a pid namespace; exits with 96 if it may not
 *   next TAG                prints "here PID", for the next signal "got NUMBER", and exits. TAG is for the leftover check
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The kernel's struct, not libc's: libc's sigaction(3) refuses two signals. */
struct action {
	unsigned long handler, flags, restorer, mask;
};

static void set_mask(unsigned long mask)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
}

static int run(char **words)
{
	execvp(words[0], words);
	perror(words[0]);
	return 99;
}

static int status_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return 999;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int each(int from, int to, char **words)
{
	char number[16];
	int at[16], marks = 0;

	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], "@") && marks < 16)
			at[marks++] = i;
	for (int i = from; i <= to; i++) {
		snprintf(number, sizeof number, "%d", i);
		for (int m = 0; m < marks; m++)
			words[at[m]] = number;
		fflush(stdout);
		pid_t pid = fork();
		if (pid == 0)
			_exit(run(words));
		printf("%d %d\n", i, status_of(pid));
	}
	return 0;
}

static int has_child(pid_t pid)
{
	char path[64];
	FILE *file;
	int child;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
	if (!(file = fopen(path, "r")))
		return 0;
	int found = fscanf(file, "%d", &child);
	fclose(file);
	return found == 1;
}

static int shoot(int rounds, int signal, char **words)
{
	while (rounds--) {
		fflush(stdout);
		pid_t pid = fork();
		if (pid == 0)
			_exit(run(words));
		while (!has_child(pid))
			;
		kill(pid, signal);
		printf("%d\n", status_of(pid));
	}
	return 0;
}

static int state(unsigned long ignored, unsigned long blocked, char **words)
{
	for (int i = 0; i < 64; i++) {
		struct action action = {ignored >> i & 1, 0, 0, 0};

		syscall(SYS_rt_sigaction, i + 1, &action, NULL, 8);
	}
	set_mask(blocked);
	return run(words);
}

static int closed(char *list, char **words)
{
	for (char *fd = strtok(list, ","); fd; fd = strtok(NULL, ","))
		close(atoi(fd));
	return run(words);
}

static int die(int signal)
{
	struct rlimit no_core = {0, 0};

	setrlimit(RLIMIT_CORE, &no_core);
	syscall(SYS_kill, getpid(), signal);
	return 0;
}

static int zombies_of(pid_t parent)
{
	char path[64], line[512], *state;
	FILE *list, *stat;
	int child, found = 0;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", parent, parent);
	if (!(list = fopen(path, "r")))
		return -1;
	while (fscanf(list, "%d", &child) == 1) {
		snprintf(path, sizeof path, "/proc/%d/stat", child);
		if (!(stat = fopen(path, "r")))
			continue;
		if (fgets(line, sizeof line, stat) && (state = strrchr(line, ')')))
			found += state[2] == 'Z';
		fclose(stat);
	}
	fclose(list);
	return found;
}

/* Each child makes up to a hundred children and exits, before some of them and after others. */
static int orphans(int count)
{
	while (count > 0) {
		int batch = count < 100 ? count : 100;
		pid_t child = fork();

		if (child == 0) {
			while (batch--)
				if (fork() == 0)
					_exit(0);
			_exit(0);
		}
		if (child < 0 || waitpid(child, NULL, 0) != child)
			return 1;
		count -= batch;
		if (count > 0 && count % 10000 == 0) {
			printf("%d\n", count);
			fflush(stdout);
		}
	}
	/* Without a limit: the tests have their own deadline. */
	while (zombies_of(getppid()))
		usleep(1000);
	return 0;
}

/* The end of this process ends the orphans' read. */
static int together(int count, int status)
{
	int ends[2];
	char byte;

	if (pipe(ends))
		return 90;
	pid_t child = fork();
	if (child == 0) {
		while (count--)
			if (fork() == 0) {
				close(ends[1]);
				_exit((int)read(ends[0], &byte, 1));
			}
		_exit(0);
	}
	if (waitpid(child, NULL, 0) != child)
		return 91;
	_exit(status);
}

/* Makes an orphan that certainly outlives its parent. Returns when the orphan has been reaped. */
static void stray(int signal)
{
	int ends[2];
	pid_t orphan;

	if (pipe(ends))
		_exit(90);
	pid_t child = fork();
	if (child == 0) {
		pid_t parent = getpid();

		orphan = fork();
		if (orphan == 0) {
			while (getppid() == parent)
				usleep(500);
			_exit(signal ? die(signal) : 6);
		}
		_exit(write(ends[1], &orphan, sizeof orphan) != sizeof orphan);
	}
	if (waitpid(child, NULL, 0) != child || read(ends[0], &orphan, sizeof orphan) != sizeof orphan)
		_exit(91);
	while (kill(orphan, 0) == 0)
		usleep(500);
}

static int next(void)
{
	unsigned long all = ~0ul;
	struct signalfd_siginfo info;

	set_mask(all);
	int fd = syscall(SYS_signalfd4, -1, &all, sizeof all, 0);
	printf("here %d\n", getpid());
	fflush(stdout);
	if (read(fd, &info, sizeof info) == sizeof info)
		printf("got %u\n", info.ssi_signo);
	return 0;
}

/* Refuses to run outside a pid namespace: low pids of the machine belong to the kernel. */
static int reboot_namespace(const char *how)
{
	if (getpid() > 9 || getppid() != 1)
		return 95;
	reboot(!strcmp(how, "restart") ? RB_AUTOBOOT : !strcmp(how, "halt") ? RB_HALT_SYSTEM : RB_POWER_OFF);
	return 96;
}

static int words(char **list)
{
	while (*list)
		printf("[%s]\n", *list++);
	return 0;
}

static int is(char **argv, int argc, const char *name, int least)
{
	return argc >= least && !strcmp(argv[1], name);
}

int main(int argc, char **argv)
{
	if (is(argv, argc, "each", 5))
		return each(atoi(argv[2]), atoi(argv[3]), argv + 4);
	if (is(argv, argc, "shoot", 5))
		return shoot(atoi(argv[2]), atoi(argv[3]), argv + 4);
	if (is(argv, argc, "state", 5))
		return state(strtoul(argv[2], NULL, 16), strtoul(argv[3], NULL, 16), argv + 4);
	if (is(argv, argc, "closed", 4))
		return closed(argv[2], argv + 3);
	if (is(argv, argc, "subreaper", 3))
		return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) ? 97 : run(argv + 2);
	if (is(argv, argc, "exit", 3))
		return atoi(argv[2]);
	if (is(argv, argc, "die", 3))
		return die(atoi(argv[2]));
	if (is(argv, argc, "reboot", 3))
		return reboot_namespace(argv[2]);
	if (is(argv, argc, "words", 2))
		return words(argv + 2);
	if (is(argv, argc, "orphans", 3))
		return orphans(atoi(argv[2]));
	if (is(argv, argc, "together", 4))
		return together(atoi(argv[2]), atoi(argv[3]));
	if (is(argv, argc, "strays", 3)) {
		stray(0);
		stray(SIGKILL);
		return atoi(argv[2]);
	}
	if (is(argv, argc, "next", 2))
		return next();
	return 98;
}
