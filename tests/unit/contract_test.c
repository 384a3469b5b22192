/* What kscore schema and check say of a configuration's schemas, as data. */
#include "pipeline/contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/schemas.h"
#include "tests/events.h"
#include "tests/fixture.h"
#include "tests/harness.h"
#include "tests/reading.h"
#include "tests/stub.h"

#define RECORD(fields) "{'type':'record','name':'n.E','fields':[" fields "]}"
#define FIELD(name, type) "{'name':'" name "','type':" type "}"
#define GOOD RECORD(FIELD("x", "'double'"))

struct fixture {
    char folder[300];
    struct config config;
    struct bundle bundle;
    struct contract contract;
    struct err err;
};

/* x is required, wind may be missing. */
static void init(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    snprintf(f->folder, sizeof f->folder, "%s", harness_folder());
    f->bundle.name = f->bundle.version = (char *)"1";
    f->bundle.features = EVENTS_FEATURES(NULL, "x = x | old.x : number, required",
                                         "wind = wind_speed : number, optional");
}

static void write_schema(const struct fixture *f, const char *name, const char *schema)
{
    char *text = reading_quoted(schema);

    harness_write(f->folder, name, text, strlen(text));
    free(text);
}

/* More lines of configuration; %s is the fixture's folder. */
static void configure(struct fixture *f, const char *format)
{
    char text[2000] = FIXTURE_CONFIG;
    size_t len = strlen(text);

    snprintf(text + len, sizeof text - len, format, f->folder);
    fixture_config(&f->config, text);
}

static int collect(struct fixture *f, const char *id)
{
    struct contract_options o = {
        .config = &f->config, .bundle = &f->bundle, .id = id, .timeout_ms = 20000};

    f->err = (struct err)ERR_INIT;
    return contract_init(&f->contract, &o, &f->err);
}

static void expect(struct fixture *f, const char *id)
{
    ck_assert_msg(collect(f, id) == 0, "%s", f->err.text);
}

static void release(struct fixture *f)
{
    contract_release(&f->contract);
    config_release(&f->config);
    features_release(&f->bundle.features);
}

#define FOLDER "[consumer]\nformat = avro\n[schemas]\nfolder = %s\n"

/* Text of all that is in a list, with commas. Static buffer. */
static const char *unused_of(const struct contract_schema *s)
{
    static char text[400];
    size_t len = 0;

    *text = '\0';
    for (size_t i = 0; i < s->unused.count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", i ? ", " : "",
                                s->unused.items[i].path);
    return text;
}

START_TEST(each_file_of_a_folder_is_judged_feature_by_feature)
{
    const struct contract_schema *s;
    struct schema_source *source;
    struct decoder *decoder;
    struct fixture f;

    init(&f);
    write_schema(&f, "10.avsc",
                 RECORD(FIELD("x", "['null','double','string']") "," FIELD("wind_sped", "'int'")));
    write_schema(&f, "2.avsc",
                 RECORD(FIELD("xs", "'double'") "," FIELD("wind_speed", "'int'") "," FIELD(
                     "old", "{'type':'record','name':'O','fields':[" FIELD("y", "'int'") "]}")));
    write_schema(&f, "3.avsc", "{'type':'recrd'}");
    write_schema(&f, "4.avsc", RECORD(FIELD("x", "'bytes'")));
    configure(&f, FOLDER);
    expect(&f, NULL);
    ck_assert_int_eq(f.contract.source, CONTRACT_FOLDER);
    ck_assert_uint_eq(f.contract.schema_count, 4);
    s = &f.contract.schemas[3];
    ck_assert_str_eq(s->id, "10");
    ck_assert_str_eq(s->name, "n.E");
    ck_assert(s->is_usable);
    ck_assert_int_eq(s->binding->items[0].kind, BOUND_FIELD);
    ck_assert_str_eq(s->binding->items[0].type, "null or double or string");
    ck_assert_str_eq(s->binding->items[0].how, "rounded to float32; string: dead letter "
                                               "wrong_type; null or absent: dead letter "
                                               "missing_field");
    ck_assert_int_eq(s->binding->items[1].kind, BOUND_MISSING);
    ck_assert_str_eq(s->binding->items[1].why, "no field wind_speed; did you mean wind_sped?");
    ck_assert_str_eq(s->binding->items[1].nearest, "wind_sped");
    ck_assert_str_eq(unused_of(s), "wind_sped");
    s = &f.contract.schemas[0];
    ck_assert_str_eq(s->id, "2");
    ck_assert(!s->is_usable);
    ck_assert_str_eq(s->why, "cannot serve the model: feature x: no field x or old.x; did you "
                             "mean xs?");
    ck_assert_str_eq(s->binding->items[1].how, "float32, exact to 2^24");
    ck_assert_str_eq(unused_of(s), "xs, old.y");
    ck_assert_ptr_null(f.contract.schemas[1].binding);
    ck_assert_str_eq(f.contract.schemas[1].why,
                     "not an Avro schema: type recrd is not defined before it is used");
    ck_assert_int_eq(f.contract.schemas[2].binding->items[0].kind, BOUND_WRONG);
    /* And run says the same. */
    ck_assert_int_eq(schemas_open(&f.config, &source, &f.err), 0);
    ck_assert_int_eq(schemas_decoder(&decoder, &f.config, source, &f.bundle.features, &f.err), 0);
    ck_assert_uint_eq(f.contract.usable_count, 1);
    ck_assert_uint_eq(decoder_schema_count(decoder), 1);
    decoder_free(decoder);
    release(&f);
}
END_TEST

