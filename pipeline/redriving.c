#include "pipeline/redriving.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"

struct redrive_part *redrive_part_of(const struct pipeline *p, size_t part)
{
    return &redrive_of(p)->parts[p->seat->parts[part]];
}

/* ---- which letters */

/* Its place in [consumer] topic, or topic_count. */
static size_t find_topic(const struct config *c, struct slice topic)
{
    size_t i = 0;

    while (i < c->topic_count && !slice_equals(topic, c->topics[i], strlen(c->topics[i])))
        i++;
    return i;
}

/* LEFT_COUNT: it is meant. */
static enum left judge(const struct pipeline *p, const struct record *r,
                       const struct letter *letter)
{
    const struct redrive *d = redrive_of(p);
    struct selection whatever = *d->options->selection;

    whatever.attempts = INT64_MAX;
    if (letter->topic.len == 0)
        return LEFT_NO_LETTER;
    if (find_topic(p->config, letter->topic) == p->config->topic_count)
        return LEFT_TOPIC;
    if (notes_is_done(&redrive_part_of(p, r->part)->notes, r->offset, letter, r->timestamp_ms))
        return LEFT_DONE;
    if (!selection_is_match(&whatever, letter, r->timestamp_ms))
        return LEFT_OTHER;
    if (letter->attempts >= d->options->selection->attempts)
        return LEFT_ATTEMPTS;
    if ((letter->is_without_value || !r->value.data) && !redrive_original(d, r))
        return LEFT_NO_VALUE;
    return LEFT_COUNT;
}

static enum left read_and_judge(const struct pipeline *p, const struct record *r,
                                struct letter *letter, struct header **headers)
{
    ssize_t count;

    *headers = batch_headers(r, &count);
    if (!letter_read(letter, *headers, count > 0 ? (size_t)count : 0))
        return LEFT_NO_LETTER;
    return judge(p, r, letter);
}

static void take_text(char *out, size_t cap, struct slice text)
{
    snprintf(out, cap, "%.*s", (int)(text.len < cap ? text.len : cap - 1),
             text.data ? (const char *)text.data : "");
}

static void tally(struct redrive_summary *s, const struct letter *letter)
{
    struct redrive_tally one = {.count = 0};
    size_t i = 0;

    take_text(one.stage, sizeof one.stage, letter->stage);
    take_text(one.reason, sizeof one.reason, letter->reason);
    take_text(one.blame, sizeof one.blame, letter->blame);
    while (i < s->tally_count && (strcmp(one.stage, s->tallies[i].stage) != 0 ||
                                  strcmp(one.reason, s->tallies[i].reason) != 0 ||
                                  strcmp(one.blame, s->tallies[i].blame) != 0))
        i++;
    if (i == s->tally_count && i == REDRIVE_TALLIES - 1)
        one = (struct redrive_tally){.reason = "others"};
    if (i == REDRIVE_TALLIES)
        i--;
    else if (i == s->tally_count)
        s->tallies[s->tally_count++] = one;
    s->tallies[i].count++;
}

/* No partition goes further than it was seen. */
static void stop_all(struct pipeline *p)
{
    struct redrive *d = redrive_of(p);

    d->summary->is_cut = true;
    for (size_t i = 0; i < p->seat->part_count; i++) {
        struct redrive_part *part = redrive_part_of(p, i);
        part->stop = part->seen;
        reader_stop(p->seat->reader, i);
    }
}

static void count_one(struct pipeline *p, const struct record *r, const struct letter *letter,
                      enum left left)
{
    struct redrive *d = redrive_of(p);

    redrive_part_of(p, r->part)->seen = r->offset + 1;
    if (left != LEFT_COUNT) {
        d->summary->left[left]++;
        return;
    }
    tally(d->summary, letter);
    d->summary->fetched += redrive_original(d, r) != NULL;
    if ((int64_t)++d->summary->selected == d->options->limit)
        stop_all(p);
}

/* False: its value could not be had now, it is to come again. */
static bool pick_one(struct pipeline *p, const struct record *r)
{
    struct header *headers;
    struct letter letter;
    enum left left = read_and_judge(p, r, &letter, &headers);
    bool is_answered = true;

    if (left == LEFT_NO_VALUE) {
        left = redrive_fetch(p, r, &letter);
        is_answered = left != LEFT_NO_LETTER;
    }
    if (is_answered && r->offset >= redrive_part_of(p, r->part)->seen)
        count_one(p, r, &letter, left);
    free(headers);
    return is_answered;
}

