/* What a registry may answer, step by step and without a network. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/registry_fetch.h"
#include "tests/harness.h"
#include "tests/reading.h"

static bool take(struct registry_fetch *f, long status, const char *text)
{
    char *body = reading_quoted(text);
    bool is_done = registry_fetch_take(f, "http://r", status, body, strlen(body));

    free(body);
    return is_done;
}

static void expect_path(struct registry_fetch *f, const char *want)
{
    char path[REGISTRY_MAX_PATH];

    ck_assert(registry_fetch_path(f, path, sizeof path));
    ck_assert_str_eq(path, want);
}

/* Of schema 7, unless there is a subject: status, body, what becomes of it, words */
static const struct {
    const char *subject;
    long status;
    const char *body;
    enum schema_answer_kind kind;
    const char *words;
} answers[] = {
    {NULL, 200, "{'schema':'x'}", SCHEMA_FOUND, NULL},
    {NULL, 200, "{'schema':'x','schemaType':'AVRO','id':7,'references':[],'new':1}", SCHEMA_FOUND,
     NULL},
    {NULL, 200, "{'schema':'x','references':null}", SCHEMA_FOUND, NULL},
    {NULL, 404, "{'error_code':40403,'message':'Schema 7 not found'}", SCHEMA_MISSING, NULL},
    {NULL, 200, "{'schema':'x','schemaType':'PROTOBUF'}", SCHEMA_BAD, "its type is PROTOBUF"},
    {NULL, 404, "{'error_code':0,'message':'no resource'}", SCHEMA_FAILED,
     "http://r: HTTP 404: no resource: is that a schema registry's URL?"},
    {NULL, 404, "{'error_code':40401}", SCHEMA_FAILED, "http://r: HTTP 404"},
    {NULL, 404, "<html>", SCHEMA_FAILED, "http://r: HTTP 404"},
    {NULL, 410, "{'error_code':40403}", SCHEMA_FAILED, "http://r: HTTP 410"},
    {NULL, 401, "", SCHEMA_FAILED, "http://r: HTTP 401"},
    {NULL, 403, "{'message':'User cannot access'}", SCHEMA_FAILED,
     "http://r: HTTP 403: User cannot access"},
    {NULL, 429, "", SCHEMA_FAILED, "http://r: HTTP 429"},
    {NULL, 500, "{'error_code':50001}", SCHEMA_FAILED, "http://r: HTTP 500"},
    {NULL, 503, "busy", SCHEMA_FAILED, "http://r: HTTP 503"},
    {NULL, 302, "", SCHEMA_FAILED, "http://r: HTTP 302, redirects are not followed"},
    {NULL, 0, "Connection refused", SCHEMA_FAILED, "http://r: Connection refused"},
    {NULL, 200, "", SCHEMA_FAILED, "an answer that is not JSON"},
    {NULL, 200, "<html>welcome</html>", SCHEMA_FAILED, "an answer that is not JSON"},
    {NULL, 200, "{}", SCHEMA_FAILED, "an answer without a schema"},
    {NULL, 200, "[]", SCHEMA_FAILED, "an answer without a schema"},
    {NULL, 200, "null", SCHEMA_FAILED, "an answer that is not JSON"},
    {NULL, 200, "{'schema':{'type':'int'}}", SCHEMA_FAILED, "an answer without a schema"},
    {NULL, 200, "{'schema':'x','id':8}", SCHEMA_FAILED, "an answer about another schema"},
    {NULL, 200, "{'schema':'x','references':[{}]}", SCHEMA_FAILED, "a reference without subject"},
    {NULL, 200, "{'schema':'x','references':[{'subject':'a','version':-1}]}", SCHEMA_FAILED,
     "a reference without subject"},
    {"s", 200, "{'schema':'x','id':9,'version':3,'subject':'s'}", SCHEMA_FOUND, NULL},
    {"s", 404, "{'error_code':40401}", SCHEMA_MISSING, NULL},
    {"s", 404, "{'error_code':40402}", SCHEMA_MISSING, NULL},
    {"s", 200, "{'schema':'x','id':9,'version':4}", SCHEMA_FAILED, "about another schema"},
    {"s", 200, "{'schema':'x','version':3}", SCHEMA_FAILED, "about another schema"},
    {"s", 200, "{'schema':'x','id':-1}", SCHEMA_FAILED, "about another schema"},
    {"s", 200, "{'schema':'x','id':4294967296}", SCHEMA_FAILED, "about another schema"},
};

