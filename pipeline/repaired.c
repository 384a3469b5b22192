#include "pipeline/repaired.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

json_t *repaired_json_bytes(const char *text, size_t len)
{
    char *repaired = mem_alloc(len * 3 + 1, 1);
    json_t *json = json_stringn(repaired, utf8_repair(repaired, text, len));

    free(repaired);
    return json;
}

json_t *repaired_json(const char *text)
{
    return repaired_json_bytes(text, strlen(text));
}
