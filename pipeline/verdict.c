#include "pipeline/verdict.h"

#include <stdio.h>
#include <string.h>

#include "pipeline/finding.h"

enum { RECENT_MS = 15 * 60000 }; /* what began since then is new */

const char *verdict_level_name(enum verdict_level level)
{
    static const char *const names[] = {"ok", "warning", "bad"};

    return names[level];
}

/* ---- it takes nothing */

static void judge_loop(struct verdict *v, const struct verdict_facts *facts)
{
    enum { STILL_MS = 10000 };
    struct finding *f;

    if (facts->turn_age_ms < STILL_MS)
        return;
    f = finding_add(v, VERDICT_BAD, "stuck", "a loop does not turn");
    f->blame = "self";
    finding_set_since(f, facts, facts->now_ms - facts->turn_age_ms);
}

/* Why the schema of this id cannot be used, in the words of its line; else the message. */
static const char *why_of(const struct verdict_facts *facts, const char *schema_id,
                          const char *message)
{
    char id[SCHEMA_ID_TEXT_MAX];

    for (size_t i = facts->entry_count; i-- > 0 && *schema_id;) {
        const struct journal_entry *e = &facts->entries[i];
        if (entry_is(e, "schema_unusable") &&
            strcmp(entry_word(e, "id", id, sizeof id), schema_id) == 0)
            return e->text;
    }
    return message;
}

/* Behind its last word the line has a dead letter's own message. */
static const char *example(const struct journal_entry *e)
{
    const char *age, *words = strstr(e->text, "change_age_s=");

    age = words ? strchr(words, ' ') : NULL;
    return age ? age + 1 : "see the log";
}

/* The newest that its worker has not closed since. */
static const struct journal_entry *open_breaker(const struct verdict_facts *facts)
{
    for (size_t i = facts->entry_count; i-- > 0;) {
        const struct journal_entry *e = &facts->entries[i];
        bool is_closed = false;
        for (size_t k = i + 1; k < facts->entry_count && !is_closed; k++)
            is_closed = facts->entries[k].worker == e->worker &&
                        entry_is(&facts->entries[k], "breaker_closed");
        if (entry_is(e, "breaker_open") && !is_closed)
            return e;
    }
    return NULL;
}

/* The line of breaker_open has it all: what it holds back was never sent. */
static void judge_breaker(struct verdict *v, const struct verdict_facts *facts)
{
    const struct journal_entry *e = open_breaker(facts);
    struct finding *f;
    char stage[16], reason[32], blame[16], share[16], id[SCHEMA_ID_TEXT_MAX];

    if (!e) {
        finding_add(v, VERDICT_BAD, "breaker", "the breaker is open: %s", facts->sum->why);
        return;
    }
    if (strcmp(entry_word(e, "schema", id, sizeof id), "none") == 0)
        *id = '\0';
    f = finding_add(v, VERDICT_BAD, "breaker",
                    "the breaker is open, nothing is taken: %s/%s, share of dead letters %s: %s",
                    entry_word(e, "stage", stage, sizeof stage),
                    entry_word(e, "reason", reason, sizeof reason),
                    entry_word(e, "share", share, sizeof share), why_of(facts, id, example(e)));
    snprintf(f->schema_id, sizeof f->schema_id, "%s", id);
    f->blame = finding_blame(entry_word(e, "blame", blame, sizeof blame));
    finding_set_line_place(f, e);
    finding_set_since(f, facts, e->at_ms);
    finding_blame_model(f);
}

static void judge_activity(struct verdict *v, const struct verdict_facts *facts)
{
    struct finding *f;

    switch (facts->sum->activity) {
    case ACTIVITY_RUNNING: troubles_judge_silence(v, facts); return;
    case ACTIVITY_BREAKER: judge_breaker(v, facts); return;
    case ACTIVITY_STARTING: troubles_judge_starting(v, facts); return;
    case ACTIVITY_WAITING: troubles_judge_waiting(v, facts); return;
    case ACTIVITY_DRAINING:
        finding_add(v, VERDICT_WARNING, "draining", "it drains: %s", facts->sum->why);
        return;
    case ACTIVITY_FULL:
        f = finding_add(v, VERDICT_WARNING, "full", "%s", facts->sum->why);
        f->blame = "dependency";
        finding_set_place(f, facts->standing);
        if (facts->arrivals && facts->arrivals->running_ms)
            finding_set_since(f, facts, facts->arrivals->running_ms);
    }
}

/* ---- errors */

static bool is_new(const struct verdict_facts *facts, const struct fault_metrics *f)
{
    return facts->now_ms - f->since.at_ms < RECENT_MS;
}

