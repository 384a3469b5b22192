#include "cli/demo_bundle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"

/* The assembler reads the files; the Makefile knows that this object depends on them. */
#define CARRY(symbol, name)                                                                        \
    __asm__(".pushsection .rodata\n" #symbol ": .incbin \"examples/payments/bundle/" name          \
            "\"\n" #symbol "_end: .byte 0\n.popsection\n");                                        \
    extern const char symbol[], symbol##_end[]

CARRY(demo_model_ini, "model.ini");
CARRY(demo_model, "model.ubj");
CARRY(demo_category, "category.csv");
CARRY(demo_golden, "golden.jsonl");

static const struct {
    const char *name, *data, *end;
} files[] = {
    {"model.ini", demo_model_ini, demo_model_ini_end},
    {"model.ubj", demo_model, demo_model_end},
    {"category.csv", demo_category, demo_category_end},
    {"golden.jsonl", demo_golden, demo_golden_end},
};

enum { FILE_COUNT = sizeof files / sizeof files[0] };

static int write_file(const char *path, const char *data, size_t len, struct err *err)
{
    FILE *file = fopen(path, "wb");
    size_t written = file ? fwrite(data, 1, len, file) : 0;

    if (!file || (fclose(file) != 0) | (written != len))
        return err_fatal(err, EXIT_IO, "%s: %s", path, strerror(errno));
    return 0;
}

int demo_bundle_write(const char *folder, struct err *err)
{
    for (size_t i = 0; i < FILE_COUNT; i++) {
        char *path = file_join(folder, files[i].name);
        int result = write_file(path, files[i].data, (size_t)(files[i].end - files[i].data), err);
        free(path);
        if (result != 0)
            return -1;
    }
    return 0;
}

void demo_bundle_remove(const char *folder)
{
    for (size_t i = 0; i < FILE_COUNT; i++) {
        char *path = file_join(folder, files[i].name);
        unlink(path);
        free(path);
    }
    rmdir(folder);
}