START_TEST(below_a_root_only_its_fields_count)
{
    struct fixture f;

    init(&f);
    write_schema(
        &f, "1.avsc",
        RECORD(FIELD("op", "'string'") "," FIELD(
            "after",
            "['null',{'type':'record','name':'A','fields':[" FIELD("x", "'int'") "," FIELD(
                "t", "'long'") "," FIELD("key", "'string'") "," FIELD("z", "'int'") "]}]")));
    write_schema(&f, "2.avsc", GOOD);
    configure(&f, "[consumer]\nformat = avro\nroot = after\nevent_time = t\n[producer]\n"
                  "carry = key, gone\n[schemas]\nfolder = %s\n");
    expect(&f, NULL);
    ck_assert_str_eq(unused_of(&f.contract.schemas[0]), "after.z");
    ck_assert_uint_eq(f.contract.schemas[0].binding->carry_count, 3);
    ck_assert(f.contract.schemas[0].binding->carries[0]);
    ck_assert(!f.contract.schemas[0].binding->carries[1]);
    ck_assert(f.contract.schemas[0].binding->carries[2]);
    ck_assert_str_eq(f.contract.schemas[1].why, "cannot serve the model: root: no field after");
    ck_assert_str_eq(f.contract.schemas[1].binding->root_why, "no field after");
    release(&f);
}
END_TEST

/* Two ways at each of thirty steps. */
START_TEST(a_schema_that_leads_to_the_same_on_many_ways_takes_no_time)
{
    struct fixture f;

    init(&f);
    features_release(&f.bundle.features);
    f.bundle.features = EVENTS_FEATURES(
        NULL, "x = a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a : number, optional");
    write_schema(&f, "1.avsc",
                 "{'type':'record','name':'P','fields':[{'name':'b','type':'int'},{'name':'a',"
                 "'type':['null','P',{'type':'record','name':'Q','fields':["
                 "{'name':'a','type':['null','P','Q']}]}]}]}");
    configure(&f, FOLDER);
    expect(&f, NULL);
    ck_assert(!f.contract.schemas[0].is_usable);
    ck_assert(f.contract.schemas[0].unused.has_more);
    ck_assert_str_eq(f.contract.schemas[0].unused.items[0].path, "b");
    release(&f);
}
END_TEST

START_TEST(the_one_schema_is_judged_too)
{
    struct fixture f;

    init(&f);
    write_schema(&f, "s.avsc", GOOD);
    configure(&f, "[consumer]\nformat = avro\nschema = %s/s.avsc\n");
    expect(&f, NULL);
    ck_assert_int_eq(f.contract.source, CONTRACT_FIXED);
    ck_assert_uint_eq(f.contract.usable_count, 1);
    ck_assert_uint_eq(strlen(f.contract.schemas[0].id), 16);
    contract_release(&f.contract);
    write_schema(&f, "s.avsc", "{'type':'recrd'}");
    expect(&f, NULL);
    ck_assert_uint_eq(f.contract.usable_count, 0);
    ck_assert_str_eq(f.contract.schemas[0].id, "");
    ck_assert_str_eq(f.contract.schemas[0].why,
                     "not an Avro schema: type recrd is not defined before it is used");
    contract_release(&f.contract);
    remove(f.config.fixed_schema);
    ck_assert_int_eq(collect(&f, NULL), -1);
    ck_assert_int_eq(f.err.exit_code, EXIT_IO);
    release(&f);
}
END_TEST

