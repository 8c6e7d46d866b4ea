// SPDX-License-Identifier: Apache-2.0
// Round trips and bulk over TCP, with as little of a program in the way as possible.
//   traffic serve PORT                    answers every byte block with itself; PORT+1 swallows what comes
//   traffic pingpong ADDRESS PORT COUNT   one 64-byte round trip after the other; prints nanoseconds per round trip
//   traffic bulk ADDRESS PORT MS          sends for so long to PORT+1; prints bits per second
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 64, BULK = 128 * 1024 };

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int read_all(int fd, char *buffer, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = read(fd, buffer + at, size - at);
		if (n <= 0)
			return 0;
		at += (size_t)n;
	}
	return 1;
}

static void *echo(void *argument)
{
	int fd = (int)(intptr_t)argument;
	char block[BLOCK];
	while (read_all(fd, block, BLOCK) && write(fd, block, BLOCK) == BLOCK)
		;
	close(fd);
	return NULL;
}

static void *swallow(void *argument)
{
	int fd = (int)(intptr_t)argument;
	static _Thread_local char buffer[BULK];
	while (read(fd, buffer, BULK) > 0)
		;
	close(fd);
	return NULL;
}

struct listener {
	int fd;
	void *(*serve)(void *);
};

static void *accept_all(void *argument)
{
	struct listener *l = argument;
	for (;;) {
		int fd = accept(l->fd, NULL, NULL), one = 1;
		pthread_t thread;
		if (fd < 0)
			die("accept");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		pthread_create(&thread, NULL, l->serve, (void *)(intptr_t)fd);
		pthread_detach(thread);
	}
}

static int listen_on(int port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = in6addr_any };
	int fd = socket(AF_INET6, SOCK_STREAM, 0), one = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&any, sizeof any) || listen(fd, 128))
		die("listen");
	return fd;
}

static int connect_to(const char *address, int port)
{
	char service[8];
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM }, *found;
	int one = 1;
	snprintf(service, sizeof service, "%d", port);
	if (getaddrinfo(address, service, &hints, &found))
		die("address");
	int fd = socket(found->ai_family, SOCK_STREAM, 0);
	if (connect(fd, found->ai_addr, found->ai_addrlen))
		die("connect");
	freeaddrinfo(found);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "serve")) {
		struct listener echoes = { listen_on(atoi(argv[2])), echo }, sinks = { listen_on(atoi(argv[2]) + 1), swallow };
		pthread_t thread;
		pthread_create(&thread, NULL, accept_all, &echoes);
		puts("ready");
		fflush(stdout);
		accept_all(&sinks);
	}
	if (argc == 5 && !strcmp(argv[1], "pingpong")) {
		int fd = connect_to(argv[2], atoi(argv[3])), count = atoi(argv[4]);
		char block[BLOCK] = { 0 };
		for (int i = 0; i < count / 10; i++)
			if (write(fd, block, BLOCK) != BLOCK || !read_all(fd, block, BLOCK))
				die("warm-up");
		uint64_t start = now_ns();
		for (int i = 0; i < count; i++)
			if (write(fd, block, BLOCK) != BLOCK || !read_all(fd, block, BLOCK))
				die("round trip");
		printf("%.1f\n", (double)(now_ns() - start) / count);
		return 0;
	}
	if (argc == 5 && !strcmp(argv[1], "bulk")) {
		int fd = connect_to(argv[2], atoi(argv[3]) + 1);
		static char buffer[BULK];
		uint64_t start = now_ns(), end = start + (uint64_t)atoi(argv[4]) * 1000000u, sent = 0;
		while (now_ns() < end) {
			ssize_t n = write(fd, buffer, BULK);
			if (n < 0)
				die("bulk");
			sent += (uint64_t)n;
		}
		printf("%.0f\n", (double)sent * 8e9 / (double)(now_ns() - start));
		return 0;
	}
	fputs("usage: traffic serve PORT | pingpong ADDRESS PORT COUNT | bulk ADDRESS PORT MS\n", stderr);
	return 2;
}
