#include "http/address.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

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

int address_bind(const char *address, struct err *err)
{
    struct addrinfo *found = resolve(address, AI_PASSIVE, err);
    int fd = found ? open_first(address, found, bind, 0, err) : -1;

    if (found)
        freeaddrinfo(found);
    return fd;
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

int address_bind_local(const char *path, struct err *err)
{
    enum { ASK_MS = 1000 };
    struct sockaddr_un name;
    struct addrinfo info = {.ai_family = AF_UNIX,
                            .ai_socktype = SOCK_STREAM,
                            .ai_addr = (struct sockaddr *)&name,
                            .ai_addrlen = sizeof name};
    struct err why = ERR_INIT;
    struct stat file;
    int other;

    if (name_file(&name, path, err) != 0)
        return -1;
    if (lstat(path, &file) == 0 && !S_ISSOCK(file.st_mode)) {
        err_dependency(err, "%s is there and no socket", path);
        return -1;
    }
    other = connect_local(path, ASK_MS, &why);
    /* Only who is gone refuses: one that hangs lets us wait, another user's lets nobody in. */
    if (other < 0 && errno != ECONNREFUSED && errno != ENOENT) {
        *err = why;
        return -1;
    }
    if (other >= 0) {
        close(other);
        err_dependency(err, "%s: another process listens there", path);
        return -1;
    }
    unlink(path);
    return open_first(path, &info, bind, 0, err);
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
