// When the certificate of the server ends, from OpenSSL's own session of a transfer that runs: curl's list of certificates spells out each of them
// whole, at every probe.
#define _GNU_SOURCE
#include "ek_curl_private.h"
#include <dlfcn.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <time.h>

static struct {
    int was_tried;
    __typeof__(&SSL_get1_peer_certificate) certificate;
    __typeof__(&X509_get0_notAfter) end;
    __typeof__(&X509_free) release;
    __typeof__(&ASN1_TIME_to_tm) time;
} api;

// libcurl has brought the library in.
static int load(void) {
    if (api.was_tried) return api.time != NULL;
    api.was_tried = 1;
    void *library = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
    if (library == NULL) return 0;
    api.certificate = (__typeof__(api.certificate))dlsym(library, "SSL_get1_peer_certificate");
    api.end = (__typeof__(api.end))dlsym(library, "X509_get0_notAfter");
    api.release = (__typeof__(api.release))dlsym(library, "X509_free");
    if (!api.certificate || !api.end || !api.release) return 0;
    api.time = (__typeof__(api.time))dlsym(library, "ASN1_TIME_to_tm");
    return api.time != NULL;
}

int64_t ek_certificate_end(CURL *easy) {
    struct curl_tlssessioninfo *session = NULL;
    if (ek_curl_api.curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || session == NULL) return 0;
    if (session->backend != CURLSSLBACKEND_OPENSSL || session->internals == NULL || !load()) return 0;
    X509 *certificate = api.certificate((SSL *)session->internals);
    if (certificate == NULL) return 0;
    struct tm parts;
    int64_t end = api.time(api.end(certificate), &parts) == 1 ? (int64_t)timegm(&parts) : 0;
    api.release(certificate);
    return end;
}
