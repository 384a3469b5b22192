/* The id of the scores' schema: looked up, registered, or refused. */
#include "schemas/score_subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness.h"
#include "tests/stub.h"

#define LOOK_UP "POST /subjects/scores-value"
#define REGISTER LOOK_UP "/versions"

struct fixture {
    struct stub stub;
    struct registry_options options;
    struct err err;
    uint32_t id;
};

static void init(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    stub_start(&f->stub, 0);
    f->options = (struct registry_options){
        .access = {.urls = f->stub.url, .answer_ms = (long)(300 * harness_slowness())}};
}

static int find(struct fixture *f)
{
    f->err = (struct err)ERR_INIT;
    f->id = 0;
    return score_subject_find(&f->options, "scores-value", &f->id, &f->err);
}

START_TEST(a_schema_that_is_there_is_found_and_one_that_is_not_is_registered)
{
    struct fixture f;

    init(&f);
    stub_set(&f.stub, REGISTER, STUB_ANSWERS, 200, "{\"id\":8}");
    ck_assert_msg(find(&f) == 0, "%s", f.err.text);
    ck_assert_uint_eq(f.id, 8);
    stub_set(&f.stub, LOOK_UP, STUB_ANSWERS, 404, "{\"error_code\":40401}");
    ck_assert_msg(find(&f) == 0, "%s", f.err.text);
    ck_assert_uint_eq(f.id, 8);
    stub_set(&f.stub, LOOK_UP, STUB_ANSWERS, 200, "{\"subject\":\"x\",\"version\":1,\"id\":9}");
    ck_assert_msg(find(&f) == 0, "%s", f.err.text);
    ck_assert_uint_eq(f.id, 9);
    ck_assert_uint_eq(stub_count(&f.stub, REGISTER), 2);
    stub_stop(&f.stub);
}
END_TEST

/* status and body of looking up, of registering (0: not asked), kind, code, words */
static const struct {
    int look_up;
    const char *look_up_body;
    int status;
    const char *body;
    enum err_kind kind;
    int code;
    const char *words;
} refusals[] = {
    {404, "{\"error_code\":40403}", 409,
     "{\"error_code\":40901,\"message\":\"reader field score has no default\"}", ERR_FATAL,
     EXIT_CONFIGURATION, "subject scores-value: HTTP 409: reader field score has no default"},
    {404, "{\"error_code\":40403}", 422, "{\"message\":\"not valid\"}", ERR_FATAL,
     EXIT_CONFIGURATION, "HTTP 422: not valid"},
    {404, "{\"error_code\":40403}", 403, "", ERR_FATAL, EXIT_DENIED, "HTTP 403: no reason given"},
    {401, "", 0, NULL, ERR_FATAL, EXIT_DENIED, "HTTP 401"},
    {404, "{\"error_code\":40403}", 503, "", ERR_DEPENDENCY, EXIT_UNAVAILABLE, "HTTP 503"},
    {404, "{\"error_code\":40403}", 404, "{\"error_code\":40401}", ERR_DEPENDENCY, EXIT_UNAVAILABLE,
     "neither found nor made"},
    {404, "<html>", 0, NULL, ERR_DEPENDENCY, EXIT_UNAVAILABLE, "HTTP 404"},
    {503, "", 0, NULL, ERR_DEPENDENCY, EXIT_UNAVAILABLE, "HTTP 503"},
    {200, "{}", 0, NULL, ERR_DEPENDENCY, EXIT_UNAVAILABLE, "HTTP 200"},
    {200, "{\"id\":-1}", 0, NULL, ERR_DEPENDENCY, EXIT_UNAVAILABLE, "HTTP 200"},
    {200, "<html>", 0, NULL, ERR_DEPENDENCY, EXIT_UNAVAILABLE, "HTTP 200"},
};

START_TEST(a_refusal_is_said_in_the_registrys_own_words)
{
    struct fixture f;

    init(&f);
    stub_set(&f.stub, LOOK_UP, STUB_ANSWERS, refusals[_i].look_up, refusals[_i].look_up_body);
    stub_set(&f.stub, REGISTER, STUB_ANSWERS, refusals[_i].status, refusals[_i].body);
    ck_assert_int_eq(find(&f), -1);
    ck_assert_int_eq(f.err.kind, refusals[_i].kind);
    ck_assert_int_eq(f.err.exit_code, refusals[_i].code);
    ck_assert_msg(strstr(f.err.text, refusals[_i].words) != NULL, "%s", f.err.text);
    ck_assert_uint_eq(stub_count(&f.stub, REGISTER), refusals[_i].status != 0);
    stub_stop(&f.stub);
}
END_TEST

