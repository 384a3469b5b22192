/* replay.h: a fuzz target over its committed corpus, for the unit suites (tests/fuzz/fuzz.h). */
#ifndef TESTS_REPLAY_H
#define TESTS_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "tests/harness.h"

/* Calls one with a copy of exactly its length for each file of tests/fuzz/corpus/NAME below the
 * working folder, and for each beginning of those of at most 4 KiB. No file is a failure. */
void replay_corpus(const char *name, void (*one)(const uint8_t *data, size_t len));

#endif
