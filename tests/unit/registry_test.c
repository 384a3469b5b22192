/* A schema registry over HTTP, well and badly behaved (tests/stub.h), behind the table of schemas.
 * One piece: all of it is said about one fixture, stub and table. */
#include "schemas/registry.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/file.h"
#include "schemas/schema_table.h"
#include "tests/harness.h"
#include "tests/reading.h"
#include "tests/stub.h"

#define GOOD "{'type':'record','name':'E','fields':[{'name':'x','type':'int'}]}"
#define NESTED                                                                                     \
    "{'type':'record','name':'E','namespace':'m','fields':[{'name':'a','type':'n.A'},"             \
    "{'name':'b','type':'n.B'}]}"

enum { ANSWER_MS = 300 };

struct fixture {
    struct stub stub;
    char urls[300];
    struct registry_options options;
    struct features features;
    struct schema_table *table;
    struct err err;
};

static const char *const subjects[] = {"in-value"};

static void init(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    stub_start(&f->stub, 0);
    snprintf(f->urls, sizeof f->urls, "%s", f->stub.url);
    f->features = EVENTS_FEATURES(NULL, "x = x | a.x : number, required");
    f->options = (struct registry_options){
        .access = {.urls = f->urls, .answer_ms = (long)(ANSWER_MS * harness_slowness())},
        .subjects = subjects,
        .subject_count = 1,
        .asks_per_s = 200};
}

static int try_open(struct fixture *f)
{
    struct schema_source *source;

    f->err = (struct err)ERR_INIT;
    if (registry_new(&source, &f->options, &f->err) != 0)
        return -1;
    ck_assert_msg(schema_table_load(&f->table, source, 0, &f->features, &f->err) == 0, "%s",
                  f->err.text);
    return 0;
}

static void open_table(struct fixture *f)
{
    ck_assert_msg(try_open(f) == 0, "%s", f->err.text);
}

static void close_table(struct fixture *f)
{
    schema_table_free(f->table);
    f->table = NULL;
}

static void release(struct fixture *f)
{
    close_table(f);
    features_release(&f->features);
    stub_stop(&f->stub);
}

/* Waits for the subject's versions. */
static int await(struct fixture *f)
{
    f->err = (struct err)ERR_INIT;
    return schema_table_await(f->table, 20000, &f->err);
}

static enum schema_state find(struct fixture *f, uint32_t id)
{
    const struct plan *plan;

    return schema_table_find(f->table, id, &plan);
}

/* Asks once, and looks until there is an answer. As schema_table_learn, never 1. */
static int learn(struct fixture *f, uint32_t id)
{
    int64_t until = harness_deadline();
    int result;

    f->err = (struct err)ERR_INIT;
    while ((result = schema_table_learn(f->table, id, clock_ms(), &f->err)) == 1) {
        ck_assert_msg(clock_ms() < until, "no answer about %u in time", id);
        harness_breathe();
    }
    return result;
}

static void expect_known(struct fixture *f, uint32_t id, enum schema_state want)
{
    ck_assert_msg(learn(f, id) == 0, "%s", f->err.text);
    ck_assert_int_eq(find(f, id), want);
}

START_TEST(a_schema_is_fetched_once_and_kept)
{
    struct fixture f;

    init(&f);
    stub_set_schema(&f.stub, 7, GOOD, NULL);
    open_table(&f);
    ck_assert_int_eq(await(&f), 0);
    for (int i = 0; i < 100; i++) /* on its way, or there */
        ck_assert_int_ge(schema_table_learn(f.table, 7, clock_ms(), &f.err), 0);
    expect_known(&f, 7, SCHEMA_USABLE);
    expect_known(&f, 7, SCHEMA_USABLE);
    ck_assert_uint_eq(stub_count(&f.stub, "/schemas/ids/7"), 1);
    release(&f);
}
END_TEST

