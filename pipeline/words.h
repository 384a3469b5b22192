/* words.h: a bounded set of texts, each a small number: names of decisions, schemas, models.
 *
 * Number 0 is "none". When WORDS_MAX are there, or a text is longer than WORDS_LONGEST, it is
 * WORDS_OTHERS: texts of others are in no way the same, see words_is_same.
 *
 * Owns its texts. Thread: one at a time.
 */
#ifndef PIPELINE_WORDS_H
#define PIPELINE_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/slice.h"

enum { WORDS_NONE, WORDS_OTHERS, WORDS_MAX = 1000, WORDS_LONGEST = 4096 };

struct words {
    char *items[WORDS_MAX]; /* from WORDS_OTHERS + 1 on */
    uint32_t count;         /* with those two; 0: empty */
    uint16_t slots[2048];   /* by hash; 0: free */
};

/* data NULL is WORDS_NONE. */
uint32_t words_add(struct words *words, struct slice text);

/* NUL-terminated; NULL for none. Borrowed. */
const char *words_text(const struct words *words, uint32_t word);

/* Numbers that are taken, from 0: at least 2. */
uint32_t words_count(const struct words *words);

bool words_is_same(uint32_t a, uint32_t b);
void words_release(struct words *words);

#endif
