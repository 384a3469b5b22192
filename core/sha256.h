/* sha256.h: SHA-256 (FIPS 180-4), for bundles' digests and for run ids. Not on the hot path. */
#ifndef CORE_SHA256_H
#define CORE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct sha256 {
    uint32_t state[8];
    uint64_t byte_count;
    uint8_t block[64];
};

enum { SHA256_HEX = 64 };

void sha256_init(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t len);

/* Finishes: hex[0..63] and a NUL. The hash must be initialised again before further use. */
void sha256_hex(struct sha256 *hash, char hex[SHA256_HEX + 1]);

#endif
