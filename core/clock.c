#include "core/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void clock_print(char out[CLOCK_TEXT_MAX], int64_t ms)
{
    enum { LAST_YEAR = 9999 - 1900 };
    int64_t thousandths = (ms % 1000 + 1000) % 1000;
    time_t seconds = (time_t)(ms / 1000 - (ms % 1000 < 0));
    struct tm utc;
    size_t len;

    if (!gmtime_r(&seconds, &utc) || utc.tm_year < -1900 || utc.tm_year > LAST_YEAR) {
        snprintf(out, CLOCK_TEXT_MAX, "%" PRId64 " ms", ms);
        return;
    }
    len = strftime(out, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + len, CLOCK_TEXT_MAX - len, ".%03dZ", (int)thousandths);
}

bool clock_parse(const char *text, int64_t *ms)
{
    struct tm utc = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
    int64_t thousandths = 0;

    if (!rest)
        return false;
    if (rest[0] == '.') {
        if (strspn(rest + 1, "0123456789") != 3)
            return false;
        for (int i = 1; i <= 3; i++)
            thousandths = thousandths * 10 + (rest[i] - '0');
        rest += 4;
    }
    if (strcmp(rest, "Z") != 0)
        return false;
    *ms = (int64_t)timegm(&utc) * 1000 + thousandths;
    return true;
}
