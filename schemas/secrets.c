#include "schemas/secrets.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

void secrets_add(struct secrets *secrets, const char *text)
{
    if (!text || strlen(text) < SECRETS_MIN)
        return;
    secrets->items = mem_resize(secrets->items, secrets->count + 1, sizeof *secrets->items);
    secrets->items[secrets->count++] = mem_copy_text(text, strlen(text));
}

static void wipe(char *text)
{
    explicit_bzero(text, strlen(text));
    free(text);
}

void secrets_add_login(struct secrets *secrets, const char *user_info)
{
    const char *colon = user_info ? strchr(user_info, ':') : NULL;
    char *sent;

    if (!user_info)
        return;
    sent = mem_alloc(BASE64_MAX(strlen(user_info)) + 1, 1);
    base64_print(sent, user_info, strlen(user_info));
    secrets_add(secrets, sent);
    secrets_add(secrets, colon ? colon + 1 : NULL);
    wipe(sent);
}

void secrets_hide(const struct secrets *secrets, char *text, size_t len)
{
    for (size_t i = 0; i < secrets->count; i++) {
        size_t size = strlen(secrets->items[i]);
        char *at = text, *end = text + len;
        while ((at = memmem(at, (size_t)(end - at), secrets->items[i], size)) != NULL)
            memset(at, '*', size);
    }
}

void secrets_release(struct secrets *secrets)
{
    for (size_t i = 0; i < secrets->count; i++)
        wipe(secrets->items[i]);
    free(secrets->items);
    *secrets = (struct secrets){0};
}
