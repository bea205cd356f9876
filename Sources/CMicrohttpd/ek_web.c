#include "ek_web.h"
#include "ek_library.h"
#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// The calls that are used, by the types of the headers this was built with.
#define CALLS(X)                                                                                                                 \
    X(MHD_start_daemon)                                                                                                          \
    X(MHD_stop_daemon)                                                                                                           \
    X(MHD_lookup_connection_value)                                                                                               \
    X(MHD_get_connection_values)                                                                                                 \
    X(MHD_basic_auth_get_username_password)                                                                                      \
    X(MHD_free)                                                                                                                  \
    X(MHD_get_connection_info)                                                                                                   \
    X(MHD_create_response_from_callback)                                                                                         \
    X(MHD_add_response_header)                                                                                                   \
    X(MHD_queue_response)                                                                                                        \
    X(MHD_destroy_response)

#define MEMBER(name) __typeof__(&name) name;
#define NAME(name) #name,
static const char *const names[] = {CALLS(NAME)};
static struct {
    CALLS(MEMBER)
} api;
static void *library;

// A connection. Who sends half a request, or none, has a place until somebody else wants it.
struct place {
    int fd;                // -1 = free
    struct in6_addr from;  // whose it is
    int is_asking;         // its request is whole and being answered
    int64_t since;         // when it became what it is, in nanoseconds
};

struct ek_web {
    struct MHD_Daemon *daemon;
    void *context;
    ek_web_asked asked;
    pthread_mutex_t lock;
    unsigned connections;
    struct place places[];
};

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// Where somebody comes from; of IPv4 as an address of IPv6.
static struct in6_addr address_of(const struct sockaddr *name) {
    struct in6_addr address = {0};
    if (name == NULL) return address;
    if (name->sa_family == AF_INET6) return ((const struct sockaddr_in6 *)name)->sin6_addr;
    if (name->sa_family != AF_INET) return address;
    address.s6_addr[10] = address.s6_addr[11] = 0xff;
    memcpy(address.s6_addr + 12, &((const struct sockaddr_in *)name)->sin_addr, 4);
    return address;
}

// A connection's request begins to be answered, or has been.
static void becomes(struct ek_web *web, struct MHD_Connection *connection, int is_asking) {
    const union MHD_ConnectionInfo *info = api.MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct place *place = info == NULL ? NULL : info->socket_context;
    if (place == NULL) return;
    pthread_mutex_lock(&web->lock);
    place->is_asking = is_asking;
    place->since = now();
    pthread_mutex_unlock(&web->lock);
}

static void connection_changed(
    void *context, struct MHD_Connection *connection, void **socket_context, enum MHD_ConnectionNotificationCode code) {
    struct ek_web *web = context;
    struct place *place = *socket_context;
    // Each answer is valid until the next one.
    const union MHD_ConnectionInfo *info = api.MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct in6_addr from = address_of(info == NULL ? NULL : info->client_addr);
    info = api.MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    pthread_mutex_lock(&web->lock);
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (place != NULL) place->fd = -1;
    } else {
        for (unsigned i = 0; i < web->connections && info != NULL; i++) {
            if (web->places[i].fd >= 0) continue;
            web->places[i] = (struct place){.fd = info->connect_fd, .from = from, .is_asking = 0, .since = now()};
            *socket_context = &web->places[i];
            break;
        }
    }
    pthread_mutex_unlock(&web->lock);
}

static void request_completed(
    void *context, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code) {
    (void)state, (void)code;
    becomes(context, connection, 0);
}

// Of one address at most: one host that sends its requests for ever leaves room for the others.
static unsigned most_of_one(unsigned connections) { return connections * 3 / 4; }

