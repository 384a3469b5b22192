/* bench_kafka.c: what kscore costs beside a bare librdkafka pass-through, on the same filled topic,
 * in one run.
 *
 *   bench_kafka bundle FOLDER                   the synthetic bundle and its schema
 *   bench_kafka fill  BOOTSTRAP TOPIC COUNT     COUNT Avro events (synthetic.h)
 *   bench_kafka pass  CONFIG COUNT BYTES        consumes COUNT, produces for each a value of BYTES
 *   bench_kafka pairs KSCORE CONFIG COUNT PAIRS runs kscore and pass in turns; prints the table
 *   bench_kafka beside KSCORE CONFIG COUNT PAIRS A B   kscore with -s A and with -s B, in turns;
 *                                               "replay" for either: kscore replay to bench-again
 *
 * The pass-through has kscore's own client settings (core/kafka_conf.h), partitioner, timestamps,
 * delivery reports and stored offsets; it produces message by message with rd_kafka_producev. CPU
 * is that of the whole process, user and system.
 */
#include <errno.h>
#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/synthetic.h"
#include "bench/timing.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/kafka_conf.h"

enum { BATCH = 1024, PARTITIONS = 4, MAX_PAIRS = 64 };

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_kafka: %s: %s\n", what, why);
    exit(1);
}

static struct config load(const char *path)
{
    struct err err = ERR_INIT;
    struct config config;

    if (config_load(&config, path, NULL, &err) != 0)
        die("configuration", err.text);
    return config;
}

/* ---- fill */

static int fill(const char *bootstrap, const char *topic, long count)
{
    static struct synthetic_event event;
    struct synthetic source = {2};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *client;
    char text[256];

    kafka_conf_set(conf, "bootstrap.servers", bootstrap);
    kafka_conf_set(conf, "linger.ms", "50");
    kafka_conf_set(conf, "compression.type", "lz4");
    client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    for (long i = 0; i < count; i++) {
        synthetic_next(&source, &event);
        while (rd_kafka_producev(client, RD_KAFKA_V_TOPIC(topic),
                                 RD_KAFKA_V_KEY(event.key, event.key_len),
                                 RD_KAFKA_V_VALUE(event.avro, event.avro_len),
                                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                 RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            rd_kafka_poll(client, 10);
        if (i % 1000 == 0)
            rd_kafka_poll(client, 0);
    }
    if (rd_kafka_flush(client, 60000) != 0)
        die("fill", "not delivered");
    rd_kafka_destroy(client);
    return 0;
}

/* ---- pass */

static long acknowledged;

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    (void)client, (void)opaque;
    if (message->err)
        die("delivery", rd_kafka_err2str(message->err));
    acknowledged++;
}

static void store(rd_kafka_t *client, const char *topic, const int64_t next[PARTITIONS])
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);

    for (int i = 0; i < PARTITIONS; i++)
        if (next[i] > 0)
            rd_kafka_topic_partition_list_add(list, topic, i)->offset = next[i];
    rd_kafka_offsets_store(client, list);
    rd_kafka_topic_partition_list_destroy(list);
}

/* auto.offset.reset is kscore's own: the pass-through starts at the beginning by assignment. */
static void assign_all(rd_kafka_t *client, const char *topic)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);

    for (int i = 0; i < PARTITIONS; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(client, list);
    rd_kafka_topic_partition_list_destroy(list);
}

