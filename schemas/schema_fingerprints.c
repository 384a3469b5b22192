#include "schemas/schema_fingerprints.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "schemas/fingerprint.h"
#include "schemas/schema_files.h"

struct schema_fingerprints {
    struct schema_source source;
    struct schema_files *files;
    int64_t read_ms; /* when they were read last */
    struct schema_answer *answers;
    size_t first, count, cap;
};

static struct schema_fingerprints *of(struct schema_source *source)
{
    return (struct schema_fingerprints *)source;
}

static void answer(struct schema_fingerprints *f, struct schema_answer new)
{
    f->answers = mem_grow(f->answers, f->count, &f->cap, sizeof *f->answers);
    f->answers[f->count++] = new;
}

static bool poll(struct schema_source *source, struct schema_answer *out)
{
    struct schema_fingerprints *f = of(source);

    if (f->first == f->count) {
        f->first = f->count = 0;
        return false;
    }
    *out = f->answers[f->first++];
    return true;
}

static void take_file(void *arg, const char *name, struct avro_schema *schema)
{
    answer(arg, (struct schema_answer){.id = fingerprint_of(schema),
                                       .kind = SCHEMA_FOUND,
                                       .schema = schema,
                                       .file = mem_copy_text(name, strlen(name))});
}

static bool is_answered(const struct schema_fingerprints *f, uint64_t id)
{
    for (size_t i = f->first; i < f->count; i++)
        if (f->answers[i].id == id)
            return true;
    return false;
}

/* Until the folder is read again it has nothing new to say. */
static void ask(struct schema_source *source, uint64_t id, int64_t now_ms)
{
    struct schema_fingerprints *f = of(source);
    struct schema_answer none = {.id = id, .kind = SCHEMA_MISSING};
    struct err why = ERR_INIT;

    if (now_ms - f->read_ms >= SCHEMA_FINGERPRINTS_KEEP_MS) {
        if (schema_files_read(f->files, take_file, f, &why) == 0)
            f->read_ms = now_ms;
    }
    if (is_answered(f, id))
        return;
    if (err_is_set(&why)) {
        none.kind = SCHEMA_FAILED;
        none.words = mem_copy_text(why.text, strlen(why.text));
    }
    answer(f, none);
}

static int start(struct schema_source *source, struct err *err)
{
    struct schema_fingerprints *f = of(source);
    struct err why = ERR_INIT;

    f->read_ms = clock_ms();
    if (schema_files_read(f->files, take_file, f, &why) == 0)
        return 0;
    return err_fatal(err, f->count == SCHEMA_FILES_MAX ? EXIT_CONFIGURATION : EXIT_IO, "%s",
                     why.text);
}

static void report(struct schema_source *source,
                   void (*say)(void *arg, int64_t schema_id, bool usable, const char *text),
                   void *arg)
{
    schema_files_report(of(source)->files, say, arg);
}

static void fingerprints_free(struct schema_source *source)
{
    struct schema_fingerprints *f = of(source);
    struct schema_answer left;

    while (poll(source, &left))
        schema_answer_release(&left);
    schema_files_free(f->files);
    free(f->answers);
    free(f);
}

struct schema_source *schema_fingerprints_new(const char *folder)
{
    struct schema_fingerprints *f = mem_alloc(1, sizeof *f);

    f->files = schema_files_new(folder);
    f->source = (struct schema_source){.name = "schemas by fingerprint",
                                       .has_fingerprints = true,
                                       .keep_ms = SCHEMA_FINGERPRINTS_KEEP_MS,
                                       .start = start,
                                       .ask = ask,
                                       .poll = poll,
                                       .report = report,
                                       .free = fingerprints_free};
    return &f->source;
}
