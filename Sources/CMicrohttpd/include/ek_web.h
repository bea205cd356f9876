// An HTTP server: each connection is a thread, each request is answered by somebody else's function on that thread, which may wait.
//
// libmicrohttpd is loaded when a server is started, not linked: every other command of lbctl does without it. Its calls are variadic,
// so Swift needs this layer anyway.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ek_web;     // a server
struct ek_request; // a request that waits for its answer

// Answers a request, on its connection's thread, by exactly one of ek_request_answer and ek_request_stream.
typedef void (*ek_web_asked)(void *context, struct ek_request *request);

// A TCP socket that listens at an address of 4 or 16 octets in network order; -errno. Port 0: one of the kernel's choice, see `chosen`.
int ek_web_listen(const uint8_t *address, int is_ipv6, uint16_t port, uint16_t *chosen);

struct ek_web_settings {
    int socket;                   // that listens; the server's from now on
    const char *certificate, *key; // PEM; both NULL: no TLS
    unsigned connections;         // at most
    unsigned patience_seconds;    // with a client that neither sends nor takes anything
    void *context;
    ek_web_asked asked;
};

// Starts it; NULL with the reason in `problem` when it cannot be.
struct ek_web *ek_web_start(const struct ek_web_settings *settings, char *problem, size_t capacity);
// Ends it, and waits for what is being answered.
void ek_web_stop(struct ek_web *web);

// Valid until the request is answered.
const char *ek_request_method(const struct ek_request *request);
const char *ek_request_path(const struct ek_request *request);
// Of a header line; NULL = it was not sent. Names are compared without case.
const char *ek_request_header(const struct ek_request *request, const char *name);
// The parameters of the query, decoded; an absent value is empty.
void ek_request_parameters(
    const struct ek_request *request, void *context, void (*each)(void *context, const char *name, const char *value));
// The password of Basic authentication, to be released with free(); NULL = none was sent.
char *ek_request_password(const struct ek_request *request);

// Called once, when nobody reads a body any more.
typedef void (*ek_body_end)(void *owner);
// `headers`: name, value, name, value …, NULL. The body stays where it is until its end is called.
void ek_request_answer(
    struct ek_request *request, unsigned status, const char *const headers[], const void *octets, size_t count,
    ek_body_end end, void *owner);

// What follows in a body without end: puts up to `capacity` octets into `buffer` and says how many, at least one, when there are some; -1
// ends the body. May wait.
typedef ssize_t (*ek_stream_next)(void *context, char *buffer, size_t capacity);
// Called once, when nothing more is wanted.
typedef void (*ek_stream_end)(void *context);
void ek_request_stream(
    struct ek_request *request, const char *const headers[], ek_stream_next next, ek_stream_end end, void *context);