START_TEST(an_id_that_the_registry_does_not_know_is_absent_and_asked_for_once)
{
    struct fixture f;
    unsigned before;

    init(&f);
    open_table(&f);
    await(&f);
    before = stub_count(&f.stub, NULL);
    for (int i = 0; i < 3; i++)
        expect_known(&f, 7, SCHEMA_ABSENT);
    ck_assert_uint_eq(stub_count(&f.stub, NULL), before + 1);
    /* No registry has these: nobody is asked. */
    expect_known(&f, (uint32_t)INT32_MAX + 1, SCHEMA_ABSENT);
    expect_known(&f, UINT32_MAX, SCHEMA_ABSENT);
    ck_assert_uint_eq(stub_count(&f.stub, NULL), before + 1);
    release(&f);
}
END_TEST

START_TEST(types_of_other_subjects_are_found)
{
    struct fixture f;

    init(&f);
    stub_set_schema(&f.stub, 7, NESTED,
                    "[{\"name\":\"n.A\",\"subject\":\"a\",\"version\":1},"
                    "{\"name\":\"n.B\",\"subject\":\"b\",\"version\":1}]");
    stub_set_version(&f.stub, "a", 1, 8,
                     "{'type':'record','name':'A','namespace':'n','fields':[{'name':'x',"
                     "'type':'double'},{'name':'b','type':'B'}]}",
                     "[{\"name\":\"n.B\",\"subject\":\"b\",\"version\":1}]");
    stub_set_version(&f.stub, "b", 1, 9, "{'type':'enum','name':'n.B','symbols':['P','Q']}", NULL);
    open_table(&f);
    expect_known(&f, 7, SCHEMA_USABLE);
    ck_assert_uint_eq(stub_count(&f.stub, "/subjects/b/versions/1?deleted=true"), 1);
    release(&f);
}
END_TEST

START_TEST(a_subjects_versions_are_there_before_the_first_record)
{
    struct fixture f;

    init(&f);
    stub_set(&f.stub, "/subjects/in-value/versions", STUB_ANSWERS, 200, "[1,2,4]");
    stub_set_version(&f.stub, "in-value", 1, 11, GOOD, NULL);
    stub_set_version(&f.stub, "in-value", 2, 12, "{'type':'string'}", NULL);
    stub_set_version(&f.stub, "in-value", 4, 14, GOOD, NULL);
    open_table(&f);
    ck_assert_int_eq(await(&f), 0);
    ck_assert_uint_eq(schema_table_count(f.table), 2);
    ck_assert_int_eq(find(&f, 11), SCHEMA_USABLE);
    ck_assert_int_eq(find(&f, 12), SCHEMA_UNUSABLE);
    ck_assert_int_eq(find(&f, 14), SCHEMA_USABLE);
    release(&f);
}
END_TEST

START_TEST(five_hundred_versions_are_fetched_a_few_at_a_time)
{
    enum { VERSIONS = 500 };
    char list[VERSIONS * 5 + 10] = "[", *at = list + 1;
    struct fixture f;

    init(&f);
    for (int i = 1; i <= VERSIONS; i++) {
        at += sprintf(at, "%s%d", i > 1 ? "," : "", i);
        stub_set_version(&f.stub, "in-value", i, (unsigned)i, GOOD, NULL);
    }
    strcpy(at, "]");
    stub_set(&f.stub, "/subjects/in-value/versions", STUB_ANSWERS, 200, list);
    open_table(&f);
    ck_assert_msg(await(&f) == 0, "%s", f.err.text);
    ck_assert_uint_eq(schema_table_count(f.table), VERSIONS);
    ck_assert_uint_le(f.stub.most_clients, REGISTRY_MAX_FETCHES * 2); /* some are closing */
    release(&f);
}
END_TEST

/* manner, status, body, what is said */
static const struct {
    enum stub_manner manner;
    int status;
    const char *body, *words;
} troubles[] = {
    {STUB_ANSWERS, 500, "{\"error_code\":50001}", "HTTP 500"},
    {STUB_ANSWERS, 503, "", "HTTP 503"},
    {STUB_ANSWERS, 429, "slow down", "HTTP 429"},
    {STUB_ANSWERS, 401, "", "HTTP 401"},
    {STUB_ANSWERS, 403, "{\"message\":\"no\"}", "HTTP 403: no"},
    {STUB_ANSWERS, 404, "<html>nothing here</html>", "HTTP 404"},
    {STUB_ANSWERS, 302, "", "redirects are not followed"},
    {STUB_ANSWERS, 200, "<html>welcome</html>", "not JSON"},
    {STUB_ANSWERS, 200, "{\"schema\":\"x\",\"id\":8}", "another schema"},
    {STUB_HANGS, 200, "", "timed out"},
    {STUB_DRIPS, 200, "{\"schema\":\"{}\"}", "timed out"},
    {STUB_CUTS, 200, "{\"schema\":\"{}\"}", ""},
    {STUB_RESETS, 200, "", ""},
    {STUB_FLOODS, 503, "", "more than 4194304 bytes"},
    {STUB_BABBLES, 200, "{\"schema\":\"{}\"}", "more than 65536 bytes"},
};

