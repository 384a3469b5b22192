#include "pipeline/printer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

void printer_heading(const struct printer *p)
{
    const char *what = p->is_margin ? "margin" : "score";

    if (p->format != OUTPUT_AS_CSV)
        return;
    fputs("line", p->out);
    for (size_t i = 0; i < p->outputs; i++)
        p->outputs == 1 ? fprintf(p->out, ",%s", what) : fprintf(p->out, ",%s_%zu", what, i);
    fputs(p->bundle && p->bundle->threshold_count ? ",decision\n" : "\n", p->out);
}

/* A text as JSON or CSV (RFC 4180) has it. */
static void print_text(FILE *out, bool is_csv, const char *text)
{
    size_t len = strlen(text);
    char *json;

    if (!is_csv) {
        json = mem_alloc(JSON_STRING_MAX(len), 1);
        fwrite(json, 1, json_string_print(json, text, len), out);
        free(json);
        return;
    }
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++)
        fputs(*text == '"' ? "\"\"" : (char[]){*text, '\0'}, out);
    fputc('"', out);
}

static void print_text_row(const struct printer *p, uint64_t line, const double *values,
                           const char *decision)
{
    bool is_csv = p->format == OUTPUT_AS_CSV;
    char number[NUMBER_TEXT_MAX];

    fprintf(p->out, is_csv ? "%llu" : "{\"line\":%llu", (unsigned long long)line);
    for (size_t i = 0; i < p->outputs; i++) {
        size_t len = number_print(number, values[i]);
        if (!is_csv && i == 0)
            fprintf(p->out, ",\"%s\":%s", p->is_margin ? "margin" : "score",
                    p->outputs > 1 ? "[" : "");
        else
            fputc(',', p->out);
        fwrite(number, 1, len, p->out);
    }
    if (!is_csv && p->outputs > 1)
        fputc(']', p->out);
    if (decision) {
        fputs(is_csv ? "," : ",\"decision\":", p->out);
        print_text(p->out, is_csv, decision);
    }
    fputs(is_csv ? "\n" : "}\n", p->out);
}

static void write_raw(const struct printer *p, const double *values)
{
    for (size_t i = 0; i < p->outputs; i++) {
        float narrow = (float)values[i];
        if (p->format == OUTPUT_AS_F32LE)
            fwrite(&narrow, sizeof narrow, 1, p->out);
        else
            fwrite(&values[i], sizeof values[i], 1, p->out);
    }
}

bool printer_row(const struct printer *p, uint64_t line, const double *margins,
                 const double *scores)
{
    const double *values = p->is_margin ? margins : scores;
    const char *decision = NULL;

    if (p->format == OUTPUT_AS_F32LE || p->format == OUTPUT_AS_F64LE) {
        write_raw(p, values);
        return true;
    }
    for (size_t i = 0; i < p->outputs; i++)
        if (!isfinite(values[i]))
            return false;
    if (p->bundle)
        decision = bundle_decision(
            p->bundle, bundle_outputs(p->bundle, margins, scores, 0)[p->bundle->output_index]);
    print_text_row(p, line, values, decision);
    return true;
}
