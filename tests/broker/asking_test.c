/* Many who ask, and some who mean harm, while events are scored and while it drains: each answer is
 * whole, and the stream has its account. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "http/address.h"
#include "http/client.h"
#include "tests/broker/child.h"
#include "tests/broker/outcomes.h"
#include "tests/broker/served.h"
#include "tests/harness.h"
#include "tests/web.h"

enum { ASKERS = 8, VANDALS = 4, PARTITIONS = 2, EVENTS = 20000 };

struct crowd {
    char remote[64], local[320];
    atomic_bool is_over;
    atomic_int whole, draining, broken; /* answers; those that say so; those that are no JSON */
    pthread_t threads[ASKERS + VANDALS];
};

static void *ask(void *arg)
{
    struct crowd *crowd = arg;
    bool is_local = false;

    while (!crowd->is_over) {
        struct err err = ERR_INIT;
        struct http_reply reply;
        json_t *status;
        is_local = !is_local;
        if (http_ask(is_local ? crowd->local : crowd->remote, "/status", false, 5000, &reply,
                     &err) != 0)
            continue; /* it is not there yet, or no more */
        status = json_loadb(reply.body, reply.len, 0, NULL);
        *(status && reply.status == 200 ? &crowd->whole : &crowd->broken) += 1;
        if (strstr(reply.body, "\"activity\":\"draining\""))
            crowd->draining++;
        json_decref(status);
        free(reply.body);
    }
    return NULL;
}

/* Connections that are left in the middle of a request, or of an answer. */
static void *vandalize(void *arg)
{
    static const char *const requests[] = {"", "GET /sta", "GET /status HTTP/1.1\r\n\r\n",
                                           "POST /reload HTTP/1.0\r\n\r\n", "\r\n\r\n\x16\x03\x01"};
    struct crowd *crowd = arg;
    int left[40];

    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++)
        left[i] = -1;
    for (size_t n = 0; !crowd->is_over; n++) {
        int *fd = &left[n % (sizeof left / sizeof left[0])];
        const char *request = requests[n % (sizeof requests / sizeof requests[0])];
        struct err err = ERR_INIT;
        if (*fd >= 0)
            close(*fd);
        *fd = address_connect(crowd->remote, 1000, &err);
        if (*fd >= 0)
            (void)!send(*fd, request, strlen(request), MSG_NOSIGNAL);
        harness_breathe();
    }
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++)
        if (left[i] >= 0)
            close(left[i]);
    return NULL;
}

static void gather(struct crowd *crowd, const struct cluster *c)
{
    *crowd = (struct crowd){0};
    web_find_port();
    snprintf(crowd->remote, sizeof crowd->remote, "%s", web.address);
    snprintf(crowd->local, sizeof crowd->local, "%s/control", c->folder);
    for (size_t i = 0; i < ASKERS + VANDALS; i++)
        ck_assert_int_eq(
            pthread_create(&crowd->threads[i], NULL, i < ASKERS ? ask : vandalize, crowd), 0);
}

static void disperse(struct crowd *crowd)
{
    crowd->is_over = true;
    for (size_t i = 0; i < ASKERS + VANDALS; i++)
        pthread_join(crowd->threads[i], NULL);
    ck_assert_int_eq(crowd->broken, 0);
    ck_assert_int_gt(crowd->whole, 0);
}

/* It cannot finish what is in flight: the drain lasts, and those who ask see it. */
START_TEST(each_answer_is_whole_while_it_scores_and_while_it_drains)
{
    static const int64_t floor[PARTITIONS];
    static struct crowd crowd;
    char listen[100];
    struct cluster c;
    struct child k;

    cluster_open(&c, PARTITIONS);
    cluster_use_password(&c, "kscore");
    cluster_allow_all_but(&c, -1);
    gather(&crowd, &c);
    snprintf(listen, sizeof listen, "http.listen=%s", crowd.remote);
    child_run(&k, &c, served_socket(&c), listen, "kscore.drain_ms=2000");
    cluster_send_events(&c, EVENTS);
    cluster_wait_outcomes(&c, EVENTS);
    cluster_forbid(&c, RD_KAFKA_RESOURCE_TOPIC, c.scores, RD_KAFKA_ACL_OPERATION_WRITE);
    child_send_until(&k, &c, "event=waiting");
    child_signal(&k, SIGTERM);
    while (child_is_running(&k))
        harness_breathe();
    disperse(&crowd);
    ck_assert_int_gt(crowd.draining, 0);
    child_release(&k);
    cluster_allow_all_but(&c, -1);
    child_run(&k, &c);
    cluster_wait_no_lag(&c);
    child_stop(&k);
    expect_outcomes(&c, &(struct account){.floor = floor});
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(asking)
{
    CASE("many", each_answer_is_whole_while_it_scores_and_while_it_drains);
}