#define SINGLE                                                                                     \
    "[consumer]\nformat = avro\nframing = single-object\n[schemas]\n"                              \
    "folder = %s\n"

START_TEST(files_are_found_by_their_fingerprints)
{
    char id[SCHEMA_ID_TEXT_MAX];
    struct fixture f;

    init(&f);
    write_schema(&f, "b.avsc", GOOD);
    write_schema(&f, "a.avsc", RECORD(FIELD("y", "'int'")));
    write_schema(&f, "c.avsc", "{'type':'recrd'}");
    configure(&f, SINGLE);
    expect(&f, NULL);
    ck_assert_uint_eq(f.contract.schema_count, 3);
    ck_assert_uint_eq(f.contract.usable_count, 1);
    ck_assert_str_eq(f.contract.schemas[0].id, "");
    ck_assert_str_eq(f.contract.schemas[0].why,
                     "c.avsc: type recrd is not defined before it is used");
    ck_assert_str_eq(f.contract.schemas[1].file, "a.avsc");
    ck_assert_str_eq(f.contract.schemas[2].file, "b.avsc");
    snprintf(id, sizeof id, "%s", f.contract.schemas[2].id);
    contract_release(&f.contract);
    expect(&f, id);
    ck_assert_uint_eq(f.contract.schema_count, 1);
    ck_assert_str_eq(f.contract.schemas[0].file, "b.avsc");
    release(&f);
}
END_TEST

/* Configuration, id, code, words. */
static const struct {
    const char *config, *id;
    enum exit_code code;
    const char *words;
} refusals[] = {
    {FOLDER, "7", EXIT_DATA, " has no such schema"},
    {FOLDER, "x", EXIT_USAGE, "x is no schema id: 0 to 4294967295"},
    {FOLDER, "-1", EXIT_USAGE, "-1 is no schema id"},
    {FOLDER, "4294967296", EXIT_USAGE, "4294967296 is no schema id"},
    {SINGLE, "0123456789abcdef", EXIT_DATA, " has no such schema"},
    {SINGLE, "1", EXIT_USAGE, "1 is no fingerprint: 16 hex digits"},
    {"[schemas]\nfolder = %s\n", "1", EXIT_USAGE, "format = json name no schema"},
    {"[consumer]\nformat = avro\nschema = %s/1.avsc\n", "1", EXIT_USAGE, "a fixed schema"},
    {"[consumer]\nformat = avro\n[schemas]\nfolder = %s/none\n", NULL, EXIT_IO, "No such file"},
    {"[consumer]\nformat = avro\n[schemas]\nregistry.url = ftp://%s\n", NULL, EXIT_CONFIGURATION,
     "registry.url: number 1 is no http"},
};

START_TEST(what_cannot_be_asked_has_its_code)
{
    struct fixture f;

    init(&f);
    write_schema(&f, "1.avsc", GOOD);
    configure(&f, refusals[_i].config);
    ck_assert_int_eq(collect(&f, refusals[_i].id), -1);
    ck_assert_int_eq(f.err.exit_code, refusals[_i].code);
    ck_assert_msg(strstr(f.err.text, refusals[_i].words) != NULL, "%s", f.err.text);
    release(&f);
}
END_TEST

START_TEST(one_id_is_all_that_is_shown_when_it_is_asked_for)
{
    struct fixture f;

    init(&f);
    write_schema(&f, "1.avsc", GOOD);
    write_schema(&f, "2.avsc", RECORD(FIELD("y", "'int'")));
    configure(&f, FOLDER);
    expect(&f, "1");
    ck_assert_uint_eq(f.contract.schema_count, 1);
    ck_assert_uint_eq(f.contract.usable_count, 1);
    release(&f);
}
END_TEST