// Called for each connection that comes, unless the limits refuse it. While an eighth of the places or less is free, of all or of those that its
// address may have, the one that has asked for nothing for the longest time makes room, of that address if it is for that.
static enum MHD_Result make_room(void *context, const struct sockaddr *name, socklen_t length) {
    (void)length;
    struct ek_web *web = context;
    struct in6_addr from = address_of(name);
    struct place *oldest = NULL, *own = NULL;
    unsigned open = 0, owned = 0, eighth = web->connections / 8;
    pthread_mutex_lock(&web->lock);
    for (unsigned i = 0; i < web->connections; i++) {
        struct place *place = &web->places[i];
        if (place->fd < 0) continue;
        int is_own = memcmp(&place->from, &from, sizeof from) == 0;
        open++;
        owned += is_own;
        if (place->is_asking) continue;
        if (oldest == NULL || place->since < oldest->since) oldest = place;
        if (is_own && (own == NULL || place->since < own->since)) own = place;
    }
    struct place *first = owned >= most_of_one(web->connections) - eighth && own != NULL ? own
                          : open >= web->connections - eighth                           ? oldest
                                                                                        : NULL;
    if (first != NULL) {
        shutdown(first->fd, SHUT_RDWR); // its own thread closes it
        first->since = now();           // another one is next
    }
    pthread_mutex_unlock(&web->lock);
    return MHD_YES;
}

struct ek_request {
    struct MHD_Connection *connection;
    const char *method, *path;
    enum MHD_Result queued;
};

// Called first with the headers, then for each piece of a body, then once more: only then is the answer due.
static enum MHD_Result handle(
    void *context, struct MHD_Connection *connection, const char *path, const char *method, const char *version,
    const char *body, size_t *count, void **state) {
    (void)version;
    (void)body;
    struct ek_web *web = context;
    if (*state == NULL) {
        *state = web; // anything: this request was seen
        return MHD_YES;
    }
    if (*count != 0) {
        *count = 0; // nobody here wants a body
        return MHD_YES;
    }
    becomes(web, connection, 1);
    struct ek_request request = {.connection = connection, .method = method, .path = path, .queued = MHD_NO};
    web->asked(web->context, &request);
    return request.queued;
}

int ek_web_listen(const uint8_t *address, int is_ipv6, uint16_t port, uint16_t *chosen) {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } name = {0};
    socklen_t size = is_ipv6 ? sizeof name.v6 : sizeof name.v4;
    if (is_ipv6) {
        name.v6.sin6_family = AF_INET6;
        name.v6.sin6_port = htons(port);
        memcpy(&name.v6.sin6_addr, address, 16);
    } else {
        name.v4.sin_family = AF_INET;
        name.v4.sin_port = htons(port);
        memcpy(&name.v4.sin_addr, address, 4);
    }
    int fd = socket(name.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int yes = 1;
    // After a restart the port may still be known to connections that have ended.
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
        (is_ipv6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes) < 0) || bind(fd, &name.any, size) < 0 ||
        listen(fd, 64) < 0 || getsockname(fd, &name.any, &size) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    *chosen = ntohs(is_ipv6 ? name.v6.sin6_port : name.v4.sin_port);
    return fd;
}

struct ek_web *ek_web_start(const struct ek_web_settings *settings, char *problem, size_t capacity) {
    if (library == NULL)
        library = ek_library_load("libmicrohttpd.so.12", names, sizeof names / sizeof *names, &api, problem, capacity);
    if (library == NULL) return NULL;
    struct ek_web *web = calloc(1, sizeof *web + settings->connections * sizeof web->places[0]);
    if (web == NULL) {
        snprintf(problem, capacity, "out of memory");
        return NULL;
    }
    web->context = settings->context;
    web->asked = settings->asked;
    web->connections = settings->connections;
    for (unsigned i = 0; i < web->connections; i++) web->places[i].fd = -1;
    pthread_mutex_init(&web->lock, NULL);
    // Threads come and go with large answers: each with a heap of its own would keep what it had.
    mallopt(M_ARENA_MAX, 2);
    // A large answer is pages of its own, which go when nobody reads it any more.
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)settings->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)settings->key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    int secure = settings->certificate != NULL;
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL;
    web->daemon = api.MHD_start_daemon(
        flags | (secure ? MHD_USE_TLS : 0), 0, make_room, web, handle, web,
        MHD_OPTION_NOTIFY_CONNECTION, connection_changed, web,
        MHD_OPTION_NOTIFY_COMPLETED, request_completed, web,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)settings->socket,
        MHD_OPTION_CONNECTION_LIMIT, settings->connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, most_of_one(settings->connections),
        MHD_OPTION_CONNECTION_TIMEOUT, settings->patience_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(32 * 1024),
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)(1024 * 1024),
        MHD_OPTION_ARRAY, secure ? tls : none,
        MHD_OPTION_END);
    if (web->daemon != NULL) return web;
    snprintf(
        problem, capacity, secure ? "the certificate and the key were refused: are they PEM, and of each other?"
                                  : "libmicrohttpd did not start");
    free(web);
    return NULL;
}

