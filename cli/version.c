#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>

#include "cli/cli.h"

#define VERSION "0.1.0"

const char *cli_build(void)
{
    return VERSION "+" KSCORE_BUILD;
}

/* The versions of the libraries in use, not of those it was built with. */
void cli_print_version(void)
{
    printf("kscore %s\nlibrdkafka %s\njansson %s\n", cli_build(), rd_kafka_version_str(),
           jansson_version_str());
}
