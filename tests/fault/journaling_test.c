/* What goes into [journal] topic, on librdkafka's mock cluster. */
#include <stdlib.h>
#include <string.h>

#include "core/journal.h"
#include "pipeline/journaling.h"
#include "tests/fault/mock.h"
#include "tests/harness.h"

/* More than go in one turn, and than the producer's queue holds. */
START_TEST(the_end_leaves_no_entry_behind)
{
    enum { ENTRIES = 380 };
    struct journal *journal = journal_new();
    struct err err = ERR_INIT;
    struct journaling *journaling;
    struct mock m;
    struct seen *all;
    size_t count, runs = 0;

    mock_start(&m, NULL, "[journal]\ntopic = journal");
    rd_kafka_mock_topic_create(m.cluster, "journal", MOCK_PARTITIONS, 1);
    journaling = journaling_new(&m.config, "test", journal, &err);
    ck_assert_msg(journaling != NULL, "%s", err.text);
    for (int i = 0; i < ENTRIES; i++)
        journal_take(journal, &(struct log_line){LOG_INFO, "starting", "name=fraud", -1});
    journaling_begin(journaling, &(struct model_metrics){.name = "m"});
    journaling_free(journaling);
    count = mock_read(&m, "journal", &all);
    for (size_t i = 0; i < count; i++)
        runs += strstr(all[i].value, "\"kind\":\"run\"") != NULL;
    ck_assert_uint_eq(count, ENTRIES + 1);
    ck_assert_uint_eq(runs, 1);
    free(all);
    journal_free(journal);
    mock_end(&m);
}
END_TEST

SUITE(journaling)
{
    CASE("end", the_end_leaves_no_entry_behind);
}
