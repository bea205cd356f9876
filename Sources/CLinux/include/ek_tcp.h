// Outgoing TCP connections that are started without waiting. -errno on failure.
#pragma once
#include <stdint.h>

// Where to and, optionally, from where. Addresses hold 4 or 16 octets in network order, ports are in host order.
struct ek_tcp_target {
    int is_ipv6;
    uint8_t address[16];
    uint16_t port;
    int has_source;
    uint8_t source[16];
    uint16_t source_port;  // 0 = any
    const char *interface; // NULL = any; also the scope of a link-local address
    uint32_t mark;         // 0 = none
};

// What ek_tcp_connect was doing when it failed: preparing its own socket, or calling connect().
enum ek_tcp_stage { EK_TCP_PREPARE = 0, EK_TCP_CONNECT = 1 };

// A non-blocking socket that is connecting or connected (writable when it is decided, see ek_socket_error).
int ek_tcp_connect(const struct ek_tcp_target *target, int *stage);
// Why the connection failed, as a positive errno; 0 when it did not.
int ek_socket_error(int fd);
