#include "pipeline/printer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

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

/* ---- contributions: features of the first margin, its bias, then those of the next margin */

static const char *contribution_name(const struct printer *p, size_t at)
{
    return at < p->features->count ? p->features->items[at].name : "bias";
}

static void print_contributions(const struct printer *p, const double *numbers)
{
    size_t width = p->features->count + 1;
    char number[NUMBER_TEXT_MAX];

    fprintf(p->out, ",\"contributions\":%s", p->count > width ? "[" : "");
    for (size_t first = 0; first < p->count; first += width) {
        fputs(first > 0 ? ",{" : "{", p->out);
        for (size_t at = 0; at < width; at++) {
            fputs(at > 0 ? "," : "", p->out);
            print_text(p->out, false, contribution_name(p, at));
            fprintf(p->out, ":%.*s", (int)number_print(number, numbers[first + at]), number);
        }
        fputc('}', p->out);
    }
    fputs(p->count > width ? "]" : "", p->out);
}

/* ---- all */

void printer_heading(const struct printer *p)
{
    const char *what = p->values == VALUES_MARGIN ? "margin" : "score";

    if (p->format != OUTPUT_AS_CSV)
        return;
    fputs("line", p->out);
    for (size_t i = 0, at = 0; i < p->count; i++) {
        fputc(',', p->out);
        if (p->values == VALUES_CONTRIBUTIONS)
            print_text(p->out, true, contribution_name(p, at));
        else
            p->count == 1 ? fputs(what, p->out) : fprintf(p->out, "%s_%zu", what, i);
        at = at < p->features->count ? at + 1 : 0;
    }
    fputs(p->bundle && p->bundle->threshold_count && p->values != VALUES_CONTRIBUTIONS
              ? ",decision\n"
              : "\n",
          p->out);
}

static void print_numbers(const struct printer *p, const double *numbers)
{
    bool is_csv = p->format == OUTPUT_AS_CSV;
    char number[NUMBER_TEXT_MAX];

    for (size_t i = 0; i < p->count; i++) {
        size_t len = number_print(number, numbers[i]);
        if (!is_csv && i == 0)
            fprintf(p->out, ",\"%s\":%s", p->values == VALUES_MARGIN ? "margin" : "score",
                    p->count > 1 ? "[" : "");
        else
            fputc(',', p->out);
        fwrite(number, 1, len, p->out);
    }
    if (!is_csv && p->count > 1)
        fputc(']', p->out);
}

static void print_text_row(const struct printer *p, uint64_t line, const double *numbers,
                           const char *decision)
{
    bool is_csv = p->format == OUTPUT_AS_CSV;

    fprintf(p->out, is_csv ? "%llu" : "{\"line\":%llu", (unsigned long long)line);
    if (!is_csv && p->values == VALUES_CONTRIBUTIONS)
        print_contributions(p, numbers);
    else
        print_numbers(p, numbers);
    if (decision) {
        fputs(is_csv ? "," : ",\"decision\":", p->out);
        print_text(p->out, is_csv, decision);
    }
    fputs(is_csv ? "\n" : "}\n", p->out);
}

static void write_raw(const struct printer *p, const double *numbers)
{
    for (size_t i = 0; i < p->count; i++) {
        float narrow = (float)numbers[i];
        if (p->format == OUTPUT_AS_F32LE)
            fwrite(&narrow, sizeof narrow, 1, p->out);
        else
            fwrite(&numbers[i], sizeof numbers[i], 1, p->out);
    }
}

bool printer_row(const struct printer *p, uint64_t line, const double *numbers,
                 const char *decision)
{
    if (p->format == OUTPUT_AS_F32LE || p->format == OUTPUT_AS_F64LE) {
        write_raw(p, numbers);
        return true;
    }
    for (size_t i = 0; i < p->count; i++)
        if (!isfinite(numbers[i]))
            return false;
    print_text_row(p, line, numbers, decision);
    return true;
}
