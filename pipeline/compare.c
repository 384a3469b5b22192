#include "pipeline/compare.h"

#include <stdio.h>

#include "pipeline/shared.h"

/* What is wrong with a bundle is told before the window is read, not behind it. */
static int look_at(const struct config *config, char *name, struct fates *f, size_t *outputs,
                   struct err *err)
{
    struct bundle *bundle = NULL;

    if (shared_load_bundle(config, config->model_path, &bundle, err) != 0) {
        bundle_free(bundle);
        return -1;
    }
    snprintf(name, COMPARE_NAME_MAX, "%.250s %.250s (%.12s)", bundle->name, bundle->version,
             bundle->digest);
    fates_learn(f, bundle);
    if (bundle->output_count > 1 && bundle->output_count > *outputs)
        *outputs = bundle->output_count;
    bundle_free(bundle);
    return 0;
}

static int replay(const struct compare_options *o, const struct config *config, enum side side,
                  struct compare_result *result, struct err *err)
{
    const struct compare_target target = {&result->fates, side};
    struct replay_options options = o->replay;
    int code;

    options.config = config;
    options.mode = SCORE_REPLAY;
    options.score_path = options.dead_path = options.state_path = NULL;
    options.compare = &target;
    code = replay_run(&options, &result->replays[side], err);
    if (code == 0 && result->replays[side].is_stopped)
        code = err_fatal(err, EXIT_AGAIN, "stopped before the end: nothing is compared");
    return code;
}

static int read_there(const struct compare_options *o, struct compare_result *result,
                      struct err *err)
{
    struct published_options published = o->published;

    if (o->against)
        return replay(o, o->against, SIDE_THERE, result, err);
    published.config = o->replay.config;
    published.stop = o->replay.stop;
    return published_read(&published, &result->fates, &result->published, err);
}

int compare_run(const struct compare_options *o, struct compare_result *result, struct err *err)
{
    const struct config *here = o->replay.config;
    size_t outputs = 0;

    *result = (struct compare_result){.is_done = false};
    if ((o->against &&
         look_at(o->against, result->names[SIDE_THERE], &result->fates, &outputs, err) != 0) ||
        look_at(here, result->names[SIDE_HERE], &result->fates, &outputs, err) != 0)
        return -1;
    fates_open(&result->fates, outputs);
    if (replay(o, here, SIDE_HERE, result, err) != 0 || read_there(o, result, err) != 0)
        return -1;
    result->is_done = true;
    return comparison_make(&result->comparison, &result->fates, o->tolerance, err);
}

void compare_release(struct compare_result *result)
{
    if (result->is_done)
        comparison_release(&result->comparison);
    fates_release(&result->fates);
}
