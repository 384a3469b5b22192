#include "schemas/frame.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a fingerprint is read as it lies");

bool frame_is_glue(struct slice v)
{
    return v.len >= 18 && v.data[0] == 3 && (v.data[1] == 0 || v.data[1] == 5);
}

static bool is_single_object(struct slice v)
{
    return v.len >= FRAME_SINGLE_OBJECT_BYTES && v.data[0] == 0xc3 && v.data[1] == 1;
}

enum fault frame_read(struct slice value, int64_t *schema_id)
{
    const uint8_t *d = value.data;

    if (value.len != 0 && d[0] != 0)
        return frame_is_glue(value) || is_single_object(value) ? FAULT_FRAME_UNSUPPORTED
                                                               : FAULT_FRAME_BAD_MAGIC;
    if (value.len < FRAME_CONFLUENT_BYTES)
        return FAULT_FRAME_TOO_SHORT;
    *schema_id =
        (int64_t)((uint32_t)d[1] << 24 | (uint32_t)d[2] << 16 | (uint32_t)d[3] << 8 | d[4]);
    return FAULT_NONE;
}

enum fault frame_read_single_object(struct slice value, int64_t *schema_id)
{
    static const uint8_t magic[2] = {0xc3, 1};
    size_t len = value.len < sizeof magic ? value.len : sizeof magic;

    if (len != 0 && memcmp(value.data, magic, len) != 0)
        return frame_is_glue(value) ? FAULT_FRAME_UNSUPPORTED : FAULT_FRAME_BAD_MAGIC;
    if (value.len < FRAME_SINGLE_OBJECT_BYTES)
        return FAULT_FRAME_TOO_SHORT;
    memcpy(schema_id, value.data + sizeof magic, sizeof *schema_id);
    return FAULT_NONE;
}
