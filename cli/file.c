/* SPDX-License-Identifier: MIT */
/* Finding, reading and writing a file as a whole. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t done = write(fd, data, len);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            return false;
        }
        data += done;
        len -= (size_t)done;
    }
    return true;
}

/* Into what is there already, or into a new file. */
static bool write_through(const char *path, const char *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        return false;
    }
    bool good = write_all(fd, data, len);
    return close(fd) == 0 && good;
}

/* Into a file beside it, which then takes its place. */
static bool write_beside(const char *path, mode_t mode, const char *data,
                         size_t len)
{
    struct text beside = {0};
    text_add(&beside, "%s.XXXXXX", path);
    int fd = mkstemp(beside.data);
    bool good = fd >= 0;

    if (good) {
        good = write_all(fd, data, len) && fchmod(fd, mode & 07777) == 0 &&
               fsync(fd) == 0;
        good = close(fd) == 0 && good && rename(beside.data, path) == 0;
        int error = errno;
        if (!good) {
            unlink(beside.data);
        }
        errno = error;
    }
    text_fini(&beside);
    return good;
}

bool file_replace(const char *path, const char *data, size_t len,
                  struct text *why)
{
    struct stat status;
    char *real = NULL;
    bool good;

    if (stat(path, &status) == 0 && S_ISREG(status.st_mode)) {
        real = realpath(path, NULL);
        good = real != NULL && write_beside(real, status.st_mode, data, len);
    } else {
        good = write_through(path, data, len);
    }
    if (!good) {
        int error = errno;
        text_add_clean(why, path);
        text_add(why, ": %s", strerror(error));
    }
    free(real);
    return good;
}

void file_path(struct text *out_path, const char *name, const char *folder)
{
    if (folder != NULL && folder[0] != '\0' && name[0] != '/') {
        text_add(out_path, "%s/%s", folder, name);
        if (access(text_str(out_path), F_OK) == 0 || access(name, F_OK) != 0) {
            return;
        }
        text_clear(out_path);
    }
    text_add(out_path, "%s", name);
}

bool file_load(const char *path, size_t max, struct text *out_data,
               struct text *why)
{
    FILE *file = fopen(path, "rb");
    struct text data = {0};
    char room[65536];
    size_t len = 0;
    bool good = file != NULL;

    while (good && data.len <= max &&
           (len = fread(room, 1, sizeof(room), file)) > 0) {
        text_add_bytes(&data, room, len);
    }
    good = good && !ferror(file);
    int error = errno;
    if (file != NULL) {
        fclose(file);
    }
    if (!good || data.len > max) {
        text_add_clean(why, path);
        text_add(why, ": %s", good ? "it is too large" : strerror(error));
        text_fini(&data);
        return false;
    }
    *out_data = data;
    return true;
}
