/* Another model in a running process: by SIGHUP, by a switched link; refused ones; and under load,
 * each score held against the bundle that it names.
 *
 * Below the cluster's folder lie models/low (the fixture's: x), models/three (x) and models/linear
 * (x and n); models/current is a link that a deploy switches. */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scoring/bundle.h"
#include "tests/broker/child.h"
#include "tests/broker/outcomes.h"
#include "tests/events.h"
#include "tests/fixture.h"
#include "tests/harness.h"

enum { PARTITIONS = 4 };
enum { LOW, THREE, LINEAR, MODELS };

static const char *const names[MODELS] = {"low", "three", "linear"};
static void (*const writers[MODELS])(const char *folder) = {fixture_bundle, fixture_bundle_of_three,
                                                            fixture_bundle_linear};

struct site {
    struct cluster cluster;
    struct child child;
    char item[400]; /* -s model.path */
    struct bundle *bundles[MODELS];
};

static const char *path_of(struct site *s, const char *name)
{
    static char paths[4][400];
    static int next;

    next = (next + 1) % 4;
    snprintf(paths[next], sizeof paths[next], "%s/models/%s", s->cluster.folder, name);
    return paths[next];
}

/* In one step, as a deploy must. */
static void deploy(struct site *s, const char *name)
{
    const char *next = path_of(s, "next");

    ck_assert_int_eq(symlink(name, next), 0);
    ck_assert_int_eq(rename(next, path_of(s, "current")), 0);
}

static void open_site(struct site *s)
{
    struct err err = ERR_INIT;

    cluster_open(&s->cluster, PARTITIONS);
    ck_assert_int_eq(mkdir(path_of(s, ""), 0755), 0);
    for (int i = 0; i < MODELS; i++) {
        ck_assert_int_eq(mkdir(path_of(s, names[i]), 0755), 0);
        writers[i](path_of(s, names[i]));
        ck_assert_msg(bundle_load(&s->bundles[i], path_of(s, names[i]), NULL, &err) == 0, "%s",
                      err.text);
    }
    deploy(s, names[LOW]);
    snprintf(s->item, sizeof s->item, "model.path=%s", path_of(s, "current"));
}

static void close_site(struct site *s)
{
    for (int i = 0; i < MODELS; i++)
        bundle_free(s->bundles[i]);
    child_release(&s->child);
    cluster_close(&s->cluster);
}

/* The order, and the nth line of what it led to. */
static const char *hang_up(struct site *s, const char *event, int nth)
{
    child_signal(&s->child, SIGHUP);
    return child_wait_line(&s->child, event, nth);
}

static void expect_words(const char *line, const char *format, const struct bundle *bundle)
{
    char words[200];

    snprintf(words, sizeof words, format, bundle->version, bundle->digest);
    ck_assert_msg(strstr(line, words) != NULL, "\"%s\" is not in: %s", words, line);
}

#define TO " version=%s digest=%.12s "
#define FROM "from_version=%s from_digest=%.12s"

/* What the bundle gives for event i of cluster_send_events. */
static double score_of(const struct bundle *b, int64_t i)
{
    const float row[] = {(float)(i % 3), (float)i};
    double margins[3], scores[3];
    void *scratch = aligned_alloc(64, (model_scratch_bytes(b->model) + 63) / 64 * 64);

    model_score(b->model, row, 1, margins, scores, scratch);
    free(scratch);
    return bundle_outputs(b, margins, scores, 0)[b->output_index];
}

static int model_named(const struct site *s, const char *digest)
{
    for (int i = 0; i < MODELS; i++)
        if (strncmp(s->bundles[i]->digest, digest, 12) == 0)
            return i;
    ck_abort_msg("no bundle has the digest %s", digest);
}

/* One score is that of the bundle whose digest it names. Returns which that is. */
static int check_score(const struct site *s, const rd_kafka_message_t *message)
{
    json_t *json = json_loadb(message->payload, message->len, 0, NULL);
    const char *digest = json_string_value(json_object_get(json, "digest"));
    int64_t offset = json_integer_value(json_object_get(json, "offset"));
    int64_t event = offset * PARTITIONS + json_integer_value(json_object_get(json, "partition"));
    double score = json_number_value(json_object_get(json, "score"));
    int model = model_named(s, digest);

    ck_assert_str_eq(digest, s->bundles[model]->digest);
    ck_assert_str_eq(json_string_value(json_object_get(json, "version")),
                     s->bundles[model]->version);
    ck_assert_msg(score == score_of(s->bundles[model], event), "offset %lld: %.17g is not of %s",
                  (long long)offset, score, names[model]);
    json_decref(json);
    return model;
}