/* New ones first, then those that come most. */
static bool is_worse(const struct verdict_facts *facts, size_t a, size_t b)
{
    bool is_a_new = is_new(facts, &facts->sum->faults[a]);

    if (is_a_new != is_new(facts, &facts->sum->faults[b]))
        return is_a_new;
    return facts->recent[a] > facts->recent[b];
}

static uint64_t dead_of(const struct verdict_facts *facts)
{
    uint64_t dead = 0;

    for (size_t i = 0; i < facts->sum->fault_count; i++)
        dead += facts->recent[i];
    return dead;
}

static double share_of(const struct verdict_facts *facts, uint64_t dead)
{
    uint64_t all = facts->scored + dead_of(facts);

    return all ? (double)dead / (double)all : 0;
}

static void judge_fault(struct verdict *v, const struct verdict_facts *facts, size_t i)
{
    static const double much = 0.05;
    const struct fault_metrics *fault = &facts->sum->faults[i];
    double share = share_of(facts, facts->recent[i]);
    char id[SCHEMA_ID_TEXT_MAX] = "";
    struct finding *f;

    if (fault->schema_id != SCHEMA_ID_NONE)
        schema_id_print(id, fault->schema_id, facts->has_fingerprints);
    f = finding_add(v, share >= much ? VERDICT_BAD : VERDICT_WARNING, "errors",
                    "%s/%s: %llu dead letters in the last minute, %.2g %% of what came: %s",
                    fault_stage(fault->fault), fault_reason(fault->fault),
                    (unsigned long long)facts->recent[i], share * 100,
                    fault->fault == FAULT_SCHEMA_UNUSABLE ? why_of(facts, id, fault->message)
                                                          : fault->message);
    if (!f)
        return;
    f->blame = fault_blame(fault->fault);
    snprintf(f->schema_id, sizeof f->schema_id, "%s", id);
    finding_set_place(f, &fault->since);
    finding_set_since(f, facts, fault->since.at_ms);
    finding_blame_model(f);
}

/* Those of the last minute, unless it is a trickle that has been there for long. */
static void judge_errors(struct verdict *v, const struct verdict_facts *facts)
{
    static const double trickle = 0.001;
    enum { MOST = 4 };
    bool is_done[METRICS_FAULTS] = {false};

    for (size_t said = 0; said < MOST; said++) {
        size_t worst = METRICS_FAULTS;
        for (size_t i = 0; i < facts->sum->fault_count; i++) {
            bool counts = facts->recent[i] > 0 && !is_done[i] &&
                          (is_new(facts, &facts->sum->faults[i]) ||
                           share_of(facts, facts->recent[i]) >= trickle);
            if (counts && (worst == METRICS_FAULTS || is_worse(facts, i, worst)))
                worst = i;
        }
        if (worst == METRICS_FAULTS)
            return;
        is_done[worst] = true;
        judge_fault(v, facts, worst);
    }
}

/* ---- what comes */

/* Behind the last outcome there was. */
static void judge_quiet(struct verdict *v, const struct verdict_facts *facts)
{
    const struct arrivals *a = facts->arrivals;
    int64_t skipped_ms = a ? arrivals_skipped_ms(a) : 0;
    int64_t quiet_ms = a ? arrivals_quiet_ms(a) : 0;
    struct finding *f = NULL;

    if (skipped_ms)
        f = finding_add(v, VERDICT_WARNING, "quiet",
                        "nothing is scored: all %llu events since then are skipped, for they have "
                        "no value; before, %.3g a second had one",
                        (unsigned long long)(a->last.skipped - a->skipped), a->per_s);
    else if (quiet_ms)
        f = finding_add(v, VERDICT_WARNING, "quiet",
                        "no events come, and all that came are done; before, %.3g a second came",
                        a->per_s);
    if (!f)
        return;
    f->blame = "record";
    finding_set_since(f, facts, skipped_ms ? skipped_ms : quiet_ms);
}

static void judge_late(struct verdict *v, const struct verdict_facts *facts)
{
    const struct arrivals *a = facts->arrivals;
    bool is_ahead = a && a->late_s < 0;
    struct finding *f;

    if (!a || !arrivals_are_late(a))
        return;
    f = finding_add(v, VERDICT_WARNING, "late",
                    is_ahead ? "events are from the future: their times are %.0f s ahead of this "
                               "machine's clock; before, they were %.3g s old"
                             : "events come late: up to %.0f s old when they are scored, although "
                               "nothing waits here; before, %.3g s",
                    is_ahead ? -a->late_s : a->late_s, a->age_s);
    if (!f)
        return;
    f->blame = "record";
    finding_set_since(f, facts, a->late_ms);
}

/* ---- behind */

enum { LEAST_GROWN = 100 };

