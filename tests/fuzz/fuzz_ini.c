/* INI text: as it is, as a configuration, and its values as rules of features. */
#include <string.h>

#include "core/config.h"
#include "core/feature.h"
#include "core/ini.h"
#include "core/mem.h"
#include "tests/fuzz/fuzz.h"

static void parse_rules(const struct ini *ini)
{
    for (size_t i = 0; i < ini->count; i++) {
        struct err err = ERR_INIT;
        struct features features = {.items = mem_alloc(1, sizeof *features.items), .count = 1};
        const struct ini_entry *e = &ini->entries[i];
        fuzz_expect(e->line > 0 && e->name[0] != '\0' && e->section[0] != '\0',
                    "an entry has a line, a name and a section");
        if (feature_parse(features.items, e->name, e->value, "tests/fuzz", &err) != 0)
            fuzz_expect(err.text[0] != '\0', "a refusal has words");
        features_release(&features);
    }
}

FUZZ(ini)
{
    const char *text = (const char *)data;
    struct err err = ERR_INIT;
    struct config config;
    struct ini ini;

    if (ini_parse(&ini, "fuzz.ini", text, len, EXIT_DATA, &err) == 0) {
        parse_rules(&ini);
        ini_release(&ini);
    }
    err = (struct err)ERR_INIT;
    if (config_parse(&config, "fuzz.ini", text, len, NULL, &err) == 0)
        config_release(&config);
    else
        fuzz_expect(err_is_set(&err) && err.text[0] != '\0', "a refusal has words");
}
