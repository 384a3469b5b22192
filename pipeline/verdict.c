#include "pipeline/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/text.h"

enum {
    MINUTE_MS = 60000,
    RECENT_MS = 15 * MINUTE_MS, /* what began since then is new */
    SOON_MS = 30000,            /* what begins so soon behind another model is the model's */
    SLACK_MS = 1000,            /* between a change and the line that says it */
};

const char *verdict_level_name(enum verdict_level level)
{
    static const char *const names[] = {"ok", "warning", "bad"};

    return names[level];
}

/* ---- findings */

/* NULL: there is no room, and what was found before is worse. */
__attribute__((format(printf, 4, 5))) static struct finding *find(struct verdict *v,
                                                                  enum verdict_level level,
                                                                  const char *kind,
                                                                  const char *format, ...)
{
    struct finding *f;
    va_list args;

    if (v->count == VERDICT_FINDINGS)
        return NULL;
    f = &v->findings[v->count++];
    *f = (struct finding){.level = level, .kind = kind, .blame = ""};
    va_start(args, format);
    vsnprintf(f->what, sizeof f->what, format, args);
    va_end(args);
    return f;
}

static void set_place(struct finding *f, const struct place *place)
{
    if (!place || !place->topic)
        return;
    snprintf(f->topic, sizeof f->topic, "%s", place->topic);
    f->partition = place->partition;
    f->offset = place->offset;
}

/* ---- words of the journal */

static bool is_event(const struct journal_entry *e, const char *event)
{
    return strcmp(e->event, event) == 0;
}

/* The newest of that event; NULL: none. */
static const struct journal_entry *newest(const struct verdict_facts *facts, const char *event)
{
    for (size_t i = facts->entry_count; i-- > 0;)
        if (is_event(&facts->entries[i], event))
            return &facts->entries[i];
    return NULL;
}

/* A word of a line, as far as there is room; "" when there is none. */
static const char *word(const struct journal_entry *e, const char *key, char *out, size_t size)
{
    const char *value = "";
    size_t len = journal_word(e->text, key, &value);

    snprintf(out, size, "%.*s", (int)len, value);
    return out;
}

static int64_t number_word(const struct journal_entry *e, const char *key)
{
    const char *value = "";
    size_t len = journal_word(e->text, key, &value);
    int64_t number;

    return integer_parse(value, len, 0, INT64_MAX, &number) ? number : -1;
}

/* topic=, partition= and offset= of a line. */
static void set_line_place(struct finding *f, const struct journal_entry *e)
{
    int64_t partition = number_word(e, "partition");

    f->offset = number_word(e, "offset");
    if (partition < 0 || f->offset < 0)
        return;
    f->partition = (int32_t)partition;
    word(e, "topic", f->topic, sizeof f->topic);
}

/* ---- the change just before */

static bool is_about_model(const struct journal_entry *e)
{
    return is_event(e, "model_swapped") || is_event(e, "model_rolled_back") ||
           (is_event(e, "changed") && strstr(e->text, "model"));
}

/* 0: no cause; what says that something is another one now counts more than what only began. */
static int weight(const struct journal_entry *e, int64_t since_ms, const char *schema_id)
{
    enum { NEAR_MS = 2 * MINUTE_MS };
    char id[SCHEMA_ID_TEXT_MAX];
    bool is_near = since_ms - e->at_ms <= NEAR_MS;

    if (e->kind != JOURNAL_CHANGE || e->at_ms > since_ms + SLACK_MS ||
        e->at_ms < since_ms - RECENT_MS || is_event(e, "stopping") || is_event(e, "model_refused"))
        return 0;
    if (is_near && *schema_id && strncmp(e->event, "schema_", 7) == 0 &&
        strcmp(word(e, "id", id, sizeof id), schema_id) == 0)
        return 4;
    if (is_near && is_about_model(e))
        return 3;
    return is_near && is_event(e, "changed") ? 2 : 1;
}

static const struct journal_entry *change_before(const struct verdict_facts *facts,
                                                 int64_t since_ms, const char *schema_id)
{
    const struct journal_entry *best = NULL;
    int most = 0;

    for (size_t i = facts->entry_count; i-- > 0;) {
        int this = weight(&facts->entries[i], since_ms, schema_id);
        if (this > most) {
            most = this;
            best = &facts->entries[i];
        }
    }
    return best;
}

static void set_since(struct finding *f, const struct verdict_facts *facts, int64_t since_ms)
{
    f->since_ms = since_ms;
    f->change = change_before(facts, since_ms, f->schema_id);
}

/* ---- it takes nothing */

