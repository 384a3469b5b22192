#include "tests/broker/outcomes.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/harness.h"

static int by_place(const void *a, const void *b)
{
    const rd_kafka_message_t *x = *(rd_kafka_message_t *const *)a,
                             *y = *(rd_kafka_message_t *const *)b;

    if (x->partition != y->partition)
        return x->partition < y->partition ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static rd_kafka_t *open_reader(const struct cluster *c)
{
    static const char *const settings[][2] = {{"group.id", "reader"},
                                              {"enable.partition.eof", "true"},
                                              {"enable.auto.commit", "false"},
                                              {"fetch.wait.max.ms", "10"},
                                              {"check.crcs", "true"}};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256];
    rd_kafka_t *client;

    rd_kafka_conf_set(conf, "bootstrap.servers", c->bootstrap, text, sizeof text);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        rd_kafka_conf_set(conf, settings[i][0], settings[i][1], text, sizeof text);
    client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    ck_assert_msg(client != NULL, "%s", text);
    return client;
}

static void add_message(struct dump *r, rd_kafka_message_t *message)
{
    if (r->count == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 1024;
        r->items = realloc(r->items, r->cap * sizeof *r->items);
        ck_assert_ptr_nonnull(r->items);
    }
    r->items[r->count++] = message;
}

/* From the first record of every partition. */
static void assign_all(rd_kafka_t *client, const char *topic, int32_t partitions)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);

    for (int32_t i = 0; i < partitions; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(client, list);
    rd_kafka_topic_partition_list_destroy(list);
}

void dump_load(struct dump *r, struct cluster *c, const char *topic)
{
    int64_t until = harness_deadline(), end[CLUSTER_MAX_PARTITIONS];
    bool is_read[CLUSTER_MAX_PARTITIONS] = {0};
    int32_t left = c->partitions;

    for (int32_t i = 0; i < c->partitions; i++)
        end[i] = cluster_end(c, topic, i);
    *r = (struct dump){.client = open_reader(c)};
    assign_all(r->client, topic, c->partitions);
    while (left > 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(r->client, 100);
        ck_assert_msg(clock_ms() < until, "%s could not be read in time", topic);
        if (message && !message->err) {
            add_message(r, message);
            continue;
        }
        if (message && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF &&
            message->offset >= end[message->partition] && !is_read[message->partition]) {
            is_read[message->partition] = true;
            left--;
        }
        if (message)
            rd_kafka_message_destroy(message);
    }
    if (r->count > 0)
        qsort(r->items, r->count, sizeof *r->items, by_place);
}

void dump_release(struct dump *r)
{
    for (size_t i = 0; i < r->count; i++)
        rd_kafka_message_destroy(r->items[i]);
    free(r->items);
    rd_kafka_consumer_close(r->client);
    rd_kafka_destroy(r->client);
}

const char *dump_header(const rd_kafka_message_t *message, const char *name)
{
    static char texts[4][1024];
    static int next;
    rd_kafka_headers_t *headers;
    const void *value;
    size_t len;

    if (rd_kafka_message_headers(message, &headers) ||
        rd_kafka_header_get_last(headers, name, &value, &len))
        return NULL;
    next = (next + 1) % 4;
    snprintf(texts[next], sizeof texts[next], "%.*s", (int)len, (const char *)value);
    return texts[next];
}

void origin_of_score(struct origin *origin, const rd_kafka_message_t *message)
{
    json_t *json = json_loadb(message->payload, message->len, 0, NULL);
    const char *id = json_string_value(json_object_get(json, "id"));

    ck_assert_msg(id != NULL, "no score: %.*s", (int)message->len, (char *)message->payload);
    snprintf(origin->id, sizeof origin->id, "%s", id);
    origin->partition = (int32_t)json_integer_value(json_object_get(json, "partition"));
    origin->offset = json_integer_value(json_object_get(json, "offset"));
    json_decref(json);
}

void origin_of_dead(struct origin *origin, const rd_kafka_message_t *message)
{
    const char *partition = dump_header(message, "__connect.errors.partition"),
               *offset = dump_header(message, "__connect.errors.offset");

    ck_assert_msg(partition && offset, "a dead letter without its origin");
    *origin = (struct origin){atoi(partition), atoll(offset), ""};
}

static int by_origin(const void *a, const void *b)
{
    const struct origin *x = a, *y = b;

    if (x->partition != y->partition)
        return x->partition < y->partition ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Origins of everything in a topic, behind those in *all. */
static void add_origins(struct cluster *c, const char *topic,
                        void (*take)(struct origin *, const rd_kafka_message_t *),
                        struct origin **all, size_t *count)
{
    struct dump r;

    dump_load(&r, c, topic);
    *all = realloc(*all, (*count + r.count + 1) * sizeof **all);
    for (size_t i = 0; i < r.count; i++)
        take(&(*all)[(*count)++], r.items[i]);
    dump_release(&r);
}

/* How many of outcomes[0..count-1] belong to the record: its own come first. */
static size_t count_of(const rd_kafka_message_t *record, const struct origin *outcomes,
                       size_t count)
{
    size_t n = 0;

    while (n < count && outcomes[n].partition == record->partition &&
           outcomes[n].offset == record->offset)
        n++;
    for (size_t i = 1; i < n; i++)
        ck_assert_msg(strcmp(outcomes[i].id, outcomes[0].id) == 0,
                      "one record with two ids: %s and %s", outcomes[0].id, outcomes[i].id);
    return n;
}

size_t expect_outcomes(struct cluster *c, const struct account *account)
{
    struct origin *outcomes = NULL;
    struct dump input;
    size_t count = 0, at = 0, more = 0;

    add_origins(c, c->scores, origin_of_score, &outcomes, &count);
    add_origins(c, c->dead, origin_of_dead, &outcomes, &count);
    if (count > 0)
        qsort(outcomes, count, sizeof *outcomes, by_origin);
    dump_load(&input, c, c->in);
    for (size_t i = 0; i < input.count; i++) {
        const rd_kafka_message_t *m = input.items[i];
        size_t n = count_of(m, outcomes + at, count - at);
        bool is_wanted =
            m->payload && !(account && account->from && m->offset < account->from[m->partition]);
        bool may_repeat = !cluster_is_exactly_once() && account && account->floor &&
                          m->offset >= account->floor[m->partition];
        ck_assert_msg(is_wanted ? n == 1 || (n > 1 && may_repeat) : n == 0,
                      "%s[%d]@%lld has %zu outcomes, want %s", c->in, m->partition,
                      (long long)m->offset, n,
                      !is_wanted   ? "none"
                      : may_repeat ? "one or more"
                                   : "exactly one");
        at += n;
        more += n > 1 ? n - 1 : 0;
    }
    ck_assert_msg(at == count, "an outcome of a record that is not in the input: [%d]@%lld",
                  at < count ? outcomes[at].partition : -1,
                  at < count ? (long long)outcomes[at].offset : -1LL);
    dump_release(&input);
    free(outcomes);
    return more;
}
