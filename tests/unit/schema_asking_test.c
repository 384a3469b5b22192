/* The table of schemas over a source that answers when the test says so, as a registry does. */
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "schemas/schema_table.h"
#include "tests/events.h"
#include "tests/harness.h"

#define GOOD "{\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]}"
#define OTHER "{\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":\"y\",\"type\":\"int\"}]}"

struct slow {
    struct schema_source source;
    struct schema_answer answers[8];
    size_t answer_count;
    unsigned ask_count;
    uint64_t last;
};

static int slow_start(struct schema_source *source, struct err *err)
{
    (void)source, (void)err;
    return 0;
}

static void slow_ask(struct schema_source *source, uint64_t id, int64_t now_ms)
{
    (void)now_ms;
    ((struct slow *)source)->ask_count++;
    ((struct slow *)source)->last = id;
}

static bool slow_poll(struct schema_source *source, struct schema_answer *answer)
{
    struct slow *s = (struct slow *)source;

    if (s->answer_count == 0)
        return false;
    *answer = s->answers[--s->answer_count];
    return true;
}

static void slow_free(struct schema_source *source)
{
    (void)source;
}

/* texts of FOUND, or words. */
static void answer(struct slow *s, uint32_t id, enum schema_answer_kind kind, const char *text)
{
    struct schema_answer a = {.id = id, .kind = kind};

    if (kind == SCHEMA_FOUND) {
        a.texts = calloc(1, sizeof *a.texts);
        a.texts[a.text_count++] = strdup(text);
    } else if (text) {
        a.words = strdup(text);
    }
    s->answers[s->answer_count++] = a;
}

struct fixture {
    struct features features;
    struct schema_table *table;
    struct err err;
};

static void open_slow(struct fixture *f, struct slow *s, int64_t first_wait_ms, unsigned asks)
{
    *f = (struct fixture){.err = ERR_INIT};
    f->features = EVENTS_FEATURES(NULL, "x = x : number, required");
    *s = (struct slow){.source = {.name = "slow",
                                  .is_immutable = true,
                                  .keep_ms = 30000,
                                  .asks_per_s = asks,
                                  .start = slow_start,
                                  .ask = slow_ask,
                                  .poll = slow_poll,
                                  .free = slow_free}};
    ck_assert_int_eq(schema_table_load(&f->table, &s->source, first_wait_ms, &f->features, &f->err),
                     0);
}

static void release(struct fixture *f)
{
    schema_table_free(f->table);
    features_release(&f->features);
}

static enum schema_state find(struct fixture *f, uint32_t id)
{
    const struct plan *plan;

    return schema_table_find(f->table, id, &plan);
}

START_TEST(an_id_is_asked_for_once_until_its_answer_comes)
{
    int64_t now_ms = clock_ms();
    struct fixture f;
    struct slow s;

    open_slow(&f, &s, 0, 0);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(schema_table_learn(f.table, 7, now_ms + i * 10000, &f.err), 1);
    ck_assert_uint_eq(s.ask_count, 1);
    ck_assert_int_eq(find(&f, 7), SCHEMA_NOT_ASKED);
    answer(&s, 7, SCHEMA_FOUND, GOOD);
    answer(&s, 8, SCHEMA_FOUND, OTHER); /* that nobody asked for */
    ck_assert_int_eq(schema_table_learn(f.table, 7, now_ms, &f.err), 0);
    ck_assert_int_eq(find(&f, 7), SCHEMA_USABLE);
    ck_assert_int_eq(schema_table_learn(f.table, 8, now_ms + 600000, &f.err), 0);
    ck_assert_int_eq(find(&f, 8), SCHEMA_UNUSABLE); /* for ever: it cannot change */
    ck_assert_uint_eq(s.ask_count, 1);
    release(&f);
}
END_TEST

START_TEST(whoever_waits_hears_of_a_failure_before_it_is_asked_again)
{
    int64_t now_ms = clock_ms();
    struct fixture f;
    struct slow s;

    open_slow(&f, &s, 0, 0);
    ck_assert_int_eq(schema_table_learn(f.table, 7, now_ms, &f.err), 1);
    answer(&s, 7, SCHEMA_FAILED, "http://r: HTTP 503");
    for (int i = 0; i < 3; i++) {
        err_reset(&f.err);
        ck_assert_int_eq(schema_table_learn(f.table, 7, now_ms + i, &f.err), -1);
        ck_assert_str_eq(f.err.text, "schema 7: http://r: HTTP 503");
        ck_assert_int_eq(f.err.kind, ERR_DEPENDENCY);
    }
    ck_assert_uint_eq(s.ask_count, 1);
    ck_assert_int_eq(schema_table_learn(f.table, 7, now_ms + 100, &f.err), 1);
    ck_assert_uint_eq(s.ask_count, 2);
    release(&f);
}
END_TEST

