/* SPDX-License-Identifier: MIT */
/*
 * belay-load: the clients of an echo server. All run in one thread on a bare epoll loop, each with
 * one request at a time. The program is the same for every measured server, and as light as
 * possible, so that the server is the bottleneck.
 *
 * A message is a window into a fixed random pattern, and each request uses another window. The
 * program compares answers with the window: short ones in full, long ones at both ends of each
 * read. So it detects bytes that were lost, duplicated or sent to the wrong connection, and never
 * has to generate a message.
 *
 * The program reads the server's processor time when counting begins and ends. It uses the server's
 * CPU clock, which other processes can read.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
        BATCH = 256, /* greatest number of events that one wait returns */
        PATTERN = 1 << 17,
        MESSAGE_MOST = PATTERN / 2,
        SHORT = 256,        /* greatest size that is compared in full */
        ENDS = 8,           /* bytes compared at each end of a longer part */
        PER_ADDRESS = 8192, /* connections from one address, fewer than its ports */
        FINE = 32,          /* slots for each power of two of latencies */
        SLOTS = 64 * FINE,
        SPINS = 1 << 20,
};

struct client {
        int fd;
        uint32_t requests; /* number of requests begun, which chooses the window */
        uint32_t sent;     /* bytes of the current request, and of its answer */
        uint32_t received;
        const char *message;
        uint64_t begun; /* start of the request, in ns */
};

static struct {
        int port;
        pid_t pid; /* process of the server */
        unsigned connections;
        unsigned size;
        double warm;    /* seconds before counting begins */
        double seconds; /* seconds of counting */
        /* if not 0, number of requests to count, between two lines of standard input */
        uint64_t requests;
        /* whether each request opens a connection, sends one message and closes it */
        bool connect;
        /* whether to poll without sleeping, so that the server never pays to wake another core */
        bool spin;
} want = { .connections = 1, .size = 64, .warm = 0.2, .seconds = 1 };

static struct {
        uint64_t requests;
        uint64_t begun;
        uint64_t cpu;
        uint64_t latencies[SLOTS];
        unsigned running; /* number of clients whose requests are not finished */
        unsigned next_address;
        unsigned from_address; /* number of connections bound to addresses so far */
} count;

static int events;
static struct client *clients;
static char pattern[PATTERN];
static char received[MESSAGE_MOST];

static void fail(const char *what) {
        fprintf(stderr, "belay-load: %s: %s\n", what, strerror(errno));
        exit(1);
}

static void wrong(const char *what) {
        fprintf(stderr, "belay-load: %s\n", what);
        exit(1);
}

static uint64_t clock_ns(clockid_t clock) {
        struct timespec now;

        if (clock_gettime(clock, &now) != 0)
                fail("clock");
        return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

static uint64_t server_cpu(void) {
        clockid_t clock;

        if (want.pid == 0)
                return 0;
        errno = clock_getcpuclockid(want.pid, &clock);
        if (errno != 0)
                fail("the server's clock");
        return clock_ns(clock);
}

/* ---- latencies ---- */

/*
 * Returns the slot of a latency. Slots are exact below FINE; above, each power of two has FINE
 * slots.
 */
static unsigned slot_of(uint64_t ns) {
        unsigned shift;

        if (ns < FINE)
                return (unsigned) ns;
        shift = 63 - (unsigned) __builtin_clzll(ns) - (unsigned) __builtin_ctz(FINE);
        return shift * FINE + (unsigned) (ns >> shift);
}

static uint64_t middle_of(unsigned slot) {
        unsigned shift = slot < 2 * FINE ? 0 : slot / FINE - 1;

        return ((uint64_t) (slot - shift * FINE) << shift) + ((UINT64_C(1) << shift) >> 1);
}

static uint64_t quantile(double part) {
        uint64_t left = (uint64_t) ((double) count.requests * part);

        for (unsigned i = 0; i < SLOTS; i++) {
                if (left < count.latencies[i])
                        return middle_of(i);
                left -= count.latencies[i];
        }
        return 0;
}

/* ---- connections ---- */

/*
 * The side that closes first keeps its port for a minute. Thousands of connections need more ports
 * than one address has, so the connections come from many addresses of the loopback interface.
 */
static void choose_address(int fd) {
        struct sockaddr_in from = { .sin_family = AF_INET };
        int one = 1;

        if (count.from_address++ % PER_ADDRESS == 0)
                count.next_address = (count.next_address + 1) % 0xfffe;
        from.sin_addr.s_addr = htonl(0x7f010001 + (count.next_address & 0xffff));
        if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)) != 0
            || bind(fd, (struct sockaddr *) &from, sizeof(from)) != 0)
                fail("bind");
}

