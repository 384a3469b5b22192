/* One source of schemas, and the tables of several workers. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "schemas/registry.h"
#include "schemas/schema_folder.h"
#include "schemas/schema_share.h"
#include "schemas/schema_table.h"
#include "tests/events.h"
#include "tests/harness.h"
#include "tests/stub.h"

#define GOOD "{\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]}"

enum { WORKERS = 4, IDS = 40 };

struct worker {
    struct schema_table *table;
    pthread_t thread;
    int number;
};

struct fixture {
    struct features features;
    struct schema_share *share;
    struct worker workers[WORKERS];
};

static void open_share(struct fixture *f, struct schema_source *source)
{
    struct err err = ERR_INIT;

    f->features = EVENTS_FEATURES(NULL, "x = x : number, required");
    f->share = schema_share_new(source, WORKERS);
    for (int i = 0; i < WORKERS; i++) {
        f->workers[i].number = i;
        ck_assert_msg(schema_table_load(&f->workers[i].table,
                                        schema_share_seat(f->share, (unsigned)i), 0, &f->features,
                                        &err) == 0,
                      "%s", err.text);
    }
}

static void close_share(struct fixture *f)
{
    for (int i = 0; i < WORKERS; i++)
        schema_table_free(f->workers[i].table);
    schema_share_free(f->share);
    features_release(&f->features);
}

static enum schema_state find(const struct worker *w, uint32_t id)
{
    const struct plan *plan;

    return schema_table_find(w->table, id, &plan);
}

/* All ids, each worker beginning with another one; waits until it has each. */
static void *learn_all(void *arg)
{
    struct worker *w = arg;
    int64_t until = harness_deadline();
    struct err err = ERR_INIT;

    for (int i = 0; i < IDS; i++) {
        uint32_t id = 1 + (uint32_t)(i + w->number * IDS / WORKERS) % IDS;
        while (schema_table_learn(w->table, id, clock_ms(), &err) != 0 && clock_ms() < until)
            harness_breathe();
    }
    return NULL;
}

START_TEST(what_several_threads_ask_a_registry_for_is_fetched_once_and_known_to_all)
{
    struct stub *stub = calloc(1, sizeof *stub);
    struct registry_options options = {.asks_per_s = 100000};
    struct schema_source *source;
    struct fixture f;
    struct err err = ERR_INIT;

    stub_start(stub, 0);
    for (unsigned id = 1; id <= IDS; id++)
        stub_set_schema(stub, id, GOOD, NULL);
    options.access.urls = stub->url;
    ck_assert_int_eq(registry_new(&source, &options, &err), 0);
    open_share(&f, source);
    for (int i = 0; i < WORKERS; i++)
        ck_assert_int_eq(pthread_create(&f.workers[i].thread, NULL, learn_all, &f.workers[i]), 0);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(f.workers[i].thread, NULL);
    for (int i = 0; i < WORKERS; i++)
        for (uint32_t id = 1; id <= IDS; id++)
            ck_assert_msg(find(&f.workers[i], id) == SCHEMA_USABLE, "worker %d, id %u", i, id);
    ck_assert_uint_eq(stub_count(stub, NULL), IDS);
    close_share(&f);
    stub_stop(stub);
    free(stub);
}
END_TEST

START_TEST(what_one_worker_learns_of_a_folder_the_others_hear)
{
    const char *folder = harness_folder();
    int64_t now_ms = clock_ms();
    struct err err = ERR_INIT;
    struct fixture f;

    harness_write(folder, "1.avsc", GOOD, strlen(GOOD));
    open_share(&f, schema_folder_new(folder));
    for (int i = 0; i < WORKERS; i++)
        ck_assert_int_eq(find(&f.workers[i], 1), SCHEMA_USABLE);
    harness_write(folder, "2.avsc", GOOD, strlen(GOOD));
    harness_write(folder, "3.avsc", "{", 1);
    for (uint32_t id = 2; id <= 4; id++)
        ck_assert_int_eq(schema_table_learn(f.workers[0].table, id, now_ms, &err), 0);
    for (int i = 0; i < WORKERS; i++) {
        schema_table_poll(f.workers[i].table, now_ms);
        ck_assert_int_eq(find(&f.workers[i], 2), SCHEMA_USABLE);
        ck_assert_int_eq(find(&f.workers[i], 3), SCHEMA_UNUSABLE);
        ck_assert_int_eq(find(&f.workers[i], 4), SCHEMA_ABSENT);
    }
    close_share(&f);
}
END_TEST