START_TEST(a_restart_without_the_registry_knows_the_id)
{
    struct fixture f;

    init(&f);
    stub_set(&f.stub, LOOK_UP, STUB_HANGS, 200, "");
    ck_assert_int_eq(find(&f), -1);
    ck_assert_int_eq(f.err.kind, ERR_DEPENDENCY);
    f.options.cache = harness_folder();
    stub_set(&f.stub, LOOK_UP, STUB_ANSWERS, 200, "{\"id\":9}");
    ck_assert_int_eq(find(&f), 0);
    stub_set(&f.stub, LOOK_UP, STUB_HANGS, 200, "");
    ck_assert_msg(find(&f) == 0, "%s", f.err.text);
    ck_assert_uint_eq(f.id, 9);
    stub_set(&f.stub, LOOK_UP, STUB_ANSWERS, 401, ""); /* an answer counts */
    ck_assert_int_eq(find(&f), -1);
    stub_stop(&f.stub);
}
END_TEST

#define COMPARE "POST /compatibility/subjects/scores-value/versions/latest?verbose=true"

/* status and body of looking up, of comparing (0: not asked); what comes of it (-1: err) */
static const struct {
    int look_up;
    const char *look_up_body;
    int compare;
    const char *compare_body;
    int state, code;
    const char *words;
} proofs[] = {
    {200, "{\"id\":9}", 0, NULL, SCORE_SUBJECT_HAS_IT, 0, NULL},
    {404, "{\"error_code\":40401}", 404, "{\"error_code\":40401}", SCORE_SUBJECT_IS_NEW, 0, NULL},
    {404, "{\"error_code\":40401}", 404, "{\"error_code\":40402}", SCORE_SUBJECT_IS_NEW, 0, NULL},
    {404, "{\"error_code\":40403}", 200, "{\"is_compatible\":true}", SCORE_SUBJECT_FITS, 0, NULL},
    {404, "{\"error_code\":40403}", 200,
     "{\"is_compatible\":false,\"messages\":[\"field score has no default\"]}", -1,
     EXIT_CONFIGURATION, "not compatible with its newest version: field score has no default"},
    {404, "{\"error_code\":40403}", 200, "{\"is_compatible\":false}", -1, EXIT_CONFIGURATION,
     "not compatible with its newest version"},
    {404, "{\"error_code\":40403}", 200, "{}", -1, EXIT_UNAVAILABLE, "HTTP 200"},
    {404, "{\"error_code\":40403}", 403, "", -1, EXIT_DENIED, "HTTP 403"},
    {401, "", 0, NULL, -1, EXIT_DENIED, "HTTP 401"},
    {503, "", 0, NULL, -1, EXIT_UNAVAILABLE, "HTTP 503"},
};

START_TEST(what_would_come_of_it_is_known_without_registering)
{
    struct fixture f;
    enum score_subject state;
    int result;

    init(&f);
    stub_set(&f.stub, LOOK_UP, STUB_ANSWERS, proofs[_i].look_up, proofs[_i].look_up_body);
    stub_set(&f.stub, COMPARE, STUB_ANSWERS, proofs[_i].compare, proofs[_i].compare_body);
    f.err = (struct err)ERR_INIT;
    result = score_subject_prove(&f.options, "scores-value", &state, &f.id, &f.err);
    ck_assert_int_eq(result, proofs[_i].state < 0 ? -1 : 0);
    if (result == 0)
        ck_assert_int_eq((int)state, proofs[_i].state);
    else
        ck_assert_msg(strstr(f.err.text, proofs[_i].words) != NULL, "%s", f.err.text);
    ck_assert_int_eq(f.err.exit_code, proofs[_i].code);
    ck_assert_uint_eq(stub_count(&f.stub, COMPARE), proofs[_i].compare != 0);
    ck_assert_uint_eq(stub_count(&f.stub, REGISTER), 0);
    stub_stop(&f.stub);
}
END_TEST

SUITE(score_subject)
{
    TCase *loops = harness_case(suite, "refusals", NULL, 0);

    CASE("id", a_schema_that_is_there_is_found_and_one_that_is_not_is_registered,
         a_restart_without_the_registry_knows_the_id);
    tcase_add_loop_test(loops, a_refusal_is_said_in_the_registrys_own_words, 0,
                        sizeof refusals / sizeof refusals[0]);
    tcase_add_loop_test(loops, what_would_come_of_it_is_known_without_registering, 0,
                        sizeof proofs / sizeof proofs[0]);
}
