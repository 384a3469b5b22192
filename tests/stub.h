/* stub.h: a web server that behaves as badly as a test wants, for clients of HTTP.
 *
 * One thread, loopback, a port of its own. It answers GET by path, and POST by "POST path", from a
 * table that the test may change at any time; what is not in the table is 404 with the registry's
 * "no such schema". It closes each connection after its answer.
 * The body of a 3xx is where it points.
 */
#ifndef TESTS_STUB_H
#define TESTS_STUB_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum stub_manner {
    STUB_ANSWERS, /* status and body */
    STUB_HANGS,   /* takes the request and says nothing */
    STUB_DRIPS,   /* a byte of the body each 100 ms */
    STUB_CUTS,    /* closes in the middle of the body */
    STUB_RESETS,  /* closes without a word */
    STUB_FLOODS,  /* a body without end */
    STUB_BABBLES, /* headers without end */
};

struct stub_route {
    char path[300];
    enum stub_manner manner;
    int status;
    char *body;
    unsigned count; /* of requests */
};

enum { STUB_MAX_ROUTES = 1100, STUB_MAX_CLIENTS = 64 };

struct stub_client {
    int fd; /* -1: free */
    char request[16384];
    size_t len;
    struct stub_route *route; /* once the request is whole */
    size_t sent;
    long long due_ms; /* DRIPS: the next byte */
};

struct stub {
    pthread_t thread;
    pthread_mutex_t lock;
    int listener, wake[2];
    int port;
    char url[64]; /* http://127.0.0.1:port */
    bool must_stop;
    struct stub_route routes[STUB_MAX_ROUTES];
    size_t route_count;
    struct stub_client clients[STUB_MAX_CLIENTS];
    unsigned count;          /* requests, of whatever path */
    size_t most_clients;     /* at the same time */
    char authorization[300]; /* of the last request, "" without */
};

/* port 0: a free one. */
void stub_start(struct stub *stub, int port);
void stub_stop(struct stub *stub);

/* What a path is answered with from now on; body may be NULL. */
void stub_set(struct stub *stub, const char *path, enum stub_manner manner, int status,
              const char *body);

/* A schema, as GET /schemas/ids/<id> answers it. In schema ' is ". references: JSON, or NULL. */
void stub_set_schema(struct stub *stub, unsigned id, const char *schema, const char *references);

/* The same as a version of a subject. */
void stub_set_version(struct stub *stub, const char *subject, int version, unsigned id,
                      const char *schema, const char *references);

/* How often a path was asked for (NULL: any). */
unsigned stub_count(struct stub *stub, const char *path);

#endif
