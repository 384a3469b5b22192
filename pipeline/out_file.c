#include "pipeline/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const struct out_file *f, struct err *err)
{
    return err_fatal(err, EXIT_IO, "%s: %s", f->path, strerror(errno));
}

static int cut(struct out_file *f, struct err *err)
{
    struct stat info;

    if (flock(f->fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK
                   ? err_fatal(err, EXIT_AGAIN, "%s: another process writes it", f->path)
                   : fail(f, err);
    if (fstat(f->fd, &info) != 0)
        return fail(f, err);
    if (info.st_size < f->bytes)
        return err_fatal(err, EXIT_DATA, "%s: %lld bytes, but %lld were written before", f->path,
                         (long long)info.st_size, (long long)f->bytes);
    return ftruncate(f->fd, f->bytes) == 0 ? 0 : fail(f, err);
}

int out_file_open(struct out_file *f, const char *path, int64_t bytes, struct err *err)
{
    *f = (struct out_file){.path = path, .fd = -1, .bytes = bytes};
    if (!path)
        return 0;
    f->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (f->fd < 0)
        return fail(f, err);
    if (cut(f, err) == 0)
        return 0;
    out_file_close(f);
    return -1;
}

int out_file_append(struct out_file *f, const void *data, size_t len, struct err *err)
{
    const char *from = data;
    int64_t at = f->bytes;

    while (f->path && len > 0) {
        ssize_t put = pwrite(f->fd, from, len, at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return fail(f, err);
        from += put;
        at += put;
        len -= (size_t)put;
    }
    f->bytes = at;
    return 0;
}

int out_file_sync(struct out_file *f, struct err *err)
{
    /* Pipes and devices cannot, and need not. */
    if (!f->path || fdatasync(f->fd) == 0 || errno == EINVAL)
        return 0;
    return fail(f, err);
}

int out_file_read(const struct out_file *f, int64_t at, void *out, size_t len, struct err *err)
{
    ssize_t got = pread(f->fd, out, len, at);

    if (got == (ssize_t)len)
        return 0;
    return got < 0 ? fail(f, err) : err_fatal(err, EXIT_IO, "%s: it ends too early", f->path);
}

void out_file_close(struct out_file *f)
{
    if (f->path && f->fd >= 0)
        close(f->fd);
    f->fd = -1;
    f->path = NULL;
}
