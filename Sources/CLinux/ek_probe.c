#define _GNU_SOURCE
#include "ek_probe.h"
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

static int open_socket(const struct ek_probe_target *target) {
    const int family = target->is_ipv6 ? AF_INET6 : AF_INET;
    const int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    int fd = -1;
    switch (target->kind) {
    case EK_PROBE_TCP: fd = socket(family, SOCK_STREAM | flags, IPPROTO_TCP); break;
    case EK_PROBE_UDP: fd = socket(family, SOCK_DGRAM | flags, IPPROTO_UDP); break;
    case EK_PROBE_ECHO: fd = socket(family, SOCK_DGRAM | flags, target->is_ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP); break;
    }
    return fd < 0 ? -errno : fd;
}

static int prepare(int fd, const struct ek_probe_target *target) {
    const uint16_t source_port = target->kind == EK_PROBE_ECHO ? 0 : target->source_port;
    if (target->interface != NULL &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, target->interface, (socklen_t)strlen(target->interface) + 1) < 0) {
        return -errno;
    }
    if (target->mark != 0 && setsockopt(fd, SOL_SOCKET, SO_MARK, &target->mark, sizeof target->mark) < 0) {
        return -errno;
    }
    if (target->kind != EK_PROBE_TCP) {
        const int on = 1;
        // Else only a closed port is told, not a host that is away.
        if (setsockopt(fd, target->is_ipv6 ? SOL_IPV6 : SOL_IP, target->is_ipv6 ? IPV6_RECVERR : IP_RECVERR, &on, sizeof on) < 0) {
            return -errno;
        }
    }
    if (target->has_source || source_port != 0) {
        static const uint8_t any[16];
        union address source;
        int reuse = 1;
        socklen_t length = fill(&source, target->is_ipv6, target->has_source ? target->source : any, source_port,
                                target->interface);
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
        if (bind(fd, &source.any, length) < 0) return -errno;
    }
    return 0;
}

int ek_probe_connect(const struct ek_probe_target *target, int *stage) {
    *stage = EK_PROBE_PREPARE;
    int fd = open_socket(target);
    if (fd < 0) return fd;
    int result = prepare(fd, target);
    if (result == 0) {
        union address peer;
        socklen_t length = fill(&peer, target->is_ipv6, target->address, target->port, target->interface);
        if (connect(fd, &peer.any, length) < 0 && errno != EINPROGRESS) {
            result = -errno;
            *stage = EK_PROBE_CONNECT;
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
