/* What others repeat of our secrets is covered. */
#include "schemas/secrets.h"

#include <string.h>

#include "tests/harness.h"

/* login, a text, what is left of it. Basic's bytes: python3 -c 'base64.b64encode(...)' */
static const struct {
    const char *login, *text, *want;
} logins[] = {
    {"u:secret", "Basic dTpzZWNyZXQ= of secret", "Basic ************ of ******"},
    {"us:secret", "Basic dXM6c2VjcmV0 of us", "Basic ************ of us"},
    {"usr:secret", "Basic dXNyOnNlY3JldA==", "Basic ****************"},
    {"u:\xc3\xa9\xc3\xa9\xc3\xa9?", "dTrDqcOpw6k/ \xc3\xa9\xc3\xa9\xc3\xa9?!",
     "************ *******!"},
    {"u:secret", "secretsecret, secre", "************, secre"},
    {"u:12345", "\"error_code\":12345", "\"error_code\":12345"}, /* too short to cover */
    {"nobody", "nobody bm9ib2R5", "nobody ********"},
    {NULL, "as it is", "as it is"},
};

START_TEST(each_form_of_a_login_is_covered_and_nothing_else)
{
    struct secrets secrets = {0};
    char text[100];

    strcpy(text, logins[_i].text);
    secrets_add_login(&secrets, logins[_i].login);
    secrets_add(&secrets, NULL);
    secrets_hide(&secrets, text, strlen(text));
    ck_assert_str_eq(text, logins[_i].want);
    secrets_release(&secrets);
}
END_TEST

SUITE(secrets)
{
    TCase *loops = harness_case(suite, "logins", NULL, 0);

    tcase_add_loop_test(loops, each_form_of_a_login_is_covered_and_nothing_else, 0,
                        sizeof logins / sizeof logins[0]);
}
