#include "tests/broker/served.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "http/client.h"
#include "tests/harness.h"

enum { ASK_MS = 5000 };

static const char *socket_path(const struct cluster *c)
{
    static char path[400];

    snprintf(path, sizeof path, "%s/control", c->folder);
    return path;
}

const char *served_socket(const struct cluster *c)
{
    static char item[450];

    snprintf(item, sizeof item, "control.socket=%s", socket_path(c));
    return item;
}

char *served_ask(const struct cluster *c, const char *path)
{
    struct err err = ERR_INIT;
    struct http_reply reply;

    return http_ask(socket_path(c), path, false, ASK_MS, &reply, &err) == 0 ? reply.body
                                                                            : strdup("");
}

json_t *served_wait(struct child *k, const struct cluster *c, served_test *test, void *arg)
{
    int64_t deadline = harness_deadline();
    char *text = NULL;

    while (clock_ms() < deadline) {
        free(text);
        text = served_ask(c, "/status");
        json_t *status = json_loads(text, 0, NULL);
        if (status && test(status, arg)) {
            free(text);
            return status;
        }
        json_decref(status);
        harness_breathe();
    }
    child_count(k, "event="); /* reads the log */
    ck_abort_msg("/status says: %.3000s\nand the log: %s", text, k->log);
}

const json_t *served_find(const json_t *status, const char *path)
{
    char name[100];
    int len;

    for (; status && *path; path += len + (path[len] == '.')) {
        len = (int)strcspn(path, ".");
        snprintf(name, sizeof name, "%.*s", len, path);
        status = json_is_array(status) ? json_array_get(status, (size_t)atoi(name))
                                       : json_object_get(status, name);
    }
    return status;
}

struct range {
    const char *path;
    int64_t low, high;
};

static bool is_in(const json_t *status, void *arg)
{
    const struct range *range = arg;
    const json_t *value = served_find(status, range->path);

    return json_is_integer(value) && json_integer_value(value) >= range->low &&
           json_integer_value(value) <= range->high;
}

void served_wait_number(struct child *k, const struct cluster *c, const char *path, int64_t low,
                        int64_t high)
{
    json_decref(served_wait(k, c, is_in, &(struct range){path, low, high}));
}
