/* SPDX-License-Identifier: MIT */
/*
 * The work that goes on while conversations run: files in the pool, lookups, datagrams, transfer of
 * descriptors, and waits for descriptors. All of it runs under timeouts that are often too short.
 */
#ifndef BELAY_SOAK_ASIDES_H
#define BELAY_SOAK_ASIDES_H

#include <netdb.h>
#include <sys/stat.h>

#include "soak/round.h"

/* Returns a limit that is too short in half of the cases. */
static inline belay_time some_limit(struct dice *dice) {
        return one_in(dice, 2) ? some_time(dice, PAUSE_MOST) : PATIENCE;
}

/*
 * Leaves the timeout of a call. Returns -EAGAIN if the timeout expired, so that the caller tries
 * again, unless the task itself was cancelled.
 */
static inline int leave(belay_timeout *limit, ssize_t rc) {
        int left = belay_timeout_leave(limit, rc < 0 ? (int) rc : 0);

        if (left == -ETIMEDOUT)
                return belay_cancelling(belay_self()) > 0 ? -ECANCELED : -EAGAIN;
        return left;
}

/* ---- files ---- */

struct file {
        char path[256];
        size_t offset, size; /* of its contents in the pattern */
        bool exists;
};

enum { FILE_NAMES = 4, FILE_MOST = 200000 };

static inline int replace_file(struct file *file, struct dice *dice) {
        size_t offset = roll(dice) % PERIOD, size = some(dice, FILE_MOST);
        belay_timeout limit;
        int rc;

        belay_timeout_enter(&limit, some_limit(dice));
        rc = belay_file_write_all(file->path, pattern + offset, size, 0600);
        rc = leave(&limit, rc);
        if (rc == 0) {
                file->exists = true;
                file->offset = offset;
                file->size = size;
        }
        return rc;
}

static inline int look_at_file(const struct file *file, struct dice *dice) {
        belay_timeout limit;
        char *data = NULL;
        size_t size = 0;
        int rc;

        belay_timeout_enter(&limit, some_limit(dice));
        rc = belay_file_read_all(file->path, 0, &data, &size);
        rc = leave(&limit, rc);
        if (rc == 0
            && (!file->exists || size != file->size
                || memcmp(data, pattern + file->offset, size) != 0))
                wrong(NULL, "%s has %zu bytes, not %zu, or others", file->path, size, file->size);
        if (rc == -ENOENT && file->exists)
                wrong(NULL, "%s is not there", file->path);
        if (rc == 0)
                belay_file_free(data);
        return rc == -ENOENT ? 0 : rc;
}

/*
 * Overwrites a part of the file in place with the bytes that stand there already, so that a partial
 * write changes nothing.
 */
static inline int change_file(struct file *file, struct dice *dice) {
        size_t from = below(dice, file->size), size = 1 + below(dice, file->size - from);
        int fd = belay_file_open(file->path, O_RDWR, 0);
        belay_timeout limit;
        char *read;
        ssize_t moved;
        int rc;

        if (fd < 0)
                return fd;
        belay_timeout_enter(&limit, some_limit(dice));
        moved = belay_file_write(fd, pattern + file->offset + from, size, (int64_t) from);
        if (moved > (ssize_t) size)
                wrong(NULL, "%zd of %zu bytes were written to %s", moved, size, file->path);
        read = malloc(size);
        moved = read != NULL ? belay_file_read(fd, read, size, (int64_t) from) : -ENOMEM;
        if (moved > 0 && memcmp(read, pattern + file->offset + from, (size_t) moved) != 0)
                wrong(NULL, "others were read than written at %zu of %s", from, file->path);
        free(read);
        rc = belay_file_sync(fd, true);
        rc = leave(&limit, rc);
        belay_file_close(fd);
        return rc;
}

static inline int remove_file(struct file *file, struct dice *dice) {
        belay_timeout limit;
        int rc;

        belay_timeout_enter(&limit, some_limit(dice));
        rc = belay_file_remove(file->path);
        if (rc == 0)
                file->exists = false;
        else if (rc == -ENOENT && file->exists)
                wrong(NULL, "%s was removed by nobody", file->path);
        rc = leave(&limit, rc);
        return rc == -ENOENT ? 0 : rc;
}

