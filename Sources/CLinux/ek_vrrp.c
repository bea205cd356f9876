#define _GNU_SOURCE
#include "ek_vrrp.h"
#include "ek_io.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
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

// sockaddr_in or sockaddr_in6, as long as it is.
static socklen_t fill(struct sockaddr_storage *storage, struct ek_ip ip, int index) {
    memset(storage, 0, sizeof *storage);
    if (!ip.is_ipv6) {
        struct sockaddr_in *address = (struct sockaddr_in *)storage;
        address->sin_family = AF_INET;
        address->sin_addr.s_addr = htonl((uint32_t)ip.low);
        return sizeof *address;
    }
    struct sockaddr_in6 *address = (struct sockaddr_in6 *)storage;
    uint64_t halves[2] = {htobe64(ip.high), htobe64(ip.low)};
    address->sin6_family = AF_INET6;
    memcpy(&address->sin6_addr, halves, sizeof halves);
    if (IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr) || IN6_IS_ADDR_MULTICAST(&address->sin6_addr))
        address->sin6_scope_id = index;
    return sizeof *address;
}

// A packet is for nobody here unless the octet after version and type has its bit set in `routers`. An IPv4 raw socket's filter sees the
// IP header, IPv6's sees the message (raw_rcv, rawv6_rcv).
int ek_vrrp_filter(int fd, int is_ipv6, int is_signed, struct ek_vrids routers) {
    enum { HEAD = 7, WORDS = 8, TAIL = 5 };
    struct sock_filter code[HEAD + 2 * WORDS + WORDS + TAIL];
    unsigned count = 0;
    if (is_ipv6) {
        code[count++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 1);
    } else {
        code[count++] = (struct sock_filter)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0);
        code[count++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_IND, is_signed ? 24 + 1 : 1);
    }
    code[count++] = (struct sock_filter)BPF_STMT(BPF_ST, 0);
    code[count++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 31);
    code[count++] = (struct sock_filter)BPF_STMT(BPF_MISC | BPF_TAX, 0);
    code[count++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_MEM, 0);
    code[count++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 5);
    for (unsigned word = 0; word < WORDS; word++) {
        // For its own word: load it and jump behind the last one.
        code[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, word, 0, 2);
        code[count++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, routers.words[word]);
        code[count++] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 3 * (WORDS - 1 - word));
    }
    code[count++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_RSH | BPF_X, 0);
    code[count++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 1);
    code[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
    code[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
    code[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0xFFFFFFFF);
    struct sock_fprog program = {.len = count, .filter = code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ? -errno : 0;
}

static int join4(int fd, int index, struct ek_ip local) {
    int off = 0, on = 1;
    uint32_t address = (uint32_t)local.low;
    if (!IN_MULTICAST(address)) return setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
    struct ip_mreqn group = {.imr_multiaddr.s_addr = htonl(address), .imr_ifindex = index};
    if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof off) < 0) return -1;
    return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group);
}

static int join6(int fd, int index, struct ek_ip local) {
    int off = 0, on = 1;
    struct sockaddr_storage address;
    fill(&address, local, index);
    struct ipv6_mreq group = {.ipv6mr_multiaddr = ((struct sockaddr_in6 *)&address)->sin6_addr, .ipv6mr_interface = index};
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) < 0) return -1;
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on) < 0) return -1;
    if (!IN6_IS_ADDR_MULTICAST(&group.ipv6mr_multiaddr))
        return setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on);
    // Since 4.20; without, the socket hears what other processes have joined too, which binding to the group makes harmless.
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, &off, sizeof off) < 0 && errno != ENOPROTOOPT) return -1;
    return setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof group);
}

int ek_vrrp_receiver(const char *name, int index, struct ek_ip local, int is_signed, struct ek_vrids routers) {
    int fd = socket(local.is_ipv6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, is_signed ? 51 : 112);
    if (fd < 0) return -errno;
    // Before anything can arrive.
    int filtered = ek_vrrp_filter(fd, local.is_ipv6, is_signed, routers);
    if (filtered < 0) {
        close(fd);
        return filtered;
    }
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0) return fail(fd);
    if (bind_to_device(fd, name) < 0) return fail(fd);
    if ((local.is_ipv6 ? join6(fd, index, local) : join4(fd, index, local)) < 0) return fail(fd);
    // Bound to the group (or the address), the socket does not see what other sockets of this host are for.
    struct sockaddr_storage address;
    socklen_t length = fill(&address, local, index);
    if (bind(fd, (struct sockaddr *)&address, length) < 0) return fail(fd);
    return fd;
}

int ek_vrrp_buffer(int fd, int octets) {
    // The limit net.core.rmem_max holds only without CAP_NET_ADMIN.
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets) == 0) return 0;
    return setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets) < 0 ? -errno : 0;
}

int ek_vrrp_sender(const char *name, int index, int is_ipv6) {
    int off = 0, priority = 6 /* TC_PRIO_INTERACTIVE */;
    struct ip_mreqn via = {.imr_ifindex = index};
    // IPPROTO_RAW implies IP_HDRINCL in both families and receives nothing.
    int fd = socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
    if (fd < 0) return -errno;
    if (bind_to_device(fd, name) < 0) return fail(fd);
    if (setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof priority) < 0) return fail(fd);
    if (is_ipv6) {
        if (index && setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index) < 0) return fail(fd);
        if (setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &off, sizeof off) < 0) return fail(fd);
    } else {
        if (index && setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &via, sizeof via) < 0) return fail(fd);
        if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &off, sizeof off) < 0) return fail(fd);
    }
    return fd;
}

