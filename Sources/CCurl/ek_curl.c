#include "ek_curl_private.h"
#include "ek_library.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ek_curl_api ek_curl_api;
#define api ek_curl_api

#define NAME(name) #name,
static const char *const names[] = {CALLS(NAME)};
static void *loaded;

int ek_curl_load(char *problem, size_t capacity) {
    if (loaded != NULL) return 1;
    void *library = ek_library_load("libcurl.so.4", names, sizeof names / sizeof *names, &api, problem, capacity);
    if (library == NULL) return 0;
    // The process may end while a thread sends a mail: OpenSSL is not to clean up under it.
    int (*prepare)(uint64_t, const void *) = (int (*)(uint64_t, const void *))dlsym(library, "OPENSSL_init_crypto");
    if (prepare != NULL) prepare(0x80000, NULL); // OPENSSL_INIT_NO_ATEXIT
    if (api.curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK) {
        snprintf(problem, capacity, "libcurl cannot be initialised");
        dlclose(library);
        return 0;
    }
    loaded = library;
    return 1;
}

// MARK: the multi handle

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *per_socket) {
    (void)easy, (void)per_socket;
    struct ek_curl *curl = user;
    int interest = what == CURL_POLL_IN ? EK_CURL_READ : what == CURL_POLL_OUT ? EK_CURL_WRITE : 0;
    if (what == CURL_POLL_INOUT) interest = EK_CURL_READ | EK_CURL_WRITE;
    curl->watch(curl->context, fd, interest);
    return 0;
}

static int on_timer(CURLM *multi, long milliseconds, void *user) {
    (void)multi;
    struct ek_curl *curl = user;
    curl->timer(curl->context, milliseconds);
    return 0;
}

struct ek_curl *ek_curl_open(void *context, ek_curl_watch watch, ek_curl_timer timer, char *problem, size_t capacity) {
    if (!ek_curl_load(problem, capacity)) return NULL;
    struct ek_curl *curl = calloc(1, sizeof *curl);
    CURLM *multi = api.curl_multi_init();
    if (curl == NULL || multi == NULL) {
        snprintf(problem, capacity, "out of memory");
        free(curl);
        return NULL;
    }
    *curl = (struct ek_curl){.multi = multi, .context = context, .watch = watch, .timer = timer};
    api.curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    api.curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, curl);
    api.curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    api.curl_multi_setopt(multi, CURLMOPT_TIMERDATA, curl);
    api.curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1L);
    return curl;
}

