/* Two sides of a window joined: what is equal, what counts, and the report for people. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/compare_view.h"
#include "core/mem.h"
#include "pipeline/published.h"
#include "tests/harness.h"
#include "tests/reading.h"

/* ---- sides */

/* One outcome; what is left out is 0, of the bundle "a 1", and of an event at minute `offset`. */
struct said {
    enum side side;
    int64_t offset;
    uint32_t part;
    const char *dead; /* "stage/reason", or NULL: a score */
    double score;
    const char *decision, *model, *schema;
    uint32_t where;
    int64_t at, stamp;
};

enum { PARTS = 2, WINDOW = 1000 };
#define NOON INT64_C(1769860800000) /* 2026-01-31T12:00:00Z */

static void open_sides(struct compare_result *r, size_t outputs)
{
    *r = (struct compare_result){.names = {[SIDE_HERE] = "b 2 (222222222222)"}};
    fates_open(&r->fates, outputs);
    for (int i = 0; i < PARTS; i++)
        replay_state_add(&r->fates.window,
                         &(struct replay_part){(char *)"flights", i, 0, 0, WINDOW, 0});
}

static uint16_t word(struct words *words, const char *text)
{
    return (uint16_t)words_add(words, text ? slice_of(text) : (struct slice){NULL, 0});
}

static void say(struct compare_result *r, const struct said *s)
{
    struct fates *v = &r->fates;
    struct err err = ERR_INIT;

    memset(v->room, 0, fate_bytes(v));
    v->room->offset = s->offset;
    v->room->part = s->part;
    v->room->side = (uint8_t)s->side;
    v->room->kind = s->dead ? FATE_DEAD : FATE_SCORE;
    v->room->word = s->dead ? word(&v->faults, s->dead) : word(&v->decisions, s->decision);
    v->room->score = s->score;
    v->room->event_time_ms = NOON + s->offset * 60000;
    v->room->schema = word(&v->schemas, s->schema);
    v->room->model = word(&v->models, s->model ? s->model : "a 1");
    v->room->where = s->where;
    v->room->where_offset = s->at;
    v->room->stamp_ms = s->stamp;
    ck_assert_int_eq(fates_add(v, &err), 0);
}

static void make(struct compare_result *r, double tolerance)
{
    struct err err = ERR_INIT;

    ck_assert_int_eq(comparison_make(&r->comparison, &r->fates, tolerance, &err), 0);
    r->is_done = true;
}

/* ---- one record */

static const struct {
    const char *what;
    struct said there, here;
    double tolerance;
    enum relation want;
} pairs[] = {
    {"the same", {.score = 0.5}, {.score = 0.5}, 0, RELATION_EQUAL},
    {"the last bit", {.score = 0.5}, {.score = 0.5 + 0x1p-53}, 0, RELATION_CHANGED},
    {"zeros of two signs", {.score = 0.0}, {.score = -0.0}, 0, RELATION_CHANGED},
    {"zeros of two signs, with a tolerance", {.score = 0.0}, {.score = -0.0}, 1e-9, RELATION_CLOSE},
    {"at the tolerance", {.score = 0.5}, {.score = 0.25}, 0.25, RELATION_CLOSE},
    {"above it", {.score = 0.5}, {.score = 0.125}, 0.25, RELATION_CHANGED},
    {"below it", {.score = 0.5}, {.score = 0.875}, 0.25, RELATION_CHANGED},
    {"another decision", {.decision = "x"}, {.decision = "y"}, 1, RELATION_CHANGED},
    {"a decision and none", {.decision = "x"}, {.decision = NULL}, 1, RELATION_CHANGED},
    {"another schema", {.schema = "1"}, {.schema = "2"}, 0, RELATION_EQUAL},
    {"both dead", {.dead = "decode/x"}, {.dead = "decode/x"}, 0, RELATION_EQUAL},
    {"another reason", {.dead = "decode/x"}, {.dead = "bind/x"}, 1, RELATION_REASON},
    {"dead now", {.score = 1}, {.dead = "bind/x"}, 1, RELATION_NOW_DEAD},
    {"dead before", {.dead = "bind/x"}, {.score = 1}, 1, RELATION_NOW_SCORED},
};

