#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "schemas/schema_folder.h"
#include "schemas/schema_table.h"
#include "tests/harness.h"
#include "tests/reading.h"

#define GOOD "{\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]}"
#define OTHER "{\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":\"y\",\"type\":\"int\"}]}"

struct fixture {
    char folder[256];
    struct features features;
    struct schema_table *table;
    char said[1000]; /* "id usable text\n" for each report */
    struct err err;
};

static void put(struct fixture *f, const char *name, const char *text)
{
    harness_write(f->folder, name, text, strlen(text));
}

static void init(struct fixture *f)
{
    *f = (struct fixture){.err = ERR_INIT};
    snprintf(f->folder, sizeof f->folder, "%s", harness_folder());
    f->features = EVENTS_FEATURES(NULL, "x = x : number, required");
}

static int try_load(struct fixture *f, const char *folder)
{
    struct schema_source *source = schema_folder_new(folder);
    int result = schema_table_load(&f->table, source, 0, &f->features, &f->err);

    if (result != 0)
        source->free(source);
    return result;
}

static void load(struct fixture *f)
{
    ck_assert_msg(try_load(f, f->folder) == 0, "%s", f->err.text);
}

static void release(struct fixture *f)
{
    schema_table_free(f->table);
    features_release(&f->features);
}

static enum schema_state find(struct fixture *f, uint32_t id)
{
    const struct plan *plan = NULL;
    enum schema_state state = schema_table_find(f->table, id, &plan);

    ck_assert_int_eq(state == SCHEMA_USABLE, plan != NULL);
    return state;
}

/* A time of asking whose answer is too old at once. */
static int64_t stale(void)
{
    return clock_ms() - SCHEMA_FOLDER_KEEP_MS;
}

/* A time of asking from which the answer is kept however slow the machine is. */
static int64_t fresh(void)
{
    return clock_ms() + 600000;
}

/* What an id becomes when it is asked for at that time. */
static enum schema_state learn(struct fixture *f, uint32_t id, int64_t now_ms)
{
    ck_assert_msg(schema_table_learn(f->table, id, now_ms, &f->err) == 0, "%s", f->err.text);
    return find(f, id);
}

static void say(void *arg, int64_t schema_id, bool usable, const char *text)
{
    struct fixture *f = arg;
    size_t len = strlen(f->said);

    snprintf(f->said + len, sizeof f->said - len, "%lld %d %s\n", (long long)schema_id, usable,
             text);
}

static const char *report(struct fixture *f)
{
    f->said[0] = '\0';
    schema_table_report(f->table, say, f);
    return f->said;
}

START_TEST(every_schema_of_the_folder_is_known_at_once)
{
    static const char *const others[] = {"01.avsc", "-1.avsc",         "+1.avsc", "1.json", ".avsc",
                                         "x.avsc",  "4294967296.avsc", "1 .avsc", "1.avsc~"};
    struct fixture f;

    init(&f);
    put(&f, "0.avsc", GOOD);
    put(&f, "17.avsc", GOOD);
    put(&f, "4294967295.avsc", OTHER);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        put(&f, others[i], GOOD);
    load(&f);
    ck_assert_int_eq(find(&f, 0), SCHEMA_USABLE);
    ck_assert_int_eq(find(&f, 17), SCHEMA_USABLE);
    ck_assert_int_eq(learn(&f, UINT32_MAX, fresh()), SCHEMA_UNUSABLE);
    ck_assert_int_eq(find(&f, 1), SCHEMA_NOT_ASKED);
    report(&f);
    ck_assert_ptr_nonnull(strstr(f.said, "17 1 schema 17 (E): 1 features bound: x (int)\n"));
    ck_assert_ptr_nonnull(strstr(f.said, "4294967295 0 schema 4294967295 (E): cannot serve"));
    ck_assert_str_eq(report(&f), "");
    release(&f);
}
END_TEST

/* How often the file was opened cannot be seen; that its answer is kept can. */
START_TEST(an_absent_schema_is_asked_for_once_a_second)
{
    struct fixture f;

    init(&f);
    load(&f);
    ck_assert_int_eq(find(&f, 5), SCHEMA_NOT_ASKED);
    ck_assert_int_eq(learn(&f, 5, fresh()), SCHEMA_ABSENT);
    put(&f, "5.avsc", GOOD);
    ck_assert_int_eq(find(&f, 5), SCHEMA_ABSENT); /* the answer is kept */
    schema_table_free(f.table);
    load(&f);
    ck_assert_int_eq(find(&f, 5), SCHEMA_USABLE);
    unlink(harness_write(f.folder, "5.avsc", "", 0));
    ck_assert_int_eq(find(&f, 5), SCHEMA_USABLE); /* for ever */
    ck_assert_int_eq(find(&f, 6), SCHEMA_NOT_ASKED);
    ck_assert_int_eq(learn(&f, 6, stale()), SCHEMA_NOT_ASKED); /* too old */
    put(&f, "6.avsc", GOOD);
    ck_assert_int_eq(learn(&f, 6, fresh()), SCHEMA_USABLE);
    report(&f);
    ck_assert_ptr_nonnull(strstr(f.said, "6 1 schema 6 (E): 1 features bound"));
    release(&f);
}
END_TEST

