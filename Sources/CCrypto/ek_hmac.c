// SHA256_Init and its companions are deprecated since OpenSSL 3, but EVP allocates a context for every digest, and this is done for every
// advertisement of a virtual router that signs.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "ek_hmac.h"
#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

static struct {
    void *library;
    __typeof__(&SHA256_Init) init;
    __typeof__(&SHA256_Update) update;
    __typeof__(&SHA256_Final) final;
    __typeof__(&OPENSSL_cleanse) cleanse;
} crypto;

static int load(void) {
    if (crypto.library != NULL) return 1;
    void *library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return 0;
    crypto.init = (__typeof__(crypto.init))dlsym(library, "SHA256_Init");
    crypto.update = (__typeof__(crypto.update))dlsym(library, "SHA256_Update");
    crypto.final = (__typeof__(crypto.final))dlsym(library, "SHA256_Final");
    crypto.cleanse = (__typeof__(crypto.cleanse))dlsym(library, "OPENSSL_cleanse");
    if (!crypto.init || !crypto.update || !crypto.final || !crypto.cleanse) {
        dlclose(library);
        return 0;
    }
    crypto.library = library;
    return 1;
}

// The hash of the key, each octet changed by `mask`, and of a message.
static int pass(
    const unsigned char *key, size_t key_length, unsigned char mask, const unsigned char *message, size_t length,
    unsigned char *out) {
    unsigned char pad[EK_HMAC_SHA256_BLOCK];
    SHA256_CTX context;
    memset(pad, mask, sizeof pad);
    for (size_t i = 0; i < key_length; i++) pad[i] ^= key[i];
    int done = crypto.init(&context) == 1 && crypto.update(&context, pad, sizeof pad) == 1
        && crypto.update(&context, message, length) == 1 && crypto.final(out, &context) == 1;
    crypto.cleanse(pad, sizeof pad);
    crypto.cleanse(&context, sizeof context);
    return done;
}

int ek_hmac_sha256(
    const unsigned char *key, size_t key_length, const unsigned char *message, size_t length, unsigned char *out) {
    unsigned char inner[EK_HMAC_SHA256_LENGTH];
    if (key_length > EK_HMAC_SHA256_BLOCK || !load()) return 0;
    return pass(key, key_length, 0x36, message, length, inner) && pass(key, key_length, 0x5c, inner, sizeof inner, out);
}
