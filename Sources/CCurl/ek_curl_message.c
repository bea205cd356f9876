// Mail and webhooks: curl makes these connections itself, names included. Nothing here blocks: a name is looked up on a thread that nobody
// waits for (QUICK_EXIT), and the QUIT of SMTP, which libcurl 7 sends blocking, is not waited for either.
#include "ek_curl_private.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define api ek_curl_api

static size_t give_text(char *buffer, size_t size, size_t count, void *user) {
    struct ek_transfer *transfer = user;
    size_t left = transfer->length - transfer->sent, room = size * count;
    size_t part = left < room ? left : room;
    memcpy(buffer, transfer->message + transfer->sent, part);
    transfer->sent += part;
    return part;
}

// The answer to a POST is its status; a server that sends more than this is not listened to.
static size_t drop_answer(char *octets, size_t size, size_t count, void *user) {
    (void)octets;
    struct ek_transfer *transfer = user;
    transfer->sent += size * count;
    return transfer->sent > 1 << 20 ? 0 : size * count;
}

static int note_socket(void *user, curl_socket_t fd, curlsocktype purpose) {
    (void)purpose;
    struct ek_transfer *transfer = user;
    transfer->connection = fd;
    return CURL_SOCKOPT_OK;
}

static int on_said(CURL *easy, curl_infotype kind, char *octets, size_t count, void *user) {
    (void)easy;
    struct ek_transfer *transfer = user;
    if (kind != CURLINFO_HEADER_IN && kind != CURLINFO_HEADER_OUT) return 0;
    if (transfer->said != NULL) transfer->said(transfer->context, kind == CURLINFO_HEADER_IN, octets, count);
    // curl would wait for the answer, and the loop with it.
    int quits = kind == CURLINFO_HEADER_OUT && count >= 4 && memcmp(octets, "QUIT", 4) == 0;
    if (quits && transfer->connection >= 0) shutdown(transfer->connection, SHUT_RD);
    return 0;
}

static int prepare(struct ek_transfer *transfer, const struct ek_message *message) {
    transfer->message = malloc(message->length + 1);
    if (transfer->message == NULL) return 0;
    memcpy(transfer->message, message->text, message->length);
    transfer->length = message->length;
    if (message->from != NULL) {
        transfer->recipients = api.curl_slist_append(NULL, message->to);
        return transfer->recipients != NULL;
    }
    static const char *names[] = {"Content-Type: ", "Expect:", "Accept:"};
    char line[128] = "";
    strncat(line, names[0], sizeof line - 1);
    strncat(line, message->type, sizeof line - 1 - strlen(line));
    names[0] = line;
    for (int index = 0; index < 3; index++) {
        struct curl_slist *list = api.curl_slist_append(transfer->headers, names[index]);
        if (list == NULL) return 0;
        transfer->headers = list;
    }
    return 1;
}

static void configure(struct ek_transfer *transfer, const struct ek_message *message) {
    CURL *easy = transfer->easy;
#define SET(option, value) api.curl_easy_setopt(easy, CURLOPT_##option, value)
    SET(PRIVATE, transfer);
    SET(ERRORBUFFER, transfer->error);
    SET(NOSIGNAL, 1L);
    SET(QUICK_EXIT, 1L);
    SET(PROTOCOLS_STR, "smtp,smtps,http,https");
    SET(PROXY, "");
    SET(URL, message->url);
    SET(FRESH_CONNECT, 1L);
    SET(FORBID_REUSE, 1L);
    SET(SOCKOPTFUNCTION, note_socket);
    SET(SOCKOPTDATA, transfer);
    SET(CONNECTTIMEOUT_MS, message->connect_milliseconds);
    SET(TIMEOUT_MS, message->whole_milliseconds);
    SET(WRITEFUNCTION, drop_answer);
    SET(WRITEDATA, transfer);
    SET(SSL_VERIFYPEER, message->verify ? 1L : 0L);
    SET(SSL_VERIFYHOST, message->verify ? 2L : 0L);
    if (message->authorities != NULL) SET(CAINFO, message->authorities);
    if (message->from == NULL) {
        SET(USERAGENT, "Evenkeel");
        SET(HTTPHEADER, transfer->headers);
        SET(POST, 1L);
        SET(POSTFIELDSIZE_LARGE, (curl_off_t)transfer->length);
        SET(POSTFIELDS, transfer->message);
        return;
    }
    SET(SERVER_RESPONSE_TIMEOUT, message->answer_milliseconds / 1000 > 0 ? message->answer_milliseconds / 1000 : 1L);
    SET(USE_SSL, (long)(message->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    SET(MAIL_FROM, message->from);
    SET(MAIL_RCPT, transfer->recipients);
    SET(UPLOAD, 1L);
    SET(READFUNCTION, give_text);
    SET(READDATA, transfer);
    SET(INFILESIZE_LARGE, (curl_off_t)transfer->length);
    SET(VERBOSE, 1L);
    SET(DEBUGFUNCTION, on_said);
    SET(DEBUGDATA, transfer);
    if (message->user != NULL) {
        SET(USERNAME, message->user);
        SET(PASSWORD, message->password);
    }
#undef SET
}

struct ek_transfer *ek_message_start(struct ek_curl *curl, const struct ek_message *message) {
    struct ek_transfer *transfer = calloc(1, sizeof *transfer);
    if (transfer == NULL) return NULL;
    transfer->socket = transfer->connection = -1;
    transfer->said = message->said;
    transfer->context = message->context;
    transfer->easy = api.curl_easy_init();
    if (transfer->easy == NULL || !prepare(transfer, message)) {
        ek_transfer_free(transfer);
        return NULL;
    }
    configure(transfer, message);
    transfer->curl = curl;
    if (api.curl_multi_add_handle(curl->multi, transfer->easy) != CURLM_OK) {
        transfer->curl = NULL;
        ek_transfer_free(transfer);
        return NULL;
    }
    return transfer;
}
