#include "schemas/score_schema.h"

#include <stdio.h>
#include <stdlib.h>

/* The assembler reads the file; the Makefile knows that this object depends on it. */
__asm__(".pushsection .rodata\nscore_schema: .incbin \"schemas/score.avsc\"\n"
        "score_schema_end: .byte 0\n.popsection\n");
extern const char score_schema[], score_schema_end[];

static const char *const ends[] = {score_schema, score_schema_end};

struct slice score_schema_text(void)
{
    return (struct slice){(const uint8_t *)ends[0], (size_t)(ends[1] - ends[0])};
}

struct avro_schema *score_schema_new(void)
{
    struct slice text = score_schema_text();
    struct err err = ERR_INIT;
    struct avro_schema *schema;

    if (avro_schema_parse(&schema, (const char *)text.data, text.len, &err) != 0) {
        fprintf(stderr, "kscore: schemas/score.avsc: %s\n", err.text);
        abort();
    }
    return schema;
}
