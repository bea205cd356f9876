// HMAC-SHA-256 (RFC 2104, RFC 6234) by libcrypto, loaded when it is first needed (docs/checkd.md).
#pragma once
#include <stddef.h>

enum { EK_HMAC_SHA256_LENGTH = 32, EK_HMAC_SHA256_BLOCK = 64 };

// Writes the EK_HMAC_SHA256_LENGTH octets of a message under a key of at most EK_HMAC_SHA256_BLOCK octets; allocates nothing once the
// library is loaded. 1 on success; 0 when libcrypto is missing or the key is too long.
int ek_hmac_sha256(const unsigned char *key, size_t key_length, const unsigned char *message, size_t length, unsigned char *out);