static void give_back(struct pipeline *p, const struct record *records, size_t count)
{
    struct reader *reader = p->seat->reader;

    for (size_t i = 0; i < count; i++)
        if (records[i].offset < reader_window(reader, records[i].part).from)
            reader_seek(reader, records[i].part, records[i].offset);
    reader_release(records, count);
}

size_t redrive_pick(struct pipeline *p, struct record *records, size_t got)
{
    struct redrive *d = redrive_of(p);
    size_t kept = 0;

    redrive_forget(d);
    for (size_t i = 0; i < got; i++) {
        const struct record r = records[i];
        if (r.offset >= redrive_part_of(p, r.part)->stop) {
            reader_release(&r, 1);
            continue;
        }
        if (d->original_bytes > REDRIVE_ORIGINAL_BYTES || !pick_one(p, &r)) {
            give_back(p, records + i, got - i);
            break;
        }
        records[kept++] = r;
    }
    return kept;
}

bool redrive_judge(struct pipeline *p, struct record *r, int64_t *offset, struct outcome *outcome)
{
    const struct original *original = redrive_original(redrive_of(p), r);
    struct header *headers;
    struct letter letter;
    enum left left = read_and_judge(p, r, &letter, &headers);

    free(headers);
    if (left != LEFT_COUNT) {
        *outcome = (struct outcome){OUTCOME_SKIPPED, FAULT_NONE, OUTCOME_NO_FEATURE, 0};
        return true;
    }
    if (original) {
        r->key = original->record.key;
        r->value = original->record.value;
    }
    r->topic = p->config->topics[find_topic(p->config, letter.topic)];
    r->partition = letter.partition;
    if (letter.timestamp_ms >= 0)
        r->timestamp_ms = letter.timestamp_ms;
    *offset = letter.offset;
    *outcome = outcome_scored();
    return redrive_of(p)->options->is_to_origin;
}

/* ---- sent back */

static void name_origin(struct header *headers, size_t *count, const char *name, const char *text)
{
    if (!header_find(headers, *count, name))
        headers[(*count)++] = (struct header){name, slice_of(text)};
}

size_t redrive_address(const struct record *r, struct header *headers, size_t count,
                       char buffer[REDRIVE_BUFFER])
{
    enum { ROOM = REDRIVE_BUFFER / 4 };
    char *attempt = buffer, *partition = buffer + ROOM, *offset = buffer + 2 * ROOM;
    char *time = buffer + 3 * ROOM;
    struct letter letter;
    size_t kept = 0;

    letter_read(&letter, headers, count);
    snprintf(attempt, ROOM, "%lld", (long long)letter.attempts);
    snprintf(partition, ROOM, "%d", letter.partition);
    snprintf(offset, ROOM, "%lld", (long long)letter.offset);
    snprintf(time, ROOM, "%lld", (long long)r->timestamp_ms);
    for (size_t i = 0; i < count; i++)
        if (strcmp(headers[i].name, LETTER_ATTEMPT) != 0)
            headers[kept++] = headers[i];
    name_origin(headers, &kept, LETTER_TOPIC, r->topic);
    name_origin(headers, &kept, LETTER_PARTITION, partition);
    name_origin(headers, &kept, LETTER_OFFSET, offset);
    name_origin(headers, &kept, LETTER_TIMESTAMP, time);
    name_origin(headers, &kept, LETTER_ATTEMPT, attempt);
    return kept;
}

int32_t redrive_partition(const struct pipeline *p, const struct record *r)
{
    size_t topic = find_topic(p->config, slice_of(r->topic));

    return r->partition < redrive_of(p)->partitions[topic] ? r->partition : -1;
}

/* ---- dry */

static enum sent sink_score(struct sink *s, const struct record *r, const struct score *score)
{
    (void)s, (void)r, (void)score;
    return SENT_HELD;
}

static void sink_dead(struct sink *s, const struct record *r, const struct dead_letter *letter)
{
    (void)s, (void)r, (void)letter;
}

static void sink_nothing(struct sink *s)
{
    (void)s;
}

static int sink_keep(struct sink *s, size_t batches, struct err *err)
{
    (void)s, (void)batches, (void)err;
    return 0;
}

static bool sink_is_full(const struct sink *s)
{
    (void)s;
    return false;
}

static void sink_free(struct sink *s)
{
    free(s);
}

struct sink *redrive_sink_new(void)
{
    struct sink *s = mem_alloc(1, sizeof *s);

    *s = (struct sink){.takes_scores = true,
                       .takes_dead = true,
                       .score = sink_score,
                       .dead = sink_dead,
                       .end = sink_nothing,
                       .keep = sink_keep,
                       .drop = sink_nothing,
                       .is_full = sink_is_full,
                       .free = sink_free};
    return s;
}
