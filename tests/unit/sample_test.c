/* What kscore schema and check say of a topic's newest records: counted by the decoder of run. */
#include "pipeline/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "pipeline/schemas.h"
#include "tests/events.h"
#include "tests/fixture.h"
#include "tests/harness.h"
#include "tests/reading.h"
#include "tests/stub.h"

struct fixture {
    char folder[300];
    struct config config;
    struct bundle bundle;
    struct sample sample;
    struct decoder *decoder; /* that of run */
    float row[16];
    int64_t offset;
};

enum { X, Y, CARRIER, DEST, WIND, WEEKEND };

/* format: more lines of configuration; %s is the fixture's folder. */
static void init(struct fixture *f, const char *format)
{
    char text[2000] = FIXTURE_CONFIG;
    size_t len = strlen(text);
    struct schema_source *source;
    struct err err = ERR_INIT;

    memset(f, 0, sizeof *f);
    snprintf(f->folder, sizeof f->folder, "%s", harness_folder());
    harness_write(f->folder, "t.csv", BYTES("value,code\nA,0\nB,1\n"));
    harness_write(f->folder, "1.avsc",
                  BYTES("{\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":\"x\",\"type\":"
                        "\"double\"},{\"name\":\"c\",\"type\":\"string\"}]}"));
    snprintf(text + len, sizeof text - len, format, f->folder);
    fixture_config(&f->config, text);
    f->bundle.name = f->bundle.version = (char *)"1";
    f->bundle.features =
        EVENTS_FEATURES(f->folder, "x = x : number, required", "y = a.y | y : number, default 3",
                        "carrier = c : category t.csv, optional, unknown as error",
                        "dest = d : category t.csv, default 1, unknown as missing",
                        "wind = wind_speed : number, optional", "weekend = w : boolean, optional");
    ck_assert_msg(sample_init(&f->sample, &f->config, &f->bundle, 20000, &err) == 0, "%s",
                  err.text);
    ck_assert_int_eq(schemas_open(&f->config, &source, &err), 0);
    ck_assert_msg(schemas_decoder(&f->decoder, &f->config, source, &f->bundle.features, &err) == 0,
                  "%s", err.text);
}

static void release(struct fixture *f)
{
    sample_release(&f->sample);
    decoder_free(f->decoder);
    config_release(&f->config);
    features_release(&f->bundle.features);
}

/* The sample counts what run would do with it. */
static void add(struct fixture *f, const void *data, size_t len)
{
    struct record record = {
        .value = {data, len}, .offset = f->offset++, .partition = 2, .topic = "payments"};
    struct sample *s = &f->sample;
    uint64_t scored = s->scored, skipped = s->skipped, dead[FAULT_COUNT];
    struct outcome want;
    int64_t id;

    for (size_t i = 0; i < FAULT_COUNT; i++)
        dead[i] = s->faults[i].count;
    sample_add(s, &record);
    want = decoder_decode(f->decoder, record.value, f->row, &id);
    if (want.kind == OUTCOME_WAITING) {
        struct err err = ERR_INIT;
        ck_assert_int_eq(decoder_learn(f->decoder, id, clock_ms(), &err), 0);
        want = decoder_decode(f->decoder, record.value, f->row, &id);
    }
    ck_assert_uint_eq(s->scored - scored, want.kind == OUTCOME_SCORED);
    ck_assert_uint_eq(s->skipped - skipped, want.kind == OUTCOME_SKIPPED);
    for (size_t i = 1; i < FAULT_COUNT; i++)
        ck_assert_msg(s->faults[i].count - dead[i] == (want.fault == i), "%s, and not %s",
                      events_outcome(want), fault_reason((enum fault)i));
}

static void add_text(struct fixture *f, const char *text)
{
    char *json = reading_quoted(text);

    add(f, json, strlen(json));
    free(json);
}

static void expect_counts(const struct sample *s, int feature, const char *want)
{
    const struct sample_feature *f = &s->features[feature];
    char text[200];

    snprintf(text, sizeof text, "%d there, %d missing, %d wrong, %d unknown, %d infinite",
             (int)f->present, (int)f->missing, (int)f->wrong_type, (int)f->unknown_category,
             (int)f->not_finite);
    ck_assert_str_eq(text, want);
}

