/* finding.c: one finding: what a line of the journal says of it, the change just before, and the
 * sentence. */
#include "pipeline/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/text.h"

enum {
    MINUTE_MS = 60000,
    RECENT_MS = 15 * MINUTE_MS, /* no change is older than that before its effect */
    SOON_MS = 30000,            /* what begins so soon behind another model is the model's */
    SLACK_MS = 1000,            /* between a change and the line that says it */
};

/* ---- findings */

/* NULL: there is no room, and what was found before is worse. */
struct finding *finding_add(struct verdict *v, enum verdict_level level, const char *kind,
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

void finding_set_place(struct finding *f, const struct place *place)
{
    if (!place || !place->topic)
        return;
    snprintf(f->topic, sizeof f->topic, "%s", place->topic);
    f->partition = place->partition;
    f->offset = place->offset;
}

/* ---- words of the journal */

bool entry_is(const struct journal_entry *e, const char *event)
{
    return strcmp(e->event, event) == 0;
}

/* The newest of that event; NULL: none. */
const struct journal_entry *entry_newest(const struct verdict_facts *facts, const char *event)
{
    for (size_t i = facts->entry_count; i-- > 0;)
        if (entry_is(&facts->entries[i], event))
            return &facts->entries[i];
    return NULL;
}

/* A word of a line, as far as there is room; "" when there is none. */
const char *entry_word(const struct journal_entry *e, const char *key, char *out, size_t size)
{
    const char *value = "";
    size_t len = journal_word(e->text, key, &value);

    len -= len > 0 && value[len - 1] == ':'; /* behind the last word comes a sentence */
    snprintf(out, size, "%.*s", (int)len, value);
    return out;
}

static int64_t entry_number(const struct journal_entry *e, const char *key)
{
    const char *value = "";
    size_t len = journal_word(e->text, key, &value);
    int64_t number;

    return integer_parse(value, len, 0, INT64_MAX, &number) ? number : -1;
}

/* topic=, partition= and offset= (or from=) of a line. */
void finding_set_line_place(struct finding *f, const struct journal_entry *e)
{
    int64_t partition = entry_number(e, "partition");

    f->offset = entry_number(e, "offset");
    if (f->offset < 0)
        f->offset = entry_number(e, "from"); /* of a gap */
    if (partition < 0 || f->offset < 0)
        return;
    f->partition = (int32_t)partition;
    entry_word(e, "topic", f->topic, sizeof f->topic);
}

/* ---- the change just before */

static bool is_about_model(const struct journal_entry *e)
{
    return entry_is(e, "model_swapped") || entry_is(e, "model_rolled_back") ||
           (entry_is(e, "changed") && strncmp(e->text, "key=model.", 10) == 0);
}

/* Said at a start that changed nothing, or of which nothing is known. */
static bool is_no_change(const struct journal_entry *e)
{
    return entry_is(e, "changed") && strncmp(e->text, "key=", 4) != 0;
}

static bool is_schema(const struct journal_entry *e, const char *schema_id)
{
    char id[SCHEMA_ID_TEXT_MAX];

    return *schema_id && strncmp(e->event, "schema_", 7) == 0 &&
           strcmp(entry_word(e, "id", id, sizeof id), schema_id) == 0;
}

/* 0: no cause; what says that something is another one now counts more than what only began. */
static int weight(const struct journal_entry *e, int64_t since_ms, const char *schema_id)
{
    enum { NEAR_MS = 2 * MINUTE_MS, AT_ONCE_MS = 10000 };
    bool is_near = since_ms - e->at_ms <= NEAR_MS;

    if (e->kind != JOURNAL_CHANGE || e->at_ms > since_ms + SLACK_MS ||
        e->at_ms < since_ms - RECENT_MS || entry_is(e, "stopping") || is_no_change(e) ||
        entry_is(e, "model_refused"))
        return 0;
    /* The newest of these: a swap comes behind the schemas that it has bound anew. */
    if (is_near && (is_about_model(e) || is_schema(e, schema_id)))
        return 3;
    if (is_near && entry_is(e, "changed"))
        return 2;
    return since_ms - e->at_ms <= AT_ONCE_MS; /* a start that went well for a while is no cause */
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

void finding_set_since(struct finding *f, const struct verdict_facts *facts, int64_t since_ms)
{
    f->since_ms = since_ms;
    f->change = change_before(facts, since_ms, f->schema_id);
}

const char *finding_blame(const char *name)
{
    static const char *const blames[] = {"record", "schema",     "model",
                                         "config", "dependency", "self"};

    for (size_t i = 0; i < sizeof blames / sizeof blames[0]; i++)
        if (strcmp(name, blames[i]) == 0)
            return blames[i];
    return "";
}

/* Another model, and soon behind it what there was not before. */
void finding_blame_model(struct finding *f)
{
    if (f->change && is_about_model(f->change) && f->since_ms - f->change->at_ms <= SOON_MS)
        f->blame = "model";
}

/* ---- words */

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

void verdict_print(char out[VERDICT_TEXT_MAX], const struct finding *f,
                   const struct journal_entry *known)
{
    char since[CLOCK_TEXT_MAX];
    size_t len = 0;

    text_add(out, VERDICT_TEXT_MAX, &len, "%s", f->what);
    if (*f->schema_id)
        text_add(out, VERDICT_TEXT_MAX, &len, "; schema %s", f->schema_id);
    if (f->since_ms) {
        clock_print(since, f->since_ms);
        text_add(out, VERDICT_TEXT_MAX, &len, "; since %s", since);
    }
    if (*f->topic)
        text_add(out, VERDICT_TEXT_MAX, &len, "; from %s[%d]@%lld on", f->topic, f->partition,
                 (long long)f->offset);
    if (*f->blame)
        text_add(out, VERDICT_TEXT_MAX, &len, "; blame: %s (%s)", f->blame, who(f->blame));
    if (f->change && f->change != known)
        text_add(out, VERDICT_TEXT_MAX, &len, "; %.1f s before: %s %.160s",
                 f->change->at_ms < f->since_ms ? (double)(f->since_ms - f->change->at_ms) / 1000
                                                : 0.0,
                 f->change->event, f->change->text);
    else if (!f->change && f->since_ms && *f->topic)
        text_add(out, VERDICT_TEXT_MAX, &len,
                 "; no change of model, schema or configuration just before");
}
