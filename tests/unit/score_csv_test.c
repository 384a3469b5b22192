/* Scores as lines of CSV. */
#include "producer/score_csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEADING                                                                                    \
    "id,topic,partition,offset,event_time,schema_id,model,version,digest,run,score,scores,"        \
    "decision,mode"
#define BY(model, version) model "," version "," DIGEST ",abcdef012345,"

#define TEXT(literal)                                                                              \
    {                                                                                              \
        .kind = CARRIED_TEXT, .len = sizeof(literal) - 1, .text = (literal)                        \
    }

static const double three[] = {0.25, 1.0 / 3, -5e-324};
static const struct carried carried[][3] = {
    {{.kind = CARRIED_NOTHING}, TEXT("a,b"), {.kind = CARRIED_INTEGER, .integer = INT64_MIN}},
    {TEXT("a\"\xff\""), TEXT("a\nb"), {.kind = CARRIED_DOUBLE, .number = -INFINITY}},
    {TEXT(""), TEXT("a\0b"), {.kind = CARRIED_ESCAPED, .len = 6, .text = "\\u000d"}},
};

static const struct {
    const char *model;
    struct record record;
    struct score score;
    size_t carry_count;
    const char *line;
} cases[] = {
    {"delay",
     {.topic = "in", .partition = 3, .offset = 41},
     {.value = 0.25, .decision = "watch", .schema_id = 7, .event_time_ms = 1385856000000},
     0,
     "in-3-41-0123456789ab,in,3,41,1385856000000,7," BY("delay", "2") "0.25,,watch,replay\n"},
    {"de,\"lay",
     {.topic = "in", .partition = 0, .offset = INT64_MAX},
     {.value = -1, .schema_id = SCHEMA_ID_NONE, .values = three, .value_count = 3},
     0,
     "in-0-9223372036854775807-0123456789ab,in,0,9223372036854775807,0,," BY(
         "\"de,\"\"lay\"", "2") "-1.0,0.25 0.3333333333333333 -5e-324,,replay\n"},
    {"m",
     {.topic = "t"},
     {.decision = "line\nbreak", .carried = carried[0]},
     3,
     "t-0-0-0123456789ab,t,0,0,0,0," BY("m", "2") "0.0,,\"line\nbreak\",replay,,\"a,b\","
                                                  "-9223372036854775808\n"},
    {"m",
     {.topic = "t"},
     {.decision = "", .carried = carried[1]},
     3,
     "t-0-0-0123456789ab,t,0,0,0,0," BY("m", "2") "0.0,,,replay,\"a\"\"\xef\xbf\xbd\"\"\","
                                                  "\"a\nb\",-Infinity\n"},
    {"m",
     {.topic = "t"},
     {.carried = carried[2]},
     2,
     "t-0-0-0123456789ab,t,0,0,0,0," BY("m", "2") "0.0,,,replay,,\"a"},
};

static char names[][9] = {"a", "b[\"c,d\"]", "e"};
static struct path paths[] = {{.text = names[0]}, {.text = names[1]}, {.text = names[2]}};

static void start(struct score_csv *csv, const char *model, size_t carry_count)
{
    struct score_options options = {.carry = paths, .carry_count = carry_count};
    struct provenance p = {model, "2", DIGEST, "abcdef012345", 0, SCORE_REPLAY};

    score_csv_init(csv, &options, &p);
}

START_TEST(a_line_has_every_field_in_exactly_the_room_that_was_promised)
{
    struct score_csv csv;
    size_t len, cap;
    char *out;

    start(&csv, cases[_i].model, cases[_i].carry_count);
    cap = score_csv_max_bytes(&csv, &cases[_i].record, &cases[_i].score);
    out = malloc(cap);
    len = score_csv_encode(&csv, &cases[_i].record, &cases[_i].score, out);
    ck_assert_uint_le(len, cap);
    ck_assert_uint_ge(len, strlen(cases[_i].line));
    ck_assert_msg(memcmp(out, cases[_i].line, strlen(cases[_i].line)) == 0, "%.*s", (int)len, out);
    ck_assert_int_eq(out[len - 1], '\n');
    free(out);
    score_csv_release(&csv);
}
END_TEST

START_TEST(the_heading_names_carried_fields_by_their_paths)
{
    static const char *const rests[] = {"\n", ",a\n", ",a,\"b[\"\"c,d\"\"]\"\n"};

    for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++) {
        char *heading = score_csv_heading(paths, i);

        ck_assert_int_eq(strncmp(heading, HEADING, strlen(HEADING)), 0);
        ck_assert_str_eq(heading + strlen(HEADING), rests[i]);
        free(heading);
    }
}
END_TEST

SUITE(score_csv)
{
    tcase_add_loop_test(CASE("lines", the_heading_names_carried_fields_by_their_paths),
                        a_line_has_every_field_in_exactly_the_room_that_was_promised, 0,
                        sizeof cases / sizeof cases[0]);
}
