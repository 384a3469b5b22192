#include "schemas/secrets.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

void secrets_add(struct secrets *secrets, const char *text)
{
    if (!text || strlen(text) < SECRETS_MIN)
        return;
    secrets->items = mem_resize(secrets->items, secrets->count + 1, sizeof *secrets->items);
    secrets->items[secrets->count++] = mem_copy_text(text, strlen(text));
}

/* New. RFC 4648, section 4. */
static char *base64(const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strlen(text), at = 0;
    char *out = mem_alloc(len / 3 * 4 + 5, 1);

    for (size_t i = 0; i < len; i += 3) {
        uint32_t three = (uint32_t)(uint8_t)text[i] << 16;
        if (i + 1 < len)
            three |= (uint32_t)(uint8_t)text[i + 1] << 8;
        if (i + 2 < len)
            three |= (uint8_t)text[i + 2];
        for (int digit = 0; digit < 4; digit++)
            out[at++] = digits[three >> (18 - 6 * digit) & 63];
        for (size_t left = len - i; left < 3; left++)
            out[at - 3 + left] = '=';
    }
    return out;
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
    sent = base64(user_info);
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