START_TEST(the_first_verdict_waits_for_a_schema_that_comes_late)
{
    int64_t now_ms = clock_ms();
    struct fixture f;
    struct slow s;

    open_slow(&f, &s, 2000, 0);
    ck_assert_int_eq(schema_table_learn(f.table, 7, now_ms, &f.err), 1);
    answer(&s, 7, SCHEMA_MISSING, NULL);
    ck_assert_int_eq(schema_table_learn(f.table, 7, now_ms + 10, &f.err), 1);
    ck_assert_uint_eq(s.ask_count, 1);
    ck_assert_int_eq(schema_table_learn(f.table, 7, now_ms + 500, &f.err), 1);
    ck_assert_uint_eq(s.ask_count, 2); /* now and then */
    answer(&s, 7, SCHEMA_MISSING, NULL);
    ck_assert_int_eq(schema_table_learn(f.table, 7, now_ms + 1000, &f.err), 1);
    ck_assert_int_eq(find(&f, 7), SCHEMA_NOT_ASKED);
    ck_assert_int_eq(schema_table_learn(f.table, 7, now_ms + 2100, &f.err), 1);
    answer(&s, 7, SCHEMA_MISSING, NULL);
    ck_assert_int_eq(schema_table_learn(f.table, 7, now_ms + 2110, &f.err), 0);
    ck_assert_int_eq(find(&f, 7), SCHEMA_ABSENT);
    release(&f);
}
END_TEST

START_TEST(more_ids_than_a_second_allows_wait)
{
    enum { PER_S = 200 };
    int64_t now_ms = clock_ms();
    struct fixture f;
    struct slow s;

    open_slow(&f, &s, 0, PER_S);
    for (uint32_t id = 0; id < 1000; id++) {
        err_reset(&f.err);
        ck_assert_int_eq(schema_table_learn(f.table, id, now_ms, &f.err), id < PER_S ? 1 : -1);
    }
    ck_assert_str_eq(f.err.text, "more unknown schema ids than unknown_ids_per_s = 200");
    ck_assert_int_eq(f.err.kind, ERR_DEPENDENCY);
    ck_assert_uint_eq(s.ask_count, PER_S);
    for (uint32_t id = PER_S; id < 1000; id++)
        schema_table_learn(f.table, id, now_ms + 500, &f.err);
    ck_assert_uint_eq(s.ask_count, PER_S + PER_S / 2);
    /* What is on its way is bounded too, when nothing is answered. */
    for (uint32_t id = 1000; id < 11000; id++)
        schema_table_learn(f.table, id, now_ms + id * 10, &f.err);
    ck_assert_uint_eq(s.ask_count, 1024);
    release(&f);
}
END_TEST

/* Two ids that wait must not push one another out for ever. */
START_TEST(what_a_seconds_cap_lets_in_is_remembered_as_long_as_it_counts)
{
    enum { IDS = 6000 /* 200 a second for 30 s */ };
    int64_t now_ms = clock_ms();
    struct fixture f;
    struct slow s;

    open_slow(&f, &s, 0, 0);
    for (uint32_t id = 1; id <= IDS; id++) {
        ck_assert_int_eq(schema_table_learn(f.table, id * 7919, now_ms, &f.err), 1);
        answer(&s, id * 7919, SCHEMA_MISSING, NULL);
        schema_table_poll(f.table, now_ms);
    }
    for (uint32_t id = 1; id <= IDS; id++)
        ck_assert_int_eq(find(&f, id * 7919), SCHEMA_ABSENT);
    for (uint32_t id = IDS; id <= 2 * IDS; id++) {
        schema_table_learn(f.table, id * 7919, now_ms, &f.err);
        answer(&s, id * 7919, SCHEMA_MISSING, NULL);
        schema_table_poll(f.table, now_ms);
    }
    ck_assert_int_eq(find(&f, 7919), SCHEMA_NOT_ASKED); /* the oldest went */
    ck_assert_int_eq(find(&f, 2 * IDS * 7919), SCHEMA_ABSENT);
    release(&f);
}
END_TEST

SUITE(schema_asking)
{
    CASE("asking", an_id_is_asked_for_once_until_its_answer_comes,
         whoever_waits_hears_of_a_failure_before_it_is_asked_again,
         the_first_verdict_waits_for_a_schema_that_comes_late, more_ids_than_a_second_allows_wait,
         what_a_seconds_cap_lets_in_is_remembered_as_long_as_it_counts);
}
