// UDP sockets of BFD (RFC 5881, RFC 5883). Addresses are 4 or 16 octets in network order. Every call returns a value >= 0 or -errno.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Hears control packets on every address of the host.
int ek_bfd_listen(int ipv6, uint16_t port);
// Sends to one neighbor, from a port between 49152 and 65535; no source: the routing table decides.
int ek_bfd_sender(int ipv6, const uint8_t *source, const uint8_t *neighbor, uint16_t port, int ttl);
// One packet without waiting: its length, who sent it, and the TTL it arrived with (-1: not said).
ssize_t ek_bfd_receive(int fd, void *buffer, size_t capacity, uint8_t *sender, int *ttl);
// Sends without waiting.
ssize_t ek_bfd_send(int fd, const void *buffer, size_t length);
