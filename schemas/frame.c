#include "schemas/frame.h"

#include <stdbool.h>

static bool is_glue(struct slice v)
{
    return v.len >= 18 && v.data[0] == 3 && (v.data[1] == 0 || v.data[1] == 5);
}

static bool is_single_object(struct slice v)
{
    return v.len >= 10 && v.data[0] == 0xc3 && v.data[1] == 1;
}

enum fault frame_read(struct slice value, int64_t *schema_id)
{
    const uint8_t *d = value.data;

    if (value.len != 0 && d[0] != 0)
        return is_glue(value) || is_single_object(value) ? FAULT_FRAME_UNSUPPORTED
                                                         : FAULT_FRAME_BAD_MAGIC;
    if (value.len < FRAME_CONFLUENT_BYTES)
        return FAULT_FRAME_TOO_SHORT;
    *schema_id =
        (int64_t)((uint32_t)d[1] << 24 | (uint32_t)d[2] << 16 | (uint32_t)d[3] << 8 | d[4]);
    return FAULT_NONE;
}
