#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "tests/fixture.h"
#include "tests/harness.h"

START_TEST(values_come_from_the_environment)
{
    struct config c;

    setenv("KSCORE_T", "env", 1);
    setenv("KSCORE_E", "", 1);
    fixture_config(&c, FIXTURE_CONFIG
                   "[kscore]\ninstance = a-${KSCORE_T}${KSCORE_E}-${KSCORE_T}-$${KSCORE_T} $ {x\n");
    ck_assert_str_eq(c.instance, "a-env-env-${KSCORE_T} $ {x");
    config_release(&c);
    unsetenv("KSCORE_T");
    fixture_config_fails(
        FIXTURE_CONFIG "[kscore]\ninstance = ${KSCORE_T}\n", NULL, EXIT_CONFIGURATION,
        "k.ini:14: environment variable KSCORE_T is not set (kscore.instance; write $${ "
        "for a plain ${)");
}
END_TEST

/* What comes from the environment is not read again: a password may hold ${. */
START_TEST(an_expanded_value_is_not_expanded_again)
{
    struct config c;

    setenv("KSCORE_T", "${KSCORE_T}$${", 1);
    fixture_config(&c, FIXTURE_CONFIG "[kscore]\ninstance = ${KSCORE_T}\n");
    ck_assert_str_eq(c.instance, "${KSCORE_T}$${");
    config_release(&c);
}
END_TEST

START_TEST(a_value_may_be_read_from_a_file)
{
    struct config c;
    char text[1500], folder[256];

    snprintf(folder, sizeof folder, "%s", harness_folder());
    snprintf(text, sizeof text, FIXTURE_CONFIG "[kafka]\nsasl.password_FILE = %s\n",
             harness_write(folder, "secret", "p w\r\n\n", 6));
    fixture_config(&c, text);
    ck_assert_uint_eq(c.kafka.count, 2);
    ck_assert_str_eq(c.kafka.items[1].name, "sasl.password");
    ck_assert_str_eq(c.kafka.items[1].value, "p w");
    config_release(&c);
    fixture_config_fails(FIXTURE_CONFIG "[kafka]\nsasl.password_FILE = no/such/file\n", NULL,
                         EXIT_IO, "k.ini:14: sasl.password_FILE: No such file");
    snprintf(text, sizeof text,
             FIXTURE_CONFIG "[kafka]\nsasl.password = x\nsasl.password_FILE = %s\n",
             harness_write(folder, "secret", "y", 1));
    fixture_config_fails(text, NULL, EXIT_CONFIGURATION,
                         "k.ini:15: sasl.password and sasl.password_FILE are both set");
    snprintf(text, sizeof text, FIXTURE_CONFIG "[kafka]\nsasl.password_FILE = %s\n",
             harness_write(folder, "secret", "a\0b", 3));
    fixture_config_fails(text, NULL, EXIT_CONFIGURATION, "sasl.password_FILE: holds a NUL byte");
}
END_TEST

START_TEST(the_command_line_wins_over_the_file)
{
    struct err err = ERR_INIT;
    struct config c;

    ck_assert_int_eq(fixture_config_parse(&c, FIXTURE_CONFIG "[kscore]\ncommit_ms = 50\n",
                                          "kscore.commit_ms=60", &err),
                     0);
    ck_assert_int_eq(c.commit_ms, 60);
    config_release(&c);
    ck_assert_int_eq(
        fixture_config_parse(&c, FIXTURE_CONFIG, "consumer.session.timeout.ms=6000", &err), 0);
    ck_assert_str_eq(c.consumer.items[0].name, "session.timeout.ms");
    ck_assert_int_eq(c.consumer.items[0].line, 0);
    config_release(&c);
    ck_assert_int_eq(fixture_config_parse(&c, FIXTURE_CONFIG, "kscore.instance=a=b", &err), 0);
    ck_assert_str_eq(c.instance, "a=b");
    config_release(&c);
}
END_TEST

