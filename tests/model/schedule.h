/* schedule.h: a random course of events for the world, and how one that fails is made short.
 *
 * A schedule is a list of steps, each an operation and an argument, made from a seed. A step does
 * something to the world or lets it go on. Nothing else is random.
 */
#ifndef TESTS_MODEL_SCHEDULE_H
#define TESTS_MODEL_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/model/world.h"

enum { STEPS = 250, SCHEDULE_TEXT_MAX = STEPS * 32 };

struct event {
    uint8_t op, arg;
};

struct schedule {
    struct event steps[STEPS];
    size_t count;
};

struct schedule schedule_random(uint64_t seed);

/* Runs it in a world of its own. False: world.why says what does not hold, or that an assertion
 * failed. */
bool schedule_runs(const struct schedule *schedule, enum plant plant);

/* Leaves steps out, and makes arguments small, as long as it still fails. */
struct schedule schedule_shrink(struct schedule schedule, enum plant plant);

/* "start(0) turn(0 x2) upset(0 dead_late)" */
void schedule_print(const struct schedule *schedule, char out[SCHEDULE_TEXT_MAX]);

#endif
