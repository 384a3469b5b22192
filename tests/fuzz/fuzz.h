/* fuzz.h: one function over hostile bytes, run in two ways: by libFuzzer (make fuzz), and by the
 * unit suites over its committed corpus, tests/fuzz/corpus/NAME, each file cut at every byte too.
 *
 *   FUZZ(json) { ... use data and len; fuzz_expect(what always holds, "in words"); }
 *
 * is all that tests/fuzz/fuzz_json.c needs besides its corpus. What libFuzzer finds becomes a file
 * of the corpus with the commit that repairs it.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program when it does not hold. */
static inline void fuzz_expect(bool holds, const char *words)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz: does not hold: %s\n", words);
    abort();
}

#ifdef KSCORE_FUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
#define FUZZ(name)                                                                                 \
    static void fuzz_##name(const uint8_t *data, size_t len);                                      \
    int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)                                    \
    {                                                                                              \
        fuzz_##name(data, len);                                                                    \
        return 0;                                                                                  \
    }                                                                                              \
    static void fuzz_##name(const uint8_t *data, size_t len)
#else
#include "tests/replay.h"
#define FUZZ(name)                                                                                 \
    static void fuzz_##name(const uint8_t *data, size_t len);                                      \
    START_TEST(the_corpus_and_all_its_beginnings_are_survived)                                     \
    {                                                                                              \
        replay_corpus(#name, fuzz_##name);                                                         \
    }                                                                                              \
    END_TEST                                                                                       \
    SUITE(fuzz_##name)                                                                             \
    {                                                                                              \
        CASE("corpus", the_corpus_and_all_its_beginnings_are_survived);                            \
    }                                                                                              \
    static void fuzz_##name(const uint8_t *data, size_t len)
#endif

#endif
