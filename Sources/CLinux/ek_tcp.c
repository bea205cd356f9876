#define _GNU_SOURCE
#include "ek_tcp.h"
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t fill(union address *out, int is_ipv6, const uint8_t *octets, uint16_t port, const char *interface) {
    memset(out, 0, sizeof *out);
    if (!is_ipv6) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(port);
        memcpy(&out->v4.sin_addr, octets, 4);
        return sizeof out->v4;
    }
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(port);
    memcpy(&out->v6.sin6_addr, octets, 16);
    if (interface != NULL && IN6_IS_ADDR_LINKLOCAL(&out->v6.sin6_addr)) {
        out->v6.sin6_scope_id = if_nametoindex(interface);
    }
    return sizeof out->v6;
}

static int prepare(int fd, const struct ek_tcp_target *target) {
    if (target->interface != NULL &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, target->interface, (socklen_t)strlen(target->interface) + 1) < 0) {
        return -errno;
    }
    if (target->mark != 0 && setsockopt(fd, SOL_SOCKET, SO_MARK, &target->mark, sizeof target->mark) < 0) {
        return -errno;
    }
    if (target->has_source || target->source_port != 0) {
        static const uint8_t any[16];
        union address source;
        int reuse = 1;
        socklen_t length = fill(&source, target->is_ipv6, target->has_source ? target->source : any, target->source_port,
                                target->interface);
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
        if (bind(fd, &source.any, length) < 0) return -errno;
    }
    return 0;
}

int ek_tcp_connect(const struct ek_tcp_target *target, int *stage) {
    *stage = EK_TCP_PREPARE;
    int fd = socket(target->is_ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0) return -errno;
    int result = prepare(fd, target);
    if (result == 0) {
        union address peer;
        socklen_t length = fill(&peer, target->is_ipv6, target->address, target->port, target->interface);
        if (connect(fd, &peer.any, length) < 0 && errno != EINPROGRESS) {
            result = -errno;
            *stage = EK_TCP_CONNECT;
        }
    }
    if (result == 0) return fd;
    close(fd);
    return result;
}

int ek_socket_error(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) return errno;
    return error;
}
