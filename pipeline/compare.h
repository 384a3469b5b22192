/* compare.h: a window scored once more, and held against what was published for it or against
 * another bundle.
 *
 *   replay (here) -> fates --.
 *                                >-- sorted by (partition, offset) -> comparison
 *   published, or replay of ----'
 *   the other bundle (there)
 *
 * Both replays are those of pipeline/replay.h on the same window: what run would say, whatever it
 * is. Nothing is published, nothing is kept but a temporary file without a name, so it cannot go on
 * after a kill.
 */
#ifndef PIPELINE_COMPARE_H
#define PIPELINE_COMPARE_H

#include "pipeline/comparison.h"
#include "pipeline/published.h"
#include "pipeline/replay.h"

struct compare_options {
    struct replay_options replay;       /* of here; its outputs and compare are not looked at */
    const struct config *against;       /* of there: the same with another model; NULL: published */
    struct published_options published; /* config and stop are the replay's */
    double tolerance;
};

enum { COMPARE_NAME_MAX = 600 };

/* The comparison's texts are in the fates. */
struct compare_result {
    char names[SIDE_COUNT][COMPARE_NAME_MAX]; /* of the bundles; there "": published */
    struct replay_summary replays[SIDE_COUNT];
    struct published_counts published;
    struct fates fates;
    struct comparison comparison;
    bool is_done; /* there is a comparison */
};

/* 0 whatever it came to, also when there was nothing to compare. -1: err, as replay_run and
 * published_read. compare_release in either case. */
int compare_run(const struct compare_options *options, struct compare_result *result,
                struct err *err);
void compare_release(struct compare_result *result);

#endif
