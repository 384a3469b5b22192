/* replay_view.h: what a replay came to, for people and for programs. */
#ifndef CLI_REPLAY_VIEW_H
#define CLI_REPLAY_VIEW_H

#include "pipeline/replay.h"

struct replay_view {
    const struct replay_summary *summary;
    const char *scores, *dead; /* where they went */
    bool is_finished;
    char *stopped;  /* how it goes on; NULL: it was not stopped. The caller's */
    double seconds; /* of this run */
};

/* On standard output: some lines, or one JSON object. */
void replay_view_print(const struct replay_view *view);
void replay_view_print_json(const struct replay_view *view);

#endif
