/* Processes that are hard to look at, for tests of attestation; as root, outside of the workload.
 *
 * processes hop NAMESPACE UID MICROSECONDS	goes on as another process again and again
 * processes leaderless NAMESPACE UID		goes on as a thread whose first thread has ended
 *
 * They end when standard input does.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Shared by all of them. */
static volatile int *over;

static void hop(useconds_t life)
{
	while (!*over) {
		/* The parent ends, the child goes on: the same program, and never the same process. */
		if (fork() > 0)
			_exit(0);
		if (life > 0)
			usleep(life);
	}
	_exit(0);
}

static void *stay(void *unused)
{
	(void)unused;
	while (!*over)
		usleep(10000);
	_exit(0);
}

static void *listen_for_the_end(void *unused)
{
	char byte;

	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	*over = 1;
	return unused;
}

static void become(const char *namespace, uid_t uid)
{
	int fd = open(namespace, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) != 0 || close(fd) != 0 || setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0)
		_exit(1);
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int status = 0;

	if (argc < 4)
		return 2;
	over = mmap(NULL, sizeof(*over), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (over == MAP_FAILED)
		return 1;
	/* Whoever's parent has ended is this one's child: it clears them away. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		return 1;
	if (fork() == 0) {
		become(argv[2], atoi(argv[3]));
		if (strcmp(argv[1], "hop") == 0 && argc > 4)
			hop(atoi(argv[4]));
		if (pthread_create(&thread, NULL, stay, NULL) != 0)
			_exit(1);
		syscall(SYS_exit, 0); /* of this thread alone */
	}
	if (pthread_create(&thread, NULL, listen_for_the_end, NULL) != 0)
		return 1;
	while (wait(&status) > 0)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