START_TEST(a_registry_that_misbehaves_is_waited_for_and_heals)
{
    struct fixture f;

    init(&f);
    stub_set_schema(&f.stub, 1, GOOD, NULL);
    stub_set(&f.stub, "/schemas/ids/7", troubles[_i].manner, troubles[_i].status,
             troubles[_i].body);
    open_table(&f);
    await(&f);
    expect_known(&f, 1, SCHEMA_USABLE);
    ck_assert_int_eq(learn(&f, 7), -1); /* within its deadline */
    ck_assert_int_eq(f.err.kind, ERR_DEPENDENCY);
    ck_assert_msg(strstr(f.err.text, troubles[_i].words) != NULL, "%s", f.err.text);
    ck_assert_msg(strstr(f.err.text, f.stub.url) != NULL, "%s", f.err.text);
    ck_assert_int_eq(find(&f, 7), SCHEMA_NOT_ASKED);
    stub_set_schema(&f.stub, 7, GOOD, NULL);
    while (learn(&f, 7) != 0)
        harness_breathe();
    ck_assert_int_eq(find(&f, 7), SCHEMA_USABLE);
    release(&f);
}
END_TEST

static void keep_text(void *arg, int64_t id, bool usable, const char *text)
{
    (void)id;
    (void)usable;
    snprintf(arg, 300, "%s", text);
}

/* Waiting does not make it smaller. */
START_TEST(a_schema_too_large_to_be_one_is_unusable)
{
    struct fixture f;
    char text[300] = "";

    init(&f);
    f.options.access.answer_ms = 20000;
    stub_set(&f.stub, "/schemas/ids/7", STUB_FLOODS, 200, "");
    open_table(&f);
    await(&f);
    expect_known(&f, 7, SCHEMA_UNUSABLE);
    schema_table_report(f.table, keep_text, text);
    ck_assert_msg(strstr(text, "an answer of more than 4194304 bytes") != NULL, "%s", text);
    release(&f);
}
END_TEST

/* user info, token, user in the URL, what the registry hears */
static const struct {
    const char *user_info, *token, *user, *header;
} logins[] = {
    {NULL, NULL, "", ""},
    {"fraud:s3cret", NULL, "", "Basic ZnJhdWQ6czNjcmV0"},
    {NULL, "s3cret", "", "Bearer s3cret"},
    {NULL, NULL, "fraud:s3cret@", "Basic ZnJhdWQ6czNjcmV0"},
    {NULL, NULL, "fraud:s%33cret@", "Basic ZnJhdWQ6czNjcmV0"},
};

START_TEST(a_redirect_is_not_followed_and_carries_no_login)
{
    char there[200];
    struct fixture f;
    struct stub other;

    init(&f);
    stub_start(&other, 0);
    f.options.access.user_info = logins[_i].user_info;
    f.options.access.token = logins[_i].token;
    snprintf(f.urls, sizeof f.urls, "http://%s127.0.0.1:%d", logins[_i].user, f.stub.port);
    snprintf(there, sizeof there, "%s/schemas/ids/7", other.url);
    stub_set_schema(&other, 7, GOOD, NULL);
    stub_set(&f.stub, "/schemas/ids/7", STUB_ANSWERS, 307, there);
    open_table(&f);
    ck_assert_int_eq(learn(&f, 7), -1);
    ck_assert_ptr_nonnull(strstr(f.err.text, "redirects are not followed"));
    ck_assert_ptr_null(strstr(f.err.text, "cret"));
    ck_assert_str_eq(f.stub.authorization, logins[_i].header);
    ck_assert_uint_eq(stub_count(&other, NULL), 0);
    stub_stop(&other);
    release(&f);
}
END_TEST

