/* SPDX-License-Identifier: MIT */
/*
 * Looking up endpoints.
 *
 * An endpoint that is an address needs no lookup. A thread looks up names by getaddrinfo(), which
 * cannot be stopped. The lookup owns a copy of all that it uses, so it can go on alone after its
 * task was cancelled.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "net/endpoint.h"
#include "net/net.h"
#include "net/shortage.h"
#include "core/wait.h"
#include "thread/pool.h"

struct lookup {
        struct bly_job job;
        struct addrinfo hints;
        struct addrinfo *found;
        int error;        /* return value of getaddrinfo(): EAI_... */
        int system_error; /* errno, for EAI_SYSTEM */
        int shortage;     /* shortage of the system, a negative errno; 0: none */
        bool anywhere;
        char host[BLY_HOST_MOST + 1];
        char service[BLY_SERVICE_MOST + 1];
};

/* ---- in the thread ---- */

/*
 * Checks that 2 descriptors are available. Returns 0 or the shortage. The C library opens files and
 * sockets one at a time, and reports one that it could not open as an unknown name. If it could not
 * load a module for name lookups, it never tries again in this process.
 */
static int try_descriptors(void) {
        int one = eventfd(0, EFD_CLOEXEC), other = one >= 0 ? eventfd(0, EFD_CLOEXEC) : -1,
            error = errno;

        if (one >= 0)
                close(one);
        if (other >= 0)
                close(other);
        return other < 0 && bly_is_shortage(-error) ? -error : 0;
}

static void lookup(struct bly_job *job) {
        struct lookup *self = container_of(job, struct lookup, job);

        self->error = EAI_SYSTEM;
        self->shortage = try_descriptors();
        if (self->shortage < 0)
                return;
        errno = 0;
        self->error = getaddrinfo(self->anywhere ? NULL : self->host, self->service, &self->hints,
                                  &self->found);
        self->system_error = errno;
        if (self->error == 0)
                return;
        self->found = NULL;
        /* A file or socket that could not be opened may have had the answer, whatever the error. */
        self->shortage = bly_is_shortage(-self->system_error) ? -self->system_error
                                                              : try_descriptors();
}

static void dispose(struct bly_job *job) {
        struct lookup *self = container_of(job, struct lookup, job);

        if (self->found != NULL)
                freeaddrinfo(self->found);
        free(self);
}

/* ---- error codes ---- */

/* An error of the name server, or of the way to it, says nothing about the host: -EAGAIN. */
static int error_of_system(int error) {
        switch (error) {
        case 0:
        case ENOENT:
        case ECONNREFUSED:
        case ECONNRESET:
        case ETIMEDOUT:
        case ENETUNREACH:
        case EHOSTUNREACH:
        case ENETDOWN:
        case EPIPE:
        case EINTR:
                return -EAGAIN;
        }
        return -error;
}

static int error_of(const struct lookup *self) {
        if (self->shortage < 0)
                return self->shortage;
        switch (self->error) {
        case EAI_NONAME:
        case EAI_SERVICE:
#ifdef EAI_NODATA
        case EAI_NODATA:
#endif
#ifdef EAI_ADDRFAMILY
        case EAI_ADDRFAMILY:
#endif
                return -ENOENT;
        case EAI_AGAIN:
        case EAI_FAIL:
                return -EAGAIN;
        case EAI_MEMORY:
                return -ENOMEM;
        case EAI_SYSTEM:
                return error_of_system(self->system_error);
        default:
                return -EINVAL;
        }
}

/* ---- the details of failures ---- */

static int explain_text(int rc, const struct bly_endpoint *endpoint, const char *text) {
        char quoted[BLY_QUOTED];

        if (text == NULL)
                return bly_explain(rc, "the endpoint is NULL");
        bly_endpoint_quote(quoted, text);
        if (rc != -EINVAL)
                return bly_explain(rc, "endpoint \"%s\": %s", quoted, strerror(-rc));
        return bly_explain(rc, "endpoint \"%s\": expected %s at character %zu", quoted,
                           endpoint->expected, endpoint->at + 1);
}

static int explain_no_thread(int rc, const char *text) {
        char quoted[BLY_QUOTED];

        if (rc == -ECANCELED)
                return rc;
        return bly_explain(rc,
                           "endpoint \"%s\" could not be looked up, no thread could be started: %s",
                           bly_endpoint_quote(quoted, text), strerror(-rc));
}

