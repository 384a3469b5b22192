/* avro_text.h: an Avro value as JSON text, by the schema that it was written with; for people.
 *
 * Values as they would stand in a JSON event: a union is its value, an enum its symbol, a logical
 * type its raw number. Bytes and fixed are texts of one code point a byte (as in Avro's JSON
 * encoding), strings that are not UTF-8 get U+FFFD, floats the shortest number that reads back;
 * NaN, Infinity and -Infinity are texts.
 *
 * The bytes are hostile: they are read as the plan reads them (schemas/avro_input.h), nested at
 * most AVRO_TEXT_MAX_DEPTH deep. Every item of the value writes something, so max_bytes bounds both
 * text and time, whatever counts the value claims.
 */
#ifndef SCHEMAS_AVRO_TEXT_H
#define SCHEMAS_AVRO_TEXT_H

#include <stddef.h>

#include "core/outcome.h"
#include "core/slice.h"
#include "schemas/avro_schema.h"

enum { AVRO_TEXT_MAX_DEPTH = 512 };

enum avro_text_end {
    AVRO_TEXT_WHOLE,
    AVRO_TEXT_CUT,     /* it would be longer than max_bytes */
    AVRO_TEXT_DAMAGED, /* fault and at say why and where */
};

/* Owns data, which is used again by the next value. Start with zeros. */
struct avro_text {
    char *data; /* all that was read before it ended */
    size_t len, cap;
    enum fault fault;
    size_t at; /* byte of the value */
};

/* Reads value from byte `from` on (behind the frame) to its end. */
enum avro_text_end avro_text_print(struct avro_text *text, const struct avro_schema *schema,
                                   struct slice value, size_t from, size_t max_bytes);
void avro_text_release(struct avro_text *text);

#endif
