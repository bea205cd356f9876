// Mail and webhooks: curl makes these connections itself, names included. Waits; for a thread of its own.
#include "ek_curl_private.h"
#include <stdio.h>
#include <string.h>

#define api ek_curl_api

struct progress {
    const struct ek_message *message;
    size_t sent;
    size_t heard;
};

static size_t give_text(char *buffer, size_t size, size_t count, void *user) {
    struct progress *progress = user;
    size_t left = progress->message->length - progress->sent, room = size * count;
    size_t part = left < room ? left : room;
    memcpy(buffer, progress->message->text + progress->sent, part);
    progress->sent += part;
    return part;
}

// The answer to a POST is its status; a server that sends more than this is not listened to.
static size_t drop_answer(char *octets, size_t size, size_t count, void *user) {
    (void)octets;
    struct progress *progress = user;
    progress->heard += size * count;
    return progress->heard > 1 << 20 ? 0 : size * count;
}

static int on_said(CURL *easy, curl_infotype kind, char *octets, size_t count, void *user) {
    (void)easy;
    struct progress *progress = user;
    if (kind != CURLINFO_HEADER_IN && kind != CURLINFO_HEADER_OUT) return 0;
    progress->message->said(progress->message->context, kind == CURLINFO_HEADER_IN, octets, count);
    return 0;
}

static void configure(CURL *easy, const struct ek_message *message, struct progress *progress, struct curl_slist *list) {
#define SET(option, value) api.curl_easy_setopt(easy, CURLOPT_##option, value)
    SET(NOSIGNAL, 1L);
    SET(PROTOCOLS_STR, "smtp,smtps,http,https");
    SET(PROXY, "");
    SET(URL, message->url);
    SET(CONNECTTIMEOUT_MS, message->connect_milliseconds);
    SET(TIMEOUT_MS, message->whole_milliseconds);
    SET(WRITEFUNCTION, drop_answer);
    SET(WRITEDATA, progress);
    SET(SSL_VERIFYPEER, message->verify ? 1L : 0L);
    SET(SSL_VERIFYHOST, message->verify ? 2L : 0L);
    if (message->authorities != NULL) SET(CAINFO, message->authorities);
    if (message->from == NULL) {
        SET(USERAGENT, "Evenkeel");
        SET(HTTPHEADER, list);
        SET(POST, 1L);
        SET(POSTFIELDSIZE_LARGE, (curl_off_t)message->length);
        SET(POSTFIELDS, message->text);
        return;
    }
    SET(SERVER_RESPONSE_TIMEOUT, message->answer_milliseconds / 1000 > 0 ? message->answer_milliseconds / 1000 : 1L);
    SET(USE_SSL, (long)(message->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    SET(MAIL_FROM, message->from);
    SET(MAIL_RCPT, list);
    SET(UPLOAD, 1L);
    SET(READFUNCTION, give_text);
    SET(READDATA, progress);
    SET(INFILESIZE_LARGE, (curl_off_t)message->length);
    SET(VERBOSE, 1L);
    SET(DEBUGFUNCTION, on_said);
    SET(DEBUGDATA, progress);
    if (message->user != NULL) {
        SET(USERNAME, message->user);
        SET(PASSWORD, message->password);
    }
#undef SET
}

// Recipients, or the header of a POST; NULL when out of memory.
static struct curl_slist *list_of(const struct ek_message *message) {
    if (message->from != NULL) return api.curl_slist_append(NULL, message->to);
    char type[128];
    snprintf(type, sizeof type, "Content-Type: %s", message->type);
    const char *lines[] = {type, "Expect:", "Accept:"};
    struct curl_slist *list = NULL;
    for (int index = 0; index < 3; index++) {
        struct curl_slist *longer = api.curl_slist_append(list, lines[index]);
        if (longer == NULL) {
            api.curl_slist_free_all(list);
            return NULL;
        }
        list = longer;
    }
    return list;
}

int ek_message_prepare(char *problem, size_t capacity) {
    return ek_curl_load(problem, capacity);
}

int ek_message_send(const struct ek_message *message, struct ek_result *result) {
    struct progress progress = {.message = message};
    char error[CURL_ERROR_SIZE] = "";
    CURL *easy = api.curl_easy_init();
    struct curl_slist *list = easy == NULL ? NULL : list_of(message);
    if (list != NULL) {
        configure(easy, message, &progress, list);
        api.curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
        *result = (struct ek_result){.code = api.curl_easy_perform(easy)};
        api.curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &result->status);
        snprintf(result->text, sizeof result->text, "%s", ek_curl_words((CURLcode)result->code, error, result->status != 0));
    }
    if (easy != NULL) api.curl_easy_cleanup(easy);
    api.curl_slist_free_all(list);
    return list != NULL;
}
