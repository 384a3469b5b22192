/* troubles.c: what is waited for: the journal's lines that say so, with why. */
#include <string.h>

#include "pipeline/finding.h"

static bool is_about_journal(const struct journal_entry *e)
{
    char what[16];

    return strcmp(entry_word(e, "for", what, sizeof what), "journal") == 0;
}

/* When the trouble that lasts began: the first line behind the last one that says it is over, and
 * not long before kscore was seen to run: not each line has an end. Of the journal's topic, which
 * scoring does not wait for, or of all else. */
static const struct journal_entry *trouble_begin(const struct verdict_facts *facts, bool of_journal)
{
    static const char *const begins[] = {"waiting", "parked", "commit_failed"};
    static const char *const ends[] = {"recovered", "unparked", "assigned"};
    enum { SLACK_MS = 10000 }; /* a stall is seen after 5 s, and looked at each 5 s */
    int64_t running_ms = facts->arrivals && !of_journal ? facts->arrivals->running_ms : 0;
    const struct journal_entry *first = NULL;

    for (size_t i = facts->entry_count; i-- > 0;) {
        const struct journal_entry *e = &facts->entries[i];
        if (e->at_ms < running_ms - SLACK_MS)
            break;
        for (size_t k = 0; k < 3 && is_about_journal(e) == of_journal; k++) {
            if (entry_is(e, begins[k]))
                first = e;
            else if (entry_is(e, ends[k]))
                return first;
        }
    }
    return first;
}

/* What a line says behind that word. */
static const char *behind(const struct journal_entry *e, const char *key)
{
    const char *value;
    size_t len = journal_word(e->text, key, &value);

    return len > 0 && value[len] == ' ' ? value + len + 1 : "";
}

/* The other partitions go on. */
static struct finding *add_parked(struct verdict *v, const struct journal_entry *e)
{
    struct finding *f = finding_add(v, VERDICT_BAD, "waiting",
                                    "a partition waits for its schema: %s", behind(e, "schema"));

    entry_word(e, "schema", f->schema_id, sizeof f->schema_id);
    return f;
}

void troubles_judge_waiting(struct verdict *v, const struct verdict_facts *facts)
{
    const struct journal_entry *begin = trouble_begin(facts, false);
    const struct journal_entry *parked = entry_newest(facts, "parked");
    const char *why = facts->sum->why;
    bool is_starting = facts->sum->activity == ACTIVITY_STARTING;
    /* For the group at the start: that is no trouble yet. */
    enum verdict_level level = is_starting && !begin ? VERDICT_WARNING : VERDICT_BAD;
    struct finding *f =
        strncmp(why, "schema ", 7) == 0 && parked
            ? add_parked(v, parked)
            : finding_add(v, level, is_starting ? "starting" : "waiting", "%s %s",
                          is_starting ? "not ready, starting:" : "nothing is scored, waiting for",
                          *why ? why : "a cause that has no name yet");

    if (begin)
        f->blame = "dependency";
    finding_set_place(f, facts->standing);
    if (begin)
        finding_set_since(f, facts, begin->at_ms);
}

/* The first line since then that says what is waited for. */
static const struct journal_entry *waiting_since(const struct verdict_facts *facts, int64_t ms)
{
    for (size_t i = 0; i < facts->entry_count; i++) {
        const struct journal_entry *e = &facts->entries[i];
        if (e->at_ms >= ms && entry_is(e, "waiting") && !is_about_journal(e))
            return e;
    }
    return NULL;
}

/* Nothing is on its way, so no outcome is waited for; but nothing comes, and the brokers say why
 * not, or nothing at all. */
void troubles_judge_deaf(struct verdict *v, const struct verdict_facts *facts)
{
    enum { SILENT_MS = 8000, SLACK_MS = 6000 /* a sample */, LEAST_MS = 2000 };
    const struct arrivals *a = facts->arrivals;
    const struct journal_entry *e = a ? waiting_since(facts, a->moved_ms - SLACK_MS) : NULL;
    int64_t least_ms = e ? LEAST_MS : SILENT_MS;
    struct finding *f;

    if (!a || a->last.lag == 0 || facts->now_ms - a->moved_ms < least_ms ||
        (!e && facts->lag_age_ms < SILENT_MS))
        return;
    f = finding_add(v, VERDICT_BAD, "waiting", "nothing comes, waiting for kafka: %s",
                    e ? behind(e, "for") : "the brokers do not say how long the topics are");
    f->blame = "dependency";
    finding_set_place(f, facts->standing);
    finding_set_since(f, facts, e ? e->at_ms : facts->now_ms - facts->lag_age_ms);
}

/* They are tried every second while there is something to commit, and fail each time. */
void troubles_judge_commits(struct verdict *v, const struct verdict_facts *facts)
{
    enum { APART_MS = 15000 };
    const struct journal_entry *first = NULL;
    int64_t last_ms = facts->now_ms;
    size_t count = 0;
    struct finding *f;

    for (size_t i = facts->entry_count; i-- > 0;) {
        const struct journal_entry *e = &facts->entries[i];
        if (last_ms - e->at_ms > APART_MS)
            break;
        if (!entry_is(e, "commit_failed"))
            continue;
        first = e;
        last_ms = e->at_ms;
        count++;
    }
    if (count < 2) /* one alone is a rebalance's */
        return;
    f = finding_add(v, VERDICT_WARNING, "commit",
                    "offsets cannot be committed: a restart would score again what came since: %s",
                    first->text);
    if (!f)
        return;
    f->blame = "dependency";
    finding_set_since(f, facts, first->at_ms);
}

void troubles_judge_journal(struct verdict *v, const struct verdict_facts *facts)
{
    const struct journal_entry *e = trouble_begin(facts, true);
    struct finding *f = e ? finding_add(v, VERDICT_WARNING, "journal",
                                        "the journal cannot be written: %s", behind(e, "for"))
                          : NULL;

    if (f) {
        f->blame = "dependency";
        f->since_ms = e->at_ms;
    }
}
