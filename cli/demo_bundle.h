/* demo_bundle.h: examples/payments/bundle, carried inside the program so that the demo runs
 * anywhere. */
#ifndef CLI_DEMO_BUNDLE_H
#define CLI_DEMO_BUNDLE_H

#include "core/err.h"

/* Writes the bundle's files into folder, which exists. EXIT_IO. */
int demo_bundle_write(const char *folder, struct err *err);

/* Deletes them and the folder. */
void demo_bundle_remove(const char *folder);

#endif
