/* suspects.c: what is wrong without errors: suspicions in the journal (scoring/watch.h). */
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/text.h"
#include "pipeline/finding.h"

struct suspect {
    char what[32], whose[128], all[JOURNAL_TEXT_MAX]; /* all: "a,b,+3", "" of one alone */
};

/* The journal cuts long lines: of a list without its end the last name may be half a one. */
static void suspect_read(struct suspect *s, const struct journal_entry *e)
{
    const char *list;
    size_t len = journal_word(e->text, "features", &list);

    entry_word(e, "what", s->what, sizeof s->what);
    if (!*entry_word(e, "feature", s->whose, sizeof s->whose))
        entry_word(e, "decision", s->whose, sizeof s->whose);
    entry_word(e, "features", s->all, sizeof s->all);
    if (len > 0 && list[len - 1] != ':')
        s->all[strrchr(s->all, ',') ? strrchr(s->all, ',') - s->all : 0] = '\0';
}

static bool has_name(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *p = list; len > 0 && (p = strstr(p, name)) != NULL; p += len)
        if ((p == list || p[-1] == ',') && (p[len] == '\0' || p[len] == ','))
            return true;
    return false;
}

/* A line behind that of `begun` says so of this feature or decision; "": of the score. */
static bool has_ended(const struct verdict_facts *facts, const struct journal_entry *begun,
                      const char *what, const char *whose)
{
    struct suspect end;

    for (const struct journal_entry *e = begun + 1; e < facts->entries + facts->entry_count; e++) {
        if (e->worker != begun->worker || !entry_is(e, "suspect_over"))
            continue;
        suspect_read(&end, e);
        if (strcmp(what, end.what) == 0 &&
            (strcmp(whose, end.whose) == 0 || has_name(end.all, whose)))
            return true;
    }
    return false;
}

/* What is not over of a line, and the first of it. False: all is, as far as it has names. */
static bool suspect_is_on(struct suspect *s, const struct verdict_facts *facts,
                          const struct journal_entry *e)
{
    char names[JOURNAL_TEXT_MAX], *rest = names, *name;
    size_t len = 0;

    suspect_read(s, e);
    if (!*s->all)
        return !has_ended(facts, e, s->what, s->whose);
    memcpy(names, s->all, sizeof names);
    *s->all = '\0';
    if (has_ended(facts, e, s->what, s->whose))
        *s->whose = '\0';
    while ((name = strsep(&rest, ",")) != NULL) {
        if (*name != '+' && has_ended(facts, e, s->what, name))
            continue;
        if (!*s->whose && *name != '+')
            snprintf(s->whose, sizeof s->whose, "%.*s", (int)sizeof s->whose - 1, name);
        text_add(s->all, sizeof s->all, &len, "%s%s", len ? "," : "", name);
    }
    if (strcmp(s->all, s->whose) == 0)
        *s->all = '\0'; /* one alone is left */
    return *s->whose != '\0';
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
    char after[32], source[160], before[160], first[128];
    struct suspect s;
    struct finding *f;
    bool is_models;

    if (!suspect_is_on(&s, facts, e))
        return;
    entry_word(e, "after", after, sizeof after);
    entry_word(e, "source", source, sizeof source);
    entry_word(e, "source_before", before, sizeof before);
    is_models = *before || strcmp(after, "model_swapped") == 0;
    if (strcmp(entry_word(e, "feature", first, sizeof first), s.whose) != 0)
        *source = *before = '\0'; /* they are of one that is over */
    f = finding_add(v, VERDICT_WARNING, "suspect", "no errors, but %s of %s%s%s%s%s%s%s%s: %s",
                    s.what, *s.whose ? s.whose : "score", *source ? " (read from " : "", source,
                    *before ? ", before from " : "", before, *source ? ")" : "",
                    *s.all ? ", of " : "", s.all, sentence(e->text));
    if (!f)
        return;
    f->blame = is_models ? "model" : "record";
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
        struct suspect s;
        size_t at;
        if (!entry_is(e, "suspect") || !suspect_is_on(&s, facts, e))
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