static void judge_loop(struct verdict *v, const struct verdict_facts *facts)
{
    enum { STILL_MS = 10000 };
    struct finding *f;

    if (facts->turn_age_ms < STILL_MS)
        return;
    f = find(v, VERDICT_BAD, "stuck", "a loop does not turn");
    f->blame = "self";
    set_since(f, facts, facts->now_ms - facts->turn_age_ms);
}

static const char *blame_named(const char *word)
{
    static const char *const blames[] = {"record", "schema",     "model",
                                         "config", "dependency", "self"};

    for (size_t i = 0; i < sizeof blames / sizeof blames[0]; i++)
        if (strcmp(word, blames[i]) == 0)
            return blames[i];
    return "";
}

/* Another model, and soon behind it what there was not before. */
static void blame_model(struct finding *f)
{
    if (f->change && is_about_model(f->change) && f->since_ms - f->change->at_ms <= SOON_MS)
        f->blame = "model";
}

/* The line of breaker_open has it all: what it holds back was never sent. */
static void judge_breaker(struct verdict *v, const struct verdict_facts *facts)
{
    const struct journal_entry *e = newest(facts, "breaker_open");
    struct finding *f;
    char stage[16], reason[32], blame[16], share[16];

    if (!e) {
        find(v, VERDICT_BAD, "breaker", "the breaker is open: %s", facts->sum->why);
        return;
    }
    f = find(v, VERDICT_BAD, "breaker",
             "the breaker is open, nothing is taken: %s/%s, share of dead letters %s",
             word(e, "stage", stage, sizeof stage), word(e, "reason", reason, sizeof reason),
             word(e, "share", share, sizeof share));
    word(e, "schema", f->schema_id, sizeof f->schema_id);
    if (strcmp(f->schema_id, "none") == 0)
        *f->schema_id = '\0';
    f->blame = blame_named(word(e, "blame", blame, sizeof blame));
    set_line_place(f, e);
    set_since(f, facts, e->at_ms);
    blame_model(f);
}

/* When the trouble that lasts began: the first line behind the last one that says it is over. */
static const struct journal_entry *trouble_begin(const struct verdict_facts *facts)
{
    static const char *const begins[] = {"waiting", "parked", "commit_failed"};
    static const char *const ends[] = {"recovered", "unparked", "assigned"};
    const struct journal_entry *first = NULL;

    for (size_t i = facts->entry_count; i-- > 0;) {
        const struct journal_entry *e = &facts->entries[i];
        for (size_t k = 0; k < 3; k++) {
            if (is_event(e, begins[k]))
                first = e;
            else if (is_event(e, ends[k]))
                return first;
        }
    }
    return first;
}

static void judge_waiting(struct verdict *v, const struct verdict_facts *facts)
{
    const struct journal_entry *begin = trouble_begin(facts);
    const char *why = facts->sum->why;
    bool is_starting = facts->sum->activity == ACTIVITY_STARTING;
    /* For the group at the start: that is no trouble yet. */
    enum verdict_level level = is_starting && !begin ? VERDICT_WARNING : VERDICT_BAD;
    struct finding *f =
        find(v, level, is_starting ? "starting" : "waiting", "%s %s",
             is_starting ? "not ready, starting:" : "nothing is scored, waiting for",
             *why ? why : "a cause that has no name yet");

    if (begin)
        f->blame = "dependency";
    set_place(f, facts->standing);
    if (begin)
        set_since(f, facts, begin->at_ms);
}

