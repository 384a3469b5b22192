#include "consumer/silence.h"

#include "core/kafka_topic.h"
#include "core/log.h"

int32_t silence_ask(rd_kafka_t *client, const char *name)
{
    enum { ASK_MS = 1000 };
    struct kafka_topic topic;
    struct err err = ERR_INIT;
    bool is_missing;

    if (kafka_topic_ask(client, name, ASK_MS, &topic, &err) == 0) {
        if (topic.leaderless >= 0)
            log_event(LOG_WARNING, "waiting", "for=kafka topic %s, partition %d has no leader",
                      name, topic.leaderless);
        return topic.partition_count;
    }
    is_missing = err.kind == ERR_FATAL && err.exit_code == EXIT_CONFIGURATION;
    log_event(LOG_WARNING, "waiting", "for=kafka %s", err.text);
    return is_missing ? 0 : -1;
}

enum silence_verdict silence_judge(struct silence *s, int32_t partition, int32_t count,
                                   int64_t now_ms)
{
    bool was_missing = s->missing_ms != 0;

    s->ask_ms = now_ms + SILENCE_AGAIN_MS;
    if (count < 0)
        return SILENCE_WAIT;
    if (partition < count) {
        silence_break(s, now_ms);
        return was_missing ? SILENCE_BACK : SILENCE_WAIT;
    }
    if (!was_missing)
        s->missing_ms = now_ms;
    return now_ms - s->missing_ms < SILENCE_MS ? SILENCE_WAIT : SILENCE_GONE;
}
