/* The verdict on facts: each trouble is named, with since when, the first record, whose it is and
 * the change before; and what is none is none. One piece: a table of worlds. */
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "pipeline/verdict.h"
#include "tests/harness.h"

enum { NOW = 1767225900, MOST_LINES = 6 }; /* 2026-01-01T00:05:00Z; seconds here, ms below */

struct line {
    int before_s; /* of now; 0: no line */
    const char *event, *text;
    int worker;
};

/* A world at NOW, and what must be said of it. */
struct world {
    const char *name;
    enum activity activity;
    const char *why, *quota;
    int activity_s; /* before now */
    struct line lines[MOST_LINES];
    struct {
        enum fault fault;
        int64_t schema_id;
        int first_s, since_s, last_s; /* before now; 0: no such fault */
        uint64_t recent;
        const char *message;
    } faults[3];
    uint64_t scored;
    struct verdict_backlog backlogs[2];
    int64_t turn_age_ms, silent_ms;
    struct arrivals arrivals;

    const char *kind;
    enum verdict_level level;
    const char *blame, *schema_id;
    int since_s;         /* before now */
    int64_t offset;      /* of the first record; -1: none */
    const char *change;  /* the event of the change before; NULL: none */
    const char *says[3]; /* in the sentence */
};

#define NO_SCHEMA SCHEMA_ID_NONE
#define START                                                                                      \
    {3000, "starting", "name=fraud"},                                                              \
    {                                                                                              \
        2999, "model_loaded", "name=fraud version=7"                                               \
    }