/* As much as ten seconds' scores within at least twenty is no noise. */
static bool is_growing(const struct verdict_facts *facts, const struct verdict_backlog *b)
{
    enum { LEAST_S = 10, LEAST_MS = 20000 };
    double per_s = facts->seconds > 0 ? (double)facts->scored / facts->seconds : 0;

    return b->grown >= LEAST_GROWN && (double)b->grown >= LEAST_S * per_s &&
           facts->now_ms - b->since_ms >= LEAST_MS;
}

static void judge_group(struct verdict *v, const struct verdict_facts *facts,
                        const struct verdict_backlog *b)
{
    struct finding *f;

    if (!b->stands_ms && !is_growing(facts, b))
        return;
    f = finding_add(v, VERDICT_WARNING, "group",
                    b->stands_ms
                        ? "downstream group %s has stopped: it commits nothing, %lld scores wait"
                        : "downstream group %s does not keep up: %lld scores wait, and more come",
                    b->group, (long long)b->lag);
    if (!f)
        return;
    f->blame = "dependency";
    finding_set_since(f, facts, b->stands_ms ? b->stands_ms : b->since_ms);
}

static void judge_lag(struct verdict *v, const struct verdict_facts *facts,
                      const struct verdict_backlog *b)
{
    const char *quota = facts->sum->quota; /* with a cause that is known it need not last */
    struct finding *f;

    if (!is_growing(facts, b) && !(*quota && b->grown >= LEAST_GROWN))
        return;
    f = finding_add(v, VERDICT_WARNING, "lag",
                    "kscore does not keep up: %lld events wait, and more come%s%s",
                    (long long)b->lag, *quota ? ": " : "", quota);
    if (!f)
        return;
    f->blame = *quota ? "dependency" : "";
    finding_set_place(f, facts->standing);
    finding_set_since(f, facts, b->since_ms);
}

/* ---- what did not happen */

/* Until there is another model, or [model] path names the one in use again; but an order to go back
 * that could not be followed leaves nothing behind. */
static void judge_refusal(struct verdict *v, const struct verdict_facts *facts)
{
    static const char *const ends[] = {"model_swapped", "model_rolled_back", "model_unchanged"};
    const struct journal_entry *e = entry_newest(facts, "model_refused"), *end;
    char order[16];
    struct finding *f;

    for (size_t i = 0; i < sizeof ends / sizeof ends[0] && e; i++)
        if ((end = entry_newest(facts, ends[i])) && end->number > e->number)
            return;
    if (!e || (strcmp(entry_word(e, "order", order, sizeof order), "rollback") == 0 &&
               facts->now_ms - e->at_ms > RECENT_MS))
        return;
    f = finding_add(v, VERDICT_WARNING, "refused",
                    "the new bundle was refused, the old one scores on: %s", e->text);
    if (f) {
        f->blame = "model";
        f->since_ms = e->at_ms;
    }
}

static void judge_gap(struct verdict *v, const struct verdict_facts *facts)
{
    const struct journal_entry *e = entry_newest(facts, "gap");
    struct finding *f;

    if (!e || facts->now_ms - e->at_ms > RECENT_MS)
        return;
    f = finding_add(v, VERDICT_WARNING, "gap", "events are gone unread: %s", e->text);
    if (f) {
        f->blame = "dependency";
        finding_set_line_place(f, e);
        f->since_ms = e->at_ms;
    }
}

/* ---- all */

void verdict_take(struct verdict *v, const struct verdict_facts *facts)
{
    v->count = 0;
    judge_loop(v, facts);
    judge_activity(v, facts);
    if (facts->sum->activity != ACTIVITY_BREAKER)
        judge_errors(v, facts);
    judge_quiet(v, facts);
    suspects_judge(v, facts);
    judge_late(v, facts);
    for (size_t i = 0; i < facts->backlog_count; i++)
        if (facts->backlogs[i].group)
            judge_group(v, facts, &facts->backlogs[i]);
        else
            judge_lag(v, facts, &facts->backlogs[i]);
    troubles_judge_commits(v, facts);
    judge_gap(v, facts);
    judge_refusal(v, facts);
    troubles_judge_journal(v, facts);
}

void verdict_print_healthy(char out[VERDICT_TEXT_MAX], const struct verdict_facts *facts)
{
    uint64_t dead = dead_of(facts);
    char behind[48] = "";

    if (facts->backlog_count > 0 && !facts->backlogs[0].group && facts->backlogs[0].lag >= 0)
        snprintf(behind, sizeof behind, ", %lld events behind", (long long)facts->backlogs[0].lag);
    snprintf(out, VERDICT_TEXT_MAX,
             "healthy: %llu events scored in the last minute, %llu dead letters%s",
             (unsigned long long)facts->scored, (unsigned long long)dead, behind);
}
