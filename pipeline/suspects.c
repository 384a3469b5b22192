/* suspects.c: what is wrong without errors: suspicions in the journal (scoring/watch.h). */
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "pipeline/finding.h"

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
    entry_word(e, "what", s->what, sizeof s->what);
    if (!*entry_word(e, "feature", s->whose, sizeof s->whose))
        entry_word(e, "decision", s->whose, sizeof s->whose);
    entry_word(e, "features", s->all, sizeof s->all);
}

static bool is_over(const struct verdict_facts *facts, size_t i)
{
    struct suspect one, end;

    suspect_read(&one, &facts->entries[i]);
    for (size_t k = i + 1; k < facts->entry_count; k++) {
        const struct journal_entry *e = &facts->entries[k];
        if (e->worker != facts->entries[i].worker)
            continue;
        if (!entry_is(e, "suspect_over"))
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

    return clock_parse(entry_word(e, "since", text, sizeof text), &ms) ? ms : e->at_ms;
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
    entry_word(e, "after", after, sizeof after);
    entry_word(e, "source", source, sizeof source);
    entry_word(e, "source_before", before, sizeof before);
    f = finding_add(v, VERDICT_WARNING, "suspect", "no errors, but %s of %s%s%s%s%s%s%s%s: %s",
                    s.what, *s.whose ? s.whose : "score", *source ? " (read from " : "", source,
                    *before ? ", before from " : "", before, *source ? ")" : "",
                    *s.all ? ", of " : "", s.all, sentence(e->text));
    if (!f)
        return;
    f->blame = *before || strcmp(after, "model_swapped") == 0 ? "model" : "record";
    finding_set_line_place(f, e);
    finding_set_since(f, facts, suspect_since(e));
    finding_blame_model(f);
}

/* How many features one line names. */
static size_t breadth(const struct journal_entry *e)
{
    const char *list = "";
    size_t len = journal_word(e->text, "features", &list), count = 1;

    for (size_t i = 0; i < len; i++)
        count += list[i] == ',';
    return count;
}

/* What features show comes before what it does to scores and decisions; what is read from elsewhere
 * first; a source of many features before a single one; then the oldest. */
static bool is_nearer_cause(const struct journal_entry *a, const struct journal_entry *b)
{
    static const char *const words[] = {"source_before", "feature"};
    const char *value;

    for (size_t i = 0; i < 2; i++) {
        bool has = journal_word(a->text, words[i], &value) > 0;
        if (has != (journal_word(b->text, words[i], &value) > 0))
            return has;
    }
    if (breadth(a) != breadth(b))
        return breadth(a) > breadth(b);
    return suspect_since(a) < suspect_since(b);
}

void suspects_judge(struct verdict *v, const struct verdict_facts *facts)
{
    enum { MOST = 4 };
    const struct journal_entry *open[MOST] = {NULL};
    size_t count = 0;

    for (size_t i = 0; i < facts->entry_count; i++) {
        const struct journal_entry *e = &facts->entries[i];
        size_t at;
        if (!entry_is(e, "suspect") || is_over(facts, i))
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
