/* SPDX-License-Identifier: MIT */
/*
 * Reads a whole file into memory.
 */
#include "file/file.h"

enum { ROOM_UNKNOWN = 4096 };

/* The bytes read so far. `room` always includes a byte for the '\0'. */
struct contents {
        char *data;
        size_t size, room;
        size_t most; /* greatest number of bytes, or 0 for no limit */
};

static int make_room(struct contents *contents, size_t room) {
        char *data;

        /* One byte beyond the limit shows that the file is too large. Another is for the '\0'. */
        if (contents->most > 0 && contents->most <= SIZE_MAX - 2 && room > contents->most + 2)
                room = contents->most + 2;
        data = bly_realloc(contents->data, room);
        if (data == NULL)
                return -ENOMEM;
        contents->data = data;
        contents->room = room;
        return 0;
}

/*
 * Reads until a read returns 0. A short read is not the end of the file: the next read returns the
 * error or the cancellation that cut it short.
 */
static int read_to_end(const char *place, int fd, struct contents *contents) {
        size_t left;
        ssize_t got;
        int rc;

        for (;;) {
                if (contents->size + 1 >= contents->room) {
                        rc = contents->room <= SIZE_MAX / 2
                                     ? make_room(contents, contents->room * 2)
                                     : -ENOMEM;
                        if (rc < 0)
                                return rc;
                }
                left = contents->room - contents->size - 1;
                got = belay_file_read_placed(place, fd, contents->data + contents->size, left, -1);
                if (got <= 0)
                        return (int) got;
                contents->size += (size_t) got;
                if (contents->most > 0 && contents->size > contents->most)
                        return -EFBIG;
        }
}

static int read_file(const char *place, int fd, struct contents *contents) {
        struct stat stat;
        size_t room = ROOM_UNKNOWN;
        int rc = belay_file_stat_fd_placed(place, fd, &stat);

        if (rc < 0)
                return rc;
        if (S_ISREG(stat.st_mode) && stat.st_size > 0) {
                if ((uintmax_t) stat.st_size > SIZE_MAX / 2)
                        return -EFBIG;
                if (contents->most > 0 && (size_t) stat.st_size > contents->most)
                        return -EFBIG;
                room = (size_t) stat.st_size + 2;
        }
        rc = make_room(contents, room);
        if (rc == 0)
                rc = read_to_end(place, fd, contents);
        return rc;
}

/*
 * Appends the '\0', and gives back unused memory. Doubling may have made the buffer twice as large
 * as its contents.
 */
static void fit(struct contents *contents) {
        char *data;

        contents->data[contents->size] = '\0';
        if (contents->room - contents->size <= ROOM_UNKNOWN)
                return;
        data = bly_realloc(contents->data, contents->size + 1);
        if (data != NULL)
                contents->data = data;
}

/* Adds the path to a failure. A cancellation keeps its own reason. */
static int explain(int rc, const char *path) {
        return rc == -ECANCELED ? rc : bly_explain(rc, "read %s: %s", path, strerror(-rc));
}

int belay_file_read_all_placed(const char *place, const char *path, size_t most, char **data,
                               size_t *size) {
        struct contents contents = { .most = most };
        struct bly_file_call call;
        int fd, rc = bly_file_begin(&call, place, "belay_file_read_all()");

        *data = NULL;
        if (size != NULL)
                *size = 0;
        if (rc < 0)
                return rc;
        fd = belay_file_open_placed(place, path, O_RDONLY, 0);
        if (fd < 0)
                return explain(fd, path);
        rc = read_file(place, fd, &contents);
        /* A failure to close does not affect the bytes that were read. */
        (void) bly_file_close(&call, fd);
        if (rc < 0) {
                bly_free(contents.data);
                return explain((int) bly_file_end(&call, rc), path);
        }
        fit(&contents);
        *data = contents.data;
        if (size != NULL)
                *size = contents.size;
        return 0;
}

void belay_file_free(char *data) {
        bly_free(data);
}