static const struct world worlds[] = {
    {.name = "nothing is wrong",
     .lines = {START},
     .scored = 60000,
     .kind = NULL,
     .offset = -1,
     .says = {"healthy", "60000 events"}},

    /* The six incidents. */
    {.name = "a bundle whose features read other fields",
     .lines = {START,
               {40, "model_swapped", "order=reload change=1 model=fraud version=8 from_version=7"},
               {5, "suspect",
                "what=decisions decision=block share=0.41 before=0.02 topic=payments partition=0 "
                "offset=915 since=2026-01-01T00:04:22.000Z model=fraud version=8 "
                "after=model_swapped: the share of this decision is far from before"},
               {4, "suspect",
                "what=shifted feature=temp share=0.80 before=0.10 topic=payments partition=2 "
                "offset=912 since=2026-01-01T00:04:23.000Z model=fraud version=8 "
                "after=model_swapped source=wind source_before=temp: the values are distributed "
                "otherwise than before"}},
     .scored = 60000,
     .kind = "suspect",
     .level = VERDICT_WARNING,
     .blame = "model",
     .schema_id = "",
     .since_s = 37,
     .offset = 912,
     .change = "model_swapped",
     .says = {"temp (read from wind, before from temp)", "version=8", "no errors"}},
    {.name = "the same brought in by a restart",
     .lines = {{43, "starting", "name=fraud"},
               {43, "model_loaded", "name=fraud version=8"},
               {42, "changed", "key=model.version from=7 to=8"},
               {42, "changed", "key=config.model.path from=fraud-7 to=fraud-8"},
               {41, "schema_loaded", "id=9"},
               {4, "suspect",
                "what=far feature=temp share=0.80 before=0.10 topic=payments partition=2 "
                "offset=912 since=2026-01-01T00:04:23.000Z after=start source=wind "
                "source_before=temp: most values are far outside"}},
     .scored = 60000,
     .kind = "suspect",
     .level = VERDICT_WARNING,
     .blame = "model",
     .schema_id = "",
     .since_s = 37,
     .offset = 912,
     .change = "changed",
     .says = {"key=model.version from=7 to=8"}},
    {.name = "the producer renames a required field",
     .lines = {START, {9, "schema_loaded", "id=8 payments-value version 3"}},
     .faults = {{FAULT_BIND_MISSING_FIELD, 8, 8, 8, 1, 5000, "amount: there is no such field"},
                {FAULT_DECODE_BAD_JSON, NO_SCHEMA, 2500, 2500, 20, 60, "at byte 7"}},
     .scored = 55000,
     .kind = "errors",
     .level = VERDICT_BAD,
     .blame = "record",
     .schema_id = "8",
     .since_s = 8,
     .offset = 100,
     .change = "schema_loaded",
     .says = {"bind/missing_field", "amount: there is no such field", "schema 8"}},
    {.name = "a bundle that cannot serve a schema: a swap binds, and says, the known ones anew",
     .lines = {START,
               {60, "schema_loaded", "id=8 payments-value version 3"},
               {40, "schema_loaded", "id=8 payments-value version 3"},
               {40, "model_swapped", "order=reload change=1 model=fraud version=8 from_version=7"}},
     .faults = {{FAULT_BIND_MISSING_FIELD, 8, 8, 8, 1, 5000, "amount: there is no such field"}},
     .scored = 55000,
     .kind = "errors",
     .level = VERDICT_BAD,
     .blame = "record",
     .schema_id = "8",
     .since_s = 8,
     .offset = 100,
     .change = "model_swapped",
     .says = {"schema 8", "32.0 s before: model_swapped"}},
    {.name = "strings for numbers in one schema version, and the breaker opens",
     .activity = ACTIVITY_BREAKER,
     .why = "dead=120 judged=200",
     .lines = {START,
               {50, "schema_loaded", "id=7 payments-value version 2"},
               {9, "schema_loaded", "id=8 payments-value version 3"},
               {8, "breaker_open",
                "try_s=60 dead=120 judged=200 share=0.60 stage=bind reason=wrong_type blame=record "
                "schema=8 count=120 topic=payments partition=1 offset=4711 "
                "change=\"schema_loaded id=8\" change_age_s=1 amount is a string"}},
     .scored = 55000,
     .kind = "breaker",
     .level = VERDICT_BAD,
     .blame = "record",
     .schema_id = "8",
     .since_s = 8,
     .offset = 4711,
     .change = "schema_loaded",
     .says = {"breaker is open", "bind/wrong_type", "amount is a string"}},
    {.name = "the same where the schema itself says so",
     .lines = {START,
               {900, "schema_unusable", "id=8 schema 8 (Payment): feature amount: it is a string"}},
     .faults = {{FAULT_SCHEMA_UNUSABLE, 8, 8, 8, 1, 5000, "the log says why"}},
     .scored = 15000,
     .kind = "errors",
     .level = VERDICT_BAD,
     .blame = "schema",
     .schema_id = "8",
     .since_s = 8,
     .offset = 100,
     .change = NULL,
     .says = {"schema/unusable_schema", "feature amount: it is a string", "schema 8"}},
    {.name = "a feature source dies",
     .lines = {START,
               {6, "suspect",
                "what=all_missing feature=gust share=1.00 before=0.02 topic=flights partition=0 "
                "offset=802 since=2026-01-01T00:04:49.000Z: no value since then"},
               {5, "suspect",
                "what=all_missing feature=temp share=1.00 before=0.02 topic=flights partition=0 "
                "offset=812 since=2026-01-01T00:04:50.000Z model=delay version=2 "
                "source=weather.temp features=temp,dewp: no value since then"}},
     .scored = 60000,
     .kind = "suspect",
     .level = VERDICT_WARNING,
     .blame = "record",
     .schema_id = "",
     .since_s = 10,
     .offset = 812,
     .change = NULL,
     .says = {"all_missing of temp (read from weather.temp), of temp,dewp", "no value since then",
              "no change"}},
    {.name = "the output topic is read-only",
     .activity = ACTIVITY_WAITING,
     .why = "kafka: no permission to write scores: User:fraud needs Write on topic scores",
     .activity_s = 7,
     .lines = {START,
               {200, "waiting", "for=kafka no broker is there"},
               {190, "recovered", "for=kafka waited_ms=10000"},
               {7, "waiting", "for=kafka no permission to write scores"},
               {2, "waiting", "for=kafka no permission to write scores"}},
     .scored = 50000,
     .kind = "waiting",
     .level = VERDICT_BAD,
     .blame = "dependency",
     .schema_id = "",
     .since_s = 7,
     .offset = 77,
     .change = NULL,
     .says = {"nothing is scored, waiting for kafka: no permission to write scores"}},
    {.name = "a trouble is not as old as one of which nobody said the end",
     .activity = ACTIVITY_WAITING,
     .why = "kafka: no permission to write scores",
     .activity_s = 7,
     .lines = {START,
               {900, "waiting", "for=kafka no broker is there"},
               {7, "waiting", "for=kafka no permission to write scores"}},
     .arrivals = {.running_ms = (NOW - 9) * 1000LL},
     .scored = 50000,
     .kind = "waiting",
     .level = VERDICT_BAD,
     .blame = "dependency",
     .schema_id = "",
     .since_s = 7,
     .offset = 77,
     .change = NULL,
     .says = {"no permission to write scores"}},
    {.name = "the journal's topic is read-only",
     .lines = {START,
               {200, "waiting", "for=journal no broker is there"},
               {190, "recovered", "for=journal the brokers take it again"},
               {7, "waiting", "for=journal topic fraud-journal: allow WRITE to User:fraud"}},
     .scored = 60000,
     .kind = "journal",
     .level = VERDICT_WARNING,
     .blame = "dependency",
     .schema_id = "",
     .since_s = 7,
     .offset = -1,
     .change = NULL,
     .says = {"the journal cannot be written: topic fraud-journal: allow WRITE"}},
    {.name = "the journal's trouble is not that of the scores",
     .activity = ACTIVITY_WAITING,
     .why = "kafka: no permission to write scores",
     .activity_s = 7,
     .lines = {START,
               {90, "waiting", "for=journal no permission to write journal"},
               {7, "waiting", "for=kafka no permission to write scores"},
               {5, "recovered", "for=journal the brokers take it again"}},
     .scored = 50000,
     .kind = "waiting",
     .level = VERDICT_BAD,
     .blame = "dependency",
     .schema_id = "",
     .since_s = 7,
     .offset = 77,
     .change = NULL,
     .says = {"no permission to write scores"}},
    {.name = "a schema cannot be had",
     .activity = ACTIVITY_WAITING,
     .why = "schema 8 of payments-2",
     .activity_s = 8,
     .lines = {START,
               {8, "parked", "topic=payments partition=2 schema=8 http://registry does not answer"},
               {2, "parked",
                "topic=payments partition=2 schema=8 http://registry does not answer"}},
     .scored = 50000,
     .kind = "waiting",
     .level = VERDICT_BAD,
     .blame = "dependency",
     .schema_id = "8",
     .since_s = 8,
     .offset = 77,
     .change = NULL,
     .says = {"a partition waits for its schema: http://registry does not answer"}},
    {.name = "the input may not be read any more, and nothing is in flight",
     .lines = {START, {20, "waiting", "for=kafka topic payments: no permission to read"}},
     .arrivals = {.last = {.at_ms = NOW * 1000LL, .lag = -1},
                  .moved_ms = (NOW - 22) * 1000LL,
                  .count = 99,
                  .per_s = 250,
                  .longest_ms = 5000},
     .silent_ms = 20000,
     .scored = 50000,
     .kind = "waiting",
     .level = VERDICT_BAD,
     .blame = "dependency",
     .schema_id = "",
     .since_s = 20,
     .offset = 77,
     .change = NULL,
     .says = {"nothing comes, waiting for kafka: topic payments: no permission to read"}},
    {.name = "offsets cannot be committed",
     .lines = {START,
               {400, "commit_failed", "group=fraud Broker: Not coordinator"},
               {9, "commit_failed", "group=fraud Broker: Group authorization failed"},
               {1, "commit_failed", "group=fraud Broker: Group authorization failed"}},
     .scored = 60000,
     .kind = "commit",
     .level = VERDICT_WARNING,
     .blame = "dependency",
     .schema_id = "",
     .since_s = 9,
     .offset = -1,
     .change = NULL,
     .says = {"offsets cannot be committed", "group=fraud Broker: Group authorization failed"}},
    {.name = "a commit that failed is tried again",
     .lines = {START, {5, "commit_failed", "group=fraud Broker: Not coordinator"}},
     .scored = 60000,
     .kind = NULL,
     .offset = -1,
     .says = {"healthy"}},
    {.name = "the brokers hang, and nothing is in flight",
     .lines = {START},
     .arrivals = {.last = {.at_ms = NOW * 1000LL, .lag = -1},
                  .moved_ms = (NOW - 30) * 1000LL,
                  .count = 99,
                  .per_s = 250,
                  .longest_ms = 5000},
     .silent_ms = 25000,
     .scored = 50000,
     .kind = "waiting",
     .level = VERDICT_BAD,
     .blame = "dependency",
     .schema_id = "",
     .since_s = 25,
     .offset = 77,
     .change = NULL,
     .says = {"the brokers do not say"}},
    {.name = "the brokers hang, and nothing had come for long: who knows whether anything waits",
     .lines = {START},
     .arrivals = {.last = {.at_ms = NOW * 1000LL, .lag = -1},
                  .moved_ms = (NOW - 600) * 1000LL,
                  .count = 99,
                  .per_s = 250,
                  .longest_ms = 600000},
     .silent_ms = 20000,
     .kind = "waiting",
     .level = VERDICT_WARNING,
     .blame = "dependency",
     .schema_id = "",
     .since_s = 20,
     .offset = -1,
     .change = NULL,
     .says = {"the brokers do not say how far the topics are"}},
    {.name = "a broker was away for a moment, and there is nothing to do",
     .lines = {START, {20, "waiting", "for=kafka no broker is there"}},
     .arrivals = {.last = {.at_ms = NOW * 1000LL},
                  .moved_ms = (NOW - 600) * 1000LL,
                  .count = 99,
                  .per_s = 250,
                  .longest_ms = 600000},
     .silent_ms = 1000,
     .kind = NULL,
     .offset = -1,
     .says = {"healthy"}},
    {.name = "a downstream reader stops",
     .lines = {START},
     .scored = 60000,
     .backlogs = {{NULL, 12, 0, 0, 0},
                  {"alerting", 20000, 20000, (NOW - 15) * 1000LL, (NOW - 15) * 1000LL}},
     .kind = "group",
     .level = VERDICT_WARNING,
     .blame = "dependency",
     .schema_id = "",
     .since_s = 15,
     .offset = -1,
     .change = NULL,
     .says = {"downstream group alerting has stopped", "20000 scores wait"}},

    /* Others. */
    {.name = "an error that another model brought is the model's",
     .lines = {START, {10, "model_swapped", "order=reload model=fraud version=8"}},
     .faults = {{FAULT_BIND_WRONG_TYPE, NO_SCHEMA, 2000, 8, 1, 9000, "amount is a string"}},
     .scored = 50000,
     .kind = "errors",
     .level = VERDICT_BAD,
     .blame = "model",
     .schema_id = "",
     .since_s = 8,
     .offset = 100,
     .change = "model_swapped",
     .says = {"version=8"}},
    {.name = "a new error comes before one of old, though it is rarer",
     .lines = {START},
     .faults = {{FAULT_DECODE_BAD_JSON, NO_SCHEMA, 2900, 2900, 1, 3000, "old"},
                {FAULT_BIND_NOT_FINITE, NO_SCHEMA, 30, 30, 1, 200, "new"}},
     .scored = 57000,
     .kind = "errors",
     .level = VERDICT_WARNING,
     .blame = "record",
     .schema_id = "",
     .since_s = 30,
     .offset = 100,
     .change = NULL,
     .says = {"bind/not_finite", "new"}},
    {.name = "a start that went well for a while is no cause",
     .lines = {{60, "starting", "name=fraud"}, {59, "model_loaded", "name=fraud version=7"}},
     .faults = {{FAULT_BIND_WRONG_TYPE, NO_SCHEMA, 8, 8, 1, 9000, "amount is a string"}},
     .scored = 50000,
     .kind = "errors",
     .level = VERDICT_BAD,
     .blame = "record",
     .schema_id = "",
     .since_s = 8,
     .offset = 100,
     .change = NULL,
     .says = {"no change of model"}},
    {.name = "a trickle that has been there for long is none",
     .lines = {START},
     .faults = {{FAULT_DECODE_BAD_JSON, NO_SCHEMA, 2900, 2900, 10, 6, "old"}},
     .scored = 60000,
     .kind = NULL,
     .offset = -1,
     .says = {"healthy", "6 dead letters"}},
    {.name = "what was suspected is over",
     .lines = {START,
               {300, "suspect", "what=missing feature=dewp since=2026-01-01T00:00:00.000Z: x"},
               {100, "suspect_over", "what=missing feature=temp features=temp,dewp: as before"}},
     .scored = 60000,
     .kind = NULL,
     .offset = -1,
     .says = {"healthy"}},
    {.name = "of features that were suspected together one is over",
     .lines = {START,
               {300, "suspect",
                "what=missing feature=temp topic=flights partition=0 offset=812 "
                "since=2026-01-01T00:00:00.000Z source=weather.temp features=temp,dewp,humid,+3: "
                "x"},
               {100, "suspect_over", "what=missing feature=humid lasted_ms=1: as before"},
               {90, "suspect_over", "what=missing feature=temp lasted_ms=1: as before"}},
     .scored = 60000,
     .kind = "suspect",
     .level = VERDICT_WARNING,
     .blame = "record",
     .schema_id = "",
     .since_s = 300,
     .offset = 812,
     .change = NULL,
     .says = {"missing of dewp, of dewp,+3: x"}},
    {.name = "all that a line that was cut has whole names of is over",
     .lines = {START,
               {300, "suspect",
                "what=missing feature=temp since=2026-01-01T00:00:00.000Z features=temp,dewp,hu"},
               {100, "suspect_over", "what=missing feature=temp features=temp,dewp,humid: x"}},
     .scored = 60000,
     .kind = NULL,
     .offset = -1,
     .says = {"healthy"}},
    {.name = "nothing comes any more, and a suspicion of before stays",
     .lines = {START, {300, "suspect", "what=far feature=temp since=2026-01-01T00:00:00.000Z: x"}},
     .arrivals = {.last = {.at_ms = NOW * 1000LL},
                  .moved_ms = (NOW - 40) * 1000LL,
                  .count = 99,
                  .per_s = 250,
                  .longest_ms = 5000},
     .scored = 5000,
     .kind = "quiet",
     .level = VERDICT_WARNING,
     .blame = "record",
     .schema_id = "",
     .since_s = 40,
     .offset = -1,
     .change = NULL,
     .says = {"no events come", "before, 250 a second"}},
    {.name = "nothing has a value any more",
     .lines = {START},
     .arrivals = {.last = {.at_ms = NOW * 1000LL, .skipped = 10000, .lag = 7},
                  .moved_ms = (NOW - 40) * 1000LL,
                  .count = 99,
                  .per_s = 250,
                  .longest_ms = 5000},
     .scored = 5000,
     .kind = "quiet",
     .level = VERDICT_WARNING,
     .blame = "record",
     .schema_id = "",
     .since_s = 40,
     .offset = -1,
     .change = NULL,
     .says = {"all 10000 events since then are skipped"}},
    {.name = "events are old when they come",
     .lines = {START},
     .arrivals = {.count = 99,
                  .late_count = 3,
                  .late_ms = (NOW - 15) * 1000LL,
                  .late_s = 3600,
                  .age_s = 0.1},
     .scored = 60000,
     .kind = "late",
     .level = VERDICT_WARNING,
     .blame = "record",
     .schema_id = "",
     .since_s = 15,
     .offset = -1,
     .change = NULL,
     .says = {"events come late: up to 3600 s old", "before, 0.1 s"}},
    {.name = "a producer's clock is ahead",
     .lines = {START},
     .arrivals = {.count = 99,
                  .late_count = 3,
                  .late_ms = (NOW - 15) * 1000LL,
                  .late_s = -3000,
                  .age_s = 0.1},
     .scored = 60000,
     .kind = "late",
     .level = VERDICT_WARNING,
     .blame = "record",
     .schema_id = "",
     .since_s = 15,
     .offset = -1,
     .change = NULL,
     .says = {"events are from the future", "3000 s ahead"}},
    {.name = "the output topics do not keep up",
     .activity = ACTIVITY_FULL,
     .why = "the output topics take less than comes in: a quota (producer_byte_rate)",
     .lines = {START},
     .arrivals = {.running_ms = (NOW - 9) * 1000LL},
     .scored = 50000,
     .kind = "full",
     .level = VERDICT_WARNING,
     .blame = "dependency",
     .schema_id = "",
     .since_s = 9,
     .offset = 77,
     .change = NULL,
     .says = {"a quota"}},
    {.name = "it does not keep up",
     .lines = {START},
     .scored = 60000,
     .backlogs = {{NULL, 50000, 50000, (NOW - 30) * 1000LL, 0}},
     .kind = "lag",
     .level = VERDICT_WARNING,
     .blame = "",
     .schema_id = "",
     .since_s = 30,
     .offset = 77,
     .change = NULL,
     .says = {"50000 events wait"}},
    {.name = "a quota holds it up: with a cause that is known nothing need be waited for",
     .lines = {START},
     .scored = 6000,
     .quota = "b:9/1 throttles the consumer: a quota (consumer_byte_rate)",
     .backlogs = {{NULL, 350, 350, (NOW - 4) * 1000LL, 0}},
     .kind = "lag",
     .level = VERDICT_WARNING,
     .blame = "dependency",
     .schema_id = "",
     .since_s = 4,
     .offset = 77,
     .change = NULL,
     .says = {"350 events wait", "b:9/1 throttles the consumer"}},
    {.name = "a quota that holds nothing up is none",
     .lines = {START},
     .scored = 6000,
     .quota = "b:9/1 throttles the consumer: a quota (consumer_byte_rate)",
     .backlogs = {{NULL, 60, 60, (NOW - 30) * 1000LL, 0}},
     .kind = NULL,
     .offset = -1,
     .says = {"healthy"}},
    {.name = "a lag that comes and goes is none",
     .lines = {START},
     .scored = 60000,
     .backlogs = {{NULL, 5000, 5000, (NOW - 30) * 1000LL, 0},
                  {"alerting", 90000, 90000, (NOW - 10) * 1000LL, 0}},
     .kind = NULL,
     .offset = -1,
     .says = {"healthy", "5000 events behind"}},
    {.name = "a loop stands still",
     .lines = {START},
     .scored = 60000,
     .turn_age_ms = 31000,
     .kind = "stuck",
     .level = VERDICT_BAD,
     .blame = "self",
     .schema_id = "",
     .since_s = 31,
     .offset = -1,
     .change = NULL,
     .says = {"a loop does not turn"}},
    {.name = "nothing comes, and brokers that went away meanwhile are not missed by any loop",
     .lines = {START},
     .silent_ms = 40000,
     .kind = "waiting",
     .level = VERDICT_WARNING,
     .blame = "dependency",
     .schema_id = "",
     .since_s = 40,
     .offset = -1,
     .change = NULL,
     .says = {"the brokers do not say how far the topics are"}},
    {.name = "brokers that take their time are none that are away",
     .lines = {START},
     .silent_ms = 9000,
     .kind = NULL,
     .offset = -1,
     .says = {"healthy"}},
    {.name = "the broker is not there at the start",
     .activity = ACTIVITY_STARTING,
     .why = "kafka: no broker is there",
     .lines = {{20, "starting", "name=fraud"}, {15, "waiting", "for=kafka no broker is there"}},
     .kind = "starting",
     .level = VERDICT_BAD,
     .blame = "dependency",
     .schema_id = "",
     .since_s = 15,
     .offset = 77,
     .change = "starting",
     .says = {"no broker is there"}},
    {.name = "of two schemas that are waited for one has come, and so has another worker's broker",
     .activity = ACTIVITY_WAITING,
     .why = "schema 8 of payments-1",
     .activity_s = 9,
     .lines = {START,
               {9, "parked", "topic=payments partition=1 schema=8 no answer"},
               {8, "parked", "topic=payments partition=2 schema=9 no answer"},
               {7, "waiting", "for=kafka no broker is there", 1},
               {4, "unparked", "topic=payments partition=2 offset=12"}},
     .scored = 50000,
     .kind = "waiting",
     .level = VERDICT_BAD,
     .blame = "dependency",
     .schema_id = "8",
     .since_s = 9,
     .offset = 77,
     .change = NULL,
     .says = {"a partition waits for its schema: no answer"}},
    {.name = "a start waits for the group, and only journal and lag for something else",
     .activity = ACTIVITY_STARTING,
     .why = "no partitions are assigned yet",
     .activity_s = 3,
     .lines = {{3, "starting", "name=fraud"},
               {2, "waiting", "for=journal no permission"},
               {1, "waiting", "for=lag group (allow DESCRIBE)"}},
     .kind = "starting",
     .level = VERDICT_WARNING,
     .blame = "",
     .schema_id = "",
     .since_s = NOW,
     .offset = 77,
     .change = NULL,
     .says = {"no partitions are assigned yet"}},
    {.name = "of two workers' breakers one has closed: the other one is meant",
     .activity = ACTIVITY_BREAKER,
     .why = "dead=120 judged=200",
     .lines = {START,
               {20, "breaker_open",
                "try_s=60 dead=120 judged=200 share=0.60 stage=bind reason=wrong_type blame=record "
                "schema=8 count=120 topic=payments partition=1 offset=4711 "
                "change=\"starting\" change_age_s=2980 amount is a string"},
               {10, "breaker_open",
                "try_s=60 dead=90 judged=200 share=0.45 stage=decode reason=truncated blame=record "
                "schema=none count=90 topic=payments partition=2 offset=5 "
                "change=\"starting\" change_age_s=2990 at byte 7",
                1},
               {2, "breaker_closed", "the records of the try get their outcomes", 1}},
     .scored = 55000,
     .kind = "breaker",
     .level = VERDICT_BAD,
     .blame = "record",
     .schema_id = "8",
     .since_s = 20,
     .offset = 4711,
     .change = NULL,
     .says = {"bind/wrong_type", "amount is a string"}},
    {.name = "events were gone before they were read",
     .lines = {START,
               {20, "gap",
                "topic=flights partition=1 from=45 to=107 lost=62 retention removed them"}},
     .scored = 60000,
     .kind = "gap",
     .level = VERDICT_WARNING,
     .blame = "dependency",
     .schema_id = "",
     .since_s = 20,
     .offset = 45,
     .change = NULL,
     .says = {"from flights[1]@45 on"}},
    {.name = "a bundle is refused",
     .lines = {START, {500, "model_refused", "order=reload golden row 3 gives 0.5"}},
     .scored = 60000,
     .kind = "refused",
     .level = VERDICT_WARNING,
     .blame = "model",
     .schema_id = "",
     .since_s = 500,
     .offset = -1,
     .change = NULL,
     .says = {"the old one scores on", "golden row 3"}},
    {.name = "behind a refusal the path names the bundle in use again",
     .lines = {START,
               {500, "model_refused", "order=reload golden row 3 gives 0.5"},
               {400, "model_unchanged", "model=fraud version=7 it is in use"}},
     .scored = 60000,
     .kind = NULL,
     .offset = -1,
     .says = {"healthy"}},
    {.name = "behind a refusal the bundle before was taken",
     .lines = {START,
               {500, "model_refused", "order=reload golden row 3 gives 0.5"},
               {400, "model_rolled_back", "order=rollback model=fraud version=6"}},
     .scored = 60000,
     .kind = NULL,
     .offset = -1,
     .says = {"healthy"}},
    {.name = "a later bundle was taken",
     .lines = {START,
               {500, "model_refused", "order=reload golden row 3 gives 0.5"},
               {400, "model_swapped", "order=reload model=fraud version=8"}},
     .scored = 60000,
     .kind = NULL,
     .offset = -1,
     .says = {"healthy"}},
    {.name = "what was refused was taken back, and the model in use is asked for again",
     .lines = {START,
               {500, "model_refused", "order=reload golden row 3 gives 0.5"},
               {400, "model_unchanged", "model=fraud version=7 it is in use"}},
     .scored = 60000,
     .kind = NULL,
     .offset = -1,
     .says = {"healthy"}},
    {.name = "a rollback that found nothing to go back to is history after a while",
     .lines = {START, {1000, "model_refused", "order=rollback there is none to go back to"}},
     .scored = 60000,
     .kind = NULL,
     .offset = -1,
     .says = {"healthy"}},
};