START_TEST(a_slow_id_holds_up_no_other)
{
    struct fixture f;

    init(&f);
    f.options.access.answer_ms = 20000;
    stub_set(&f.stub, "/schemas/ids/7", STUB_HANGS, 200, "");
    stub_set_schema(&f.stub, 8, GOOD, NULL);
    open_table(&f);
    ck_assert_int_eq(schema_table_learn(f.table, 7, clock_ms(), &f.err), 1);
    expect_known(&f, 8, SCHEMA_USABLE);
    ck_assert_int_eq(schema_table_learn(f.table, 7, clock_ms(), &f.err), 1);
    release(&f); /* and ends although it still hangs */
}
END_TEST

START_TEST(of_several_urls_the_one_that_answers_is_asked)
{
    struct fixture f;
    struct stub other;

    init(&f);
    stub_start(&other, 0);
    snprintf(f.urls, sizeof f.urls, "http://127.0.0.1:1/, %s , %s/", other.url, f.stub.url);
    stub_set(&other, "/schemas/ids/7", STUB_ANSWERS, 503, "");
    stub_set_schema(&f.stub, 7, GOOD, NULL);
    stub_set_schema(&f.stub, 8, GOOD, NULL);
    open_table(&f);
    ck_assert_int_eq(await(&f), 0); /* of `other`: no such subject */
    expect_known(&f, 7, SCHEMA_USABLE);
    ck_assert_uint_eq(stub_count(&other, "/schemas/ids/7"), 1);
    expect_known(&f, 8, SCHEMA_USABLE); /* of the one that answered last */
    expect_known(&f, 9, SCHEMA_ABSENT); /* which is believed */
    ck_assert_uint_eq(stub_count(&other, NULL), 2);
    stub_stop(&other);
    release(&f);
}
END_TEST

START_TEST(a_login_is_sent_and_never_said)
{
    char body[200];
    struct fixture f;

    init(&f);
    snprintf(f.urls, sizeof f.urls, "http://%s127.0.0.1:%d", logins[_i].user, f.stub.port);
    f.options.access.user_info = logins[_i].user_info;
    f.options.access.token = logins[_i].token;
    stub_set(&f.stub, "/subjects/in-value/versions", STUB_ANSWERS, 401, "");
    open_table(&f);
    ck_assert_int_eq(await(&f), -1);
    ck_assert_str_eq(f.stub.authorization, logins[_i].header);
    ck_assert_int_eq(f.err.kind, ERR_FATAL);
    ck_assert_int_eq(f.err.exit_code, EXIT_DENIED);
    ck_assert_ptr_null(strstr(f.err.text, "cret"));
    ck_assert_ptr_nonnull(strstr(f.err.text, "HTTP 401"));
    ck_assert_int_eq(learn(&f, 7), 0);
    /* An answer that repeats what it was sent. */
    snprintf(body, sizeof body, "{\"message\":\"no s3cret here, %s is wrong\"}", logins[_i].header);
    stub_set(&f.stub, "/schemas/ids/8", STUB_ANSWERS, 500, body);
    ck_assert_int_eq(learn(&f, 8), -1);
    ck_assert_ptr_nonnull(strstr(f.err.text, " is wrong"));
    if (*logins[_i].header) {
        ck_assert_ptr_null(strstr(f.err.text, "cret"));
        ck_assert_ptr_null(strstr(f.err.text, strchr(logins[_i].header, ' ') + 1));
        ck_assert_ptr_nonnull(strstr(f.err.text, "no ****** here"));
    }
    release(&f);
}
END_TEST

/* JSON can write each character in several ways: "/" as "\/", "=" as Gson does, all by number. */
START_TEST(a_login_that_an_answer_repeats_in_escapes_is_covered)
{
    struct fixture f;

    init(&f);
    f.options.access.user_info = "u:s3c\"re\\t";
    stub_set(&f.stub, "/subjects/in-value/versions", STUB_ANSWERS, 500,
             "{\"message\":\"s3c\\\"re\\\\t, s\\u0033c\\u0022re\\\\t, "
             "dTpzM2MicmVcdA\\u003d\\u003d!\"}");
    open_table(&f);
    ck_assert_int_eq(await(&f), -1);
    ck_assert_msg(strstr(f.err.text, "HTTP 500: ********, ********, ****************!") != NULL,
                  "%s", f.err.text);
    release(&f);
}
END_TEST