static const char *const events[] = {
    "{'x':1,'a':{'y':3},'c':'A','d':'B','w':true}",
    "{'x':1e99,'y':2,'c':'Z','d':'Z'}",
    "{'x':'1','a':{'y':null,'extra':1},'c':7,'wind':4}",
    "{'a':{'y':3},'y':1,'c':null,'d':null,'wind':4}",
    "{'x':null,'c':'Z','wind':5,'wind_dir':{'deep':1}}",
    "{'x':2,'y':3,'w':0}",
    "{'x':2}",
    "{'x':2",
    "{'x':2,'x':3}",
    "[]",
    "",
};

START_TEST(json_events_are_counted_feature_by_feature_as_run_judges_them)
{
    struct fixture f;
    const struct sample *s = &f.sample;

    init(&f, "");
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        add_text(&f, events[i]);
    add(&f, NULL, 0);
    sample_end(&f.sample);
    ck_assert_uint_eq(s->records, 12);
    ck_assert_uint_eq(s->scored, 2);
    ck_assert_uint_eq(s->skipped, 1);
    ck_assert_uint_eq(s->dead, 9);
    ck_assert_uint_eq(s->events, 8);
    expect_counts(s, X, "3 there, 2 missing, 2 wrong, 0 unknown, 1 infinite");
    expect_counts(s, Y, "4 there, 3 missing, 1 wrong, 0 unknown, 0 infinite");
    expect_counts(s, CARRIER, "1 there, 3 missing, 2 wrong, 2 unknown, 0 infinite");
    expect_counts(s, DEST, "1 there, 5 missing, 1 wrong, 1 unknown, 0 infinite");
    expect_counts(s, WIND, "0 there, 7 missing, 1 wrong, 0 unknown, 0 infinite");
    ck_assert_str_eq(s->unused.items[0].path, "wind");
    release(&f);
}
END_TEST

START_TEST(fields_that_nobody_takes_are_named_and_so_is_what_they_may_be)
{
    struct fixture f;
    const struct unused *u = &f.sample.unused;

    init(&f, "[producer]\ncarry = key\n");
    for (int i = 0; i < 3; i++)
        add_text(&f, i < 2 ? "{'x':1,'key':1,'a':{'y':1,'z':{'q':1}},'wind_sped':2,'a.b':[1]}"
                           : "{'z':1,'z':2,'wind_sped':1,'x':2}");
    sample_end(&f.sample);
    ck_assert_uint_eq(u->count, 4);
    ck_assert_str_eq(u->items[0].path, "wind_sped");
    ck_assert_uint_eq(u->items[0].events, 3);
    ck_assert_str_eq(u->items[1].path, "[\"a.b\"]");
    ck_assert_str_eq(u->items[2].path, "a.z");
    ck_assert_uint_eq(u->items[2].events, 2);
    ck_assert_str_eq(u->items[3].path, "z");
    ck_assert_uint_eq(u->items[3].events, 1);
    ck_assert_str_eq(f.sample.features[WIND].nearest, "wind_sped");
    ck_assert_ptr_null(f.sample.features[X].nearest);
    release(&f);
}
END_TEST

START_TEST(below_a_root_only_its_fields_count)
{
    struct fixture f;

    init(&f, "[consumer]\nframing = json-schema\nroot = after\nevent_time = t\n");
    add(&f, BYTES("\0\0\0\0\7{\"op\":1,\"after\":{\"x\":1,\"b\":2,\"t\":5}}"));
    add(&f, BYTES("\0\0\0\0\7{\"op\":1,\"after\":null}"));
    add(&f, BYTES("\0\0\0\0\7{\"op\":1}"));
    add(&f, BYTES("\0\0\0\0\7{\"after\":{\"x\":1}}"));
    sample_end(&f.sample);
    ck_assert_uint_eq(f.sample.unused.count, 1);
    ck_assert_str_eq(f.sample.unused.items[0].path, "after.b");
    ck_assert_uint_eq(f.sample.scored, 2);
    ck_assert_uint_eq(f.sample.skipped, 1);
    ck_assert_uint_eq(f.sample.no_event_time, 1);
    ck_assert_uint_eq(f.sample.schema_count, 1);
    ck_assert_str_eq(f.sample.schemas[0].id, "7");
    release(&f);
}
END_TEST

START_TEST(the_first_of_each_fault_is_kept_with_its_place)
{
    struct fixture f;
    const struct fault_tally *t;

    init(&f, "");
    t = &f.sample.faults[FAULT_BIND_WRONG_TYPE];
    add_text(&f, "{'x':1}");
    add_text(&f, "{'x':[]}");
    add_text(&f, "{'x':{}}");
    ck_assert_uint_eq(t->count, 2);
    ck_assert_str_eq(t->topic, "payments");
    ck_assert_int_eq(t->first_partition, 2);
    ck_assert_int_eq(t->first_offset, 1);
    ck_assert_str_eq(t->message, "field x (feature x), byte 5: a value of a type that the feature "
                                 "does not take");
    release(&f);
}
END_TEST

