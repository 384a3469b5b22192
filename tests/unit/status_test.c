/* /status of a made-up board and journal. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/status_view.h"
#include "core/clock.h"
#include "core/file.h"
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
    log_set_level(LOG_ERROR); /* nobody listens at localhost */
    fixture_config(&world.config, FIXTURE_CONFIG "[downstream]\ngroups = alerting\n");
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

START_TEST(why_it_is_not_ready_is_one_line)
{
    char *why;

    world.metrics.activity = ACTIVITY_WAITING;
    snprintf(world.metrics.why, sizeof world.metrics.why, "registry: 502\r\n<html>\tBad");
    ask();
    ck_assert(!observer_is_ready(world.observer, &why));
    ck_assert_str_eq(why, "not ready, waiting: registry: 502  <html> Bad\n");
    free(why);
    ck_assert(observer_is_healthy(world.observer, &why));
    ck_assert_str_eq(why, "ok\n");
    free(why);
}
END_TEST

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

/* A score of 1e300 is none to float32. */
START_TEST(what_is_no_number_to_json_is_null)
{
    world.metrics.scores.now[2] = INFINITY;
    world.metrics.scores.now[3] = 0.5;
    ask();
    ck_assert(json_is_null(at("downstream.scores.now.2")));
    expect_number("downstream.scores.now.3", 0.5);
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
    expect_number("verdict.change.number", json_integer_value(at("changes.0.number")));
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

START_TEST(the_line_to_paste_is_one_for_a_shell_wherever_the_configuration_lies)
{
    static const char *const files[][2] = {
        {"/etc/kscore/fraud-7.ini", "/etc/kscore/fraud-7.ini"},
        {"/etc/a b/k.ini", "'/etc/a b/k.ini'"},
        {"it's $HOME;.ini", "'it'\\''s $HOME;.ini'"},
        {"~/k*.ini", "'~/k*.ini'"},
    };
    char *before = world.config.file, file[64], want[200];

    count(100, 1);
    die(FAULT_DECODE_BAD_JSON, SCHEMA_ID_NONE, 99, "at byte 3");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(file, sizeof file, "%s", files[i][0]);
        world.config.file = file;
        ask();
        snprintf(want, sizeof want, "kscore explain -c %s payments 0 99", files[i][1]);
        ck_assert_str_eq(text_at("errors.0.explain"), want);
    }
    world.config.file = before;
}
END_TEST

/* ---- the page of its members */

/* Everything that may be in it is. */
static void fill_world(void)
{
    int64_t until_ms = harness_deadline();

    say("starting", "name=fraud");
    say("schema_loaded", "id=7");
    count(10, 2);
    die(FAULT_BIND_WRONG_TYPE, 7, 41, "amount");
    die(FAULT_DECODE_BAD_JSON, SCHEMA_ID_NONE, 42, "at byte 3");
    journal_take(world.journal,
                 &(struct log_line){LOG_WARNING, "first_dead_letter", "stage=bind", 0});
    metrics_decided(&world.metrics, metrics_decision(&world.metrics, "block"));
    snprintf(world.metrics.model.name, sizeof world.metrics.model.name, "fraud");
    world.metrics.model.since_ms = clock_wall_ms();
    while (ask() && !at("downstream.groups.0")) { /* the observer's thread names them */
        ck_assert_int_lt(clock_ms(), until_ms);
        harness_breathe();
    }
}

static struct {
    char *document;
    char paths[200][96];
    size_t count;
} page;

static void note(const char *path)
{
    char row[128];

    for (size_t i = 0; i < page.count; i++)
        if (strcmp(page.paths[i], path) == 0)
            return;
    ck_assert_uint_lt(page.count, 200);
    snprintf(page.paths[page.count++], sizeof page.paths[0], "%s", path);
    snprintf(row, sizeof row, "\n| `%s` | ", path);
    ck_assert_msg(strstr(page.document, row) != NULL, "docs/status.md has no row of %s", path);
}

/* Members of objects by name, of arrays as one: "errors[].first.offset". */
static void walk(const json_t *here, const char *path)
{
    char inner[96];
    const char *name;
    json_t *member;
    size_t i;

    if (json_is_array(here)) {
        snprintf(inner, sizeof inner, "%.90s[]", path);
        if (!json_is_object(json_array_get(here, 0)))
            note(inner);
        json_array_foreach(here, i, member)
        {
            walk(member, inner);
        }
        return;
    }
    if (!json_is_object(here)) {
        if (path[strlen(path) - 1] != ']')
            note(path);
        return;
    }
    json_object_foreach((json_t *)here, name, member)
    {
        snprintf(inner, sizeof inner, "%.60s%s%.30s", path, *path ? "." : "", name);
        walk(member, inner);
    }
}

