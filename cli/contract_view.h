/* contract_view.h: a contract and a sample, for a person or as JSON: `kscore schema` and `kscore
 * check` print from here. What comes from schemas and records passes visible_print. */
#ifndef CLI_CONTRACT_VIEW_H
#define CLI_CONTRACT_VIEW_H

#include <jansson.h>

#include "cli/paint.h"
#include "pipeline/contract.h"
#include "pipeline/sample.h"

/* All of it, feature by feature. */
void contract_view_show(const struct paint *view, const struct contract *contract);
void contract_view_show_sample(const struct paint *view, const struct sample *sample);

/* New references; to be dumped with JSON_ENSURE_ASCII, which no terminal obeys. */
json_t *contract_view_json(const struct contract *contract);
json_t *contract_view_sample_json(const struct sample *sample);

#endif
