/* A registry's answers: the first byte says what was asked for, then a line for each answer, the
 * last one again and again. */
#include <string.h>

#include "schemas/avro_schema.h"
#include "schemas/registry_fetch.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct registry_fetch *f)
{
    const struct schema_answer *a = &f->answer;
    struct avro_schema *schema = NULL;
    struct err err = ERR_INIT;

    if (a->kind != SCHEMA_FOUND) {
        fuzz_expect(a->kind == SCHEMA_MISSING || (a->words && *a->words), "a refusal has words");
        fuzz_expect(a->text_count == 0, "and no texts");
    } else if (f->kind != FETCH_LIST) {
        fuzz_expect(a->text_count == f->doc_count, "every text is there");
        avro_schema_parse_all(&schema, a->texts, a->text_count, &err);
        fuzz_expect((schema != NULL) != err_is_set(&err), "it is a schema, or is refused");
        avro_schema_free(schema);
    }
}

FUZZ(registry)
{
    struct registry_fetch f;
    const char *line = (const char *)data + 1, *end = (const char *)data + len;
    char path[REGISTRY_MAX_PATH];
    unsigned steps = 0;
    bool is_done;

    if (len == 0)
        return;
    registry_fetch_init(&f, 7, data[0] % 4 ? "subject" : NULL, data[0] % 4 == 2 ? 0 : 3);
    do {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t line_len = (size_t)((stop ? stop : end) - line);
        if (!registry_fetch_path(&f, path, sizeof path))
            break;
        fuzz_expect(path[0] == '/' && strlen(path) < sizeof path - 1, "a path");
        is_done = registry_fetch_take(&f, "http://r", data[0] % 4 == 3 ? 404 : 200, line, line_len);
        line = stop && stop + 1 < end ? stop + 1 : line;
        fuzz_expect(++steps <= REGISTRY_MAX_REFERENCES + 1, "it ends");
    } while (!is_done);
    check(&f);
    registry_fetch_release(&f);
}
