// MD5 by libcrypto (EVP), loaded when the first digest is made: most configurations have none, and linked libraries cost
// memory in every process whether they are used or not (docs/checkd.md).
#pragma once
#include <stddef.h>

enum { EK_MD5_LENGTH = 16 };

struct ek_md5;

// A digest of nothing yet; NULL when libcrypto cannot be loaded or refuses MD5 (FIPS mode), with the reason in `problem`.
struct ek_md5 *ek_md5_new(char *problem, size_t capacity);
void ek_md5_update(struct ek_md5 *digest, const void *octets, size_t count);
// Writes EK_MD5_LENGTH octets; 1 on success. The digest takes no updates after this.
int ek_md5_finish(struct ek_md5 *digest, unsigned char *out);
void ek_md5_free(struct ek_md5 *digest);
