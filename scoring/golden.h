/* golden.h: golden.jsonl, what a bundle must score:
 * {"margin":-4.65,"score":0.0094,"row":[1400,null,...],"event":{...}}, one object a line. A line
 * needs a margin or a score (of a model with several: a list), and a row or an event; other keys
 * are ignored. No file: no goldens. */
#ifndef SCORING_GOLDEN_H
#define SCORING_GOLDEN_H

#include "scoring/bundle.h"

/* Fills bundle->goldens. EXIT_DATA with the line. */
int golden_load(struct bundle *bundle, struct err *err);

/* Compares what the model gives for a golden with what it must: 0, or -1 with "golden.jsonl:12:
 * margin is ... (0x...), must be ...", or is not within the tolerance of
 * a bundle that says exactness = close. */
int golden_compare(const struct bundle *bundle, const struct golden *golden, const double *margins,
                   const double *scores, struct err *err);

/* Scores every golden that has a row. */
int golden_rows_run(const struct bundle *bundle, struct err *err);

#endif
