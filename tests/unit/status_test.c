/* /status of a made-up board and journal. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/schema_id.h"
#include "core/journal.h"
#include "pipeline/observer.h"
#include "tests/fixture.h"
#include "tests/harness.h"

static struct world {
    struct config config;
    struct board *board;
    struct journal *journal;
    struct metrics metrics;
    struct observer *observer;
    json_t *status;
} world;

static void open_world(void)
{
    fixture_config(&world.config, FIXTURE_CONFIG);
    world.board = board_new(1);
    world.journal = journal_new();
    metrics_init(&world.metrics);
    world.observer = observer_new(&(struct observer_options){
        .config = &world.config, .build = "test", .board = world.board, .journal = world.journal});
}

static void close_world(void)
{
    json_decref(world.status);
    observer_free(world.observer);
    metrics_release(&world.metrics);
    journal_free(world.journal);
    board_free(world.board);
    config_release(&world.config);
}

static void say(const char *event, const char *text)
{
    journal_take(world.journal, &(struct log_line){LOG_INFO, event, text, -1});
    if (journal_kind_of(event) == JOURNAL_CHANGE)
        board_set_change(world.board, journal_last(world.journal));
}

/* One partition with so many outcomes. */
static void count(uint64_t scored, uint64_t dead)
{
    struct part_metrics *part = metrics_parts(&world.metrics, 1);

    *part = (struct part_metrics){.topic = world.config.topics[0],
                                  .is_owned = true,
                                  .consumed = scored + dead,
                                  .scored = scored,
                                  .dead = dead,
                                  .moved_ms = clock_ms()};
}

static void die(enum fault fault, int64_t schema_id, int64_t offset, const char *message)
{
    struct place place = {world.config.topics[0], 0, offset, clock_wall_ms()};
    struct fault_metrics *f = metrics_fault(&world.metrics, fault, schema_id, &place);

    metrics_fallout(&world.metrics, board_change(world.board), f);
    snprintf(f->message, sizeof f->message, "%s", message);
}

static json_t *ask(void)
{
    char *text;

    board_publish(world.board, 0, &world.metrics);
    text = observer_status(world.observer);
    ck_assert_msg(text != NULL, "there is no document");
    json_decref(world.status);
    world.status = json_loads(text, 0, NULL);
    ck_assert_msg(world.status != NULL, "no JSON: %s", text);
    free(text);
    return world.status;
}

/* "errors.0.first.offset"; NULL: there is no such thing. */
static json_t *at(const char *path)
{
    json_t *here = world.status;
    char word[64];

    for (size_t len; here && *path; path += len + (path[len] == '.')) {
        len = strcspn(path, ".");
        snprintf(word, sizeof word, "%.*s", (int)len, path);
        here = json_is_array(here) ? json_array_get(here, (size_t)atoi(word))
                                   : json_object_get(here, word);
    }
    return here;
}

static const char *text_at(const char *path)
{
    const char *text = json_string_value(at(path));

    ck_assert_msg(text != NULL, "%s is no text", path);
    return text;
}

static void expect_number(const char *path, double want)
{
    ck_assert_msg(json_is_number(at(path)), "%s is no number", path);
    ck_assert_double_eq_tol(json_number_value(at(path)), want, 1e-9);
}

START_TEST(text_that_is_cut_within_a_character_leaves_the_document_whole)
{
    char text[JOURNAL_TEXT_MAX + 8];

    memset(text, 'x', sizeof text);
    memcpy(text + JOURNAL_TEXT_MAX - 2, "\xc3\xa9", 3);
    say("starting", text);
    count(1, 1);
    die(FAULT_BIND_WRONG_TYPE, 1, 5, "\xc3");
    world.metrics.activity = ACTIVITY_WAITING;
    memcpy(world.metrics.why, "a\xff", 3);
    memcpy(world.metrics.model.name, "\xe2\x82", 3);
    snprintf(world.metrics.decisions[metrics_decision(&world.metrics, "\xf0")].name, 4, "\xf0");
    ask();
    ck_assert_str_eq(text_at("errors.0.message"), "\xef\xbf\xbd");
    ck_assert_str_eq(text_at("kscore.why"), "a\xef\xbf\xbd");
}
END_TEST

START_TEST(each_change_says_what_died_first_behind_it)
{
    say("starting", "name=fraud");
    say("schema_loaded", "id=7");
    count(10, 2);
    die(FAULT_BIND_WRONG_TYPE, 7, 41, "amount");
    die(FAULT_BIND_WRONG_TYPE, 7, 42, "amount");
    say("schema_loaded", "id=8");
    die(FAULT_BIND_MISSING_FIELD, 8, 50, "amount");
    say("schema_loaded", "id=9");
    ask();
    expect_number("changes.0.effect.first_dead.offset", 41);
    expect_number("changes.1.effect.first_dead.offset", 41);
    ck_assert_str_eq(text_at("changes.1.effect.first_dead.reason"), "wrong_type");
    expect_number("changes.2.effect.first_dead.offset", 50);
    ck_assert_str_eq(text_at("changes.2.effect.first_dead.schema_id"), "8");
    ck_assert(json_is_null(at("changes.3.effect.first_dead")));
    expect_number("changes.0.effect.dead_share_after", 2.0 / 12);
}
END_TEST

START_TEST(more_changes_than_are_remembered_claim_no_first_dead_letter)
{
    for (int i = 0; i < METRICS_CHANGES + 5; i++) {
        say("schema_loaded", "id=7");
        die(FAULT_BIND_WRONG_TYPE, 7, i, "amount");
    }
    ask();
    ck_assert(json_is_null(at("changes.0.effect.first_dead")));
    expect_number("changes.30.effect.first_dead.offset", 30);
}
END_TEST

START_TEST(the_verdict_is_of_the_same_facts_as_the_rest)
{
    say("starting", "name=fraud");
    count(100, 0);
    ask();
    ck_assert_str_eq(text_at("verdict.level"), "ok");
    ck_assert(json_is_true(at("kscore.ready")));
    count(100, 2);
    die(FAULT_DECODE_BAD_JSON, SCHEMA_ID_NONE, 99, "at byte 3");
    die(FAULT_BIND_MISSING_FIELD, SCHEMA_ID_NONE, 100, "amount");
    die(FAULT_BIND_MISSING_FIELD, SCHEMA_ID_NONE, 101, "amount");
    ask();
    ck_assert_str_eq(text_at("verdict.kind"), "errors");
    expect_number("verdict.first.offset", 100);
    expect_number("verdict.change", json_integer_value(at("changes.0.number")));
    ck_assert_str_eq(text_at("verdict.also.0.kind"), "errors");
    ck_assert_str_eq(text_at("errors.0.reason"), "missing_field");
    expect_number("errors.0.last_minute", 2);
    ck_assert_str_eq(text_at("errors.0.explain"), "kscore explain -c k.ini payments 0 100");
    world.metrics.activity = ACTIVITY_WAITING;
    snprintf(world.metrics.why, sizeof world.metrics.why, "kafka: no broker is there");
    ask();
    ck_assert(!json_is_true(at("kscore.ready")));
    ck_assert_str_eq(text_at("verdict.kind"), "waiting");
}
END_TEST

SUITE(status)
{
    TCase *tcase = CASE("document", text_that_is_cut_within_a_character_leaves_the_document_whole,
                        each_change_says_what_died_first_behind_it,
                        more_changes_than_are_remembered_claim_no_first_dead_letter,
                        the_verdict_is_of_the_same_facts_as_the_rest);

    tcase_add_checked_fixture(tcase, open_world, close_world);
}
