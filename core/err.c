#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void set(struct err *err, enum err_kind kind, int exit_code, const char *format,
                va_list args)
{
    if (err->kind != ERR_NONE)
        return;
    err->kind = kind;
    err->exit_code = exit_code;
    vsnprintf(err->text, sizeof err->text, format, args);
}

int err_record(struct err *err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set(err, ERR_RECORD, EXIT_DATA, format, args);
    va_end(args);
    return -1;
}

int err_dependency(struct err *err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set(err, ERR_DEPENDENCY, EXIT_UNAVAILABLE, format, args);
    va_end(args);
    return -1;
}

int err_fatal(struct err *err, enum exit_code code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set(err, ERR_FATAL, (int)code, format, args);
    va_end(args);
    return -1;
}

int err_prefix(struct err *err, const char *format, ...)
{
    char old[sizeof err->text];
    va_list args;
    size_t len;

    if (err->kind == ERR_NONE)
        return -1;
    memcpy(old, err->text, sizeof old);
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    len = strlen(err->text);
    snprintf(err->text + len, sizeof err->text - len, ": %s", old);
    return -1;
}

void err_reset(struct err *err)
{
    err->kind = ERR_NONE;
    err->exit_code = 0;
    err->text[0] = '\0';
}

bool err_is_set(const struct err *err)
{
    return err->kind != ERR_NONE;
}
