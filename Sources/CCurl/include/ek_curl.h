// HTTP over connections that are made already, by libcurl's multi-socket interface on somebody else's event loop.
//
// libcurl is loaded when the first transfer is made, not linked: linked it costs checkd 6 MB RSS and 5 MB PSS even when every
// check is a TCP_CHECK (docs/checkd.md has the numbers). curl's calls are variadic, so Swift needs this layer anyway.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct ek_curl;     // one multi handle
struct ek_transfer; // one request and its answer

enum { EK_CURL_READ = 1, EK_CURL_WRITE = 2 };

// Watch `fd` for EK_CURL_READ and EK_CURL_WRITE from now on; 0 = forget it (before it is closed).
typedef void (*ek_curl_watch)(void *context, int fd, int interest);
// Call ek_curl_ready(…, -1, 0) after so many milliseconds instead of any earlier wish; -1 = never.
typedef void (*ek_curl_timer)(void *context, long milliseconds);
// A header line with its end, from the status line to the empty line, or a piece of the body; returns 1 to go on and 0 to stop
// the transfer.
typedef int (*ek_curl_octets)(void *context, const void *octets, size_t count);

// Something that was said in an SMTP dialog, by the server (1) or by us: whole lines.
typedef void (*ek_curl_said)(void *context, int by_server, const char *octets, size_t count);

// NULL when libcurl cannot be loaded, with the reason in `problem`. The callbacks run inside the calls below.
// There is no close: a process that has begun to check goes on.
struct ek_curl *ek_curl_open(void *context, ek_curl_watch watch, ek_curl_timer timer, char *problem, size_t capacity);
// A watched descriptor is ready (EK_CURL_READ, EK_CURL_WRITE; 0 = error), or (fd -1) the timer has fired.
void ek_curl_ready(struct ek_curl *curl, int fd, int readiness);

// MARK: requests of probes

enum ek_http_version { EK_HTTP_1_0, EK_HTTP_1_1 };

// A file's content; NULL = none.
struct ek_blob {
    const void *octets;
    size_t count;
};

struct ek_request {
    const char *url;          // scheme, name or address, port: what TLS sees as the server's name
    const char *path;         // sent as it is
    const char *host;         // the Host header
    int version;              // enum ek_http_version
    int closes;               // send "Connection: close"
    int verify;               // the certificate must be valid for the name in `url`
    const char *authorities;  // for `verify`: a PEM file whose content never changes; NULL = the system's
    // PEM; they stay as long as the transfer.
    struct ek_blob certificate; // shown to a server that asks for one
    struct ek_blob key;         // its key
    const char *password;     // the key's; NULL = none
    int socket;               // connected; owned by the transfer from the call on
    ek_curl_octets header;
    ek_curl_octets body;
    void *context;
};

// What curl's result says, and so whose doing it is.
enum ek_curl_end {
    EK_ANSWERED, // an answer came, or as much of it as the server sent
    EK_STOPPED,  // by a callback
    EK_ENCODED,  // the headers are there, the body is in an encoding that curl does not know
    EK_BROKEN,   // the connection broke; `system_error` says how, 0 = closed
    EK_TLS,      // the handshake or the certificate: the server's
    EK_BAD,      // not what curl takes for HTTP: the server's
    EK_SLOW,     // a time limit of curl's own
    EK_HOST,     // this host: its settings, its libraries, the request itself
    EK_FILES,    // this host: certificate, key or authorities, which curl knows as memory only
    EK_EITHER    // the server's doing once it has been heard, this host's before: memory, what is not supported, unknown codes
};

struct ek_result {
    int code; // CURLcode
    long status; // 0 = no status line was understood
    int system_error;
    int was_sent; // 1 once the request, or a part of it, went out
    int64_t certificate_end; // of the server, in seconds since 1970; 0 = none, or not known
    char text[256];
};

// What a CURLcode says. The table names every code that curl's headers have; the compiler sees to that.
enum ek_curl_end ek_curl_end_of(int code);
// How many codes curl's headers have: they are 0 to this minus 1.
int ek_curl_codes(void);

// NULL when out of memory (the socket is closed then too).
struct ek_transfer *ek_transfer_start(struct ek_curl *curl, const struct ek_request *request);
// The next transfer that has ended, by the context of its request; NULL when there is none. Free the transfer.
void *ek_curl_next_ended(struct ek_curl *curl, struct ek_result *result);
// Ends the transfer if it runs, and closes its socket. Not from within a callback.
void ek_transfer_free(struct ek_transfer *transfer);

// MARK: messages

// A mail for one recipient, or a POST of HTTP. curl looks the name up and makes the connection. For a thread of its own: libcurl's SMTP waits
// for the reply to the text and to QUIT whatever interface is used.
struct ek_message {
    const char *url;          // smtp://HOST:PORT/HELO, smtps://…, http://…, https://…
    const char *from;         // the sender's address; NULL = this is a POST
    const char *to;           // the recipient's address
    const char *type;         // of a POST's content
    const char *text;         // the mail with its header, lines ended by CRLF; or the content
    size_t length;
    int starttls;             // nothing is said but by TLS (smtp://)
    int verify;               // the certificate must be valid for the host
    const char *authorities;  // CA file for `verify`; NULL = the system's
    const char *user;         // NULL = no AUTH
    const char *password;
    long connect_milliseconds;
    long answer_milliseconds; // for one answer of the SMTP server
    long whole_milliseconds;
    ek_curl_said said;        // of a mail
    void *context;            // of `said`
};

// Loads libcurl, if it is not there, so that other threads may send messages; 0 with the reason in `problem` when that cannot be done.
int ek_message_prepare(char *problem, size_t capacity);
// Sends a message and waits for its end; `status` is the last code that the server said. 0 when out of memory.
int ek_message_send(const struct ek_message *message, struct ek_result *result);
