/* watching.h: a worker's scoring/watch.h: its rows go in, what it suspects comes out as log lines.
 *
 *   event=suspect what=all_missing feature=temp share=1.00 before=0.00 topic=flights partition=0
 *       offset=812 since=2026-01-02T03:04:05.678Z model=delay version=2 source=weather.temp
 *       features=temp,dewp: no value since then
 *   event=suspect_over what=all_missing feature=temp lasted_ms=61000 features=temp,dewp
 *
 * Features of which the same is found at once are one line, which names the one that moved most
 * first. A live run has it; a replay does not (the past comes as fast as it can, in any order).
 * Nothing per record but for the rows of the sample. Thread: the worker's.
 */
#ifndef PIPELINE_WATCHING_H
#define PIPELINE_WATCHING_H

#include "pipeline/state.h"

/* p->watch, or NULL in a replay. */
void watching_open(struct pipeline *p);
void watching_close(struct pipeline *p);

/* The batch that was just scored. */
void watching_take(struct pipeline *p);

/* Once a turn, whether something came or not: judges what is due, and says what has changed. */
void watching_turn(struct pipeline *p);

/* Between two batches, just before p->bundle becomes another: `next` is watch_new of that one, made
 * where it was loaded; it takes over what is known, and is p->watch from now on. Says what the old
 * bundle's rows have shown, and the end of what the other one has no place for. */
void watching_swap(struct pipeline *p, struct watch *next);

/* The line without its event, as the log has it, for status too: changes are `count` of the same
 * kind, the one to name first; NUL-terminated. now_ms: clock_ms. */
enum { WATCHING_LINE_MAX = 1024 };
void watching_print(char out[WATCHING_LINE_MAX], const struct bundle *bundle,
                    const struct watch_change *changes, size_t count, int64_t now_ms);

#endif