/* Every score; models: by partition and offset, 1 + which bundle. */
static void check_scores(struct site *s, char *models, size_t cap)
{
    struct dump dump;

    dump_load(&dump, &s->cluster, s->cluster.scores);
    for (size_t i = 0; i < dump.count; i++) {
        struct origin origin;
        origin_of_score(&origin, dump.items[i]);
        ck_assert_uint_lt((size_t)origin.offset, cap);
        models[(size_t)origin.partition * cap + (size_t)origin.offset] =
            (char)(1 + check_score(s, dump.items[i]));
    }
    dump_release(&dump);
}

/* From each line's offset on the scores of its partition are of its model, up to the next line. */
static void check_firsts(struct site *s, const char *models, size_t cap)
{
    char *said = calloc(PARTITIONS, cap);
    const char *at = s->child.log;
    int count = 0;

    for (; (at = strstr(at, "event=model_first_offset ")) != NULL; at++, count++) {
        size_t offset = (size_t)child_number(at, "offset");
        char *place = said + (size_t)child_number(at, "partition") * cap + offset;
        memset(place, 1 + model_named(s, strstr(at, " digest=") + 8), cap - offset);
    }
    ck_assert_int_ge(count, PARTITIONS);
    for (size_t i = 0; i < PARTITIONS * cap; i++)
        ck_assert_msg(models[i] == 0 || models[i] == said[i], "partition %zu, offset %zu", i / cap,
                      i % cap);
    free(said);
}

/* Stops; each record has one outcome, each score is of the bundle that it names. */
static void finish(struct site *s)
{
    struct cluster *c = &s->cluster;
    size_t cap = (size_t)c->event_count / PARTITIONS + 1;
    char *models = calloc(PARTITIONS, cap);

    cluster_wait_outcomes(c, c->event_count);
    child_stop(&s->child);
    ck_assert_uint_eq(expect_outcomes(c, NULL), 0);
    cluster_expect_no_lag(c);
    check_scores(s, models, cap);
    check_firsts(s, models, cap);
    free(models);
}

START_TEST(a_hangup_brings_the_bundle_that_the_path_names_now)
{
    struct site s;
    const char *line;

    open_site(&s);
    cluster_send_events(&s.cluster, 400);
    child_run(&s.child, &s.cluster, s.item);
    cluster_wait_outcomes(&s.cluster, 400);
    line = hang_up(&s, "event=model_unchanged", 1);
    expect_words(line, TO, s.bundles[LOW]);
    for (int i = 1; i < MODELS; i++) {
        deploy(&s, names[i]);
        line = hang_up(&s, "event=model_swapped", i);
        expect_words(line, "model=tiny" TO, s.bundles[i]);
        expect_words(line, FROM, s.bundles[i - 1]);
        cluster_send_events(&s.cluster, 400);
        cluster_wait_outcomes(&s.cluster, 400 * (i + 1));
    }
    ck_assert_int_eq(child_count(&s.child, "event=model_first_offset"), MODELS * PARTITIONS);
    ck_assert_int_eq(child_count(&s.child, "event=model_loaded"), MODELS);
    finish(&s);
    close_site(&s);
}
END_TEST

static void damage(struct site *s)
{
    ck_assert_int_eq(truncate(path_of(s, "bad/model.json"), 200), 0);
}

static void fail_golden(struct site *s)
{
    static const char golden[] = "{\"margin\":7,\"row\":[1,1]}\n";

    harness_write(path_of(s, "bad"), "golden.jsonl", golden, sizeof golden - 1);
}

static void lack_decision(struct site *s)
{
    FILE *ini = fopen(path_of(s, "bad/model.ini"), "r+");
    char text[2000];
    size_t len = fread(text, 1, sizeof text - 1, ini);

    text[len] = '\0';
    memcpy(strstr(text, "0.5 high"), "0.5 tall", 8);
    rewind(ini);
    fwrite(text, 1, len, ini);
    fclose(ini);
}

static void lack_nothing(struct site *s)
{
    (void)s;
}

static const struct {
    void (*spoil)(struct site *s);
    const char *why;
} refusals[] = {
    {damage, "sha256"},
    {fail_golden, "golden.jsonl:1"},
    {lack_decision, "high is no decision"},
    {lack_nothing, "cannot serve the model"}, /* Avro events, whose schema lacks n */
};

