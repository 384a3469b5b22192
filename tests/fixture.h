/* fixture.h: the smallest bundle that scores: one tree on one feature, for suites that are about
 * delivery. */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

/* Writes a bundle into folder: feature x (a required number, path x), margin -0.5 for x < 1 and 0.5
 * else, decisions low and high at 0.5, and schemas/1.avsc: {x: double, note: string}. */
void fixture_bundle(const char *folder);

#endif
