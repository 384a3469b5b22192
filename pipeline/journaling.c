#include "pipeline/journaling.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/reader.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "pipeline/journal_record.h"
#include "pipeline/shared.h"
#include "producer/journal_topic.h"

enum {
    AT_ONCE = 64,      /* entries a turn: a storm is thinned out, and says how many were lost */
    RETRY_MS = 5000,   /* after the brokers refused one */
    HOUR_MS = 3600000, /* so often the run is written again: a topic forgets */
    FLUSH_MS = 1000,
    ASK_MS = 2000,
    NEWEST = 20000, /* records that are searched first */
    POLL_MS = 50,
    VALUE_MAX = 200, /* of a value in a line of the log */
};

/* Tags of records that are no entries. */
enum { TAG_RUN = -1, TAG_PROFILE = -2 };

struct journaling {
    const struct config *config;
    struct journal *journal;
    struct journal_source source;
    char run_name[RUN_MAX], *key, *run_key, *profile_key;

    pthread_mutex_t lock; /* of all below */
    struct journal_topic *topic;
    uint64_t sent;    /* number of the last entry that was handed over */
    uint64_t failed;  /* the oldest that the brokers refused, 0: none */
    int64_t retry_ms; /* not before */
    bool is_said;     /* that it does not work */
    bool has_begun;   /* the last run was read back, or given up */
    struct run_facts *now, *before;
    char before_run[16], before_time[32];
    int64_t run_ms; /* when the run was sent last, 0: it is to be sent */
    struct profile_seat seat;
    char *profile; /* to be sent, or NULL */
    char *last_profile;
    struct journal_entry entries[AT_ONCE];
};

/* ---- what the brokers say; inside journal_topic_poll, under the lock */

static void on_report(void *arg, uint64_t tag, const char *why)
{
    struct journaling *j = arg;

    if (!why) {
        if (j->is_said)
            log_event(LOG_INFO, "recovered", "for=journal the brokers take it again");
        j->is_said = false;
        return;
    }
    if (!j->is_said)
        log_event(LOG_WARNING, "waiting", "for=journal %s", why);
    j->is_said = true;
    j->retry_ms = clock_ms() + RETRY_MS;
    if (tag == (uint64_t)TAG_RUN)
        j->run_ms = 0;
    else if (tag != (uint64_t)TAG_PROFILE && (j->failed == 0 || tag < j->failed))
        j->failed = tag; /* a profile has a newer one soon */
}

/* ---- life */

struct journaling *journaling_new(const struct config *config, const char *build,
                                  struct journal *journal, struct err *err)
{
    struct journaling *j;

    if (!*config->journal_topic)
        return NULL;
    j = mem_alloc(1, sizeof *j);
    j->topic = journal_topic_new(config, on_report, j, err);
    if (!j->topic) {
        free(j);
        err_prefix(err, "[journal]");
        return NULL;
    }
    j->config = config;
    j->journal = journal;
    shared_name_run(config, build, j->run_name);
    j->source = (struct journal_source){config->name, config->instance, j->run_name};
    j->key = journal_record_key(&j->source, NULL);
    j->run_key = journal_record_key(&j->source, "run");
    j->profile_key = journal_record_key(&j->source, "profile");
    j->now = run_facts_new(config, build);
    pthread_mutex_init(&j->lock, NULL);
    return j;
}

/* ---- reading back */

/* What was found, and when that was written; -1: nothing was. */
struct search {
    const struct journaling *j;
    struct run_facts *facts;
    char run[16], time[32], *profile;
    int64_t run_at_ms, profile_at_ms;
};

