#include "consumer/lags.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/errand.h"
#include "core/kafka_conf.h"
#include "core/kafka_topic.h"
#include "core/kafka_trouble.h"
#include "core/log.h"
#include "core/mem.h"

enum { CLOSE_MS = 500 };

typedef rd_kafka_topic_partition_list_t list_t;

/* One question, and what came of it. While it is under way it is the errand's: it borrows nothing,
 * for it may be left behind. */
struct asker {
    rd_kafka_t *client;
    struct kafka_trouble trouble;
    bool is_left;
    bool has_heard;        /* they have answered once */
    char *input;           /* a topic that is asked for where there are no parts */
    list_t *parts;         /* whose ends are asked for; offsets become those */
    list_t *scores;        /* the topic of scores */
    char *topic, **groups; /* group_count */
    list_t **committed;    /* of each group, NULL: no answer */
    size_t group_count;
    bool is_at_input, has_ends;
    struct err silence; /* why not */
    struct err err;     /* the first that asking again will not mend */
};

struct lags {
    const struct config *config;
    struct asker *asker; /* NULL: there is no client yet, or there cannot be one */
    struct errand *errand;
    bool is_broken;
    char said[sizeof((struct err *)0)->text];
    struct err silence;                   /* why the last question had no answer */
    int64_t asked_ms, ends_ms, groups_ms; /* clock_ms; 0: never */
    int64_t heard_ms;                     /* the last answer, or the first question */
    struct log_end *ends;                 /* end_count */
    size_t end_count;
    struct log_end *wanted; /* of the question, wanted_count */
    size_t wanted_count;
    struct downstream *groups; /* config->downstream.count */
};

static void on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    struct asker *a = opaque;

    (void)client;
    kafka_trouble_take(&a->trouble, (rd_kafka_resp_err_t)code, reason);
}

/* ---- life */

static void forget(struct asker *a)
{
    if (a->parts)
        rd_kafka_topic_partition_list_destroy(a->parts);
    if (a->scores)
        rd_kafka_topic_partition_list_destroy(a->scores);
    for (size_t i = 0; i < a->group_count; i++)
        if (a->committed[i])
            rd_kafka_topic_partition_list_destroy(a->committed[i]);
    memset(a->committed, 0, a->group_count * sizeof(list_t *));
    a->parts = a->scores = NULL;
    a->has_ends = false;
    err_reset(&a->silence);
    err_reset(&a->err);
}

static void asker_free(struct asker *a)
{
    forget(a);
    if (a->client)
        kafka_client_destroy(a->client, CLOSE_MS);
    for (size_t i = 0; i < a->group_count; i++)
        free(a->groups[i]);
    free(a->groups);
    free(a->committed);
    free(a->topic);
    free(a->input);
    free(a);
}

/* Its group.id is ours, which it does not join: librdkafka tells a client's group that another
 * one's coordinator has moved, and without a group of its own that is a crash (2.0.2). */
static struct asker *asker_new(const struct config *config, struct err *err)
{
    rd_kafka_conf_t *conf = kafka_conf_new(config, KAFKA_CONSUMER, err);
    struct asker *a;

    if (!conf)
        return NULL;
    kafka_conf_set(conf, "enable.auto.commit", "false");
    kafka_conf_set(conf, "allow.auto.create.topics", "false");
    a = mem_alloc(1, sizeof *a);
    a->topic = mem_copy_text(config->score_topic, strlen(config->score_topic));
    a->input = mem_copy_text(config->topics[0], strlen(config->topics[0]));
    a->group_count = config->downstream.count;
    a->groups = mem_alloc(a->group_count + 1, sizeof *a->groups);
    a->committed = mem_alloc(a->group_count + 1, sizeof(list_t *));
    for (size_t i = 0; i < a->group_count; i++)
        a->groups[i] =
            mem_copy_text(config->downstream.items[i], strlen(config->downstream.items[i]));
    rd_kafka_conf_set_opaque(conf, a);
    rd_kafka_conf_set_error_cb(conf, on_error);
    a->client = kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
    if (a->client)
        return a;
    asker_free(a);
    return NULL;
}

struct lags *lags_new(const struct config *config)
{
    struct lags *l = mem_alloc(1, sizeof *l);

    l->config = config;
    l->groups = mem_alloc(config->downstream.count + 1, sizeof *l->groups);
    for (size_t i = 0; i < config->downstream.count; i++)
        l->groups[i] = (struct downstream){.group = config->downstream.items[i], .lag = -1};
    return l;
}

/* Of the errand: what was left has nobody else. */
static void drop(void *arg)
{
    struct asker *a = arg;

    if (a->is_left)
        asker_free(a);
}