START_TEST(each_member_has_its_row_in_the_docs_and_no_other_has)
{
    struct err err = ERR_INIT;
    const char *table;
    size_t len, rows = 0;

    ck_assert_msg(file_read("docs/status.md", 1 << 20, &page.document, &len, &err) == 0, "%s",
                  err.text);
    page.count = 0;
    fill_world();
    walk(world.status, "");
    table = strstr(page.document, "\n| member |");
    ck_assert_ptr_nonnull(table);
    for (const char *row = table; (row = strstr(row, "\n| `")); row++) {
        bool is_known = false;
        for (size_t i = 0; i < page.count && !is_known; i++)
            is_known = strncmp(row + 4, page.paths[i], strlen(page.paths[i])) == 0 &&
                       row[4 + strlen(page.paths[i])] == '`';
        ck_assert_msg(is_known, "docs/status.md has%.60s, the document has not", row);
        rows++;
    }
    ck_assert_uint_eq(rows, page.count);
    free(page.document);
}
END_TEST

/* ---- for a person */

static char *view(void)
{
    char *text;
    size_t len;
    struct paint paint = {open_memstream(&text, &len), false};

    status_view_show(&paint, world.status);
    fclose(paint.out);
    return text;
}

START_TEST(a_person_gets_the_three_answers_in_100_columns)
{
    static const char *const says[] = {"bind/wrong_type",
                                       "1. Did my change cause it?",
                                       "schema_loaded",
                                       "2. Is it hurting what is downstream?",
                                       "block",
                                       "3. Which part throws the errors?",
                                       "payments[0]@41",
                                       "kscore explain -c k.ini payments 0 41",
                                       "consumed 12 = scored 10 + dead 2"};
    char *text;

    fill_world();
    text = view();
    for (size_t i = 0; i < sizeof says / sizeof says[0]; i++)
        ck_assert_msg(strstr(text, says[i]) != NULL, "%s is not in\n%s", says[i], text);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        ck_assert_msg(strcspn(line, "\n") <= 100, "%.120s", line);
    free(text);
}
END_TEST

START_TEST(no_byte_of_a_message_moves_the_terminal)
{
    char *text;

    say("starting", "x\033[2J\x9b 1\r\n");
    count(1, 1);
    die(FAULT_BIND_WRONG_TYPE, 7, 41, "\033]0;title\007");
    ask();
    text = view();
    for (const char *p = text; *p; p++)
        ck_assert_msg(*p == '\n' || (unsigned char)*p >= ' ', "byte %d", *p);
    free(text);
}
END_TEST

START_TEST(whatever_is_missing_in_the_document_it_is_shown)
{
    static const char *const documents[] = {
        "{}", "{\"verdict\":1,\"changes\":{},\"errors\":[1,[]]}",
        "{\"downstream\":{\"groups\":[{}],\"scores\":{\"now\":[1]}},"
        "\"changes\":[{\"kind\":\"change\"}],\"errors\":[{}]}"};

    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        char *text;
        world.status = json_loads(documents[i], 0, NULL);
        ck_assert_ptr_nonnull(world.status);
        text = view();
        ck_assert_ptr_nonnull(strstr(text, "3. Which part"));
        free(text);
        json_decref(world.status);
        world.status = NULL;
    }
}
END_TEST

SUITE(status)
{
    TCase *tcase = CASE(
        "document", why_it_is_not_ready_is_one_line,
        each_member_has_its_row_in_the_docs_and_no_other_has,
        a_person_gets_the_three_answers_in_100_columns, no_byte_of_a_message_moves_the_terminal,
        whatever_is_missing_in_the_document_it_is_shown,
        text_that_is_cut_within_a_character_leaves_the_document_whole,
        what_is_no_number_to_json_is_null, each_change_says_what_died_first_behind_it,
        more_changes_than_are_remembered_claim_no_first_dead_letter,
        the_verdict_is_of_the_same_facts_as_the_rest,
        the_line_to_paste_is_one_for_a_shell_wherever_the_configuration_lies);

    tcase_add_checked_fixture(tcase, open_world, close_world);
}
