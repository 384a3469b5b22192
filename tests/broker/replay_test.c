/* kscore replay: a window of the past, into files and topics of its own. One file: one command. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "tests/broker/outcomes.h"
#include "tests/broker/replays.h"
#include "tests/harness.h"

START_TEST(scores_go_into_a_file_and_nothing_else_happens)
{
    struct cluster c;
    struct child k;
    struct lines *l;

    cluster_open(&c, 2);
    cluster_send_events(&c, 6);
    cluster_send(&c, 1, "bad", "{", 1);
    cluster_send(&c, 0, "gone", NULL, 0);
    cluster_flush(c.producer);
    replay_runs(&k, &c, "--from", "earliest", "-o", replay_path(&c, "out.jsonl"));
    replay_says(&k, "8 of 8 offsets, 2 partitions");
    replay_says(&k, "decode/bad_json, first ");
    replay_says(&k, "event=stopped exit=0 consumed=8 scored=6 dead=1 skipped=1 returned=0");
    l = lines_load(replay_path(&c, "out.jsonl"));
    ck_assert_uint_eq(l->count, 6);
    lines_say(l, 1, 2,
              "\"decision\":\"high\","
              "\"mode\":\"replay\"");
    lines_free(l);
    l = lines_load(replay_path(&c, "out.jsonl.dead.jsonl"));
    ck_assert_uint_eq(l->count, 1);
    lines_say(l, 1, 3, "\"reason\":\"bad_json\"");
    lines_say(l, 1, 3, "\"value_base64\":\"ew==\"");
    lines_free(l);
    ck_assert_int_eq(cluster_outcome_count(&c), 0);
    ck_assert_int_eq(cluster_committed(&c, 0), -1);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(replay)
{
    CASE("files", scores_go_into_a_file_and_nothing_else_happens);
}