void lags_free(struct lags *l)
{
    if (!l)
        return;
    if (l->asker)
        l->asker->is_left = true;
    if (l->errand)
        errand_free(l->errand);
    else if (l->asker)
        asker_free(l->asker);
    for (size_t i = 0; i < l->config->downstream.count; i++)
        downstream_release(&l->groups[i]);
    free(l->groups);
    free(l->ends);
    free(l->wanted);
    free(l);
}

/* ---- the question, on the errand's thread */

/* What does not answer now is asked again; what else is wrong is kept to be said. Returns false. */
static bool fail(struct asker *a, struct err *err)
{
    kafka_trouble_explain(&a->trouble, a->has_heard ? NULL : a->client, err);
    if (err->kind == ERR_FATAL && !err_is_set(&a->err))
        a->err = *err;
    /* A refusal is an answer; but who owns nothing has no other sign of an input that is gone. */
    if (a->is_at_input && (err->kind == ERR_DEPENDENCY || a->parts->cnt == 0))
        a->silence = *err;
    return false;
}

static bool judge(struct asker *a, rd_kafka_resp_err_t code, const char *what)
{
    struct err err = ERR_INIT;

    if (!code)
        return true;
    kafka_err(&err, code, what);
    return fail(a, &err);
}

/* Not rd_kafka_query_watermark_offsets, see consumer/places.c. */
static bool ask_ends(struct asker *a, list_t *list)
{
    char what[280] = "asking for the ends of topics";
    rd_kafka_resp_err_t code;

    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = RD_KAFKA_OFFSET_END;
    code = rd_kafka_offsets_for_times(a->client, list, LAGS_ASK_MS);
    for (int i = 0; i < list->cnt && !code; i++)
        if ((code = list->elems[i].err) != 0)
            snprintf(what, sizeof what, "asking for the end of topic %s", list->elems[i].topic);
    return judge(a, code, what);
}

static list_t *take_committed(struct asker *a, rd_kafka_event_t *event, const char *group)
{
    const rd_kafka_ListConsumerGroupOffsets_result_t *result =
        event ? rd_kafka_event_ListConsumerGroupOffsets_result(event) : NULL;
    rd_kafka_resp_err_t code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    const rd_kafka_group_result_t **groups = NULL;
    const rd_kafka_error_t *error;
    const list_t *list = NULL;
    size_t count = 0;

    if (!code && result)
        groups = rd_kafka_ListConsumerGroupOffsets_result_groups(result, &count);
    error = count == 1 ? rd_kafka_group_result_error(groups[0]) : NULL;
    if (error)
        code = rd_kafka_error_code(error);
    else if (count == 1)
        list = rd_kafka_group_result_partitions(groups[0]);
    for (int i = 0; list && i < list->cnt && !code; i++)
        code = list->elems[i].err;
    if (!judge(a, code, group)) {
        if (err_is_set(&a->err) && a->err.exit_code == EXIT_DENIED)
            err_prefix(&a->err, "group (allow DESCRIBE)");
        return NULL;
    }
    return list ? rd_kafka_topic_partition_list_copy(list) : NULL;
}

static list_t *ask_committed(struct asker *a, const char *group)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(a->client);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(a->client, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    rd_kafka_ListConsumerGroupOffsets_t *request =
        rd_kafka_ListConsumerGroupOffsets_new(group, a->scores);
    rd_kafka_event_t *event;
    list_t *committed;
    char text[200];

    rd_kafka_AdminOptions_set_request_timeout(options, LAGS_ASK_MS, text, sizeof text);
    rd_kafka_ListConsumerGroupOffsets(a->client, &request, 1, options, queue);
    event = rd_kafka_queue_poll(queue, LAGS_ASK_MS);
    committed = take_committed(a, event, group);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return committed;
}

static bool ask_topic(struct asker *a, const char *topic, int32_t *count)
{
    struct err err = ERR_INIT;

    return kafka_topic_partitions(a->client, topic, LAGS_ASK_MS, count, &err) == 0 || fail(a, &err);
}

