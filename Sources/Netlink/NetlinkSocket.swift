// Owner of one libnl socket. libnl opens and binds it; sending and receiving go to the descriptor directly, because libnl's own receive
// peeks (two system calls per datagram) and replaces errno by its own codes.
//
// Use one socket for requests and another for notifications (`join`, watched by the event loop): mixing them loses answers when
// notifications fill the buffer.
//
// Neither ever waits for an answer. The kernel executes a request inside `send` and queues its answer before `send` returns
// (netlink_unicast_kernel, net/netlink/af_netlink.c), and makes the parts of a dump as they are read: what is not there then was dropped and
// never comes. What does take time is `send` itself, while somebody else holds the kernel's rtnl lock; nothing can bound that.

internal import CNl
internal import Glibc

/// A netlink socket; closed when it goes out of scope.
public struct NetlinkSocket: NetlinkTransport, ~Copyable {
    /// Netlink protocols used here (linux/netlink.h).
    public enum Family: Int32, Sendable {
        case route = 0
        case netfilter = 12
        case generic = 16
    }

    private let socket: OpaquePointer

    /// Opens and binds a socket.
    /// - Parameters:
    ///   - family: which part of the kernel answers.
    ///   - receiveBuffer: octets; forced over the system's limit when the process may (CAP_NET_ADMIN), else as much as allowed.
    ///   - sendBuffer: octets of the longest datagram, forced like that; nil = the system's default, 200 KB.
    public init(_ family: Family, receiveBuffer: Int32 = 4 << 20, sendBuffer: Int32? = nil) throws(NetlinkError) {
        guard let socket = nl_socket_alloc() else { throw .system(call: "nl_socket_alloc", code: ENOMEM) }
        // nl_connect reports NLE codes; errno is still the failed system call's.
        guard nl_connect(socket, family.rawValue) == 0 else {
            let code = errno
            nl_socket_free(socket)
            throw .system(call: "socket", code: code)
        }
        self.socket = socket
        Self.setOption(number, SOL_SOCKET, SO_RCVBUF, receiveBuffer)
        Self.setOption(number, SOL_SOCKET, SO_RCVBUFFORCE, receiveBuffer)
        if let sendBuffer {
            Self.setOption(number, SOL_SOCKET, SO_SNDBUF, sendBuffer)
            Self.setOption(number, SOL_SOCKET, SO_SNDBUFFORCE, sendBuffer)
        }
        // Refusals without the request echoed, but with the kernel's own words: kernel 4.2 and 4.12; absent is harmless.
        Self.setOption(number, SOL_NETLINK, NETLINK_CAP_ACK, Int32(1))
        Self.setOption(number, SOL_NETLINK, NETLINK_EXT_ACK, Int32(1))
        // NETLINK_GET_STRICT_CHK (4.20): a dump of routes gives those that were asked for; an older kernel gives all.
        if family == .route { Self.setOption(number, SOL_NETLINK, 12, Int32(1)) }
    }

    deinit {
        nl_socket_free(socket)
    }

    /// The descriptor, for the event loop to watch.
    public var number: Int32 { nl_socket_get_fd(socket) }

    /// By which the kernel knows it, also in what it tells others of our requests.
    public var port: UInt32 { nl_socket_get_local_port(socket) }

    /// Subscribes to a multicast group (RTNLGRP_…): its notifications arrive through `receive`.
    public func join(_ group: Int32) throws(NetlinkError) {
        guard nl_socket_add_membership(socket, group) == 0 else {
            throw .system(call: "setsockopt(NETLINK_ADD_MEMBERSHIP)", code: errno)
        }
    }

    public func send(_ datagram: UnsafeRawBufferPointer) throws(NetlinkError) {
        var sent = Glibc.send(number, datagram.baseAddress, datagram.count, 0)
        while sent < 0, errno == EINTR { sent = Glibc.send(number, datagram.baseAddress, datagram.count, 0) }
        guard sent >= 0 else { throw .system(call: "send", code: errno) }
    }

    public func receive(into buffer: UnsafeMutableRawBufferPointer) throws(NetlinkError) -> Int {
        while true {
            var sender = sockaddr_nl()
            var length = socklen_t(MemoryLayout<sockaddr_nl>.size)
            let received = withUnsafeMutableBytes(of: &sender) { address in
                recvfrom(
                    number, buffer.baseAddress, buffer.count, Int32(MSG_TRUNC | MSG_DONTWAIT),
                    address.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
            }
            if received < 0 {
                switch errno {
                case EINTR: continue
                case EAGAIN: throw .timedOut
                case ENOBUFS: throw .overrun
                case let code: throw .system(call: "recv", code: code)
                }
            }
            // Only the kernel (port 0) is believed; another process can address our port too.
            guard sender.nl_pid == 0 else { continue }
            guard received <= buffer.count else { throw .malformed("datagram of \(received) octets") }
            return received
        }
    }

    /// Best effort: an option that an old kernel or an unprivileged process does not have changes nothing we rely on.
    private static func setOption<Value: BitwiseCopyable>(
        _ number: Int32, _ level: Int32, _ option: Int32, _ value: Value
    ) {
        withUnsafePointer(to: value) { _ = setsockopt(number, level, option, $0, socklen_t(MemoryLayout<Value>.size)) }
    }
}