START_TEST(two_outcomes_of_a_record_are_related)
{
    struct said here = pairs[_i].here;
    struct compare_result r;

    here.side = SIDE_HERE;
    open_sides(&r, 0);
    say(&r, &here);
    say(&r, &pairs[_i].there);
    make(&r, pairs[_i].tolerance);
    ck_assert_msg(r.comparison.all.counts[pairs[_i].want] == 1, "%s", pairs[_i].what);
    ck_assert_uint_eq(comparison_records(&r.comparison), 1);
    ck_assert_uint_eq(comparison_differing(&r.comparison),
                      pairs[_i].want != RELATION_EQUAL && pairs[_i].want != RELATION_CLOSE);
    compare_release(&r);
}
END_TEST

/* Of several published scores of one record; the one that counts has score 1. */
static const struct {
    const char *what;
    struct said said[4]; /* up to the first with score 0 */
    struct comparison_others want;
} several[] = {
    {"the later offset, whatever the time stamp",
     {{.score = 2, .at = 5, .stamp = 9}, {.score = 1, .at = 6, .stamp = 3}},
     {.duplicates = 1, .contrary = 1, .records = 1}},
    {"the same again",
     {{.score = 1, .at = 5}, {.score = 1, .at = 6}},
     {.duplicates = 1, .records = 1}},
    {"of two partitions the later time stamp",
     {{.score = 1, .where = 0, .stamp = 9, .model = "b 2"}, {.score = 2, .where = 1, .stamp = 3}},
     {.superseded = 1, .records = 1}},
    {"of two partitions the last of each",
     {{.score = 2, .where = 0, .at = 1, .stamp = 9},
      {.score = 3, .where = 0, .at = 2, .stamp = 1},
      {.score = 1, .where = 1, .stamp = 5, .model = "b 2"}},
     {.superseded = 2, .records = 1}},
    {"a score, whatever comes behind it",
     {{.score = 1, .at = 5}, {.dead = "bind/x", .score = 9, .at = 9, .stamp = 9}},
     {.resolved = 1, .records = 1}},
    {"another bundle between two",
     {{.score = 1, .at = 5}, {.score = 2, .at = 6, .model = "b 2"}, {.score = 1, .at = 7}},
     {.duplicates = 1, .superseded = 1, .records = 1}},
};

START_TEST(of_several_that_are_published_one_counts)
{
    struct compare_result r;

    open_sides(&r, 0);
    say(&r, &(struct said){.side = SIDE_HERE, .score = 1});
    for (size_t i = 0; i < 4 && several[_i].said[i].score != 0; i++)
        say(&r, &several[_i].said[i]);
    make(&r, 0);
    ck_assert_msg(r.comparison.all.counts[RELATION_EQUAL] == 1, "%s", several[_i].what);
    ck_assert_msg(memcmp(&r.comparison.others, &several[_i].want, sizeof several[_i].want) == 0,
                  "%s", several[_i].what);
    compare_release(&r);
}
END_TEST

/* Shuffled, so that ranks are not positions. */
START_TEST(quantiles_are_exact_with_the_zeros_between)
{
    static const double want[QUANTILES] = {-50, -50, -46, -26, -1, 25, 65, 69, 70};
    struct compare_result r;

    open_sides(&r, 0);
    for (int i = 0; i < 100; i++) { /* -50 to -1, 20 zeros, 5 times 25, 46 to 70 */
        int rank = i * 37 % 100;
        double d = rank < 50 ? rank - 50 : rank < 70 ? 0 : rank < 75 ? 25 : rank - 29;
        say(&r, &(struct said){.side = SIDE_HERE, .offset = i, .score = d});
        say(&r, &(struct said){.offset = i});
    }
    make(&r, 0);
    for (int i = 0; i < QUANTILES; i++)
        ck_assert_msg(r.comparison.quantiles[i] == want[i], "%g: %g", comparison_quantiles[i],
                      r.comparison.quantiles[i]);
    ck_assert_uint_eq(r.comparison.zero, 20);
    compare_release(&r);
}
END_TEST

/* ---- time */

START_TEST(times_widen_until_they_fit_and_lose_nobody)
{
    static const struct {
        int64_t step_ms, width_ms;
    } rows[] = {{1000, 60000},
                {60000, 10 * 60000},
                {3600000, 6 * 3600000},
                {86400000, 7 * 86400000LL},
                {INT64_C(1) << 50, INT64_MAX}};

    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct times t = {0};
        uint64_t sum = 0;
        for (int i = -50; i < 50; i++)
            tally_add(times_find(&t, i * rows[row].step_ms), RELATION_EQUAL, false, 0);
        ck_assert_int_eq(times_width_ms(&t), rows[row].width_ms);
        ck_assert_uint_le(t.count, TIMES_MAX);
        for (size_t i = 0; i < t.count; i++) {
            sum += tally_total(&t.buckets[i].tally);
            ck_assert(i == 0 || t.buckets[i].index > t.buckets[i - 1].index);
        }
        ck_assert_uint_eq(sum, 100);
    }
}
END_TEST

