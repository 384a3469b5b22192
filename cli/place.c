#include "cli/place.h"

#include <string.h>

#include "core/clock.h"
#include "core/text.h"

/* "90s", "15m", "2h", "3d": that long ago. */
static bool parse_ago(const char *text, int64_t *ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    size_t len = strlen(text);
    int64_t count;

    if (len < 2 || !integer_parse(text, len - 1, 0, 100000000, &count))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (text[len - 1] != units[i].unit)
            continue;
        *ms = clock_wall_ms() - count * units[i].ms;
        *ms = *ms < 0 ? 0 : *ms;
        return true;
    }
    return false;
}

bool place_parse(const char *text, struct reader_place *place)
{
    int64_t at = 0;

    if (strcmp(text, "earliest") == 0)
        place->kind = PLACE_START;
    else if (strcmp(text, "latest") == 0)
        place->kind = PLACE_END;
    else if (integer_parse(text, strlen(text), 0, INT64_MAX, &at))
        place->kind = PLACE_OFFSET;
    else if ((clock_parse(text, &at) && at >= 0) || parse_ago(text, &at))
        place->kind = PLACE_TIME;
    else
        return false;
    place->at = at;
    return true;
}
