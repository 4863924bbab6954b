/* Measures programs for scripts/bench. All commands of one call take turns in random order, so that what disturbs the machine, and
 * what one launch leaves to the kernel's workers (a network namespace that is being removed), meets all of them alike.
 *
 *   measure time [-n SAMPLES] [-k LAUNCHES] [-j IN-FLIGHT] [-p] COMMAND... [::: COMMAND...]...
 *   measure faults [-u UID] COMMAND...
 *
 * `time`: a sample is the time of one launch, or with -k of that many launches, of which -j run at the same time. -p: standard output
 * is a pipe, which is read to its end; otherwise it is /dev/null. The word {} in a command becomes a number, new for each launch.
 * The words after ;;; are a command that cleans up after the launch, outside of the measured time. It prints for each command
 *
 *   time I MICROSECONDS               the median of its samples
 *   ratio I J RATIO LOW HIGH          for each other command: the median of the ratios of the samples of one turn, and the interval
 *                                     that has the true median with a probability of 95 %
 *   bytes I NUMBER                    with -p: what one sample has written
 *   failed I NUMBER                   the launches that did not end with status 0, if there are any
 *
 * `faults` prints the page faults of a command and all its descendants: the median of 11 launches. Where perf_event_paranoid keeps
 * the kernel from the user, only those in user mode are counted.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/perf_event.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 16, WORDS = 2048, WARM_UP = 2, LIMIT = 60 };

extern char **environ;

struct command {
	char **words, **after;
	double *samples;
	long failed, bytes;
};

static struct command commands[MOST];
static int number, samples = 100, launches = 1, in_flight = 1, drains;
static posix_spawn_file_actions_t to_null, to_pipe;

static void check(int result, const char *what)
{
	if (result < 0)
		err(125, "%s", what);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static pid_t launch(char **words, const posix_spawn_file_actions_t *actions, int id)
{
	static char text[16], *copy[WORDS];
	pid_t pid;
	int i;

	snprintf(text, sizeof text, "bench%d", id);
	for (i = 0; words[i]; i++) {
		if (i == WORDS - 1)
			errx(125, "too many words");
		copy[i] = strcmp(words[i], "{}") ? words[i] : text;
	}
	copy[i] = NULL;
	errno = posix_spawnp(&pid, copy[0], actions, NULL, copy, environ);
	if (errno)
		err(125, "%s", words[0]);
	return pid;
}

static int succeeds(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			err(125, "wait");
	return status == 0;
}

/* One sample. Returns its microseconds. */
static double sample(struct command *c)
{
	static char buffer[1 << 20];
	static int next;
	int first = next, started = 0, ended = 0, status, ends[2] = {-1, -1};
	posix_spawn_file_actions_t *actions = drains ? &to_pipe : &to_null;
	double begin;
	ssize_t length;

	if (drains) {
		check(pipe2(ends, O_CLOEXEC), "pipe");
		posix_spawn_file_actions_init(&to_pipe);
		posix_spawn_file_actions_addopen(&to_pipe, 0, "/dev/null", O_RDONLY, 0);
		posix_spawn_file_actions_adddup2(&to_pipe, ends[1], 1);
	}
	c->bytes = 0;
	alarm(LIMIT);
	begin = now();
	while (ended < launches) {
		for (; started < launches && started - ended < in_flight; started++)
			launch(c->words, actions, next++);
		if (drains) {
			close(ends[1]);
			while ((length = read(ends[0], buffer, sizeof buffer)) > 0)
				c->bytes += length;
			close(ends[0]);
		}
		check(wait(&status), "wait");
		c->failed += status != 0;
		ended++;
	}
	begin = now() - begin;
	alarm(0);
	for (; c->after && first < next; first++)
		succeeds(launch(c->after, &to_null, first));
	return begin;
}

