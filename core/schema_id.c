#include "core/schema_id.h"

#include "core/text.h"

size_t schema_id_print(char *out, int64_t id, bool is_fingerprint)
{
    static const char digits[] = "0123456789abcdef";
    size_t len = 16;

    if (is_fingerprint)
        for (size_t i = 0; i < len; i++)
            out[i] = digits[(uint64_t)id >> (60 - 4 * i) & 15];
    else
        len = integer_print(out, id);
    out[len] = '\0';
    return len;
}
