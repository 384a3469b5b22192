/* silence.h: a partition that is to be read and of which nothing comes: what the brokers know.
 *
 * librdkafka waits without a word for a leader, and for a topic that was deleted. So, after some
 * silence, the brokers are asked: a topic or a partition without a leader is said in the log, and
 * waited for. One that is not there is gone only when they say so again and again: a broker that
 * has just started does not know all topics yet.
 *
 * A plain value of whoever reads the partition; its thread.
 */
#ifndef CONSUMER_SILENCE_H
#define CONSUMER_SILENCE_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

struct silence {
    int64_t ask_ms;     /* when the brokers are asked, unless something comes before */
    int64_t missing_ms; /* it is missing since then; 0: it is not */
};

enum {
    SILENCE_MS = 3000, /* before they are asked, and how long they must say that it is not there */
    SILENCE_AGAIN_MS = 1000
};

enum silence_verdict {
    SILENCE_WAIT,
    SILENCE_BACK, /* it was missing and is there: to be sought anew */
    SILENCE_GONE
};

/* Something came, or nothing is to come. */
static inline void silence_break(struct silence *s, int64_t now_ms)
{
    *s = (struct silence){now_ms + SILENCE_MS, 0};
}

/* How many partitions the topic has, 0: it is not there, -1: nobody can say now. Says what is
 * waited for. Waits up to a second. */
int32_t silence_ask(rd_kafka_t *client, const char *name);

/* What follows from that answer, as it was at now_ms, for one partition. */
enum silence_verdict silence_judge(struct silence *s, int32_t partition, int32_t count,
                                   int64_t now_ms);

#endif