static inline int count_entry(const belay_walk_entry *entry, void *arg) {
        unsigned *entries = arg;

        if (!S_ISREG(entry->stat->st_mode))
                wrong(NULL, "%s is no file", entry->path);
        (*entries)++;
        return 0;
}

static inline int use_files(void *arg) {
        struct half *half = arg;
        struct dice dice = dice_of(half->dice, 20);
        struct file files[FILE_NAMES] = { 0 };
        char directory[100];
        unsigned entries = 0, expected = 0;
        int rc;

        snprintf(directory, sizeof(directory), "%s/files%d", half->round->directory, half->loop);
        rc = belay_file_make_directory(directory, 0700);
        for (int i = 0; i < 60 && (rc == 0 || rc == -EAGAIN); i++) {
                struct file *file = &files[below(&dice, FILE_NAMES)];

                snprintf(file->path, sizeof(file->path), "%s/%zd", directory, file - files);
                count(&totals.files, 1);
                switch (below(&dice, 6)) {
                case 0:
                case 1:
                        rc = replace_file(file, &dice);
                        break;
                case 2:
                        rc = remove_file(file, &dice);
                        break;
                case 3:
                        rc = file->exists && file->size > 0 ? change_file(file, &dice) : 0;
                        break;
                default:
                        rc = look_at_file(file, &dice);
                        break;
                }
        }
        if (rc == 0 || rc == -EAGAIN)
                rc = belay_walk(directory, count_entry, &entries);
        for (int i = 0; i < FILE_NAMES; i++) {
                expected += files[i].exists;
                if (files[i].exists)
                        unlink(files[i].path);
        }
        if (rc < 0 || entries != expected || rmdir(directory) < 0)
                wrong(NULL, "in %s there were %u files, not %u; %d", directory, entries, expected,
                      rc);
        return 0;
}

/* ---- lookups ---- */

static inline int look_up(void *arg) {
        static const char *const names[] = { "localhost:80", "localhost:0", "127.0.0.1:80",
                                             "[::1]:80", "unix:@no" };
        const size_t name_count = sizeof(names) / sizeof(names[0]);
        struct half *half = arg;
        struct dice dice = dice_of(half->dice, 21);
        int rc = 0;

        for (int i = 0; i < 15 && rc != -ECANCELED; i++) {
                belay_address *addresses = NULL;
                belay_timeout limit;
                size_t found = 0;

                count(&totals.lookups, 1);
                belay_timeout_enter(&limit, some_limit(&dice));
                rc = belay_resolve(names[below(&dice, name_count)], SOCK_STREAM, &addresses,
                                   &found);
                if (rc == 0 && (found == 0 || addresses[0].length == 0))
                        wrong(NULL, "a lookup found nothing");
                if (rc == 0)
                        belay_addresses_free(addresses, found);
                rc = leave(&limit, rc);
        }
        return 0;
}

/* ---- datagrams ---- */

enum { DATAGRAMS = 150, DATAGRAM_MOST = 3000 };

/* Unix sockets lose no datagram. Each one that was sent must arrive once, whole and in order. */
struct mail {
        belay_datagrams *socket;
        const struct way *way;
        struct dice dice;
};

static inline size_t datagram_size(unsigned number) {
        return 1 + number * 7919u % DATAGRAM_MOST;
}

static inline int send_mail(void *arg) {
        struct mail *mail = arg;
        uint64_t at = 0;
        int rc = 0;

        for (unsigned i = 0; i < DATAGRAMS && rc == 0; i++) {
                size_t size = datagram_size(i);

                do {
                        belay_timeout limit;
                        ssize_t sent;

                        belay_timeout_enter(&limit, some_limit(&mail->dice));
                        sent = belay_send(mail->socket, next_bytes(mail->way, at), size, NULL);
                        rc = leave(&limit, sent);
                        if (sent >= 0 && sent != (ssize_t) size)
                                rc = -EPROTO;
                } while (rc == -EAGAIN);
                at += size;
        }
        if (rc < 0)
                wrong(NULL, "sending datagrams came to %d", rc);
        return 0;
}