START_TEST(a_folder_that_is_missing_is_every_workers_error)
{
    struct schema_share *share = schema_share_new(schema_folder_new("/no/such/folder"), 2);

    for (unsigned i = 0; i < 2; i++) {
        struct schema_source *seat = schema_share_seat(share, i);
        struct err err = ERR_INIT;
        ck_assert_int_eq(seat->start(seat, &err), -1);
        ck_assert_int_eq(err.exit_code, EXIT_IO);
    }
    schema_share_free(share);
}
END_TEST

START_TEST(who_left_is_handed_nothing)
{
    const char *folder = harness_folder();
    struct schema_answer answer;
    struct err err = ERR_INIT;
    struct schema_share *share;
    struct schema_source *seat, *other;

    harness_write(folder, "1.avsc", GOOD, strlen(GOOD));
    share = schema_share_new(schema_folder_new(folder), 2);
    seat = schema_share_seat(share, 0);
    other = schema_share_seat(share, 1);
    ck_assert_int_eq(seat->start(seat, &err), 0);
    seat->free(seat);
    ck_assert(other->poll(other, &answer));
    ck_assert_ptr_nonnull(answer.schema);
    schema_answer_release(&answer);
    other->ask(other, 1, clock_ms());
    ck_assert(!seat->poll(seat, &answer));
    schema_share_free(share);
}
END_TEST

/* A new bundle's table beside the one in use, and in its place; then the next. */
START_TEST(a_second_table_of_a_worker_hears_all_that_is_known_and_all_that_comes)
{
    const char *folder = harness_folder();
    struct err err = ERR_INIT;
    const struct plan *plan;
    struct fixture f;

    harness_write(folder, "1.avsc", GOOD, strlen(GOOD));
    open_share(&f, schema_folder_new(folder));
    for (uint32_t round = 0; round < 3; round++) {
        struct schema_table *next;
        char name[20];
        ck_assert_int_eq(
            schema_table_load(&next, schema_share_seat(f.share, 0), 0, &f.features, &err), 0);
        for (uint32_t id = 1; id <= round + 1; id++)
            ck_assert_int_eq(schema_table_find(next, id, &plan), SCHEMA_USABLE);
        snprintf(name, sizeof name, "%u.avsc", round + 2);
        harness_write(folder, name, GOOD, strlen(GOOD));
        ck_assert_int_eq(schema_table_learn(f.workers[1].table, round + 2, clock_ms(), &err), 0);
        schema_table_poll(next, clock_ms());
        ck_assert_int_eq(schema_table_find(next, round + 2, &plan), SCHEMA_USABLE);
        ck_assert_uint_eq(schema_table_count(next), round + 2);
        schema_table_free(f.workers[0].table);
        f.workers[0].table = next;
    }
    close_share(&f);
}
END_TEST

START_TEST(the_questions_a_second_are_shared_out)
{
    static const struct {
        unsigned total, seats, each;
    } cases[] = {{200, 1, 200}, {200, 3, 66}, {2, 4, 1}, {0, 2, 0}};
    struct schema_source *source = schema_folder_new("f");
    struct schema_share *share;

    source->asks_per_s = cases[_i].total;
    share = schema_share_new(source, cases[_i].seats);
    ck_assert_uint_eq(schema_share_seat(share, 0)->asks_per_s, cases[_i].each);
    schema_share_free(share);
}
END_TEST

SUITE(schema_share)
{
    TCase *tcase =
        CASE("share", what_several_threads_ask_a_registry_for_is_fetched_once_and_known_to_all,
             what_one_worker_learns_of_a_folder_the_others_hear,
             a_folder_that_is_missing_is_every_workers_error, who_left_is_handed_nothing,
             a_second_table_of_a_worker_hears_all_that_is_known_and_all_that_comes);

    tcase_add_loop_test(tcase, the_questions_a_second_are_shared_out, 0, 4);
}