static void take(struct search *s, const struct record *r)
{
    const char *value = (const char *)r->value.data;
    struct run_facts *facts;

    if (slice_equals(r->key, s->j->run_key, strlen(s->j->run_key)) &&
        r->timestamp_ms >= s->run_at_ms &&
        (facts = run_facts_parse(value, r->value.len, s->run, s->time))) {
        run_facts_free(s->facts);
        s->facts = facts;
        s->run_at_ms = r->timestamp_ms;
    } else if (slice_equals(r->key, s->j->profile_key, strlen(s->j->profile_key)) &&
               r->timestamp_ms >= s->profile_at_ms) {
        free(s->profile);
        s->profile = journal_record_parse_profile(value, r->value.len);
        s->profile_at_ms = r->timestamp_ms;
    }
}

static int read_range(struct search *s, struct reader *reader, int64_t until_ms, struct err *err)
{
    enum { CAP = 256 };
    struct record records[CAP];
    ssize_t count;

    while (!reader_is_done(reader)) {
        if (clock_ms() > until_ms)
            return err_dependency(err, "not read within %d ms", JOURNALING_READ_MS);
        count = reader_poll(reader, records, CAP, POLL_MS, err);
        if (count < 0)
            return -1;
        for (ssize_t i = 0; i < count; i++)
            take(s, &records[i]);
        reader_release(records, (size_t)count);
    }
    return 0;
}

/* First the newest records; a storm since, or others that write more, may be in front. */
static int read_back(struct search *s, int64_t until_ms, struct err *err)
{
    static const struct reader_place places[] = {{PLACE_SHARE, NEWEST}, {PLACE_START, 0}};
    const char *topic = s->j->config->journal_topic;
    int result = 0;

    for (size_t i = 0; i < 2 && result == 0 && !s->facts; i++) {
        struct reader_range range = {.partition = -1, .from = places[i], .to = {PLACE_END, 0}};
        struct reader *reader = reader_new(s->j->config, err);
        result = reader && reader_open(reader, &topic, 1, &range, ASK_MS, err) == 0
                     ? read_range(s, reader, until_ms, err)
                     : -1;
        reader_free(reader);
    }
    return result;
}

static const char *quote(char out[VALUE_MAX + 3], const char *value)
{
    bool has_blank = !*value || strchr(value, ' ');

    snprintf(out, VALUE_MAX + 3, "%s%.*s%s", has_blank ? "\"" : "", VALUE_MAX, value,
             has_blank ? "\"" : "");
    return out;
}

static void say_change(void *arg, const char *key, const char *from, const char *to)
{
    char old[VALUE_MAX + 3], new[VALUE_MAX + 3];

    (void)arg;
    log_event(LOG_INFO, "changed", "key=%s from=%s to=%s", key, quote(old, from), quote(new, to));
}

static void say_changes(struct journaling *j, const struct err *err)
{
    if (!j->before) {
        log_event(err_is_set(err) ? LOG_WARNING : LOG_INFO, "changed",
                  err_is_set(err) ? "what changed since the run before is not known: %s"
                                  : "this is the first run that the journal knows%s",
                  err->text);
        return;
    }
    if (run_facts_compare(j->before, j->now, say_change, NULL) == 0)
        log_event(LOG_INFO, "changed", "nothing since run=%s of %s", j->before_run, j->before_time);
}

/* The observer sends meanwhile: what was found is taken over when all is read. */
void journaling_begin(struct journaling *j, const struct model_metrics *model)
{
    struct search search = {.j = j, .run_at_ms = -1, .profile_at_ms = -1};
    struct err err = ERR_INIT;

    if (!j)
        return;
    read_back(&search, clock_ms() + JOURNALING_READ_MS, &err);
    pthread_mutex_lock(&j->lock);
    run_facts_set_model(j->now, model);
    j->before = search.facts;
    j->last_profile = search.profile;
    memcpy(j->before_run, search.run, sizeof search.run);
    memcpy(j->before_time, search.time, sizeof search.time);
    say_changes(j, &err);
    j->has_begun = true;
    pthread_mutex_unlock(&j->lock);
}

const char *journaling_profile(const struct journaling *j)
{
    return j ? j->last_profile : NULL;
}

/* ---- writing, under the lock */

