#define _GNU_SOURCE
#include "ek_vrrp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static int fail(int fd) {
    int code = errno;
    close(fd);
    return -code;
}

static int bind_to_device(int fd, const char *name) {
    return name ? setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, strlen(name) + 1) : 0;
}

int ek_vrrp_receiver(const char *name, int index, uint32_t local) {
    // 255 routers share this socket, a packet counts as up to 2304 octets: room for one late turn of all of them, twice over. The limit
    // net.core.rmem_max holds only without CAP_NET_ADMIN.
    int off = 0, on = 1, room = 1 << 20;
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 112);
    if (fd < 0) return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (bind_to_device(fd, name) < 0) return fail(fd);
    if (IN_MULTICAST(local)) {
        struct ip_mreqn group = {.imr_multiaddr.s_addr = htonl(local), .imr_ifindex = index};
        if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof off) < 0) return fail(fd);
        if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group) < 0) return fail(fd);
    } else if (setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on) < 0) {
        return fail(fd);
    }
    // Bound to the group (or the address), the socket does not see what other sockets of this host are for.
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(local)};
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return fail(fd);
    return fd;
}

int ek_vrrp_sender(const char *name, int index) {
    int off = 0, priority = 6 /* TC_PRIO_INTERACTIVE */;
    struct ip_mreqn via = {.imr_ifindex = index};
    // IPPROTO_RAW implies IP_HDRINCL and receives nothing.
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
    if (fd < 0) return -errno;
    if (bind_to_device(fd, name) < 0) return fail(fd);
    if (index && setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &via, sizeof via) < 0) return fail(fd);
    if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &off, sizeof off) < 0) return fail(fd);
    if (setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof priority) < 0) return fail(fd);
    return fd;
}

ssize_t ek_vrrp_send(int fd, const void *packet, size_t length, uint32_t destination) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(destination)};
    ssize_t sent = sendto(fd, packet, length, 0, (struct sockaddr *)&address, sizeof address);
    return sent < 0 ? -errno : sent;
}

ssize_t ek_vrrp_receive(int fd, void *buffer, size_t capacity) {
    ssize_t received = recv(fd, buffer, capacity, 0);
    return received < 0 ? -errno : received;
}

int ek_frame_sender(void) {
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 ? -errno : fd;
}

ssize_t ek_frame_send(int fd, int index, const void *frame, size_t length) {
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = index, .sll_halen = 6};
    memcpy(address.sll_addr, frame, 6);
    ssize_t sent = sendto(fd, frame, length, 0, (struct sockaddr *)&address, sizeof address);
    return sent < 0 ? -errno : sent;
}

int ek_realtime(int priority) {
    struct sched_param parameters = {.sched_priority = priority};
    return sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &parameters) < 0 ? -errno : 0;
}

int ek_lock_memory(void) {
    return mlockall(MCL_CURRENT | MCL_FUTURE) < 0 ? -errno : 0;
}

ssize_t ek_pwrite(int fd, const void *buffer, size_t count, int64_t offset) {
    ssize_t written = pwrite(fd, buffer, count, offset);
    return written < 0 ? -errno : written;
}
