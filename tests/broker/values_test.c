/* Values of every size, what a dead letter keeps, order, and the marks that transactions leave.
 * One piece: each is a record sent, and what a reader of the outputs then finds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/broker/child.h"
#include "tests/broker/cluster.h"
#include "tests/broker/outcomes.h"
#include "tests/harness.h"

/* {"x":1,"note":"aaa..."} of exactly that many bytes. */
static char *long_event(size_t len)
{
    static const char head[] = "{\"x\":1,\"note\":\"";
    char *text = malloc(len);

    ck_assert_ptr_nonnull(text);
    memset(text, 'a', len);
    memcpy(text, head, sizeof head - 1);
    memcpy(text + len - 2, "\"}", 2);
    return text;
}

static void expect_header(const rd_kafka_message_t *m, const char *name, const char *want)
{
    const char *got = dump_header(m, name);

    ck_assert_msg(got && strcmp(got, want) == 0, "header %s is \"%s\", want \"%s\"", name,
                  got ? got : "(none)", want);
}

START_TEST(null_values_are_skipped_and_empty_ones_are_dead)
{
    struct cluster c;
    struct child k;
    struct dump dead;
    const char *last;

    cluster_open(&c, 1);
    cluster_send(&c, 0, "gone", NULL, 0);
    cluster_send(&c, 0, "empty", "", 0);
    cluster_send(&c, 0, NULL, "{\"x\":0}", 7);
    cluster_send(&c, 0, NULL, NULL, 0);
    cluster_flush(c.producer);
    child_run(&k, &c);
    cluster_wait_outcomes(&c, 2);
    last = child_stop(&k);
    ck_assert_int_eq(child_number(last, "skipped"), 2);
    ck_assert_int_eq(child_number(last, "dead"), 1);
    ck_assert_int_eq(child_number(last, "scored"), 1);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    cluster_expect_no_lag(&c);
    dump_load(&dead, &c, c.dead);
    ck_assert_uint_eq(dead.count, 1);
    ck_assert_msg(dead.items[0]->payload != NULL && dead.items[0]->len == 0,
                  "an empty value became a null value");
    expect_header(dead.items[0], "__connect.errors.offset", "1");
    expect_header(dead.items[0], "__connect.errors.exception.class.name", "bad_json");
    dump_release(&dead);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_value_at_the_limit_is_scored_and_one_byte_more_is_dead)
{
    enum { LIMIT = 16 * 1024 };
    struct cluster c;
    struct child k;
    struct dump dead;
    char *value = long_event(LIMIT), *longer = long_event(LIMIT + 1);

    cluster_open(&c, 1);
    cluster_send(&c, 0, "fits", value, LIMIT);
    cluster_send(&c, 0, "not", longer, LIMIT + 1);
    cluster_flush(c.producer);
    child_run(&k, &c, "consumer.max_value_kib=16");
    cluster_wait_outcomes(&c, 2);
    child_stop(&k);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    dump_load(&dead, &c, c.dead);
    ck_assert_uint_eq(dead.count, 1);
    expect_header(dead.items[0], "__connect.errors.offset", "1");
    expect_header(dead.items[0], "__connect.errors.stage", "fetch");
    expect_header(dead.items[0], "__connect.errors.exception.class.name", "too_large");
    ck_assert_uint_eq(dead.items[0]->len, LIMIT + 1);
    ck_assert_mem_eq(dead.items[0]->payload, longer, LIMIT + 1);
    dump_release(&dead);
    free(value);
    free(longer);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

enum { HUGE_BYTES = 10 << 20 };

/* An input topic whose limit is above 10 MB, with one huge value between two small ones. */
static void open_huge(struct cluster *c, char *override, size_t cap)
{
    char *value = long_event(HUGE_BYTES);
    rd_kafka_t *producer;

    cluster_open(c, 1);
    snprintf(c->in, sizeof c->in, "%s.huge", c->group);
    cluster_create_topic(c, c->in, 1, "max.message.bytes=12000000");
    snprintf(override, cap, "consumer.topic=%s", c->in);
    producer = cluster_producer(c, (const char *[]){"message.max.bytes=12000000", NULL});
    for (int i = 0; i < 3; i++) {
        rd_kafka_resp_err_t code = rd_kafka_producev(
            producer, RD_KAFKA_V_TOPIC(c->in), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY("k", 1),
            RD_KAFKA_V_VALUE((void *)(i == 1 ? value : "{\"x\":0}"), i == 1 ? HUGE_BYTES : 7),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        ck_assert_msg(!code, "%s", rd_kafka_err2str(code));
    }
    cluster_flush(producer);
    rd_kafka_destroy(producer);
    free(value);
}

START_TEST(a_value_of_10_mib_is_scored_when_that_is_allowed)
{
    struct cluster c;
    struct child k;
    char topic[120];

    open_huge(&c, topic, sizeof topic);
    child_run(&k, &c, topic, "consumer.max_value_kib=20480");
    cluster_wait_outcomes(&c, 3);
    ck_assert_int_eq(child_number(child_stop(&k), "scored"), 3);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    cluster_expect_no_lag(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_dead_letter_that_does_not_fit_drops_its_value_and_says_so)
{
    struct cluster c;
    struct child k;
    struct dump dead;
    char topic[120];

    open_huge(&c, topic, sizeof topic);
    child_run(&k, &c, topic);
    cluster_wait_outcomes(&c, 3);
    ck_assert_int_eq(child_number(child_stop(&k), "dead"), 1);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    cluster_expect_no_lag(&c);
    dump_load(&dead, &c, c.dead);
    expect_header(dead.items[0], "kscore.dropped", "value");
    expect_header(dead.items[0], "__connect.errors.offset", "1");
    ck_assert_uint_eq(dead.items[0]->key_len, 1);
    ck_assert_uint_eq(dead.items[0]->len, 0);
    dump_release(&dead);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_huge_dead_letter_is_kept_whole_where_topic_and_client_allow_it)
{
    struct cluster c;
    struct child k;
    struct dump dead;
    char topic[120], override[120];

    open_huge(&c, topic, sizeof topic);
    snprintf(c.dead, sizeof c.dead, "%s.huge-dead", c.group);
    cluster_create_topic(&c, c.dead, 1, "max.message.bytes=12000000");
    snprintf(override, sizeof override, "dead_letters.topic=%s", c.dead);
    child_run(&k, &c, topic, override, "kafka.message.max.bytes=12000000");
    cluster_wait_outcomes(&c, 3);
    child_stop(&k);
    dump_load(&dead, &c, c.dead);
    ck_assert_uint_eq(dead.count, 1);
    ck_assert_uint_eq(dead.items[0]->len, HUGE_BYTES);
    ck_assert_msg(dump_header(dead.items[0], "kscore.dropped") == NULL, "something was dropped");
    dump_release(&dead);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* Those of the next test, first and in their order. */
static void expect_original_headers(const rd_kafka_message_t *m)
{
    static const struct {
        const char *name, *data;
        size_t len;
    } want[] = {{"bytes", "\x01\0\x80", 3}, {"twice", "a", 1}, {"null", NULL, 0}, {"twice", "", 0}};
    rd_kafka_headers_t *headers;
    const char *name;
    const void *data;
    size_t len;

    ck_assert_int_eq(rd_kafka_message_headers(m, &headers), 0);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        ck_assert_int_eq(rd_kafka_header_get_all(headers, i, &name, &data, &len), 0);
        ck_assert_str_eq(name, want[i].name);
        ck_assert_msg((data == NULL) == (want[i].data == NULL), "header %zu: null or not", i);
        ck_assert_uint_eq(len, want[i].len);
        ck_assert_mem_eq(data ? data : "", want[i].data ? want[i].data : "", len);
    }
}

START_TEST(a_dead_letter_is_the_record_byte_for_byte_and_says_what_is_wrong)
{
    static const char value[] = {'{', '"', 'x', '"', ':', '"', '\0', '\xff', '\n', '"', '}'},
                      key[] = {'\0', 'k', '\xfe'};
    const int64_t stamp_ms = 1700001234567;
    static const char *const said[][2] = {{"__connect.errors.task.id", "0"},
                                          {"__connect.errors.stage", "decode"},
                                          {"__connect.errors.class.name", "record"},
                                          {"__connect.errors.exception.class.name", "bad_json"},
                                          {"kscore.blame", "record"},
                                          {"kscore.model", "tiny"},
                                          {"kscore.version", "1"},
                                          {"kscore.attempt", "1"},
                                          {"kscore.timestamp", "1700001234567"}};
    static const char *const ours[] = {"__connect.errors.exception.message", "kscore.digest",
                                       "kscore.run", "kscore.first_failed"};
    struct cluster c;
    struct child k;
    struct dump dead, in;
    const rd_kafka_message_t *m;
    rd_kafka_timestamp_type_t type;
    rd_kafka_resp_err_t code;

    cluster_open(&c, 3);
    cluster_send(&c, 2, NULL, "{\"x\":1}", 7);
    code = rd_kafka_producev(
        c.producer, RD_KAFKA_V_RKT(c.topic), RD_KAFKA_V_PARTITION(2),
        RD_KAFKA_V_KEY((void *)key, sizeof key), RD_KAFKA_V_VALUE((void *)value, sizeof value),
        RD_KAFKA_V_TIMESTAMP(stamp_ms), RD_KAFKA_V_HEADER("bytes", "\x01\0\x80", 3),
        RD_KAFKA_V_HEADER("twice", "a", 1), RD_KAFKA_V_HEADER("null", NULL, 0),
        RD_KAFKA_V_HEADER("twice", "", 0), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_END);
    ck_assert_msg(!code, "%s", rd_kafka_err2str(code));
    cluster_flush(c.producer);
    child_run(&k, &c);
    cluster_wait_outcomes(&c, 2);
    child_stop(&k);
    dump_load(&in, &c, c.in);
    dump_load(&dead, &c, c.dead);
    ck_assert_uint_eq(dead.count, 1);
    m = dead.items[0];
    ck_assert_int_eq(m->partition, 2);
    ck_assert_int_eq(rd_kafka_message_timestamp(m, &type), stamp_ms);
    ck_assert_uint_eq(m->key_len, sizeof key);
    ck_assert_mem_eq(m->key, key, sizeof key);
    ck_assert_uint_eq(m->len, sizeof value);
    ck_assert_mem_eq(m->payload, value, sizeof value);
    expect_original_headers(m);
    expect_header(m, "__connect.errors.topic", c.in);
    expect_header(m, "__connect.errors.partition", "2");
    expect_header(m, "__connect.errors.offset", "1");
    expect_header(m, "__connect.errors.connector.name", c.group);
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        expect_header(m, said[i][0], said[i][1]);
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        ck_assert_msg(dump_header(m, ours[i]) != NULL, "no header %s", ours[i]);
    dump_release(&dead);
    dump_release(&in);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* librdkafka does not read more than 100,000 headers of a record. */
START_TEST(headers_that_librdkafka_refuses_to_read_are_named_as_dropped)
{
    enum { HEADERS = 100001 };
    rd_kafka_headers_t *headers = rd_kafka_headers_new(HEADERS);
    struct cluster c;
    struct child k;
    struct dump dead;
    rd_kafka_resp_err_t code;

    cluster_open(&c, 1);
    for (int i = 0; i < HEADERS; i++)
        rd_kafka_header_add(headers, "h", 1, "", 0);
    code = rd_kafka_producev(c.producer, RD_KAFKA_V_RKT(c.topic), RD_KAFKA_V_PARTITION(0),
                             RD_KAFKA_V_VALUE((void *)"{", 1), RD_KAFKA_V_HEADERS(headers),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    ck_assert_msg(!code, "%s", rd_kafka_err2str(code));
    cluster_flush(c.producer);
    child_run(&k, &c);
    cluster_wait_outcomes(&c, 1);
    child_stop(&k);
    dump_load(&dead, &c, c.dead);
    expect_header(dead.items[0], "kscore.dropped", "headers");
    ck_assert_uint_eq(dead.items[0]->len, 1);
    dump_release(&dead);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* Every event of a key lies in one partition of the input, in the order of n; so must its scores.
 */
START_TEST(scores_keep_order_key_and_timestamp)
{
    struct cluster c;
    struct child k;
    struct dump in, scores;
    struct origin origin;
    int64_t last[40][2];

    cluster_open(&c, 4);
    cluster_send_events(&c, 4000);
    for (int i = 0; i < 20; i++)
        cluster_send(&c, i % 4, NULL, "{\"x\":1}", 7);
    cluster_flush(c.producer);
    child_run(&k, &c);
    cluster_wait_outcomes(&c, 4020);
    child_stop(&k);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    dump_load(&in, &c, c.in);
    dump_load(&scores, &c, c.scores);
    for (int i = 0; i < 40; i++)
        last[i][0] = last[i][1] = -1;
    for (size_t i = 0; i < scores.count; i++) {
        const rd_kafka_message_t *m = scores.items[i], *source;
        rd_kafka_timestamp_type_t type;
        size_t at = 0;
        origin_of_score(&origin, m);
        /* items are sorted: 1005 per partition */
        at = (size_t)origin.partition * 1005 + (size_t)origin.offset;
        ck_assert_uint_lt(at, in.count);
        source = in.items[at];
        ck_assert_int_eq(rd_kafka_message_timestamp(m, &type),
                         rd_kafka_message_timestamp(source, &type));
        ck_assert_msg((m->key == NULL) == (source->key == NULL), "a null key became an empty one");
        ck_assert_uint_eq(m->key_len, source->key_len);
        if (!m->key)
            continue;
        ck_assert_mem_eq(m->key, source->key, m->key_len);
        int key = atoi((const char *)m->key + 1);
        ck_assert_msg(last[key][0] == -1 || last[key][0] == m->partition,
                      "key k%d in two partitions of the scores", key);
        ck_assert_msg(last[key][1] < origin.offset, "key k%d: offset %lld after %lld", key,
                      (long long)origin.offset, (long long)last[key][1]);
        last[key][0] = m->partition;
        last[key][1] = origin.offset;
    }
    dump_release(&scores);
    dump_release(&in);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

static void expect_done(rd_kafka_error_t *error)
{
    ck_assert_msg(error == NULL, "%s", rd_kafka_error_string(error));
}

/* `count` events into in[0], in the transaction that is open. */
static void send_open(struct cluster *c, rd_kafka_t *producer, int count)
{
    for (int i = 0; i < count; i++) {
        rd_kafka_resp_err_t code =
            rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(c->in), RD_KAFKA_V_PARTITION(0),
                              RD_KAFKA_V_VALUE((void *)"{\"x\":1}", 7),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        ck_assert_msg(!code, "%s", rd_kafka_err2str(code));
    }
    cluster_flush(producer);
}

static void send_in_transaction(struct cluster *c, rd_kafka_t *producer, int count, bool is_aborted)
{
    expect_done(rd_kafka_begin_transaction(producer));
    send_open(c, producer, count);
    expect_done(is_aborted ? rd_kafka_abort_transaction(producer, 10000)
                           : rd_kafka_commit_transaction(producer, 10000));
}

/* The broker writes the marks after it has answered the commit. */
static void wait_end(struct cluster *c, int64_t end)
{
    int64_t until = harness_deadline();

    for (; cluster_end(c, c->in, 0) < end; harness_breathe())
        ck_assert_msg(clock_ms() < until, "end %lld, want %lld",
                      (long long)cluster_end(c, c->in, 0), (long long)end);
    ck_assert_int_eq(cluster_end(c, c->in, 0), end);
}

static void wait_committed(struct cluster *c, int64_t offset)
{
    int64_t until = harness_deadline();

    for (; cluster_committed(c, 0) < offset; harness_breathe())
        ck_assert_msg(clock_ms() < until, "committed %lld, want %lld",
                      (long long)cluster_committed(c, 0), (long long)offset);
}

START_TEST(transactions_leave_no_lag_and_aborted_records_no_scores)
{
    struct cluster c;
    struct child k;
    rd_kafka_t *producer;
    char id[100];

    cluster_open(&c, 1);
    snprintf(id, sizeof id, "transactional.id=%s", c.group);
    producer = cluster_producer(&c, (const char *[]){id, NULL});
    expect_done(rd_kafka_init_transactions(producer, 10000));
    send_in_transaction(&c, producer, 10, false);
    send_in_transaction(&c, producer, 7, true);
    send_in_transaction(&c, producer, 5, false);
    wait_end(&c, 10 + 1 + 7 + 1 + 5 + 1);
    child_run(&k, &c);
    cluster_wait_outcomes(&c, 15);
    /* while it runs, not only by the last commit */
    wait_committed(&c, 25);
    send_in_transaction(&c, producer, 3, true); /* nothing but an aborted tail */
    wait_end(&c, 25 + 3 + 1);
    wait_committed(&c, 29);
    ck_assert_int_eq(child_number(child_stop(&k), "scored"), 15);
    cluster_expect_no_lag(&c);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    rd_kafka_destroy(producer);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(records_of_an_open_transaction_wait_for_its_end)
{
    struct cluster c;
    struct child k;
    rd_kafka_t *producer;
    char id[100];

    cluster_open(&c, 1);
    snprintf(id, sizeof id, "transactional.id=%s", c.group);
    producer = cluster_producer(&c, (const char *[]){id, NULL});
    expect_done(rd_kafka_init_transactions(producer, 10000));
    cluster_send(&c, 0, NULL, "{\"x\":0}", 7);
    cluster_flush(c.producer);
    expect_done(rd_kafka_begin_transaction(producer));
    send_open(&c, producer, 10);
    cluster_send(&c, 0, NULL, "{\"x\":0}", 7); /* stands behind the open one */
    cluster_flush(c.producer);
    child_run(&k, &c);
    cluster_wait_outcomes(&c, 1);
    wait_committed(&c, 1);
    ck_assert_int_eq(cluster_outcome_count(&c), 1);
    expect_done(rd_kafka_commit_transaction(producer, 10000));
    cluster_wait_outcomes(&c, 12);
    wait_committed(&c, 13);
    child_stop(&k);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    cluster_expect_no_lag(&c);
    rd_kafka_destroy(producer);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

static const char *const codecs[] = {"gzip", "snappy", "lz4", "zstd"};

START_TEST(compressed_input_is_scored)
{
    struct cluster c;
    struct child k;
    rd_kafka_t *producer;
    char codec[64];

    cluster_open(&c, 1);
    snprintf(codec, sizeof codec, "compression.codec=%s", codecs[_i]);
    producer = cluster_producer(&c, (const char *[]){codec, "linger.ms=50", NULL});
    if (!producer) {
        harness_skip("librdkafka was built without a codec");
        cluster_close(&c);
        return;
    }
    for (int i = 0; i < 200; i++)
        rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(c.in), RD_KAFKA_V_PARTITION(0),
                          RD_KAFKA_V_VALUE((void *)"{\"x\":1}", 7),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    cluster_flush(producer);
    ck_assert_int_eq(cluster_end(&c, c.in, 0), 200);
    child_run(&k, &c);
    cluster_wait_outcomes(&c, 200);
    child_stop(&k);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    rd_kafka_destroy(producer);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(values)
{
    TCase *tcase;

    CASE("sizes", null_values_are_skipped_and_empty_ones_are_dead,
         a_value_at_the_limit_is_scored_and_one_byte_more_is_dead,
         a_value_of_10_mib_is_scored_when_that_is_allowed,
         a_dead_letter_that_does_not_fit_drops_its_value_and_says_so,
         a_huge_dead_letter_is_kept_whole_where_topic_and_client_allow_it);
    CASE("dead", a_dead_letter_is_the_record_byte_for_byte_and_says_what_is_wrong,
         headers_that_librdkafka_refuses_to_read_are_named_as_dropped);
    CASE("order", scores_keep_order_key_and_timestamp);
    CASE("transactions", transactions_leave_no_lag_and_aborted_records_no_scores,
         records_of_an_open_transaction_wait_for_its_end);
    tcase = harness_case(suite, "codecs", NULL, 0);
    tcase_add_loop_test(tcase, compressed_input_is_scored, 0, 4);
}
