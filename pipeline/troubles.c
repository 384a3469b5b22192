/* troubles.c: what is waited for: the journal's lines that say so, with why. */
#include <stdio.h>
#include <string.h>

#include "pipeline/finding.h"

static bool is_about_journal(const struct journal_entry *e)
{
    char what[16];

    return strcmp(entry_word(e, "for", what, sizeof what), "journal") == 0;
}

/* The first thing that a start waited for: brokers, a registry. What journal and lag wait for holds
 * nothing up. */
static const struct journal_entry *first_wait(const struct verdict_facts *facts)
{
    char what[16];

    for (size_t i = 0; i < facts->entry_count; i++) {
        const struct journal_entry *e = &facts->entries[i];
        if (entry_is(e, "waiting") && strcmp(entry_word(e, "for", what, sizeof what), "lag") != 0 &&
            strcmp(what, "journal") != 0)
            return e;
    }
    return NULL;
}

/* When the journal's trouble began: the first line behind the last one that says it is over. */
static const struct journal_entry *journal_trouble(const struct verdict_facts *facts)
{
    const struct journal_entry *first = NULL;

    for (size_t i = facts->entry_count; i-- > 0;) {
        const struct journal_entry *e = &facts->entries[i];
        if (!is_about_journal(e))
            continue;
        if (entry_is(e, "recovered"))
            break;
        if (entry_is(e, "waiting"))
            first = e;
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

/* The newest line about the partition that waits for its schema: why is "schema 8 of payments-2"
 * (measure.c). NULL: it waits for something else, or the line is gone. */
static const struct journal_entry *parked_line(const struct verdict_facts *facts, const char *why)
{
    char id[48], topic[256], partition[16], want[384];

    for (size_t i = facts->entry_count; i-- > 0;) {
        const struct journal_entry *e = &facts->entries[i];
        if (!entry_is(e, "parked"))
            continue;
        snprintf(want, sizeof want, "schema %s of %s-%s", entry_word(e, "schema", id, sizeof id),
                 entry_word(e, "topic", topic, sizeof topic),
                 entry_word(e, "partition", partition, sizeof partition));
        if (strcmp(why, want) == 0)
            return e;
    }
    return NULL;
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
    const char *why = facts->sum->why;
    const struct journal_entry *parked = parked_line(facts, why);
    struct finding *f =
        parked ? add_parked(v, parked)
               : finding_add(v, VERDICT_BAD, "waiting", "nothing is scored, waiting for %s",
                             *why ? why : "a cause that has no name yet");

    f->blame = "dependency";
    finding_set_place(f, facts->standing);
    finding_set_since(f, facts, facts->sum->since_ms);
}

/* To wait for the group is no trouble yet. */
void troubles_judge_starting(struct verdict *v, const struct verdict_facts *facts)
{
    const struct journal_entry *begin = first_wait(facts);
    struct finding *f = finding_add(v, begin ? VERDICT_BAD : VERDICT_WARNING, "starting",
                                    "not ready, starting: %s", facts->sum->why);

    finding_set_place(f, facts->standing);
    if (!begin)
        return;
    f->blame = "dependency";
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

/* What came has stopped coming, since the brokers said why not, or nothing at all. *e: their line.
 * Nothing that came before that either: who knows whether there is anything to wait for. */
static bool is_cut_off(const struct verdict_facts *facts, const struct journal_entry **e)
{
    enum { MUTE_MS = 8000, SLACK_MS = 6000 /* a sample */, LEAST_MS = 2000 };
    const struct arrivals *a = facts->arrivals;
    int64_t still_ms = a ? facts->now_ms - a->moved_ms : 0;

    *e = a ? waiting_since(facts, a->moved_ms - SLACK_MS) : NULL;
    if (!a || a->last.lag == 0)
        return false;
    if (*e)
        return still_ms >= LEAST_MS;
    return facts->silent_ms >= MUTE_MS && still_ms >= MUTE_MS &&
           still_ms - facts->silent_ms < MUTE_MS;
}

void troubles_judge_silence(struct verdict *v, const struct verdict_facts *facts)
{
    enum { SILENT_MS = 15000 }; /* asked every 2 s, a question takes up to 3 s a step */
    const struct journal_entry *e;
    struct finding *f;

    if (is_cut_off(facts, &e)) {
        f = finding_add(v, VERDICT_BAD, "waiting", "nothing comes, waiting for kafka: %s",
                        e ? behind(e, "for") : "the brokers do not say how long the topics are");
        finding_set_place(f, facts->standing);
    } else if (facts->silent_ms >= SILENT_MS) {
        f = finding_add(v, VERDICT_WARNING, "waiting",
                        "the brokers do not say how far the topics are: they do not answer, or a "
                        "partition has no leader");
        e = NULL;
    } else {
        return;
    }
    f->blame = "dependency";
    finding_set_since(f, facts, e ? e->at_ms : facts->now_ms - facts->silent_ms);
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
    const struct journal_entry *e = journal_trouble(facts);
    struct finding *f = e ? finding_add(v, VERDICT_WARNING, "journal",
                                        "the journal cannot be written: %s", behind(e, "for"))
                          : NULL;

    if (f) {
        f->blame = "dependency";
        f->since_ms = e->at_ms;
    }
}
