/* kscore replay --compare: a window against what is published, or against another bundle. One file:
 * one command. One piece: its cases share the two sides. */
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "tests/broker/outcomes.h"
#include "tests/broker/replays.h"
#include "tests/fixture.h"
#include "tests/harness.h"

/* ---- what a comparison says */

/* To its end with that exit code; the report as JSON. */
static json_t *report_of(struct child *k)
{
    json_t *json = json_loads(k->log, 0, NULL);

    ck_assert_msg(json != NULL, "%s", k->log);
    return json;
}

#define compare_exits(c, report, code, ...)                                                        \
    do {                                                                                           \
        struct child k_;                                                                           \
        replay_exits(&k_, c, code, "--compare", "--json", "-s", "kscore.log_level=error",          \
                     "--from", "earliest" __VA_OPT__(, ) __VA_ARGS__);                             \
        *(report) = report_of(&k_);                                                                \
        child_release(&k_);                                                                        \
    } while (0)

/* What stands at a path "all.counts.equal"; a digit is an index. */
static const json_t *at(const json_t *json, const char *path)
{
    char text[200], *rest = text, *name;

    snprintf(text, sizeof text, "%s", path);
    while ((name = strsep(&rest, ".")))
        json = json_is_array(json) ? json_array_get(json, (size_t)atoi(name))
                                   : json_object_get(json, name);
    ck_assert_msg(json != NULL, "nothing at %s", path);
    return json;
}

#define expect_integer(json, path, want) ck_assert_int_eq(json_integer_value(at(json, path)), want)
#define expect_text(json, path, want) ck_assert_str_eq(json_string_value(at(json, path)), want)
#define expect_number(json, path, want)                                                            \
    ck_assert_msg(fabs(json_number_value(at(json, path)) - (want)) < 1e-7, "%s: %.9g", path,       \
                  json_number_value(at(json, path)))

/* Of all records, by "equal=3 changed=0"; what is not named is 0. */
static void expect_counts(const json_t *json, const char *want)
{
    char got[300] = "";
    const char *name;
    json_t *count;

    json_object_foreach((json_t *)at(json, "all.counts"), name,
                        count) if (json_integer_value(count) > 0)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s=%lld", *got ? " " : "", name,
                 (long long)json_integer_value(count));
    ck_assert_str_eq(got, want);
}

/* ---- both sides */

/* Scores what there is, live, and stops. */
static void score_live(struct cluster *c, int64_t outcomes, const char *item)
{
    struct child k;

    child_run(&k, c, item);
    cluster_wait_outcomes(c, outcomes);
    child_stop(&k);
    child_release(&k);
}

/* Another bundle beside the test's: its model.ini with one text for another. Static buffer. */
static const char *make_bundle(const struct cluster *c, const char *name, const char *old,
                               const char *new)
{
    const char *folder = replay_path(c, name);
    char *text, *place, *ini = file_join(folder, "model.ini"), edited[2000];
    struct err err = ERR_INIT;
    size_t len;

    mkdir(folder, 0755);
    fixture_bundle(folder);
    ck_assert_int_eq(file_read(ini, sizeof edited, &text, &len, &err), 0);
    place = strstr(text, old);
    ck_assert_ptr_nonnull(place);
    snprintf(edited, sizeof edited, "%.*s%s%s", (int)(place - text), text, new,
             place + strlen(old));
    harness_write(folder, "model.ini", edited, strlen(edited));
    free(text);
    free(ini);
    return folder;
}

/* Scores are margins: -0.5 for 0.378, and 0.5 for 0.622. */
static const char *make_margins(const struct cluster *c)
{
    return make_bundle(c, "margins", "kind = probability", "kind = margin");
}

static const double low = 0.37754067, high = 0.62245935;

