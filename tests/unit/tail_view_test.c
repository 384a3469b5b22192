/* The lines of kscore tail: what a person sees, and what a terminal must not. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/tail_view.h"
#include "tests/harness.h"
#include "tests/reading.h"

#define HEADER(name, text)                                                                         \
    {                                                                                              \
        name,                                                                                      \
        {                                                                                          \
            (const uint8_t *)(text), sizeof(text) - 1                                              \
        }                                                                                          \
    }

static const struct header dead[] = {HEADER("__connect.errors.topic", "payments"),
                                     HEADER("__connect.errors.partition", "3"),
                                     HEADER("__connect.errors.offset", "912"),
                                     HEADER("__connect.errors.stage", "decode"),
                                     HEADER("__connect.errors.exception.class.name", "bad_json"),
                                     HEADER("__connect.errors.exception.message", "not JSON"),
                                     HEADER("kscore.blame", "record"),
                                     HEADER("kscore.dropped", "value")};

enum { DEAD = sizeof dead / sizeof dead[0] };

static struct slice slice(const char *text)
{
    return text ? slice_of(text) : (struct slice){NULL, 0};
}

/* The line of a record at t[0]@7: static buffer. json NULL: it is none, for that reason. */
static const char *show(struct tail_view view, const struct record *record, struct tail_item item)
{
    static char line[8192];

    item.record = record;
    view.out = fmemopen(line, sizeof line, "w");
    tail_view_show(&view, &item);
    fclose(view.out);
    return line;
}

static struct record record_of(const char *key, const char *value)
{
    return (struct record){.key = slice(key),
                           .value = slice(value),
                           .offset = 7,
                           .timestamp_ms = 1769860800250,
                           .topic = "t"};
}

#define TIME "2026-01-31T12:00:00.250Z "

START_TEST(a_score_is_one_line_and_what_is_none_is_shown_as_it_is)
{
    static const struct {
        const char *json, *want;
    } rows[] = {
        {"{\"topic\":\"p\",\"partition\":3,\"offset\":912,\"model\":\"fraud\",\"version\":\"7\","
         "\"score\":0.93123456,\"decision\":\"block\",\"mode\":\"live\"}",
         TIME "t[0]@7 k 0.931235 block fraud 7 <- p[3]@912\n"},
        {"{\"topic\":\"p\",\"partition\":3,\"offset\":912,\"model\":\"fraud\",\"version\":\"7\","
         "\"score\":1,\"decision\":null,\"mode\":\"replay\"}",
         TIME "t[0]@7 k 1 - fraud 7 <- p[3]@912 replay\n"},
        {"{\"score\":1}", TIME "t[0]@7 k {\"score\":1}\n"},
        {"{\"score\":\"x\",\"offset\":1}", TIME "t[0]@7 k {\"score\":\"x\",\"offset\":1}\n"},
        {"[]", TIME "t[0]@7 k []\n"},
    };
    struct record r = record_of("k", "");

    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++)
        ck_assert_str_eq(show((struct tail_view){.topic = i % 2 ? TAIL_ALERTS : TAIL_SCORES}, &r,
                              (struct tail_item){.json = slice(rows[i / 2].json)}),
                         rows[i / 2].want);
}
END_TEST

START_TEST(a_dead_letter_is_its_origin_its_reason_and_the_first_bytes)
{
    char value[200], want[200];
    struct tail_view view = {.topic = TAIL_DEAD};
    struct record r = record_of("k", "");

    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    r.value = slice(value);
    snprintf(want, sizeof want, TIME "payments[3]@912 decode/bad_json record not JSON | %.80s\n",
             value);
    ck_assert_str_eq(show(view, &r, (struct tail_item){.headers = dead, .header_count = DEAD}),
                     want);
    r.value = slice(NULL);
    ck_assert_str_eq(show(view, &r, (struct tail_item){.headers = dead, .header_count = DEAD}),
                     TIME "payments[3]@912 decode/bad_json record not JSON | dropped\n");
    /* what somebody else put there */
    r.value = slice("{}");
    ck_assert_str_eq(show(view, &r, (struct tail_item){.headers = dead, .header_count = 2}),
                     TIME "t[0]@7 k {}\n");
}
END_TEST

START_TEST(an_event_of_which_no_score_is_made_is_marked)
{
    struct tail_view view = {.topic = TAIL_EVENTS};
    struct tail_item item = {.json = slice("{\"after\":null}"), .is_skipped = true};
    struct record r = record_of("k", "");

    ck_assert_str_eq(show(view, &r, item), TIME "t[0]@7 k skipped {\"after\":null}\n");
    view.is_json = true;
    ck_assert_ptr_nonnull(
        strstr(show(view, &r, item), "\"key\":\"k\",\"skipped\":true,\"value\":{\"after\":null}}"));
    r.value = slice(NULL);
    view.is_json = false;
    ck_assert_str_eq(show(view, &r, (struct tail_item){.is_skipped = true}),
                     TIME "t[0]@7 k null\n");
}
END_TEST