/* ---- words */

START_TEST(words_are_the_same_only_where_their_texts_are)
{
    struct words *w = mem_alloc(1, sizeof *w);
    char text[32], longest[WORDS_LONGEST + 1];

    memset(longest, 'x', sizeof longest);
    ck_assert_uint_eq(words_add(w, (struct slice){NULL, 0}), WORDS_NONE);
    ck_assert_uint_eq(words_add(w, (struct slice){(uint8_t *)longest, sizeof longest}),
                      WORDS_OTHERS);
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 1200; i++) {
            snprintf(text, sizeof text, "word %u", i);
            ck_assert_uint_eq(words_add(w, slice_of(text)),
                              i + 2 < WORDS_MAX ? i + 2 : (uint32_t)WORDS_OTHERS);
        }
    ck_assert_str_eq(words_text(w, 2 + 17), "word 17");
    ck_assert(words_is_same(5, 5) && !words_is_same(5, 6));
    ck_assert(!words_is_same(WORDS_OTHERS, WORDS_OTHERS));
    words_release(w);
    free(w);
}
END_TEST

/* ---- what is published */

static const struct {
    const char *json;
    int want; /* 0 no score, 1 of another place, 2 of the window and another bundle, 3 meant */
} published[] = {
    {"{'topic':'flights','partition':1,'offset':7,'score':0.5,'digest':'abc'}", 3},
    {"{'offset':7,'topic':'fl\\u0069ghts','score':-1e-7,'partition':0,'digest':'abcdef'}", 3},
    {"{'topic':'flights','partition':1,'offset':7,'score':0.5,'digest':'abd'}", 2},
    {"{'topic':'flights','partition':1,'offset':7,'score':0.5}", 2},
    {"{'topic':'flights','partition':1,'offset':1000,'score':0.5,'digest':'abc'}", 1},
    {"{'topic':'flights','partition':2,'offset':7,'score':0.5,'digest':'abc'}", 1},
    {"{'topic':'flight','partition':1,'offset':7,'score':0.5,'digest':'abc'}", 1},
    {"{'topic':'flights','partition':1,'offset':7,'score':1e999,'digest':'abc'}", 0},
    {"{'topic':'flights','partition':1,'offset':7.5,'score':1,'digest':'abc'}", 0},
    {"{'topic':'flights','partition':-1,'offset':7,'score':1,'digest':'abc'}", 0},
    {"{'topic':'flights','partition':4294967297,'offset':7,'score':1,'digest':'abc'}", 0},
    {"{'topic':'flights','partition':1,'offset':7,'score':'1','digest':'abc'}", 0},
    {"{'topic':null,'partition':1,'offset':7,'score':1,'digest':'abc'}", 0},
    {"{'topic':'flights','partition':1,'offset':7,'score':1,'digest':'abc'} x", 0},
    {"[]", 0},
    {"", 0},
};

START_TEST(a_published_score_is_read_or_refused)
{
    char *json = reading_quoted(published[_i].json);
    bool is_ours, is_meant;
    struct compare_result r;
    int got;

    open_sides(&r, 2);
    got = published_score(&r.fates, slice_of(json), "abc", &is_ours, &is_meant);
    ck_assert_msg(got + is_ours + is_meant == published[_i].want, "%s: %d %d %d", json, got,
                  is_ours, is_meant);
    compare_release(&r);
    free(json);
}
END_TEST

START_TEST(a_published_score_has_all_that_is_compared)
{
    char *json = reading_quoted("{'topic':'flights','partition':1,'offset':7,'event_time':12,"
                                "'schema_id':'4','model':'d\\u0065lay','version':'2',"
                                "'digest':'0123456789abcdef','score':0.1,'scores':[0.1,0.2,0.7],"
                                "'decision':'late','reasons':[{'x':[1]}],'carry':{'score':3}}");
    struct compare_result r;
    const struct fate *v;
    bool is_ours, is_meant;

    open_sides(&r, 2);
    v = r.fates.room;
    for (size_t i = 0; i < 2; i++) { /* each beginning of it is none */
        ck_assert(published_score(&r.fates, slice_of(json), NULL, &is_ours, &is_meant));
        ck_assert_uint_eq(v->part, 1);
        ck_assert_int_eq(v->offset, 7);
        ck_assert_int_eq(v->event_time_ms, 12);
        ck_assert(v->score == 0.1 && v->outputs[0] == 0.1 && v->outputs[1] == 0.2);
        ck_assert_uint_eq(v->output_count, 3);
        ck_assert_str_eq(words_text(&r.fates.decisions, v->word), "late");
        ck_assert_str_eq(words_text(&r.fates.schemas, v->schema), "4");
        ck_assert_str_eq(words_text(&r.fates.models, v->model), "delay 2 (0123456789ab)");
        for (size_t len = 0; i == 0 && len < strlen(json); len++)
            ck_assert(!published_score(&r.fates, (struct slice){(uint8_t *)json, len}, NULL,
                                       &is_ours, &is_meant));
    }
    compare_release(&r);
    free(json);
}
END_TEST