static void print(void)
{
	/* The ranks around the median between which it lies with 95 % (binomial distribution, normal approximation). */
	int low = samples / 2 - 0.98 * sqrt(samples), high = samples / 2 + 0.98 * sqrt(samples);
	double *list = calloc(samples, sizeof *list);

	if (low < 0)
		low = 0;
	if (high >= samples)
		high = samples - 1;
	for (int i = 0; i < number; i++) {
		struct command *c = &commands[i];

		memcpy(list, c->samples, samples * sizeof *list);
		qsort(list, samples, sizeof *list, by_size);
		printf("time %d %.0f\n", i, list[samples / 2]);
		for (int j = 0; j < number; j++) {
			if (i == j)
				continue;
			for (int k = 0; k < samples; k++)
				list[k] = c->samples[k] / commands[j].samples[k];
			qsort(list, samples, sizeof *list, by_size);
			printf("ratio %d %d %.3f %.3f %.3f\n", i, j, list[samples / 2], list[low], list[high]);
		}
		if (drains)
			printf("bytes %d %ld\n", i, c->bytes);
		if (c->failed)
			printf("failed %d %ld\n", i, c->failed);
	}
}

static void take_samples(void)
{
	int order[MOST];

	srand(time(NULL));
	for (int i = 0; i < number; i++)
		order[i] = i;
	for (int turn = -WARM_UP; turn < samples; turn++)
		for (int left = number; left > 0; left--) {
			int pick = rand() % left, i = order[pick];
			double took;

			order[pick] = order[left - 1];
			order[left - 1] = i;
			took = sample(&commands[i]);
			if (turn >= 0)
				commands[i].samples[turn] = took;
		}
}

static void count_faults(int user, char **words)
{
	/* With `inherit` the counter adds up the descendants that have ended. */
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof attr, .config = PERF_COUNT_SW_PAGE_FAULTS,
		.disabled = 1, .inherit = 1, .enable_on_exec = 1,
	};
	double counts[11];

	for (int i = 0; i < 11; i++) {
		int go[2], counter;
		long long count;
		char byte;
		pid_t pid;

		check(pipe2(go, O_CLOEXEC), "pipe");
		pid = fork();
		check(pid, "fork");
		if (pid == 0) {
			int null = open("/dev/null", O_RDWR);

			dup2(null, 0);
			dup2(null, 1);
			close(go[1]);
			if (user && (setgroups(0, NULL) || setgid(user) || setuid(user)))
				_exit(127);
			if (read(go[0], &byte, 1) == 1)
				execvp(words[0], words);
			_exit(127);
		}
		counter = syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
		if (counter < 0 && errno == EACCES) {
			attr.exclude_kernel = 1;
			counter = syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
		}
		check(counter, "perf_event_open");
		check(write(go[1], "!", 1), "write");
		if (!succeeds(pid))
			errx(125, "%s failed", words[0]);
		check(read(counter, &count, sizeof count), "read the counter");
		counts[i] = count;
		close(counter);
		close(go[0]);
		close(go[1]);
	}
	qsort(counts, 11, sizeof *counts, by_size);
	printf("%.0f\n", counts[5]);
}

static void parse(char **word)
{
	while (*word) {
		struct command *c = &commands[number++];

		if (number > MOST)
			errx(125, "too many commands");
		c->words = word;
		c->samples = calloc(samples, sizeof *c->samples);
		for (; *word && strcmp(*word, ":::"); word++)
			if (!strcmp(*word, ";;;")) {
				*word = NULL;
				c->after = word + 1;
			}
		if (*word)
			*word++ = NULL;
	}
}

int main(int argc, char **argv)
{
	int option;

	posix_spawn_file_actions_init(&to_null);
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_addopen(&to_null, i, "/dev/null", O_RDWR, 0);
	if (argc > 2 && !strcmp(argv[1], "faults")) {
		int user = argc > 4 && !strcmp(argv[2], "-u") ? atoi(argv[3]) : 0;

		count_faults(user, argv + (user ? 4 : 2));
		return 0;
	}
	if (argc < 3 || strcmp(argv[1], "time"))
		errx(125, "usage: see the head of scripts/measure.c");
	argc--, argv++;
	while ((option = getopt(argc, argv, "+n:k:j:p")) != -1)
		switch (option) {
		case 'n': samples = atoi(optarg); break;
		case 'k': launches = atoi(optarg); break;
		case 'j': in_flight = atoi(optarg); break;
		case 'p': drains = 1; break;
		default: return 125;
		}
	if (samples < 1 || launches < 1 || in_flight < 1 || (drains && launches > 1))
		errx(125, "usage: see the head of scripts/measure.c");
	parse(argv + optind);
	take_samples();
	print();
	return 0;
}
