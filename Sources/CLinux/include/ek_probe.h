// Sockets of health checks: TCP connections that are started without waiting, UDP and ICMP echo sockets with one peer. -errno on failure.
#pragma once
#include <stdint.h>

enum ek_probe_kind { EK_PROBE_TCP = 0, EK_PROBE_UDP = 1, EK_PROBE_ECHO = 2 };

// Where to and, optionally, from where. Addresses hold 4 or 16 octets in network order, ports are in host order.
struct ek_probe_target {
    enum ek_probe_kind kind;
    int is_ipv6;
    uint8_t address[16];
    uint16_t port;
    int has_source;
    uint8_t source[16];
    uint16_t source_port;  // 0 = any; an echo socket has none
    const char *interface; // NULL = any; also the scope of a link-local address
    uint32_t mark;         // 0 = none
};

// What ek_probe_connect was doing when it failed: preparing its own socket, or calling connect().
enum ek_probe_stage { EK_PROBE_PREPARE = 0, EK_PROBE_CONNECT = 1 };

// A non-blocking socket that is connecting or connected (writable when it is decided, see ek_socket_error). On one of datagrams every ICMP
// error that answers it is an error of the next read. -EACCES for an echo socket whose process is in no group of net.ipv4.ping_group_range.
int ek_probe_connect(const struct ek_probe_target *target, int *stage);
// Why the connection failed, as a positive errno; 0 when it did not.
int ek_socket_error(int fd);
