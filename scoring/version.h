/* version.h: which XGBoost wrote a file: what a field means depends on it. */
#ifndef SCORING_VERSION_H
#define SCORING_VERSION_H

#include <stdbool.h>

static inline bool version_is_before(const int version[3], int major, int minor, int patch)
{
    if (version[0] != major)
        return version[0] < major;
    if (version[1] != minor)
        return version[1] < minor;
    return version[2] < patch;
}

#endif
