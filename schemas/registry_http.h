/* registry_http.h: requests to a schema registry, many at a time, on libcurl.
 *
 * A registry may have several URLs: a request that one of them does not answer (no connection, too
 * slow, 408, 429, 5xx) goes to the next, starting with the one that answered last. What comes back
 * is judged elsewhere (schemas/registry_fetch.h).
 *
 * The other side may be hostile: an answer is bounded in time (2 s to connect, 5 s in all) and in
 * bytes (4 MiB, and 64 KiB of headers), redirects are not followed, and only http and https are
 * spoken. Passwords and tokens are in no text that comes out, also where an answer repeats them.
 *
 * Thread: one makes and uses it; registry_http_wake may be called from any.
 */
#ifndef SCHEMAS_REGISTRY_HTTP_H
#define SCHEMAS_REGISTRY_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

enum {
    REGISTRY_CONNECT_MS = 2000,
    REGISTRY_ANSWER_MS = 5000,
    REGISTRY_MAX_BODY = 4 << 20,
    REGISTRY_MAX_HEADERS = 64 << 10,
    REGISTRY_MAX_URLS = 16
};

/* How a registry is reached. NULL: not set. Names are those of the configuration. */
struct registry_access {
    const char *urls; /* one or more with commas, "https://user:password@host:port/path" at most */
    const char *user_info; /* user:password */
    const char *token;
    const char *ca_location, *certificate_location, *key_location, *key_password;
    bool is_any_host; /* ssl.endpoint.identification.algorithm = none */
    int answer_ms;    /* 0: REGISTRY_ANSWER_MS */
};

struct registry_http;

/* What came of a request; the body is new (free it), NUL behind it. status 0: no answer, and
 * `trouble` says why; is_too_large: it was a 200 with more than REGISTRY_MAX_BODY. `where`: the
 * URL's scheme, host and path, without a user. */
struct registry_response {
    void *tag;
    long status;
    bool is_too_large;
    char *body;
    size_t len;
    const char *where; /* lives as long as the registry_http */
    char trouble[300];
};

/* Errors: EXIT_CONFIGURATION a URL, EXIT_IO a file of ssl.* cannot be read. Texts are copied. */
int registry_http_new(struct registry_http **http, const struct registry_access *access,
                      struct err *err);
void registry_http_free(struct registry_http *http);

/* The first URL, without a user. Static as the registry_http. */
const char *registry_http_name(const struct registry_http *http);

/* Starts a request for a path ("/schemas/ids/7"), a POST of that JSON or (NULL) a GET; its response
 * will come with that tag. */
void registry_http_send(struct registry_http *http, const char *path, const char *post, void *tag);

/* How many requests are on their way. */
size_t registry_http_count(const struct registry_http *http);

/* Lets requests go on, waiting at most timeout_ms for something to happen. True and the next
 * response, or false. */
bool registry_http_poll(struct registry_http *http, int timeout_ms,
                        struct registry_response *response);

/* Ends a poll that waits. */
void registry_http_wake(struct registry_http *http);

#endif
