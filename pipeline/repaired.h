/* repaired.h: text of others as a JSON string: names, messages, lines that were cut within a
 * character. What is not UTF-8 becomes U+FFFD, so that a document holds whatever is in it.
 * Plain functions; any thread. */
#ifndef PIPELINE_REPAIRED_H
#define PIPELINE_REPAIRED_H

#include <jansson.h>

/* The caller's; copied. */
json_t *repaired_json(const char *text);
json_t *repaired_json_bytes(const char *text, size_t len);

#endif
