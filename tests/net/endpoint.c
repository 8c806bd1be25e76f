/* SPDX-License-Identifier: MIT */
/*
 * Endpoints: what they mean, which texts are invalid, and addresses as texts.
 */
#define _GNU_SOURCE
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "net/net.h"

#include "../base/help.h"

static char text[BELAY_ADDRESS_TEXT];

/*
 * Returns the addresses that an endpoint means, as a text such as "a b", or NULL if it is invalid.
 */
static const char *means(const char *endpoint, int type, bool to_listen) {
        static char all[512];
        belay_address *addresses;
        size_t count;
        int rc = bly_resolve(belay_loop_self(), endpoint, type, to_listen, &addresses, &count,
                             "here:1");

        if (rc < 0) {
                CHECK_EQ(rc, -EINVAL);
                CHECK(addresses == NULL && count == 0);
                return NULL;
        }
        CHECK(count > 0);
        all[0] = '\0';
        for (size_t i = 0; i < count; i++) {
                CHECK_EQ(addresses[i].type, type);
                strcat(all, i > 0 ? " " : "");
                strcat(all, belay_address_text((struct sockaddr *) &addresses[i].address,
                                               addresses[i].length, text, sizeof(text)));
        }
        belay_addresses_free(addresses, count);
        return all;
}

static const char *text_of(const void *address, size_t length) {
        return belay_address_text(address, (socklen_t) length, text, sizeof(text));
}

static const char *connects(const char *endpoint) {
        return means(endpoint, SOCK_STREAM, false);
}

static int addresses(void *arg) {
        static const char *const themselves[] = {
                "127.0.0.1:80",
                "0.0.0.0:0",
                "255.255.255.255:65535",
                "[::1]:80",
                "[::]:0",
                "[2001:db8::7]:443",
                "unix:/run/app.sock",
                "unix:relative",
                "unix:@abstract",
                "unix:80",
                "unix:a:b",
                "unix:/a b",
        };

        (void) arg;
        for (size_t i = 0; i < sizeof(themselves) / sizeof(themselves[0]); i++) {
                CHECK_STR(connects(themselves[i]), themselves[i]);
                CHECK_STR(means(themselves[i], SOCK_DGRAM, true), themselves[i]);
        }
        CHECK_STR(connects("127.0.0.1:080"), "127.0.0.1:80");
        CHECK_STR(connects("[2001:DB8:0:0::7]:443"), "[2001:db8::7]:443");
        CHECK_STR(connects(":80"), "[::1]:80 127.0.0.1:80");
        CHECK_STR(connects("*:80"), "[::1]:80 127.0.0.1:80");
        CHECK_STR(means(":80", SOCK_STREAM, true), "[::]:80 0.0.0.0:80");
        CHECK_STR(means("*:0", SOCK_DGRAM, true), "[::]:0 0.0.0.0:0");
        return 0;
}

static int none(void *arg) {
        static const char *const bad[] = {
                "",
                "80",
                "localhost",
                "127.0.0.1",
                "127.0.0.1:",
                ":",
                "*:",
                "::1:80",
                "[::1]",
                "[::1]80",
                "[::1:80",
                "::1]:80",
                "[127.0.0.1]:80",
                "[name]:80",
                "[]:80",
                "127.0.0.1:65536",
                "127.0.0.1:99999999999999999999",
                "127.0.0.1:-1",
                "127.0.0.1:+1",
                "127.0.0.1: 80",
                "127.0.0.1:80 ",
                "a b:80",
                "a/b:80",
                "a*:80",
                "**:80",
                "name:a b",
                "name:/",
                "http://host:80",
                "[fe80::1%]:80",
                "[fe80::1%no such interface]:80",
                "[fe80::1%3x]:80",
                "unix:",
                "unix:@",
                "Unix:/x",
        };
        char long_text[512];

        (void) arg;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                if (connects(bad[i]) != NULL) {
                        fprintf(stderr, "\"%s\" is taken for %s\n", bad[i], connects(bad[i]));
                        CHECK(false);
                }
        CHECK_STR(connects(NULL), NULL);
        CHECK_STR(means("127.0.0.1:80", SOCK_RAW, false), NULL);

        /* A path that is too long, and a host that is too long. */
        memset(long_text, 'x', sizeof(long_text));
        memcpy(long_text, "unix:", 5);
        long_text[5 + 108] = '\0';
        CHECK_STR(connects(long_text), NULL);
        long_text[5 + 107] = '\0';
        CHECK_STR(connects(long_text), long_text);
        memset(long_text, 'x', sizeof(long_text));
        strcpy(long_text + 256, ":80");
        CHECK_STR(connects(long_text), NULL);
        return 0;
}