enum { WORLDS = sizeof worlds / sizeof worlds[0] };

static int64_t ago(int seconds)
{
    return (NOW - (int64_t)seconds) * 1000;
}

static enum journal_kind kind_of(const char *event)
{
    static const char *const changes[] = {"starting", "model_loaded", "changed", "schema_loaded",
                                          "model_swapped"};

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
        if (strcmp(changes[i], event) == 0)
            return JOURNAL_CHANGE;
    return JOURNAL_TROUBLE;
}

struct facts_of {
    struct verdict_facts facts;
    struct metrics sum;
    struct journal_entry entries[MOST_LINES];
    uint64_t recent[METRICS_FAULTS];
    struct place standing;
};

static void make_entry(struct facts_of *f, const struct line *line)
{
    struct journal_entry *e = &f->entries[f->facts.entry_count++];

    *e = (struct journal_entry){.number = f->facts.entry_count,
                                .at_ms = ago(line->before_s),
                                .kind = kind_of(line->event),
                                .worker = line->worker,
                                .event = line->event};
    snprintf(e->text, sizeof e->text, "%s", line->text);
}

static void make_fault(struct facts_of *f, const struct world *w, size_t i)
{
    struct fault_metrics *to = metrics_kind(&f->sum, w->faults[i].fault, w->faults[i].schema_id);

    to->count = w->faults[i].recent;
    to->first = (struct place){"payments", 1, 5, ago(w->faults[i].first_s)};
    to->since = (struct place){"payments", 1, 100, ago(w->faults[i].since_s)};
    to->last = (struct place){"payments", 1, 200, ago(w->faults[i].last_s)};
    snprintf(to->message, sizeof to->message, "%s", w->faults[i].message);
    f->recent[f->sum.fault_count - 1] = w->faults[i].recent;
}

