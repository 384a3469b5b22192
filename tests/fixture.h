/* fixture.h: the smallest bundle that scores, one tree on one feature, for suites that are about
 * delivery; and the smallest configuration. */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include "core/config.h"

/* The least that starts, 12 lines. */
#define FIXTURE_CONFIG                                                                             \
    "[kscore]\nname = fraud\n[kafka]\nbootstrap.servers = localhost:9092\n"                        \
    "[consumer]\ntopic = payments\n[model]\npath = m\n[producer]\ntopic = scores\n"                \
    "[dead_letters]\ntopic = dead\n"

/* config_parse of k.ini, with -s override unless that is NULL. */
int fixture_config_parse(struct config *config, const char *text, const char *override,
                         struct err *err);

/* The same of a text that is right; config_release it. */
void fixture_config(struct config *config, const char *text);

/* The same of one that is refused with this code, in words that hold `want`. */
void fixture_config_fails(const char *text, const char *override, enum exit_code code,
                          const char *want);

/* Writes a bundle into folder: feature x (a required number, path x), margin -0.5 for x < 1 and 0.5
 * else, decisions low and high at 0.5, and schemas/1.avsc: {x: double, note: string}. */
void fixture_bundle(const char *folder);

/* Two features, x and n (required numbers): version 2 of a linear model, score 1000 + x + 2 n; and
 * the same schemas, which lack n. */
void fixture_bundle_linear(const char *folder);

/* The same with three outputs, base 0.5 each: margins 0, 0.5, 2.5 for x < 1, else 1, 1.5, -0.5; the
 * last is the score. */
void fixture_bundle_of_three(const char *folder);

#endif
