/* verdict.h: what is wrong, in one sentence: the first thing that whoever is paged reads.
 *
 * Facts in, findings out, the worst first; none: healthy. Each finding says what, since when, the
 * first record, who is to blame, and the change that came just before. The page, `kscore status`
 * and /status print the same. Causes come before their effects: a loop that stands still, an open
 * breaker and a dependency explain a lag; a new kind of error one that has been there for days.
 *
 *   blame    record: who sends the events; schema; model: the bundle; config; dependency: brokers,
 *            registry, whoever reads the scores; self: a defect of kscore
 *
 * An error is the model's, whatever its reason is, when it began within 30 s of another model.
 *
 * Pure: no clock, no lock; borrows the facts. Any thread.
 */
#ifndef PIPELINE_VERDICT_H
#define PIPELINE_VERDICT_H

#include "core/journal.h"
#include "core/metrics.h"
#include "core/schema_id.h"
#include "pipeline/arrivals.h"

/* Of what is to be worked off: kscore's own lag, or that of a group that reads the scores. */
struct verdict_backlog {
    const char *group; /* NULL: kscore's own */
    int64_t lag;       /* records, -1: not known */
    int64_t grown;     /* since it was lowest in the last quarter of an hour, 0: it does not grow */
    int64_t since_ms;  /* when it was lowest */
    int64_t stands_ms; /* since when a group has committed nothing of what is there, 0: it does */
};

struct verdict_facts {
    int64_t now_ms; /* since 1970 UTC, as all times here */
    const struct metrics *sum;
    const uint64_t *recent; /* dead letters of the last minute, one for each of sum->faults */
    uint64_t scored;        /* in the last minute, or as long as it runs */
    double seconds;         /* of that */
    int64_t turn_age_ms;    /* of the loop that turned longest ago */
    int64_t silent_ms;      /* since the brokers last said how far the topics are; 0: nobody asks */
    const struct place *standing; /* what the slowest partition stands at; NULL: not known */
    const struct verdict_backlog *backlogs;
    size_t backlog_count;
    const struct journal_entry *entries; /* oldest first */
    size_t entry_count;
    bool has_fingerprints;           /* schema ids are */
    const struct arrivals *arrivals; /* NULL: not known */
};

enum verdict_level { VERDICT_OK, VERDICT_WARNING, VERDICT_BAD };

struct finding {
    enum verdict_level level;
    const char *kind; /* "stuck", "breaker", "waiting", "starting", "draining", "errors", "suspect",
                         "full", "group", "lag", "refused", "gap", "journal", "commit", "quiet",
                         "late"; static */
    char what[600];
    const char *blame; /* static, "" */
    int64_t since_ms;  /* 0: not known */
    char topic[250];   /* of the first record, "": none is known */
    int32_t partition;
    int64_t offset;
    char schema_id[SCHEMA_ID_TEXT_MAX]; /* "": none */
    const struct journal_entry *change; /* just before; NULL: none within 15 minutes */
};

enum { VERDICT_FINDINGS = 12, VERDICT_TEXT_MAX = 1600 };

struct verdict {
    struct finding findings[VERDICT_FINDINGS];
    size_t count;
};

void verdict_take(struct verdict *verdict, const struct verdict_facts *facts);

/* One finding as a sentence, without a change that is known already (or NULL); and of no finding,
 * the healthy one. NUL-terminated. */
void verdict_print(char out[VERDICT_TEXT_MAX], const struct finding *finding,
                   const struct journal_entry *known);
void verdict_print_healthy(char out[VERDICT_TEXT_MAX], const struct verdict_facts *facts);

/* "ok", "warning", "bad". Static. */
const char *verdict_level_name(enum verdict_level level);

#endif