static void judge_activity(struct verdict *v, const struct verdict_facts *facts)
{
    struct finding *f;

    switch (facts->sum->activity) {
    case ACTIVITY_RUNNING: return;
    case ACTIVITY_BREAKER: judge_breaker(v, facts); return;
    case ACTIVITY_STARTING:
    case ACTIVITY_WAITING: judge_waiting(v, facts); return;
    case ACTIVITY_DRAINING:
        find(v, VERDICT_WARNING, "draining", "it drains: %s", facts->sum->why);
        return;
    case ACTIVITY_FULL:
        f = find(v, VERDICT_WARNING, "full", "%s", facts->sum->why);
        f->blame = "dependency";
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
    struct finding *f =
        find(v, share >= much ? VERDICT_BAD : VERDICT_WARNING, "errors",
             "%s/%s: %llu dead letters in the last minute, %.2g %% of what came: %s",
             fault_stage(fault->fault), fault_reason(fault->fault),
             (unsigned long long)facts->recent[i], share * 100, fault->message);

    if (!f)
        return;
    f->blame = fault_blame(fault->fault);
    if (fault->schema_id != SCHEMA_ID_NONE)
        schema_id_print(f->schema_id, fault->schema_id, facts->has_fingerprints);
    set_place(f, &fault->since);
    set_since(f, facts, fault->since.at_ms);
    blame_model(f);
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

/* ---- wrong without errors */

/* "a,b,+3" has the name. */
static bool has_name(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *p = list; len > 0 && (p = strstr(p, name)) != NULL; p += len)
        if ((p == list || p[-1] == ',') && (p[len] == '\0' || p[len] == ',' || p[len] == ':'))
            return true;
    return false;
}

struct suspect {
    char what[32], whose[128], all[JOURNAL_TEXT_MAX];
};

static void suspect_read(struct suspect *s, const struct journal_entry *e)
{
    word(e, "what", s->what, sizeof s->what);
    if (!*word(e, "feature", s->whose, sizeof s->whose))
        word(e, "decision", s->whose, sizeof s->whose);
    word(e, "features", s->all, sizeof s->all);
}

static bool is_over(const struct verdict_facts *facts, size_t i)
{
    struct suspect one, end;

    suspect_read(&one, &facts->entries[i]);
    for (size_t k = i + 1; k < facts->entry_count; k++) {
        const struct journal_entry *e = &facts->entries[k];
        if (e->worker != facts->entries[i].worker)
            continue;
        if (!is_event(e, "suspect_over"))
            continue;
        suspect_read(&end, e);
        if (strcmp(one.what, end.what) == 0 &&
            (strcmp(one.whose, end.whose) == 0 || has_name(end.all, one.whose)))
            return true;
    }
    return false;
}

static int64_t suspect_since(const struct journal_entry *e)
{
    char text[CLOCK_TEXT_MAX];
    int64_t ms;

    return clock_parse(word(e, "since", text, sizeof text), &ms) ? ms : e->at_ms;
}

/* Behind the words key=value; the whole line when there is no such end. */
static const char *sentence(const char *text)
{
    const char *end = strstr(text, ": ");

    return end ? end + 2 : text;
}

static void judge_suspect(struct verdict *v, const struct verdict_facts *facts,
                          const struct journal_entry *e)
{
    char after[32], source[160], before[160];
    struct suspect s;
    struct finding *f;

    suspect_read(&s, e);
    word(e, "after", after, sizeof after);
    word(e, "source", source, sizeof source);
    word(e, "source_before", before, sizeof before);
    f = find(v, VERDICT_WARNING, "suspect", "no errors, but %s%s%s%s%s%s%s%s: %s",
             *s.whose ? s.whose : "score", *source ? " (read from " : "", source,
             *before ? ", before from " : "", before, *source ? ")" : "", *s.all ? " of " : "",
             s.all, sentence(e->text));
    if (!f)
        return;
    f->blame = *before || strcmp(after, "model_swapped") == 0 ? "model" : "record";
    set_line_place(f, e);
    set_since(f, facts, suspect_since(e));
    blame_model(f);
}

/* What features show comes before what it does to scores and decisions; then the oldest. */
static bool is_nearer_cause(const struct journal_entry *a, const struct journal_entry *b)
{
    const char *value;
    bool is_read_anew = journal_word(a->text, "source_before", &value) > 0;
    bool is_feature = journal_word(a->text, "feature", &value) > 0;

    if (is_read_anew != (journal_word(b->text, "source_before", &value) > 0))
        return is_read_anew;
    if (is_feature != (journal_word(b->text, "feature", &value) > 0))
        return is_feature;
    return suspect_since(a) < suspect_since(b);
}

static void judge_suspects(struct verdict *v, const struct verdict_facts *facts)
{
    enum { MOST = 4 };
    const struct journal_entry *open[MOST] = {NULL};
    size_t count = 0;

    for (size_t i = 0; i < facts->entry_count; i++) {
        const struct journal_entry *e = &facts->entries[i];
        size_t at;
        if (!is_event(e, "suspect") || is_over(facts, i))
            continue;
        for (at = count; at > 0 && is_nearer_cause(e, open[at - 1]); at--)
            if (at < MOST)
                open[at] = open[at - 1];
        if (at < MOST)
            open[at] = e;
        count += count < MOST;
    }
    for (size_t i = 0; i < count; i++)
        judge_suspect(v, facts, open[i]);
}

/* ---- behind */

static void judge_backlog(struct verdict *v, const struct verdict_facts *facts,
                          const struct verdict_backlog *b)
{
    enum { LEAST = 100, LEAST_S = 10, LEAST_MS = 20000 };
    double per_s = facts->seconds > 0 ? (double)facts->scored / facts->seconds : 0;
    struct finding *f;

    if (b->grown < LEAST || (double)b->grown < LEAST_S * per_s ||
        facts->now_ms - b->since_ms < LEAST_MS)
        return;
    if (b->group)
        f = find(v, VERDICT_WARNING, "group",
                 "downstream group %s does not keep up: its lag has grown by %lld to %lld records",
                 b->group, (long long)b->grown, (long long)b->lag);
    else
        f = find(v, VERDICT_WARNING, "lag",
                 "it does not keep up: its lag has grown by %lld to %lld records",
                 (long long)b->grown, (long long)b->lag);
    if (!f)
        return;
    f->blame = b->group ? "dependency" : "";
    set_since(f, facts, b->since_ms);
    if (!b->group)
        set_place(f, facts->standing);
}

/* ---- what did not happen */

static void judge_refusal(struct verdict *v, const struct verdict_facts *facts)
{
    const struct journal_entry *e = newest(facts, "model_refused");
    const struct journal_entry *swapped = newest(facts, "model_swapped");
    struct finding *f;

    if (!e || (swapped && swapped->number > e->number))
        return;
    f = find(v, VERDICT_WARNING, "refused", "the new bundle was refused, the old one scores on: %s",
             e->text);
    if (f) {
        f->blame = "model";
        f->since_ms = e->at_ms;
    }
}

static void judge_gap(struct verdict *v, const struct verdict_facts *facts)
{
    const struct journal_entry *e = newest(facts, "gap");
    struct finding *f;

    if (!e || facts->now_ms - e->at_ms > RECENT_MS)
        return;
    f = find(v, VERDICT_WARNING, "gap", "events are gone unread: %s", e->text);
    if (f) {
        f->blame = "dependency";
        set_line_place(f, e);
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
    judge_suspects(v, facts);
    for (size_t i = facts->backlog_count; i-- > 0;)
        judge_backlog(v, facts, &facts->backlogs[i]);
    judge_gap(v, facts);
    judge_refusal(v, facts);
}

/* ---- words */

static void add(char *out, size_t *len, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void add(char *out, size_t *len, const char *format, ...)
{
    va_list args;
    int more;

    va_start(args, format);
    more = vsnprintf(out + *len, VERDICT_TEXT_MAX - *len, format, args);
    va_end(args);
    *len += more > 0 ? (size_t)more : 0;
    if (*len >= VERDICT_TEXT_MAX)
        *len = VERDICT_TEXT_MAX - 1;
}

static const char *who(const char *blame)
{
    static const char *const who[][2] = {{"record", "the events and who sends them"},
                                         {"schema", "the schema"},
                                         {"model", "the model bundle"},
                                         {"config", "the configuration"},
                                         {"dependency", "what kscore depends on or feeds"},
                                         {"self", "kscore itself"}};

    for (size_t i = 0; i < sizeof who / sizeof who[0]; i++)
        if (strcmp(blame, who[i][0]) == 0)
            return who[i][1];
    return "";
}

void verdict_print(char out[VERDICT_TEXT_MAX], const struct finding *f)
{
    char since[CLOCK_TEXT_MAX];
    size_t len = 0;

    add(out, &len, "%s", f->what);
    if (*f->schema_id)
        add(out, &len, "; schema %s", f->schema_id);
    if (f->since_ms) {
        clock_print(since, f->since_ms);
        add(out, &len, "; since %s", since);
    }
    if (*f->topic)
        add(out, &len, "; from %s[%d]@%lld on", f->topic, f->partition, (long long)f->offset);
    if (*f->blame)
        add(out, &len, "; blame: %s (%s)", f->blame, who(f->blame));
    if (f->change)
        add(out, &len, "; %.1f s before: %s %.160s",
            f->change->at_ms < f->since_ms ? (double)(f->since_ms - f->change->at_ms) / 1000 : 0.0,
            f->change->event, f->change->text);
    else if (f->since_ms && *f->topic)
        add(out, &len, "; no change of model, schema or configuration just before");
}

void verdict_print_healthy(char out[VERDICT_TEXT_MAX], const struct verdict_facts *facts)
{
    uint64_t dead = dead_of(facts);
    size_t len = 0;

    add(out, &len, "healthy: %llu events scored in the last minute, %llu dead letters",
        (unsigned long long)facts->scored, (unsigned long long)dead);
    if (facts->backlog_count > 0 && !facts->backlogs[0].group && facts->backlogs[0].lag >= 0)
        add(out, &len, ", %lld events behind", (long long)facts->backlogs[0].lag);
}