static bool send(struct journaling *j, const char *key, char *value, int64_t at_ms, uint64_t tag)
{
    bool is_taken =
        !value || journal_topic_send(j->topic, &(struct journal_record){key, value, at_ms, tag});

    free(value);
    return is_taken;
}

/* A schema that the run before never met is a change, although nobody here made it. */
static void note_schema(struct journaling *j, const struct journal_entry *e)
{
    const char *id;
    size_t len = journal_word(e->text, "id", &id);

    if (strncmp(e->event, "schema_", 7) != 0 || len == 0 || !run_facts_add_schema(j->now, id, len))
        return;
    if (j->before && !run_facts_has_schema(j->before, id, len))
        log_event(LOG_INFO, "changed", "schema=%.*s was not met in the run before", (int)len, id);
}

static void send_entries(struct journaling *j)
{
    size_t count;

    if (j->failed)
        j->sent = j->failed - 1;
    j->failed = 0;
    count = journal_read(j->journal, j->sent, j->entries, AT_ONCE);
    for (size_t i = 0; i < count; i++) {
        const struct journal_entry *e = &j->entries[i];
        if (!send(j, j->key, journal_record_entry(&j->source, e, e->number - j->sent - 1), e->at_ms,
                  e->number))
            return;
        note_schema(j, e);
        j->sent = e->number;
    }
}

static void send_run(struct journaling *j)
{
    int64_t now_ms = clock_wall_ms();

    if (send(j, j->run_key, journal_record_run(&j->source, now_ms, j->now), now_ms,
             (uint64_t)TAG_RUN))
        j->run_ms = clock_ms();
}

static void send_profile(struct journaling *j)
{
    int64_t now_ms = clock_wall_ms();

    if (j->profile &&
        send(j, j->profile_key, journal_record_profile(&j->source, now_ms, j->profile), now_ms,
             (uint64_t)TAG_PROFILE)) {
        free(j->profile);
        j->profile = NULL;
    }
}

static void send_all(struct journaling *j)
{
    send_entries(j);
    if (j->has_begun && (j->run_ms == 0 || clock_ms() - j->run_ms > HOUR_MS))
        send_run(j);
    send_profile(j);
}

void journaling_poll(struct journaling *j, const struct model_metrics *model)
{
    if (!j)
        return;
    pthread_mutex_lock(&j->lock);
    if (j->has_begun && *model->digest && run_facts_set_model(j->now, model))
        j->run_ms = 0;
    journal_topic_poll(j->topic, 0);
    if (clock_ms() >= j->retry_ms)
        send_all(j);
    journal_topic_poll(j->topic, 0);
    pthread_mutex_unlock(&j->lock);
}

void journaling_put_profile(struct journaling *j, unsigned worker, uint32_t windows,
                            const char *text)
{
    if (!j)
        return;
    pthread_mutex_lock(&j->lock);
    if (profile_seat_take(&j->seat, &(struct profile_seat){worker, windows, clock_ms()})) {
        free(j->profile);
        j->profile = mem_copy_text(text, strlen(text));
    }
    pthread_mutex_unlock(&j->lock);
}

static bool has_more(const struct journaling *j)
{
    return j->sent < journal_last(j->journal) || j->run_ms == 0 || j->profile;
}

/* The run once more: with the schemas that it met, and near the end of the topic. */
void journaling_free(struct journaling *j)
{
    int64_t until_ms = clock_ms() + FLUSH_MS;

    if (!j)
        return;
    j->run_ms = 0;
    do {
        send_all(j);
        journal_topic_poll(j->topic, 0);
        if (has_more(j))
            journal_topic_poll(j->topic, POLL_MS);
    } while (has_more(j) && !j->is_said && clock_ms() < until_ms);
    journal_topic_free(j->topic, FLUSH_MS);
    pthread_mutex_destroy(&j->lock);
    run_facts_free(j->now);
    run_facts_free(j->before);
    free(j->profile);
    free(j->last_profile);
    free(j->key);
    free(j->run_key);
    free(j->profile_key);
    free(j);
}
