/* What kscore may do on the broker: exactly what docs/security.md lists and nothing more, through
 * TLS and a password. What is missing at the start ends it; what is lost later is waited for. */
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "tests/broker/child.h"
#include "tests/broker/cluster.h"
#include "tests/broker/outcomes.h"
#include "tests/harness.h"

enum { PARTITIONS = 2, MAX_NEEDS = 20 };

/* One row of the table in docs/security.md. */
struct need {
    rd_kafka_ResourceType_t type;
    const char *name; /* in this cluster */
    rd_kafka_AclOperation_t operation;
    bool is_required;
};

static rd_kafka_AclOperation_t operation_of(const char *word)
{
    static const struct {
        const char *word;
        rd_kafka_AclOperation_t operation;
    } words[] = {{"Read", RD_KAFKA_ACL_OPERATION_READ},
                 {"Write", RD_KAFKA_ACL_OPERATION_WRITE},
                 {"DescribeConfigs", RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS}};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].operation;
    ck_abort_msg("docs/security.md: no operation %s", word);
}

static const char *name_of(const struct cluster *c, const char *key)
{
    const struct {
        const char *key, *name;
    } names[] = {{"[consumer] topic", c->in},
                 {"[producer] topic", c->scores},
                 {"[dead_letters] topic", c->dead},
                 {"[alerts] topic", c->alerts},
                 {"[kscore] name", c->group}};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i].key, key) == 0)
            return names[i].name;
    ck_abort_msg("docs/security.md: no key %s", key);
}

static rd_kafka_ResourceType_t type_of(const char *word)
{
    return strcmp(word, "group") == 0             ? RD_KAFKA_RESOURCE_GROUP
           : strcmp(word, "TransactionalId") == 0 ? CLUSTER_TRANSACTIONAL_ID
                                                  : RD_KAFKA_RESOURCE_TOPIC;
}

/* | topic | `[consumer] topic` | Read | yes: ... | */
static int read_needs(const struct cluster *c, struct need needs[MAX_NEEDS])
{
    FILE *page = fopen("docs/security.md", "r");
    char line[1000], type[20], key[60], operation[40], required[20];
    int count = 0;

    ck_assert_ptr_nonnull(page);
    while (fgets(line, sizeof line, page)) {
        if (sscanf(line, "| %19[A-Za-z] | `%59[^`]` | %39[A-Za-z] | %19[a-z_]", type, key,
                   operation, required) != 4)
            continue;
        ck_assert_int_lt(count, MAX_NEEDS);
        if (strcmp(required, "exactly_once") == 0 && !cluster_is_exactly_once())
            continue;
        needs[count++] = (struct need){type_of(type), name_of(c, key), operation_of(operation),
                                       strcmp(required, "no") != 0};
    }
    fclose(page);
    ck_assert_int_ge(count, 4);
    return count;
}

static void allow(struct cluster *c, const struct need *need)
{
    cluster_allow(c, need->type, need->name, need->operation);
}

static void forbid(struct cluster *c, const struct need *need)
{
    cluster_forbid(c, need->type, need->name, need->operation);
}

static int open_cluster(struct cluster *c, struct need needs[MAX_NEEDS])
{
    cluster_open(c, PARTITIONS);
    cluster_use_door(c, DOOR_TLS_PASSWORD,
                     "security.protocol = sasl_ssl\nssl.ca.location = @/ca.pem\n"
                     "sasl.mechanism = PLAIN\nsasl.username = kscore\nsasl.password = kscore\n");
    cluster_add_alerts(c, "");
    return read_needs(c, needs);
}

/* Some events, every fourth of them bad. */
static void send_some(struct cluster *c)
{
    cluster_send(c, (int32_t)(c->event_count % PARTITIONS), "bad", "{", 1);
    cluster_send_events(c, 3);
}

