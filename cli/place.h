/* place.h: a place in a topic, as it is written on the command line. */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

#include <stdbool.h>

#include "pipeline/tail.h"

#define PLACE_HELP                                                                                 \
    "earliest, latest, an offset, a time (2026-01-31T12:00:00Z), or 15m: that long ago"

/* False: it is none. */
bool place_parse(const char *text, struct reader_place *place);

#endif