/* ---- the report */

static void say_all(struct compare_result *r)
{
    static const char *const decisions[] = {"on_time", "watch", "late"};
    static const double steps[] = {0, 0, 0, 0, 0.25, 0.001, -0.03, 1e-9};

    for (int i = 0; i < 3; i++)
        words_add(&r->fates.decisions, slice_of(decisions[i]));
    for (uint32_t i = 0; i < 40; i++) {
        struct said s = {.offset = i,
                         .part = i % 2,
                         .score = i / 64.0,
                         .model = "a 1 (111111111111)",
                         .decision = decisions[i / 14],
                         .schema = i % 4 ? "1" : "2"};
        say(r, &s);
        s.side = SIDE_HERE;
        s.model = r->names[SIDE_HERE];
        s.score += steps[i % 8];
        s.decision = i % 8 == 4 ? "late" : s.decision;
        say(r, &s);
    }
    say(r, &(struct said){
               .offset = 3, .part = 1, .score = 9, .at = -1, .model = "z 0 (000000000000)"});
    say(r, &(struct said){
               .offset = 50, .score = 0.5, .decision = "late", .model = "a 1 (111111111111)"});
    say(r, &(struct said){SIDE_HERE, .offset = 50, .dead = "bind/missing_field"});
    say(r, &(struct said){.offset = 51, .dead = "decode/truncated", .model = "a 1 (111111111111)"});
    say(r, &(struct said){SIDE_HERE, .offset = 51, .score = 0.5, .decision = "late"});
    say(r, &(struct said){
               .offset = 52, .dead = "schema/unknown\033[2J", .model = "a 1 (111111111111)"});
    say(r, &(struct said){SIDE_HERE, .offset = 52, .dead = "decode/truncated"});
    say(r, &(struct said){SIDE_HERE, .offset = 53, .score = 0.5, .decision = "late"});
    say(r, &(struct said){
               .offset = 54, .score = 0.5, .decision = "late", .model = "a 1 (111111111111)"});
}

static char *print(const struct compare_result *r)
{
    struct compare_view view = {.result = r, .scores = "scores", .dead = "dead"};
    char *text = NULL;
    size_t len;

    view.paint.out = open_memstream(&text, &len);
    compare_view_print(&view);
    fclose(view.paint.out);
    return text;
}

