// What the files of this module share: libcurl's calls, and a transfer with what belongs to it.
#pragma once
#include "ek_curl.h"
#include <curl/curl.h>

// The calls that are used, by the types of the headers this was built with.
#define CALLS(X)                                                                                                                 \
    X(curl_global_init)                                                                                                          \
    X(curl_multi_init)                                                                                                           \
    X(curl_multi_setopt)                                                                                                         \
    X(curl_multi_add_handle)                                                                                                     \
    X(curl_multi_remove_handle)                                                                                                  \
    X(curl_multi_socket_action)                                                                                                  \
    X(curl_multi_info_read)                                                                                                      \
    X(curl_easy_init)                                                                                                            \
    X(curl_easy_perform)                                                                                                         \
    X(curl_easy_cleanup)                                                                                                         \
    X(curl_easy_setopt)                                                                                                          \
    X(curl_easy_getinfo)                                                                                                         \
    X(curl_easy_strerror)                                                                                                        \
    X(curl_slist_append)                                                                                                         \
    X(curl_slist_free_all)

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt
#define MEMBER(name) __typeof__(&name) name;
struct ek_curl_api {
    CALLS(MEMBER)
};
extern struct ek_curl_api ek_curl_api;

struct ek_curl {
    CURLM *multi;
    void *context;
    ek_curl_watch watch;
    ek_curl_timer timer;
};

struct ek_transfer {
    CURL *easy;
    struct ek_curl *curl;
    struct curl_slist *headers;
    struct curl_slist *connect_to;
    int64_t certificate_end; // seconds since 1970; 0 = not known
    int socket; // -1 once curl has it
    ek_curl_octets header;
    ek_curl_octets body;
    void *context;
    char error[CURL_ERROR_SIZE];
};

// When the certificate of the server ends, in seconds since 1970, while the transfer runs; 0 = it has none, or nobody can tell.
int64_t ek_certificate_end(CURL *easy);

// How a transfer ended, in words; `error` is curl's of it, "" = none.
const char *ek_curl_words(CURLcode code, const char *error, int was_sent);

// Loads libcurl when it is not there yet; 0 with the reason in `problem` when it cannot be.
int ek_curl_load(char *problem, size_t capacity);
