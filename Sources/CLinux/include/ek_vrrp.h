// Raw sockets for VRRP (IP protocol 112) and for gratuitous ARP. All are close-on-exec and non-blocking. -errno on failure.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// An address as two numbers in host order: IPv6's halves; IPv4's number in `low`.
struct ek_ip {
    uint64_t high;
    uint64_t low;
    int is_ipv6;
};

// Which virtual routers' packets are received: bit N % 32 of word N / 32.
struct ek_vrids {
    uint32_t words[8];
};

// Octets of a slot (an IPv6 advertisement has up to 40 + 8 + 255 × 16), and how many packets one call reads at most.
enum { EK_VRRP_SLOT = 4224, EK_VRRP_SLOTS = 16 };

// Receives VRRP packets for these virtual routers that are addressed to `local`: a group, which is joined on the interface,
// or an address of this host, which need not exist yet. `name` is NULL and `index` 0 for any interface.
// `is_signed`: packets with an Authentication Header (protocol 51) around the message instead; IPv4 only.
int ek_vrrp_receiver(const char *name, int index, struct ek_ip local, int is_signed, struct ek_vrids routers);
// Other virtual routers from now on; what is queued already stays.
int ek_vrrp_filter(int fd, int is_ipv6, int is_signed, struct ek_vrids routers);
// The receive buffer, beyond net.core.rmem_max with CAP_NET_ADMIN.
int ek_vrrp_buffer(int fd, int octets);
// Sends packets whose header the caller made through the interface, with the priority of internetwork control.
int ek_vrrp_sender(const char *name, int index, int is_ipv6);
ssize_t ek_vrrp_send(int fd, const void *packet, size_t length, struct ek_ip destination, int index);
// Reads the packets that wait, each with its IP header into a slot of its own. The kernel takes IPv6 headers off: what it says
// about the packet is made one again. Returns how many. What does not fit its slot is cut off, and its header shows it.
// `arrivals`: when the kernel took each packet off the interface, in nanoseconds of CLOCK_MONOTONIC; 0 where it does not say.
int ek_vrrp_receive(int fd, int is_ipv6, uint8_t *slots, uint32_t *lengths, int64_t *arrivals);

// Sends whole Ethernet frames; receives nothing.
int ek_frame_sender(void);
// Sends `count` frames of `length` octets each to one Ethernet destination, that of the first. One that cannot be sent is left out;
// returns 0 or the last such -errno.
int ek_frames_send(int fd, int index, const void *frames, size_t length, unsigned count);

// Overwrites part of a file.
ssize_t ek_pwrite(int fd, const void *buffer, size_t count, int64_t offset);