/* The topic may have grown. */
static bool list_scores(struct asker *a)
{
    int32_t count;

    if (!ask_topic(a, a->topic, &count))
        return false;
    a->scores = rd_kafka_topic_partition_list_new(count);
    for (int32_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(a->scores, a->topic, i);
    return true;
}

/* The callback's errors; and those of the group, which nobody reads and which would pile up. */
static void hear(rd_kafka_t *client)
{
    rd_kafka_message_t *message;

    rd_kafka_poll(client, 0);
    while ((message = rd_kafka_consumer_poll(client, 0)))
        rd_kafka_message_destroy(message);
}

static void ask(void *arg)
{
    struct asker *a = arg;

    int32_t count;

    a->trouble = (struct kafka_trouble){0};
    a->is_at_input = true;
    a->has_ends = a->parts->cnt > 0 ? ask_ends(a, a->parts) : ask_topic(a, a->input, &count);
    a->is_at_input = false;
    a->has_heard = a->has_heard || a->has_ends;
    if (a->group_count > 0 && list_scores(a) && ask_ends(a, a->scores))
        for (size_t i = 0; i < a->group_count; i++)
            a->committed[i] = ask_committed(a, a->groups[i]);
    hear(a->client);
}

/* ---- the answer */

static void take_ends(struct lags *l, const struct asker *a)
{
    free(l->ends);
    l->ends = l->wanted;
    l->end_count = l->wanted_count;
    l->wanted = NULL;
    for (size_t i = 0; i < l->end_count; i++)
        l->ends[i].end = a->parts->elems[i].offset < 0 ? -1 : a->parts->elems[i].offset;
    l->ends_ms = l->heard_ms = clock_ms();
}

static void take_group(struct lags *l, const struct asker *a, size_t group)
{
    size_t count = (size_t)a->scores->cnt;
    int64_t *committed = mem_alloc(count, sizeof *committed),
            *ends = mem_alloc(count, sizeof *ends);
    const list_t *list = a->committed[group];

    for (size_t i = 0; i < count; i++) {
        committed[i] = -1;
        ends[i] = a->scores->elems[i].offset;
    }
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].partition >= 0 && (size_t)list->elems[i].partition < count)
            committed[list->elems[i].partition] = list->elems[i].offset;
    downstream_take(&l->groups[group], committed, ends, count, clock_wall_ms());
    free(committed);
    free(ends);
}

static void say(struct lags *l, const struct err *err)
{
    if (!err_is_set(err))
        return;
    if (strcmp(err->text, l->said) != 0)
        log_event(LOG_WARNING, "waiting", "for=lag %s", err->text);
    memcpy(l->said, err->text, sizeof l->said);
}

static void take(struct lags *l)
{
    struct asker *a = l->asker;
    bool has_all = true;

    l->silence = a->silence;
    if (a->has_ends)
        take_ends(l, a);
    for (size_t i = 0; i < a->group_count; i++) {
        if (a->committed[i])
            take_group(l, a, i);
        has_all = has_all && a->committed[i];
    }
    if (has_all)
        l->groups_ms = clock_ms();
    if (has_all && a->has_ends && *l->said) {
        log_event(LOG_INFO, "recovered", "for=lag it can be asked for again");
        *l->said = '\0';
    }
    say(l, &a->err);
    forget(a);
}

/* ---- the owner's turn */

static void open_asker(struct lags *l)
{
    struct err err = ERR_INIT;

    l->asker = asker_new(l->config, &err);
    l->is_broken = !l->asker;
    say(l, &err);
}

static void begin(struct lags *l, const struct log_end *parts, size_t count)
{
    list_t *list = rd_kafka_topic_partition_list_new((int)count);

    free(l->wanted);
    l->wanted = mem_alloc(count + 1, sizeof *l->wanted);
    l->wanted_count = count;
    if (count > 0)
        memcpy(l->wanted, parts, count * sizeof *parts);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, parts[i].topic, parts[i].partition);
    l->asker->parts = list;
    l->asked_ms = clock_ms();
    if (l->heard_ms == 0)
        l->heard_ms = l->asked_ms;
    l->errand = errand_new(ask, drop, l->asker);
}

bool lags_poll(struct lags *l, const struct log_end *parts, size_t count)
{
    if (l->errand) {
        if (!errand_poll(l->errand, 0))
            return false;
        errand_free(l->errand);
        l->errand = NULL;
        take(l);
        return true;
    }
    if (l->is_broken || (l->asked_ms && clock_ms() - l->asked_ms < LAGS_MS))
        return false;
    if (!l->asker)
        open_asker(l);
    if (l->asker)
        begin(l, parts, count);
    return false;
}

static int64_t age(int64_t at_ms)
{
    return at_ms ? clock_ms() - at_ms : -1;
}

const struct log_end *lags_ends(const struct lags *l, size_t *count, int64_t *age_ms)
{
    *count = l->end_count;
    *age_ms = age(l->ends_ms);
    return l->ends;
}

int64_t lags_silent_ms(const struct lags *l, const char **why)
{
    *why = l->silence.text;
    return err_is_set(&l->silence) ? clock_ms() - l->heard_ms : 0;
}

const struct downstream *lags_groups(const struct lags *l, size_t *count, int64_t *age_ms)
{
    *count = l->config->downstream.count;
    *age_ms = age(l->groups_ms);
    return l->groups;
}
