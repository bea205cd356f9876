// Raw sockets for VRRP (IP protocol 112) and for gratuitous ARP. All are close-on-exec and non-blocking. -errno on failure.
// Addresses are in host order.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Receives VRRP packets, IP header included, that are addressed to `local`: a group, which is joined on the interface,
// or an address of this host, which need not exist yet. `name` is NULL and `index` 0 for any interface.
int ek_vrrp_receiver(const char *name, int index, uint32_t local);
// Sends IPv4 packets whose header the caller made, through the interface, with precedence "internetwork control".
int ek_vrrp_sender(const char *name, int index);
ssize_t ek_vrrp_send(int fd, const void *packet, size_t length, uint32_t destination);
ssize_t ek_vrrp_receive(int fd, void *buffer, size_t capacity);

// Sends whole Ethernet frames; receives nothing.
int ek_frame_sender(void);
ssize_t ek_frame_send(int fd, int index, const void *frame, size_t length);

// SCHED_RR for this process, not for its children; keeps its memory from being swapped out.
int ek_realtime(int priority);
int ek_lock_memory(void);
// Overwrites part of a file.
ssize_t ek_pwrite(int fd, const void *buffer, size_t count, int64_t offset);