START_TEST(a_wrong_override_names_itself)
{
    fixture_config_fails(FIXTURE_CONFIG, "commit_ms=1", EXIT_USAGE,
                         "-s commit_ms: expected section.key=value");
    fixture_config_fails(FIXTURE_CONFIG, "kscore.commit_ms", EXIT_USAGE,
                         "expected section.key=value");
    fixture_config_fails(FIXTURE_CONFIG, "kscore.=1", EXIT_USAGE, "expected section.key=value");
    fixture_config_fails(FIXTURE_CONFIG, "x=a.b", EXIT_USAGE, "expected section.key=value");
    fixture_config_fails(FIXTURE_CONFIG, ".a=b", EXIT_USAGE, "expected section.key=value");
    fixture_config_fails(FIXTURE_CONFIG, "kscore.commit_ms=x", EXIT_CONFIGURATION,
                         "-s: kscore.commit_ms must be a whole number from 10 to 60000");
    fixture_config_fails(FIXTURE_CONFIG, "kscore.commit=1", EXIT_CONFIGURATION,
                         "-s: [kscore] has no key commit; did you mean commit_ms?");
}
END_TEST

static const char *const secrets[] = {"sasl.password",
                                      "ssl.key.password",
                                      "ssl.keystore.password",
                                      "ssl.key.pem",
                                      "sasl.oauthbearer.client.secret",
                                      "sasl.oauthbearer.config",
                                      "basic.auth.user.info",
                                      "bearer.auth.token"};

START_TEST(secrets_are_refused_on_the_command_line_and_not_printed)
{
    struct err err = ERR_INIT;
    struct config config;
    char override[200];

    ck_assert(config_is_secret(secrets[_i]));
    snprintf(override, sizeof override, "kafka.%s=hunter2", secrets[_i]);
    ck_assert_int_eq(fixture_config_parse(&config, FIXTURE_CONFIG, override, &err), -1);
    ck_assert_int_eq(err.exit_code, EXIT_USAGE);
    ck_assert_ptr_null(strstr(err.text, "hunter2"));
    ck_assert_ptr_nonnull(strstr(err.text, "_FILE in the file"));
}
END_TEST

START_TEST(a_url_with_a_password_is_a_secret_too)
{
    static const char *const urls[] = {"http://r", "http://r:8081/a@b,http://q/",
                                       "http://u:hunter2@r", "http://r, https://u:hunter2@q/x"};
    struct err err = ERR_INIT;
    struct config config, other;
    char override[200];

    for (size_t i = 0; i < 4; i++) {
        bool is_secret = i >= 2;
        ck_assert_int_eq(config_holds_user(urls[i]), is_secret);
        snprintf(override, sizeof override, "schemas.registry.url=%s", urls[i]);
        err = (struct err)ERR_INIT;
        ck_assert_int_eq(fixture_config_parse(&config, FIXTURE_CONFIG, override, &err),
                         is_secret ? -1 : 0);
        ck_assert_ptr_null(strstr(err.text, "hunter2"));
        if (!is_secret)
            config_release(&config);
    }
    fixture_config(&config, FIXTURE_CONFIG "[schemas]\nregistry.url = http://u:hunter2@r\n");
    fixture_config(&other, FIXTURE_CONFIG "[schemas]\nregistry.url = http://u:hunter3@r\n");
    ck_assert_str_eq(config.digest, other.digest);
    config_release(&config);
    config_release(&other);
}
END_TEST

SUITE(config_source)
{
    TCase *loops = harness_case(suite, "secrets", NULL, 0);

    CASE("environment", values_come_from_the_environment, an_expanded_value_is_not_expanded_again,
         a_value_may_be_read_from_a_file);
    CASE("url", a_url_with_a_password_is_a_secret_too);
    CASE("override", the_command_line_wins_over_the_file, a_wrong_override_names_itself);
    tcase_add_loop_test(loops, secrets_are_refused_on_the_command_line_and_not_printed, 0,
                        sizeof secrets / sizeof secrets[0]);
}