static int scopes(void *arg) {
        belay_address *found;
        size_t count;
        unsigned loopback = if_nametoindex("lo");

        (void) arg;
        CHECK_EQ(belay_resolve("[fe80::1%17]:80", SOCK_STREAM, &found, &count), 0);
        CHECK_EQ(((struct sockaddr_in6 *) &found->address)->sin6_scope_id, 17);
        belay_addresses_free(found, count);
        if (loopback == 0)
                return 0;
        CHECK_EQ(belay_resolve("[fe80::1%lo]:80", SOCK_STREAM, &found, &count), 0);
        CHECK_EQ(count, 1);
        CHECK_EQ(((struct sockaddr_in6 *) &found->address)->sin6_scope_id, loopback);
        belay_addresses_free(found, count);
        return 0;
}

/* Addresses of Unix sockets have the form that the kernel requires. */
static int unix_addresses(void *arg) {
        struct sockaddr_un *un;
        belay_address *found;
        size_t count;

        (void) arg;
        CHECK_EQ(belay_resolve("unix:/a", SOCK_STREAM, &found, &count), 0);
        un = (struct sockaddr_un *) &found->address;
        CHECK(count == 1 && un->sun_family == AF_UNIX && strcmp(un->sun_path, "/a") == 0);
        CHECK_EQ(found->length, offsetof(struct sockaddr_un, sun_path) + 3);
        belay_addresses_free(found, count);
        CHECK_EQ(belay_resolve("unix:@a", SOCK_STREAM, &found, &count), 0);
        un = (struct sockaddr_un *) &found->address;
        CHECK(un->sun_path[0] == '\0' && un->sun_path[1] == 'a');
        CHECK_EQ(found->length, offsetof(struct sockaddr_un, sun_path) + 2);
        belay_addresses_free(found, count);
        return 0;
}

/* ---- addresses as texts ---- */

static void texts(void) {
        struct sockaddr_in in = {
                .sin_family = AF_INET,
                .sin_port = htons(8080),
                .sin_addr.s_addr = htonl(0x0a000001),
        };
        struct sockaddr strange = { .sa_family = 99 };
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        char small[8];

        CHECK_STR(text_of(&in, sizeof(in)), "10.0.0.1:8080");
        CHECK(belay_address_text((struct sockaddr *) &in, sizeof(in), small, sizeof(small))
              == small);
        CHECK_STR(small, "10.0.0.");
        small[0] = 'x';
        belay_address_text((struct sockaddr *) &in, sizeof(in), small, 0);
        CHECK_EQ(small[0], 'x');
        CHECK_STR(text_of(&un, sizeof(sa_family_t)), "unix:");
        CHECK(strlen(text_of(&strange, sizeof(strange))) > 0);
        CHECK(strlen(text_of(&strange, 0)) > 0);
        /* Truncated and unterminated addresses. */
        CHECK(strlen(text_of(&in, 4)) > 0);
        memset(un.sun_path, 'p', sizeof(un.sun_path));
        CHECK_EQ(strlen(text_of(&un, sizeof(un))), 5 + sizeof(un.sun_path));
        un.sun_path[0] = '\0';
        CHECK_EQ(strlen(text_of(&un, sizeof(un))), 5 + sizeof(un.sun_path));
}

/* ---- the system's own names ---- */

static int local(void *arg) {
        belay_address *found;
        size_t count;
        int rc = belay_resolve("localhost:80", SOCK_STREAM, &found, &count);

        (void) arg;
        if (rc == 0) {
                for (size_t i = 0; i < count; i++) {
                        text_of(&found[i].address, found[i].length);
                        CHECK(strcmp(text, "127.0.0.1:80") == 0 || strcmp(text, "[::1]:80") == 0);
                }
                belay_addresses_free(found, count);
        } else {
                fprintf(stderr, "this system does not know localhost: %s\n", strerror(-rc));
        }
        CHECK_EQ(belay_resolve("localhost:no-such-service-anywhere", SOCK_STREAM, &found, &count),
                 -ENOENT);
        CHECK(found == NULL && count == 0);
        return 0;
}

int main(void) {
        belay_address *found;
        size_t count;

        RUN_VIRTUAL(addresses);
        RUN_VIRTUAL(none);
        RUN_VIRTUAL(scopes);
        RUN_VIRTUAL(unix_addresses);
        texts();
        RUN_VIRTUAL(local);
        CHECK_EQ(belay_run(local, NULL), 0);
        keep_lines();
        CHECK_EQ(belay_resolve("127.0.0.1:80", SOCK_STREAM, &found, &count), -EPERM);
        CHECK_LINES(1, "outside of a task");
        return 0;
}