static void make(struct facts_of *f, const struct world *w)
{
    memset(f, 0, sizeof *f);
    f->sum.activity = w->activity;
    f->sum.since_ms = ago(w->activity_s);
    snprintf(f->sum.why, sizeof f->sum.why, "%s", w->why ? w->why : "");
    snprintf(f->sum.quota, sizeof f->sum.quota, "%s", w->quota ? w->quota : "");
    for (size_t i = 0; i < MOST_LINES && w->lines[i].before_s; i++)
        make_entry(f, &w->lines[i]);
    for (size_t i = 0; i < 3 && w->faults[i].first_s; i++)
        make_fault(f, w, i);
    f->standing = (struct place){"payments", 0, 77, 0};
    f->facts.now_ms = ago(0);
    f->facts.sum = &f->sum;
    f->facts.recent = f->recent;
    f->facts.scored = w->scored;
    f->facts.seconds = 60;
    f->facts.turn_age_ms = w->turn_age_ms;
    f->facts.silent_ms = w->silent_ms;
    f->facts.standing = &f->standing;
    f->facts.backlogs = w->backlogs;
    f->facts.backlog_count = w->backlogs[1].group ? 2 : 1;
    f->facts.entries = f->entries;
    f->facts.arrivals = &w->arrivals;
}