START_TEST(values_are_cut_to_the_width_and_nothing_else_is)
{
    static const char json[] = "{\"name\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}";
    static const struct {
        size_t width;
        const char *want;
    } rows[] = {
        {0, TIME "t[0]@7 k {\"name\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}\n"},
        {34 + 21, TIME "t[0]@7 k {\"name\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
                       "\xc3\xa9\"}\n"},
        {10, TIME "t[0]@7 k {\"name\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}\n"}};
    struct record r = record_of("k", "");
    char wide[100];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_str_eq(show((struct tail_view){.topic = TAIL_EVENTS, .width = rows[i].width}, &r,
                              (struct tail_item){.json = slice(json)}),
                         rows[i].want);
    memset(wide, '1', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    ck_assert_uint_eq(strlen(show((struct tail_view){.topic = TAIL_EVENTS, .width = 60}, &r,
                                  (struct tail_item){.json = slice(wide)})),
                      60 + 1);
}
END_TEST

static void expect_not_obeyed(const char *line, bool is_json)
{
    size_t len = strlen(line) - 1;
    json_t *json;

    for (size_t i = 0; i < len; i++)
        ck_assert_msg((uint8_t)line[i] >= 0x20 && line[i] != 0x7f, "raw %02x in: %s",
                      (uint8_t)line[i], line);
    ck_assert_msg(line[len] == '\n' && !strstr(line, "\xc2\x9b"), "raw: %s", line);
    if (!is_json)
        return;
    json = json_loadb(line, len, 0, NULL);
    ck_assert_msg(json != NULL, "not JSON: %s", line);
    json_decref(json);
}

/* Every byte in every place that a stranger fills. */
START_TEST(no_byte_of_a_record_is_obeyed)
{
    for (int way = 0; way < 255 * 8; way++) {
        char evil[] = "a?\xc2\x9b\x1b[2J\nb";
        struct tail_view view = {.topic = (enum tail_topic)(way % 4), .is_json = way / 4 % 2};
        struct tail_item item = {.trouble = "not JSON", .rest = slice(way % 2 ? evil : NULL)};
        struct record r = record_of(evil, evil);
        struct header headers[DEAD];
        evil[1] = (char)(way / 8 + 1);
        memcpy(headers, dead, sizeof headers);
        for (size_t i = 0; i < DEAD; i++)
            headers[i].value = slice(evil);
        if (view.topic == TAIL_DEAD)
            item = (struct tail_item){.headers = headers, .header_count = DEAD};
        expect_not_obeyed(show(view, &r, item), view.is_json);
    }
}
END_TEST

START_TEST(colours_are_only_ours)
{
    struct tail_view view = {.topic = TAIL_EVENTS, .has_colour = true};
    struct record r = record_of("\x1b[31m", "");

    ck_assert_str_eq(show(view, &r, (struct tail_item){.json = slice("1")}),
                     "\x1b[2m2026-01-31T12:00:00.250Z\x1b[0m \x1b[2mt[0]@7\x1b[0m \\u001b[31m 1\n");
}
END_TEST

START_TEST(json_lines_hold_the_value_as_it_is)
{
    struct record r = record_of(NULL, "");
    struct tail_view view = {.topic = TAIL_EVENTS, .is_json = true, .width = 10};

    ck_assert_str_eq(
        show(view, &r,
             (struct tail_item){.json = slice("{\n\t\"x\": 1.50, \"s\":\"\xc2\x9b\"\r\n}")}),
        "{\"topic\":\"t\",\"partition\":0,\"offset\":7,\"timestamp\":1769860800250,\"key\":null,"
        "\"value\":{  \"x\": 1.50, \"s\":\"\\u009b\"  }}\n");
    r.timestamp_ms = -1;
    ck_assert_str_eq(show(view, &r, (struct tail_item){0}),
                     "{\"topic\":\"t\",\"partition\":0,\"offset\":7,\"timestamp\":null,"
                     "\"key\":null,\"value\":null}\n");
    view.topic = TAIL_DEAD;
    ck_assert_ptr_nonnull(
        strstr(show(view, &r, (struct tail_item){.headers = dead, .header_count = DEAD}),
               "\"origin_topic\":\"payments\",\"origin_partition\":3,\"origin_offset\":912,"
               "\"stage\":\"decode\",\"reason\":\"bad_json\",\"blame\":\"record\","
               "\"message\":\"not JSON\",\"schema_id\":null,"));
}
END_TEST

SUITE(tail_view)
{
    CASE("lines", a_score_is_one_line_and_what_is_none_is_shown_as_it_is,
         a_dead_letter_is_its_origin_its_reason_and_the_first_bytes,
         an_event_of_which_no_score_is_made_is_marked,
         values_are_cut_to_the_width_and_nothing_else_is, colours_are_only_ours,
         json_lines_hold_the_value_as_it_is);
    CASE("hostile", no_byte_of_a_record_is_obeyed);
}
