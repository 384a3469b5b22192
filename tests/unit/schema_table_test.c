#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "schemas/schema_fingerprints.h"
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

static int try_source(struct fixture *f, struct schema_source *source)
{
    int result = schema_table_load(&f->table, source, 0, &f->features, &f->err);

    if (result != 0)
        source->free(source);
    return result;
}

static int try_load(struct fixture *f, const char *folder)
{
    return try_source(f, schema_folder_new(folder));
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

static enum schema_state find(struct fixture *f, uint64_t id)
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
static enum schema_state learn(struct fixture *f, uint64_t id, int64_t now_ms)
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

/* ---- ids that are fingerprints */

/* Of GOOD and OTHER, computed apart from kscore. */
#define GOOD_PRINT UINT64_C(0xe445f9926eed6e40)
#define OTHER_PRINT UINT64_C(0xcc221d19bd1ea4c3)

static void load_fingerprints(struct fixture *f)
{
    ck_assert_msg(try_source(f, schema_fingerprints_new(f->folder)) == 0, "%s", f->err.text);
}

START_TEST(any_avsc_is_known_by_its_fingerprint)
{
    struct fixture f;

    init(&f);
    put(&f, "event.avsc", GOOD);
    put(&f, "the-same.avsc",
        "{\"doc\":\"d\",\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":\"x\","
        "\"type\":\"int\",\"default\":0}]}");
    put(&f, "17.avsc", OTHER);
    put(&f, ".hidden.avsc", "x");
    put(&f, "event.json", "x");
    put(&f, "damaged.avsc", "x");
    load_fingerprints(&f);
    ck_assert_int_eq(find(&f, GOOD_PRINT), SCHEMA_USABLE);
    ck_assert_int_eq(find(&f, 17), SCHEMA_NOT_ASKED);
    ck_assert_int_eq(learn(&f, OTHER_PRINT, fresh()), SCHEMA_UNUSABLE);
    ck_assert_int_eq(learn(&f, 17, fresh()), SCHEMA_ABSENT);
    report(&f);
    ck_assert_msg(strstr(f.said, "schema e445f9926eed6e40 in ") != NULL, "%s", f.said);
    ck_assert_ptr_nonnull(strstr(f.said, ".avsc (E): 1 features bound: x (int)\n"));
    ck_assert_ptr_nonnull(strstr(f.said, "schema cc221d19bd1ea4c3 in 17.avsc (E): cannot serve"));
    ck_assert_ptr_nonnull(strstr(f.said, "-1 0 damaged.avsc: not JSON"));
    ck_assert_ptr_null(strstr(f.said, "hidden"));
    ck_assert_str_eq(report(&f), "");
    release(&f);
}
END_TEST

START_TEST(new_and_changed_files_are_found_once_a_second)
{
    int64_t now_ms = clock_ms() + 600000;
    struct fixture f;

    init(&f);
    put(&f, "event.avsc", "half of a sche");
    load_fingerprints(&f);
    ck_assert_int_eq(learn(&f, GOOD_PRINT, now_ms), SCHEMA_ABSENT);
    put(&f, "event.avsc", GOOD);
    ck_assert_int_eq(learn(&f, GOOD_PRINT, now_ms + SCHEMA_FINGERPRINTS_KEEP_MS - 1),
                     SCHEMA_ABSENT);
    ck_assert_int_eq(learn(&f, GOOD_PRINT, now_ms + SCHEMA_FINGERPRINTS_KEEP_MS), SCHEMA_USABLE);
    put(&f, "event.avsc", OTHER); /* what was known stays, the new one comes beside it */
    ck_assert_int_eq(learn(&f, OTHER_PRINT, now_ms + 2 * SCHEMA_FINGERPRINTS_KEEP_MS),
                     SCHEMA_UNUSABLE);
    ck_assert_int_eq(find(&f, GOOD_PRINT), SCHEMA_USABLE);
    release(&f);
}
END_TEST

START_TEST(a_folder_of_fingerprints_that_is_gone_is_a_dependency_later_and_fatal_at_start)
{
    struct fixture f;
    char folder[256];

    init(&f);
    load_fingerprints(&f);
    ck_assert_int_eq(rmdir(f.folder), 0);
    ck_assert_int_eq(schema_table_learn(f.table, 5, fresh(), &f.err), -1);
    ck_assert_int_eq(f.err.kind, ERR_DEPENDENCY);
    ck_assert_int_eq(find(&f, 5), SCHEMA_NOT_ASKED);
    schema_table_free(f.table);
    err_reset(&f.err);
    snprintf(folder, sizeof folder, "%s", f.folder);
    ck_assert_int_eq(try_source(&f, schema_fingerprints_new(folder)), -1);
    ck_assert_int_eq(f.err.exit_code, EXIT_IO);
    ck_assert_ptr_null(f.table);
    release(&f);
}
END_TEST

/* Beside the table of x in the same folder, one of `line`; whether it may take its place. */
static int hand_over(struct fixture *f, const char *line, int64_t now_ms)
{
    struct fixture next = {.err = ERR_INIT};
    int result;

    next.features = EVENTS_FEATURES(NULL, line);
    ck_assert_int_eq(try_load(&next, f->folder), 0);
    err_reset(&f->err);
    result = schema_table_hand_over(f->table, next.table, now_ms, &f->err);
    report(&next);
    snprintf(f->said, sizeof f->said, "%s", next.said);
    release(&next);
    return result;
}

/* Features of the next one; whether a record of 1 (x, y) and of 2 (x) came; what it lacks. */
static const struct {
    const char *line;
    bool finds_one, finds_two;
    const char *why; /* NULL: it may */
} successors[] = {
    {"y = y : number, required", false, false, NULL},
    {"y = y : number, required", true, false, NULL},
    {"y = y : number, required", true, true, "schema 2 (E): cannot serve the model"},
    {"z = z : number, required", false, false, "cannot serve the model"},
    {"x = x : number, required", true, true, NULL},
};

START_TEST(a_table_in_place_of_another_serves_what_is_live)
{
    struct fixture f;
    int64_t now_ms = clock_ms();

    init(&f);
    put(&f, "1.avsc",
        "{\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"},"
        "{\"name\":\"y\",\"type\":\"int\"}]}");
    put(&f, "2.avsc", GOOD);
    load(&f);
    if (successors[_i].finds_one)
        find(&f, 1);
    if (successors[_i].finds_two)
        find(&f, 2);
    ck_assert_int_eq(hand_over(&f, successors[_i].line, now_ms), successors[_i].why ? -1 : 0);
    if (successors[_i].why) {
        ck_assert_msg(strstr(f.err.text, successors[_i].why) != NULL, "%s", f.err.text);
        ck_assert_int_eq(f.err.exit_code, EXIT_DATA);
    }
    if (successors[_i].finds_two && successors[_i].why) /* an hour later nobody sends it any more */
        ck_assert_int_eq(hand_over(&f, successors[_i].line, now_ms + 3601 * 1000), 0);
    release(&f);
}
END_TEST

START_TEST(what_the_table_before_said_is_not_said_again)
{
    struct fixture f;

    init(&f);
    put(&f, "1.avsc", GOOD);
    load(&f);
    report(&f);
    ck_assert_int_eq(hand_over(&f, "x = x : number, required", clock_ms()), 0);
    ck_assert_str_eq(f.said, "");
    ck_assert_int_eq(hand_over(&f, "z = x : number, required", clock_ms()), 0);
    ck_assert_ptr_nonnull(strstr(f.said, "1 1 schema 1 (E): 1 features bound: z"));
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
    CASE("fingerprints", any_avsc_is_known_by_its_fingerprint,
         new_and_changed_files_are_found_once_a_second,
         a_folder_of_fingerprints_that_is_gone_is_a_dependency_later_and_fatal_at_start);
    CASE("bounds", five_thousand_unknown_ids_push_out_nothing_that_is_known,
         a_folder_with_too_many_schemas_stops_the_start_and_later_pushes_out_useless_ones);
    TCase *succession = CASE("succession", what_the_table_before_said_is_not_said_again);

    tcase_add_loop_test(succession, a_table_in_place_of_another_serves_what_is_live, 0,
                        sizeof successors / sizeof successors[0]);
}