START_TEST(events_in_json_have_no_schemas)
{
    struct fixture f;

    init(&f);
    configure(&f, "; %s\n");
    expect(&f, NULL);
    ck_assert_int_eq(f.contract.source, CONTRACT_NONE);
    ck_assert_uint_eq(f.contract.schema_count, 0);
    ck_assert_ptr_null(f.contract.where);
    release(&f);
}
END_TEST

/* ---- a registry */

struct registry_fixture {
    struct fixture f;
    struct stub stub;
};

/* more: further keys of [schemas] */
static void init_registry_with(struct registry_fixture *r, const char *more)
{
    char text[300];

    init(&r->f);
    stub_start(&r->stub, 0);
    snprintf(text, sizeof text,
             "[consumer]\nformat = avro\n[schemas]\nregistry.url = %s\ncache = %%s/cache\n%s",
             r->stub.url, more);
    configure(&r->f, text);
    stub_set(&r->stub, "/subjects/payments-value/versions", STUB_ANSWERS, 200, "[1,2,4]");
    stub_set_version(&r->stub, "payments-value", 1, 21, GOOD, NULL);
    stub_set_version(&r->stub, "payments-value", 2, 11, RECORD(FIELD("y", "'int'")), NULL);
    stub_set(&r->stub, "/subjects/payments-value/versions/4", STUB_ANSWERS, 200,
             "{\"subject\":\"payments-value\",\"version\":4,\"id\":31,\"schemaType\":\"JSON\","
             "\"schema\":\"{}\"}");
    stub_set_schema(&r->stub, 7, GOOD, NULL);
}

static void init_registry(struct registry_fixture *r)
{
    init_registry_with(r, "");
}

static void release_registry(struct registry_fixture *r)
{
    release(&r->f);
    stub_stop(&r->stub);
}

START_TEST(the_versions_of_a_subject_are_in_their_order)
{
    static const char *const ids[] = {"21", "11", "31"};
    static const int64_t versions[] = {1, 2, 4};
    struct registry_fixture r;
    const struct contract *c = &r.f.contract;

    init_registry(&r);
    for (int i = 0; i < 2; i++) { /* the second time the cache knows them too */
        expect(&r.f, NULL);
        ck_assert(!err_is_set(&c->trouble));
        ck_assert_uint_eq(c->schema_count, 3);
        for (int k = 0; k < 3; k++) {
            ck_assert_str_eq(c->schemas[k].id, ids[k]);
            ck_assert_int_eq(c->schemas[k].version, versions[k]);
            ck_assert_str_eq(c->schemas[k].subject, "payments-value");
            ck_assert_int_eq(c->schemas[k].is_usable, k == 0);
        }
        ck_assert_str_eq(c->schemas[2].why, "its type is JSON, not AVRO");
        ck_assert_uint_eq(c->subject_count, 1);
        ck_assert_uint_eq(c->subjects[0].version_count, 3);
        contract_release(&r.f.contract);
    }
    release_registry(&r);
}
END_TEST

START_TEST(the_subjects_are_those_that_are_configured)
{
    struct registry_fixture r;
    const struct contract *c = &r.f.contract;

    init_registry_with(&r, "subjects = shop.Refund, shop.Payment\n");
    stub_set(&r.stub, "/subjects/shop.Refund/versions", STUB_ANSWERS, 404,
             "{\"error_code\":40401,\"message\":\"no such subject\"}");
    stub_set(&r.stub, "/subjects/shop.Payment/versions", STUB_ANSWERS, 200, "[3]");
    stub_set_version(&r.stub, "shop.Payment", 3, 21, GOOD, NULL);
    expect(&r.f, NULL);
    ck_assert_uint_eq(c->schema_count, 1);
    ck_assert_str_eq(c->schemas[0].subject, "shop.Payment");
    ck_assert_uint_eq(c->subject_count, 2);
    ck_assert_str_eq(c->subjects[0].name, "shop.Refund");
    ck_assert_uint_eq(c->subjects[0].version_count, 0);
    ck_assert_str_eq(c->subjects[1].name, "shop.Payment");
    ck_assert_uint_eq(c->subjects[1].version_count, 1);
    release_registry(&r);
}
END_TEST

