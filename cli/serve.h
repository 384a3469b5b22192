/* serve.h: what `kscore run` shows of itself: journal, board, observer, and the servers of [http]
 * listen and [control] socket. An address that cannot be had is one warning: scoring goes on. */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

#include "core/config.h"
#include "pipeline/pipeline.h"

struct serve;

/* Before the pipeline runs; fills options->board. Never NULL. */
struct serve *serve_open(const struct config *config, struct pipeline_options *options);

/* When the pipeline has ended. */
void serve_close(struct serve *serve);

#endif
