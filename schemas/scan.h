/* scan.h: JSON events straight into the row, in one pass and without a tree.
 *
 * The features' paths are a tree of names (schemas/wish.h). The scanner walks the text; where a key
 * is in the tree it goes down or takes the value, everything else is checked and skipped. What
 * makes it fast is that events of one producer have their keys in one order: after a key it looks
 * first for the key that came behind it last time, by comparing two blocks of 16 bytes.
 *
 * RFC 8259, strictly: no NaN, no comments, no leading zeros, UTF-8 all over. A key that feeds a
 * feature, or leads to one, may come only once in its object; of one that is only carried into the
 * score the last counts.
 *
 * Owns its tables, borrows the features. What it remembers between events is only which key follows
 * which. Thread: the decoder's.
 */
#ifndef SCHEMAS_SCAN_H
#define SCHEMAS_SCAN_H

#include "core/carried.h"
#include "core/feature.h"
#include "core/outcome.h"
#include "core/slice.h"

struct scan;

/* max_depth: of objects and arrays, the root counting 1. */
struct scan *scan_new(const struct features *features, unsigned max_depth);
void scan_free(struct scan *scan);

/* Decodes value (data not NULL) into row: features->count floats, overwritten whatever happens. No
 * allocation. */
struct outcome scan_run(struct scan *scan, struct slice value, float *row);

/* What the value that was scanned last says at features->carries. Valid until the next one. */
const struct carried *scan_carried(const struct scan *scan);

#endif