static void check_finding(const struct world *w, const struct finding *f)
{
    ck_assert_msg(f->level == w->level, "%s: level %s", w->name, verdict_level_name(f->level));
    ck_assert_msg(strcmp(f->blame, w->blame) == 0, "%s: blame %s", w->name, f->blame);
    ck_assert_msg(strcmp(f->schema_id, w->schema_id) == 0, "%s: schema %s", w->name, f->schema_id);
    ck_assert_msg(f->since_ms == ago(w->since_s), "%s: since %lld s ago", w->name,
                  (long long)(NOW - f->since_ms / 1000));
    ck_assert_msg((*f->topic ? f->offset : -1) == w->offset, "%s: offset %lld", w->name,
                  (long long)f->offset);
    ck_assert_msg(w->change ? f->change && strcmp(f->change->event, w->change) == 0 : !f->change,
                  "%s: change %s", w->name, f->change ? f->change->event : "none");
}

START_TEST(the_cause_is_named_with_since_when_where_and_whose)
{
    const struct world *w = &worlds[_i];
    char text[VERDICT_TEXT_MAX];
    struct verdict v;
    struct facts_of f;

    make(&f, w);
    verdict_take(&v, &f.facts);
    if (!w->kind) {
        ck_assert_msg(v.count == 0, "%s: %s", w->name, v.findings[0].what);
        verdict_print_healthy(text, &f.facts);
    } else {
        ck_assert_msg(v.count > 0, "%s: nothing is found", w->name);
        ck_assert_msg(strcmp(v.findings[0].kind, w->kind) == 0, "%s: %s", w->name,
                      v.findings[0].kind);
        check_finding(w, &v.findings[0]);
        verdict_print(text, &v.findings[0], NULL);
    }
    for (size_t i = 0; i < 3 && w->says[i]; i++)
        ck_assert_msg(strstr(text, w->says[i]), "%s: \"%s\" is not in \"%s\"", w->name, w->says[i],
                      text);
}
END_TEST