/* urls, file of ssl.ca.location, code, words */
static const struct {
    const char *urls, *ca;
    enum exit_code code;
    const char *words;
} refusals[] = {
    {"ftp://u:s3cret@host", NULL, EXIT_CONFIGURATION, "registry.url: number 1 is no http"},
    {"http://a, u:s3cret@b", NULL, EXIT_CONFIGURATION, "registry.url: number 2 is no http"},
    {"http://a,", NULL, EXIT_CONFIGURATION, "registry.url: number 2 is no http"},
    {"localhost:8081", NULL, EXIT_CONFIGURATION, "registry.url: number 1 is no http"},
    {"https://a", "/dev/null/none", EXIT_IO, "ssl.ca.location: /dev/null/none: Not a directory"},
};

START_TEST(what_can_be_no_registry_stops_the_start)
{
    struct fixture f;

    init(&f);
    f.options.access.urls = refusals[_i].urls;
    f.options.access.ca_location = refusals[_i].ca;
    ck_assert_int_eq(try_open(&f), -1);
    ck_assert_int_eq(f.err.exit_code, refusals[_i].code);
    ck_assert_msg(strstr(f.err.text, refusals[_i].words) != NULL, "%s", f.err.text);
    ck_assert_ptr_null(strstr(f.err.text, "s3cret"));
    release(&f);
}
END_TEST

START_TEST(a_registry_that_is_down_at_the_start_is_waited_for)
{
    struct fixture f;
    int port;

    init(&f);
    port = f.stub.port;
    stub_stop(&f.stub);
    open_table(&f);
    ck_assert_int_eq(await(&f), -1);
    ck_assert_int_eq(f.err.kind, ERR_DEPENDENCY);
    ck_assert_msg(strstr(f.err.text, "127.0.0.1") != NULL, "%s", f.err.text);
    stub_start(&f.stub, port);
    stub_set(&f.stub, "/subjects/in-value/versions", STUB_ANSWERS, 200, "[1]");
    stub_set_version(&f.stub, "in-value", 1, 11, GOOD, NULL);
    ck_assert_msg(await(&f) == 0, "%s", f.err.text);
    ck_assert_int_eq(find(&f, 11), SCHEMA_USABLE);
    ck_assert_int_eq(await(&f), 0); /* once it is there it is there */
    release(&f);
}
END_TEST

/* Said before the first record, not at its dead letters. */
START_TEST(a_version_that_is_no_schema_of_ours_is_known_at_the_start)
{
    struct fixture f;

    init(&f);
    stub_set(&f.stub, "/subjects/in-value/versions", STUB_ANSWERS, 200, "[1,2,3]");
    stub_set_version(&f.stub, "in-value", 1, 11, GOOD, NULL);
    stub_set(&f.stub, "/subjects/in-value/versions/2", STUB_ANSWERS, 200,
             "{\"subject\":\"in-value\",\"version\":2,\"id\":12,\"schemaType\":\"JSON\","
             "\"schema\":\"{}\"}");
    stub_set_version(&f.stub, "in-value", 3, 13, GOOD,
                     "[{\"name\":\"n.A\",\"subject\":\"gone\",\"version\":1}]");
    open_table(&f);
    ck_assert_msg(await(&f) == 0, "%s", f.err.text);
    ck_assert_int_eq(find(&f, 11), SCHEMA_USABLE);
    ck_assert_int_eq(find(&f, 12), SCHEMA_UNUSABLE);
    ck_assert_int_eq(find(&f, 13), SCHEMA_UNUSABLE);
    ck_assert_uint_eq(stub_count(&f.stub, "/schemas/ids/12"), 0);
    release(&f);
}
END_TEST

/* ---- the cache on disk */

