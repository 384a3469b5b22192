/* folder_watch.h: whether the bundle's folder holds something else than what was loaded from it,
 * and for long enough: half a deploy is not loaded.
 *
 *   stamp  tried                 seen          load?
 *   A      A      what is in use
 *   B      A      B has begun    A             no, it may not be complete
 *   B      A                     B             yes: it is still
 *   B      B      refused or not B             no, until it changes again, or is asked for
 *
 * The folder is found by its path each time: where that is a symbolic link, it is the one that the
 * link names now. Thread: one.
 */
#ifndef PIPELINE_FOLDER_WATCH_H
#define PIPELINE_FOLDER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/* A number for the folder and what lies in it (names, sizes, times, inodes); 0: it cannot be read.
 */
uint64_t folder_stamp(const char *path);

struct folder_watch {
    uint64_t tried; /* was loaded, or refused */
    uint64_t seen;  /* the look before */
};

/* Takes a look, whose stamp this is. True: it must be loaded; then, or whenever something else
 * makes it be loaded, the caller sets tried to the stamp from before the loading. */
bool folder_watch_look(struct folder_watch *watch, uint64_t stamp);

#endif
