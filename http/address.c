#include "http/address.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/mem.h"

enum { BACKLOG = 128 }; /* who finds it full asks again after a second */

/* "host:port", "[v6]:port", ":port"; *host becomes NULL for the last. */
static int split(const char *address, char host[256], const char **port)
{
    const char *colon = strrchr(address, ':');
    size_t len = colon ? (size_t)(colon - address) : 0;

    if (!colon || !colon[1] || len > 255)
        return -1;
    if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
        address++;
        len -= 2;
    }
    memcpy(host, address, len);
    host[len] = '\0';
    *port = colon + 1;
    return 0;
}

static struct addrinfo *resolve(const char *address, int flags, struct err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags}, *found = NULL;
    char host[256];
    const char *port;
    int code;

    if (split(address, host, &port) != 0) {
        err_dependency(err, "%s is no address: host:port", address);
        return NULL;
    }
    code = getaddrinfo(*host ? host : NULL, port, &hints, &found);
    if (code != 0)
        err_dependency(err, "%s: %s", address, gai_strerror(code));
    return found;
}

/* Of the first address at which `take` succeeds; -1, errno and err: of the last. */
static int open_first(const char *address, const struct addrinfo *found,
                      int (*take)(int, const struct sockaddr *, socklen_t), int timeout_ms,
                      struct err *err)
{
    const struct timeval timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
    int on = 1, code = 0;

    for (const struct addrinfo *a = found; a; a = a->ai_next) {
        int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd >= 0 && timeout_ms > 0) {
            setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
            setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
        } else if (fd >= 0) {
            setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        }
        if (fd >= 0 && take(fd, a->ai_addr, a->ai_addrlen) == 0)
            return fd;
        code = errno;
        if (fd >= 0)
            close(fd);
    }
    err_dependency(err, "%s: %s", address, strerror(code));
    errno = code;
    return -1;
}

static int bind_both(int fd, const struct sockaddr *name, socklen_t len)
{
    const int off = 0;

    if (name->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    return bind(fd, name, len);
}

/* One socket takes both families. IPv4 alone is for a system without IPv6, and no answer to a port
 * that is taken. */
static int bind_all(const char *address, const struct addrinfo *found, struct err *err)
{
    static const int families[] = {AF_INET6, AF_INET};

    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        for (const struct addrinfo *a = found; a; a = a->ai_next) {
            struct addrinfo one = *a;
            int fd;
            if (a->ai_family != families[i])
                continue;
            one.ai_next = NULL;
            err_reset(err);
            fd = open_first(address, &one, bind_both, 0, err);
            if (fd >= 0 || errno == EADDRINUSE || errno == EACCES)
                return fd;
        }
    }
    return -1;
}

/* Closes fd when that fails. */
static int start_listening(int fd, const char *address, struct err *err)
{
    if (fd < 0 || listen(fd, BACKLOG) == 0)
        return fd;
    err_dependency(err, "%s: %s", address, strerror(errno));
    close(fd);
    return -1;
}

int address_listen(const char *address, struct err *err)
{
    struct addrinfo *found = resolve(address, AI_PASSIVE, err);
    int fd;

    if (!found)
        return -1;
    fd = *address == ':' ? bind_all(address, found, err) : open_first(address, found, bind, 0, err);
    freeaddrinfo(found);
    return start_listening(fd, address, err);
}

static int name_file(struct sockaddr_un *name, const char *path, struct err *err)
{
    *name = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof name->sun_path)
        return err_dependency(err, "%s is longer than the %zu bytes of a socket's name", path,
                              sizeof name->sun_path - 1);
    memcpy(name->sun_path, path, strlen(path));
    return 0;
}

static int connect_local(const char *path, int timeout_ms, struct err *err)
{
    struct sockaddr_un name;
    struct addrinfo info = {.ai_family = AF_UNIX,
                            .ai_socktype = SOCK_STREAM,
                            .ai_addr = (struct sockaddr *)&name,
                            .ai_addrlen = sizeof name};

    return name_file(&name, path, err) == 0 ? open_first(path, &info, connect, timeout_ms, err)
                                            : -1;
}