/* Of the plain events, or of those with the schema that lacks n. */
static void send_events(struct site *s, bool is_avro)
{
    struct event event = {0};

    if (!is_avro) {
        cluster_send_events(&s->cluster, 100);
        return;
    }
    event_frame(&event, 1);
    event_double(&event, 1);
    event_text(&event, "hi");
    for (int i = 0; i < 100; i++)
        cluster_send(&s->cluster, i % PARTITIONS, "k", event.data, event.len);
    cluster_flush(s->cluster.producer);
    event_release(&event);
}

START_TEST(a_refused_bundle_leaves_the_old_one_and_says_why)
{
    bool is_avro = refusals[_i].spoil == lack_nothing;
    struct site s;
    const char *line;
    char folder[400];

    open_site(&s);
    cluster_add_alerts(&s.cluster, "");
    ck_assert_int_eq(mkdir(path_of(&s, "bad"), 0755), 0);
    fixture_bundle_linear(path_of(&s, "bad"));
    refusals[_i].spoil(&s);
    snprintf(folder, sizeof folder, "schemas.folder=%s/schemas", s.cluster.folder);
    send_events(&s, is_avro);
    child_run(&s.child, &s.cluster, s.item, "model.watch=on", folder,
              is_avro ? "consumer.format=avro" : "consumer.format=json");
    cluster_wait_outcomes(&s.cluster, 100);
    deploy(&s, "bad");
    line = hang_up(&s, "event=model_refused", 1);
    ck_assert_msg(strstr(line, refusals[_i].why) != NULL, "%s", line);
    ck_assert_ptr_nonnull(strstr(line, " error event=model_refused order=reload "));
    send_events(&s, is_avro);
    cluster_wait_outcomes(&s.cluster, 200);
    deploy(&s, names[THREE]); /* seen by the watch, which has not tried the bad one again */
    expect_words(child_wait_line(&s.child, "event=model_swapped", 1), FROM, s.bundles[LOW]);
    ck_assert_int_eq(child_count(&s.child, "event=model_refused"), 1);
    child_stop(&s.child);
    ck_assert_uint_eq(expect_outcomes(&s.cluster, NULL), 0);
    close_site(&s);
}
END_TEST

START_TEST(a_watched_path_is_loaded_when_its_link_is_switched)
{
    struct site s;

    open_site(&s);
    cluster_send_events(&s.cluster, 400);
    child_run(&s.child, &s.cluster, s.item, "model.watch=on");
    cluster_wait_outcomes(&s.cluster, 400);
    deploy(&s, names[LINEAR]);
    expect_words(child_wait_line(&s.child, "event=model_swapped order=watch ", 1), TO,
                 s.bundles[LINEAR]);
    cluster_send_events(&s.cluster, 400);
    finish(&s);
    close_site(&s);
}
END_TEST

/* Events come all the time; workers, formats of rows and numbers of outputs differ. */
static void swap_under_load(int swaps)
{
    struct site s;

    open_site(&s);
    child_run(&s.child, &s.cluster, s.item, "kscore.workers=2", "kscore.batch_rows=64",
              "consumer.session.timeout.ms=60000"); /* a busy machine loses no partition */
    child_wait_line(&s.child, "event=ready", 1);
    for (int i = 1; i <= swaps; i++) {
        char line[60];
        deploy(&s, names[i % MODELS]);
        child_signal(&s.child, SIGHUP);
        cluster_send_events(&s.cluster, 400);
        snprintf(line, sizeof line, "event=model_swapped order=reload change=%d ", i);
        expect_words(child_wait_line(&s.child, line, 1), TO, s.bundles[i % MODELS]);
    }
    finish(&s);
    close_site(&s);
}

START_TEST(fifty_swaps_under_load_lose_double_and_mix_nothing)
{
    swap_under_load(50);
}
END_TEST

START_TEST(a_thousand_swaps_under_load_lose_double_and_mix_nothing)
{
    swap_under_load(1000);
}
END_TEST

SUITE(reload)
{
    TCase *tcase = CASE("reload", a_hangup_brings_the_bundle_that_the_path_names_now,
                        a_watched_path_is_loaded_when_its_link_is_switched);

    tcase_add_loop_test(tcase, a_refused_bundle_leaves_the_old_one_and_says_why, 0,
                        sizeof refusals / sizeof refusals[0]);
    CASE("load", fifty_swaps_under_load_lose_double_and_mix_nothing);
    if (getenv("KSCORE_LONG"))
        tcase_set_timeout(CASE("long", a_thousand_swaps_under_load_lose_double_and_mix_nothing),
                          900 * harness_slowness());
}