START_TEST(an_answer_is_a_schema_or_none_or_no_answer)
{
    struct registry_fetch f;

    registry_fetch_init(&f, 7, answers[_i].subject, answers[_i].subject ? 3 : 0);
    expect_path(&f, answers[_i].subject ? "/subjects/s/versions/3" : "/schemas/ids/7");
    ck_assert(take(&f, answers[_i].status, answers[_i].body));
    ck_assert_msg(f.answer.kind == answers[_i].kind, "kind %d: %s", (int)f.answer.kind,
                  f.answer.words ? f.answer.words : "");
    if (answers[_i].words)
        ck_assert_msg(strstr(f.answer.words, answers[_i].words) != NULL, "%s", f.answer.words);
    if (answers[_i].kind == SCHEMA_FOUND) {
        ck_assert_uint_eq(f.answer.text_count, 1);
        ck_assert_str_eq(f.answer.texts[0], "x");
        ck_assert_uint_eq(f.answer.id, answers[_i].subject ? 9 : 7);
    }
    ck_assert_int_eq(f.is_denied, answers[_i].status == 401 || answers[_i].status == 403);
    registry_fetch_release(&f);
}
END_TEST

#define REF(subject, version) "{'name':'n','subject':'" subject "','version':" #version "}"

/* The main schema uses a and b, both use c: each is asked for once, and c stands first. */
START_TEST(references_are_fetched_once_and_stand_before_what_uses_them)
{
    static const char *const texts[] = {"c", "a", "b", "main"};
    struct registry_fetch f;

    registry_fetch_init(&f, 7, NULL, 0);
    ck_assert(!take(&f, 200, "{'schema':'main','references':[" REF("a", 1) "," REF("b", 2) "]}"));
    expect_path(&f, "/subjects/a/versions/1?deleted=true");
    ck_assert(!take(&f, 200, "{'schema':'a','id':70,'references':[" REF("c", 3) "]}"));
    expect_path(&f, "/subjects/b/versions/2?deleted=true");
    ck_assert(!take(&f, 200, "{'schema':'b','references':[" REF("c", 3) "," REF("c", 3) "]}"));
    expect_path(&f, "/subjects/c/versions/3?deleted=true");
    ck_assert(take(&f, 200, "{'schema':'c'}"));
    ck_assert_int_eq(f.answer.kind, SCHEMA_FOUND);
    ck_assert_uint_eq(f.answer.text_count, 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_str_eq(f.answer.texts[i], texts[i]);
    ck_assert_uint_eq(f.answer.id, 7);
    registry_fetch_release(&f);
}
END_TEST

START_TEST(references_in_a_circle_end)
{
    struct registry_fetch f;

    registry_fetch_init(&f, 7, NULL, 0);
    ck_assert(!take(&f, 200, "{'schema':'main','references':[" REF("a", 1) "]}"));
    ck_assert(!take(&f, 200, "{'schema':'a','references':[" REF("b", 1) "]}"));
    ck_assert(take(&f, 200, "{'schema':'b','references':[" REF("a", 1) "," REF("b", 1) "]}"));
    ck_assert_int_eq(f.answer.kind, SCHEMA_FOUND);
    ck_assert_uint_eq(f.answer.text_count, 3);
    registry_fetch_release(&f);
}
END_TEST

/* A chain of references, each answered with the next; returns how many were asked for. */
static int walk_chain(struct registry_fetch *f)
{
    char body[200];
    int asked = 0;

    registry_fetch_init(f, 7, NULL, 0);
    do
        snprintf(body, sizeof body, "{'schema':'x','references':[{'subject':'s','version':%d}]}",
                 ++asked);
    while (!take(f, 200, body) && asked < 1000);
    return asked - 1;
}

START_TEST(more_than_a_hundred_references_are_no_schema)
{
    struct registry_fetch f;

    ck_assert_int_eq(walk_chain(&f), REGISTRY_MAX_REFERENCES);
    ck_assert_int_eq(f.answer.kind, SCHEMA_BAD);
    ck_assert_str_eq(f.answer.words, "it refers to more than 100 schemas");
    registry_fetch_release(&f);
}
END_TEST

START_TEST(a_reference_that_is_not_there_makes_a_bad_schema_and_one_unanswered_waits)
{
    static const struct {
        long status;
        const char *body;
        enum schema_answer_kind kind;
    } ends[] = {{404, "{'error_code':40401}", SCHEMA_BAD},
                {404, "{'error_code':40402}", SCHEMA_BAD},
                {404, "", SCHEMA_FAILED},
                {503, "", SCHEMA_FAILED},
                {200, "{'schema':'x','version':2}", SCHEMA_FAILED}};

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct registry_fetch f;
        registry_fetch_init(&f, 7, NULL, 0);
        ck_assert(!take(&f, 200, "{'schema':'main','references':[" REF("a", 1) "]}"));
        ck_assert(take(&f, ends[i].status, ends[i].body));
        ck_assert_int_eq(f.answer.kind, ends[i].kind);
        ck_assert_uint_eq(f.answer.text_count, 0);
        registry_fetch_release(&f);
    }
}
END_TEST