static const char report[] =
    "there  published in scores and dead: 42 scores, 2 dead letters\n"
    "           1  not counted: of other bundles, and not the last for its record\n"
    "           1  not counted: of all that was read are no scores or dead letters\n"
    "here   b 2 (222222222222): 42 scores, 2 dead letters, 2 skipped\n"
    "\n"
    "          20  equal\n"
    "           5  close       within the tolerance\n"
    "          15  changed     another score or decision, first flights[0]@4\n"
    "           1  reason      dead for another reason, first flights[0]@52\n"
    "           1  now dead    a score there, a dead letter here, first flights[0]@50\n"
    "                               1  bind/missing_field\n"
    "           1  now scored  a dead letter there, a score here, first flights[0]@51\n"
    "                               1  decode/truncated\n"
    "           1  only here   no outcome there, first flights[0]@53\n"
    "           1  only there  no outcome here, first flights[0]@54\n"
    "\n"
    "difference of scores, here - there\n"
    "  -0.1 to -0.01                5  ##########\n"
    "  -0.01 to -0.001              0\n"
    "  -0.001 to -0.0001            0\n"
    "  -0.0001 to -1e-05            0\n"
    "  -1e-05 to -1e-06             0\n"
    "  0                           20  ########################################\n"
    "  0 to 1e-05                   5  ##########\n"
    "  1e-05 to 0.0001              0\n"
    "  0.0001 to 0.001              0\n"
    "  0.001 to 0.01                5  ##########\n"
    "  0.01 to 0.1                  0\n"
    "  0.1 to 1                     5  ##########\n"
    "        0 %        1 %        5 %       25 %       50 %       75 %       95 %       99 %      "
    "100 %\n"
    "      -0.03      -0.03      -0.03          0          0      1e-09       0.25       0.25      "
    " 0.25\n"
    "  mean 0.027625, mean size 0.035125\n"
    "\n"
    "decisions, from there (rows) to here: 3 of 40 flip\n"
    "              on_time     watch       late\n"
    "  on_time     12          0           2\n"
    "  watch       0           13          1\n"
    "  late        0           0           12\n"
    "\n"
    "largest differences\n"
    "  +0.25        0.0625 -> 0.3125  flights[0]@4  2026-01-31T12:04:00.000Z  on_time -> late\n"
    "  +0.25        0.1875 -> 0.4375  flights[0]@12  2026-01-31T12:12:00.000Z  on_time -> late\n"
    "  +0.25        0.3125 -> 0.5625  flights[0]@20  2026-01-31T12:20:00.000Z  watch -> late\n"
    "  +0.25        0.4375 -> 0.6875  flights[0]@28  2026-01-31T12:28:00.000Z\n"
    "  +0.25        0.5625 -> 0.8125  flights[0]@36  2026-01-31T12:36:00.000Z\n"
    "  -0.03        0.34375 -> 0.31375  flights[0]@22  2026-01-31T12:22:00.000Z\n"
    "  -0.03        0.46875 -> 0.43875  flights[0]@30  2026-01-31T12:30:00.000Z\n"
    "  -0.03        0.59375 -> 0.56375  flights[0]@38  2026-01-31T12:38:00.000Z\n"
    "  -0.03        0.09375 -> 0.06375  flights[0]@6  2026-01-31T12:06:00.000Z\n"
    "  -0.03        0.21875 -> 0.18875  flights[0]@14  2026-01-31T12:14:00.000Z\n"
    "\n"
    "where they part first\n"
    "  flights[0]@4, 15 of 25 differ\n"
    "  flights[1]@5, 5 of 20 differ\n"
    "\n"
    "by schema                      records     differ       flip         mean      largest\n"
    "  none                               5          5          0            0            0\n"
    "  2                                 10          5          3        0.125         0.25\n"
    "  1                                 30         10          0    -0.004833         0.03\n"
    "\n"
    "by bundle there                records     differ       flip         mean      largest\n"
    "  a 1 (111111111111)                44         19          3      0.02763         0.25\n"
    "  a 1                                1          1          0            0            0\n"
    "\n"
    "by event time, from                    records     differ       flip         mean      "
    "largest\n"
    "  2026-01-31T12:00:00.000Z                  10          3          1       0.0221         "
    "0.25\n"
    "  2026-01-31T12:10:00.000Z                  10          3          1       0.0221         "
    "0.25\n"
    "  2026-01-31T12:20:00.000Z                  10          5          1       0.0472         "
    "0.25\n"
    "  2026-01-31T12:30:00.000Z                  10          4          0       0.0191         "
    "0.25\n"
    "  2026-01-31T12:50:00.000Z                   5          5          0            0            "
    "0\n"
    "\n"
    "20 of 45 records differ\n";

START_TEST(the_report_is_for_people)
{
    struct compare_result r;
    char *text;

    open_sides(&r, 0);
    say_all(&r);
    r.replays[SIDE_HERE].all.skipped = 2;
    r.published.unreadable = 1;
    make(&r, 1e-6);
    text = print(&r);
    ck_assert_str_eq(text, report);
    free(text);
    compare_release(&r);
}
END_TEST

SUITE(comparison)
{
    TCase *loops = CASE("report", the_report_is_for_people);

    CASE("quantiles", quantiles_are_exact_with_the_zeros_between);
    CASE("times", times_widen_until_they_fit_and_lose_nobody);
    CASE("words", words_are_the_same_only_where_their_texts_are);
    CASE("published", a_published_score_has_all_that_is_compared);
    tcase_add_loop_test(loops, two_outcomes_of_a_record_are_related, 0,
                        sizeof pairs / sizeof pairs[0]);
    tcase_add_loop_test(loops, of_several_that_are_published_one_counts, 0,
                        sizeof several / sizeof several[0]);
    tcase_add_loop_test(loops, a_published_score_is_read_or_refused, 0,
                        sizeof published / sizeof published[0]);
}