START_TEST(a_usable_schema_is_never_read_again)
{
    const struct plan *first, *again;
    struct fixture f;

    init(&f);
    put(&f, "17.avsc", GOOD);
    load(&f);
    schema_table_find(f.table, 17, &first);
    put(&f, "17.avsc", OTHER);
    ck_assert_int_eq(learn(&f, 17, fresh()), SCHEMA_USABLE);
    schema_table_find(f.table, 17, &again);
    ck_assert_ptr_eq(again, first);
    release(&f);
}
END_TEST

/* text, words */
static const char *const unusable[][2] = {
    {"", "schema 9: not an Avro schema: not JSON"},
    {"{\"type\":\"record\"", "schema 9: not an Avro schema: not JSON"},
    {"\"nonsense\"", "schema 9: not an Avro schema: type nonsense is not defined"},
    {"\"string\"", "schema 9: cannot serve the model: feature x: "},
    {OTHER, "schema 9 (E): cannot serve the model: feature x: no field x; did you mean y?"},
};

START_TEST(an_unusable_schema_says_why_and_is_looked_at_again_after_a_second)
{
    struct fixture f;

    init(&f);
    load(&f);
    put(&f, "9.avsc", unusable[_i][0]);
    ck_assert_int_eq(learn(&f, 9, stale()), SCHEMA_NOT_ASKED);
    ck_assert_msg(strstr(report(&f), unusable[_i][1]) != NULL, "%s", f.said);
    if (_i % 2) { /* gone: what it was it still is */
        unlink(harness_write(f.folder, "9.avsc", "", 0));
        ck_assert_int_eq(learn(&f, 9, stale()), SCHEMA_NOT_ASKED);
        put(&f, "9.avsc", unusable[_i][0]);
    }
    /* As before: nothing new to say. */
    ck_assert_int_eq(learn(&f, 9, stale()), SCHEMA_NOT_ASKED);
    ck_assert_str_eq(report(&f), "");
    /* Whole now. */
    put(&f, "9.avsc", GOOD);
    ck_assert_int_eq(learn(&f, 9, fresh()), SCHEMA_USABLE);
    ck_assert_ptr_nonnull(strstr(report(&f), "9 1 schema 9 (E): 1 features bound"));
    release(&f);
}
END_TEST

START_TEST(a_file_that_can_be_no_schema_is_unusable)
{
    char path[300], *huge = calloc(SCHEMA_MAX_BYTES + 1, 1);
    struct fixture f;

    init(&f);
    load(&f);
    snprintf(path, sizeof path, "%s/1.avsc", f.folder);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    ck_assert_int_eq(learn(&f, 1, fresh()), SCHEMA_UNUSABLE);
    harness_write(f.folder, "2.avsc", huge, SCHEMA_MAX_BYTES + 1);
    ck_assert_int_eq(learn(&f, 2, fresh()), SCHEMA_UNUSABLE);
    ck_assert_ptr_nonnull(strstr(report(&f), "1 0 schema 1: "));
    ck_assert_ptr_nonnull(strstr(f.said, "2 0 schema 2: "));
    free(huge);
    release(&f);
}
END_TEST

/* A file that is there and will not be read now: a link to itself. */
START_TEST(a_file_that_cannot_be_read_is_a_dependency)
{
    struct fixture f;
    char path[300];

    init(&f);
    load(&f);
    snprintf(path, sizeof path, "%s/3.avsc", f.folder);
    ck_assert_int_eq(symlink("3.avsc", path), 0);
    ck_assert_int_eq(schema_table_learn(f.table, 3, clock_ms(), &f.err), -1);
    ck_assert_int_eq(f.err.kind, ERR_DEPENDENCY);
    ck_assert_ptr_nonnull(strstr(f.err.text, "schema 3: "));
    ck_assert_int_eq(find(&f, 3), SCHEMA_NOT_ASKED);
    release(&f);
}
END_TEST

