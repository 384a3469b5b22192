/* broken.c: preloaded, it makes a sound kscore break a promise, $KSCORE_BROKEN, for the verifier's
 * own test (tests/faults.py): a verifier that finds nothing in these finds nothing anywhere.
 *
 *   commit   offsets are committed when they are polled
 *   deaf     a failed delivery is reported as done
 *   mute     of 50 delivery reports one never comes
 *   twice    of 50 outcomes one is sent once more
 *   forget   a transaction's offsets are not sent
 *   alter    of 50 events one is read wrong
 */
#include <dlfcn.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ONE_OF = 50, PARTITIONS = 64 };

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static rd_kafka_t *consumer, *second;
static void (*report)(rd_kafka_t *, const rd_kafka_message_t *, void *);
static unsigned polled, reported;
static char topic[256];
static int64_t furthest[PARTITIONS]; /* of that one topic; a rewind does not take it back */

static bool is_broken(const char *how)
{
    const char *broken = getenv("KSCORE_BROKEN");

    return broken && strcmp(broken, how) == 0;
}

rd_kafka_resp_err_t rd_kafka_subscribe(rd_kafka_t *rk,
                                       const rd_kafka_topic_partition_list_t *topics)
{
    consumer = rk;
    return REAL(rd_kafka_subscribe)(rk, topics);
}

/* The last digit of the event's number is another one. */
static void alter(rd_kafka_message_t *message)
{
    char *digit = message->len > 2 ? (char *)message->payload + message->len - 2 : NULL;

    if (digit && *digit >= '0' && *digit <= '9')
        *digit = *digit == '7' ? '8' : '7';
}

/* Whatever kscore commits: also when nothing was polled, for a transaction may have set it back. */
static void commit(rd_kafka_message_t *const *messages, ssize_t count)
{
    rd_kafka_topic_partition_list_t *next;

    for (ssize_t i = 0; i < count; i++) {
        int32_t partition = messages[i]->partition;
        if (messages[i]->err || partition >= PARTITIONS ||
            messages[i]->offset < furthest[partition])
            continue;
        furthest[partition] = messages[i]->offset + 1;
        snprintf(topic, sizeof topic, "%s", rd_kafka_topic_name(messages[i]->rkt));
    }
    next = rd_kafka_topic_partition_list_new(PARTITIONS);
    for (int32_t i = 0; i < PARTITIONS; i++)
        if (furthest[i] > 0)
            rd_kafka_topic_partition_list_add(next, topic, i)->offset = furthest[i];
    if (next->cnt > 0)
        rd_kafka_commit(consumer, next, 0);
    rd_kafka_topic_partition_list_destroy(next);
}

ssize_t rd_kafka_consume_batch_queue(rd_kafka_queue_t *rkqu, int timeout_ms,
                                     rd_kafka_message_t **rkmessages, size_t rkmessages_size)
{
    ssize_t count =
        REAL(rd_kafka_consume_batch_queue)(rkqu, timeout_ms, rkmessages, rkmessages_size);

    if (is_broken("commit"))
        commit(rkmessages, count);
    for (ssize_t i = 0; i < count; i++)
        if (!rkmessages[i]->err && is_broken("alter") && ++polled % ONE_OF == 0)
            alter(rkmessages[i]);
    return count;
}

/* By a producer of its own, in no transaction. */
static void send_again(rd_kafka_t *rk, const rd_kafka_message_t *message)
{
    if (!second) {
        rd_kafka_conf_t *conf = rd_kafka_conf_dup(rd_kafka_conf(rk));
        rd_kafka_conf_set(conf, "transactional.id", NULL, NULL, 0);
        rd_kafka_conf_set_dr_msg_cb(conf, NULL);
        rd_kafka_conf_set_error_cb(conf, NULL);
        second = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    }
    rd_kafka_producev(second, RD_KAFKA_V_TOPIC(rd_kafka_topic_name(message->rkt)),
                      RD_KAFKA_V_KEY(message->key, message->key_len),
                      RD_KAFKA_V_VALUE(message->payload, message->len),
                      RD_KAFKA_V_TIMESTAMP(rd_kafka_message_timestamp(message, NULL)),
                      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    rd_kafka_message_t told = *message;
    bool is_one = ++reported % ONE_OF == 0;

    if (is_broken("mute") && is_one)
        return;
    if (is_broken("twice") && is_one)
        send_again(rk, message);
    if (is_broken("deaf"))
        told.err = RD_KAFKA_RESP_ERR_NO_ERROR;
    report(rk, &told, opaque);
}

void rd_kafka_conf_set_dr_msg_cb(rd_kafka_conf_t *conf,
                                 void (*dr_msg_cb)(rd_kafka_t *, const rd_kafka_message_t *,
                                                   void *))
{
    if (dr_msg_cb)
        report = dr_msg_cb;
    REAL(rd_kafka_conf_set_dr_msg_cb)(conf, dr_msg_cb ? on_delivery : NULL);
}

rd_kafka_error_t *rd_kafka_send_offsets_to_transaction(
    rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *offsets,
    const rd_kafka_consumer_group_metadata_t *cgmetadata, int timeout_ms)
{
    if (is_broken("forget"))
        return NULL;
    return REAL(rd_kafka_send_offsets_to_transaction)(rk, offsets, cgmetadata, timeout_ms);
}
