#include "ek_digest.h"
#include <dlfcn.h>
#include <openssl/evp.h>
#include <stdio.h>

// The few calls that are used, by the types of the headers this was built with.
static struct {
    void *library;
    __typeof__(&EVP_MD_CTX_new) ctx_new;
    __typeof__(&EVP_MD_CTX_free) ctx_free;
    __typeof__(&EVP_md5) md5;
    __typeof__(&EVP_DigestInit_ex) init;
    __typeof__(&EVP_DigestUpdate) update;
    __typeof__(&EVP_DigestFinal_ex) final;
} crypto;

static int load(char *problem, size_t capacity) {
    if (crypto.library != NULL) return 1;
    void *library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        snprintf(problem, capacity, "%s", dlerror());
        return 0;
    }
    crypto.ctx_new = (__typeof__(crypto.ctx_new))dlsym(library, "EVP_MD_CTX_new");
    crypto.ctx_free = (__typeof__(crypto.ctx_free))dlsym(library, "EVP_MD_CTX_free");
    crypto.md5 = (__typeof__(crypto.md5))dlsym(library, "EVP_md5");
    crypto.init = (__typeof__(crypto.init))dlsym(library, "EVP_DigestInit_ex");
    crypto.update = (__typeof__(crypto.update))dlsym(library, "EVP_DigestUpdate");
    crypto.final = (__typeof__(crypto.final))dlsym(library, "EVP_DigestFinal_ex");
    if (!crypto.ctx_new || !crypto.ctx_free || !crypto.md5 || !crypto.init || !crypto.update || !crypto.final) {
        snprintf(problem, capacity, "libcrypto.so.3 lacks a function that is needed");
        dlclose(library);
        return 0;
    }
    crypto.library = library;
    return 1;
}

struct ek_md5 *ek_md5_new(char *problem, size_t capacity) {
    if (!load(problem, capacity)) return NULL;
    EVP_MD_CTX *context = crypto.ctx_new();
    if (context == NULL || crypto.init(context, crypto.md5(), NULL) != 1) {
        snprintf(problem, capacity, "libcrypto refuses MD5");
        crypto.ctx_free(context);
        return NULL;
    }
    return (struct ek_md5 *)context;
}

void ek_md5_update(struct ek_md5 *digest, const void *octets, size_t count) {
    (void)crypto.update((EVP_MD_CTX *)digest, octets, count);
}

int ek_md5_finish(struct ek_md5 *digest, unsigned char *out) {
    unsigned length = EK_MD5_LENGTH;
    return crypto.final((EVP_MD_CTX *)digest, out, &length);
}

void ek_md5_free(struct ek_md5 *digest) {
    crypto.ctx_free((EVP_MD_CTX *)digest);
}