START_TEST(a_folder_that_cannot_be_read_stops_the_start)
{
    struct fixture f;
    char path[300];

    init(&f);
    snprintf(path, sizeof path, "%s/none", f.folder);
    ck_assert_int_eq(try_load(&f, path), -1);
    ck_assert_ptr_null(f.table);
    ck_assert_int_eq(f.err.kind, ERR_FATAL);
    ck_assert_int_eq(f.err.exit_code, EXIT_IO);
    ck_assert_ptr_nonnull(strstr(f.err.text, path));
    release(&f);
}
END_TEST

/* Hostile ids push one another out of a table of fixed size; what has a schema stays. */
START_TEST(five_thousand_unknown_ids_push_out_nothing_that_is_known)
{
    struct fixture f;

    init(&f);
    put(&f, "17.avsc", GOOD);
    put(&f, "18.avsc", OTHER);
    load(&f);
    for (uint32_t id = 1000; id < 6000; id++)
        ck_assert_int_eq(learn(&f, id * 50, fresh()), SCHEMA_ABSENT);
    ck_assert_int_eq(find(&f, 17), SCHEMA_USABLE);
    ck_assert_int_eq(learn(&f, 18, fresh()), SCHEMA_UNUSABLE);
    release(&f);
}
END_TEST

START_TEST(a_folder_with_too_many_schemas_stops_the_start_and_later_pushes_out_useless_ones)
{
    struct fixture f;
    char path[300], first[300];

    init(&f);
    snprintf(first, sizeof first, "%s", harness_write(f.folder, "0.avsc", BYTES(GOOD)));
    for (int i = 1; i < SCHEMA_TABLE_MAX; i++) {
        snprintf(path, sizeof path, "%s/%d.avsc", f.folder, i);
        ck_assert_int_eq(link(first, path), 0); /* half the time of a file each */
    }
    unlink(path);
    snprintf(path, sizeof path, "%d.avsc", SCHEMA_TABLE_MAX - 1);
    put(&f, path, OTHER);
    load(&f);
    put(&f, "9999.avsc", GOOD);
    ck_assert_int_eq(learn(&f, 9999, fresh()), SCHEMA_USABLE);
    ck_assert_int_eq(find(&f, SCHEMA_TABLE_MAX - 1), SCHEMA_NOT_ASKED); /* pushed out */
    for (uint32_t id = 0; id < SCHEMA_TABLE_MAX - 1; id++)
        ck_assert_int_eq(find(&f, id), SCHEMA_USABLE);
    put(&f, "10000.avsc", GOOD); /* then a useful one, which comes back when it is needed */
    ck_assert_int_eq(learn(&f, 10000, fresh()), SCHEMA_USABLE);
    ck_assert_uint_eq(schema_table_count(f.table), SCHEMA_TABLE_MAX);
    schema_table_free(f.table);
    ck_assert_int_eq(try_load(&f, f.folder), -1);
    ck_assert_int_eq(f.err.exit_code, EXIT_CONFIGURATION);
    ck_assert_ptr_nonnull(strstr(f.err.text, "more than 8192 schemas"));
    release(&f);
}
END_TEST

/* ---- a source that answers when the test says so, as a registry does */

struct slow {
    struct schema_source source;
    struct schema_answer answers[8];
    size_t answer_count;
    unsigned ask_count;
    uint32_t last;
};

static int slow_start(struct schema_source *source, struct err *err)
{
    (void)source, (void)err;
    return 0;
}

static void slow_ask(struct schema_source *source, uint32_t id)
{
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

static void open_slow(struct fixture *f, struct slow *s, int64_t first_wait_ms, unsigned asks)
{
    init(f);
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

SUITE(schema_table)
{
    TCase *loops = harness_case(suite, "unusable", NULL, 0);

    tcase_add_loop_test(loops, an_unusable_schema_says_why_and_is_looked_at_again_after_a_second, 0,
                        sizeof unusable / sizeof unusable[0]);
    CASE("folder", every_schema_of_the_folder_is_known_at_once,
         an_absent_schema_is_asked_for_once_a_second, a_usable_schema_is_never_read_again,
         a_file_that_can_be_no_schema_is_unusable, a_file_that_cannot_be_read_is_a_dependency,
         a_folder_that_cannot_be_read_stops_the_start);
    CASE("slow", an_id_is_asked_for_once_until_its_answer_comes,
         whoever_waits_hears_of_a_failure_before_it_is_asked_again,
         the_first_verdict_waits_for_a_schema_that_comes_late, more_ids_than_a_second_allows_wait,
         what_a_seconds_cap_lets_in_is_remembered_as_long_as_it_counts);
    CASE("bounds", five_thousand_unknown_ids_push_out_nothing_that_is_known,
         a_folder_with_too_many_schemas_stops_the_start_and_later_pushes_out_useless_ones);
}