static int pass(const char *path, long count, size_t bytes)
{
    struct config config = load(path);
    struct err err = ERR_INIT;
    rd_kafka_conf_t *in_conf = kafka_conf_new(&config, KAFKA_CONSUMER, &err);
    rd_kafka_conf_t *out_conf = kafka_conf_new(&config, KAFKA_PRODUCER, &err);
    rd_kafka_message_t *batch[BATCH];
    int64_t next[PARTITIONS] = {0};
    char *value = malloc(bytes);
    long taken = 0;

    if (!in_conf || !out_conf)
        die("configuration", err.text);
    for (size_t i = 0; i < bytes; i++)
        value[i] = (char)(i * 2654435761u >> 13);
    rd_kafka_conf_set_dr_msg_cb(out_conf, on_delivery);
    rd_kafka_t *in = kafka_client_new(RD_KAFKA_CONSUMER, in_conf, &err);
    rd_kafka_t *out = kafka_client_new(RD_KAFKA_PRODUCER, out_conf, &err);
    rd_kafka_poll_set_consumer(in);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(in);
    rd_kafka_topic_t *scores = rd_kafka_topic_new(out, config.score_topic, NULL);
    assign_all(in, config.topics[0]);
    while (taken < count || acknowledged < taken) {
        ssize_t got = taken < count ? rd_kafka_consume_batch_queue(queue, 5, batch, BATCH) : 0;
        for (ssize_t i = 0; i < got; i++) {
            rd_kafka_message_t *m = batch[i];
            rd_kafka_timestamp_type_t type;
            while (!m->err &&
                   rd_kafka_producev(out, RD_KAFKA_V_RKT(scores), RD_KAFKA_V_VALUE(value, bytes),
                                     RD_KAFKA_V_KEY(m->key, m->key_len),
                                     RD_KAFKA_V_TIMESTAMP(rd_kafka_message_timestamp(m, &type)),
                                     RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                     RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
                rd_kafka_poll(out, 5);
            if (!m->err) {
                next[m->partition] = m->offset + 1;
                taken++;
            }
            rd_kafka_message_destroy(m);
        }
        rd_kafka_poll(out, got > 0 ? 0 : 1);
        if (got > 0)
            store(in, config.topics[0], next);
    }
    rd_kafka_topic_destroy(scores);
    rd_kafka_queue_destroy(queue);
    rd_kafka_consumer_close(in);
    rd_kafka_destroy(in);
    rd_kafka_destroy(out);
    config_release(&config);
    free(value);
    return 0;
}

/* ---- pairs */

struct cost {
    double cpu_us, seconds; /* CPU per message; wall */
    long rss_mib;
    double first_score_ms; /* kscore: from event=assigned to the first acknowledged score */
};

static int64_t high_sum(rd_kafka_t *client, const char *topic)
{
    int64_t sum = 0, low, high;

    for (int i = 0; i < PARTITIONS; i++) {
        if (rd_kafka_query_watermark_offsets(client, topic, i, &low, &high, 10000))
            die(topic, "no watermarks");
        sum += high;
    }
    return sum;
}

/* From event=stopped, the last line of kscore's log. */
static double first_score_ms(const char *log)
{
    static const char name[] = "first_score_ms=";
    char line[2000], *at = NULL;
    double value = -1;
    FILE *file = fopen(log, "r");

    while (file && fgets(line, sizeof line, file))
        if ((at = strstr(line, name)))
            value = atof(at + sizeof name - 1);
    if (file)
        fclose(file);
    if (value < 0)
        die(log, "does not say first_score_ms");
    return value;
}

/* Runs a program, with what it says in `log`, until `count` more records are in the output
 * topic (kscore is then told to stop) or it ends. */
static struct cost measure(rd_kafka_t *client, const char *topic, const char *const argv[],
                           const char *log, long count)
{
    bool is_kscore = strcmp(argv[1], "run") == 0;
    int64_t before = high_sum(client, topic), start_ms = clock_ms(), end_ms = 0;
    struct cost cost = {0};
    posix_spawn_file_actions_t actions;
    struct rusage usage;
    int status;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&actions, 2, 1);
    if (posix_spawn(&pid, argv[0], &actions, NULL, (char *const *)argv, environ) != 0)
        die(argv[0], strerror(errno));
    posix_spawn_file_actions_destroy(&actions);
    while (is_kscore && high_sum(client, topic) - before < count) {
        if (clock_ms() - start_ms > 300000)
            die(argv[0], "not done within 300 s");
        usleep(20000);
    }
    end_ms = clock_ms();
    if (is_kscore)
        kill(pid, SIGTERM);
    wait4(pid, &status, 0, &usage);
    if (!is_kscore)
        end_ms = clock_ms();
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        die(argv[0], "ended badly");
    cost.cpu_us = ((double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
                   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)) /
                  (double)count;
    cost.seconds = (double)(end_ms - start_ms) / 1000;
    cost.rss_mib = usage.ru_maxrss / 1024;
    if (is_kscore)
        cost.first_score_ms = first_score_ms(log);
    return cost;
}

/* Mean value size of the scores already in the topic, from the first message. */
static size_t score_bytes(const char *bootstrap, const char *topic)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256];
    rd_kafka_t *client;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_message_t *message = NULL;
    size_t len;

    kafka_conf_set(conf, "bootstrap.servers", bootstrap);
    kafka_conf_set(conf, "group.id", "bench-size");
    client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(client, list);
    rd_kafka_topic_partition_list_destroy(list);
    message = rd_kafka_consumer_poll(client, 10000);
    if (!message || message->err)
        die(topic, "no score to measure");
    len = message->len;
    rd_kafka_message_destroy(message);
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
    return len;
}

/* What runs, and how often it ran: each run is a group of its own and reads everything. */
struct subject {
    rd_kafka_t *client;
    struct config config;
    char *kscore, *path;
    long count;
    int runs;
};

static void subject_init(struct subject *s, char **argv)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256];

    *s = (struct subject){
        .config = load(argv[1]), .kscore = argv[0], .path = argv[1], .count = atol(argv[2])};
    kafka_conf_set(conf, "bootstrap.servers", s->config.kafka.items[0].value);
    s->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
}

static void subject_release(struct subject *s)
{
    rd_kafka_destroy(s->client);
    config_release(&s->config);
}

static struct cost replay(struct subject *s)
{
    char log[1000], dead[1000];

    snprintf(log, sizeof log, "%s.log", s->path);
    snprintf(dead, sizeof dead, "%s.%d-%d.dead", s->path, (int)getpid(), s->runs++);
    return measure(s->client, "bench-again",
                   (const char *const[]){s->kscore, "replay", "-c", s->path, "--from", "earliest",
                                         "--output-topic", "bench-again", "--dead", dead, NULL},
                   log, s->count);
}

static struct cost run_kscore(struct subject *s, const char *setting)
{
    char name[64], log[1000];