START_TEST(hostile_names_do_not_make_it_grow)
{
    struct fixture f;
    char text[100];

    init(&f, "");
    for (int i = 0; i < UNUSED_MAX * 2; i++) {
        snprintf(text, sizeof text, "{'x':1,'f%d':{'x':[[[]]]},'same':1}", i);
        add_text(&f, text);
    }
    sample_end(&f.sample);
    ck_assert_uint_eq(f.sample.unused.count, UNUSED_MAX);
    ck_assert(f.sample.unused.has_more);
    ck_assert_str_eq(f.sample.unused.items[0].path, "same");
    release(&f);
}
END_TEST

static void add_avro(struct fixture *f, uint32_t id, const char *carrier)
{
    struct event e = {0};

    event_frame(&e, id);
    event_double(&e, 1);
    event_text(&e, carrier);
    add(f, e.data, e.len);
    event_release(&e);
}

START_TEST(avro_events_are_counted_by_schema_too)
{
    struct fixture f;
    const struct sample *s = &f.sample;

    init(&f, "[consumer]\nformat = avro\n[schemas]\nfolder = %s\n");
    add_avro(&f, 9, "A");
    add_avro(&f, 1, "A");
    add_avro(&f, 1, "Z");
    add_avro(&f, 1, "B");
    add(&f, "{}", 2);
    sample_end(&f.sample);
    ck_assert_uint_eq(s->scored, 2);
    ck_assert_uint_eq(s->dead, 3);
    ck_assert_uint_eq(s->events, 3);
    ck_assert_uint_eq(s->schema_count, 2);
    ck_assert_str_eq(s->schemas[0].id, "1");
    ck_assert_uint_eq(s->schemas[0].records, 3);
    ck_assert_uint_eq(s->schemas[0].scored, 2);
    ck_assert_str_eq(s->schemas[1].id, "9");
    ck_assert_uint_eq(s->schemas[1].scored, 0);
    expect_counts(s, CARRIER, "2 there, 0 missing, 0 wrong, 1 unknown, 0 infinite");
    expect_counts(s, WIND, "0 there, 3 missing, 0 wrong, 0 unknown, 0 infinite");
    ck_assert_uint_eq(s->unused.count, 0);
    release(&f);
}
END_TEST

START_TEST(events_whose_schema_cannot_be_asked_for_are_waiting_and_it_is_asked_once)
{
    struct fixture f;
    struct stub stub;
    struct event e = {0};
    struct record record = {.topic = "payments"};
    char text[300];

    stub_start(&stub, 0);
    stub_set(&stub, "/schemas/ids/7", STUB_ANSWERS, 500, "{}");
    snprintf(text, sizeof text, "[consumer]\nformat = avro\n[schemas]\nregistry.url = %s\n; %%s\n",
             stub.url);
    init(&f, text);
    event_frame(&e, 7);
    event_double(&e, 1);
    record.value = event_slice(&e);
    for (int i = 0; i < 3; i++)
        sample_add(&f.sample, &record);
    sample_end(&f.sample);
    ck_assert_uint_eq(f.sample.waiting, 3);
    ck_assert_uint_eq(f.sample.records, 3);
    ck_assert(f.sample.schemas[0].is_lost);
    ck_assert_int_eq(f.sample.trouble.kind, ERR_DEPENDENCY);
    ck_assert_msg(strstr(f.sample.trouble.text, "HTTP 500") != NULL, "%s", f.sample.trouble.text);
    ck_assert_uint_eq(stub_count(&stub, "/schemas/ids/7"), 1);
    event_release(&e);
    release(&f);
    stub_stop(&stub);
}
END_TEST

SUITE(sample)
{
    CASE("json", json_events_are_counted_feature_by_feature_as_run_judges_them,
         fields_that_nobody_takes_are_named_and_so_is_what_they_may_be,
         below_a_root_only_its_fields_count, the_first_of_each_fault_is_kept_with_its_place,
         hostile_names_do_not_make_it_grow);
    CASE("avro", avro_events_are_counted_by_schema_too,
         events_whose_schema_cannot_be_asked_for_are_waiting_and_it_is_asked_once);
}