/* The folder of a file, locked: closing *lock ends it; -1: it cannot be locked. Waits 3 s at most,
 * for who holds it asks another process for 1 s. */
static int lock_folder(const char *path, int *lock, struct err *err)
{
    enum { PATIENCE_MS = 3000, PAUSE_NS = 5000000 };
    const char *end = strrchr(path, '/');
    char *folder = end ? mem_copy_text(path, (size_t)(end - path) + 1) : mem_copy_text(".", 1);
    int64_t until_ms = clock_ms() + PATIENCE_MS;
    int result = 0;

    *lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (*lock >= 0 && result == 0 && flock(*lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            close(*lock);
            *lock = -1;
        } else if (clock_ms() >= until_ms) {
            close(*lock);
            result = err_dependency(err, "%s: another process keeps %s locked", path, folder);
        } else {
            nanosleep(&(struct timespec){0, PAUSE_NS}, NULL);
        }
    }
    free(folder);
    return result;
}

/* Nobody listens there: nothing is left there either. */
static int make_room(const char *path, struct err *err)
{
    enum { ASK_MS = 1000 };
    struct err why = ERR_INIT;
    struct stat file;
    int other;

    if (lstat(path, &file) == 0 && !S_ISSOCK(file.st_mode))
        return err_dependency(err, "%s is there and no socket", path);
    other = connect_local(path, ASK_MS, &why);
    if (other >= 0) {
        close(other);
        return err_dependency(err, "%s: another process listens there", path);
    }
    /* Only who is gone refuses: one that hangs lets us wait, another user's lets nobody in. */
    if (errno != ECONNREFUSED && errno != ENOENT) {
        *err = why;
        return -1;
    }
    unlink(path);
    return 0;
}

static int bind_file(const char *path, const struct sockaddr_un *name, struct address_file *file,
                     struct err *err)
{
    struct addrinfo info = {.ai_family = AF_UNIX,
                            .ai_socktype = SOCK_STREAM,
                            .ai_addr = (struct sockaddr *)name,
                            .ai_addrlen = sizeof *name};
    int fd = open_first(path, &info, bind, 0, err);
    struct stat made;

    if (fd < 0)
        return -1;
    if (chmod(path, S_IRUSR | S_IWUSR) == 0 && lstat(path, &made) == 0 &&
        listen(fd, BACKLOG) == 0) {
        *file = (struct address_file){made.st_dev, made.st_ino};
        return fd;
    }
    err_dependency(err, "%s: %s", path, strerror(errno));
    close(fd);
    unlink(path);
    return -1;
}

int address_listen_local(const char *path, struct address_file *file, struct err *err)
{
    struct sockaddr_un name;
    int lock, fd = -1;

    if (name_file(&name, path, err) != 0 || lock_folder(path, &lock, err) != 0)
        return -1;
    if (make_room(path, err) == 0)
        fd = bind_file(path, &name, file, err);
    if (lock >= 0)
        close(lock);
    return fd;
}

void address_remove_local(const char *path, const struct address_file *file)
{
    struct err ignored = ERR_INIT;
    struct stat now;
    int lock;

    if (lock_folder(path, &lock, &ignored) != 0)
        lock = -1;
    if (lstat(path, &now) == 0 && now.st_dev == file->device && now.st_ino == file->inode)
        unlink(path);
    if (lock >= 0)
        close(lock);
}

int address_connect(const char *address, int timeout_ms, struct err *err)
{
    struct addrinfo *found;
    int fd;

    if (strchr(address, '/'))
        return connect_local(address, timeout_ms, err);
    found = resolve(address, 0, err);
    if (!found)
        return -1;
    fd = open_first(address, found, connect, timeout_ms, err);
    freeaddrinfo(found);
    return fd;
}
