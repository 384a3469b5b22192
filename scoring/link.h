/* link.h: from margins to what the library's own predict returns. */
#ifndef SCORING_LINK_H
#define SCORING_LINK_H

#include <stddef.h>

/* scores[i * score_count ...] of margins[i * margin_count ...], for count rows. Doubles hold what
 * the library has as float32 without loss; the function rounds where the library does. */
struct link {
    void (*apply)(const struct link *link, const double *margins, size_t count, double *scores);
    size_t margin_count, score_count;
    int kind;         /* for functions that serve several links */
    double parameter; /* for those that have one */
    void *program;    /* for those that have one: free() it with the link */
    double divisor;   /* of the margins first (LightGBM's random forests); 0: none */
};

#endif
