#include "core/carried.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/text.h"

enum { FFFD_LEN = 3 }; /* for each byte that is no UTF-8 */

size_t carried_max(const struct carried *c)
{
    return c->kind == CARRIED_TEXT      ? (size_t)c->len * FFFD_LEN
           : c->kind == CARRIED_ESCAPED ? c->len
                                        : NUMBER_TEXT_MAX;
}

/* The fewest digits that read back to the same float: 9 always do. */
static size_t print_float(char *out, float value)
{
    int len = 0;

    for (int digits = 6; digits <= 9; digits++) {
        len = snprintf(out, NUMBER_TEXT_MAX, "%.*g", digits, (double)value);
        if (strtof(out, NULL) == value)
            break;
    }
    return (size_t)len;
}

static size_t print_number(char *out, double value, bool is_float)
{
    const char *odd = isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";

    if (isfinite(value))
        return is_float ? print_float(out, (float)value) : number_print(out, value);
    memcpy(out, odd, strlen(odd));
    return strlen(odd);
}

size_t carried_print(const struct carried *c, char *out)
{
    switch (c->kind) {
    case CARRIED_TEXT: return utf8_repair(out, c->text, c->len);
    case CARRIED_ESCAPED: return json_unescape(&(struct json_text){c->text, c->len, true}, out);
    case CARRIED_INTEGER: return integer_print(out, c->integer);
    default: return print_number(out, c->number, c->kind == CARRIED_FLOAT);
    }
}