START_TEST(more_findings_than_there_is_room_for_keep_the_worst)
{
    static struct journal_entry entries[64];
    struct facts_of f;
    struct verdict v;

    make(&f, &worlds[0]);
    f.facts.turn_age_ms = 60000;
    for (size_t i = 0; i < 64; i++) {
        entries[i] = (struct journal_entry){.number = i + 1, .at_ms = ago(60), .event = "suspect"};
        snprintf(entries[i].text, sizeof entries[i].text, "what=far feature=f%zu: far", i);
    }
    for (enum fault fault = FAULT_NONE + 1; fault < FAULT_COUNT; fault++) {
        struct place place = {"payments", 0, 9, ago(30)};
        metrics_fault(&f.sum, fault, 1, &place);
        f.recent[f.sum.fault_count - 1] = 1;
    }
    f.facts.entries = entries;
    f.facts.entry_count = 64;
    verdict_take(&v, &f.facts);
    ck_assert_uint_le(v.count, VERDICT_FINDINGS);
    ck_assert_str_eq(v.findings[0].kind, "stuck");
    ck_assert_str_eq(v.findings[1].kind, "errors");
}
END_TEST

START_TEST(a_long_finding_is_cut_and_still_a_text)
{
    struct finding f = {.blame = "record"};
    char text[VERDICT_TEXT_MAX];
    struct journal_entry change = {.event = "changed"};

    memset(f.what, 'x', sizeof f.what - 1);
    memset(f.topic, 't', sizeof f.topic - 1);
    memset(change.text, 'c', sizeof change.text - 1);
    f.change = &change;
    f.since_ms = 1;
    verdict_print(text, &f, NULL);
    ck_assert_uint_lt(strlen(text), VERDICT_TEXT_MAX);
}
END_TEST

SUITE(verdict)
{
    TCase *loops = CASE("worlds", a_long_finding_is_cut_and_still_a_text,
                        more_findings_than_there_is_room_for_keep_the_worst);

    tcase_add_loop_test(loops, the_cause_is_named_with_since_when_where_and_whose, 0, WORLDS);
}
