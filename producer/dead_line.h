/* dead_line.h: a dead letter as a line of JSON, for files.
 *
 * What the headers of a dead letter say (producer/dead_letter.h), and the record: key, value and
 * headers untouched, in base64. Thread: any; no state.
 */
#ifndef PRODUCER_DEAD_LINE_H
#define PRODUCER_DEAD_LINE_H

#include "producer/producer.h"

struct dead_line {
    const struct provenance *provenance;
    bool has_fingerprints; /* events' schema ids are fingerprints, printed in hex */
};

/* How much room dead_line_encode needs at most, and the line with its end; returns the length. */
size_t dead_line_max_bytes(const struct dead_line *line, const struct record *record,
                           const struct dead_letter *letter);
size_t dead_line_encode(const struct dead_line *line, const struct record *record,
                        const struct dead_letter *letter, char *out);

#endif
