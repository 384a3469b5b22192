/* secrets.h: texts that may appear nowhere, and the hand that covers them in what others say.
 *
 * A registry, or a proxy before it, may repeat in its answer what it was sent: a password, a token,
 * an Authorization header. Its words are for the log, so they are covered first.
 *
 * Owns its copies, and wipes them. Thread: any one.
 */
#ifndef SCHEMAS_SECRETS_H
#define SCHEMAS_SECRETS_H

#include <stddef.h>

/* Bytes: covering shorter ones would make a text unreadable, or hide an error_code of 5 digits. */
enum { SECRETS_MIN = 6 };

struct secrets {
    char **items;
    size_t count;
};

/* One text; NULL and short ones are nothing. */
void secrets_add(struct secrets *secrets, const char *text);

/* "user:password": the password, and both as HTTP's Basic sends them (RFC 7617). */
void secrets_add_login(struct secrets *secrets, const char *user_info);

/* Each byte of each secret in the text becomes a star. */
void secrets_hide(const struct secrets *secrets, char *text, size_t len);

void secrets_release(struct secrets *secrets);

#endif