START_TEST(an_id_of_another_subject_is_asked_for)
{
    struct registry_fixture r;

    init_registry(&r);
    expect(&r.f, "7");
    ck_assert_uint_eq(r.f.contract.schema_count, 1);
    ck_assert_ptr_null(r.f.contract.schemas[0].subject);
    ck_assert(r.f.contract.schemas[0].is_usable);
    contract_release(&r.f.contract);
    expect(&r.f, "11");
    ck_assert_int_eq(r.f.contract.schemas[0].version, 2);
    contract_release(&r.f.contract);
    ck_assert_int_eq(collect(&r.f, "8"), -1);
    ck_assert_int_eq(r.f.err.exit_code, EXIT_DATA);
    release_registry(&r);
}
END_TEST

START_TEST(a_subject_without_versions_is_said)
{
    struct registry_fixture r;

    init_registry(&r);
    stub_set(&r.stub, "/subjects/payments-value/versions", STUB_ANSWERS, 404,
             "{\"error_code\":40401,\"message\":\"no such subject\"}");
    expect(&r.f, NULL);
    ck_assert_uint_eq(r.f.contract.schema_count, 0);
    ck_assert_uint_eq(r.f.contract.subjects[0].version_count, 0);
    ck_assert(!err_is_set(&r.f.contract.trouble));
    release_registry(&r);
}
END_TEST

START_TEST(a_registry_that_does_not_answer_is_trouble_and_the_cache_is_shown)
{
    struct registry_fixture r;
    const struct contract *c = &r.f.contract;

    init_registry(&r);
    expect(&r.f, NULL);
    contract_release(&r.f.contract);
    stub_stop(&r.stub);
    expect(&r.f, NULL);
    ck_assert_int_eq(c->trouble.kind, ERR_DEPENDENCY);
    ck_assert_int_eq(c->trouble.exit_code, EXIT_UNAVAILABLE);
    ck_assert_msg(strstr(c->trouble.text, "127.0.0.1") != NULL, "%s", c->trouble.text);
    ck_assert_uint_eq(c->schema_count, 2);
    ck_assert_str_eq(c->schemas[0].id, "11");
    ck_assert_ptr_null(c->schemas[0].subject);
    contract_release(&r.f.contract);
    expect(&r.f, "21"); /* it is known, and never changes */
    ck_assert(!err_is_set(&c->trouble));
    contract_release(&r.f.contract);
    expect(&r.f, "7");
    ck_assert_int_eq(c->trouble.kind, ERR_DEPENDENCY);
    ck_assert_uint_eq(c->schema_count, 0);
    stub_start(&r.stub, r.stub.port);
    release_registry(&r);
}
END_TEST

START_TEST(a_registry_that_does_not_let_us_in_is_denied)
{
    struct registry_fixture r;

    init_registry(&r);
    stub_set(&r.stub, "/subjects/payments-value/versions", STUB_ANSWERS, 403, "{}");
    expect(&r.f, NULL);
    ck_assert_int_eq(r.f.contract.trouble.kind, ERR_FATAL);
    ck_assert_int_eq(r.f.contract.trouble.exit_code, EXIT_DENIED);
    release_registry(&r);
}
END_TEST

SUITE(contract)
{
    TCase *loops = harness_case(suite, "refusals", NULL, 0);

    tcase_add_loop_test(loops, what_cannot_be_asked_has_its_code, 0,
                        sizeof refusals / sizeof refusals[0]);
    CASE("files", each_file_of_a_folder_is_judged_feature_by_feature,
         below_a_root_only_its_fields_count,
         a_schema_that_leads_to_the_same_on_many_ways_takes_no_time, the_one_schema_is_judged_too,
         files_are_found_by_their_fingerprints, one_id_is_all_that_is_shown_when_it_is_asked_for,
         events_in_json_have_no_schemas);
    CASE("registry", the_versions_of_a_subject_are_in_their_order,
         the_subjects_are_those_that_are_configured, an_id_of_another_subject_is_asked_for,
         a_subject_without_versions_is_said,
         a_registry_that_does_not_answer_is_trouble_and_the_cache_is_shown,
         a_registry_that_does_not_let_us_in_is_denied);
}
