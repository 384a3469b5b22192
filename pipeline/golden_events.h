/* golden_events.h: a bundle must reproduce its own golden events before it takes traffic: event ->
 * row -> margin. Its golden rows were run when it was loaded (scoring/golden.h). */
#ifndef PIPELINE_GOLDEN_EVENTS_H
#define PIPELINE_GOLDEN_EVENTS_H

#include "core/err.h"
#include "schemas/decoder.h"
#include "scoring/bundle.h"

/* 0, or -1: EXIT_DATA, the line and what differs. */
int golden_events_run(const struct bundle *bundle, struct err *err);

/* A decoder for golden events: plain JSON. decoder_free it. */
int golden_events_decoder(struct decoder **decoder, const struct bundle *bundle, struct err *err);

#endif