static inline int receive_mail(void *arg) {
        struct mail *mail = arg;
        char buffer[DATAGRAM_MOST + 1];
        unsigned number = 0;
        uint64_t at = 0;
        int rc = 0;

        while (number < DATAGRAMS && (rc == 0 || rc == -EAGAIN)) {
                belay_timeout limit;
                ssize_t size;

                belay_timeout_enter(&limit, some_limit(&mail->dice));
                size = belay_receive(mail->socket, buffer, sizeof(buffer), NULL);
                rc = leave(&limit, size);
                if (size < 0)
                        continue;
                if ((size_t) size != datagram_size(number)
                    || memcmp(buffer, next_bytes(mail->way, at), (size_t) size) != 0)
                        wrong(NULL, "datagram %u is not what was sent", number);
                at += (uint64_t) size;
                number++;
                count(&totals.datagrams, 1);
        }
        if (rc < 0 && rc != -EAGAIN)
                wrong(NULL, "receiving datagrams came to %d", rc);
        return 0;
}

static inline int use_datagrams(void *arg) {
        struct half *half = arg;
        struct dice dice = dice_of(half->dice, 22);
        struct way way = { .offset = roll(&dice) % PERIOD };
        struct mail sender = { .way = &way, .dice = dice_of(dice, 1) };
        struct mail receiver = { .way = &way, .dice = dice_of(dice, 2) };
        char endpoint[BELAY_ADDRESS_TEXT];
        belay_group group;
        int rc;

        snprintf(endpoint, sizeof(endpoint), "unix:%s/mail%d", half->round->directory, half->loop);
        rc = belay_datagrams_open(&receiver.socket, endpoint, NULL);
        if (rc == 0)
                rc = belay_datagrams_open(&sender.socket, NULL, endpoint);
        belay_group_enter(&group);
        if (rc == 0)
                rc = belay_group_spawn(&group, receive_mail, &receiver);
        if (rc == 0)
                rc = belay_group_spawn(&group, send_mail, &sender);
        rc = belay_group_leave(&group, rc);
        belay_datagrams_close(sender.socket);
        belay_datagrams_close(receiver.socket);
        if (rc < 0)
                wrong(NULL, "datagrams came to %d", rc);
        return 0;
}

/* ---- transfer of descriptors ---- */

enum { PARCELS = 40, IN_A_PARCEL = 5 };

struct post {
        belay_stream *stream;
        struct way *way;
        struct dice dice;
        /* sum of the numbers in the descriptors that were sent, or received */
        uint64_t tokens;
};

/* Returns a pipe's end from which this number can be read. */
static inline int make_token(uint64_t token) {
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        if (write(ends[1], &token, sizeof(token)) != sizeof(token))
                wrong(NULL, "a pipe had no room for eight bytes");
        close(ends[1]);
        return ends[0];
}

static inline int send_parcel(struct post *post) {
        int fds[IN_A_PARCEL], count = 1 + (int) below(&post->dice, IN_A_PARCEL), made;
        size_t size = 1 + some(&post->dice, 5000);
        uint64_t tokens = 0;
        belay_timeout limit;
        ssize_t sent;
        int rc;

        for (made = 0; made < count; made++) {
                uint64_t token = roll(&post->dice) >> 20;

                fds[made] = make_token(token);
                if (fds[made] < 0)
                        break;
                tokens += token;
        }
        belay_timeout_enter(&limit, some_limit(&post->dice));
        sent = belay_send_descriptors(post->stream, next_bytes(post->way, post->way->sent), size,
                                      fds, (size_t) made);
        rc = leave(&limit, sent);
        if (sent > 0) {
                post->way->sent += (uint64_t) sent;
                post->tokens += tokens;
        }
        if (sent > 0 && (size_t) sent < size && belay_mend(post->stream) < 0)
                wrong(NULL, "a parcel was cut, and could not be mended");
        while (made > 0)
                close(fds[--made]);
        return rc == -EAGAIN ? 0 : rc;
}

static inline int send_parcels(void *arg) {
        struct post *post = arg;
        int rc = 0;

        for (int i = 0; i < PARCELS && rc == 0; i++)
                rc = send_parcel(post);
        if (rc == 0)
                rc = belay_half_close(post->stream);
        if (rc < 0)
                wrong(NULL, "sending descriptors came to %d", rc);
        return 0;
}

