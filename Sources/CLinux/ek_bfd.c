#define _GNU_SOURCE
#include "ek_bfd.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t fill(union address *address, int ipv6, const uint8_t *octets, uint16_t port) {
    memset(address, 0, sizeof *address);
    if (ipv6) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons(port);
        if (octets) memcpy(&address->v6.sin6_addr, octets, 16);
        return sizeof address->v6;
    }
    address->v4.sin_family = AF_INET;
    address->v4.sin_port = htons(port);
    if (octets) memcpy(&address->v4.sin_addr, octets, 4);
    return sizeof address->v4;
}

static int fail(int fd) {
    int error = errno;
    close(fd);
    return -error;
}

static int open_socket(int ipv6) {
    return socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int ek_bfd_listen(int ipv6, uint16_t port) {
    int fd = open_socket(ipv6), on = 1;
    if (fd < 0) return -errno;
    union address address;
    socklen_t length = fill(&address, ipv6, NULL, port);
    if (ipv6) {
        if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0) return fail(fd);
        if (setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on) < 0) return fail(fd);
    } else if (setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof on) < 0) {
        return fail(fd);
    }
    if (bind(fd, &address.any, length) < 0) return fail(fd);
    return fd;
}

int ek_bfd_sender(int ipv6, const uint8_t *source, const uint8_t *neighbor, uint16_t port, int ttl) {
    int fd = open_socket(ipv6), control = IPTOS_PREC_INTERNETCONTROL;
    if (fd < 0) return -errno;
    if (ipv6) {
        if (setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, sizeof ttl) < 0) return fail(fd);
        if (setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &control, sizeof control) < 0) return fail(fd);
    } else {
        if (setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl) < 0) return fail(fd);
        if (setsockopt(fd, IPPROTO_IP, IP_TOS, &control, sizeof control) < 0) return fail(fd);
    }
    union address address;
    int bound = -1;
    for (int port = 49152; port <= 65535 && bound < 0; port++) {
        socklen_t length = fill(&address, ipv6, source, (uint16_t)port);
        bound = bind(fd, &address.any, length);
        if (bound < 0 && errno != EADDRINUSE) return fail(fd);
    }
    if (bound < 0) return fail(fd);
    socklen_t length = fill(&address, ipv6, neighbor, port);
    if (connect(fd, &address.any, length) < 0) return fail(fd);
    return fd;
}

ssize_t ek_bfd_receive(int fd, void *buffer, size_t capacity, uint8_t *sender, int *ttl) {
    union address address;
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int)) * 2];
    } control;
    struct iovec part = {.iov_base = buffer, .iov_len = capacity};
    struct msghdr message = {.msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &part, .msg_iovlen = 1,
                             .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);
    if (n < 0) return -errno;
    *ttl = -1;
    memset(sender, 0, 16);
    if (address.any.sa_family == AF_INET6) memcpy(sender, &address.v6.sin6_addr, 16);
    else memcpy(sender, &address.v4.sin_addr, 4);
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
        int isTTL = part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_TTL;
        int isHops = part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_HOPLIMIT;
        if (isTTL || isHops) memcpy(ttl, CMSG_DATA(part), sizeof *ttl);
    }
    return n;
}

ssize_t ek_bfd_send(int fd, const void *buffer, size_t length) {
    ssize_t n = send(fd, buffer, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    return n < 0 ? -errno : n;
}
