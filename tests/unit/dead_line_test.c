/* Dead letters as lines of JSON, as jansson reads them. */
#include "producer/dead_line.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness.h"

static const struct provenance provenance = {"fraud",        "7", "d16e57",
                                             "0123456789ab", 3,   SCORE_REPLAY};
static const struct header headers[] = {{"a\"b", {(const uint8_t *)"\0x", 2}}, {"none", {NULL, 0}}};

static const struct {
    struct record record;
    struct dead_letter letter;
    const char *line;
} cases[] = {
    {{.topic = "in",
      .partition = 2,
      .offset = 5,
      .timestamp_ms = 9,
      .key = {(const uint8_t *)"k", 1},
      .value = {(const uint8_t *)"\xff{", 2}},
     {.fault = FAULT_DECODE_BAD_JSON, .message = "not \"JSON\"", .schema_id = SCHEMA_ID_NONE},
     "{\"topic\":\"in\",\"partition\":2,\"offset\":5,\"timestamp\":9,\"stage\":\"decode\","
     "\"reason\":\"bad_json\",\"blame\":\"record\",\"message\":\"not \\\"JSON\\\"\","
     "\"schema_id\":null,\"model\":\"fraud\",\"version\":\"7\",\"digest\":\"d16e57\","
     "\"run\":\"0123456789ab\",\"mode\":\"replay\",\"key_base64\":\"aw==\","
     "\"value_base64\":\"/3s=\",\"headers_base64\":[]}\n"},
    {{.topic = "in", .partition = 0, .offset = INT64_MAX, .timestamp_ms = -1},
     {.fault = FAULT_SCHEMA_UNUSABLE,
      .message = "",
      .schema_id = 7,
      .headers = headers,
      .header_count = 2},
     "{\"topic\":\"in\",\"partition\":0,\"offset\":9223372036854775807,\"timestamp\":-1,"
     "\"stage\":\"schema\",\"reason\":\"unusable_schema\",\"blame\":\"schema\",\"message\":\"\","
     "\"schema_id\":\"7\",\"model\":\"fraud\",\"version\":\"7\",\"digest\":\"d16e57\","
     "\"run\":\"0123456789ab\",\"mode\":\"replay\",\"key_base64\":null,\"value_base64\":null,"
     "\"headers_base64\":[[\"a\\\"b\",\"AHg=\"],[\"none\",null]]}\n"},
    {{.topic = "t"},
     {.fault = FAULT_DECODE_TOO_DEEP, .message = "", .schema_id = -2, .has_lost_headers = true},
     "{\"topic\":\"t\",\"partition\":0,\"offset\":0,\"timestamp\":0,\"stage\":\"decode\","
     "\"reason\":\"too_deep\",\"blame\":\"record\",\"message\":\"\","
     "\"schema_id\":\"fffffffffffffffe\",\"model\":\"fraud\",\"version\":\"7\","
     "\"digest\":\"d16e57\",\"run\":\"0123456789ab\",\"mode\":\"replay\",\"key_base64\":null,"
     "\"value_base64\":null,\"headers_base64\":null}\n"},
};

START_TEST(a_line_says_what_is_wrong_and_holds_the_record)
{
    const struct dead_line line = {&provenance, cases[_i].letter.schema_id == -2};
    size_t cap = dead_line_max_bytes(&line, &cases[_i].record, &cases[_i].letter), len;
    char *out = malloc(cap);
    json_t *json;

    len = dead_line_encode(&line, &cases[_i].record, &cases[_i].letter, out);
    ck_assert_uint_le(len, cap);
    ck_assert_msg(len == strlen(cases[_i].line) && memcmp(out, cases[_i].line, len) == 0, "%.*s",
                  (int)len, out);
    json = json_loadb(out, len, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(json);
    json_decref(json);
    free(out);
}
END_TEST

SUITE(dead_line)
{
    tcase_add_loop_test(harness_case(suite, "lines", NULL, 0),
                        a_line_says_what_is_wrong_and_holds_the_record, 0,
                        sizeof cases / sizeof cases[0]);
}
