/* A JSON event: the scanner takes what the tokenizer of core/json.h takes, and numbers are those
 * that it reads. */
#include "core/json.h"
#include "core/text.h"
#include "schemas/scan.h"
#include "tests/fuzz/decoding.h"

enum { MAX_DEPTH = 64 };

static bool is_json(const uint8_t *data, size_t len)
{
    struct json j;

    json_init(&j, (const char *)data, len, MAX_DEPTH);
    json_skip(&j);
    return json_end(&j) && utf8_is_valid(data, len);
}

static bool is_decoded(struct outcome outcome)
{
    return outcome.kind == OUTCOME_SCORED ||
           strcmp(fault_stage((enum fault)outcome.fault), "decode") != 0;
}

/* The number x of an object that has one; else false. */
static bool find_x(const uint8_t *data, size_t len, float *value)
{
    struct json_text key;
    struct json j;
    double wide;

    json_init(&j, (const char *)data, len, MAX_DEPTH);
    for (json_enter_object(&j); json_key(&j, &key); json_skip(&j))
        if (json_text_equals(&key, "x")) {
            if (!json_number(&j, &wide))
                return false;
            *value = (float)wide;
            return true;
        }
    return false;
}

/* Without features no key is one too many: exactly what is JSON is taken. */
static void check_grammar(const uint8_t *data, size_t len)
{
    static const struct features none;
    static struct scan *scan;
    float row[1];

    if (!scan)
        scan = scan_new(&none, MAX_DEPTH);
    fuzz_expect(is_json(data, len) ==
                    (scan_run(scan, (struct slice){data, len}, row).kind == OUTCOME_SCORED),
                "scanner and tokenizer agree on what is JSON");
}

FUZZ(json)
{
    static struct scan *scan;
    float row[DECODING_FEATURES], again[DECODING_FEATURES], x;
    struct slice value = {data, len};

    if (!scan)
        scan = scan_new(decoding_features(), MAX_DEPTH);
    check_grammar(data, len);
    struct outcome first = scan_run(scan, value, row);
    decoding_check(first, row, len);
    if (first.kind == OUTCOME_SCORED)
        decoding_check_carried(scan_carried(scan));
    if (!is_json(data, len))
        fuzz_expect(!is_decoded(first), "what is no JSON is not decoded");
    else if (!is_decoded(first))
        fuzz_expect(first.fault == FAULT_DECODE_BAD_JSON,
                    "JSON is refused for a key that came twice");
    if (first.kind == OUTCOME_SCORED && find_x(data, len, &x))
        fuzz_expect(row[0] == x, "numbers are those that the tokenizer reads");
    scan_run(scan, (struct slice){data, len / 2}, again);
    decoding_check_again(first, row, scan_run(scan, value, again), again);
}
