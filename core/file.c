#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"

static int fail(struct err *err, const char *path)
{
    return err_fatal(err, EXIT_IO, "%s: %s", path, strerror(errno));
}

static int read_all(int fd, const char *path, char *data, size_t want, size_t *len, struct err *err)
{
    for (*len = 0; *len < want;) {
        ssize_t got = read(fd, data + *len, want - *len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(err, path);
        if (got == 0)
            break;
        *len += (size_t)got;
    }
    return 0;
}

int file_read(const char *path, size_t max_bytes, char **data, size_t *len, struct err *err)
{
    struct stat info;
    /* Without O_NONBLOCK a pipe that nobody writes to would hold us here for ever. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int result = -1;

    *data = NULL;
    if (fd < 0)
        return fail(err, path);
    if (fstat(fd, &info) != 0) {
        fail(err, path);
    } else if (!S_ISREG(info.st_mode)) {
        errno = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
        if (errno == EINVAL)
            err_fatal(err, EXIT_IO, "%s: not a regular file", path);
        fail(err, path);
    } else if ((size_t)info.st_size > max_bytes) {
        errno = EFBIG;
        err_fatal(err, EXIT_IO, "%s: %lld bytes, at most %zu are read", path,
                  (long long)info.st_size, max_bytes);
    } else {
        *data = mem_alloc_bulk((size_t)info.st_size + 1);
        result = read_all(fd, path, *data, (size_t)info.st_size, len, err);
        (*data)[*len] = '\0';
    }
    if (result != 0) {
        int saved = errno;
        free(*data);
        *data = NULL;
        close(fd);
        errno = saved;
        return -1;
    }
    close(fd);
    return 0;
}

char *file_join(const char *folder, const char *name)
{
    size_t len = strlen(folder) + strlen(name) + 2;
    char *path = mem_alloc(len, 1);

    snprintf(path, len, "%s/%s", folder, name);
    return path;
}
