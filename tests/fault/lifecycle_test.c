/* Reload and rollback, as orders to a pipeline in this process. The model that it starts with is
 * the fixture's; the one that [model] path names then is the linear one, which needs n, too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "tests/fault/mock.h"
#include "tests/fixture.h"
#include "tests/harness.h"

#define EVENT "{\"x\":1,\"n\":2}"

static char *folders[2], *link_path;

static void deploy(int number)
{
    char *next = file_join(folders[0], "next");

    ck_assert_int_eq(symlink(folders[number], next), 0);
    ck_assert_int_eq(rename(next, link_path), 0);
    free(next);
}

static void produce(struct mock *m, int count)
{
    for (int i = 0; i < count; i++)
        mock_produce(m, i % MOCK_PARTITIONS, "k", EVENT, sizeof EVENT - 1);
    ck_assert_int_eq(rd_kafka_flush(m->client, 10000), 0);
}

/* lines: of [kscore], and other sections behind it. */
static void start(struct mock *m, const char *lines)
{
    mock_start(m, NULL, lines);
    for (int i = 0; i < 2; i++)
        folders[i] = strdup(harness_folder());
    link_path = file_join(m->folder, "current");
    fixture_bundle(folders[0]);
    fixture_bundle_linear(folders[1]);
    deploy(0);
    free(m->config.model_path);
    m->config.model_path = strdup(link_path);
    mock_run(m);
    mock_wait_ready(m);
}

static void end(struct mock *m)
{
    mock_stop(m);
    ck_assert_msg(m->result == 0, "%s", m->err.text);
    mock_end(m);
    free(folders[0]);
    free(folders[1]);
    free(link_path);
}

static void order(struct mock *m, _Atomic unsigned *which, const char *line)
{
    int before = mock_log_count(m, line);

    atomic_fetch_add(which, 1);
    mock_wait_log(m, line, before + 1);
}

/* How many scores are of that version. */
static size_t count_version(struct mock *m, const char *version)
{
    struct seen *scores;
    size_t all = mock_read(m, "scores", &scores), count = 0;
    char words[40];

    snprintf(words, sizeof words, "\"version\":\"%s\"", version);
    for (size_t i = 0; i < all; i++)
        count += strstr(scores[i].value, words) != NULL;
    free(scores);
    return count;
}

START_TEST(a_rollback_is_one_step_to_the_bundle_before)
{
    struct mock m;

    start(&m, NULL);
    produce(&m, 20);
    mock_wait_outcomes(&m, 20);
    deploy(1);
    order(&m, &m.orders.reload, "event=model_swapped order=reload change=1 model=tiny version=2");
    produce(&m, 40);
    mock_wait_outcomes(&m, 60);
    order(&m, &m.orders.rollback,
          "event=model_rolled_back order=rollback change=2 model=tiny version=1");
    order(&m, &m.orders.rollback, "there is none to go back to");
    produce(&m, 80);
    mock_wait_outcomes(&m, 140);
    order(&m, &m.orders.reload, "event=model_swapped order=reload change=3 model=tiny version=2");
    produce(&m, 100);
    mock_wait_outcomes(&m, 240);
    ck_assert_uint_eq(count_version(&m, "1"), 20 + 80);
    ck_assert_uint_eq(count_version(&m, "2"), 40 + 100);
    ck_assert_uint_eq(mock_expect_outcomes(&m, 240), 0);
    end(&m);
}
END_TEST

/* Its files are touched: their bytes are those that were rolled back from. */
START_TEST(a_watched_bundle_that_was_rolled_back_from_comes_again_only_when_asked_for)
{
    struct mock m;

    start(&m, "[model]\nwatch = on");
    deploy(1);
    mock_wait_log(&m, "event=model_swapped order=watch change=1 model=tiny version=2", 1);
    order(&m, &m.orders.rollback, "event=model_rolled_back");
    fixture_bundle_linear(folders[1]);
    mock_wait_log(&m, "it was rolled back from: a reload takes it", 1);
    order(&m, &m.orders.reload, "event=model_swapped order=reload change=3 model=tiny version=2");
    end(&m);
}
END_TEST

/* It waits in the queue of a broker that is not there: the swap, too, and nobody else. */
START_TEST(a_batch_that_is_not_sent_keeps_its_bundle)
{
    struct mock m;

    start(&m, "batch_rows = 100");
    rd_kafka_mock_broker_set_down(m.cluster, MOCK_OUTPUT);
    produce(&m, 400);
    deploy(1);
    atomic_fetch_add(&m.orders.reload, 1);
    mock_wait_log(&m, "event=model_loaded", 2);
    rd_kafka_mock_broker_set_up(m.cluster, MOCK_OUTPUT);
    mock_wait_log(&m, "event=model_swapped", 1);
    produce(&m, 100);
    mock_wait_outcomes(&m, 500);
    ck_assert_uint_ge(count_version(&m, "2"), 100);
    ck_assert_uint_eq(mock_expect_outcomes(&m, 500), 0);
    end(&m);
}
END_TEST

START_TEST(a_stop_in_a_reload_ends_in_time)
{
    struct mock m;

    start(&m, NULL);
    deploy(1);
    atomic_fetch_add(&m.orders.reload, 1);
    mock_wait_log(&m, "event=model_loaded", 2);
    atomic_fetch_add(&m.orders.rollback, 1);
    atomic_fetch_add(&m.orders.reload, 1);
    end(&m);
}
END_TEST

SUITE(lifecycle)
{
    CASE("orders", a_rollback_is_one_step_to_the_bundle_before,
         a_watched_bundle_that_was_rolled_back_from_comes_again_only_when_asked_for,
         a_batch_that_is_not_sent_keeps_its_bundle, a_stop_in_a_reload_ends_in_time);
}
