#include "http/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/mem.h"
#include "http/address.h"

enum { PIECE = 65536, MOST = 64 << 20 };

/* All that the server sends until it closes: HTTP/1.0, no chunks. */
static int receive(int fd, const char *address, char **text, size_t *len, struct err *err)
{
    ssize_t got;

    *text = mem_alloc(PIECE + 1, 1);
    *len = 0;
    while ((got = recv(fd, *text + *len, PIECE, 0)) > 0 && *len < MOST) {
        *len += (size_t)got;
        *text = mem_resize(*text, *len + PIECE + 1, 1);
    }
    (*text)[*len] = '\0';
    if (got == 0)
        return 0;
    return err_dependency(err, "%s: %s", address,
                          got > 0 ? "the answer does not end" : strerror(errno));
}

/* The head says how long the body is: a server that ends meanwhile leaves half of it. */
static bool is_whole(const char *head, size_t len)
{
    const char *said = strcasestr(head, "\r\nContent-Length:");

    return !said || strtoull(said + strlen("\r\nContent-Length:"), NULL, 10) == len;
}

/* Leaves the body in text. */
static int take_apart(const char *address, char *text, size_t len, struct http_reply *reply,
                      struct err *err)
{
    char *body = strstr(text, "\r\n\r\n");

    if (!body || sscanf(text, "HTTP/1.%*c %3u", &reply->status) != 1)
        return err_dependency(err, "%s: what answers there is not HTTP", address);
    body[2] = '\0'; /* the end of the head */
    reply->len = len - (size_t)(body + 4 - text);
    if (!is_whole(text, reply->len))
        return err_dependency(err, "%s: the answer was cut short", address);
    reply->body = mem_copy_text(body + 4, reply->len);
    return 0;
}

int http_ask(const char *address, const char *path, bool is_order, int timeout_ms,
             struct http_reply *reply, struct err *err)
{
    int fd = address_connect(address, timeout_ms, err), result;
    char request[256], *text;
    size_t len;

    if (fd < 0)
        return -1;
    snprintf(request, sizeof request,
             "%s %s HTTP/1.0\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
             is_order ? "POST" : "GET", path);
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request)) {
        close(fd);
        return err_dependency(err, "%s: %s", address, strerror(errno));
    }
    result = receive(fd, address, &text, &len, err);
    if (result == 0)
        result = take_apart(address, text, len, reply, err);
    free(text);
    close(fd);
    return result;
}