ssize_t ek_vrrp_send(int fd, const void *packet, size_t length, struct ek_ip destination, int index) {
    struct sockaddr_storage address;
    socklen_t size = fill(&address, destination, index);
    ssize_t sent = sendto(fd, packet, length, 0, (struct sockaddr *)&address, size);
    return sent < 0 ? -errno : sent;
}

// What the kernel says about an IPv6 packet, as its header: hop limit, source, destination. Zero where it does not say.
static void restore_header(uint8_t header[40], struct msghdr *message, uint32_t length) {
    memset(header, 0, 40);
    header[0] = 0x60;
    header[4] = (uint8_t)(length >> 8);
    header[5] = (uint8_t)length;
    header[6] = 112;
    if (message->msg_namelen >= sizeof(struct sockaddr_in6))
        memcpy(header + 8, &((struct sockaddr_in6 *)message->msg_name)->sin6_addr, 16);
    for (struct cmsghdr *item = CMSG_FIRSTHDR(message); item; item = CMSG_NXTHDR(message, item)) {
        if (item->cmsg_level != IPPROTO_IPV6) continue;
        if (item->cmsg_type == IPV6_HOPLIMIT && item->cmsg_len >= CMSG_LEN(sizeof(int))) {
            int limit;
            memcpy(&limit, CMSG_DATA(item), sizeof limit);
            header[7] = (uint8_t)limit;
        } else if (item->cmsg_type == IPV6_PKTINFO && item->cmsg_len >= CMSG_LEN(sizeof(struct in6_pktinfo))) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(item), sizeof info);
            memcpy(header + 24, &info.ipi6_addr, 16);
        }
    }
}

// The time of the wall clock in the message, in nanoseconds; 0 without.
static int64_t stamp(struct msghdr *message) {
    for (struct cmsghdr *item = CMSG_FIRSTHDR(message); item; item = CMSG_NXTHDR(message, item)) {
        if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_TIMESTAMPNS) continue;
        struct timespec time;
        memcpy(&time, CMSG_DATA(item), sizeof time);
        return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
    }
    return 0;
}

int ek_vrrp_receive(int fd, int is_ipv6, uint8_t *slots, uint32_t *lengths, int64_t *arrivals) {
    const size_t header = is_ipv6 ? 40 : 0;
    struct mmsghdr messages[EK_VRRP_SLOTS] = {0};
    struct iovec vectors[EK_VRRP_SLOTS];
    struct sockaddr_in6 sources[EK_VRRP_SLOTS];
    union {
        struct cmsghdr aligned;
        char octets[CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct in6_pktinfo))];
    } controls[EK_VRRP_SLOTS];
    for (int i = 0; i < EK_VRRP_SLOTS; i++) {
        vectors[i] = (struct iovec){slots + (size_t)i * EK_VRRP_SLOT + header, EK_VRRP_SLOT - header};
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_control = &controls[i];
        messages[i].msg_hdr.msg_controllen = sizeof controls[i];
        if (!is_ipv6) continue;
        messages[i].msg_hdr.msg_name = &sources[i];
        messages[i].msg_hdr.msg_namelen = sizeof sources[i];
    }
    int count = recvmmsg(fd, messages, EK_VRRP_SLOTS, MSG_DONTWAIT, NULL);
    if (count < 0) return -errno;
    // The kernel stamps with the wall clock: a packet is as old by this one as by that one.
    const int64_t monotonic = ek_monotonic_ns(), wall = ek_realtime_ns();
    for (int i = 0; i < count; i++) {
        const int64_t stamped = stamp(&messages[i].msg_hdr);
        arrivals[i] = stamped ? monotonic - (wall - stamped) : 0;
        // IPv4's own header says when something is missing.
        bool is_whole = !(messages[i].msg_hdr.msg_flags & MSG_TRUNC);
        lengths[i] = messages[i].msg_len + header;
        if (is_ipv6)
            restore_header(
                slots + (size_t)i * EK_VRRP_SLOT, &messages[i].msg_hdr, is_whole ? messages[i].msg_len : UINT16_MAX);
    }
    return count;
}

int ek_frame_sender(void) {
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    // A takeover of thousands of addresses is queued at once; a frame counts with about 800 octets.
    int room = 8 << 20;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
    return fd;
}

int ek_frames_send(int fd, int index, const void *frames, size_t length, unsigned count) {
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = index, .sll_halen = 6};
    memcpy(address.sll_addr, frames, 6);
    struct mmsghdr messages[64];
    struct iovec parts[64];
    int failure = 0;
    for (const char *next = frames; count > 0;) {
        unsigned some = count < 64 ? count : 64;
        for (unsigned i = 0; i < some; i++) {
            parts[i] = (struct iovec){.iov_base = (void *)(next + i * length), .iov_len = length};
            messages[i] = (struct mmsghdr){
                .msg_hdr = {.msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &parts[i], .msg_iovlen = 1}};
        }
        int sent = sendmmsg(fd, messages, some, 0);
        if (sent < 0) {
            if (errno == EINTR) continue;
            failure = -errno;
            sent = 1;
        }
        next += (size_t)sent * length;
        count -= (unsigned)sent;
    }
    return failure;
}

ssize_t ek_pwrite(int fd, const void *buffer, size_t count, int64_t offset) {
    ssize_t written = pwrite(fd, buffer, count, offset);
    return written < 0 ? -errno : written;
}
