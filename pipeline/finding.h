/* finding.h: how a verdict's findings are made (verdict.h): of the journal's lines, with the change
 * that came just before. Pure; borrows the facts. Any thread. */
#ifndef PIPELINE_FINDING_H
#define PIPELINE_FINDING_H

#include "pipeline/verdict.h"

/* One more. NULL: there is no room, and what was found before is worse. */
struct finding *finding_add(struct verdict *verdict, enum verdict_level level, const char *kind,
                            const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The first record of it; place may be NULL or have no topic. Or as topic=, partition= and offset=
 * of a line say. */
void finding_set_place(struct finding *finding, const struct place *place);
void finding_set_line_place(struct finding *finding, const struct journal_entry *entry);

/* When it began, and the change just before: behind schema_id and blame. */
void finding_set_since(struct finding *finding, const struct verdict_facts *facts,
                       int64_t since_ms);

/* The model is to blame where it is another one and this began soon behind it. */
void finding_blame_model(struct finding *finding);

/* The blame of that name, static; "" when there is none. */
const char *finding_blame(const char *name);

bool entry_is(const struct journal_entry *entry, const char *event);

/* The newest line of that event; NULL: none. */
const struct journal_entry *entry_newest(const struct verdict_facts *facts, const char *event);

/* The value of a key=value word, as far as there is room; "" when there is none. Returns out. */
const char *entry_word(const struct journal_entry *entry, const char *key, char *out, size_t size);

/* What a start waits for; what is waited for, when it is; brokers that are away while no outcome is
 * on its way, which no loop misses; and what nothing waits for: commits that fail while outcomes
 * are sent, and the topic of the journal. */
void troubles_judge_starting(struct verdict *verdict, const struct verdict_facts *facts);
void troubles_judge_waiting(struct verdict *verdict, const struct verdict_facts *facts);
void troubles_judge_silence(struct verdict *verdict, const struct verdict_facts *facts);
void troubles_judge_commits(struct verdict *verdict, const struct verdict_facts *facts);
void troubles_judge_journal(struct verdict *verdict, const struct verdict_facts *facts);

/* What is wrong without errors: the suspicions that are not over, the nearest cause first. */
void suspects_judge(struct verdict *verdict, const struct verdict_facts *facts);

#endif