/* Publishes the score of in[0]@offset once more, with one text for another, behind the first. */
static void publish_again(struct cluster *c, int64_t offset, const char *old, const char *new)
{
    char text[2000] = "", *place;
    rd_kafka_timestamp_type_t type;
    struct origin origin;
    struct dump scores;

    dump_load(&scores, c, c->scores);
    for (size_t i = 0; i < scores.count && !*text; i++) {
        const rd_kafka_message_t *m = scores.items[i];
        origin_of_score(&origin, m);
        if (origin.partition != 0 || origin.offset != offset)
            continue;
        snprintf(text, sizeof text, "%.*s", (int)m->len, (const char *)m->payload);
        place = strstr(text, old);
        ck_assert_msg(place != NULL, "no %s in %s", old, text);
        memmove(place + strlen(new), place + strlen(old), strlen(place + strlen(old)) + 1);
        memcpy(place, new, strlen(new));
        ck_assert(!rd_kafka_producev(c->producer, RD_KAFKA_V_TOPIC(c->scores),
                                     RD_KAFKA_V_PARTITION(m->partition),
                                     RD_KAFKA_V_VALUE(text, strlen(text)),
                                     RD_KAFKA_V_TIMESTAMP(rd_kafka_message_timestamp(m, &type)),
                                     RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
    }
    ck_assert_msg(*text, "no score of %lld", (long long)offset);
    cluster_flush(c->producer);
    dump_release(&scores);
}

/* ---- equal */

START_TEST(what_the_same_bundle_published_is_equal)
{
    struct cluster c;
    struct child k;
    json_t *r;

    cluster_open(&c, 3);
    cluster_send_events(&c, 300);
    cluster_send(&c, 1, "bad", "{", 1);
    cluster_send(&c, 0, "gone", NULL, 0);
    cluster_flush(c.producer);
    score_live(&c, 301, "kscore.workers=1");
    replay_runs(&k, &c, "--from", "earliest", "--compare");
    replay_says(&k, "\n         301  equal\n           0  changed     another score or decision\n");
    replay_says(&k, "\nall 301 records agree\n");
    replay_says(&k, ".scores partitions=3 offsets=300 what is published\n");
    replay_says(&k, "event=stopped exit=0 consumed=302 scored=300 dead=1 skipped=1");
    child_release(&k);
    compare_exits(&c, &r, 0, "-s", "kscore.workers=2");
    expect_counts(r, "equal=301");
    expect_integer(r, "there.dead", 1);
    expect_integer(r, "here.skipped", 1);
    expect_integer(r, "difference.zero", 300);
    json_decref(r);
    ck_assert_int_eq(cluster_outcome_count(&c), 301); /* nothing is published */
    cluster_close(&c);
}
END_TEST

START_TEST(avro_scores_are_read)
{
    struct cluster c;
    struct child k;
    json_t *r;

    cluster_open(&c, 2);
    cluster_send_events(&c, 60);
    child_run(&k, &c, "producer.format=avro", "producer.schema_id=7");
    cluster_wait_outcomes(&c, 60);
    child_stop(&k);
    child_release(&k);
    compare_exits(&c, &r, 0, "-s", "producer.format=avro", "-s", "producer.schema_id=7");
    expect_counts(r, "equal=60");
    expect_text(r, "bundles_there.0.bundle", json_string_value(at(r, "here.bundle")));
    json_decref(r);
    compare_exits(&c, &r, 65); /* as JSON they are none */
    expect_counts(r, "only_here=60");
    expect_integer(r, "there.unreadable", 60);
    json_decref(r);
    cluster_close(&c);
}
END_TEST

START_TEST(each_output_of_a_model_with_several_must_be_equal)
{
    struct cluster c;
    char item[500];
    json_t *r;

    cluster_open(&c, 1);
    cluster_send_events(&c, 6);
    mkdir(replay_path(&c, "three"), 0755);
    fixture_bundle_of_three(replay_path(&c, "three"));
    snprintf(item, sizeof item, "model.path=%s", replay_path(&c, "three"));
    score_live(&c, 6, item);
    compare_exits(&c, &r, 0, "-s", item);
    expect_counts(r, "equal=6");
    json_decref(r);
    publish_again(&c, 3, "\"scores\":[0.0,", "\"scores\":[0.125,");
    compare_exits(&c, &r, 65, "-s", item);
    expect_counts(r, "equal=5 changed=1");
    expect_integer(r, "difference.zero", 6);
    expect_integer(r, "first.changed.offset", 3);
    json_decref(r);
    compare_exits(&c, &r, 0, "-s", item, "--tolerance", "0.125");
    expect_counts(r, "equal=5 close=1");
    json_decref(r);
    cluster_close(&c);
}
END_TEST

/* A gate that nothing came to has proven nothing. */
START_TEST(an_empty_window_does_not_pass)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 2);
    replay_exits(&k, &c, 65, "--from", "earliest", "--compare");
    replay_says(&k, "\nthere is nothing to compare\n");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* ---- not equal */

START_TEST(another_bundle_changes_scores_and_the_report_says_how_far)
{
    struct cluster c;
    json_t *r;

    cluster_open(&c, 2);
    cluster_send_events(&c, 300);
    score_live(&c, 300, "kscore.workers=1");
    compare_exits(&c, &r, 65, "--model", make_margins(&c));
    expect_counts(r, "changed=300");
    expect_number(r, "difference.quantiles.0", -0.5 - low);
    expect_number(r, "difference.mean", (-0.5 - low) / 3 + (0.5 - high) * 2 / 3);
    expect_integer(r, "difference.scored", 300);
    expect_integer(r, "difference.histogram.0.count", 300);
    expect_integer(r, "largest.9.offset", 27);
    expect_number(r, "largest.9.there", low);
    expect_number(r, "largest.9.here", -0.5);
    expect_integer(r, "all.flips", 0);
    json_decref(r);
    compare_exits(&c, &r, 65, "--model", make_margins(&c), "--tolerance", "0.5");
    expect_counts(r, "close=200 changed=100");
    json_decref(r);
    compare_exits(&c, &r, 0, "--model", make_margins(&c), "--tolerance", "0.9");
    expect_counts(r, "close=300");
    json_decref(r);
    cluster_close(&c);
}
END_TEST

/* The scores are the same, and the tolerance is none for decisions. */
START_TEST(decisions_that_flip_are_told_by_direction)
{
    struct cluster c;
    struct child k;
    json_t *r;

    cluster_open(&c, 2);
    cluster_send_events(&c, 300);
    score_live(&c, 300, "kscore.workers=1");
    make_bundle(&c, "later", "0.5 high", "0.7 high");
    compare_exits(&c, &r, 65, "--model", replay_path(&c, "later"), "--tolerance", "1");
    expect_counts(r, "equal=100 changed=200");
    expect_integer(r, "all.flips", 200);
    expect_integer(r, "difference.zero", 300);
    expect_text(r, "decisions.1.from", "high");
    expect_text(r, "decisions.1.to", "low");
    expect_integer(r, "decisions.1.count", 200);
    json_decref(r);
    replay_exits(&k, &c, 65, "--from", "earliest", "--against", replay_path(&c, "later"));
    replay_says(&k, "low         100         200\n");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(the_first_difference_of_each_partition_is_told)
{
    struct cluster c;
    json_t *r;

    cluster_open(&c, 2);
    cluster_send_events(&c, 60);
    score_live(&c, 60, "kscore.workers=1");
    publish_again(&c, 17, "\"decision\":\"high\"", "\"decision\":\"low\"");
    publish_again(&c, 20, "\"decision\":\"high\"", "\"decision\":\"low\"");
    compare_exits(&c, &r, 65);
    expect_counts(r, "equal=58 changed=2");
    expect_integer(r, "partitions.0.parts_at", 17);
    expect_integer(r, "partitions.0.differing", 2);
    ck_assert(json_is_null(at(r, "partitions.1.parts_at")));
    json_decref(r);
    compare_exits(&c, &r, 0, "-p", "1");
    expect_counts(r, "equal=30");
    json_decref(r);
    cluster_close(&c);
}
END_TEST

/* ---- what is published more than once, or not at all */

START_TEST(of_several_scores_the_last_counts_and_the_others_are_told)
{
    static const char other[] = "\"digest\":\"0123456789ab";
    struct cluster c;
    char digest[30], *text;
    struct dump scores;
    json_t *r;

    cluster_open(&c, 1);
    cluster_send_events(&c, 6);
    score_live(&c, 6, "kscore.workers=1");
    dump_load(&scores, &c, c.scores);
    text = strstr((const char *)scores.items[0]->payload, "\"digest\":\"");
    snprintf(digest, sizeof digest, "%.22s", text);
    dump_release(&scores);
    publish_again(&c, 0, "\"partition\":", "\"partition\": "); /* the same */
    publish_again(&c, 1, "\"score\":0.6", "\"score\":0.7");    /* the same id, another score */
    publish_again(&c, 2, digest, other);                       /* another bundle, the same score */
    publish_again(&c, 3, digest, other);
    publish_again(&c, 3, "\"score\":0.3", "\"score\":0.4"); /* the first once more: the last */
    compare_exits(&c, &r, 65);
    expect_counts(r, "equal=4 changed=2");
    expect_integer(r, "there.scores", 6);
    expect_integer(r, "there.duplicates", 3);
    expect_integer(r, "there.contrary", 2);
    expect_integer(r, "there.superseded", 2);
    expect_integer(r, "there.several", 4);
    expect_integer(r, "bundles_there.0.records", 5);
    expect_integer(r, "bundles_there.1.records", 1);
    expect_text(r, "bundles_there.1.bundle", "tiny 1 (0123456789ab)");
    json_decref(r);
    compare_exits(&c, &r, 65, "--published-by", "0123456");
    expect_counts(r, "equal=2 only_here=4");
    expect_integer(r, "there.of_other_bundles", 9);
    json_decref(r);
    cluster_close(&c);
}
END_TEST

START_TEST(a_record_without_an_outcome_on_one_side_is_told)
{
    struct cluster c;
    struct child k;
    json_t *r;

    cluster_open(&c, 1);
    cluster_send_events(&c, 6);
    cluster_send(&c, 0, "gone", NULL, 0);
    cluster_flush(c.producer);
    score_live(&c, 6, "kscore.workers=1");
    publish_again(&c, 5, "\"offset\":5", "\"offset\":6");  /* of a record that is skipped */
    publish_again(&c, 5, "\"offset\":5", "\"offset\":99"); /* outside of the window */
    publish_again(&c, 5, "{", "[");                        /* no score */
    cluster_send_events(&c, 3);
    compare_exits(&c, &r, 65);
    expect_counts(r, "equal=6 only_here=3 only_there=1");
    expect_integer(r, "first.only_here.offset", 7);
    expect_integer(r, "first.only_there.offset", 6);
    expect_integer(r, "there.unreadable", 1);
    json_decref(r);
    replay_runs(&k, &c, "--from", "earliest", "--to", "6", "--compare");
    child_release(&k);
    replay_exits(&k, &c, 65, "--from", "earliest", "--compare", "--published-from", "latest");
    replay_says(&k, "9  only here   no outcome there, first ");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* ---- dead letters */

START_TEST(outcomes_that_change_their_kind_are_told_with_their_reasons)
{
    struct cluster c;
    struct child k;
    char item[500];
    json_t *r;

    cluster_open(&c, 2);
    cluster_send_events(&c, 20);
    cluster_send(&c, 0, "bad", "{\"x\":\"word\"}", 12);
    cluster_send(&c, 0, "bad", "{", 1);
    cluster_flush(c.producer);
    snprintf(item, sizeof item, "model.path=%s", make_bundle(&c, "blind", "x : n", "z : n"));
    score_live(&c, 22, item); /* no event has a z */
    compare_exits(&c, &r, 65);
    expect_counts(r, "equal=1 reason=1 now_scored=20");
    expect_text(r, "now_scored.0.reason", "bind/missing_field");
    expect_integer(r, "now_scored.0.count", 20);
    expect_integer(r, "first.now_scored.offset", 0);
    expect_integer(r, "first.reason.offset", 10);
    expect_integer(r, "there.dead", 22);
    json_decref(r);
    replay_runs(&k, &c, "--from", "earliest", "--correct", "--dead", replay_path(&c, "dead"));
    child_release(&k);
    compare_exits(&c, &r, 65); /* scores that came behind their dead letters count */
    expect_counts(r, "equal=21 reason=1");
    expect_integer(r, "there.resolved", 20);
    json_decref(r);
    compare_exits(&c, &r, 65, "--model", replay_path(&c, "blind"));
    expect_counts(r, "equal=2 now_dead=20");
    expect_text(r, "now_dead.0.reason", "bind/missing_field");
    json_decref(r);
    cluster_close(&c);
}
END_TEST

/* ---- against another bundle */

/* Live topics are not asked for. */
START_TEST(two_bundles_score_the_same_window)
{
    struct cluster c;
    json_t *r;

    cluster_open(&c, 2);
    cluster_send_events(&c, 300);
    cluster_send(&c, 0, "bad", "{", 1);
    cluster_flush(c.producer);
    cluster_delete_topic(&c, c.scores);
    cluster_delete_topic(&c, c.dead);
    compare_exits(&c, &r, 65, "--against", make_margins(&c), "-s", "kscore.workers=2");
    expect_counts(r, "equal=1 changed=300");
    expect_number(r, "difference.quantiles.1", low + 0.5);
    expect_integer(r, "there.scores", 300);
    ck_assert_str_ne(json_string_value(at(r, "there.bundle")),
                     json_string_value(at(r, "here.bundle")));
    json_decref(r);
    compare_exits(&c, &r, 0, "--against", replay_path(&c, "margins"), "--model",
                  replay_path(&c, "margins"));
    expect_counts(r, "equal=301");
    json_decref(r);
    cluster_close(&c);
}
END_TEST

START_TEST(a_bundle_that_does_not_load_ends_it_before_anything_is_read)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    replay_exits(&k, &c, 74, "--from", "earliest", "--against", replay_path(&c, "none"));
    ck_assert_int_eq(child_count(&k, "event=assigned"), 0);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_topic_of_outcomes_that_is_missing_ends_it)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    cluster_send_events(&c, 1);
    replay_exits(&k, &c, 78, "--from", "earliest", "--compare", "-s", "dead_letters.topic=nowhere");
    replay_says(&k, "nowhere");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* Half a window is not what the gate was asked about. */
START_TEST(stopped_before_the_end_it_does_not_pass)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    cluster_send_events(&c, 300);
    replay_start(&k, &c, "--from", "earliest", "--compare", "--rate", "20");
    child_wait_line(&k, "event=ready", 1);
    child_signal(&k, SIGTERM);
    child_expect_exit(&k, 75);
    replay_says(&k, "nothing is compared");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(compare)
{
    CASE("equal", what_the_same_bundle_published_is_equal, avro_scores_are_read,
         each_output_of_a_model_with_several_must_be_equal, an_empty_window_does_not_pass);
    CASE("changed", another_bundle_changes_scores_and_the_report_says_how_far,
         decisions_that_flip_are_told_by_direction, the_first_difference_of_each_partition_is_told);
    CASE("published", of_several_scores_the_last_counts_and_the_others_are_told,
         a_record_without_an_outcome_on_one_side_is_told,
         a_topic_of_outcomes_that_is_missing_ends_it);
    CASE("dead", outcomes_that_change_their_kind_are_told_with_their_reasons);
    CASE("against", two_bundles_score_the_same_window,
         a_bundle_that_does_not_load_ends_it_before_anything_is_read,
         stopped_before_the_end_it_does_not_pass);
}