/*
 * Opens a connection. connect() blocks, but does not wait for the server, because the kernel
 * accepts the connection.
 */
static void open_client(struct client *client) {
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t) want.port) };
        struct epoll_event event = { EPOLLIN | EPOLLOUT | EPOLLET, { .ptr = client } };
        int one = 1;

        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (client->fd < 0)
                fail("socket");
        if (want.connect)
                choose_address(client->fd);
        if (connect(client->fd, (struct sockaddr *) &to, sizeof(to)) != 0)
                fail("connect");
        if (setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0)
                fail("TCP_NODELAY");
        if (epoll_ctl(events, EPOLL_CTL_ADD, client->fd, &event) != 0)
                fail("epoll_ctl");
}

/* ---- requests ---- */

static void go_on_sending(struct client *client) {
        while (client->sent < want.size) {
                ssize_t size = send(client->fd, client->message + client->sent,
                                    want.size - client->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

                if (size < 0) {
                        if (errno == EAGAIN)
                                return;
                        fail("send");
                }
                client->sent += (uint32_t) size;
        }
}

static void begin(struct client *client, uint64_t now) {
        uint64_t turn = (uint64_t) (client - clients) * 0x9e3779b9 + client->requests++;

        client->message = pattern + turn * 0x9e3779b97f4a7c15 % (PATTERN - MESSAGE_MOST + 1);
        client->sent = client->received = 0;
        client->begun = now;
        go_on_sending(client);
}

static bool is_echo(const char *expected, const char *got, size_t size) {
        if (size <= SHORT)
                return memcmp(expected, got, size) == 0;
        return memcmp(expected, got, ENDS) == 0
               && memcmp(expected + size - ENDS, got + size - ENDS, ENDS) == 0;
}

/* Returns true when the answer is complete. */
static bool receive(struct client *client) {
        while (client->received < want.size) {
                /*
                 * The buffer is larger than the rest of the answer, so that a read also receives
                 * excess bytes.
                 */
                ssize_t size = recv(client->fd, received, sizeof(received), MSG_DONTWAIT);

                if (size < 0 && errno == EAGAIN)
                        return false;
                if (size < 0)
                        fail("recv");
                if (size == 0)
                        wrong("the server closed a connection");
                if ((size_t) size > client->sent - client->received)
                        wrong("more came back than was sent");
                if (!is_echo(client->message + client->received, received, (size_t) size))
                        wrong("other bytes came back than were sent");
                client->received += (uint32_t) size;
                if (client->received < want.size && size < (ssize_t) sizeof(received))
                        return false;
        }
        return true;
}

static void reopen(struct client *client) {
        close(client->fd);
        open_client(client);
}

static void finish(struct client *client, bool last) {
        uint64_t now = clock_ns(CLOCK_MONOTONIC);

        count.requests++;
        count.latencies[slot_of(now - client->begun)]++;
        if (want.connect)
                reopen(client);
        if (last)
                count.running--;
        else
                begin(client, now);
}

static int wait_for_events(struct epoll_event *batch) {
        int size;

        for (int i = 0; want.spin && i < SPINS; i++) {
                size = epoll_wait(events, batch, BATCH, 0);
                if (size != 0)
                        return size;
        }
        size = epoll_wait(events, batch, BATCH, 10000);
        if (size < 0 && errno != EINTR)
                fail("epoll_wait");
        if (size == 0)
                wrong("no answer for 10 s");
        return size;
}

/*
 * Handles one batch of events. Each client that has its answer sends another request, as long as
 * there are requests left.
 */
static void turn(uint64_t requests) {
        struct epoll_event batch[BATCH];
        int size = wait_for_events(batch);

        for (int i = 0; i < size; i++) {
                struct client *client = batch[i].data.ptr;

                if (client->sent < want.size)
                        go_on_sending(client);
                if (client->received < want.size && receive(client))
                        finish(client, requests != 0 && count.requests + count.running >= requests);
        }
}

/* ---- measuring ---- */

static void start_counting(void) {
        memset(count.latencies, 0, sizeof(count.latencies));
        count.requests = 0;
        count.cpu = server_cpu();
        count.begun = clock_ns(CLOCK_MONOTONIC);
}

static void report(void) {
        uint64_t cpu = server_cpu() - count.cpu;
        uint64_t ns = clock_ns(CLOCK_MONOTONIC) - count.begun;

        printf("requests %llu seconds %.6f cpu %llu p50 %llu p99 %llu\n",
               (unsigned long long) count.requests, (double) ns / 1e9, (unsigned long long) cpu,
               (unsigned long long) quantile(0.5), (unsigned long long) quantile(0.99));
        fflush(stdout);
}

static void run_for(double seconds) {
        uint64_t until = clock_ns(CLOCK_MONOTONIC) + (uint64_t) (seconds * 1e9);

        while (clock_ns(CLOCK_MONOTONIC) < until)
                turn(0);
}

/* Returns when every client has its answer and has not sent another request. */
static void settle(uint64_t requests) {
        while (count.running > 0)
                turn(requests);
}

static void start(void) {
        uint64_t now = clock_ns(CLOCK_MONOTONIC);

        count.running = want.connections;
        for (unsigned i = 0; i < want.connections; i++)
                begin(&clients[i], now);
}

static void wait_for_line(const char *say) {
        int c;

        puts(say);
        fflush(stdout);
        while ((c = getchar()) != '\n' && c != EOF)
                ;
}

/*
 * Counts the requests between two lines of output. At either line every client has its answer, so
 * the server's system calls between the lines are the cost of the requests.
 */
static void run_counted(void) {
        settle(1);
        wait_for_line("ready");
        start_counting();
        start();
        settle(want.requests);
        report();
        wait_for_line("done");
}

static void make_pattern(void) {
        uint64_t x = 88172645463325252;

        for (unsigned i = 0; i < PATTERN; i++) {
                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
                pattern[i] = (char) x;
        }
}

static void help(FILE *to) {
        fputs("usage: belay-load --port N [--pid N] [--connections N] [--size N] [--warm SECONDS]\n"
              "                  [--seconds SECONDS] [--requests N] [--connect] [--spin]\n"
              "Loads an echo server. Prints the number of requests, the seconds, the processor\n"
              "time of the process --pid, and the latency of the requests in ns.\n"
              "  --requests N   sends N requests between two lines of the standard input\n"
              "  --connect      makes a new connection for each request\n"
              "  --spin         polls without sleeping\n",
              to);
}

static void read_options(int argc, char **argv) {
        static const struct option options[] = {
                { "port", required_argument, NULL, 'p' },
                { "pid", required_argument, NULL, 'i' },
                { "connections", required_argument, NULL, 'c' },
                { "size", required_argument, NULL, 's' },
                { "warm", required_argument, NULL, 'w' },
                { "seconds", required_argument, NULL, 'd' },
                { "requests", required_argument, NULL, 'r' },
                { "connect", no_argument, NULL, 'a' },
                { "spin", no_argument, NULL, 'n' },
                { "help", no_argument, NULL, 'h' },
                { 0 },
        };
        int option;

        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
                switch (option) {
                case 'p':
                        want.port = atoi(optarg);
                        break;
                case 'i':
                        want.pid = atoi(optarg);
                        break;
                case 'c':
                        want.connections = (unsigned) atoi(optarg);
                        break;
                case 's':
                        want.size = (unsigned) atoi(optarg);
                        break;
                case 'w':
                        want.warm = atof(optarg);
                        break;
                case 'd':
                        want.seconds = atof(optarg);
                        break;
                case 'r':
                        want.requests = strtoull(optarg, NULL, 10);
                        break;
                case 'a':
                        want.connect = true;
                        break;
                case 'n':
                        want.spin = true;
                        break;
                case 'h':
                        help(stdout);
                        exit(0);
                default:
                        help(stderr);
                        exit(2);
                }
        if (want.port == 0 || want.connections == 0 || want.size == 0 || want.size > MESSAGE_MOST) {
                help(stderr);
                exit(2);
        }
}

int main(int argc, char **argv) {
        read_options(argc, argv);
        make_pattern();
        /*
         * Begins at another address in each run, so that runs within the same minute do not use the
         * same ports.
         */
        count.next_address = (unsigned) getpid() * 7;
        events = epoll_create1(EPOLL_CLOEXEC);
        clients = calloc(want.connections, sizeof(*clients));
        if (events < 0 || clients == NULL)
                fail("start");
        for (unsigned i = 0; i < want.connections; i++)
                open_client(&clients[i]);
        start();
        run_for(want.warm);
        if (want.requests > 0) {
                run_counted();
        } else {
                start_counting();
                run_for(want.seconds);
                report();
        }
        return 0;
}