START_TEST(what_is_listed_as_needed_is_enough_and_each_of_it_is_needed)
{
    struct need needs[MAX_NEEDS];
    struct cluster c;
    struct child k;
    int count = open_cluster(&c, needs);

    for (int missing = 0; missing < count; missing++) {
        for (int i = 0; i < count; i++)
            if (needs[i].is_required)
                (i == missing ? forbid : allow)(&c, &needs[i]);
        if (!needs[missing].is_required)
            continue;
        child_run(&k, &c);
        child_expect_exit(&k, 77);
        child_expect_complaint(&k, needs[missing].name);
        child_expect_complaint(&k, "uthorization failed");
        ck_assert_int_eq(child_count(&k, "event=ready"), 0);
        child_release(&k);
    }
    for (int i = 0; i < count; i++)
        if (needs[i].is_required)
            allow(&c, &needs[i]);
    send_some(&c);
    child_run(&k, &c);
    cluster_wait_outcomes(&c, 4);
    child_wait_line(&k, "not proven", 1); /* for want of what is not required */
    child_stop(&k);
    child_release(&k);
    for (int i = 0; i < count; i++)
        allow(&c, &needs[i]);
    child_run(&k, &c);
    child_wait_line(&k, "event=ready", 1);
    ck_assert_int_eq(child_count(&k, "not proven"), 0);
    child_stop(&k);
    expect_outcomes(&c, NULL);
    cluster_expect_no_lag(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

static void expect_only_bad_ones_dead(struct cluster *c)
{
    struct dump dead;

    dump_load(&dead, c, c->dead);
    ck_assert_uint_gt(dead.count, 0);
    for (size_t i = 0; i < dead.count; i++)
        ck_assert_uint_eq(dead.items[i]->len, 1);
    dump_release(&dead);
}

/* One permission by its row; NULL: all at once. */
static const struct {
    const char *key;
    rd_kafka_AclOperation_t operation;
    const char *waits; /* for what: %s is the name of the topic or group */
} losses[] = {
    {"[consumer] topic", RD_KAFKA_ACL_OPERATION_READ, "event=waiting for=kafka topic %s: "},
    {"[producer] topic", RD_KAFKA_ACL_OPERATION_WRITE, "event=waiting for=kafka topic %s: "},
    {"[dead_letters] topic", RD_KAFKA_ACL_OPERATION_WRITE, "event=waiting for=kafka topic %s: "},
    {"[kscore] name", RD_KAFKA_ACL_OPERATION_READ, "event=waiting for=kafka group %s: "},
    {NULL, RD_KAFKA_ACL_OPERATION_ALL, "event=waiting for=kafka "},
    {"[kscore] name", RD_KAFKA_ACL_OPERATION_WRITE, "event=waiting for=kafka transactional.id %s"},
};

enum { LOSS_COUNT = sizeof losses / sizeof losses[0] };

/* The last one is exactly_once's. */
static int loss_count(void)
{
    return LOSS_COUNT - !cluster_is_exactly_once();
}

/* One cluster that loses a permission, beside the others: what they wait for takes seconds. */
struct loser {
    struct cluster c;
    struct child k;
    struct need needs[MAX_NEEDS];
    int count;
    char want[200];
};

static void change(struct loser *l, int loss, void (*what)(struct cluster *, const struct need *))
{
    for (int i = 0; i < l->count; i++)
        if (!losses[loss].key || (l->needs[i].operation == losses[loss].operation &&
                                  strcmp(l->needs[i].name, name_of(&l->c, losses[loss].key)) == 0))
            what(&l->c, &l->needs[i]);
}

static void start(struct loser *l, int loss)
{
    const char *key = losses[loss].key;

    l->count = open_cluster(&l->c, l->needs);
    snprintf(l->want, sizeof l->want, losses[loss].waits, key ? name_of(&l->c, key) : "");
    for (int i = 0; i < l->count; i++)
        allow(&l->c, &l->needs[i]);
    child_run(&l->k, &l->c);
    send_some(&l->c);
}

static void lose(struct loser *l, int loss)
{
    cluster_wait_outcomes(&l->c, 4);
    change(l, loss, forbid);
}

/* Nothing ends, nothing is committed that has no outcome. */
static void wait_to_wait(struct loser *l)
{
    int64_t until = harness_deadline(), committed;

    for (; child_count(&l->k, l->want) == 0; harness_breathe()) {
        ck_assert_msg(clock_ms() < until, "no \"%s\" in time:\n%s", l->want, l->k.log);
        send_some(&l->c);
    }
    send_some(&l->c);
    ck_assert_msg(child_is_running(&l->k), "it ended:\n%s", l->k.log);
    committed = cluster_committed(&l->c, 0) + cluster_committed(&l->c, 1);
    ck_assert_int_le(committed, cluster_outcome_count(&l->c));
}

/* All of it gets through, and only what is bad is dead. */
static void end(struct loser *l)
{
    static const int64_t floor[CLUSTER_MAX_PARTITIONS];
    int64_t until = harness_deadline();

    for (; cluster_lag(&l->c) > 0; harness_breathe())
        ck_assert_msg(clock_ms() < until, "a lag of %lld is left:\n%s",
                      (long long)cluster_lag(&l->c), l->k.log);
    child_stop(&l->k);
    expect_outcomes(&l->c, &(struct account){.floor = floor});
    expect_only_bad_ones_dead(&l->c);
    child_release(&l->k);
    cluster_close(&l->c);
}

START_TEST(a_permission_that_is_lost_later_is_waited_for)
{
    static struct loser losers[LOSS_COUNT];
    int count = loss_count();

    for (int i = 0; i < count; i++)
        start(&losers[i], i);
    for (int i = 0; i < count; i++)
        lose(&losers[i], i);
    for (int i = 0; i < count; i++)
        wait_to_wait(&losers[i]);
    for (int i = 0; i < count; i++)
        change(&losers[i], i, allow);
    for (int i = 0; i < count; i++)
        end(&losers[i]);
}
END_TEST

SUITE(permissions)
{
    CASE("needed", what_is_listed_as_needed_is_enough_and_each_of_it_is_needed);
    CASE("lost", a_permission_that_is_lost_later_is_waited_for);
}
