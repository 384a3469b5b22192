/* serve.h: what `kscore run` shows of itself: journal, board, observer, and the servers of [http]
 * listen and [control] socket. An address that cannot be had is one warning: scoring goes on. */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

#include <jansson.h>
#include <stdbool.h>

#include "core/config.h"
#include "pipeline/pipeline.h"

struct serve;

/* Before the pipeline runs; fills options->board; orders go to options->orders. Never
 * NULL. */
struct serve *serve_open(const struct config *config, struct pipeline_options *options);

/* [http] listen is served. */
bool serve_has_page(const struct serve *serve);

/* The document of /status now; the caller's. */
json_t *serve_status(struct serve *serve);

/* When the pipeline has ended. */
void serve_close(struct serve *serve);

#endif