    if (strcmp(setting, "replay") == 0)
        return replay(s);
    snprintf(name, sizeof name, "kscore.name=bench-%d-%d", (int)getpid(), s->runs++);
    snprintf(log, sizeof log, "%s.log", s->path);
    return measure(
        s->client, s->config.score_topic,
        (const char *const[]){s->kscore, "run", "-c", s->path, "-s", name, "-s", setting, NULL},
        log, s->count);
}

/* Two settings of kscore in turns. */
static int beside(struct subject *s, const char *first, const char *second, int pair_count)
{
    double first_us[MAX_PAIRS], second_us[MAX_PAIRS], ratios[MAX_PAIRS], speeds[MAX_PAIRS];
    struct cost one = {0}, two = {0};

    run_kscore(s, first); /* warm */
    for (int i = 0; i < pair_count; i++) {
        one = run_kscore(s, first);
        two = run_kscore(s, second);
        first_us[i] = one.cpu_us;
        second_us[i] = two.cpu_us;
        ratios[i] = two.cpu_us / one.cpu_us;
        speeds[i] = one.seconds / two.seconds;
        fprintf(stderr, "pair %d: %s %.2f us, %s %.2f us, ratio %.2f; %.2f x as fast\n", i + 1,
                first, one.cpu_us, second, two.cpu_us, ratios[i], speeds[i]);
    }
    printf("| %ld records, %d pairs | CPU per message, median | ratio | speed | VmHWM |\n"
           "|---|---|---|---|---|\n",
           s->count, pair_count);
    printf("| `%s` | %.2f us | 1 | 1 | %ld MiB |\n", first, timing_median(first_us, pair_count),
           one.rss_mib);
    printf("| `%s` | %.2f us | %.2f | %.2f | %ld MiB |\n", second,
           timing_median(second_us, pair_count), timing_median(ratios, pair_count),
           timing_median(speeds, pair_count), two.rss_mib);
    return 0;
}

static int pairs(struct subject *s, char *self, int pair_count)
{
    double ours[MAX_PAIRS], theirs[MAX_PAIRS], ratios[MAX_PAIRS], firsts[MAX_PAIRS];
    const char *topic = s->config.score_topic;
    char count_text[32], size_text[32];
    struct cost a = {0}, b = {0};

    run_kscore(s, "kscore.workers=1"); /* warm */
    snprintf(count_text, sizeof count_text, "%ld", s->count);
    snprintf(size_text, sizeof size_text, "%zu",
             score_bytes(s->config.kafka.items[0].value, topic));
    for (int i = 0; i < pair_count; i++) {
        a = run_kscore(s, "kscore.workers=1");
        b = measure(s->client, topic,
                    (const char *const[]){self, "pass", s->path, count_text, size_text, NULL},
                    "/dev/null", s->count);
        ours[i] = a.cpu_us;
        theirs[i] = b.cpu_us;
        firsts[i] = a.first_score_ms;
        ratios[i] = a.cpu_us / b.cpu_us;
        fprintf(
            stderr,
            "pair %d: kscore %.2f us, pass-through %.2f us, ratio %.2f; %.0f and %.0f records/s\n",
            i + 1, a.cpu_us, b.cpu_us, ratios[i], (double)s->count / a.seconds,
            (double)s->count / b.seconds);
    }
    printf("| %ld records, %s-byte scores, %d pairs | CPU per message, median | ratio | VmHWM | "
           "first score after `event=assigned` |\n|---|---|---|---|---|\n",
           s->count, size_text, pair_count);
    printf("| bare pass-through (rd_kafka_producev) | %.2f us | 1 | %ld MiB | |\n",
           timing_median(theirs, pair_count), b.rss_mib);
    printf("| kscore run (Avro in and out, 30 features, 100 trees) | %.2f us | %.2f | %ld MiB | "
           "%.0f ms |\n",
           timing_median(ours, pair_count), timing_median(ratios, pair_count), a.rss_mib,
           timing_median(firsts, pair_count));
    return 0;
}

static int compare(char **argv)
{
    int pair_count = atoi(argv[5]), result;
    struct subject subject;

    if (pair_count < 1 || pair_count > MAX_PAIRS)
        die("pairs", "1 to 64");
    subject_init(&subject, argv + 2);
    result = strcmp(argv[1], "pairs") == 0 ? pairs(&subject, argv[0], pair_count)
                                           : beside(&subject, argv[6], argv[7], pair_count);
    subject_release(&subject);
    return result;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "fill") == 0)
        return fill(argv[2], argv[3], atol(argv[4]));
    if (argc == 5 && strcmp(argv[1], "pass") == 0)
        return pass(argv[2], atol(argv[3]), (size_t)atol(argv[4]));
    if ((argc == 6 && strcmp(argv[1], "pairs") == 0) ||
        (argc == 8 && strcmp(argv[1], "beside") == 0))
        return compare(argv);
    if (argc == 3 && strcmp(argv[1], "bundle") == 0)
        return synthetic_write(argv[2], 100, 6) != 0;
    fprintf(stderr, "usage: the first lines of bench/bench_kafka.c\n");
    return 64;
}