void ek_web_stop(struct ek_web *web) {
    api.MHD_stop_daemon(web->daemon);
    free(web);
}

const char *ek_request_method(const struct ek_request *request) { return request->method; }

const char *ek_request_path(const struct ek_request *request) { return request->path; }

const char *ek_request_header(const struct ek_request *request, const char *name) {
    return api.MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

struct visit {
    void *context;
    void (*each)(void *context, const char *name, const char *value);
};

static enum MHD_Result parameter(void *context, enum MHD_ValueKind kind, const char *name, const char *value) {
    (void)kind;
    struct visit *visit = context;
    visit->each(visit->context, name, value == NULL ? "" : value);
    return MHD_YES;
}

void ek_request_parameters(
    const struct ek_request *request, void *context, void (*each)(void *context, const char *name, const char *value)) {
    struct visit visit = {context, each};
    api.MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, parameter, &visit);
}

char *ek_request_password(const struct ek_request *request) {
    char *password = NULL;
    char *user = api.MHD_basic_auth_get_username_password(request->connection, &password);
    api.MHD_free(user);
    char *copy = password == NULL ? NULL : strdup(password);
    api.MHD_free(password);
    return copy;
}

static void queue(
    struct ek_request *request, unsigned status, const char *const headers[], struct MHD_Response *response) {
    if (response == NULL) return; // the connection is closed
    for (size_t i = 0; headers[i] != NULL; i += 2) api.MHD_add_response_header(response, headers[i], headers[i + 1]);
    request->queued = api.MHD_queue_response(request->connection, status, response);
    api.MHD_destroy_response(response);
}

struct body {
    const char *octets;
    size_t count;
    ek_body_end end;
    void *owner;
};

static ssize_t body_next(void *context, uint64_t position, char *buffer, size_t capacity) {
    struct body *body = context;
    size_t left = body->count - (size_t)position, count = left < capacity ? left : capacity;
    memcpy(buffer, body->octets + position, count);
    return count > 0 ? (ssize_t)count : MHD_CONTENT_READER_END_OF_STREAM;
}

static void body_end(void *context) {
    struct body *body = context;
    body->end(body->owner);
    free(body);
}

void ek_request_answer(
    struct ek_request *request, unsigned status, const char *const headers[], const void *octets, size_t count,
    ek_body_end end, void *owner) {
    struct body *body = malloc(sizeof *body);
    struct MHD_Response *response = NULL;
    if (body != NULL) {
        *body = (struct body){octets, count, end, owner};
        response = api.MHD_create_response_from_callback(count, 32 * 1024, body_next, body, body_end);
    }
    if (response == NULL) {
        end(owner);
        free(body);
        return;
    }
    queue(request, status, headers, response);
}

struct stream {
    ek_stream_next next;
    ek_stream_end end;
    void *context;
};

static ssize_t stream_next(void *context, uint64_t position, char *buffer, size_t capacity) {
    (void)position;
    struct stream *stream = context;
    ssize_t count = stream->next(stream->context, buffer, capacity);
    return count > 0 ? count : MHD_CONTENT_READER_END_OF_STREAM;
}

static void stream_end(void *context) {
    struct stream *stream = context;
    stream->end(stream->context);
    free(stream);
}

void ek_request_stream(
    struct ek_request *request, const char *const headers[], ek_stream_next next, ek_stream_end end, void *context) {
    struct stream *stream = malloc(sizeof *stream);
    struct MHD_Response *response = NULL;
    if (stream != NULL) {
        *stream = (struct stream){next, end, context};
        response = api.MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, stream_next, stream, stream_end);
    }
    if (response == NULL) {
        end(context);
        free(stream);
        return;
    }
    queue(request, 200, headers, response);
}
