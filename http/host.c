#include "http/host.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_address(const char *name)
{
    struct in6_addr room;

    return inet_pton(AF_INET, name, &room) == 1 || inet_pton(AF_INET6, name, &room) == 1;
}

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);

    return len >= end_len && strcasecmp(name + len - end_len, end) == 0;
}

bool host_is_local(const char *host)
{
    char name[256];
    size_t len = host ? strlen(host) : 0;
    const char *end;

    if (len == 0)
        return true;
    if (len >= sizeof name)
        return false;
    if (*host == '[') {
        end = strchr(++host, ']');
        if (!end)
            return false;
    } else {
        end = host + strcspn(host, ":");
    }
    snprintf(name, sizeof name, "%.*s", (int)(end - host), host);
    return strcasecmp(name, "localhost") == 0 || ends_with(name, ".localhost") || is_address(name);
}
