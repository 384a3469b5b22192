/* An Avro container file of any bytes ends, and what it gives out lies inside what was read. */
#include <unistd.h>

#include "schemas/container.h"
#include "tests/fuzz/fuzz.h"

FUZZ(container)
{
    FILE *file = tmpfile();
    struct err err = ERR_INIT;
    struct container *c;
    struct slice value;
    int got = 1;

    fuzz_expect(file && fwrite(data, 1, len, file) == len && fflush(file) == 0, "a file");
    lseek(fileno(file), 0, SEEK_SET);
    if (container_open(&c, fileno(file), &err) == 0) {
        uint8_t sum = 0;
        while (got != 0 && err.kind != ERR_FATAL) {
            err_reset(&err);
            got = container_next(c, &value, &err);
            fuzz_expect(got < 0 ? err_is_set(&err) : !err_is_set(&err), "failure has words");
            for (size_t i = 0; got > 0 && i < value.len; i++)
                sum ^= value.data[i];
        }
        fuzz_expect(container_bytes(c) <= len, "no more is read than there is");
        *(volatile uint8_t *)&sum = sum;
        container_free(c);
    } else {
        fuzz_expect(err.kind == ERR_FATAL && *err.text, "what is refused has words");
    }
    fclose(file);
}