static void fill_cache(struct fixture *f)
{
    f->options.cache = strdup(harness_folder());
    stub_set_schema(&f->stub, 7, NESTED,
                    "[{\"name\":\"n.A\",\"subject\":\"a\",\"version\":1},"
                    "{\"name\":\"n.B\",\"subject\":\"a\",\"version\":1}]");
    stub_set_version(
        &f->stub, "a", 1, 8,
        "{'type':'record','name':'n.A','fields':[{'name':'x','type':'int'},{'name':'b','type':"
        "{'type':'enum','name':'B','symbols':['P']}}]}",
        NULL);
    stub_set_schema(&f->stub, 9, GOOD, NULL);
    open_table(f);
    expect_known(f, 7, SCHEMA_USABLE);
    expect_known(f, 9, SCHEMA_USABLE);
    expect_known(f, 10, SCHEMA_ABSENT);
    close_table(f);
}

START_TEST(what_was_known_is_known_after_a_restart_without_a_registry)
{
    struct fixture f;
    int port;

    init(&f);
    fill_cache(&f);
    port = f.stub.port;
    stub_stop(&f.stub);
    open_table(&f);
    ck_assert_int_eq(find(&f, 7), SCHEMA_USABLE);
    ck_assert_int_eq(find(&f, 9), SCHEMA_USABLE);
    ck_assert_int_eq(learn(&f, 10), -1);
    close_table(&f);
    /* Another registry's ids are others. */
    snprintf(f.urls, sizeof f.urls, "http://localhost:%d", port);
    open_table(&f);
    ck_assert_uint_eq(schema_table_count(f.table), 0);
    stub_start(&f.stub, port);
    free((char *)f.options.cache);
    release(&f);
}
END_TEST

/* The one folder inside the cache. */
static void find_cache(const struct fixture *f, char folder[400])
{
    char pattern[400];
    glob_t found;

    snprintf(pattern, sizeof pattern, "%s/*", f->options.cache);
    ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
    ck_assert_uint_eq(found.gl_pathc, 1);
    snprintf(folder, 400, "%s", found.gl_pathv[0]);
    globfree(&found);
}

START_TEST(a_damaged_file_of_the_cache_is_asked_for_again)
{
    struct err err = ERR_INIT;
    char folder[400], path[420], *text;
    struct fixture f;
    size_t len;

    init(&f);
    fill_cache(&f);
    find_cache(&f, folder);
    snprintf(path, sizeof path, "%s/9.json", folder);
    ck_assert_int_eq(file_read(path, 10000, &text, &len, &err), 0);
    for (size_t cut = 0; cut < len; cut += 7) {
        harness_write(folder, "9.json", text, cut);
        open_table(&f);
        ck_assert_int_eq(find(&f, 9), SCHEMA_NOT_ASKED);
        ck_assert_int_eq(find(&f, 7), SCHEMA_USABLE);
        close_table(&f);
    }
    free(text);
    open_table(&f);
    expect_known(&f, 9, SCHEMA_USABLE);
    close_table(&f);
    open_table(&f);
    ck_assert_int_eq(find(&f, 9), SCHEMA_USABLE); /* and mended */
    free((char *)f.options.cache);
    release(&f);
}
END_TEST

/* Everything that is logged goes to a file from here on. */
static void log_into(const char *path)
{
    ck_assert_ptr_nonnull(freopen(path, "w", stderr));
}

static int count_in_log(const char *path, const char *text)
{
    struct err err = ERR_INIT;
    int count = 0;
    char *log;
    size_t len;

    fflush(stderr);
    ck_assert_int_eq(file_read(path, 1 << 20, &log, &len, &err), 0);
    for (const char *at = log; (at = strstr(at, text)) != NULL; at += strlen(text))
        count++;
    free(log);
    return count;
}