static int explain_error(int rc, const struct lookup *self) {
        bool of_service = self->anywhere || self->error == EAI_SERVICE;
        const char *what = of_service ? "service" : "host";
        char quoted[BLY_QUOTED];

        bly_endpoint_quote(quoted, of_service ? self->service : self->host);
        if (rc == -ENOENT)
                return bly_explain(rc, "unknown %s \"%s\"", what, quoted);
        return bly_explain(rc, "%s \"%s\" could not be looked up: %s", what, quoted,
                           self->shortage == 0 && self->error != EAI_SYSTEM
                                   ? gai_strerror(self->error)
                                   : strerror(-rc));
}

static int copy_found(const struct addrinfo *found, int type, belay_address **addresses,
                      size_t *count) {
        size_t fit = 0;

        for (const struct addrinfo *info = found; info != NULL; info = info->ai_next)
                fit += info->ai_addrlen <= sizeof((*addresses)->address);
        if (fit == 0)
                return -ENOENT;
        *addresses = bly_zalloc(fit * sizeof(**addresses));
        if (*addresses == NULL)
                return -ENOMEM;
        *count = 0;
        for (const struct addrinfo *info = found; info != NULL; info = info->ai_next) {
                belay_address *address = &(*addresses)[*count];

                if (info->ai_addrlen > sizeof(address->address))
                        continue;
                memcpy(&address->address, info->ai_addr, info->ai_addrlen);
                address->length = info->ai_addrlen;
                address->type = type;
                ++*count;
        }
        return 0;
}

static uint16_t port_of(const struct addrinfo *found) {
        const void *address = found->ai_addr;

        return ntohs(found->ai_family == AF_INET6
                             ? ((const struct sockaddr_in6 *) address)->sin6_port
                             : ((const struct sockaddr_in *) address)->sin_port);
}

static int copy_parsed(const struct bly_endpoint *endpoint, belay_address **addresses,
                       size_t *count) {
        *addresses = bly_alloc(endpoint->count * sizeof(**addresses));
        if (*addresses == NULL)
                return -ENOMEM;
        memcpy(*addresses, endpoint->addresses, endpoint->count * sizeof(**addresses));
        *count = endpoint->count;
        return 0;
}

/* ---- in the task ---- */

static struct lookup *new_lookup(const struct bly_endpoint *endpoint, const char *text, int type) {
        struct lookup *self = calloc(1, sizeof(*self));

        if (self == NULL)
                return NULL;
        self->job.run = lookup;
        self->job.dispose = dispose;
        self->job.what = "lookup";
        self->job.path = text;
        self->hints.ai_socktype = type;
        self->anywhere = endpoint->anywhere;
        strcpy(self->host, endpoint->host);
        strcpy(self->service, endpoint->service);
        return self;
}

static int lookup_name(struct belay_loop *loop, struct bly_endpoint *endpoint, const char *text,
                       int type, bool to_listen, belay_address **addresses, size_t *count,
                       const char *place) {
        struct lookup *self = new_lookup(endpoint, text, type);
        int rc;

        if (self == NULL)
                return -ENOMEM;
        rc = bly_pool_do(loop, &self->job, place);
        if (rc < 0)
                return explain_no_thread(rc, text);
        if (self->error != 0) {
                rc = error_of(self);
        } else if (endpoint->anywhere) {
                /* Only the service was a name. */
                bly_endpoint_anywhere(endpoint, type, to_listen, port_of(self->found));
                rc = copy_parsed(endpoint, addresses, count);
        } else {
                rc = copy_found(self->found, type, addresses, count);
        }
        if (rc < 0)
                explain_error(rc, self);
        dispose(&self->job);
        return rc;
}

int bly_resolve(struct belay_loop *loop, const char *text, int type, bool to_listen,
                belay_address **addresses, size_t *count, const char *place) {
        struct bly_endpoint endpoint;
        int rc = bly_endpoint_parse(&endpoint, text, type, to_listen);

        *addresses = NULL;
        *count = 0;
        if (rc < 0)
                return explain_text(rc, &endpoint, text);
        if (endpoint.count > 0)
                return copy_parsed(&endpoint, addresses, count);
        return lookup_name(loop, &endpoint, text, type, to_listen, addresses, count, place);
}

int belay_resolve_placed(const char *place, const char *endpoint, int type,
                         belay_address **addresses, size_t *count) {
        belay_task *self = bly_waiter(place, "belay_resolve()");

        *addresses = NULL;
        *count = 0;
        return self != NULL
                       ? bly_resolve(self->loop, endpoint, type, false, addresses, count, place)
                       : -EPERM;
}

void belay_addresses_free(belay_address *addresses, size_t count) {
        (void) count;
        bly_free(addresses);
}

char *belay_address_text(const struct sockaddr *address, socklen_t length, char *text,
                         size_t size) {
        static const struct sockaddr none = { .sa_family = AF_UNSPEC };

        return bly_address_text(length >= sizeof(address->sa_family) ? address : &none, length,
                                text, size);
}
