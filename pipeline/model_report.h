/* model_report.h: what a bundle or a bare model file is, how fast it scores here, and how two of
 * them differ on the same rows: `kscore model`.
 */
#ifndef PIPELINE_MODEL_REPORT_H
#define PIPELINE_MODEL_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "pipeline/loaded.h"

struct model_report {
    struct loaded loaded;
    double row_ns; /* CPU time for one row of 1,024 that are scored at once, median */
};

/* Loads and times (about 0.1 s). options: NULL for none. EXIT_IO, EXIT_DATA. The struct must stay
 * in its place. */
int model_report_load(struct model_report *report, const char *path,
                      const struct model_options *options, struct err *err);
void model_report_release(struct model_report *report);

/* Two models on the golden rows of both where their features are the same, else on the golden
 * events that both can score. */
struct model_difference {
    size_t golden_count;   /* how many both scored */
    size_t margin_count;   /* of them: margins differ in a bit */
    size_t decision_count; /* both name a decision, and not the same one */
    double largest, mean;  /* absolute difference of the scores as they are published */
};
int model_compare(const struct model_report *a, const struct model_report *b,
                  struct model_difference *difference, struct err *err);

#endif