START_TEST(a_schema_and_its_references_are_a_mebibyte_at_most)
{
    char *body = malloc((1 << 20) + 100);
    struct registry_fetch f;

    for (size_t less = 0; less <= 1; less++) {
        size_t len = (1 << 20) + 1 - less;
        sprintf(body, "{'schema':'%0*d'}", (int)len, 0);
        registry_fetch_init(&f, 7, NULL, 0);
        ck_assert(take(&f, 200, body));
        ck_assert_int_eq(f.answer.kind, less ? SCHEMA_FOUND : SCHEMA_BAD);
        registry_fetch_release(&f);
    }
    free(body);
}
END_TEST

START_TEST(a_subject_of_any_letters_is_escaped_and_one_without_end_is_bad)
{
    char *body = malloc(10100);
    struct registry_fetch f;
    char path[REGISTRY_MAX_PATH];

    registry_fetch_init(&f, 0, ":.ctx:a/b c\xc3\xa4?", 3);
    expect_path(&f, "/subjects/%3A.ctx%3Aa%2Fb%20c%C3%A4%3F/versions/3");
    registry_fetch_release(&f);
    registry_fetch_init(&f, 7, NULL, 0);
    sprintf(body, "{'schema':'x','references':[{'subject':'%010000d','version':1}]}", 0);
    ck_assert(!take(&f, 200, body));
    ck_assert(!registry_fetch_path(&f, path, sizeof path));
    ck_assert_int_eq(f.answer.kind, SCHEMA_BAD);
    registry_fetch_release(&f);
    free(body);
}
END_TEST

START_TEST(of_a_subjects_versions_the_newest_thousand_count)
{
    char *body = malloc(20000);
    size_t len = (size_t)sprintf(body, "[0");
    struct registry_fetch f;

    registry_fetch_init(&f, 0, "s", 0);
    expect_path(&f, "/subjects/s/versions");
    ck_assert(take(&f, 200, "[1,2,5]"));
    ck_assert_uint_eq(f.version_count, 3);
    ck_assert_int_eq(f.versions[2], 5);
    registry_fetch_release(&f);
    for (int i = 1; i <= REGISTRY_MAX_VERSIONS; i++)
        len += (size_t)sprintf(body + len, ",%d", i);
    sprintf(body + len, "]");
    registry_fetch_init(&f, 0, "s", 0);
    ck_assert(take(&f, 200, body));
    ck_assert_uint_eq(f.version_count, REGISTRY_MAX_VERSIONS);
    ck_assert_int_eq(f.versions[0], 1);
    registry_fetch_release(&f);
    free(body);
    static const char *const bad[] = {"{}", "[0]", "['a']", "[-1]", "[null]", "7"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        registry_fetch_init(&f, 0, "s", 0);
        ck_assert(take(&f, 200, bad[i]));
        ck_assert_int_eq(f.answer.kind, SCHEMA_FAILED);
        registry_fetch_release(&f);
    }
}
END_TEST

START_TEST(an_answer_that_is_cut_is_no_answer)
{
    static const char whole[] = "{'schema':'x','id':7,'references':[" REF("a", 1) "]}";
    char *body = reading_quoted(whole);

    for (size_t len = 0; len < sizeof whole - 1; len++) {
        struct registry_fetch f;
        uint8_t *exact = events_exact(body, len);
        registry_fetch_init(&f, 7, NULL, 0);
        ck_assert(registry_fetch_take(&f, "http://r", 200, (const char *)exact, len));
        ck_assert_int_eq(f.answer.kind, SCHEMA_FAILED);
        registry_fetch_release(&f);
        free(exact);
    }
    free(body);
}
END_TEST

SUITE(registry_fetch)
{
    TCase *loops = harness_case(suite, "answers", NULL, 0);

    tcase_add_loop_test(loops, an_answer_is_a_schema_or_none_or_no_answer, 0,
                        sizeof answers / sizeof answers[0]);
    CASE("references", references_are_fetched_once_and_stand_before_what_uses_them,
         references_in_a_circle_end,
         a_reference_that_is_not_there_makes_a_bad_schema_and_one_unanswered_waits);
    CASE("bounds", more_than_a_hundred_references_are_no_schema,
         a_schema_and_its_references_are_a_mebibyte_at_most,
         a_subject_of_any_letters_is_escaped_and_one_without_end_is_bad,
         of_a_subjects_versions_the_newest_thousand_count, an_answer_that_is_cut_is_no_answer);
}
