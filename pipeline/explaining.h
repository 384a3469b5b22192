/* explaining.h: the parts of explain.c, one file each; private to them. */
#ifndef PIPELINE_EXPLAINING_H
#define PIPELINE_EXPLAINING_H

#include "pipeline/explain.h"

/* explain_read.c: the record that was asked for, or the one that it is a dead letter of. */
int explain_read(struct explanation *explanation, const struct explain_options *options,
                 struct err *err);

/* explain_published.c: what lies in the topics of scores, alerts and dead letters, and where the
 * group stands. */
void explain_search(struct explanation *explanation, int timeout_ms);

#endif