START_TEST(a_cache_that_cannot_be_written_any_more_is_said_once_and_costs_no_score)
{
    char folder[400], moved[410], path[400];
    struct fixture f;

    init(&f);
    for (unsigned id = 20; id < 25; id++)
        stub_set_schema(&f.stub, id, GOOD, NULL);
    fill_cache(&f);
    find_cache(&f, folder);
    snprintf(path, sizeof path, "%s/log", f.options.cache);
    snprintf(moved, sizeof moved, "%s-moved", folder);
    log_into(path);
    open_table(&f);
    /* A file in its place: nothing can be written, whoever we are. */
    ck_assert_int_eq(rename(folder, moved), 0);
    harness_write(f.options.cache, strrchr(folder, '/') + 1, "", 0);
    expect_known(&f, 20, SCHEMA_USABLE);
    expect_known(&f, 21, SCHEMA_USABLE);
    ck_assert_int_eq(count_in_log(path, "event=cache_failed"), 1);
    ck_assert_int_eq(count_in_log(path, "Not a directory"), 1);
    /* Mended, it is used; broken again, that is said again. */
    ck_assert_int_eq(remove(folder), 0);
    ck_assert_int_eq(rename(moved, folder), 0);
    expect_known(&f, 22, SCHEMA_USABLE);
    ck_assert_int_eq(rename(folder, moved), 0);
    harness_write(f.options.cache, strrchr(folder, '/') + 1, "", 0);
    expect_known(&f, 23, SCHEMA_USABLE);
    close_table(&f);
    ck_assert_int_eq(count_in_log(path, "event=cache_failed"), 2);
    ck_assert_int_eq(remove(folder), 0);
    ck_assert_int_eq(rename(moved, folder), 0);
    open_table(&f);
    ck_assert_int_eq(find(&f, 22), SCHEMA_USABLE);
    ck_assert_int_eq(find(&f, 21), SCHEMA_NOT_ASKED);
    free((char *)f.options.cache);
    release(&f);
}
END_TEST

START_TEST(a_cache_that_was_deleted_is_made_again)
{
    char folder[400], command[420];
    struct fixture f;

    init(&f);
    stub_set_schema(&f.stub, 20, GOOD, NULL);
    fill_cache(&f);
    find_cache(&f, folder);
    open_table(&f);
    snprintf(command, sizeof command, "rm -rf %s", f.options.cache);
    ck_assert_int_eq(system(command), 0);
    expect_known(&f, 20, SCHEMA_USABLE);
    close_table(&f);
    open_table(&f);
    ck_assert_int_eq(find(&f, 20), SCHEMA_USABLE);
    free((char *)f.options.cache);
    release(&f);
}
END_TEST

START_TEST(a_cache_that_cannot_be_written_stops_the_start)
{
    struct fixture f;

    init(&f);
    f.options.cache = "/dev/null/none";
    ck_assert_int_eq(try_open(&f), -1);
    ck_assert_int_eq(f.err.exit_code, EXIT_IO);
    ck_assert_ptr_nonnull(strstr(f.err.text, "cache /dev/null/none"));
    release(&f);
}
END_TEST

SUITE(registry)
{
    TCase *loops = harness_case(suite, "troubles", NULL, 0);

    tcase_add_loop_test(loops, a_registry_that_misbehaves_is_waited_for_and_heals, 0,
                        sizeof troubles / sizeof troubles[0]);
    tcase_add_loop_test(loops, a_login_is_sent_and_never_said, 0, sizeof logins / sizeof logins[0]);
    tcase_add_loop_test(loops, a_redirect_is_not_followed_and_carries_no_login, 0,
                        sizeof logins / sizeof logins[0]);
    tcase_add_loop_test(loops, what_can_be_no_registry_stops_the_start, 0,
                        sizeof refusals / sizeof refusals[0]);
    CASE("ids", a_schema_is_fetched_once_and_kept,
         an_id_that_the_registry_does_not_know_is_absent_and_asked_for_once,
         types_of_other_subjects_are_found, a_schema_too_large_to_be_one_is_unusable,
         a_slow_id_holds_up_no_other, of_several_urls_the_one_that_answers_is_asked);
    CASE("start", a_subjects_versions_are_there_before_the_first_record,
         five_hundred_versions_are_fetched_a_few_at_a_time,
         a_registry_that_is_down_at_the_start_is_waited_for,
         a_version_that_is_no_schema_of_ours_is_known_at_the_start,
         a_login_that_an_answer_repeats_in_escapes_is_covered);
    CASE("cache", what_was_known_is_known_after_a_restart_without_a_registry,
         a_damaged_file_of_the_cache_is_asked_for_again,
         a_cache_that_cannot_be_written_any_more_is_said_once_and_costs_no_score,
         a_cache_that_was_deleted_is_made_again, a_cache_that_cannot_be_written_stops_the_start);
}
