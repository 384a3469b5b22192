/* put.h: pieces of an encoded text, one behind the other: each returns where the next begins. The
 * caller has made room. */
#ifndef PRODUCER_PUT_H
#define PRODUCER_PUT_H

#include <string.h>

#include "core/text.h"

static inline char *put(char *o, const char *text, size_t len)
{
    memcpy(o, text, len);
    return o + len;
}

#define PUT(o, literal) put(o, literal, sizeof(literal) - 1)

/* name as it stands in the text, with its comma and colon; text becomes a JSON string. */
static inline char *put_json_field(char *o, const char *name, const char *text)
{
    o = put(o, name, strlen(name));
    return o + json_string_print(o, text, strlen(text));
}

#endif