static inline int receive_parcels(void *arg) {
        struct post *post = arg;
        char buffer[4000];
        ssize_t size = 1;
        int rc = 0;

        while (size != 0 && (rc == 0 || rc == -EAGAIN)) {
                int fds[BELAY_DESCRIPTORS_MOST];
                size_t came = BELAY_DESCRIPTORS_MOST;
                belay_timeout limit;

                belay_timeout_enter(&limit, some_limit(&post->dice));
                size = belay_receive_descriptors(post->stream, buffer,
                                                 1 + some(&post->dice, sizeof(buffer) - 1), fds,
                                                 &came);
                rc = leave(&limit, size);
                if (size < 0)
                        continue;
                note_received(NULL, post->way, buffer, (size_t) size);
                for (size_t i = 0; i < came; i++) {
                        uint64_t token = 0;

                        if (read(fds[i], &token, sizeof(token)) != sizeof(token))
                                wrong(NULL, "a descriptor came that is another");
                        post->tokens += token;
                        close(fds[i]);
                        count(&totals.descriptors, 1);
                }
        }
        if (rc < 0 && rc != -EAGAIN)
                wrong(NULL, "receiving descriptors came to %d", rc);
        return 0;
}

static inline int send_descriptors(void *arg) {
        struct half *half = arg;
        struct dice dice = dice_of(half->dice, 23);
        struct way way = { .offset = roll(&dice) % PERIOD };
        struct post sender = { .way = &way, .dice = dice_of(dice, 1) };
        struct post receiver = { .way = &way, .dice = dice_of(dice, 2) };
        belay_group group;
        int rc = belay_stream_pair(&sender.stream, &receiver.stream);

        belay_group_enter(&group);
        if (rc == 0)
                rc = belay_group_spawn(&group, receive_parcels, &receiver);
        if (rc == 0)
                rc = belay_group_spawn(&group, send_parcels, &sender);
        rc = belay_group_leave(&group, rc);
        belay_abort(sender.stream);
        belay_abort(receiver.stream);
        if (rc < 0 || way.sent != way.received || sender.tokens != receiver.tokens)
                wrong(NULL, "descriptors: %d; %llu bytes of %llu came, and %s of them", rc,
                      (unsigned long long) way.received, (unsigned long long) way.sent,
                      sender.tokens == receiver.tokens ? "all" : "not all");
        return 0;
}

/* ---- waits for descriptors that belay did not make ---- */

struct watch {
        int fd;
        struct dice dice;
        const bool *is_over;
};

static inline int watch(void *arg) {
        struct watch *watch = arg;
        int rc;

        do {
                belay_timeout limit;

                belay_timeout_enter(&limit, some_limit(&watch->dice));
                rc = belay_wait_fd(watch->fd, BELAY_READABLE);
                if (rc > 0)
                        count(&totals.waits, 1);
                rc = leave(&limit, rc);
                if (rc == 0)
                        rc = belay_yield();
        } while ((rc == 0 || rc == -EAGAIN) && !*watch->is_over);
        if (rc < 0 && rc != -EBADF && rc != -EAGAIN)
                wrong(NULL, "waiting for a descriptor came to %d", rc);
        return 0;
}

/*
 * Three tasks wait for one descriptor, which becomes readable and unreadable again. In the end
 * belay_forget_fd() ends their waits, and another descriptor soon takes the number.
 */
static inline int wait_for_descriptors(void *arg) {
        struct half *half = arg;
        struct dice dice = dice_of(half->dice, 24);
        struct watch watches[3];
        int rc = 0;

        for (int i = 0; i < 5 && rc == 0; i++) {
                belay_group group;
                bool is_over = false;
                char byte = 'x';
                int ends[2];

                if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
                        return -errno;
                belay_group_enter(&group);
                for (unsigned j = 0; j < 3 && rc == 0; j++) {
                        watches[j] = (struct watch) { ends[0], dice_of(dice, j), &is_over };
                        rc = belay_group_spawn(&group, watch, &watches[j]);
                }
                for (int j = 0; j < 5 && rc == 0; j++) {
                        (void) !write(ends[1], &byte, 1);
                        rc = belay_sleep(some_time(&dice, PAUSE_MOST));
                        (void) !read(ends[0], &byte, 1);
                        if (rc == 0)
                                rc = belay_sleep(some_time(&dice, PAUSE_MOST));
                }
                is_over = true;
                belay_forget_fd(ends[0]);
                close(ends[0]);
                rc = belay_group_leave(&group, rc);
                close(ends[1]);
        }
        if (rc < 0)
                wrong(NULL, "descriptors of others came to %d", rc);
        return 0;
}

#endif