void ek_curl_ready(struct ek_curl *curl, int fd, int readiness) {
    int running = 0;
    int mask = (readiness & EK_CURL_READ ? CURL_CSELECT_IN : 0) | (readiness & EK_CURL_WRITE ? CURL_CSELECT_OUT : 0);
    if (fd < 0) {
        api.curl_multi_socket_action(curl->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    } else {
        api.curl_multi_socket_action(curl->multi, fd, mask != 0 ? mask : CURL_CSELECT_ERR, &running);
    }
}

// MARK: transfers

static curl_socket_t give_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)purpose, (void)address;
    struct ek_transfer *transfer = user;
    int fd = transfer->socket;
    transfer->socket = -1;
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int is_connected(void *user, curl_socket_t fd, curlsocktype purpose) {
    (void)user, (void)fd, (void)purpose;
    return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static size_t on_header(char *octets, size_t size, size_t count, void *user) {
    struct ek_transfer *transfer = user;
    if (transfer->certificate_end == 0) transfer->certificate_end = ek_certificate_end(transfer->easy);
    return transfer->header(transfer->context, octets, size * count) ? size * count : 0;
}

static size_t on_body(char *octets, size_t size, size_t count, void *user) {
    struct ek_transfer *transfer = user;
    return transfer->body(transfer->context, octets, size * count) ? size * count : 0;
}

static int add_header(struct ek_transfer *transfer, const char *name, const char *value) {
    size_t length = strlen(name) + strlen(value) + 3;
    char *line = malloc(length);
    if (line == NULL) return 0;
    snprintf(line, length, "%s: %s", name, value);
    struct curl_slist *list = api.curl_slist_append(transfer->headers, line);
    free(line);
    if (list == NULL) return 0;
    transfer->headers = list;
    return 1;
}

// "Accept:" without a value takes away the header that curl would add.
static int fill_headers(struct ek_transfer *transfer, const struct ek_request *request) {
    struct curl_slist *list = api.curl_slist_append(NULL, "Accept:");
    if (list == NULL) return 0;
    transfer->headers = list;
    if (request->closes && !add_header(transfer, "Connection", "close")) return 0;
    return add_header(transfer, "Host", request->host);
}

static void set_blob(CURL *easy, CURLoption option, struct ek_blob content) {
    struct curl_blob blob = {.data = (void *)content.octets, .len = content.count, .flags = CURL_BLOB_NOCOPY};
    api.curl_easy_setopt(easy, option, &blob);
}

static void configure(struct ek_transfer *transfer, const struct ek_request *request) {
    CURL *easy = transfer->easy;
#define SET(option, value) api.curl_easy_setopt(easy, CURLOPT_##option, value)
    SET(PRIVATE, transfer);
    SET(ERRORBUFFER, transfer->error);
    SET(NOSIGNAL, 1L);
    SET(PROTOCOLS_STR, "http,https");
    SET(PROXY, "");
    SET(URL, request->url);
    SET(REQUEST_TARGET, request->path);
    SET(USERAGENT, "KeepAliveClient");
    SET(HTTPHEADER, transfer->headers);
    // No address is looked up: the connection exists, the name in the URL is only for TLS.
    SET(CONNECT_TO, transfer->connect_to);
    SET(OPENSOCKETFUNCTION, give_socket);
    SET(OPENSOCKETDATA, transfer);
    SET(SOCKOPTFUNCTION, is_connected);
    SET(FRESH_CONNECT, 1L);
    SET(FORBID_REUSE, 1L);
    // The body is wanted as it was sent, and the time limits are the caller's.
    SET(HTTP_TRANSFER_DECODING, 0L);
    // A Content-Length that is no number is no reason to refuse an answer; the caller knows where a body ends.
    SET(IGNORE_CONTENT_LENGTH, 1L);
    SET(HTTP_VERSION, (long)(request->version == EK_HTTP_1_1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_1_0));
    SET(CONNECTTIMEOUT_MS, 3600000L);
    SET(BUFFERSIZE, 8192L);
    SET(HEADERFUNCTION, on_header);
    SET(HEADERDATA, transfer);
    SET(WRITEFUNCTION, on_body);
    SET(WRITEDATA, transfer);
    SET(SSL_SESSIONID_CACHE, 0L);
    SET(SSL_ENABLE_ALPN, 0L);
    SET(SSL_VERIFYPEER, request->verify ? 1L : 0L);
    SET(SSL_VERIFYHOST, request->verify ? 2L : 0L);
    // Reading the system's authorities for nothing takes longer than the whole probe; and where others are named these do not count.
    if (!request->verify || request->authorities != NULL) {
        SET(CAPATH, NULL);
        SET(CAINFO, request->authorities);
        // What curl has parsed of a file it keeps; of memory it would parse it again for each probe.
        SET(CA_CACHE_TIMEOUT, -1L);
    }
    if (request->certificate.octets != NULL) {
        set_blob(easy, CURLOPT_SSLCERT_BLOB, request->certificate);
        set_blob(easy, CURLOPT_SSLKEY_BLOB, request->key);
        // Never asked for on a terminal.
        SET(KEYPASSWD, request->password != NULL ? request->password : "");
    }
#undef SET
}

struct ek_transfer *ek_transfer_start(struct ek_curl *curl, const struct ek_request *request) {
    struct ek_transfer *transfer = calloc(1, sizeof *transfer);
    CURL *easy = api.curl_easy_init();
    if (transfer == NULL || easy == NULL) {
        close(request->socket);
        if (easy != NULL) api.curl_easy_cleanup(easy);
        free(transfer);
        return NULL;
    }
    transfer->easy = easy;
    transfer->socket = request->socket;
    transfer->header = request->header;
    transfer->body = request->body;
    transfer->context = request->context;
    transfer->connect_to = api.curl_slist_append(NULL, "::127.0.0.1:");
    if (transfer->connect_to == NULL || !fill_headers(transfer, request)) {
        ek_transfer_free(transfer);
        return NULL;
    }
    configure(transfer, request);
    transfer->curl = curl;
    if (api.curl_multi_add_handle(curl->multi, easy) != CURLM_OK) {
        transfer->curl = NULL;
        ek_transfer_free(transfer);
        return NULL;
    }
    return transfer;
}

// No default: a code that is missing here is an error of the compiler.
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wswitch-enum"
enum ek_curl_end ek_curl_end_of(int code) {
    switch ((CURLcode)code) {
    case CURLE_OK: case CURLE_PARTIAL_FILE: case CURLE_HTTP_RETURNED_ERROR: return EK_ANSWERED;
    case CURLE_WRITE_ERROR: return EK_STOPPED;
    case CURLE_COULDNT_CONNECT: case CURLE_SEND_ERROR: case CURLE_RECV_ERROR: case CURLE_GOT_NOTHING: return EK_BROKEN;
    case CURLE_SSL_CONNECT_ERROR: case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_SHUTDOWN_FAILED:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH: case CURLE_SSL_INVALIDCERTSTATUS: case CURLE_SSL_CLIENTCERT: return EK_TLS;
    case CURLE_BAD_CONTENT_ENCODING: return EK_ENCODED;
    case CURLE_WEIRD_SERVER_REPLY: case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_FILESIZE_EXCEEDED: case CURLE_RANGE_ERROR: case CURLE_HTTP2: case CURLE_HTTP2_STREAM: case CURLE_HTTP3:
    case CURLE_QUIC_CONNECT_ERROR: return EK_BAD;
    case CURLE_OPERATION_TIMEDOUT: return EK_SLOW;
    case CURLE_FAILED_INIT: case CURLE_URL_MALFORMAT: case CURLE_NOT_BUILT_IN: case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST: case CURLE_READ_ERROR: case CURLE_HTTP_POST_ERROR:
    case CURLE_FILE_COULDNT_READ_FILE: case CURLE_FUNCTION_NOT_FOUND: case CURLE_ABORTED_BY_CALLBACK:
    case CURLE_BAD_FUNCTION_ARGUMENT: case CURLE_INTERFACE_FAILED: case CURLE_UNKNOWN_OPTION:
    case CURLE_SETOPT_OPTION_SYNTAX: case CURLE_SSL_ENGINE_NOTFOUND: case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED: case CURLE_SSL_CIPHER:
    case CURLE_SSL_CRL_BADFILE: case CURLE_SSL_ISSUER_ERROR: case CURLE_SEND_FAIL_REWIND:
    case CURLE_NO_CONNECTION_AVAILABLE: case CURLE_RECURSIVE_API_CALL: case CURLE_PROXY:
    case CURLE_UNRECOVERABLE_POLL: return EK_HOST;
    case CURLE_SSL_CERTPROBLEM: case CURLE_SSL_CACERT_BADFILE: return EK_FILES;
    // A header of more than 100 KB is OUT_OF_MEMORY, a version of HTTP that curl does not have UNSUPPORTED_PROTOCOL.
    case CURLE_OUT_OF_MEMORY: case CURLE_UNSUPPORTED_PROTOCOL: return EK_EITHER;
    // Of protocols that are never asked for, and of no protocol any more.
    case CURLE_REMOTE_ACCESS_DENIED: case CURLE_FTP_ACCEPT_FAILED: case CURLE_FTP_WEIRD_PASS_REPLY:
    case CURLE_FTP_ACCEPT_TIMEOUT: case CURLE_FTP_WEIRD_PASV_REPLY: case CURLE_FTP_WEIRD_227_FORMAT:
    case CURLE_FTP_CANT_GET_HOST: case CURLE_FTP_COULDNT_SET_TYPE: case CURLE_FTP_COULDNT_RETR_FILE:
    case CURLE_FTP_PORT_FAILED: case CURLE_FTP_COULDNT_USE_REST: case CURLE_FTP_PRET_FAILED:
    case CURLE_FTP_BAD_FILE_LIST: case CURLE_QUOTE_ERROR: case CURLE_UPLOAD_FAILED: case CURLE_BAD_DOWNLOAD_RESUME:
    case CURLE_LDAP_CANNOT_BIND: case CURLE_LDAP_SEARCH_FAILED: case CURLE_USE_SSL_FAILED: case CURLE_LOGIN_DENIED:
    case CURLE_TFTP_NOTFOUND: case CURLE_TFTP_PERM: case CURLE_REMOTE_DISK_FULL: case CURLE_TFTP_ILLEGAL:
    case CURLE_TFTP_UNKNOWNID: case CURLE_REMOTE_FILE_EXISTS: case CURLE_TFTP_NOSUCHUSER:
    case CURLE_REMOTE_FILE_NOT_FOUND: case CURLE_SSH: case CURLE_AGAIN: case CURLE_RTSP_CSEQ_ERROR:
    case CURLE_RTSP_SESSION_ERROR: case CURLE_CHUNK_FAILED: case CURLE_AUTH_ERROR: case CURLE_OBSOLETE20:
    case CURLE_OBSOLETE24: case CURLE_OBSOLETE29: case CURLE_OBSOLETE32: case CURLE_OBSOLETE40: case CURLE_OBSOLETE44:
    case CURLE_OBSOLETE46: case CURLE_OBSOLETE50: case CURLE_OBSOLETE51: case CURLE_OBSOLETE57: case CURLE_OBSOLETE62:
    case CURLE_OBSOLETE75: case CURLE_OBSOLETE76: case CURL_LAST: return EK_EITHER;
    }
    return EK_EITHER; // A newer libcurl than these headers.
}
#pragma GCC diagnostic pop

const char *ek_curl_words(CURLcode code, const char *error, int was_sent) {
    // Of a header or a trailer that is too long curl has no more to say than this.
    const int is_memory = code == CURLE_OUT_OF_MEMORY || strncmp(error, "Out of memory", 13) == 0;
    if (is_memory && was_sent) return "a header or a trailer does not end";
    return error[0] != '\0' ? error : api.curl_easy_strerror(code);
}

int ek_curl_codes(void) {
    return CURL_LAST;
}

void *ek_curl_next_ended(struct ek_curl *curl, struct ek_result *result) {
    int left = 0;
    CURLMsg *message;
    while ((message = api.curl_multi_info_read(curl->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) continue;
        CURLcode code = message->data.result;
        struct ek_transfer *transfer = NULL;
        long system_error = 0, sent = 0;
        *result = (struct ek_result){.code = code};
        api.curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        api.curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &result->status);
        api.curl_easy_getinfo(message->easy_handle, CURLINFO_OS_ERRNO, &system_error);
        api.curl_easy_getinfo(message->easy_handle, CURLINFO_REQUEST_SIZE, &sent);
        result->system_error = code == CURLE_GOT_NOTHING ? 0 : (int)system_error;
        result->was_sent = sent > 0;
        result->certificate_end = transfer->certificate_end;
        snprintf(result->text, sizeof result->text, "%s", ek_curl_words(code, transfer->error, result->was_sent));
        return transfer->context;
    }
    return NULL;
}

void ek_transfer_free(struct ek_transfer *transfer) {
    if (transfer == NULL) return;
    if (transfer->curl != NULL) api.curl_multi_remove_handle(transfer->curl->multi, transfer->easy);
    api.curl_easy_cleanup(transfer->easy);
    if (transfer->socket >= 0) close(transfer->socket);
    api.curl_slist_free_all(transfer->headers);
    api.curl_slist_free_all(transfer->connect_to);
    free(transfer);
}
